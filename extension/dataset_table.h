// The modules behind CREATE VIRTUAL TABLE ... USING personalize_interactions, personalize_users and
// personalize_items:
//
//   CREATE VIRTUAL TABLE interactions USING personalize_interactions;
//   CREATE VIRTUAL TABLE users USING personalize_users(AGE int, GENDER string categorical);
//   CREATE VIRTUAL TABLE items USING personalize_items(schema='<Avro JSON>', group='movies');
//   CREATE VIRTUAL TABLE interactions USING personalize_interactions(content='orders',
//     user_id='customer_id', item_id='product_id', timestamp='ordered_at');
//
// Native datasets keep their rows in shadow tables (shadow_tables.h) and are written through here
// (dataset_write.h); those with content= show a business table and are read-only. Reading is in
// dataset_cursor.h.
#pragma once

#include <memory>
#include <string>

#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_config.h"
#include "extension/dataset_write.h"
#include "extension/id_dictionary.h"
#include "extension/sqlite_api.h"

namespace personalize {

// One dataset as one connection has it.
struct DatasetTable : sqlite3_vtab {
  Connection* connection = nullptr;
  std::string schema;
  std::string name;
  DatasetConfig config;
  std::unique_ptr<DatasetWriter> writer;
  std::unique_ptr<CodeTexts> items;  // native interactions: what cursors know of the dictionaries
  std::unique_ptr<CodeTexts> types;
  bool writing = false;  // inside xUpdate

  bool is_native() const { return config.content.empty(); }
};

Status register_dataset_modules(const std::shared_ptr<Connection>& connection);

}  // namespace personalize
