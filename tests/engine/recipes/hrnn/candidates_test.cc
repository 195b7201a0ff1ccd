#include "engine/recipes/hrnn/candidates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/engine/testing/random_sequences.h"

namespace personalize::hrnn {
namespace {

constexpr size_t kItems = 3'000;

class CandidatesTest : public testing::Test {
 protected:
  CandidatesTest() : all_(random_sequences(200, kItems, 20, 3)) {}
  Candidates candidates(size_t room, uint64_t seed = 7) const {
    return {TrainingView::everything(all_), room, seed};
  }
  static std::vector<ItemIndex> drawn(Candidates& from, uint64_t window) {
    from.clear();
    from.draw(window);
    return {from.items().begin(), from.items().end()};
  }
  Sequences all_;
};

TEST_F(CandidatesTest, AreTheNeededOnesUncorrectedThenDrawnOnes) {
  Candidates candidates = this->candidates(100);
  for (const ItemIndex item : {5, 2'999, 5, 17}) EXPECT_TRUE(candidates.need(item));
  candidates.draw(1);
  ASSERT_EQ(candidates.items().size(), 100U);
  ASSERT_EQ(candidates.corrections().size(), 100U);
  EXPECT_EQ(candidates.place(5), 0);
  EXPECT_EQ(candidates.place(2'999), 1);
  EXPECT_EQ(candidates.place(17), 2);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(candidates.place(candidates.items()[i]), static_cast<int32_t>(i));
    if (i < 3)
      EXPECT_EQ(candidates.corrections()[i], 0);
    else
      EXPECT_GT(candidates.corrections()[i], 0);
  }
  candidates.clear();
  for (ItemIndex item = 0; item < static_cast<ItemIndex>(kItems); ++item)
    EXPECT_EQ(candidates.place(item), -1);
}

TEST_F(CandidatesTest, TakeNoMoreThanThereIsRoomFor) {
  Candidates candidates = this->candidates(2);
  EXPECT_TRUE(candidates.need(1));
  EXPECT_TRUE(candidates.need(2));
  EXPECT_FALSE(candidates.need(3));
  EXPECT_TRUE(candidates.need(2));
  candidates.draw(1);
  EXPECT_EQ(candidates.items().size(), 2U);
}

TEST_F(CandidatesTest, AreAllItemsWhereThereIsRoomForThem) {
  Candidates candidates = this->candidates(4 * kItems);
  candidates.draw(1);
  EXPECT_EQ(candidates.items().size(), kItems);
  for (const float correction : candidates.corrections()) EXPECT_NEAR(correction, 0, 0.03);
}

TEST_F(CandidatesTest, DependOnTheSeedAndTheWindowAlone) {
  Candidates one = candidates(200);
  Candidates other = candidates(200);
  const std::vector<ItemIndex> first = drawn(one, 4);
  EXPECT_NE(drawn(one, 5), first);
  EXPECT_EQ(drawn(other, 4), first);
  Candidates otherwise = candidates(200, 8);
  EXPECT_NE(drawn(otherwise, 4), first);
}

// The sum over all items is the mean of the corrected sums over candidates, whatever the logits and
// whichever items are needed.
TEST_F(CandidatesTest, SumToTheSumOverAllItemsOnAverage) {
  Candidates candidates = this->candidates(150);
  Random random(9, 0);
  std::vector<double> weight(kItems);
  double wanted = 0;
  for (double& w : weight) wanted += w = std::exp(1.5 * random.normal());
  constexpr int kDraws = 4'000;
  double sum = 0;
  double squares = 0;
  for (int window = 0; window < kDraws; ++window) {
    candidates.clear();
    for (int i = 0; i < window % 30; ++i)
      candidates.need(static_cast<ItemIndex>(random.below(kItems)));
    candidates.draw(static_cast<uint64_t>(window));
    double estimate = 0;
    for (size_t i = 0; i < candidates.items().size(); ++i)
      estimate += weight[static_cast<size_t>(candidates.items()[i])] *
                  std::exp(static_cast<double>(candidates.corrections()[i]));
    sum += estimate;
    squares += estimate * estimate;
  }
  const double mean = sum / kDraws;
  const double error = std::sqrt((squares / kDraws - mean * mean) / kDraws);
  EXPECT_LT(error, 0.01 * wanted);
  EXPECT_NEAR(mean, wanted, 3 * error + 0.002 * wanted);
}

}  // namespace
}  // namespace personalize::hrnn
