// The trained network as it is stored and asked.
#pragma once

#include <memory>
#include <optional>

#include "engine/recipes/calibration.h"
#include "engine/recipes/hrnn/cold_items.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/markov_counts.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// Runs the network over a user's events, one after the other; no dropout. What both the stored
// model and the calibration inside a training use. Views only; any thread.
struct Cell {
  Shape shape;
  std::span<const float> embedding, bias, feature, input, input_bias, recurrent, candidate_bias,
      initial, output, output_bias, side_input, side_output;
  ColdItems cold;  // of a stored model
  float rho = 0;
  OwnHistoryWeights own;
  int64_t session_gap = 0;
  std::span<const float> value_columns;
  std::span<const int64_t> recency_starts;  // none: no recency mask
  std::span<const float> recency_rows;

  // The parameters of a training; `trained` must outlive the cell.
  static Cell of(const Trained& trained, int64_t session_gap);

  // Moves `state` (H floats) by history[begin] .. history[end - 1]: the same bits as one after the
  // other. Events of unseen items that nothing is known of are passed over, as if they had not
  // been.
  void advance(std::span<const ModelEvent> history, size_t begin, size_t end, float* state) const;
  // advance() by all events of all histories, with the same bits. Where the network's width is in
  // whole 16, many are moved by one product: several times as fast.
  void fold(std::span<const Folding> foldings) const;
  // y (D floats) after `state`, for an event of these side columns.
  void output_vector(const float* state, std::span<const ColumnIndex> columns, float* y) const;
  // All logits but for the own-history term: E y + b + rho R. `history` must not be empty.
  void dense_logits(std::span<const ModelEvent> history, const float* y, float* logits) const;
  // R, one float an item, after an event of this time. There are recency_starts.
  std::span<const float> recency_row(int64_t timestamp) const;

 private:
  bool reads(const ModelEvent& event) const;
  // Whether the network's products have the same bits for any number of rows: columns that fill no
  // vector of the widest kernel are rounded by how many there are.
  bool rounds_alike() const;
  void fold_together(std::span<const Folding* const> foldings) const;
  // Writes the network's input of history[index] (D floats), which it reads().
  void make_input(std::span<const ModelEvent> history, size_t index, float* x) const;
};

// Writes the sections of a model ("hrnn.*" and the Markov chain's): `a`, `w` and D folded in, so
// that score(j) = E[j] . y + b[j] + rho R[j] + S(j) + w L(j). `users`: how many users had each
// item, `events`: how many events it has.
void write_model(const Trained& trained, int64_t session_gap, const CalibrationWeights& weights,
                 const MarkovCounts& counts, std::span<const float> users,
                 std::span<const float> events, BlobWriter& blob);

// What write_model was given: a network to train further, of the items of that model.
struct Stored {
  Trained trained;
  int64_t session_gap = 0;
  CalibrationWeights weights;
  std::optional<ColdNumbers> cold = {};  // of a model that places unseen items
};

// Takes `weights` out of the numbers again. Errors: as open_model; kInvalidInput if that is not
// possible, the network's weight being nearly 0.
Result<Stored> read_model(const BlobView& blob);

// Errors: kCorrupt if a section is missing or has the wrong size, or a number is not finite.
Result<std::unique_ptr<Model>> open_model(const BlobView& blob);

}  // namespace personalize::hrnn
