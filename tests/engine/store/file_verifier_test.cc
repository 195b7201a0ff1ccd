#include "engine/store/file_verifier.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "engine/store/lmdb_env.h"
#include "engine/store/store_directory.h"
#include "engine/store/unique_fd.h"
#include "engine/store/writer_lock.h"
#include "tests/engine/store/temporary_directory.h"

namespace personalize {
namespace {

constexpr const char* kDatabases[] = {"a", "b", "c"};
using Contents = std::map<std::pair<size_t, std::string>, std::string>;

LmdbOptions writable() {
  LmdbOptions options;
  options.create_databases = true;
  options.no_sync = true;
  options.map_size = size_t{1} << 30;
  return options;
}

std::string random_text(std::mt19937& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

// One of the sizes at which values change their way of being stored.
size_t random_size(std::mt19937& random) {
  switch (random() % 10) {
    case 0:
      return 0;
    case 1:
      return 4096 * (1 + random() % 40) - 16 + random() % 3 - 1;
    case 2:
      return 1900 + random() % 300;
    case 3:
      return random() % 200'000;
    default:
      return random() % 600;
  }
}

// Changes `txn` and `contents` alike.
void change_at_random(LmdbTxn& txn, Contents& contents, std::mt19937& random) {
  const size_t database = random() % 3;
  if (random() % 50 == 0) {  // empty it
    for (auto entry = contents.begin(); entry != contents.end();) {
      if (entry->first.first != database) {
        ++entry;
        continue;
      }
      ASSERT_TRUE(txn.erase(database, entry->first.second).is_ok());
      entry = contents.erase(entry);
    }
    return;
  }
  for (unsigned n = random() % 60; n > 0; n--) {
    std::string key = random_text(random, 1 + random() % (random() % 8 == 0 ? 511 : 12));
    const auto near = contents.lower_bound({database, key});
    if (random() % 2 == 0 && near != contents.end() && near->first.first == database)
      key = near->first.second;
    if (random() % 3 == 0) {
      ASSERT_TRUE(txn.erase(database, key).is_ok());
      contents.erase({database, key});
    } else {
      const std::string value = random_text(random, random_size(random));
      const Result<std::byte*> out = txn.reserve(database, key, value.size());
      ASSERT_TRUE(out.is_ok()) << out.status().message();
      memcpy(*out, value.data(), value.size());
      contents[{database, key}] = value;
    }
  }
}

// What a walk sees, values read in full.
FileWalk walk_all(const std::string& path, Contents& seen) {
  const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
  return walk_file(fd.get(), 10, [&](const WalkedValue& value) {
    const Result<std::vector<std::byte>> bytes = read_walked(fd.get(), value);
    if (!bytes.is_ok()) return bytes.status();
    seen[{value.database[0] - 'a', std::string(value.key)}] =
        std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    return Status::ok();
  });
}

TEST(FileVerifier, FindsNothingWrongWithWhateverLmdbWrites) {
  for (unsigned seed = 1; seed <= 2; seed++) {
    TemporaryDirectory scratch;
    const std::string path = scratch / "file";
    std::mt19937 random(seed);
    Contents contents;
    auto env = LmdbEnv::open(path, writable(), kDatabases);
    ASSERT_TRUE(env.is_ok()) << env.status().message();
    std::optional<LmdbTxn> reader;  // keeps pages from being used again
    for (int round = 0; round < 150; round++) {
      LmdbTrouble trouble;
      if (random() % 10 == 0) reader.reset();
      if (random() % 10 == 0 && !reader)
        reader.emplace(*LmdbTxn::begin(**env, LmdbTxn::Access::kRead, trouble));
      auto txn = LmdbTxn::begin(**env, LmdbTxn::Access::kWrite, trouble);
      ASSERT_TRUE(txn.is_ok());
      Contents changed = contents;
      change_at_random(*txn, changed, random);
      if (random() % 8 == 0) continue;  // aborted
      ASSERT_TRUE(txn->commit().is_ok());
      contents = std::move(changed);
      if (round % 5 != 0 && round < 140) continue;
      Contents seen;
      const FileWalk walk = walk_all(path, seen);
      ASSERT_TRUE(walk.problems.empty())
          << "seed " << seed << " round " << round << ": " << walk.problems[0];
      ASSERT_EQ(seen, contents) << "seed " << seed << " round " << round;
      ASSERT_EQ(walk.transaction, (*env)->last_transaction());
    }
  }
}

TEST(FileVerifier, FindsEveryKindOfDamageInAPageThatIsInUse) {
  TemporaryDirectory scratch;
  const std::string path = scratch / "file";
  {
    auto env = LmdbEnv::open(path, writable(), kDatabases);
    ASSERT_TRUE(env.is_ok());
    LmdbTrouble trouble;
    auto txn = LmdbTxn::begin(**env, LmdbTxn::Access::kWrite, trouble);
    for (int i = 0; i < 2000; i++) memset(*txn->reserve(0, fmt::format("{:06}", i), 100), 'x', 100);
    ASSERT_TRUE(txn->commit().is_ok());
  }
  const UniqueFd fd = UniqueFd::open(path, O_RDWR);
  struct stat status;
  ASSERT_EQ(fstat(fd.get(), &status), 0);
  const auto problems = [&] {
    return walk_file(fd.get(), 1, [](const WalkedValue&) { return Status::ok(); }).problems;
  };
  ASSERT_TRUE(problems().empty());
  std::vector<char> page(4096), zeros(4096), other(4096);
  int found = 0;
  const off_t pages = status.st_size / 4096;
  for (off_t i = 0; i < pages; i++) {
    ASSERT_EQ(pread(fd.get(), page.data(), 4096, i * 4096), 4096);
    ASSERT_EQ(pread(fd.get(), other.data(), 4096, (i + 1) % pages * 4096), 4096);
    ASSERT_EQ(pwrite(fd.get(), zeros.data(), 4096, i * 4096), 4096);
    const bool zeroed = !problems().empty();
    ASSERT_EQ(pwrite(fd.get(), other.data(), 4096, i * 4096), 4096);
    const bool replaced = !problems().empty();
    ASSERT_EQ(pwrite(fd.get(), page.data(), 4096, i * 4096), 4096);
    EXPECT_EQ(zeroed, replaced) << "page " << i;
    found += zeroed;
  }
  // All but pages that were given back.
  EXPECT_GE(found, pages - 5);
  ASSERT_EQ(ftruncate(fd.get(), status.st_size - 4096), 0);
  EXPECT_FALSE(problems().empty());
  ASSERT_EQ(ftruncate(fd.get(), 100), 0);
  EXPECT_EQ(problems()[0], "meta page 0 is missing: the file was cut");
  ASSERT_EQ(ftruncate(fd.get(), 0), 0);
  EXPECT_FALSE(problems().empty());
}

TEST(FileVerifier, IsNotMisledByAProcessThatCommitsMeanwhile) {
  TemporaryDirectory scratch;
  const std::string path = scratch / "file";
  const pid_t writer = fork();
  if (writer == 0) {
    auto env = LmdbEnv::open(path, writable(), kDatabases);
    std::mt19937 random(7);
    Contents contents;
    for (;;) {
      LmdbTrouble trouble;
      auto txn = LmdbTxn::begin(**env, LmdbTxn::Access::kWrite, trouble);
      change_at_random(*txn, contents, random);
      const auto lock = WriterLock::take((*env)->fd(), path, WriterLock::Kind::kWrite,
                                         WriterLock::Wait::kPatient);
      if (!txn->commit().is_ok()) _exit(1);
    }
  }
  while (access(lock_file_of(path).c_str(), F_OK) != 0) usleep(1000);
  usleep(50'000);
  int walks = 0;
  for (int i = 0; i < 200; i++) {
    const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
    const auto walk =
        walk_file_in_use(fd.get(), path, 1, [](const WalkedValue&) { return Status::ok(); });
    ASSERT_TRUE(walk.is_ok()) << walk.status().message();
    EXPECT_TRUE(walk->problems.empty()) << walk->problems[0];
    walks++;
  }
  EXPECT_EQ(walks, 200);
  kill(writer, SIGKILL);
  waitpid(writer, nullptr, 0);
}

}  // namespace
}  // namespace personalize
