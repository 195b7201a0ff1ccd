#include "engine/store/process_mark.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace personalize {
namespace {

TEST(ProcessMark, IsTheSameInAProcessAndAnotherInItsChildAndGrandchild) {
  const uint64_t mine = process_mark();
  EXPECT_EQ(process_mark(), mine);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const uint64_t childs = process_mark();
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(process_mark() != childs && process_mark() != mine ? 0 : 1);
    int status = 1;
    waitpid(grandchild, &status, 0);
    _exit(childs != mine && status == 0 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(process_mark(), mine);
}

}  // namespace
}  // namespace personalize
