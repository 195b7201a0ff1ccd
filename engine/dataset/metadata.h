// What is known of items, users and interactions besides who did what: the fields of the items and
// users datasets, and the contextual columns of interactions (device, ...). The extension
// implements MetadataSource over its tables; tests implement it over vectors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/vocabulary.h"
#include "engine/status.h"

namespace personalize {

// A value of a field as 0/1 column of a model, numbered by a MetadataEncoder.
using ColumnIndex = uint32_t;

enum class FieldKind {
  kCategorical,  // a text of one or several values joined by '|'
  kText,         // words
  kNumber,       // also times
  kBoolean,      // 0 or 1
};

struct MetadataField {
  std::string name;  // upper case, as in the dataset's declaration
  FieldKind kind = FieldKind::kCategorical;
  bool operator==(const MetadataField&) const = default;
};

// One value of a row.
struct FieldValue {
  enum class Type : uint8_t { kMissing, kNumber, kText };
  Type type = Type::kMissing;
  double number = 0;      // finite
  std::string_view text;  // a view: the text lives where it came from

  static FieldValue missing() { return {}; }
  static FieldValue of(double number) { return {Type::kNumber, number, {}}; }
  static FieldValue of(std::string_view text) { return {Type::kText, 0, text}; }
};

// Receives a scan.
class MetadataSink {
 public:
  virtual ~MetadataSink() = default;
  // One row: `values` stand in the order of MetadataSource::fields(). Views live until the call
  // returns. A Status that is not OK ends the scan.
  virtual Status row(std::string_view id, std::span<const FieldValue> values) = 0;
};

// The rows of a users or items dataset. Used from one thread, that of the connection.
class MetadataSource {
 public:
  virtual ~MetadataSource() = default;
  // Without the id, and without text that is neither categorical nor textual.
  virtual std::span<const MetadataField> fields() const = 0;
  // Gives every row to `sink`, in the order of the table.
  virtual Status scan(MetadataSink& sink) = 0;
  // The values of the row with this id, or nothing: false. Views live until the next call.
  virtual Result<bool> row(std::string_view id, std::vector<FieldValue>& values) = 0;
};

// The rows of a dataset in memory, for training.
class MetadataTable {
 public:
  MetadataTable() = default;
  explicit MetadataTable(std::span<const MetadataField> fields)
      : fields_(fields.begin(), fields.end()) {}

  std::span<const MetadataField> fields() const { return fields_; }
  size_t size() const { return ids_.size(); }
  std::string_view id(size_t row) const { return ids_.id(static_cast<ItemIndex>(row)); }
  // The row of `id`, or kNoItem.
  ItemIndex find(std::string_view id) const { return ids_.find(id); }
  // A row, if its id is not there yet. `values`: one a field.
  void add(std::string_view id, std::span<const FieldValue> values);
  // Replaces `values` by those of a row; views into the table.
  void row(size_t row, std::vector<FieldValue>& values) const;

 private:
  struct Stored {
    FieldValue::Type type = FieldValue::Type::kMissing;
    uint32_t size = 0;        // of the text
    double number = 0;        // or
    uint64_t text_begin = 0;  // in text_
  };
  std::vector<MetadataField> fields_;
  VocabularyBuilder ids_;
  std::vector<Stored> values_;  // rows x fields
  std::string text_;
};

// Copies a source. Errors: those of its scan.
Result<MetadataTable> read_metadata(MetadataSource& source);

// What a recipe may learn from besides the sequences. Tables without fields: there are none.
struct Metadata {
  MetadataTable items;
  MetadataTable users;
};

}  // namespace personalize
