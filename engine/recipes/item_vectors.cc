#include "engine/recipes/item_vectors.h"

#include <algorithm>
#include <array>

#include "engine/math/aligned_floats.h"
#include "engine/math/dispatch.h"

namespace personalize {
namespace {

// So many listed items' vectors are laid side by side at a time.
constexpr size_t kGathered = 16;

// The scores of items first .. first + scores.size() - 1.
void score_block(const VectorQuestion& question, size_t first, std::span<float> scores) {
  const Kernels& k = kernels();
  const ItemVectors& items = question.vectors();
  k.matrix_vector(scores.size(), items.width, items.vectors.data() + first * items.width,
                  question.y().data(), items.bias.data() + first, scores.data());
  if (!question.row().empty())
    k.add_scaled(scores.size(), question.weight(), question.row().data() + first, scores.data());
  k.add_scaled(scores.size(), 1, question.terms().data() + first, scores.data());
}

}  // namespace

void VectorQuestion::begin(const ItemVectors& vectors) {
  for (const Term& added : added_) terms_[static_cast<size_t>(added.item)] = 0;
  added_.clear();
  vectors_ = &vectors;
  y_.assign(vectors.width, 0.0F);
  if (terms_.size() < vectors.items) terms_.resize(vectors.items);
  set_row(0, {});
}

void search(const VectorQuestion& question, const uint64_t* allowed, TopK* best, LogSum* sum) {
  alignas(64) std::array<float, kScoreBlock> room;
  const size_t items = question.vectors().items;
  for (size_t first = 0; first < items; first += kScoreBlock) {
    const std::span<float> scores = std::span(room).first(std::min(kScoreBlock, items - first));
    score_block(question, first, scores);
    if (best != nullptr) best->add(scores, first, allowed);
    if (sum != nullptr) sum->add(scores);
  }
}

void score_all(const VectorQuestion& question, std::span<float> scores) {
  for (size_t first = 0; first < scores.size(); first += kScoreBlock)
    score_block(question, first,
                scores.subspan(first, std::min(kScoreBlock, scores.size() - first)));
}

void score_listed(const VectorQuestion& question, std::span<const ItemIndex> items,
                  std::span<float> scores) {
  const Kernels& k = kernels();
  const ItemVectors& all = question.vectors();
  thread_local AlignedFloats vectors;
  if (vectors.size() < kGathered * all.width) vectors = AlignedFloats(kGathered * all.width);
  alignas(64) std::array<float, kGathered> bias, row, terms;
  for (size_t first = 0; first < items.size(); first += kGathered) {
    const size_t count = std::min(kGathered, items.size() - first);
    for (size_t i = 0; i < count; ++i) {
      const auto item = static_cast<size_t>(items[first + i]);
      std::copy_n(all.vectors.data() + item * all.width, all.width, vectors.data() + i * all.width);
      bias[i] = all.bias[item];
      row[i] = question.row().empty() ? 0 : question.row()[item];
      terms[i] = question.terms()[item];
    }
    float* out = scores.data() + first;
    k.matrix_vector(count, all.width, vectors.data(), question.y().data(), bias.data(), out);
    if (!question.row().empty()) k.add_scaled(count, question.weight(), row.data(), out);
    k.add_scaled(count, 1, terms.data(), out);
  }
}

}  // namespace personalize
