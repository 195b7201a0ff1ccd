# What every target of ours is compiled with.
add_library(personalize_options INTERFACE)
target_include_directories(personalize_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(personalize_options INTERFACE
  -Wall -Wextra -Werror -Wno-restrict # GCC 12 sees overlaps in std::string that are not there (its bug 105651)
  -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(personalize_options INTERFACE PERSONALIZE_VERSION="${PROJECT_VERSION}")
if(PERSONALIZE_SANITIZE)
  target_compile_options(personalize_options INTERFACE
    -fsanitize=${PERSONALIZE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(personalize_options INTERFACE -fsanitize=${PERSONALIZE_SANITIZE})
endif()
