// A recipe's model of some events, trained and opened, for tests that ask it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/recipes/recipe.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {

// Events start[user] .. end - 1 of a user.
inline std::vector<ModelEvent> history_of(const Sequences& all, size_t user, int64_t end) {
  std::vector<ModelEvent> history;
  for (int64_t e = all.start[user]; e < end; ++e) {
    const auto i = static_cast<size_t>(e);
    history.push_back({all.timestamp[i], all.item[i], all.value[i]});
  }
  return history;
}

// The state after all of `history`.
inline std::vector<float> state_after(const Model& model, std::span<const ModelEvent> history) {
  std::vector<float> state(model.state_size());
  model.begin(state);
  for (size_t i = 0; i < history.size(); ++i) model.step(history, i, state);
  return state;
}

inline std::vector<float> scores_after(const Model& model, std::span<const ModelEvent> history) {
  std::vector<float> scores(model.item_count());
  model.score({history, state_after(model, history)}, scores);
  return scores;
}

// Fits `recipe` to `data`, expecting success, and opens what it wrote.
class TrainedModel {
 public:
  TrainedModel(const Recipe& recipe, const TrainingView& data,
               const Hyperparameters& hyperparameters, const FitOptions& options = {}) {
    auto fitted = recipe.fit(data, hyperparameters, options, progress_);
    EXPECT_TRUE(fitted.is_ok()) << fitted.status().message();
    if (!fitted.is_ok()) return;
    blob_ = std::make_unique<AlignedBlob>(fitted->blob);
    auto opened = recipe.open(blob_->view());
    EXPECT_TRUE(opened.is_ok()) << opened.status().message();
    if (opened.is_ok()) model_ = std::move(*opened);
  }

  // Null if something failed, which the test has been told.
  const Model* get() const { return model_.get(); }
  const Model& operator*() const { return *model_; }
  const Model* operator->() const { return model_.get(); }
  const SilentProgress& progress() const { return progress_; }

 private:
  SilentProgress progress_;
  std::unique_ptr<AlignedBlob> blob_;
  std::unique_ptr<Model> model_;
};

}  // namespace personalize
