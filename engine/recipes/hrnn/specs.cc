#include "engine/recipes/hrnn/specs.h"

#include <utility>

#include "engine/recipes/own_history.h"
#include "engine/recipes/user_selection.h"

namespace personalize::hrnn {
namespace {

HyperparameterSpec softmax_spec() {
  return {.name = "softmax",
          .kind = HyperparameterSpec::Kind::kText,
          .default_text = "auto",
          .minimum = 0,
          .maximum = 0,
          .choices = {"auto", "full", "sampled"},
          .tunable = false,
          .meaning =
              "whether an event is learned against all items or a sample of them; auto: "
              "full unless that would take too long"};
}

std::vector<HyperparameterSpec> cold_start_specs() {
  return {{.name = "cold_start_max_interactions",
           .kind = HyperparameterSpec::Kind::kInteger,
           .default_text = "15",
           .minimum = 1,
           .maximum = 1'000'000,
           .choices = {},
           .tunable = false,
           .meaning = "an item with more interactions is not new any more"},
          {.name = "cold_start_max_duration",
           .kind = HyperparameterSpec::Kind::kReal,
           .default_text = "5.0",
           .minimum = 0.001,
           .maximum = 36'500,
           .choices = {},
           .tunable = false,
           .meaning = "days after which an item is not new any more"},
          {.name = "cold_start_relative_from",
           .kind = HyperparameterSpec::Kind::kText,
           .default_text = "latestItem",
           .minimum = 0,
           .maximum = 0,
           .choices = {"latestItem", "currentTime"},
           .tunable = false,
           .meaning = "up to when the days are counted: the creation of the newest item, or the "
                      "question"}};
}

}  // namespace

std::vector<HyperparameterSpec> hyperparameter_specs(bool cold_start) {
  using Kind = HyperparameterSpec::Kind;
  const auto spec = [](const char* name, Kind kind, const char* default_text, double minimum,
                       double maximum, bool tunable, const char* meaning) {
    return HyperparameterSpec{.name = name,
                              .kind = kind,
                              .default_text = default_text,
                              .minimum = minimum,
                              .maximum = maximum,
                              .choices = {},
                              .tunable = tunable,
                              .meaning = meaning};
  };
  std::vector<HyperparameterSpec> specs = {
      spec("hidden_dimension", Kind::kInteger, "auto", 32, 256, true,
           "size of a user's state; auto: 128, or 256 where there are many events (Amazon's "
           "default, "
           "43, costs accuracy)"),
      spec("embedding_dimension", Kind::kInteger, "128", 16, 256, true, "size of an item's vector"),
      spec("bptt", Kind::kInteger, "64", 2, 64, true,
           "events through which gradients flow back (Amazon's range ends at 32)"),
      spec("recency_mask", Kind::kBoolean, "true", 0, 1, true,
           "whether items that were popular lately are favoured"),
      spec("learning_rate", Kind::kReal, "auto", 1e-5, 0.1, true,
           "of Adam, at the top of its schedule"),
      spec("dropout", Kind::kReal, "0.25", 0, 0.9, true,
           "share of inputs and outputs that are left out at random in training"),
      spec("epochs", Kind::kInteger, "auto", 1, 1'000, false,
           "times each event is learned from; auto: more where there are fewer events and long "
           "histories"),
      spec("batch_size", Kind::kInteger, "16", 1, 256, false,
           "histories that are trained side by side"),
      softmax_spec(),
      session_gap_spec(),
      minimum_history_percentile_spec(),
      maximum_history_percentile_spec(),
  };
  if (cold_start)
    for (HyperparameterSpec& more : cold_start_specs()) specs.push_back(std::move(more));
  return specs;
}

}  // namespace personalize::hrnn
