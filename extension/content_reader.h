// The EventSource over a business table (content=).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/dataset/sources.h"
#include "extension/business_table.h"
#include "extension/connection.h"
#include "extension/context_columns.h"
#include "extension/dataset_config.h"
#include "extension/text_numbers.h"

namespace personalize {

// Rows of the business table without a user, an item or a timestamp (NULL, or what is no id) are no
// events: an order of a guest, a cart that was never sent. Codes are numbers in order of first
// sight and never change their text.
class ContentReader : public EventSource {
 public:
  ContentReader(Connection& connection, std::string_view schema, DatasetConfig config,
                BusinessTable business);

  Status scan(EventSink& sink) override;
  Result<std::optional<SourceBounds>> bounds() override;
  Status of_user(std::string_view user_id, std::vector<Event>& events) override;
  Result<std::string_view> item_id(ItemCode code) override { return items_.text(code); }
  Result<std::string_view> event_type(EventTypeCode code) override { return types_.text(code); }
  uint64_t dictionary_generation() const override { return 0; }
  std::span<const MetadataField> context_fields() const override { return context_.fields(); }
  void read_context(bool wanted) override;
  Result<std::string_view> context_text(size_t field, double number) override {
    return context_.text(field, number);
  }

  // User ids in the order of scan: up to `limit` that follow `after`, which is empty at the start.
  Status list_users(std::string_view after, size_t limit, std::vector<std::string>& users);

 private:
  // An event and its row's number, which tells the order of arrival.
  struct Row {
    Event event;
    int64_t arrival = 0;
  };

  // The id of a row's user, or the code of its item; nothing where it is none.
  bool read_user(sqlite3_value* value, std::string& user);
  std::optional<ItemCode> read_item(sqlite3_value* value);
  // The user and the event of a row of columns_. False: it is none. Its context is for the caller
  // to read.
  Result<bool> read_row(std::span<sqlite3_value*> values, std::string& user, Row& row);
  void sort_into(std::vector<Row>& rows, std::vector<Event>& events) const;

  class UserRows;

  Connection& connection_;
  const DatasetConfig config_;
  const BusinessTable business_;
  std::string from_;         // "main"."orders"
  std::string columns_;      // what is read of a row
  std::string user_query_;   // one user's rows
  std::string user_column_;  // of the business table
  std::string user_order_;   // an expression that brings a user's rows together
  std::string timestamp_column_;
  ContextColumns context_;
  TextNumbers items_;
  TextNumbers types_;
  // What has been turned into text already: the last user, and items, that are stored as integers.
  std::optional<int64_t> user_number_;
  std::string user_text_;
  std::unordered_map<int64_t, ItemCode> numbered_items_;
};

}  // namespace personalize
