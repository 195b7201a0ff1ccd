# Most of the code checks, names and reports, once a call: it is compiled for size, which keeps the extension
# under 3 MB. What runs once a row, an event or an item keeps the build type's -O3.
file(GLOB_RECURSE small_sources ${CMAKE_SOURCE_DIR}/extension/*.cc ${CMAKE_SOURCE_DIR}/engine/store/*.cc
  ${CMAKE_SOURCE_DIR}/engine/training/*.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hyperparameters.cc
  ${CMAKE_SOURCE_DIR}/engine/serving/loaded_model.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/hrnn.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/specs.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/fit_metadata.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/item_ages.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/unseen_fit.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/withheld.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/cost.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/training_cost.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/update.cc ${CMAKE_SOURCE_DIR}/engine/recipes/hrnn/warm_start.cc
  ${CMAKE_SOURCE_DIR}/engine/recipes/similar_items.cc ${CMAKE_SOURCE_DIR}/engine/serving/filter_lexer.cc
  ${CMAKE_SOURCE_DIR}/engine/serving/filter_parser.cc ${CMAKE_SOURCE_DIR}/engine/serving/filter_values.cc
  ${CMAKE_SOURCE_DIR}/engine/fmt_library.cc)
list(FILTER small_sources EXCLUDE REGEX
  "extension/(answer_rows|answer_table|batch_rows|boundary|column_value|connection|content_reader|csv_import|csv_reader|dataset_cursor|dataset_write|event_writer|id_dictionary|native_reader|row_writer|score_function|statement)\\.cc$")
list(FILTER small_sources EXCLUDE REGEX "engine/training/metrics\\.cc$")
list(FILTER small_sources EXCLUDE REGEX "engine/store/(blob|lmdb_env|state_store|value_frame)\\.cc$")
set_property(SOURCE ${small_sources} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
