#include "extension/dataset_table.h"

#include <fmt/format.h>

#include <string_view>

#include "extension/boundary.h"
#include "extension/business_table.h"
#include "extension/catalog.h"
#include "extension/column_types.h"
#include "extension/dataset_cursor.h"
#include "extension/shadow_tables.h"

namespace personalize {
namespace {

DatasetTable& table_of(sqlite3_vtab* table) { return *static_cast<DatasetTable*>(table); }

// What the table is called in xCreate's arguments.
struct Place {
  std::string schema;
  std::string name;
};

Status check_name(DatasetKind kind, std::string_view name) {
  const std::string upper = upper_case(name);
  if (upper == "PERSONALIZE" || upper.starts_with("PERSONALIZE_"))
    return {StatusCode::kInvalidInput,
            fmt::format("{}: '{}' is kept for the extension's own tables; choose another name",
                        module_name(kind), name)};
  return Status::ok();
}

std::unique_ptr<DatasetTable> make_table(Connection& connection, Place place,
                                         DatasetConfig config) {
  auto table = std::make_unique<DatasetTable>();
  table->connection = &connection;
  table->schema = std::move(place.schema);
  table->name = std::move(place.name);
  table->config = std::move(config);
  table->writer = make_dataset_writer(connection, table->schema, table->name, table->config);
  const auto texts = [&](const char* suffix) {
    return std::make_unique<CodeTexts>(connection,
                                       shadow_table(table->schema, table->name, suffix));
  };
  table->items = texts("item");
  table->types = texts("type");
  return table;
}

// Everything that CREATE VIRTUAL TABLE makes. Checks come first, so that a refusal leaves nothing.
Status create_dataset(Connection& connection, const Place& place, const DatasetConfig& config) {
  const std::string_view module = module_name(config.kind);
  if (upper_case(place.schema) == "TEMP")
    return {StatusCode::kInvalidInput,
            fmt::format("{}: a dataset can't be in 'temp', which only this connection sees: leave "
                        "TEMP out, or ATTACH ':memory:'",
                        module)};
  PERSONALIZE_RETURN_IF_ERROR(check_name(config.kind, place.name));
  if (config.content.empty()) {
    PERSONALIZE_RETURN_IF_ERROR(
        check_shadow_names(connection, place.schema, place.name, config.kind));
  } else {
    PERSONALIZE_RETURN_IF_ERROR(
        inspect_business_table(connection, place.schema, config, module).status());
  }
  PERSONALIZE_RETURN_IF_ERROR(create_catalog(connection, place.schema));
  PERSONALIZE_RETURN_IF_ERROR(add_dataset(
      connection, {place.schema, config.group, config.kind, place.name, config.to_json()}));
  connection.count_catalog_change();
  if (!config.content.empty()) return Status::ok();
  return create_shadow_tables(connection, place.schema, place.name, config);
}

int declare(sqlite3* db, const DatasetConfig& config) {
  if (const int code = sqlite3_declare_vtab(db, config.declaration().c_str()); code != SQLITE_OK)
    return code;
  // A refused row ends only what the statement's OR clause says.
  sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  // Triggers and views may use datasets, also in databases that are not trusted.
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  return SQLITE_OK;
}

template <bool kCreates>
int connect(sqlite3* db, void* aux, int argc, const char* const* argv, sqlite3_vtab** table,
            char** message) {
  return guarded([&]() -> int {
    const auto kind =
        *static_cast<const DatasetKind*>(static_cast<const ModuleContext*>(aux)->extra);
    Connection& connection = connection_of(aux);
    Result<DatasetConfig> config =
        DatasetConfig::parse(kind, std::span(argv + 3, static_cast<size_t>(argc - 3)));
    if (!config.is_ok()) return set_error(message, config.status());
    Place place{argv[1], argv[2]};
    if (kCreates) {
      const Status created = create_dataset(connection, place, *config);
      if (!created.is_ok()) return set_error(message, created);
    }
    std::unique_ptr<DatasetTable> made =
        make_table(connection, std::move(place), std::move(*config));
    if (const int code = declare(db, made->config); code != SQLITE_OK) return code;
    *table = made.release();
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) {
  return guarded([&] {
    delete &table_of(table);
    return SQLITE_OK;
  });
}

int destroy(sqlite3_vtab* base) {
  return guarded([&] {
    DatasetTable& table = table_of(base);
    const auto drop = [&]() -> Status {
      table.writer->release();
      if (table.is_native())
        PERSONALIZE_RETURN_IF_ERROR(
            drop_shadow_tables(*table.connection, table.schema, table.name, table.config.kind));
      PERSONALIZE_RETURN_IF_ERROR(remove_dataset(*table.connection, table.schema, table.name));
      table.connection->count_catalog_change();
      return Status::ok();
    };
    if (const int code = set_error(base, drop()); code != SQLITE_OK) return code;
    delete &table;
    return SQLITE_OK;
  });
}

int rename(sqlite3_vtab* base, const char* new_name) {
  return guarded_table(base, [&]() -> Status {
    DatasetTable& table = table_of(base);
    PERSONALIZE_RETURN_IF_ERROR(check_name(table.config.kind, new_name));
    table.writer->release();
    if (table.is_native()) {
      PERSONALIZE_RETURN_IF_ERROR(
          check_shadow_names(*table.connection, table.schema, new_name, table.config.kind));
      PERSONALIZE_RETURN_IF_ERROR(rename_shadow_tables(*table.connection, table.schema, table.name,
                                                       new_name, table.config.kind));
    }
    PERSONALIZE_RETURN_IF_ERROR(
        rename_dataset(*table.connection, table.schema, table.name, new_name));
    table.connection->count_catalog_change();
    return Status::ok();
  });
}

Status refuse_rowid(const DatasetTable& table) {
  return {StatusCode::kConstraint,
          fmt::format("InvalidInputException: the rowid of '{}' can't be chosen; leave it out",
                      table.name)};
}

// See https://www.sqlite.org/vtab.html#xupdate: argv[0] is the old rowid, argv[1] the new one, the
// rest the columns.
Status write(DatasetTable& table, int argc, sqlite3_value** argv, sqlite3_int64* rowid) {
  if (argc == 1) return table.writer->remove(sqlite3_value_int64(argv[0]));
  const std::span<sqlite3_value*> values(argv + 2, static_cast<size_t>(argc - 2));
  const int conflict = sqlite3_vtab_on_conflict(table.connection->db());
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL) {
    if (sqlite3_value_type(argv[1]) != SQLITE_NULL && table.is_native()) return refuse_rowid(table);
    PERSONALIZE_ASSIGN_OR_RETURN(*rowid, table.writer->insert(values, conflict));
    return Status::ok();
  }
  const int64_t old_rowid = sqlite3_value_int64(argv[0]);
  if (sqlite3_value_int64(argv[1]) != old_rowid) return refuse_rowid(table);
  return table.writer->update(old_rowid, values, conflict);
}

int update(sqlite3_vtab* base, int argc, sqlite3_value** argv, sqlite3_int64* rowid) {
  return guarded_table(base, [&]() -> Status {
    DatasetTable& table = table_of(base);
    if (table.writing)
      return {StatusCode::kInUse,
              fmt::format("ResourceInUseException: '{}' is written from inside its own INSERT, "
                          "UPDATE or DELETE: no trigger may be on its shadow tables",
                          table.name)};
    struct Guard {
      bool& flag;
      explicit Guard(bool& flag) : flag(flag) { flag = true; }
      ~Guard() { flag = false; }
    } guard(table.writing);
    sqlite3* const db = table.connection->db();
    const sqlite3_int64 last_insert = sqlite3_last_insert_rowid(db);
    const Status written = write(table, argc, argv, rowid);
    // What changing and deleting insert into our own tables is no row of the host's.
    const bool is_insert = argc > 1 && sqlite3_value_type(argv[0]) == SQLITE_NULL;
    if (!is_insert) sqlite3_set_last_insert_rowid(db, last_insert);
    return written;
  });
}

int begin(sqlite3_vtab* table) {
  return guarded([&] {
    table_of(table).writer->begin();
    return SQLITE_OK;
  });
}
int sync(sqlite3_vtab*) { return SQLITE_OK; }
int commit(sqlite3_vtab*) { return SQLITE_OK; }
int rollback(sqlite3_vtab* table) {
  table_of(table).connection->count_rollback();
  return SQLITE_OK;
}
int savepoint(sqlite3_vtab*, int) { return SQLITE_OK; }
int release(sqlite3_vtab*, int) { return SQLITE_OK; }
int rollback_to(sqlite3_vtab* table, int) {
  table_of(table).connection->count_rollback();
  return SQLITE_OK;
}

template <DatasetKind kKind>
int is_shadow_name(const char* suffix) {
  for (const std::string_view one : shadow_suffixes(kKind))
    if (sqlite3_strnicmp(suffix, one.data(), static_cast<int>(one.size())) == 0 &&
        suffix[one.size()] == '\0')
      return 1;
  return 0;
}

sqlite3_module make_module(int (*shadow_name)(const char*)) {
  sqlite3_module module = {};
  module.iVersion = 3;
  module.xCreate = connect<true>;
  module.xConnect = connect<false>;
  module.xDisconnect = disconnect;
  module.xDestroy = destroy;
  set_cursor_methods(module);
  module.xUpdate = update;
  module.xBegin = begin;
  module.xSync = sync;
  module.xCommit = commit;
  module.xRollback = rollback;
  module.xRename = rename;
  module.xSavepoint = savepoint;
  module.xRelease = release;
  module.xRollbackTo = rollback_to;
  module.xShadowName = shadow_name;
  return module;
}

}  // namespace

Status register_dataset_modules(const std::shared_ptr<Connection>& connection) {
  static const sqlite3_module interactions =
      make_module(is_shadow_name<DatasetKind::kInteractions>);
  static const sqlite3_module rows = make_module(is_shadow_name<DatasetKind::kUsers>);
  static const DatasetKind kinds[] = {DatasetKind::kInteractions, DatasetKind::kUsers,
                                      DatasetKind::kItems};
  for (const DatasetKind& kind : kinds) {
    const sqlite3_module& module = kind == DatasetKind::kInteractions ? interactions : rows;
    PERSONALIZE_RETURN_IF_ERROR(
        register_module(connection, module_name(kind).data(), &module, &kind));
  }
  return Status::ok();
}

}  // namespace personalize
