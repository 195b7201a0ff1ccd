// How events are withheld from a model to measure it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/dataset/sequences.h"

namespace personalize {

// What may be learned from, and what is asked. Test user t is user test_users[t] of the sequences;
// when he is asked, his events before history_end[t] are known (those that `training` has of him,
// and perhaps some more), and relevant[t] are the distinct items of his events from there on, in
// ascending order, at least one. Test users stand in ascending order.
struct Split {
  TrainingView training;
  std::vector<size_t> test_users;
  std::vector<int64_t> history_end;
  std::vector<std::vector<ItemIndex>> relevant;
};

// The place of each user's first event in `data` that is later than `time`; the end of his events
// if there is none.
std::vector<int64_t> first_events_after(const TrainingView& data, int64_t time);

// `split` as far as it withholds events later than `time`: the others are given back to training,
// and users of whom nothing is withheld then are not asked. For a model that goes on from one which
// has learned what there was up to `time`.
Split only_events_after(const Split& split, int64_t time);

// Amazon Personalize's: test users are the tenth of the users (rounded down, at least one) with the
// smallest user_hash(id, seed); the newest tenth of each one's events (rounded down, at least one)
// is withheld. A chosen user with a single event is no test user. All other users train whole.
Split amazon_split(const Sequences& sequences, uint64_t seed);

// The last event of every user with three or more.
Split leave_one_out_split(const Sequences& sequences);

// As the papers on sequential models do it: of every user with three or more events the last two
// are withheld from training, and the last one is asked when the one before it is known.
Split leave_last_two_out_split(const Sequences& sequences);

// Of every user's n events those past place 0.9 n; who has nothing left to learn from (n = 1) is no
// test user.
Split temporal_holdout_split(const Sequences& sequences);

// For choosing among models before one is measured: asks for the last events of `view`, the
// training part of a split, which so learns nothing of what that split withholds. Of at most
// `most_users` users of the sequences, those with the smallest user_hash(id, seed), the newest
// tenth of the events in `view` is withheld (rounded down, at least one), or with `last_only` the
// last one. Who has a single event there, with `last_only` fewer than three, is no test user.
Split validation_split(const TrainingView& view, bool last_only, size_t most_users, uint64_t seed);

}  // namespace personalize
