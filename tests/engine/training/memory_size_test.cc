#include "engine/training/memory_size.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

TEST(MemorySize, IsReadInBytesAndInUnits) {
  EXPECT_EQ(parse_memory_size("4000000000"), 4'000'000'000u);
  EXPECT_EQ(parse_memory_size("4000000000.0"), 4'000'000'000u);
  EXPECT_EQ(parse_memory_size("4 GB"), 4'000'000'000u);
  EXPECT_EQ(parse_memory_size(" 4gb "), 4'000'000'000u);
  EXPECT_EQ(parse_memory_size("1.5 GiB"), 1'610'612'736u);
  EXPECT_EQ(parse_memory_size("512 MiB"), 536'870'912u);
  EXPECT_EQ(parse_memory_size("3 kB"), 3'000u);
  EXPECT_EQ(parse_memory_size("1 TiB"), 1'099'511'627'776u);
}

TEST(MemorySize, IsNothingElse) {
  for (const char* text : {"", "GB", "4 PB", "four", "0", "-1", "0.5", "4 GB 2", "nan", "inf",
                           "1e300", "9999999 TB", "4,000"})
    EXPECT_EQ(parse_memory_size(text), std::nullopt) << text;
}

TEST(MemorySize, IsShownInTheLargestUnitThatFits) {
  EXPECT_EQ(memory_size_text(999), "999 bytes");
  EXPECT_EQ(memory_size_text(1'000), "1.0 kB");
  EXPECT_EQ(memory_size_text(12'345'678), "12.3 MB");
  EXPECT_EQ(memory_size_text(999'990'000), "1.0 GB");
  EXPECT_EQ(memory_size_text(5e15), "5000.0 TB");
}

class MachineMemory : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  uint64_t memory() const { return machine_memory(root_.path()); }
  TemporaryDirectory root_;
};

TEST_F(MachineMemory, IsUnknownWithoutTheSystemsFiles) { EXPECT_EQ(memory(), 0u); }

TEST_F(MachineMemory, IsThatOfTheMachineWhereNoControlGroupLimitsIt) {
  write("/proc/meminfo", "MemFree:  17 kB\nMemTotal:  8000 kB\nMemAvailable:  99 kB\n");
  EXPECT_EQ(memory(), 8'000u * 1'024);
  write("/proc/self/cgroup", "0::/user.slice/shell\n");
  write("/sys/fs/cgroup/user.slice/shell/memory.max", "max\n");
  EXPECT_EQ(memory(), 8'000u * 1'024);
}

TEST_F(MachineMemory, IsTheLeastLimitOfTheControlGroupsAboveIt) {
  write("/proc/meminfo", "MemTotal:  8000 kB\n");
  write("/proc/self/cgroup", "0::/user.slice/shell\n");
  write("/sys/fs/cgroup/user.slice/shell/memory.max", "max\n");
  write("/sys/fs/cgroup/user.slice/memory.max", "5000000\n");
  EXPECT_EQ(memory(), 5'000'000u);
  write("/sys/fs/cgroup/user.slice/shell/memory.max", "4000000\n");
  EXPECT_EQ(memory(), 4'000'000u);
}

TEST_F(MachineMemory, IsWhatAContainerWithItsOwnRootMayUse) {
  write("/proc/meminfo", "MemTotal:  8000 kB\n");
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/memory.max", "3000000\n");
  EXPECT_EQ(memory(), 3'000'000u);
}

TEST_F(MachineMemory, KnowsTheFirstVersionOfControlGroups) {
  write("/proc/meminfo", "MemTotal:  8000 kB\n");
  write("/proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n");
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2000000\n");
  EXPECT_EQ(memory(), 2'000'000u);
}

}  // namespace
}  // namespace personalize
