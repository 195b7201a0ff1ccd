#include "engine/dataset/split.h"

#include <algorithm>
#include <utility>

#include "engine/dataset/user_hash.h"

namespace personalize {
namespace {

// Withholds everything of the user but his first `kept` events, and asks about what comes after his
// first `known` ones (no fewer), up to the event `end` of the sequences.
void withhold(Split& split, size_t user, int64_t kept, int64_t known, int64_t end) {
  const Sequences& sequences = *split.training.sequences;
  split.training.end[user] = sequences.start[user] + kept;
  const int64_t history_end = sequences.start[user] + known;
  std::vector<ItemIndex> items(sequences.item.begin() + history_end, sequences.item.begin() + end);
  if (kept == 0 || items.empty()) return;
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  split.test_users.push_back(user);
  split.history_end.push_back(history_end);
  split.relevant.push_back(std::move(items));
}

// The same, up to his last event.
void withhold(Split& split, size_t user, int64_t kept, int64_t known) {
  withhold(split, user, kept, known, split.training.sequences->start[user + 1]);
}

void withhold(Split& split, size_t user, int64_t kept) { withhold(split, user, kept, kept); }

// The `most` users with the smallest user_hash(id, seed), in ascending order.
std::vector<size_t> draw_users(const Sequences& sequences, size_t most, uint64_t seed) {
  std::vector<std::pair<uint64_t, size_t>> order(sequences.user_count());
  for (size_t u = 0; u < order.size(); u++) order[u] = {user_hash(sequences.users[u], seed), u};
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), most));
  std::vector<size_t> chosen;
  chosen.reserve(order.size());
  for (const auto& [hash, user] : order) chosen.push_back(user);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

int64_t length(const Sequences& sequences, size_t user) {
  return sequences.start[user + 1] - sequences.start[user];
}

}  // namespace

Split amazon_split(const Sequences& sequences, uint64_t seed) {
  Split split{TrainingView::everything(sequences), {}, {}, {}};
  const size_t most = std::max<size_t>(1, sequences.user_count() / 10);
  for (const size_t user : draw_users(sequences, most, seed)) {
    const int64_t n = length(sequences, user);
    if (n > 1) withhold(split, user, n - std::max<int64_t>(1, n / 10));
  }
  return split;
}

Split leave_one_out_split(const Sequences& sequences) {
  Split split{TrainingView::everything(sequences), {}, {}, {}};
  for (size_t user = 0; user < sequences.user_count(); user++)
    if (const int64_t n = length(sequences, user); n >= 3) withhold(split, user, n - 1);
  return split;
}

Split leave_last_two_out_split(const Sequences& sequences) {
  Split split{TrainingView::everything(sequences), {}, {}, {}};
  for (size_t user = 0; user < sequences.user_count(); user++)
    if (const int64_t n = length(sequences, user); n >= 3) withhold(split, user, n - 2, n - 1);
  return split;
}

Split temporal_holdout_split(const Sequences& sequences) {
  Split split{TrainingView::everything(sequences), {}, {}, {}};
  for (size_t user = 0; user < sequences.user_count(); user++)
    withhold(split, user, length(sequences, user) * 9 / 10);
  return split;
}

Split validation_split(const TrainingView& view, bool last_only, size_t most_users, uint64_t seed) {
  Split split{view, {}, {}, {}};
  for (const size_t user : draw_users(*view.sequences, most_users, seed)) {
    const int64_t n = view.length(user);
    if (n < (last_only ? 3 : 2)) continue;
    const int64_t kept = n - (last_only ? 1 : std::max<int64_t>(1, n / 10));
    withhold(split, user, kept, kept, view.end[user]);
  }
  return split;
}

std::vector<int64_t> first_events_after(const TrainingView& data, int64_t time) {
  std::vector<int64_t> first(data.end.size());
  const auto times = data.sequences->timestamp.begin();
  for (size_t user = 0; user < first.size(); user++)
    first[user] = std::upper_bound(times + data.begin(user), times + data.end[user], time) - times;
  return first;
}

Split only_events_after(const Split& split, int64_t time) {
  const Sequences& sequences = *split.training.sequences;
  Split result{TrainingView::everything(sequences), {}, {}, {}};
  const std::vector<int64_t> first = first_events_after(result.training, time);
  for (size_t user = 0; user < first.size(); user++)
    result.training.end[user] = std::max(split.training.end[user], first[user]);
  for (size_t t = 0; t < split.test_users.size(); t++) {
    const size_t user = split.test_users[t];
    const int64_t kept = result.training.end[user] - sequences.start[user];
    withhold(result, user, kept, std::max(kept, split.history_end[t] - sequences.start[user]));
  }
  return result;
}

}  // namespace personalize
