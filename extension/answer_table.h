// Registers recommend, rank, similar_items and batch_recommend, each also with 'personalize_'
// before its name.
#pragma once

#include <memory>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_answer_tables(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
