#include "extension/dataset_write.h"

#include <fmt/format.h>

#include "extension/business_table.h"
#include "extension/event_writer.h"
#include "extension/row_writer.h"

namespace personalize {
namespace {

// content=: the business table belongs to its application, with its own columns and triggers.
class ContentWriter : public DatasetWriter {
 public:
  ContentWriter(std::string_view table, const DatasetConfig& config)
      : table_(table), config_(config) {}

  Result<int64_t> insert(std::span<sqlite3_value*>, int) override { return refuse("INSERT INTO"); }
  Status update(int64_t, std::span<sqlite3_value*>, int) override { return refuse("UPDATE"); }
  Status remove(int64_t) override { return refuse("DELETE FROM"); }
  void begin() override {}
  void release() override {}

 private:
  Status refuse(std::string_view verb) const {
    return {StatusCode::kReadOnly,
            fmt::format("InvalidInputException: '{}' reads the table '{}' in place (content=) and "
                        "can't be written; {} {} instead",
                        table_, config_.content, verb, readable_name(config_.content))};
  }
  const std::string table_;
  const DatasetConfig& config_;
};

}  // namespace

std::unique_ptr<DatasetWriter> make_dataset_writer(Connection& connection, std::string_view schema,
                                                   std::string_view table,
                                                   const DatasetConfig& config) {
  if (!config.content.empty()) return std::make_unique<ContentWriter>(table, config);
  if (config.kind == DatasetKind::kInteractions)
    return std::make_unique<EventWriter>(connection, schema, table, config);
  return std::make_unique<RowWriter>(connection, schema, table, config);
}

}  // namespace personalize
