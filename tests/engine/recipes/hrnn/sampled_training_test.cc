// Whole trainings with a sampled softmax: what they learn, what they cost and that they are the
// same whoever runs them.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "engine/recipes/hrnn/hrnn.h"
#include "engine/recipes/hrnn/trainer.h"
#include "tests/engine/testing/random_sequences.h"
#include "tests/engine/testing/silent_progress.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PERSONALIZE_SANITIZED 1
#endif

namespace personalize::hrnn {
namespace {

bool never() { return false; }

TrainingOptions options_of(Softmax softmax) {
  TrainingOptions options;
  options.embedding = 16;
  options.hidden = 32;
  options.epochs = 4;
  options.softmax = softmax;
  return options;
}

Result<Trained> train_from_noise(const TrainingView& view, const TrainingOptions& options,
                                 const std::function<bool()>& stop = never) {
  std::vector<float> embedding(view.sequences->item_count() * options.embedding);
  Random random(1, 2);
  for (float& x : embedding) x = static_cast<float>(0.05 * random.normal());
  SilentProgress progress;
  return train(view, options, embedding, nullptr, progress, stop);
}

bool same(const Trained& a, const Trained& b) {
  return std::equal(a.parameters.span().begin(), a.parameters.span().end(),
                    b.parameters.span().begin(), b.parameters.span().end());
}

TEST(SampledTraining, IsTheSameBitForBitForAnyNumberOfThreads) {
  const Sequences all = random_sequences(300, 6'000, 20, 2);
  const TrainingView view = TrainingView::everything(all);
  TrainingOptions options = options_of(Softmax::kSampled);
  options.epochs = 2;
  options.threads = 1;
  const auto one = train_from_noise(view, options);
  options.threads = 3;
  const auto three = train_from_noise(view, options);
  options.seed = 2;
  const auto other = train_from_noise(view, options);
  ASSERT_TRUE(one.is_ok() && three.is_ok() && other.is_ok());
  EXPECT_TRUE(same(*one, *three));
  EXPECT_FALSE(same(*one, *other));
}

TEST(SampledTraining, StopsWhenTold) {
  const Sequences all = random_sequences(300, 6'000, 20, 2);
  int asked = 0;
  const auto trained =
      train_from_noise(TrainingView::everything(all), options_of(Softmax::kSampled),
                       [&asked] { return ++asked > 3; });
  ASSERT_FALSE(trained.is_ok());
  EXPECT_EQ(trained.status().code(), StatusCode::kInterrupted);
}

TEST(SampledTraining, SaysThatARateIsTooHighInsteadOfGivingNumbersThatAreNone) {
  const Sequences all = random_sequences(300, 6'000, 20, 2);
  TrainingOptions options = options_of(Softmax::kSampled);
  options.learning_rate = 1e30;
  const auto trained = train_from_noise(TrainingView::everything(all), options);
  ASSERT_FALSE(trained.is_ok());
  EXPECT_EQ(trained.status().code(), StatusCode::kInternal);
}

// The mean of -ln p of each user's last event under the softmax over all items.
double withheld_loss(const TrainingView& view, const Trained& trained) {
  const Sequences& all = *view.sequences;
  Network network(trained.layout);
  std::copy_n(trained.parameters.data(), trained.layout.size, network.parameters.data());
  network.panels.pack(0, network.panels.count(),
                      network.parameters.data() + trained.layout.embedding);
  network.transpose();
  TrainingData data;
  data.sequences = &all;
  data.session_gap = 1'800;
  data.recency = trained.recency;
  std::vector<Segment> segments;
  for (size_t user = 0; user < all.user_count(); ++user) {
    data.user_weight.push_back(1);
    for (int64_t e = all.start[user]; e < all.start[user + 1]; ++e) {
      const auto i = static_cast<size_t>(e);
      const bool first = e == all.start[user];
      data.features.push_back(event_features(first,
                                             first ? 0 : all.timestamp[i] - all.timestamp[i - 1],
                                             all.value[i], trained.value_columns));
    }
    if (all.start[user + 1] - all.start[user] > 2)
      segments.push_back({static_cast<uint32_t>(user), all.start[user], all.start[user + 1] - 1});
  }
  // All events of all users but the last cancel out of the difference of two such sums.
  const auto sum = [&](bool with_last) {
    std::vector<Segment> part = segments;
    for (Segment& segment : part) segment.last -= with_last ? 0 : 1;
    Batches batches(all, part, 4, 32, 1);
    batches.begin_epoch(0);
    LaneGroup group(trained.layout, 0, 4, 32, data.session_gap);
    group.start_epoch();
    Window window;
    size_t total = 0;
    double loss = 0;
    while (batches.next(window, total))
      loss += group.run(network, data, window, total, {}, never) * static_cast<double>(total);
    return loss;
  };
  return (sum(true) - sum(false)) / static_cast<double>(segments.size());
}

// Users with a taste: nine events in ten are of one of 30 topics of 100 items.
Sequences topics() {
  constexpr size_t kTopics = 30;
  constexpr size_t kItemsOfTopic = 100;
  Sequences all;
  for (size_t item = 0; item < kTopics * kItemsOfTopic; ++item) all.items.add(std::to_string(item));
  Random random(6, 1);
  all.start.push_back(0);
  for (size_t user = 0; user < 1'000; ++user) {
    all.users.push_back(std::to_string(user));
    const size_t topic = random.below(kTopics);
    for (int64_t e = 0; e < 30; ++e) {
      const size_t of = random.below(10) == 0 ? random.below(kTopics) : topic;
      all.item.push_back(static_cast<ItemIndex>(of * kItemsOfTopic + random.below(kItemsOfTopic)));
      all.timestamp.push_back(1'000'000'000 + 60 * e);
      all.value.push_back(kNoValue);
    }
    all.start.push_back(static_cast<int64_t>(all.item.size()));
  }
  return all;
}

TEST(SampledTraining, LearnsAsMuchAsFromAllItems) {
  const Sequences all = topics();
  TrainingView view = TrainingView::everything(all);
  for (int64_t& end : view.end) --end;
  const auto train_with = [&](Softmax softmax) {
    TrainingOptions options = options_of(softmax);
    options.lanes = 4;
    options.window = 32;  // 1,024 candidates of 3,000 items
    options.epochs = 8;
    return train_from_noise(view, options);
  };
  const auto full = train_with(Softmax::kFull);
  const auto sampled = train_with(Softmax::kSampled);
  ASSERT_TRUE(full.is_ok() && sampled.is_ok());
  const double wanted = withheld_loss(view, *full);
  const double loss = withheld_loss(view, *sampled);
  RecordProperty("full", std::to_string(wanted));
  RecordProperty("sampled", std::to_string(loss));
  EXPECT_LT(wanted, std::log(3'000) - 1);  // there is something to learn
  EXPECT_LT(loss, wanted + 0.1);
}

// Megabytes of this process that are in memory: now, and at most since clear().
class PeakMemory {
 public:
  void clear() { std::ofstream("/proc/self/clear_refs") << "5"; }
  static double read(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
      if (double kib = 0; word == field + ":" && status >> kib) return kib / 1'024;
    return 0;
  }
};

TEST(SampledTraining, OfManyItemsNeedsLittleMoreThanTheirEmbeddings) {
#if defined(PERSONALIZE_SANITIZED)
  GTEST_SKIP() << "a sanitizer's own memory hides ours";
#endif
  constexpr size_t kItems = 300'000;
  const Sequences all = random_sequences(400, kItems, 40, 5);
  TrainingOptions options = options_of(Softmax::kAuto);
  options.embedding = 64;
  options.recency = false;
  options.epochs = 1;
  options.threads = 2;
  PeakMemory memory;
  memory.clear();
  const double before = PeakMemory::read("VmRSS");
  const auto trained = train_from_noise(TrainingView::everything(all), options);
  ASSERT_TRUE(trained.is_ok()) << trained.status().message();
  const double embedding = 4.0 * kItems * 64 / (1 << 20);
  // E and what it starts from, 20 bytes an item, and a network of 4,096 candidates.
  EXPECT_LT(PeakMemory::read("VmHWM") - before, 2 * embedding + 60);
}

}  // namespace
}  // namespace personalize::hrnn
