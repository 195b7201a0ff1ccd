// Registers the tables that show what the engine has made: personalize_versions,
// personalize_metrics, personalize_training_log, personalize_hyperparameters, personalize_recipes,
// personalize_recipe_hyperparameters.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_report_tables(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
