# All tests, found by their names (tests/README.md). One ctest entry a file, one for each GoogleTest case.
find_package(GTest REQUIRED)
include(GoogleTest)
# Debian's interpreter: its sqlite3 module can load extensions.
find_program(PERSONALIZE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(PERSONALIZE_PYTHON python3 REQUIRED)

file(GLOB_RECURSE engine_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/engine/*_test.cc)
if(engine_tests)
  set(shared_data ${CMAKE_SOURCE_DIR}/tests/engine/testing/shared_data.cc)
  add_executable(engine_tests ${engine_tests} ${shared_data})
  target_link_libraries(engine_tests PRIVATE personalize_engine GTest::gtest_main GTest::gmock)
  set_source_files_properties(${shared_data} PROPERTIES COMPILE_DEFINITIONS
    PERSONALIZE_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
  gtest_discover_tests(engine_tests DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 600 ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
endif()

# Fuzz targets with drivers of their own; tests/fuzz tells how libFuzzer runs them.
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
foreach(file IN LISTS fuzz_targets)
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE personalize_engine)
  add_test(NAME fuzz/${name} COMMAND ${name})
  set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 600
    ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
endforeach()

# A sanitizer's runtime must be in a host before the extension is; libstdc++ beside it keeps its
# interception of exceptions right.
set(preload "")
foreach(name IN ITEMS address:libasan.so thread:libtsan.so)
  string(REPLACE ":" ";" pair ${name})
  list(GET pair 0 sanitizer)
  list(GET pair 1 runtime)
  if(PERSONALIZE_SANITIZE MATCHES ${sanitizer})
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${runtime}
      OUTPUT_VARIABLE runtime_path OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.so.6
      OUTPUT_VARIABLE standard_library OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    set(preload "${runtime_path}:${standard_library}")
  endif()
endforeach()
set(host_environment
  PERSONALIZE_EXTENSION=${CMAKE_BINARY_DIR}/personalize.so PERSONALIZE_BUILD=${CMAKE_BINARY_DIR}
  PERSONALIZE_PRELOAD=${preload} PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/support PYTHONDONTWRITEBYTECODE=1)
set(sanitizer_options "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
  "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp")

# add_host_test(NAME name COMMAND ... [PRELOAD] [LEAKS]): PRELOAD where the test's own process loads the
# extension. LEAKS where the host is a program that frees its memory; an interpreter keeps some till it ends.
function(add_host_test)
  cmake_parse_arguments(PARSE_ARGV 0 test "PRELOAD;LEAKS" "NAME" "COMMAND;LABELS")
  set(environment ${host_environment} ${sanitizer_options} ASAN_OPTIONS=detect_leaks=$<BOOL:${test_LEAKS}>)
  if(test_PRELOAD AND preload)
    list(APPEND environment LD_PRELOAD=${preload})
  endif()
  add_test(NAME ${test_NAME} COMMAND ${test_COMMAND})
  set_tests_properties(${test_NAME} PROPERTIES ENVIRONMENT "${environment}" SKIP_RETURN_CODE 77
    TIMEOUT 600 LABELS "${test_LABELS}")
endfunction()

file(GLOB sql_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sql/*.sql)
foreach(file IN LISTS sql_tests)
  get_filename_component(name ${file} NAME_WE)
  add_host_test(NAME sql/${name} LEAKS LABELS sql
    COMMAND ${PERSONALIZE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/sql/run.py ${file})
endforeach()

file(GLOB process_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/process/*_test.py)
foreach(file IN LISTS process_tests)
  get_filename_component(name ${file} NAME_WE)
  set(labels process)
  if(name MATCHES "threads_test$")
    list(APPEND labels threads)
  endif()
  add_host_test(NAME process/${name} PRELOAD LABELS ${labels}
    COMMAND ${PERSONALIZE_PYTHON} ${file})
  # Asks as fast as it can, and must not want for a processor.
  if(name STREQUAL "throttle_test")
    set_tests_properties(process/${name} PROPERTIES RUN_SERIAL ON)
  endif()
endforeach()

# Parts of the extension that SQL shows only through others, in a program with its own SQLite.
file(GLOB_RECURSE extension_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/extension/*_test.cc)
if(extension_tests)
  add_executable(extension_tests ${extension_tests})
  target_compile_definitions(extension_tests PRIVATE SQLITE_CORE)
  target_link_libraries(extension_tests PRIVATE personalize_static sqlite3 GTest::gtest_main)
  gtest_discover_tests(extension_tests DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 600 ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
endif()

# The same answers in several hosts; c_host is a C program linked with the static library.
if(TARGET personalize_static)
  add_executable(c_host ${CMAKE_SOURCE_DIR}/tests/hosts/c_host.c)
  target_link_libraries(c_host PRIVATE personalize_static sqlite3)
  set_target_properties(c_host PROPERTIES LINKER_LANGUAGE CXX)
endif()
foreach(host IN ITEMS python c node perl tcl php)
  add_host_test(NAME hosts/${host} LABELS hosts
    COMMAND ${PERSONALIZE_PYTHON} ${CMAKE_SOURCE_DIR}/tests/hosts/run.py ${host})
endforeach()

# What must hold of the sources and of the built file.
if(NOT PERSONALIZE_SANITIZE)
  file(GLOB tree_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tree/*_test.py)
  foreach(file IN LISTS tree_tests)
    get_filename_component(name ${file} NAME_WE)
    add_host_test(NAME tree/${name} LABELS tree COMMAND ${PERSONALIZE_PYTHON} ${file})
  endforeach()
endif()
