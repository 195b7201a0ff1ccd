// Models of so many items that they have codes of their vectors.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "engine/math/random.h"
#include "engine/recipes/hrnn/model.h"
#include "engine/recipes/popularity.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_sequences.h"

namespace personalize::hrnn {
namespace {

bool never() { return false; }

// A model of random numbers. `items` of which many have no events.
AlignedBlob model_of(size_t items, size_t width = 24) {
  Sequences all = random_sequences(60, 200, 20, 1);
  for (size_t i = all.item_count(); i < items; ++i) all.items.add("more" + std::to_string(i));
  const Layout layout({items, width, 8, kGapFeatures});
  Trained trained{layout, AlignedFloats(layout.size), {}, {}};
  Random random(4, 2);
  for (float& x : trained.parameters.span()) x = static_cast<float>(0.4 * random.normal());
  const TrainingView view = TrainingView::everything(all);
  trained.recency = recency_table(view);
  BlobWriter writer;
  write_model(trained, 150, {.a = 0.75F, .w = 0.5F, .own = {}},
              *count_transitions(view, {}, 1, never), distinct_users(view), count_events(view),
              writer);
  return AlignedBlob(writer.finish());
}

std::vector<Scored> best_of(const VectorQuestion& question, size_t k) {
  std::vector<Scored> found;
  TopK best(k, found);
  search(question, nullptr, &best, nullptr);
  best.finish();
  return found;
}

void expect_the_best(const VectorQuestion& question) {
  std::vector<float> scores(question.vectors().items);
  score_all(question, scores);
  for (const size_t k : {1, 10, 150}) {
    std::vector<Scored> wanted;
    top_k(scores, nullptr, k, wanted);
    EXPECT_EQ(best_of(question, k), wanted) << k;
  }
}

TEST(Codes, AreWrittenFromTenThousandItemsOrAMegabyteOfVectorsOn) {
  for (const auto& [items, width] : {std::pair(9'999, 24), {2'047, 128}}) {
    const AlignedBlob few = model_of(items, width);
    EXPECT_FALSE(few.view().has("hrnn.scan_codes"));
    EXPECT_EQ((*open_model(few.view()))->vectors()->codes.items, 0U);
    EXPECT_TRUE(model_of(items + 1, width).view().has("hrnn.scan_codes"));
  }
}

// Items and the width of their vectors.
class CodesOfItems : public testing::TestWithParam<std::pair<size_t, size_t>> {};

TEST_P(CodesOfItems, ChangeNoAnswer) {
  const auto [items, width] = GetParam();
  const AlignedBlob blob = model_of(items, width);
  const auto opened = open_model(blob.view());
  ASSERT_TRUE(opened.is_ok()) << opened.status().message();
  const Model& model = **opened;
  ASSERT_EQ(model.vectors()->codes.items, items);
  VectorQuestion question;
  std::vector<float> state(model.state_size());
  model.begin(state);
  std::vector<ModelEvent> history;
  for (int i = 0; i < 40; ++i) {
    history.push_back({.timestamp = 1'000 * i, .item = (i * 37) % 200});
    model.step(history, history.size() - 1, state);
    if (i % 8 != 0) continue;
    model.reduce({.history = history, .state = state}, question);
    expect_the_best(question);
    ASSERT_TRUE(model.reduce_similar(history.back().item, question));
    expect_the_best(question);
  }
  EXPECT_FALSE(model.reduce_similar(900, question));  // nobody had it
}

INSTANTIATE_TEST_SUITE_P(Items, CodesOfItems,
                         testing::Values(std::pair(2'051, 128), std::pair(10'003, 24)));

TEST(Codes, OfFewItemsLeaveTheNormaliserExact) {
  const AlignedBlob blob = model_of(kEstimatedFrom - 1, 32);
  const auto model = open_model(blob.view());
  ASSERT_TRUE(model.is_ok());
  ASSERT_GT((*model)->vectors()->codes.items, 0U);
  std::vector<float> state((*model)->state_size());
  const std::vector<ModelEvent> history = {{.timestamp = 1, .item = 7}};
  (*model)->begin(state);
  (*model)->step(history, 0, state);
  VectorQuestion question;
  (*model)->reduce({.history = history, .state = state}, question);
  std::vector<float> scores(kEstimatedFrom - 1);
  score_all(question, scores);
  LogSum sum;
  search(question, nullptr, nullptr, &sum);
  EXPECT_EQ(sum.value(), log_sum_exp(scores));
}

// The same blob but for `value` at the start of a section.
template <typename T>
AlignedBlob damaged(const AlignedBlob& blob, std::string_view section, T value) {
  std::vector<std::byte> bytes(blob.bytes().begin(), blob.bytes().end());
  const std::span<const T> at = *blob.view().section<T>(section);
  const auto* start = reinterpret_cast<const std::byte*>(at.data());
  std::memcpy(bytes.data() + (start - blob.bytes().data()), &value, sizeof(T));
  return AlignedBlob(bytes);
}

TEST(Codes, DamagedOnesAreRefusedOrHarmless) {
  const AlignedBlob blob = model_of(10'000);
  const auto code = [](const AlignedBlob& opened) {
    return open_model(opened.view()).status().code();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, std::numeric_limits<float>::infinity(), -1.0F}) {
    const QuantizationBounds bounds{.residual = 1, .codes = bad, .scale = 1};
    EXPECT_EQ(code(damaged(blob, "hrnn.scan_bounds", bounds)), StatusCode::kCorrupt) << bad;
  }
  for (const uint16_t bad : {0x7F80, 0x8001, 0xFFFF})
    EXPECT_EQ(code(damaged(blob, "hrnn.scan_scales", bad)), StatusCode::kCorrupt) << bad;

  std::vector<std::byte> bytes(blob.bytes().begin(), blob.bytes().end());
  const std::string_view name = "hrnn.scan_scales";
  const auto at = std::search(bytes.begin(), bytes.end(), name.begin(), name.end(),
                              [](std::byte a, char b) { return static_cast<char>(a) == b; });
  ASSERT_NE(at, bytes.end());
  at[5] = std::byte{'S'};
  EXPECT_EQ(code(AlignedBlob(bytes)), StatusCode::kCorrupt);

  // Codes can be anything; the list then is not the best one, but a list.
  const AlignedBlob other = damaged(blob, "hrnn.scan_codes", uint8_t{0});
  const auto model = open_model(other.view());
  ASSERT_TRUE(model.is_ok());
  VectorQuestion question;
  ASSERT_TRUE((*model)->reduce_similar(3, question));
  EXPECT_EQ(best_of(question, 10).size(), 10U);
}

}  // namespace
}  // namespace personalize::hrnn
