#include "engine/serving/usage.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

namespace personalize {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint32_t kHour = 490'000;

// The wall clock of all counters here.
std::atomic<int64_t> wall_seconds;
int64_t wall() { return wall_seconds; }

// A directory of its own, removed afterwards.
class UsageTest : public testing::Test {
 protected:
  UsageTest() {
    char path[] = "/tmp/personalize-usage-XXXXXX";
    directory_ = mkdtemp(path);
    std::ofstream(like_file()) << "x";
    set_hour(kHour);
  }
  ~UsageTest() override { std::filesystem::remove_all(directory_); }

  std::string like_file() const { return directory_ + "/database"; }
  std::string file() const { return directory_ + "/usage"; }
  std::shared_ptr<UsageCounter> open() const {
    return UsageCounter::open(directory_, like_file(), wall);
  }
  std::vector<UsageRow> read() const { return read_usage(directory_); }
  static void set_hour(uint32_t hour) { wall_seconds = int64_t{hour} * 3'600 + 1'800; }
  // A second later each time, so that the counter looks around.
  void count(UsageCounter& counter, uint64_t campaign, QuestionKind kind, int times = 1) {
    now_ += kSecond;
    for (int i = 0; i < times; i++) counter.count_served(campaign, kind, now_, 20'000);
  }
  uint64_t served() const {
    uint64_t served = 0;
    for (const UsageRow& row : read()) served += row.served;
    return served;
  }

  std::string directory_;
  int64_t now_ = 5'000 * kSecond;
};

TEST_F(UsageTest, CountsByHourCampaignAndKind) {
  struct Count {
    uint64_t served = 0, throttled = 0;
    bool operator==(const Count&) const = default;
  };
  std::mt19937_64 random(9);
  std::map<UsageKey, Count> expected;
  std::vector<std::shared_ptr<UsageCounter>> counters = {open(), open(), open()};
  for (uint32_t hour = kHour; hour < kHour + 5; hour++) {
    set_hour(hour);
    now_ += kSecond;
    for (int i = 0; i < 1'000; i++) {
      const UsageKey key{hour, random() % 4, static_cast<QuestionKind>(random() % kQuestionKinds)};
      UsageCounter& counter = *counters[random() % counters.size()];
      if (random() % 5 == 0) {
        expected[key].throttled++;
        counter.count_throttled(key.campaign, key.kind, now_);
      } else {
        expected[key].served++;
        counter.count_served(key.campaign, key.kind, now_, 1'000);
      }
    }
  }
  std::map<UsageKey, Count> counted;
  for (const UsageRow& row : read()) counted[row.key] = {row.served, row.throttled};
  EXPECT_EQ(counted, expected);
}

TEST_F(UsageTest, ProcessesCountingAtOnceLoseNothingAndNeitherDoTheKilled) {
  constexpr int kProcesses = 4, kTimes = 5'000;
  constexpr size_t kCampaigns = 400;  // more than the file has room for at first
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; process++) {
    const pid_t child = fork();
    if (child == 0) {
      const auto counter = open();
      for (int i = 0; i < kTimes; i++)
        counter->count_served(static_cast<uint64_t>(i) % kCampaigns + 1, QuestionKind::kRank, now_,
                              i);
      kill(getpid(), SIGKILL);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  EXPECT_EQ(served(), uint64_t{kProcesses * kTimes});
  EXPECT_EQ(read().size(), kCampaigns);
  EXPECT_EQ(std::filesystem::file_size(file()), 4 * 65'536u)
      << "one slot a campaign, no matter who came first";
}

TEST_F(UsageTest, AChildOfForkCountsOnWithItsParentsCounter) {
  const auto counter = open();
  count(*counter, 1, QuestionKind::kRecommend);
  const pid_t child = fork();
  if (child == 0) {
    count(*counter, 1, QuestionKind::kRecommend, 10);
    count(*counter, 2, QuestionKind::kRecommend, 10);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  count(*counter, 2, QuestionKind::kRecommend, 5);
  EXPECT_EQ(read().size(), 2u);
  EXPECT_EQ(served(), 26u);
}

TEST_F(UsageTest, FourThreadsCountWhatOneWould) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([this] {
      const auto counter = open();
      for (int i = 0; i < 5'000; i++)
        counter->count_served(1, static_cast<QuestionKind>(i % 3), now_, i * 100);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served(), 20'000u);
  EXPECT_EQ(read().size(), 3u);
}

TEST_F(UsageTest, WhenTheFileIsFullTheOldestHourGoes) {
  constexpr uint32_t kSlots = 32'767, kWords = 64, kAnHour = 300;
  constexpr uint32_t kHours = kSlots / kAnHour + 1;
  // As doc/file_format.md has it: 300 campaigns an hour, the last hour incomplete.
  std::vector<uint64_t> words((kSlots + 1) * kWords);
  std::memcpy(words.data(), "p_usage1", 8);
  words[1] = 1;
  for (uint32_t i = 0; i < kSlots; i++) {
    words[(i + 1) * kWords] = uint64_t{0x55} << 56 | uint64_t{kHour + i / kAnHour} << 8;
    words[(i + 1) * kWords + 1] = i % kAnHour + 1;
    words[(i + 1) * kWords + 2] = 1;  // throttled
  }
  std::ofstream(file(), std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()),
             static_cast<std::streamsize>(words.size() * 8));
  ASSERT_EQ(read().size(), kSlots);

  set_hour(kHour + kHours);
  const auto counter = open();
  count(*counter, 1, QuestionKind::kRecommend);
  std::vector<UsageRow> rows = read();
  EXPECT_EQ(rows.size(), kSlots - kAnHour + 1);
  EXPECT_EQ(rows.front().key.hour, kHour + 1);
  EXPECT_EQ(rows.back().key.hour, kHour + kHours);
  EXPECT_EQ(std::filesystem::file_size(file()), words.size() * 8);
  // The room is used before another hour goes.
  for (uint64_t campaign = 2; campaign <= kAnHour; campaign++)
    count(*counter, campaign, QuestionKind::kRecommend);
  EXPECT_EQ(read().size(), kSlots);
  count(*counter, kAnHour + 1, QuestionKind::kRecommend);
  rows = read();
  EXPECT_EQ(rows.front().key.hour, kHour + 2);
  EXPECT_EQ(served(), uint64_t{kAnHour + 1});
}

TEST_F(UsageTest, ADamagedFileIsMadeAnew) {
  count(*open(), 1, QuestionKind::kRecommend);
  {
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (int i = 0; i < 3'000; i++) damage << "junk";
  }
  EXPECT_EQ(read().size(), 0u);
  count(*open(), 1, QuestionKind::kRecommend, 3);
  EXPECT_EQ(served(), 3u);
}

TEST_F(UsageTest, JunkBehindASoundHeaderIsNeitherReadNorInTheWay) {
  open();
  count(*open(), 1, QuestionKind::kRecommend);
  {
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(1'536);  // slots are given out from the second on
    for (int i = 0; i < 10'000; i++) damage << "junk!?";
  }
  ASSERT_EQ(read().size(), 1u);
  count(*open(), 2, QuestionKind::kRecommend, 3);
  EXPECT_EQ(read().size(), 2u);
  EXPECT_EQ(served(), 4u);
}

TEST_F(UsageTest, AFileTruncatedOrDeletedUnderUsIsLeft) {
  const auto counter = open();
  count(*counter, 1, QuestionKind::kRecommend, 5);
  std::filesystem::resize_file(file(), 10);
  count(*counter, 1, QuestionKind::kRecommend, 3);
  EXPECT_EQ(served(), 3u);
  std::filesystem::remove(file());
  count(*counter, 1, QuestionKind::kRecommend, 2);
  EXPECT_EQ(served(), 2u);
}

TEST_F(UsageTest, WhereNoFileCanBeMadeTheProcessCountsAlone) {
  directory_ += "/missing";
  const auto a = open(), b = open();
  count(*a, 1, QuestionKind::kRecommend, 5);
  count(*b, 1, QuestionKind::kRecommend, 3);
  EXPECT_EQ(served(), 8u);
  directory_.resize(directory_.rfind('/'));
}

TEST_F(UsageTest, TakesTheModeOfTheDatabase) {
  std::filesystem::permissions(like_file(), std::filesystem::perms(0600));
  count(*open(), 1, QuestionKind::kRecommend);
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0600));
}

TEST_F(UsageTest, TakesAModeThatTheUmaskWouldNotAllow) {
  const mode_t before = umask(022);
  std::filesystem::permissions(like_file(), std::filesystem::perms(0664));
  count(*open(), 1, QuestionKind::kRecommend);
  umask(before);
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0664));
}

TEST_F(UsageTest, ReservesWhatAFileThatWasCopiedHasHolesFor) {
  count(*open(), 1, QuestionKind::kRecommend);
  std::filesystem::resize_file(file(), 256 << 10);
  struct stat status = {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  ASSERT_LT(status.st_blocks * 512, 256 << 10);
  count(*open(), 1, QuestionKind::kRecommend);
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 256 << 10);
}

TEST_F(UsageTest, KeepsHowLongQuestionsTook) {
  const auto counter = open();
  for (int i = 0; i < 99; i++) counter->count_served(1, QuestionKind::kScore, now_, 10'000);
  counter->count_served(1, QuestionKind::kScore, now_, 3'000'000);
  const LatencyCounts latencies = read().at(0).latencies;
  EXPECT_NEAR(latency_quantile(latencies, 0.5), 10'000, 1'250);
  EXPECT_NEAR(latency_quantile(latencies, 1.0), 3'000'000, 375'000);
}

}  // namespace
}  // namespace personalize
