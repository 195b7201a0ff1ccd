#include "extension/training_sources.h"

#include <string>

#include "extension/event_reader.h"
#include "extension/metadata_reader.h"

namespace personalize {

Result<OpenTrainingSources> open_training_sources(Connection& connection,
                                                  const SolutionEntry& entry) {
  const std::string& group = entry.solution.dataset_group;
  OpenTrainingSources opened;
  PERSONALIZE_ASSIGN_OR_RETURN(opened.events, open_event_source(connection, entry.schema, group));
  const Result<const Recipe*> recipe = find_recipe(entry.solution.recipe);
  if (recipe.is_ok() && !(*recipe)->uses_metadata()) return opened;
  PERSONALIZE_ASSIGN_OR_RETURN(
      opened.items, open_metadata_source(connection, entry.schema, group, DatasetKind::kItems));
  PERSONALIZE_ASSIGN_OR_RETURN(
      opened.users, open_metadata_source(connection, entry.schema, group, DatasetKind::kUsers));
  return opened;
}

}  // namespace personalize
