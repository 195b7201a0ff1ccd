#include "engine/recipes/hrnn/defaults.h"

namespace personalize::hrnn {
namespace {
constexpr size_t kManyEvents = 750'000;
constexpr size_t kFewEvents = 150'000;
constexpr size_t kLongHistory = 20;  // events of a user
}  // namespace

Defaults defaults_for(size_t events, size_t users) {
  Defaults defaults;
  if (events >= kManyEvents) {
    // A larger state finds enough to learn from.
    defaults.hidden = 256;
  } else if (events < kFewEvents) {
    // Few long histories bear many epochs; many short ones are soon learned by heart.
    defaults.epochs = events >= kLongHistory * users ? 10 : 6;
  }
  return defaults;
}

}  // namespace personalize::hrnn
