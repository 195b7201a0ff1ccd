// Small stand-ins for what serving builds on: events in vectors, states in a map, and a recurrent
// model whose every number can be computed by hand.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/dataset/sources.h"
#include "engine/recipes/recipe.h"
#include "engine/serving/loaded_model.h"
#include "engine/store/state_store.h"

namespace personalize::fakes {

// Codes are places in `items` and `types`.
class VectorSource : public EventSource {
 public:
  std::map<std::string, std::vector<Event>, std::less<>> users;
  std::vector<std::string> items;
  std::vector<std::string> types;
  uint64_t generation = 1;
  int lookups = 0;

  Status scan(EventSink& sink) override {
    for (const auto& [user, events] : users) PERSONALIZE_RETURN_IF_ERROR(sink.user(user, events));
    return Status::ok();
  }
  Status of_user(std::string_view user, std::vector<Event>& events) override {
    const auto found = users.find(user);
    events = found == users.end() ? std::vector<Event>() : found->second;
    return Status::ok();
  }
  Result<std::string_view> item_id(ItemCode code) override {
    lookups++;
    return std::string_view(items.at(static_cast<size_t>(code)));
  }
  Result<std::string_view> event_type(EventTypeCode code) override {
    return std::string_view(types.at(static_cast<size_t>(code)));
  }
  uint64_t dictionary_generation() const override { return generation; }
};

class MapStateStore : public StateStore {
 public:
  std::map<std::pair<uint64_t, uint64_t>, StoredState> states;
  int reads = 0, writes = 0;

  bool get(const StateKey& key, StoredState& state) override {
    reads++;
    const auto found = states.find({key.model_id, key.user_hash[0]});
    if (found == states.end()) return false;
    state = found->second;
    return true;
  }
  void put(const StateKey& key, uint64_t count, uint64_t hash,
           std::span<const float> state) override {
    writes++;
    states[{key.model_id, key.user_hash[0]}] = {count, hash, {state.begin(), state.end()}};
  }
  Status forget(std::string_view, uint64_t, std::span<const uint64_t>) override {
    return Status::ok();
  }
  bool enabled() const override { return true; }
};

// state[0] is a decayed sum of the items' numbers, state[1] counts the events.
class DecayModel : public Model {
 public:
  explicit DecayModel(size_t items) : items_(items) {}
  mutable size_t steps = 0;
  ScoreKind kind = ScoreKind::kLogits;

  size_t item_count() const override { return items_; }
  size_t state_size() const override { return 2; }
  void begin(std::span<float> state) const override {
    state[0] = 0.25F;
    state[1] = 0;
  }
  void step(std::span<const ModelEvent> history, size_t index,
            std::span<float> state) const override {
    steps++;
    state[0] = 0.7F * state[0] + std::sin(static_cast<float>(history[index].item) + 0.1F);
    state[1] += 1;
  }
  ScoreKind score_kind() const override { return kind; }
  void score(const Question& question, std::span<float> scores) const override {
    for (size_t i = 0; i < items_; i++)
      scores[i] = question.state[0] * std::cos(static_cast<float>(i) * 0.7F);
  }
  bool similar(ItemIndex item, std::span<float> scores) const override {
    for (size_t i = 0; i < items_; i++) {
      const float apart = static_cast<float>(i) - static_cast<float>(item);
      scores[i] = 1 / (1 + apart * apart);
    }
    return item != 0;  // too little is known about item 0
  }

 private:
  size_t items_;
};

// A model with the items "item0", "item1", ..., the later the more popular.
struct Loaded {
  std::vector<std::byte> blob;
  std::vector<float> popularity;
  std::shared_ptr<LoadedModel> model = std::make_shared<LoadedModel>();

  explicit Loaded(size_t items) {
    VocabularyBuilder builder;
    for (size_t i = 0; i < items; i++) builder.add("item" + std::to_string(i));
    BlobWriter writer;
    builder.write(writer);
    blob = writer.finish();
    for (size_t i = 0; i < items; i++) popularity.push_back(static_cast<float>(i + 1));
    aligned_.resize(blob.size() + 64);
    void* start = aligned_.data();
    size_t space = aligned_.size();
    std::align(64, blob.size(), start, space);
    std::memcpy(start, blob.data(), blob.size());
    const std::span<const std::byte> view(static_cast<const std::byte*>(start), blob.size());
    model->vocabulary = Vocabulary::open(BlobView::parse(view).value()).value();
    model->popularity = popularity;
    model->model = std::make_unique<DecayModel>(items);
  }
  const DecayModel& decay() const { return static_cast<const DecayModel&>(*model->model); }

 private:
  std::vector<std::byte> aligned_;
};

}  // namespace personalize::fakes
