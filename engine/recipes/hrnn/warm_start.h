// What a training that goes on from a stored network (training_mode UPDATE) starts from: the
// network's numbers for the items there are now, and the parts of histories it learns from.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/recipes/hrnn/model.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// The numbers of `stored`, whose items `vocabulary` names, for the items of `sequences`. Items that
// are gone are left out. A new item's vector is the mean of the known items that go before and
// after it in `near`, weighted by their counts; its bias is what known items with as many events
// (`events`, one an item) have.
Trained with_items(const Stored& stored, const Vocabulary& vocabulary, const Sequences& sequences,
                   const MarkovCounts& near, std::span<const float> events, uint64_t seed);

// What an update learns from: of every user the new events (from first_new[user] on) as targets,
// and pieces of old history, drawn by `seed`, that have `replay` times as many in all, lest the
// network forget them.
struct UpdateSegments {
  std::vector<Segment> segments;
  size_t fresh = 0;  // the first so many are new
};
UpdateSegments update_segments(const TrainingView& data, std::span<const int64_t> first_new,
                               double replay, size_t piece, uint64_t seed);

// The state before the first event of each segment (H floats a segment) as `cell` has it when it
// has read the `most` events before it, or all if they are fewer. `side`: what is known around the
// events, if anything. The same for any number of
// threads. Errors: kInterrupted when `stop`, asked on the calling thread, says so.
Result<std::vector<float>> fold(const Cell& cell, const Sequences& sequences,
                                std::span<const Segment> segments, int64_t most, int threads,
                                const std::function<bool()>& stop,
                                const SideColumns* side = nullptr);

}  // namespace personalize::hrnn
