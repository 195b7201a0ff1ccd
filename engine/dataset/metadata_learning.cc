// MetadataEncoder::learn.
#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/dataset/metadata_columns.h"

namespace personalize {
namespace {

// A column that there could be.
struct Candidate {
  uint64_t times = 0;  // in how many rows
  size_t field = 0;
  std::string text;  // or
  NumberBucket bucket;
  size_t place = 0;  // of the bucket among those of its field

  auto key() const { return std::tie(field, text, place); }
};

// How often each text of one field occurs, once a row.
class TextCounter {
 public:
  void count(std::string_view text, size_t row, uint64_t times) {
    const auto place = static_cast<size_t>(texts_.add(text));
    if (place == counts_.size()) counts_.push_back({0, row + 1});
    if (counts_[place].last_row == row) return;
    counts_[place].last_row = row;
    counts_[place].times += times;
  }
  void give(size_t field, uint64_t least, std::vector<Candidate>& candidates) const {
    for (size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i].times >= least)
        candidates.push_back(
            {counts_[i].times, field, std::string(texts_.id(static_cast<ItemIndex>(i))), {}, 0});
  }

 private:
  struct Count {
    uint64_t times;
    size_t last_row;
  };
  VocabularyBuilder texts_;
  std::vector<Count> counts_;  // one a text
};

void give_buckets(size_t field, const std::vector<CountedNumber>& numbers,
                  std::vector<Candidate>& candidates) {
  const std::vector<NumberBucket> buckets = number_buckets(numbers);
  for (size_t i = 0; i < buckets.size(); ++i) {
    uint64_t times = 0;
    for (const CountedNumber& one : numbers) times += buckets[i].holds(one.number) ? one.times : 0;
    candidates.push_back({times, field, {}, buckets[i], i});
  }
}

uint64_t times_of(const MetadataTable&, size_t) { return 1; }
uint64_t times_of(const Contexts& contexts, size_t row) { return contexts.times(row); }

// All columns that the rows could have.
template <typename Rows>
std::vector<Candidate> candidates_of(const Rows& rows) {
  const std::span<const MetadataField> fields = rows.fields();
  std::vector<TextCounter> texts(fields.size());
  std::vector<std::vector<CountedNumber>> numbers(fields.size());
  std::vector<FieldValue> values;
  for (size_t row = 0; row < rows.size(); ++row) {
    rows.row(row, values);
    const uint64_t times = times_of(rows, row);
    for (size_t f = 0; f < fields.size(); ++f) {
      if (fields[f].kind != FieldKind::kNumber) {
        for_each_text(fields[f].kind, values[f],
                      [&](std::string_view text) { texts[f].count(text, row, times); });
      } else if (values[f].type == FieldValue::Type::kNumber) {
        numbers[f].push_back({values[f].number, times});
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

// The candidates that most rows have, by field.
std::vector<Candidate> chosen(std::vector<Candidate> candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.times != b.times ? a.times > b.times : a.key() < b.key();
  });
  if (candidates.size() > kMostColumns) candidates.resize(kMostColumns);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.key() < b.key(); });
  return candidates;
}

}  // namespace

template <typename Rows>
MetadataEncoder MetadataEncoder::learn_rows(const Rows& rows) {
  const std::vector<Candidate> candidates = chosen(candidates_of(rows));
  auto columns = std::make_shared<Columns>();
  columns->fields.assign(rows.fields().begin(), rows.fields().end());
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

MetadataEncoder MetadataEncoder::learn(const MetadataTable& table) { return learn_rows(table); }
MetadataEncoder MetadataEncoder::learn(const Contexts& contexts) { return learn_rows(contexts); }

}  // namespace personalize
