#include "engine/serving/exploration.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/math/random.h"

namespace personalize {
namespace {

// The share of places that weight 1 gives to new items.
constexpr double kLargestShare = 0.3;
// So many impressions halve the variance of an item's noise.
constexpr double kImpressionScale = 10;

bool is_new(std::span<const NewItem> fresh, ItemIndex item) {
  const auto place =
      std::lower_bound(fresh.begin(), fresh.end(), item,
                       [](const NewItem& other, ItemIndex wanted) { return other.item < wanted; });
  return place != fresh.end() && place->item == item && place->impressions < kMostImpressions;
}

}  // namespace

uint64_t exploration_hash(std::string_view id) { return XXH3_64bits(id.data(), id.size()); }

void Explorer::explore(const ExplorationDraw& draw, std::span<const NewItem> fresh,
                       std::span<const float> scores, std::vector<ListedItem>& list) {
  const size_t places = list.size();
  Random random(mix64(draw.seed) ^ draw.user, draw.request);
  const auto quota = static_cast<size_t>(
      std::floor(static_cast<double>(places) * kLargestShare * draw.weight + random.uniform()));
  listed_.clear();
  for (const ListedItem& listed : list)
    if (is_new(fresh, listed.item)) listed_.push_back(listed.item);
  if (listed_.size() >= quota) return;
  std::sort(listed_.begin(), listed_.end());

  candidates_.clear();
  for (size_t i = 0; i < fresh.size(); i++) {
    const NewItem& item = fresh[i];
    if (!(item.impressions < kMostImpressions) ||
        std::binary_search(listed_.begin(), listed_.end(), item.item))
      continue;
    const float score = scores.empty() ? 0.0F : scores[i];
    if (!(score > -INFINITY)) continue;
    const double deviation = draw.noise / std::sqrt(1 + item.impressions / kImpressionScale);
    const double noise = deviation > 0 ? deviation * Random(random.key(), item.hash).normal() : 0.0;
    candidates_.push_back({static_cast<double>(score) + noise, item.item});
  }
  const size_t half = places / 2;
  const size_t taken = std::min({quota - listed_.size(), candidates_.size(), places - half});
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(taken),
                    candidates_.end(), [](const Candidate& a, const Candidate& b) {
                      return a.value > b.value || (a.value == b.value && a.item < b.item);
                    });

  // The places: the first `taken` of a shuffle of the lower half, then in order.
  places_.resize(places - half);
  std::iota(places_.begin(), places_.end(), half);
  for (size_t i = 0; i < taken; i++)
    std::swap(places_[i], places_[i + random.below(places_.size() - i)]);
  std::sort(places_.begin(), places_.begin() + static_cast<ptrdiff_t>(taken));

  // The last old items make room.
  size_t left_out = 0;
  for (size_t i = places; i-- > 0 && left_out < taken;) {
    if (std::binary_search(listed_.begin(), listed_.end(), list[i].item)) continue;
    list[i].item = kNoItem;
    left_out++;
  }
  mixed_.clear();
  size_t explored = 0, old = 0;
  while (mixed_.size() < places) {
    if (explored < taken && places_[explored] == mixed_.size()) {
      mixed_.push_back({candidates_[explored++].item, true});
      continue;
    }
    while (list[old].item == kNoItem) old++;
    mixed_.push_back(list[old++]);
  }
  list.swap(mixed_);
}

}  // namespace personalize
