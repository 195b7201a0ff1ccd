#include "engine/training/search_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr double kLogarithmicFrom = 100;
constexpr uint64_t kStream = 0x5EA2C4;
// What is left of a draw's way from the centre.
constexpr double kReach[] = {0.25, 0.5, 1};

std::optional<double> to_number(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool logarithmic(const SearchRange& range) {
  return range.minimum > 0 && range.maximum >= kLogarithmicFrom * range.minimum;
}

// A place of the range as 0 .. 1, and back.
double place_of(const SearchRange& range, double value) {
  if (range.maximum == range.minimum) return 0;
  value = std::clamp(value, range.minimum, range.maximum);
  if (logarithmic(range))
    return std::log(value / range.minimum) / std::log(range.maximum / range.minimum);
  return (value - range.minimum) / (range.maximum - range.minimum);
}

double value_at(const SearchRange& range, double place) {
  if (logarithmic(range)) return range.minimum * std::pow(range.maximum / range.minimum, place);
  return range.minimum + place * (range.maximum - range.minimum);
}

std::string number_at(const SearchRange& range, double place) {
  double value = value_at(range, place);
  value = range.kind == SearchRange::Kind::kInteger
              ? std::round(value)
              : to_number(fmt::format("{:.4g}", value)).value_or(value);
  return fmt::format("{}", std::clamp(value, range.minimum, range.maximum));
}

// The one x > 1 with x^(dimensions + 1) = x + 1.
double recurrence_root(size_t dimensions) {
  double x = 2;
  for (int i = 0; i < 60; i++) x = std::pow(1 + x, 1 / (static_cast<double>(dimensions) + 1));
  return x;
}

}  // namespace

SearchSpace::SearchSpace(std::span<const SearchRange> ranges, const Hyperparameters& centre,
                         uint64_t seed) {
  const Random random(seed, kStream);
  const double root = recurrence_root(ranges.size());
  double step = 1;
  for (const SearchRange& range : ranges) {
    step /= root;
    const double start = static_cast<double>(random.at(dimensions_.size()) >> 11) * 0x1p-53;
    dimensions_.push_back({range, centre.text(range.name), start, step});
  }
}

Settings SearchSpace::draw(int number) const {
  const double reach = kReach[static_cast<size_t>(number - 1) % std::size(kReach)];
  Settings settings;
  for (const Dimension& dimension : dimensions_) {
    const SearchRange& range = dimension.range;
    double place = dimension.start + number * dimension.step;
    place -= std::floor(place);
    if (range.kind == SearchRange::Kind::kCategorical) {
      const double scaled = place * static_cast<double>(range.values.size());
      const auto index = std::min(static_cast<size_t>(scaled), range.values.size() - 1);
      // The rest of the place is as good as another draw.
      const bool has_centre = std::find(range.values.begin(), range.values.end(),
                                        dimension.centre) != range.values.end();
      settings[range.name] = has_centre && scaled - static_cast<double>(index) >= reach
                                 ? dimension.centre
                                 : range.values[index];
      continue;
    }
    if (const std::optional<double> centre = to_number(dimension.centre)) {
      const double from = place_of(range, *centre);
      place = from + reach * (place - from);
    }
    settings[range.name] = number_at(range, place);
  }
  return settings;
}

std::vector<Settings> SearchSpace::draw_different(size_t count) const {
  Settings centre;
  for (const Dimension& dimension : dimensions_) centre[dimension.range.name] = dimension.centre;
  std::vector<Settings> different;
  const int most = static_cast<int>(20 * count);
  for (int number = 1; number <= most && different.size() < count; number++) {
    Settings settings = draw(number);
    if (settings == centre ||
        std::find(different.begin(), different.end(), settings) != different.end())
      continue;
    different.push_back(std::move(settings));
  }
  return different;
}

}  // namespace personalize
