// Lays the users' histories over lanes and cuts them into windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dataset/sequences.h"
#include "engine/math/random.h"

namespace personalize::hrnn {

// A run of one user's events that is trained on: events first .. last - 1 are inputs, the target of
// each is the event after it. first < last.
struct Segment {
  uint32_t user = 0;
  int64_t first = 0;
  int64_t last = 0;
};

// Every user's whole history: what a training from the beginning learns from.
std::vector<Segment> whole_histories(const TrainingView& data);

// Some lanes' next events. Row lane * steps + t is the lane's event at step t; a lane's rows from
// `valid` on are empty, which happens at the end of an epoch only. The arrays have room for
// lanes * longest window and are written anew for each window.
struct Window {
  size_t steps = 0;            // rows a lane in this window
  std::vector<int64_t> event;  // the input event; its target is the event after it
  std::vector<uint8_t> first;  // whether it is its user's first
  // The number of the segment that begins with it amid its user's history, or -1: the state and
  // what the user had are then not the lane's.
  std::vector<int32_t> resumed;
  std::vector<uint32_t> user;
  std::vector<size_t> valid;  // rows used, one a lane
};

// One epoch after the other: segments in random order, each given to the lane that is shortest so
// far, laid end to end. The first window of an epoch has a random length, so that the windows'
// borders move.
class Batches {
 public:
  // `sequences` and `segments` must outlive it.
  Batches(const Sequences& sequences, std::span<const Segment> segments, size_t lanes,
          size_t window, uint64_t seed);

  // Lays out epoch `epoch`.
  void begin_epoch(size_t epoch);
  size_t windows_in_epoch() const { return windows_; }
  // Input events of all segments: what an epoch trains.
  size_t events() const { return events_; }
  // Writes the next window; false at the end of the epoch. `total` gets the number of valid rows.
  bool next(Window& window, size_t& total);

 private:
  struct Lane {
    std::vector<uint32_t> segments;
    size_t length = 0;   // events
    size_t current = 0;  // place in segments
    int64_t next = 0;    // its next event, from the segment's first
  };
  size_t fill(Lane& lane, size_t row, size_t steps, Window& window);

  const Sequences& sequences_;
  std::span<const Segment> segments_;
  size_t window_;
  uint64_t seed_;
  size_t events_ = 0;
  std::vector<uint32_t> order_;
  std::vector<Lane> lanes_;
  size_t windows_ = 0;
  size_t done_ = 0;
  size_t longest_ = 0;
  size_t first_window_ = 0;
};

}  // namespace personalize::hrnn
