// A model that reads metadata, whose every number can be computed by hand.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/dataset/metadata_encoder.h"
#include "tests/engine/serving/fakes.h"
#include "tests/engine/testing/vector_metadata.h"

namespace personalize::fakes {

inline std::vector<MetadataField> item_fields() {
  return {{"GENRE", FieldKind::kCategorical}, {"CREATION_TIMESTAMP", FieldKind::kNumber}};
}
inline std::vector<MetadataField> user_fields() { return {{"CITY", FieldKind::kCategorical}}; }
inline std::vector<MetadataField> context_fields() {
  return {{"DEVICE", FieldKind::kCategorical}, {"HOUR", FieldKind::kNumber}};
}

// Learns an encoder from rows that are each there three times: every value has its column.
inline MetadataEncoder encoder_of(const std::vector<MetadataField>& fields,
                                  const std::vector<std::vector<FieldValue>>& rows) {
  MetadataTable table(fields);
  for (size_t i = 0; i < 3 * rows.size(); i++)
    table.add("row" + std::to_string(i), rows[i % rows.size()]);
  return MetadataEncoder::learn(table);
}

// Knows the genres comedy and drama, the cities Bern and Oslo, the devices phone and tv. The score
// of an item is that of DecayModel plus a tenth of the sum of the question's columns; of an unseen
// item, the sum of its columns' numbers plus one, and the number of times it is in the history.
class MetadataModel : public DecayModel {
 public:
  explicit MetadataModel(size_t items) : DecayModel(items) {
    metadata_.items = encoder_of({{"GENRE", FieldKind::kCategorical}},
                                 {{FieldValue::of("comedy")}, {FieldValue::of("drama")}});
    metadata_.context = encoder_of({{"DEVICE", FieldKind::kCategorical}},
                                   {{FieldValue::of("phone")}, {FieldValue::of("tv")}});
    metadata_.users =
        encoder_of(user_fields(), {{FieldValue::of("Bern")}, {FieldValue::of("Oslo")}});
  }
  ItemAges ages;

  const ModelMetadata* metadata() const override { return &metadata_; }
  const ItemAges* item_ages() const override { return &ages; }
  float exploration_noise() const override { return 1; }
  void step(std::span<const ModelEvent> history, size_t index,
            std::span<float> state) const override {
    DecayModel::step(history, index, state);
    for (const ColumnIndex column : history[index].columns)
      state[0] += 0.01F * static_cast<float>(column + 1);
    for (const ColumnIndex column : history[index].item_columns)
      state[0] += 0.02F * static_cast<float>(column + 1);
  }
  void score(const Question& question, std::span<float> scores) const override {
    DecayModel::score(question, scores);
    for (const ColumnIndex column : question.columns)
      for (float& score : scores) score += 0.1F * static_cast<float>(column);
  }
  void score_unseen(const Question& question, const UnseenItems& unseen,
                    std::span<float> scores) const override {
    for (size_t i = 0; i < unseen.size(); i++) {
      scores[i] = 0;
      for (const ColumnIndex column : unseen.of(i)) scores[i] += static_cast<float>(column + 1);
      for (const ModelEvent& event : question.history)
        if (event.item == static_cast<ItemIndex>(item_count() + i)) scores[i] += 1;
    }
  }
  bool similar_to_unseen(std::span<const ColumnIndex> columns,
                         std::span<float> scores) const override {
    for (size_t i = 0; i < scores.size(); i++)
      scores[i] = static_cast<float>(columns.size()) / static_cast<float>(i + 2);
    return !columns.empty();
  }
  void similar_unseen(ItemIndex item, std::span<const ColumnIndex> columns,
                      const UnseenItems& unseen, std::span<float> scores) const override {
    for (size_t i = 0; i < unseen.size(); i++)
      scores[i] = unseen.of(i).size() == columns.size() ? 0.9F : 0.1F * static_cast<float>(item);
  }

 private:
  ModelMetadata metadata_;
};

// A model with the items "item0", ..., that reads metadata.
struct LoadedWithMetadata : Loaded {
  explicit LoadedWithMetadata(size_t items) : Loaded(items) {
    model->model = std::make_unique<MetadataModel>(items);
  }
  MetadataModel& reader() const {
    return const_cast<MetadataModel&>(static_cast<const MetadataModel&>(*model->model));
  }
};

}  // namespace personalize::fakes
