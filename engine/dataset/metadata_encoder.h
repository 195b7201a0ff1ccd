// Turns metadata into 0/1 columns: which values a model knows, and which of them a row has. What
// made a column and how much of it is kept follows what was measured to place new items best: see
// doc/recipes.md.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/contexts.h"
#include "engine/dataset/metadata.h"
#include "engine/dataset/vocabulary.h"
#include "engine/status.h"
#include "engine/store/blob.h"

namespace personalize {

// At most so many columns, those that most rows have.
inline constexpr size_t kMostColumns = 4'096;

// Where each field of an encoder stands among the fields of a dataset as it is now: place, or -1 if
// the dataset has lost it (its values are then missing).
struct FieldPlaces {
  std::vector<int> places;
};

// Immutable; cheap to copy; safe from any number of threads. Values it does not know, fields that a
// dataset has lost and missing values have no columns.
class MetadataEncoder {
 public:
  MetadataEncoder() = default;  // no columns

  // Learns the columns of a table:
  //   categorical  each value of "a|b|c", as it is written, if 2 or more rows have it
  //   boolean      "true", "false", if 2 or more rows have it
  //   text         each word of 2 and more letters or digits, in lower case, if 3 or more rows have
  //                it
  //   number       16 quantiles and 4 coarser ones (number_buckets.h); they cover all numbers
  // Of more than kMostColumns those that most rows have are kept. Deterministic.
  static MetadataEncoder learn(const MetadataTable& table);
  // The same, where each context is as many rows as it was added times.
  static MetadataEncoder learn(const Contexts& contexts);

  size_t size() const;  // number of columns
  std::span<const MetadataField> fields() const;
  // Fields are found by name; one whose kind has changed counts as lost.
  FieldPlaces places_in(std::span<const MetadataField> fields) const;
  // Appends the columns of a row, ascending, each once, each plus `first`.
  void encode(const FieldPlaces& places, std::span<const FieldValue> values, ColumnIndex first,
              std::vector<ColumnIndex>& columns) const;
  // A column in words: "GENRES Comedy", "YEAR 1990 to under 1995". For explanations. Empty if there
  // is no such column.
  std::string name(ColumnIndex column) const;

  // Sections "<prefix>.fields", ... 1 to 30 bytes of prefix.
  void write(std::string_view prefix, BlobWriter& blob) const;
  // Copies what it needs. A blob without such sections gives an encoder without columns. Errors:
  // kCorrupt.
  static Result<MetadataEncoder> open(std::string_view prefix, const BlobView& blob);

 private:
  struct Columns;
  template <typename Rows>
  static MetadataEncoder learn_rows(const Rows& rows);
  std::shared_ptr<const Columns> columns_;  // null: none
};

}  // namespace personalize
