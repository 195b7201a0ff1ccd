// The catalog: the ordinary tables personalize_* in which users declare what they want
// (sql/catalog.sql), as C++ sees them. One catalog a schema (main, an attached database). Reads run
// in the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "engine/training/job.h"
#include "extension/campaign_config.h"
#include "extension/connection.h"

namespace personalize {

enum class DatasetKind { kInteractions, kUsers, kItems };
std::string_view dataset_kind_name(DatasetKind kind);  // "interactions", "users", "items"

// A row of personalize_datasets: a dataset that exists.
struct DatasetEntry {
  std::string schema;
  std::string group;
  DatasetKind kind = DatasetKind::kInteractions;
  std::string table;      // the virtual table's name now
  std::string arguments;  // JSON, as DatasetConfig::to_json gives it
};

// A row of personalize_solutions.
struct SolutionEntry {
  std::string schema;
  Solution solution;
};

// A row of personalize_campaigns.
struct CampaignEntry {
  std::string schema;
  int64_t id = 0;  // rowid: names the campaign's slot in the rate file
  std::string name;
  std::string solution;       // of the version it names
  int number = 0;             // 0: 'latest'
  std::string dataset_group;  // of the solution
  int64_t min_provisioned_tps = 1;
  std::optional<int64_t> max_tps;
  bool wait_on_throttle = false;
  CampaignConfig config;
};

// The name of a solution version: 'movies/3', or 'movies/latest' (number 0).
struct VersionName {
  std::string solution;
  int number = 0;
};
// Error: kInvalidInput if it is none; `caller` leads the message.
Result<VersionName> parse_version_name(std::string_view text, std::string_view caller);

// Makes the catalog in `schema` if it is not there, with a new uuid. Inside the caller's
// transaction.
Status create_catalog(Connection& connection, std::string_view schema);

// The schemas that have a catalog, main first, then attached databases in order.
Result<std::vector<std::string>> catalog_schemas(Connection& connection);
// All schemas of the connection: main, temp if it is there, and the attached ones.
Result<std::vector<std::string>> schemas_of(Connection& connection);

// Datasets. add_dataset fails with kAlreadyExists if the group has one of that kind (naming its
// table).
Status add_dataset(Connection& connection, const DatasetEntry& entry);
Status rename_dataset(Connection& connection, std::string_view schema, std::string_view from,
                      std::string_view to);
Status remove_dataset(Connection& connection, std::string_view schema, std::string_view table);
Result<std::optional<DatasetEntry>> find_dataset(Connection& connection, std::string_view schema,
                                                 std::string_view group, DatasetKind kind);

// `name` is looked up in every catalog (catalog_schemas order); 'schema.name' in that one. Errors:
// kNotFound listing what there is: "ResourceNotFoundException: personalize_train: solution 'movis'
// does not exist; there are: movies, movies-sims", where `caller` is "personalize_train".
Result<SolutionEntry> find_solution(Connection& connection, std::string_view name,
                                    std::string_view caller);
Result<CampaignEntry> find_campaign(Connection& connection, std::string_view name,
                                    std::string_view caller);
Result<std::vector<CampaignEntry>> campaigns_of_group(Connection& connection,
                                                      std::string_view schema,
                                                      std::string_view group);

// A row of personalize_settings, or nothing. Secrets (uuid, state_secret) live in
// personalize_identity, apart.
Result<std::optional<std::string>> find_setting(Connection& connection, std::string_view schema,
                                                std::string_view name);
struct Identity {
  std::string uuid;           // 32 hex digits; the same stands in models.mdb
  uint64_t state_secret = 0;  // keys the hashes of user ids in states.mdb
};
Result<Identity> identity(Connection& connection, std::string_view schema);

}  // namespace personalize
