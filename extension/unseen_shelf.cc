#include "extension/unseen_shelf.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "extension/boundary.h"
#include "extension/dataset_lookup.h"
#include "extension/metadata_reader.h"

namespace personalize {
namespace {

// More than an application has models in use.
constexpr size_t kMostEntries = 8;
// A business table of so many rows is read again whenever the database has changed.
constexpr size_t kFewRows = 1'000;
// The share of time that goes into re-reading larger ones is at most one in so many.
constexpr int kTimeShare = 20;

// Counts the rows it hands on.
class CountingSink : public MetadataSink {
 public:
  explicit CountingSink(UnseenTable& table) : table_(table) {}
  Status row(std::string_view id, std::span<const FieldValue> values) override {
    rows++;
    return table_.row(id, values);
  }
  size_t rows = 0;

 private:
  UnseenTable& table_;
};

}  // namespace

Status UnseenShelf::open(Connection& connection, const Responder& responder, Entry& entry) {
  entry = Entry();
  const std::string& group = responder.model->record.dataset_group;
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::optional<Dataset> dataset,
      find_dataset_of_group(connection, responder.schema, group, DatasetKind::kItems));
  if (dataset) {
    PERSONALIZE_ASSIGN_OR_RETURN(entry.source, open_metadata_source(connection, responder.schema,
                                                                    group, DatasetKind::kItems));
    PERSONALIZE_ASSIGN_OR_RETURN(entry.watch, DatasetWatch::make(connection, *dataset));
  }
  entry.opened = true;
  return Status::ok();
}

Status UnseenShelf::read_all(const Responder& responder, Entry& entry) {
  const auto began = std::chrono::steady_clock::now();
  auto table = std::make_shared<UnseenTable>(responder.model, entry.source->fields());
  CountingSink sink(*table);
  PERSONALIZE_RETURN_IF_ERROR(entry.source->scan(sink));
  entry.rows = sink.rows;
  entry.stale = false;
  entry.table = std::move(table);
  entry.read_at = std::chrono::steady_clock::now();
  entry.read_took = entry.read_at - began;
  return Status::ok();
}

Status UnseenShelf::read_tail(Connection& connection, Entry& entry) {
  // Histories may still speak of the table as it was.
  auto table = std::make_shared<UnseenTable>(*entry.table);
  PERSONALIZE_ASSIGN_OR_RETURN(Statement statement, connection.cached(entry.watch.tail_query()));
  statement.bind(1, entry.position.last_row.value_or(std::numeric_limits<int64_t>::min()));
  std::vector<FieldValue> values;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) break;
    const Result<std::string> id = id_of(sqlite3_column_value(statement.get(), 0), "");
    if (!id.is_ok()) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(const bool found, entry.source->row(*id, values));
    if (found) PERSONALIZE_RETURN_IF_ERROR(table->row(*id, values));
  }
  if (table->size() > entry.table->size()) entry.table = std::move(table);
  return Status::ok();
}

Result<std::shared_ptr<const UnseenTable>> UnseenShelf::get(Connection& connection,
                                                            const Responder& responder) {
  if (!places_unseen_items(*responder.model->model)) return std::shared_ptr<const UnseenTable>();
  const auto key = std::pair(responder.schema, responder.model.get());
  if (entries_.size() >= kMostEntries && !entries_.contains(key)) entries_.clear();
  Entry& entry = entries_[key];
  PERSONALIZE_ASSIGN_OR_RETURN(const DatasetStamp now,
                               DatasetStamp::of(connection, responder.schema));
  // ROLLBACK TO takes rows of a business table back without a word to us.
  const bool certain = !entry.watch.is_content() || !now.writing;
  const bool changed = now != entry.stamp;
  if (entry.opened && certain && !entry.stale && !changed) return entry.table;

  const bool same_schema = entry.opened && now.same_declarations(entry.stamp);
  if (!same_schema) PERSONALIZE_RETURN_IF_ERROR(open(connection, responder, entry));
  if (entry.source == nullptr) {
    entry.stamp = now;
    return entry.table;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const DatasetPosition position, entry.watch.position(connection));
  const bool taken_back = now.rollbacks != entry.stamp.rollbacks ||
                          position.changes != entry.position.changes ||
                          position.last_row < entry.position.last_row;
  bool all = entry.table == nullptr || taken_back;
  if (!all && entry.watch.is_content()) {
    const auto since = std::chrono::steady_clock::now() - entry.read_at;
    all = (changed && entry.rows <= kFewRows) || since >= kTimeShare * entry.read_took;
    entry.stale = !all;
  }
  // A question that fails here must leave nothing that the next one would trust.
  const Status read = all                                           ? read_all(responder, entry)
                      : position.last_row > entry.position.last_row ? read_tail(connection, entry)
                                                                    : Status::ok();
  if (!read.is_ok()) {
    entry = Entry();
    return read;
  }
  entry.stamp = now;
  entry.position = position;
  return entry.table;
}

}  // namespace personalize
