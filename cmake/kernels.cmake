# engine/math/kernels.cc, scan_codes.cc and item_softmax.cc, once for each x86-64 level;
# the latter two once more, with pair_product.cc, with bf16 and VNNI; on another machine once for what the compiler takes by default. Optimised in every build type
# (a test that takes minutes is not run), and always the same way, so that all build types of one
# compiler compute the same numbers.
set(kernel_flags -O3 -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math -Wno-psabi)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(kernel_levels "base\;-march=x86-64" "v3\;-march=x86-64-v3" "v4\;-march=x86-64-v4"
    "v4bf16\;-march=x86-64-v4\;-mavx512bf16\;-mavx512vnni\;-DPERSONALIZE_BF16")
  target_compile_definitions(personalize_engine PRIVATE PERSONALIZE_X86_LEVELS)
else()
  set(kernel_levels "base\;")
endif()
foreach(level ${kernel_levels})
  list(GET level 0 name)
  list(SUBLIST level 1 -1 march)
  set(sources ${CMAKE_SOURCE_DIR}/engine/math/item_softmax.cc ${CMAKE_SOURCE_DIR}/engine/math/scan_codes.cc)
  if(name MATCHES "bf16")
    list(APPEND sources ${CMAKE_SOURCE_DIR}/engine/math/pair_product.cc)
  else()
    list(APPEND sources ${CMAKE_SOURCE_DIR}/engine/math/kernels.cc)
  endif()
  add_library(personalize_kernels_${name} OBJECT ${sources})
  target_link_libraries(personalize_kernels_${name} PRIVATE personalize_options)
  target_compile_options(personalize_kernels_${name} PRIVATE ${kernel_flags} ${march})
  target_compile_definitions(personalize_kernels_${name} PRIVATE PERSONALIZE_KERNELS=${name})
  target_sources(personalize_engine PRIVATE $<TARGET_OBJECTS:personalize_kernels_${name}>)
  list(APPEND kernel_objects $<TARGET_OBJECTS:personalize_kernels_${name}>)
endforeach()
if(PERSONALIZE_TESTS)
  enable_testing()
  add_test(NAME kernels.ShareNoSymbol
    COMMAND sh ${CMAKE_SOURCE_DIR}/tests/engine/math/kernel_symbols_test.sh ${CMAKE_NM} ${kernel_objects}
    COMMAND_EXPAND_LISTS)
  # What PERSONALIZE_ISA names is read once a process, so each name needs a process of its own.
  foreach(isa base v3 v4 v4bf16 nonsense)
    add_test(NAME kernels.ForcedByEnvironment.${isa} COMMAND engine_tests --gtest_filter=Dispatch.*)
    set_tests_properties(kernels.ForcedByEnvironment.${isa} PROPERTIES ENVIRONMENT PERSONALIZE_ISA=${isa})
  endforeach()
endif()
