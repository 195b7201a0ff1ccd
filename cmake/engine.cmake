# The engine: C++ without SQLite, one static library. engine/math/kernels.cc and its like are compiled
# once for each instruction set (vectors.h says why).
find_package(Threads REQUIRED)
file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/engine/*.cc)
list(FILTER engine_sources EXCLUDE REGEX "engine/math/(kernels|item_softmax|pair_product|scan_codes)\\.cc$")
add_library(personalize_engine STATIC ${engine_sources})
target_link_libraries(personalize_engine PUBLIC personalize_options lmdb Threads::Threads)
if(EXISTS ${CMAKE_SOURCE_DIR}/engine/math/kernels.cc)
  include(cmake/kernels.cmake)
endif()
