#include "engine/recipes/hrnn/withheld.h"

#include <algorithm>

#include "engine/recipes/hrnn/fit_metadata.h"
#include "engine/recipes/hrnn/model.h"

namespace personalize::hrnn {
namespace {

// What is good without fitting, on four data sets.
constexpr CalibrationWeights kUnfitted{.a = 0.75F, .w = 0.35F, .own = {}};
constexpr size_t kAskEvery = 1'024;  // events

Status interrupted() { return {StatusCode::kInterrupted, "training was interrupted"}; }

// Side columns of the withheld event.
std::vector<ColumnIndex> asked_columns(const SideColumns* side, size_t user, size_t event) {
  std::vector<ColumnIndex> columns;
  if (side == nullptr) return columns;
  for (const auto part : {side->of_context(event), side->of_user(user)})
    columns.insert(columns.end(), part.begin(), part.end());
  return columns;
}

}  // namespace

Result<Withheld> ask_withheld(const CalibrationSplit& split, const Trained& trained,
                              int64_t session_gap, const MarkovCounts& counts,
                              const SideColumns* side, const std::function<bool()>& stop) {
  const Cell cell = Cell::of(trained, session_gap);
  const MarkovChain chain(counts);
  const Sequences& all = *split.rest.sequences;
  const size_t items = all.item_count();
  const size_t d = cell.shape.embedding;
  Withheld withheld;
  withheld.logits.resize(split.users.size() * items);
  withheld.outputs.resize(split.users.size() * d);
  std::vector<ModelEvent> history;
  std::vector<ColumnIndex> columns;
  std::vector<float> state(cell.shape.hidden);
  MarkovTerms terms;
  OwnHistory own;
  own.fit(items);
  for (const size_t user : split.users) {
    if (stop()) return interrupted();
    const auto begin = static_cast<size_t>(split.rest.begin(user));
    const int64_t end = split.rest.end[user];
    user_history(all, split.rest.begin(user), end, history);
    if (side != nullptr) add_side_columns(*side, user, begin, history, columns);
    std::copy(cell.initial.begin(), cell.initial.end(), state.begin());
    for (size_t i = 0; i < history.size(); i += kAskEvery) {
      if (i > 0 && stop()) return interrupted();
      cell.advance(history, i, std::min(history.size(), i + kAskEvery), state.data());
    }
    float* row = withheld.logits.data() + withheld.cases.size() * items;
    float* y = withheld.outputs.data() + withheld.cases.size() * d;
    cell.output_vector(state.data(), asked_columns(side, user, static_cast<size_t>(end)), y);
    cell.dense_logits(history, y, row);
    own.add_all(history, session_gap);
    for (const OwnItem& item : own.items())
      row[item.item] += own_history_term(cell.own, item, own.last_place(), own.session_start());
    chain.terms(history, terms);
    CalibrationCase one;
    one.target = all.item[static_cast<size_t>(end)];
    one.base = {row, items};
    one.markov_items = terms.items;
    one.markov_terms = terms.terms;
    withheld.cases.push_back(std::move(one));
  }
  return withheld;
}

Result<CalibrationWeights> fit_weights(const Withheld& withheld,
                                       const std::function<bool()>& stop) {
  if (withheld.cases.size() < kFewestCases) return kUnfitted;
  return calibrate(withheld.cases, {.a = 1, .w = 0.5F, .own = {}}, false, stop);
}

}  // namespace personalize::hrnn
