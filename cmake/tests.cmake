# Unit tests of the engine in one GoogleTest program; tests/engine mirrors engine/ one to one.
find_package(GTest REQUIRED)
include(GoogleTest)
file(GLOB_RECURSE engine_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/engine/*_test.cc)
if(engine_tests)
  add_executable(engine_tests ${engine_tests})
  target_link_libraries(engine_tests PRIVATE personalize_engine GTest::gtest_main GTest::gmock)
  target_compile_definitions(engine_tests PRIVATE
    PERSONALIZE_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data" PERSONALIZE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(engine_tests DISCOVERY_TIMEOUT 60)
endif()
