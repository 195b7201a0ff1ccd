#include "engine/recipes/own_history.h"

namespace personalize {

HyperparameterSpec session_gap_spec() {
  return {.name = "session_gap",
          .kind = HyperparameterSpec::Kind::kReal,
          .default_text = "auto",
          .minimum = 1,
          .maximum = 31'536'000,
          .choices = {},
          .tunable = false,
          .meaning =
              "seconds without an event that end a session; auto: half an hour, or half a "
              "day where timestamps are whole days"};
}

int64_t automatic_session_gap(const TrainingView& data) {
  constexpr int64_t kDay = 86'400;
  const Sequences& all = *data.sequences;
  size_t events = 0;
  size_t whole_days = 0;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      ++events;
      // Whole days of whatever time zone: the same second of the day as the user's first event.
      const int64_t since = seconds_between(all.timestamp[static_cast<size_t>(data.begin(user))],
                                            all.timestamp[static_cast<size_t>(e)]);
      whole_days += since % kDay == 0 && since != 0;
      events -= since == 0;
    }
  return events > 0 && whole_days * 10 >= events * 9 ? kDay / 2 : 1'800;
}

}  // namespace personalize
