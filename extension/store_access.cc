#include "extension/store_access.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "engine/training/abandoned_versions.h"
#include "engine/training/job.h"
#include "extension/catalog.h"
#include "extension/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kPlaceVariable = "PERSONALIZE_STORE";

// What decides which stores a schema has; they are looked up again when it changes.
struct StoreQuestion {
  std::string file;
  std::string place;  // of the environment
  uint64_t catalog_changes = 0;
  int64_t data_version = 0;
  bool operator==(const StoreQuestion&) const = default;
};

struct CachedStores {
  StoreQuestion question;
  std::string uuid;
  OpenMode asked = OpenMode::kReadOnly;
  ino_t inode = 0;  // of models.mdb: another file may have been put in its place
  Stores stores;
};

// Temporary directories go after the stores in them.
struct StoreCache {
  std::map<std::string, std::shared_ptr<TemporaryDirectory>, std::less<>> temporary;  // by uuid
  std::map<std::string, CachedStores, std::less<>> schemas;
};

std::string place_of_environment() {
  const char* place = std::getenv(kPlaceVariable);
  return place == nullptr ? "" : place;
}

ino_t inode_of_models(const std::string& directory) {
  struct stat found;
  return stat((directory + "/models.mdb").c_str(), &found) == 0 ? found.st_ino : 0;
}

Result<StoreQuestion> store_question(Connection& connection, const std::string& schema) {
  PERSONALIZE_ASSIGN_OR_RETURN(
      Statement statement,
      connection.cached(fmt::format("PRAGMA {}.data_version", sql_name(schema))));
  PERSONALIZE_RETURN_IF_ERROR(statement.step().status());
  return StoreQuestion{database_file(connection, schema), place_of_environment(),
                       connection.catalog_changes(), statement.integer(0)};
}

Result<std::string> place(Connection& connection, const std::string& schema,
                          const std::string& file, const std::string& uuid) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<std::string> setting,
                               find_setting(connection, schema, "store_path"));
  namespace fs = std::filesystem;
  // A relative setting counts from the database, wherever the program was started.
  if (setting) return (fs::path(file).parent_path() / *setting).string();
  if (!file.empty()) {
    const std::string parent = place_of_environment();
    return parent.empty() ? file + ".personalize" : fmt::format("{}/{}.personalize", parent, uuid);
  }
  std::shared_ptr<TemporaryDirectory>& temporary = connection.part<StoreCache>().temporary[uuid];
  if (!temporary) {
    PERSONALIZE_ASSIGN_OR_RETURN(temporary, TemporaryDirectory::of(uuid));
  }
  return temporary->path();
}

// `status` of opening, with what a user of SQL can do about it.
Status explain(const Status& status, const std::string& directory, const std::string& file) {
  if (status.code() != StatusCode::kNotFound) return status;
  if (file.empty() || access(directory.c_str(), F_OK) == 0)
    return {StatusCode::kNotFound,
            "ResourceNotFoundException: no model here: SELECT personalize_train('<solution>')"};
  return {StatusCode::kNotFound,
          fmt::format("ResourceNotFoundException: no model here: there is no directory {}; SELECT "
                      "personalize_train('<solution>'), or put the directory back beside its "
                      "database",
                      directory)};
}

Result<CachedStores> open_anew(Connection& connection, const std::string& schema, OpenMode mode,
                               StoreQuestion question) {
  CachedStores cached;
  cached.asked = mode;
  PERSONALIZE_ASSIGN_OR_RETURN(const Identity who, identity(connection, schema));
  PERSONALIZE_ASSIGN_OR_RETURN(cached.stores.directory,
                               place(connection, schema, question.file, who.uuid));
  const std::string& directory = cached.stores.directory;
  if (sqlite3_db_readonly(connection.db(), schema.c_str()) == 1) {
    if (mode == OpenMode::kCreate)
      return Status(StatusCode::kReadOnly,
                    fmt::format("database '{}' was opened read-only; train with a "
                                "connection that may write",
                                schema));
    mode = OpenMode::kReadOnly;
  }
  auto models = ModelStore::open(directory, who.uuid, mode, question.file);
  if (mode == OpenMode::kReadWrite && models.status().code() == StatusCode::kReadOnly) {
    mode = OpenMode::kReadOnly;
    models = ModelStore::open(directory, who.uuid, mode, question.file);
  }
  // A training says itself what kept it from making the store.
  if (!models.is_ok() && mode == OpenMode::kCreate) return models.status();
  if (!models.is_ok()) return explain(models.status(), directory, question.file);
  cached.stores.models = std::move(models).value();
  cached.stores.states = StateStore::open(directory, mode, question.file);
  cached.stores.recommendations = RecommendationStore::open(directory, mode, question.file);
  cached.stores.state_secret = who.state_secret;
  cached.question = std::move(question);
  cached.uuid = who.uuid;
  cached.inode = inode_of_models(directory);
  // Best effort: who only asks needs no room on the disk, and a training marks them again.
  if (!cached.stores.models->read_only()) (void)fail_abandoned_versions(*cached.stores.models);
  return cached;
}

// Whether what is cached, though the catalog or the database has changed since, is what opening it
// again would give.
Result<bool> still_holds(Connection& connection, const std::string& schema,
                         const CachedStores& cached, const StoreQuestion& question) {
  if (cached.question.file != question.file) return false;
  PERSONALIZE_ASSIGN_OR_RETURN(const Identity who, identity(connection, schema));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string directory,
                               place(connection, schema, question.file, who.uuid));
  return who.uuid == cached.uuid && directory == cached.stores.directory;
}

}  // namespace

std::string database_file(Connection& connection, std::string_view schema) {
  const char* name = sqlite3_db_filename(connection.db(), std::string(schema).c_str());
  struct stat found;
  if (name == nullptr || *name == '\0' || stat(name, &found) != 0) return {};
  return name;
}

Result<const Stores*> open_stores(Connection& connection, std::string_view schema, OpenMode mode) {
  const std::string name(schema);
  PERSONALIZE_ASSIGN_OR_RETURN(StoreQuestion question, store_question(connection, name));
  auto& schemas = connection.part<StoreCache>().schemas;
  if (const auto found = schemas.find(name); found != schemas.end()) {
    CachedStores& cached = found->second;
    bool holds = inode_of_models(cached.stores.directory) == cached.inode && mode <= cached.asked;
    if (holds && cached.question != question) {
      PERSONALIZE_ASSIGN_OR_RETURN(holds, still_holds(connection, name, cached, question));
    }
    if (holds) {
      cached.question = std::move(question);
      return &cached.stores;
    }
  }
  schemas.erase(name);
  PERSONALIZE_ASSIGN_OR_RETURN(CachedStores opened,
                               open_anew(connection, name, mode, std::move(question)));
  return &(schemas[name] = std::move(opened)).stores;
}

Result<std::string> store_directory(Connection& connection, std::string_view schema) {
  const std::string name(schema);
  PERSONALIZE_ASSIGN_OR_RETURN(const Identity who, identity(connection, name));
  return place(connection, name, database_file(connection, name), who.uuid);
}

void keep_stores(Connection& connection, std::span<const std::string> schemas) {
  std::erase_if(connection.part<StoreCache>().schemas, [&](const auto& cached) {
    return std::find(schemas.begin(), schemas.end(), cached.first) == schemas.end();
  });
}

}  // namespace personalize
