#include "engine/training/running_versions.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

namespace personalize {
namespace {

TEST(ProcessRunsSince, IsTrueOfLivingProcessesOnly) {
  EXPECT_TRUE(process_runs_since(getpid(), std::time(nullptr)));
  EXPECT_TRUE(process_runs_since(getppid(), std::time(nullptr)));
  EXPECT_FALSE(process_runs_since(0, std::time(nullptr)));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(process_runs_since(child, std::time(nullptr))) << "a zombie";
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(process_runs_since(child, std::time(nullptr))) << "nobody";
}

TEST(ProcessRunsSince, IsFalseOfAProcessThatBeganLater) {
  EXPECT_FALSE(process_runs_since(getpid(), std::time(nullptr) - 10 * 365 * 24 * 3600L));
}

TEST(RunningVersions, KnowWhatWasAddedAndNotRemoved) {
  RunningVersions versions;
  versions.add("a", "movies/00000001");
  EXPECT_TRUE(versions.contains("a", "movies/00000001"));
  EXPECT_FALSE(versions.contains("b", "movies/00000001"));
  versions.remove("a", "movies/00000001");
  EXPECT_FALSE(versions.contains("a", "movies/00000001"));
}

}  // namespace
}  // namespace personalize
