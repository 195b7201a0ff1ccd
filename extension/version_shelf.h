// The solution versions of one schema, as a connection last saw them: which there are, which is the
// latest, and the models it has opened. Emptied when the store has changed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serving/loaded_model.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/store_access.h"

namespace personalize {

class VersionShelf {
 public:
  explicit VersionShelf(std::string schema) : schema_(std::move(schema)) {}

  // Looks whether the store is still the same and has not changed. To be called first in a
  // question; the errors of open_stores.
  Status refresh(Connection& connection);

  const std::string& schema() const { return schema_; }
  const Stores& stores() const { return stores_; }
  // Changes with the store.
  uint64_t transaction() const { return transaction_; }

  // All versions, whatever their status.
  Result<const std::vector<VersionRecord>*> versions();
  // The number of the solution's last ACTIVE version; nothing if it has none.
  Result<std::optional<int>> latest(std::string_view solution);
  // The errors of load_model.
  Result<std::shared_ptr<const LoadedModel>> load(std::string_view solution, int number);

 private:
  std::string schema_;
  Stores stores_;
  uint64_t transaction_ = 0;
  std::optional<std::vector<VersionRecord>> versions_;
  std::map<std::string, std::shared_ptr<const LoadedModel>, std::less<>> models_;
};

}  // namespace personalize
