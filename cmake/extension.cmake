# personalize.so: exports sqlite3_personalize_init alone. libpersonalize.a: the same for programs that link
# SQLite themselves (extension/personalize.h).
# libcsv goes in: a host need not have it.
find_library(csv_archive NAMES libcsv.a REQUIRED)
file(GLOB extension_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/extension/*.cc)
include(cmake/catalog.cmake)
include(cmake/build_facts.cmake)
if(extension_sources)
  add_library(personalize MODULE ${extension_sources})
  set_target_properties(personalize PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_libraries(personalize PRIVATE personalize_engine ${csv_archive})
  target_include_directories(personalize PRIVATE ${CMAKE_BINARY_DIR}/generated)
  target_link_options(personalize PRIVATE
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/extension/personalize.map -Wl,--gc-sections)
  set_target_properties(personalize PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/extension/personalize.map)
  if(NOT PERSONALIZE_SANITIZE)
    target_link_options(personalize PRIVATE -static-libstdc++ -static-libgcc -Wl,--no-undefined -s)
  endif()

  add_library(personalize_static STATIC ${extension_sources})
  set_target_properties(personalize_static PROPERTIES OUTPUT_NAME personalize)
  target_compile_definitions(personalize_static PRIVATE SQLITE_CORE)
  target_link_libraries(personalize_static PUBLIC personalize_engine ${csv_archive})
  target_include_directories(personalize_static PRIVATE ${CMAKE_BINARY_DIR}/generated)
endif()
