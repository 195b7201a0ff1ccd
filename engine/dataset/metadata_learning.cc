// MetadataEncoder::learn.
#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/dataset/metadata_columns.h"

namespace personalize {
namespace {

// A column that there could be.
struct Candidate {
  size_t rows = 0;  // that have it
  size_t field = 0;
  std::string text;  // or
  NumberBucket bucket;
  size_t place = 0;  // of the bucket among those of its field

  auto key() const { return std::tie(field, text, place); }
};

// The rows in which each text of one field occurs.
class TextCounter {
 public:
  void count(std::string_view text, size_t row) {
    const auto place = static_cast<size_t>(texts_.add(text));
    if (place == rows_.size()) {
      rows_.push_back(0);
      last_row_.push_back(row + 1);
    } else if (last_row_[place] == row) {
      return;
    }
    last_row_[place] = row;
    ++rows_[place];
  }
  void give(size_t field, size_t least_rows, std::vector<Candidate>& candidates) const {
    for (size_t i = 0; i < rows_.size(); ++i)
      if (rows_[i] >= least_rows)
        candidates.push_back(
            {rows_[i], field, std::string(texts_.id(static_cast<ItemIndex>(i))), {}, 0});
  }

 private:
  VocabularyBuilder texts_;
  std::vector<size_t> rows_, last_row_;  // one a text
};

void give_buckets(size_t field, const std::vector<double>& numbers,
                  std::vector<Candidate>& candidates) {
  const std::vector<NumberBucket> buckets = number_buckets(numbers);
  for (size_t i = 0; i < buckets.size(); ++i) {
    const auto rows = static_cast<size_t>(std::count_if(
        numbers.begin(), numbers.end(), [&](double x) { return buckets[i].holds(x); }));
    candidates.push_back({rows, field, {}, buckets[i], i});
  }
}

// All columns that the table could have.
std::vector<Candidate> candidates_of(const MetadataTable& table) {
  const std::span<const MetadataField> fields = table.fields();
  std::vector<TextCounter> texts(fields.size());
  std::vector<std::vector<double>> numbers(fields.size());
  std::vector<FieldValue> values;
  for (size_t row = 0; row < table.size(); ++row) {
    table.row(row, values);
    for (size_t f = 0; f < fields.size(); ++f) {
      if (fields[f].kind == FieldKind::kNumber) {
        if (values[f].type == FieldValue::Type::kNumber) numbers[f].push_back(values[f].number);
      } else {
        for_each_text(fields[f].kind, values[f],
                      [&](std::string_view text) { texts[f].count(text, row); });
      }
    }
  }
  std::vector<Candidate> candidates;
  for (size_t f = 0; f < fields.size(); ++f) {
    texts[f].give(f, fields[f].kind == FieldKind::kText ? 3 : 2, candidates);
    give_buckets(f, numbers[f], candidates);
  }
  return candidates;
}

}  // namespace

MetadataEncoder MetadataEncoder::learn(const MetadataTable& table) {
  std::vector<Candidate> candidates = candidates_of(table);
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.rows != b.rows ? a.rows > b.rows : a.key() < b.key();
  });
  if (candidates.size() > kMostColumns) candidates.resize(kMostColumns);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.key() < b.key(); });

  auto columns = std::make_shared<Columns>();
  columns->fields.assign(table.fields().begin(), table.fields().end());
  size_t next = 0;
  for (size_t f = 0; f < columns->fields.size(); ++f) {
    for (; next < candidates.size() && candidates[next].field == f; ++next)
      columns->add(candidates[next].text, candidates[next].bucket);
    columns->first.push_back(static_cast<uint32_t>(columns->size()));
  }
  MetadataEncoder encoder;
  encoder.columns_ = std::move(columns);
  return encoder;
}

}  // namespace personalize
