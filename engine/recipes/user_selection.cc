#include "engine/recipes/user_selection.h"

#include <algorithm>

#include "engine/dataset/history_length.h"
#include "engine/math/random.h"

namespace personalize {
namespace {

constexpr uint64_t kCalibrationStream = 0xCA11;

HyperparameterSpec percentile_spec(const char* name, const char* default_text,
                                   const char* meaning) {
  HyperparameterSpec spec;
  spec.name = name;
  spec.kind = HyperparameterSpec::Kind::kReal;
  spec.default_text = default_text;
  spec.minimum = 0;
  spec.maximum = 1;
  spec.meaning = meaning;
  return spec;
}

}  // namespace

HyperparameterSpec minimum_history_percentile_spec() {
  return percentile_spec("min_user_history_length_percentile", "0.0",
                         "users with shorter histories than this share of users do not train");
}

HyperparameterSpec maximum_history_percentile_spec() {
  return percentile_spec("max_user_history_length_percentile", "1.0",
                         "users with longer histories than this share of users do not train "
                         "(Amazon's default is 0.99, which gives up the richest histories)");
}

TrainingView select_users(const TrainingView& data, double minimum, double maximum) {
  const std::vector<uint8_t> within = users_within_percentiles(data, minimum, maximum);
  TrainingView selected = data;
  for (size_t user = 0; user < within.size(); ++user)
    if (within[user] == 0) selected.end[user] = data.begin(user);
  return selected;
}

CalibrationSplit withhold_last_events(const TrainingView& data, size_t limit, size_t least_share,
                                      uint64_t seed) {
  CalibrationSplit split{data, {}};
  for (size_t user = 0; user < data.end.size(); ++user)
    if (data.length(user) >= 3) split.users.push_back(user);
  Random(seed, kCalibrationStream).shuffle(std::span(split.users));
  split.users.resize(std::min(limit, split.users.size() / least_share));
  std::sort(split.users.begin(), split.users.end());
  for (const size_t user : split.users) --split.rest.end[user];
  return split;
}

void user_history(const Sequences& sequences, int64_t begin, int64_t end,
                  std::vector<ModelEvent>& history) {
  history.clear();
  for (int64_t e = begin; e < end; ++e) {
    const auto i = static_cast<size_t>(e);
    history.push_back({sequences.timestamp[i], sequences.item[i], sequences.value[i]});
  }
}

}  // namespace personalize
