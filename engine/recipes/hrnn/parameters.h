// The learned numbers of the network as one array, so that gradients, Adam's moments and clipping
// treat them alike, and where each group of them lies in it.
#pragma once

#include <cstddef>

#include "engine/recipes/own_history.h"

namespace personalize::hrnn {

struct Shape {
  size_t items = 0;
  size_t embedding = 0;  // D
  size_t hidden = 0;     // H
  size_t features = 0;   // columns of the event features
  size_t side = 0;       // columns of what is known around an event (SideColumns)
};

// Offsets of row-major matrices. With i an item, f features of an event, h a state, s the side
// columns of the event and t those of the event that is asked for:
//   x = E[i] + f F + s G_in;  [r z n] = x Wx + bx and h Wh;  candidate bias bhn;
//   y = h Wo + bo + t G_out;  logit(j) = E[j] . y + b[j] + rho * R[j] + S(j)
// h_init is the state before a user's first event; R the recency table, S the own-history term.
struct Layout {
  explicit Layout(const Shape& of) : shape(of) {
    const auto place = [this](size_t count) {
      const size_t offset = size;
      size += (count + 15) / 16 * 16;  // whole cache lines
      return offset;
    };
    embedding = place(of.items * of.embedding);
    bias = place(of.items);
    feature = place(of.features * of.embedding);
    input = place(of.embedding * 3 * of.hidden);
    input_bias = place(3 * of.hidden);
    recurrent = place(of.hidden * 3 * of.hidden);
    candidate_bias = place(of.hidden);
    initial = place(of.hidden);
    output = place(of.hidden * of.embedding);
    output_bias = place(of.embedding);
    side_input = place(of.side * of.embedding);
    side_output = place(of.side * of.embedding);
    rho = place(1);
    own = place(kOwnHistoryParameters);
  }

  Shape shape;
  size_t embedding;       // E, items x D
  size_t bias;            // b, items
  size_t feature;         // F, features x D
  size_t input;           // Wx, D x 3H
  size_t input_bias;      // bx, 3H
  size_t recurrent;       // Wh, H x 3H
  size_t candidate_bias;  // bhn, H
  size_t initial;         // h_init, H
  size_t output;          // Wo, H x D
  size_t output_bias;     // bo, D
  size_t side_input;      // G_in, side x D
  size_t side_output;     // G_out, side x D
  size_t rho;             // 1
  size_t own;             // OwnHistoryWeights
  size_t size = 0;        // of the whole array
};

}  // namespace personalize::hrnn
