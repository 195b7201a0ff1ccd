#include "engine/recipes/similar_model.h"

#include <algorithm>
#include <cmath>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"

namespace personalize::similar {
namespace {

constexpr std::string_view kEncoder = "similar.items";
constexpr uint64_t kLargestSize = 4'096;

// Section "similar.header".
struct Header {
  uint64_t items, learned, described, columns;
  double described_scale;  // length of the second part of an item's vector
};

// Both parts of an item's vector, side by side, times the roots of their weights: the product of
// two items' vectors, and the second one's bias, are their similarity.
class SimilarModel final : public Model {
 public:
  static Result<std::unique_ptr<Model>> open(const BlobView& blob) {
    auto model = std::make_unique<SimilarModel>();
    PERSONALIZE_ASSIGN_OR_RETURN(const auto headers, blob.section<Header>("similar.header", 1));
    const Header& header = headers[0];
    if (header.learned > kLargestSize || header.described > kLargestSize ||
        header.columns > kMostColumns || !std::isfinite(header.described_scale))
      return Status(StatusCode::kCorrupt, "the model's sizes are damaged");
    model->header_ = header;
    const size_t items = header.items;
    const size_t size = header.learned + header.described;
    PERSONALIZE_ASSIGN_OR_RETURN(model->users_, blob.section<float>("similar.users", items));
    PERSONALIZE_ASSIGN_OR_RETURN(model->bias_, blob.section<float>("similar.bias", items));
    PERSONALIZE_ASSIGN_OR_RETURN(model->vectors_,
                                 blob.section<float>("similar.vectors", items * size));
    PERSONALIZE_ASSIGN_OR_RETURN(model->mean_, blob.section<float>("similar.mean", header.learned));
    PERSONALIZE_ASSIGN_OR_RETURN(
        model->predicting_,
        blob.section<float>("similar.predicting", header.columns * header.learned));
    PERSONALIZE_ASSIGN_OR_RETURN(
        model->projecting_,
        blob.section<float>("similar.projecting", header.columns * header.described));
    PERSONALIZE_ASSIGN_OR_RETURN(model->metadata_.items, MetadataEncoder::open(kEncoder, blob));
    if (model->metadata_.items.size() != header.columns)
      return Status(StatusCode::kCorrupt, "the model's metadata does not fit its columns");
    for (const std::span<const float> numbers :
         {model->users_, model->bias_, model->vectors_, model->mean_, model->predicting_,
          model->projecting_})
      if (!all_finite(numbers))
        return Status(StatusCode::kCorrupt, "the model holds numbers that are not finite");
    return std::unique_ptr<Model>(std::move(model));
  }

  size_t item_count() const override { return header_.items; }
  ScoreKind score_kind() const override { return ScoreKind::kSimilarity; }
  const ModelMetadata* metadata() const override {
    return header_.columns > 0 ? &metadata_ : nullptr;
  }

  // The sum of the similarities to each item the user had.
  void score(const Question& question, std::span<float> scores) const override {
    std::vector<float> wanted;
    const size_t items = sum_of_history(question, wanted);
    compare(wanted, scores);
    for (size_t j = 0; j < scores.size(); ++j) scores[j] += (items - 1.0F) * bias_[j];
  }
  void score_unseen(const Question& question, const UnseenItems& unseen,
                    std::span<float> scores) const override {
    std::vector<float> wanted;
    sum_of_history(question, wanted);
    compare_unseen(wanted, unseen, scores);
  }

  bool similar(ItemIndex item, std::span<float> scores) const override {
    if (item < 0 || static_cast<size_t>(item) >= item_count() || !known(row(item)))
      return popular_ones(scores);
    compare(row(item), scores);
    return true;
  }
  bool similar_to_unseen(std::span<const ColumnIndex> columns,
                         std::span<float> scores) const override {
    if (columns.empty()) return popular_ones(scores);
    std::vector<float> wanted(size());
    place(columns, wanted);
    compare(wanted, scores);
    return true;
  }
  void similar_unseen(ItemIndex item, std::span<const ColumnIndex> columns,
                      const UnseenItems& unseen, std::span<float> scores) const override {
    if (item != kNoItem) return compare_unseen(row(item), unseen, scores);
    std::vector<float> wanted(size());
    place(columns, wanted);
    compare_unseen(wanted, unseen, scores);
  }

 private:
  size_t size() const { return header_.learned + header_.described; }
  std::span<const float> row(ItemIndex item) const {
    return vectors_.subspan(static_cast<size_t>(item) * size(), size());
  }
  static bool known(std::span<const float> vector) {
    return std::any_of(vector.begin(), vector.end(), [](float x) { return x != 0; });
  }
  bool popular_ones(std::span<float> scores) const {
    const float most = *std::max_element(users_.begin(), users_.end());
    for (size_t j = 0; j < scores.size(); ++j) scores[j] = most > 0 ? users_[j] / most : 0;
    return false;
  }

  // Writes the vector of an item of which only the columns are known.
  void place(std::span<const ColumnIndex> columns, std::span<float> vector) const {
    const Kernels& k = kernels();
    std::copy(mean_.begin(), mean_.end(), vector.begin());
    for (const ColumnIndex c : columns)
      k.add_scaled(header_.learned, 1, predicting_.data() + c * header_.learned, vector.data());
    float* described = vector.data() + header_.learned;
    project_metadata(projecting_, header_.described, columns, described);
    for (size_t n = 0; n < header_.described; ++n)
      described[n] *= static_cast<float>(header_.described_scale);
  }

  void compare(std::span<const float> wanted, std::span<float> scores) const {
    kernels().matrix_vector(item_count(), size(), vectors_.data(), wanted.data(), bias_.data(),
                            scores.data());
  }
  void compare_unseen(std::span<const float> wanted, const UnseenItems& unseen,
                      std::span<float> scores) const {
    std::vector<float> vector(size());
    for (size_t i = 0; i < unseen.size(); ++i) {
      if (unseen.of(i).empty()) {
        scores[i] = -1;  // nothing is known of it
        continue;
      }
      place(unseen.of(i), vector);
      double product = 0;
      for (size_t n = 0; n < vector.size(); ++n)
        product += static_cast<double>(vector[n]) * wanted[n];
      scores[i] = static_cast<float>(product);
    }
  }

  // The sum of the vectors of the distinct items of a history, and how many they are.
  size_t sum_of_history(const Question& question, std::vector<float>& sum) const {
    sum.assign(size(), 0);
    std::vector<const ModelEvent*> events;
    for (const ModelEvent& event : question.history) events.push_back(&event);
    const auto item = [](const ModelEvent* event) { return event->item; };
    std::ranges::sort(events, {}, item);
    events.erase(std::ranges::unique(events, {}, item).begin(), events.end());
    std::vector<float> vector(size());
    for (const ModelEvent* event : events) {
      if (static_cast<size_t>(event->item) < item_count()) {
        kernels().add_scaled(size(), 1, row(event->item).data(), sum.data());
      } else if (!event->item_columns.empty()) {
        place(event->item_columns, vector);
        kernels().add_scaled(size(), 1, vector.data(), sum.data());
      }
    }
    return events.size();
  }

  Header header_{};
  ModelMetadata metadata_;
  std::span<const float> users_;       // how many had the item
  std::span<const float> bias_;        // what its popularity adds
  std::span<const float> vectors_;     // items x size
  std::span<const float> mean_;        // of the learned part
  std::span<const float> predicting_;  // columns x learned
  std::span<const float> projecting_;  // columns x described
};

}  // namespace

void write_model(const ItemVectors& vectors, const MixWeights& weights,
                 const MetadataEncoder& encoder, std::span<const float> users, BlobWriter& blob) {
  const size_t items = vectors.popularity.size();
  const size_t learned = vectors.learned_size;
  const size_t described = vectors.projection.size;
  const float all = 1 + weights.popularity;
  const float learned_scale = std::sqrt((1 - weights.metadata) / all);
  const float described_scale = std::sqrt(weights.metadata / all);
  const Header header{items, learned, described, encoder.size(), described_scale};
  std::vector<float> rows;
  rows.reserve(items * (learned + described));
  for (size_t i = 0; i < items; ++i) {
    for (size_t n = 0; n < learned; ++n)
      rows.push_back(learned_scale * vectors.learned[i * learned + n]);
    for (size_t n = 0; n < described; ++n)
      rows.push_back(described_scale * vectors.described[i * described + n]);
  }
  const auto scaled = [](std::span<const float> values, float scale) {
    std::vector<float> result(values.begin(), values.end());
    for (float& value : result) value *= scale;
    return result;
  };
  std::vector<float> mean = scaled(vectors.ridge.mean, learned_scale);
  std::vector<float> predicting = scaled(vectors.ridge.rows, learned_scale);
  mean.resize(learned);
  predicting.resize(encoder.size() * learned);
  blob.add("similar.header", std::span<const Header>(&header, 1));
  blob.add("similar.users", users);
  blob.add("similar.bias", scaled(vectors.popularity, weights.popularity / all));
  blob.add("similar.vectors", rows);
  blob.add("similar.mean", mean);
  blob.add("similar.predicting", predicting);
  blob.add("similar.projecting", vectors.projection.rows);
  encoder.write(kEncoder, blob);
}

Result<std::unique_ptr<Model>> open_model(const BlobView& blob) { return SimilarModel::open(blob); }

}  // namespace personalize::similar
