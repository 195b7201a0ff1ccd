# `cmake --install build`: the extension where SQLite's own are, the header, and the libraries for programs that
# link SQLite themselves.
include(GNUInstallDirs)
install(TARGETS personalize LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sqlite3)
install(TARGETS personalize_static personalize_engine ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${CMAKE_SOURCE_DIR}/extension/personalize.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
