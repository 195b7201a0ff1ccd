#include "engine/recipes/hrnn/cold_items.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/math/dispatch.h"
#include "engine/math/finite.h"

namespace personalize::hrnn {
namespace {

float dot(const float* a, std::span<const float> b) {
  float product = 0;
  kernels().matrix_vector(1, b.size(), b.data(), a, nullptr, &product);
  return product;
}

std::vector<float> scaled(std::span<const float> values, float factor) {
  std::vector<float> result(values.begin(), values.end());
  for (float& value : result) value *= factor;
  return result;
}

}  // namespace

void ColdItems::predict(std::span<const ColumnIndex> columns, float* row) const {
  std::copy(mean.begin(), mean.end(), row);
  for (const ColumnIndex c : columns) kernels().add_scaled(size, 1, rows.data() + c * size, row);
}

void ColdItems::score(const float* y, const UnseenItems& unseen, std::span<float> scores) const {
  thread_local std::vector<float> of_column;
  of_column.resize(bias.size());
  kernels().matrix_vector(bias.size(), size, rows.data(), y, bias.data(), of_column.data());
  const float middle = dot(y, predicted) + numbers.predicted_bias;
  const float base = dot(y, mean) + numbers.mean_bias;
  for (size_t i = 0; i < unseen.size(); ++i) {
    float sum = base;
    for (const ColumnIndex c : unseen.of(i)) sum += of_column[c];
    scores[i] = middle + numbers.alpha * (sum - middle) + numbers.beta;
  }
}

void ColdItems::similar(const float* row, const UnseenItems& unseen,
                        std::span<float> scores) const {
  std::vector<float> other(size);
  const float length = std::sqrt(dot(row, {row, size}));
  for (size_t i = 0; i < unseen.size(); ++i) {
    predict(unseen.of(i), other.data());
    const float lengths = length * std::sqrt(dot(other.data(), other));
    scores[i] = lengths > 0 && !unseen.of(i).empty()
                    ? std::clamp(dot(row, other) / lengths, -1.0F, 1.0F)
                    : 0;
  }
}

Result<ColdItems> ColdItems::open(const BlobView& blob, size_t columns, size_t size) {
  ColdItems cold;
  if (columns == 0 || !blob.has("hrnn.cold")) return cold;
  PERSONALIZE_ASSIGN_OR_RETURN(const auto numbers, blob.section<ColdNumbers>("hrnn.cold", 1));
  cold.numbers = numbers[0];
  PERSONALIZE_ASSIGN_OR_RETURN(cold.mean, blob.section<float>("hrnn.cold_mean", size));
  PERSONALIZE_ASSIGN_OR_RETURN(cold.predicted, blob.section<float>("hrnn.cold_predicted", size));
  PERSONALIZE_ASSIGN_OR_RETURN(cold.rows, blob.section<float>("hrnn.cold_rows", columns * size));
  PERSONALIZE_ASSIGN_OR_RETURN(cold.bias, blob.section<float>("hrnn.cold_bias", columns));
  cold.size = size;
  const ColdNumbers& n = cold.numbers;
  const float scalars[] = {n.alpha, n.beta, n.noise, n.lambda, n.mean_bias, n.predicted_bias};
  for (const std::span<const float> values :
       {std::span<const float>(scalars), cold.mean, cold.predicted, cold.rows, cold.bias})
    if (!all_finite(values))
      return Status(StatusCode::kCorrupt, "what the model places unseen items by is not finite");
  return cold;
}

void write_cold_items(const ItemRidge& ridge, std::span<const float> predicted,
                      const ColdWeights& weights, float lambda, float a, BlobWriter& blob) {
  const ColdNumbers numbers{weights.alpha, weights.beta,        weights.noise,
                            lambda,        a * ridge.mean_bias, a * predicted[ridge.size]};
  blob.add("hrnn.cold", std::span<const ColdNumbers>(&numbers, 1));
  blob.add("hrnn.cold_mean", ridge.mean);
  blob.add("hrnn.cold_predicted", predicted.first(ridge.size));
  blob.add("hrnn.cold_rows", ridge.rows);
  blob.add("hrnn.cold_bias", scaled(ridge.bias, a));
}

}  // namespace personalize::hrnn
