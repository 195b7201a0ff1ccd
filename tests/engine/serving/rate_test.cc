#include "engine/serving/rate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

namespace personalize {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 5'000 * kSecond;

RateLimit hard_limit(int64_t tps, double burst) { return {7, tps, tps, burst}; }

// The largest number of admissions in any window of `width`, given their times in order.
size_t most_in_a_window(const std::vector<int64_t>& times, int64_t width) {
  size_t most = 0, first = 0;
  for (size_t last = 0; last < times.size(); last++) {
    while (times[last] - times[first] >= width) first++;
    most = std::max(most, last - first + 1);
  }
  return most;
}

// Asks every `step` nanoseconds from `start` on for `seconds`; gives the number admitted.
int flat_out(RateSlot& slot, const RateLimit& limit, int64_t start, double seconds, int64_t step) {
  int admitted = 0;
  const int64_t end = start + static_cast<int64_t>(seconds * kSecond);
  for (int64_t now = start; now < end; now += step)
    admitted += ask(slot, limit, now, false).admitted;
  return admitted;
}

TEST(Rate, RandomArrivalsNeverExceedRateTimesWindowPlusBurst) {
  for (const int64_t tps : {1, 3, 10, 100, 500, 2'000}) {
    for (const double burst : {0.0, 0.1, 1.0}) {
      std::mt19937_64 random(static_cast<uint64_t>(tps));
      RateSlot slot = {};
      std::vector<int64_t> admitted;
      int64_t now = kStart;
      for (int i = 0; i < 20'000; i++) {
        // Mostly busy, sometimes idle long enough to save up a burst.
        now += static_cast<int64_t>(random() % static_cast<uint64_t>(kSecond / tps));
        if (random() % 500 == 0) now += 3 * kSecond;
        if (ask(slot, hard_limit(tps, burst), now, false).admitted) admitted.push_back(now);
      }
      for (const double width : {0.1, 0.5, 1.0, 3.0, 10.0})
        EXPECT_LE(
            static_cast<double>(most_in_a_window(admitted, static_cast<int64_t>(width * kSecond))),
            static_cast<double>(tps) * (width + burst) + 1.001)
            << tps << " TPS, burst " << burst << ", window " << width;
    }
  }
}

TEST(Rate, DemandThatAlwaysWaitsGetsTheWholeRate) {
  for (const int64_t tps : {1, 10, 100, 500, 1'024, 5'000, 100'000}) {
    RateSlot slot = {};
    const RateLimit limit = hard_limit(tps, 1.0);
    flat_out(slot, limit, kStart, 2, kSecond / tps / 4);
    const int64_t after_burst = kStart + 2 * kSecond;
    const int admitted = flat_out(slot, limit, after_burst, 10, kSecond / tps / 4);
    EXPECT_NEAR(admitted, static_cast<double>(10 * tps), std::max<double>(1, 0.001 * 10 * tps))
        << tps;
  }
}

TEST(Rate, ADeniedRequestIsAdmittedExactlyAfterItsWaitAndNotBefore) {
  RateSlot slot = {};
  const RateLimit limit = hard_limit(10, 0.5);
  Admission answer;
  int at_once = 0;
  while ((answer = ask(slot, limit, kStart, false)).admitted) at_once++;
  EXPECT_EQ(at_once, 6);  // half a second's worth, and the one that is due
  EXPECT_EQ(answer.wait_nanoseconds, kSecond / 10);
  EXPECT_EQ(answer.rate, 10);
  EXPECT_FALSE(ask(slot, limit, kStart + answer.wait_nanoseconds - 1, true).admitted);
  EXPECT_TRUE(ask(slot, limit, kStart + answer.wait_nanoseconds, true).admitted);
}

TEST(Rate, ADeniedRequestChangesNothing) {
  RateSlot slot = {};
  const RateLimit limit = hard_limit(10, 0);
  ASSERT_TRUE(ask(slot, limit, kStart, false).admitted);
  const uint64_t arrival = slot.arrival.load();
  for (int i = 0; i < 5; i++) EXPECT_FALSE(ask(slot, limit, kStart + i, false).admitted);
  EXPECT_FALSE(ask(slot, limit, kStart + 5, true).admitted);
  EXPECT_EQ(slot.arrival.load(), arrival);
}

TEST(Rate, JunkInTheArrivalTimeIsRightAgainWithinTwoSeconds) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; i++) {
    RateSlot slot = {};
    switch (i % 3) {
      case 0:
        slot.arrival = random();
        break;
      case 1:
        slot.arrival = static_cast<uint64_t>(kStart + 365 * 86'400 * kSecond);
        break;
      default:
        slot.arrival = 0;
    }
    const RateLimit limit = hard_limit(100, 0.1);
    const int first = flat_out(slot, limit, kStart, 2, kSecond / 400);
    EXPECT_LE(first, 100 * 2 + 11) << "no free bucket";
    EXPECT_NEAR(flat_out(slot, limit, kStart + 2 * kSecond, 2, kSecond / 400), 200, 1);
  }
}

TEST(Rate, AChangedRateGivesNoFreeBucket) {
  RateSlot slot = {};
  flat_out(slot, hard_limit(10, 1.0), kStart, 3, kSecond / 1'000);
  const int64_t changed = kStart + 3 * kSecond;
  EXPECT_LE(flat_out(slot, hard_limit(100, 1.0), changed, 1, kSecond / 1'000), 101);
  EXPECT_LE(flat_out(slot, hard_limit(10, 1.0), changed + kSecond, 5, kSecond / 1'000), 51);
}

TEST(Rate, CapacityGrowsWithDemandAtMostDoublingASecondAndComesBack) {
  RateSlot slot = {};
  const RateLimit limit = {7, 10, 500, 0.1};
  std::vector<int64_t> rates;
  for (int second = 0; second < 8; second++) {
    flat_out(slot, limit, kStart + second * kSecond, 1, kSecond / 300);
    rates.push_back(static_cast<int64_t>(slot.rate.load()));
  }
  // The first second finds no earlier one; each later one sees the demand of the one before.
  EXPECT_EQ(rates[0], 10);
  EXPECT_EQ(rates[1], 20);
  EXPECT_EQ(rates[2], 40);
  EXPECT_NEAR(static_cast<double>(rates[7]), 300, 1);
  // Little demand: a tenth less each second.
  for (int second = 8; second < 12; second++)
    flat_out(slot, limit, kStart + second * kSecond, 1, kSecond / 5);
  EXPECT_LT(slot.rate.load(), 250u);
  EXPECT_GT(slot.rate.load(), 150u);
  // An idle second: back to the minimum at once.
  ask(slot, limit, kStart + 14 * kSecond, false);
  EXPECT_EQ(slot.rate.load(), 10u);
}

TEST(Rate, CapacityNeverExceedsTheMaximum) {
  RateSlot slot = {};
  slot.rate = 1'000'000;  // junk
  const RateLimit limit = {7, 10, 50, 0.1};
  EXPECT_EQ(ask(slot, limit, kStart, false).rate, 10);
  for (int second = 0; second < 8; second++)
    flat_out(slot, limit, kStart + second * kSecond, 1, kSecond / 1'000);
  EXPECT_EQ(slot.rate.load(), 50u);
}

TEST(Rate, AClockThatWasReadInTheSecondBeforeLosesNoCapacity) {
  RateSlot slot = {};
  const RateLimit limit{7, 10, 1'000, 0.0};
  for (int second = 0; second < 4; second++)
    flat_out(slot, limit, kStart + second * kSecond, 1.0, kSecond / 2'000);
  const int64_t later = kStart + 4 * kSecond;
  const int64_t rate = ask(slot, limit, later, false).rate;
  EXPECT_GT(rate, 50);
  EXPECT_EQ(ask(slot, limit, later - 1'000'000, false).rate, rate);
  EXPECT_EQ(ask(slot, limit, later + 1'000'000, false).rate, rate);
}

TEST(Rate, WithoutAMaximumNothingIsDenied) {
  RateSlot slot = {};
  const RateLimit limit = {7, 1, std::nullopt, 1.0};
  EXPECT_EQ(flat_out(slot, limit, kStart, 1, kSecond / 1'000), 1'000);
}

// A directory of its own, removed afterwards.
class RateFileTest : public testing::Test {
 protected:
  RateFileTest() {
    char path[] = "/tmp/personalize-rate-XXXXXX";
    directory_ = mkdtemp(path);
    std::ofstream(like_file()) << "x";
  }
  ~RateFileTest() override { std::filesystem::remove_all(directory_); }
  std::string like_file() const { return directory_ + "/database"; }
  std::string file() const { return directory_ + "/rate"; }
  std::shared_ptr<RateLimiter> open() const { return RateLimiter::open(directory_, like_file()); }
  // How many of `asked` requests at one moment are admitted.
  static int at_once(RateLimiter& limiter, const RateLimit& limit, int64_t now, int asked) {
    int admitted = 0;
    for (int i = 0; i < asked; i++) admitted += limiter.ask(limit, now).admitted;
    return admitted;
  }
  std::string directory_;
};

TEST_F(RateFileTest, TwoLimitersOfADirectoryShareTheLimit) {
  const auto a = open(), b = open();
  EXPECT_TRUE(a->shared());
  EXPECT_EQ(at_once(*a, hard_limit(10, 1.0), kStart, 8), 8);
  EXPECT_EQ(at_once(*b, hard_limit(10, 1.0), kStart, 8), 3);
  const std::vector<CampaignRate> rates = open()->rates();
  ASSERT_EQ(rates.size(), 1u);
  EXPECT_EQ(rates[0].campaign, 7u);
}

TEST_F(RateFileTest, CampaignsDoNotShareTheirLimit) {
  const auto limiter = open();
  for (uint64_t campaign : {1, 2, 1'024, 2'047})  // the last three meet in one slot
    EXPECT_EQ(at_once(*limiter, {campaign, 10, 10, 1.0}, kStart, 20), 11) << campaign;
  EXPECT_EQ(limiter->rates().size(), 4u);
}

TEST_F(RateFileTest, MoreCampaignsThanSlotsAreStillLimited) {
  const auto limiter = open();
  for (uint64_t campaign = 1; campaign <= 1'500; campaign++)
    ASSERT_LE(at_once(*limiter, {campaign, 1, 1, 1.0}, kStart, 5), 2);
}

TEST_F(RateFileTest, AChildOfForkSharesTheLimit) {
  const auto limiter = open();
  EXPECT_EQ(at_once(*limiter, hard_limit(10, 1.0), kStart, 5), 5);
  const pid_t child = fork();
  if (child == 0) _exit(at_once(*limiter, hard_limit(10, 1.0), kStart, 4));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_EQ(at_once(*limiter, hard_limit(10, 1.0), kStart, 8), 2);
}

TEST_F(RateFileTest, ADamagedHeaderIsMadeAnew) {
  open();
  {
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (int i = 0; i < 3'000; i++) damage << "junk";
  }
  const auto limiter = open();
  EXPECT_TRUE(limiter->shared());
  EXPECT_EQ(at_once(*limiter, hard_limit(10, 1.0), kStart, 20), 11);
}

TEST_F(RateFileTest, AFileTruncatedOrDeletedUnderUsIsLeft) {
  const auto limiter = open();
  at_once(*limiter, hard_limit(10, 1.0), kStart, 5);
  std::filesystem::resize_file(file(), 10);
  int64_t later = RateLimiter::now() + kSecond;
  EXPECT_EQ(at_once(*limiter, hard_limit(10, 1.0), later, 20), 11);
  std::filesystem::remove(file());
  later += kSecond;
  at_once(*limiter, hard_limit(10, 1.0), later, 1);
  EXPECT_TRUE(std::filesystem::exists(file()));
  EXPECT_TRUE(limiter->shared());
}

TEST_F(RateFileTest, WhereNoFileCanBeMadeTheLimitHoldsInTheProcess) {
  const std::string missing = directory_ + "/missing";
  const auto a = RateLimiter::open(missing, like_file()),
             b = RateLimiter::open(missing, like_file());
  EXPECT_FALSE(a->shared());
  EXPECT_EQ(at_once(*a, hard_limit(10, 1.0), kStart, 8), 8);
  EXPECT_EQ(at_once(*b, hard_limit(10, 1.0), kStart, 8), 3);
  EXPECT_EQ(a->rates().size(), 1u);
}

TEST_F(RateFileTest, TakesTheModeOfTheDatabase) {
  std::filesystem::permissions(like_file(), std::filesystem::perms(0600));
  open();
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0600));
}

TEST_F(RateFileTest, TakesAModeThatTheUmaskWouldNotAllow) {
  const mode_t before = umask(022);
  std::filesystem::permissions(like_file(), std::filesystem::perms(0664));
  open();
  umask(before);
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0664));
}

TEST_F(RateFileTest, FourThreadsAtOnceAdmitWhatOneWould) {
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back(
        [&] { admitted += at_once(*open(), hard_limit(500, 1.0), kStart, 2'000); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 501);
}

}  // namespace
}  // namespace personalize
