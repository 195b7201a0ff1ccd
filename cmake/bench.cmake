# Benchmarks: every bench/NAME.cc is a program of its own, bench_NAME. Those of bench/run load the extension as
# any host does, so what they measure is what a host sees; others ask the engine.
file(GLOB bench_support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/support/*.cc)
add_library(bench_support STATIC ${bench_support})
target_link_libraries(bench_support PUBLIC personalize_engine sqlite3)
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc)
foreach(source IN LISTS bench_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} ${source})
  target_link_libraries(bench_${name} PRIVATE bench_support personalize_engine)
endforeach()
