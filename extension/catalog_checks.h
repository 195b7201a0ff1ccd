// What the triggers of sql/catalog.sql call: personalize_check_*(), each of which fails with a
// sentence, or gives NULL. They also tell the connection that its catalog changes.
#pragma once

#include <memory>
#include <string_view>

#include "engine/status.h"
#include "extension/connection.h"

namespace personalize {

Status register_catalog_checks(const std::shared_ptr<Connection>& connection);

// Amazon's name pattern: a letter or digit, then letters, digits, '-' and '_', 1 to 63 in all.
// `kind` ("solution") is named in the message. Error: kInvalidInput.
Status check_name(std::string_view kind, std::string_view name);

// While one lives, this connection may write personalize_datasets: only CREATE VIRTUAL TABLE,
// RENAME and DROP do.
class CatalogWriting {
 public:
  explicit CatalogWriting(Connection& connection);
  ~CatalogWriting();
  CatalogWriting(const CatalogWriting&) = delete;
  CatalogWriting& operator=(const CatalogWriting&) = delete;

 private:
  Connection& connection_;
};

}  // namespace personalize
