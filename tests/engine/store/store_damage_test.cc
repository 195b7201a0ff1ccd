// Damages the files of a store in thousands of ways and uses them: no crash, no wrong answer. What
// may come back is a clean error or what was written.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "engine/store/model_store.h"
#include "engine/store/records.h"
#include "engine/store/state_store.h"
#include "engine/store/store_check.h"
#include "engine/store/store_file.h"
#include "engine/store/unique_fd.h"
#include "tests/engine/store/temporary_directory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

constexpr const char* kUuid = "0f6e8a12-0000-4000-8000-000000000001";
constexpr uint64_t kSecret = 99;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kMutations = 800;  // a process and its memory cost so much more
#else
constexpr int kMutations = 3200;
#endif
constexpr int kMutationsAProcess = 40;
constexpr size_t kPage = 4096;
constexpr StoreKind kKinds[] = {StoreKind::kVersion, StoreKind::kModel, StoreKind::kMetrics,
                                StoreKind::kLog, StoreKind::kOther};

using Contents = std::map<std::pair<StoreKind, std::string>, std::string>;

std::string random_bytes(std::mt19937& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Several versions, of which some were deleted again, with models of all sizes.
Contents make_models(const std::string& directory) {
  std::mt19937 random(1);
  Contents contents;
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, "");
  EXPECT_TRUE(store.is_ok()) << store.status().message();
  for (int number = 1; number <= 9; number++) {
    const std::string key = version_key(number % 2 == 0 ? "movies" : "shop", number);
    VersionRecord record;
    record.solution = number % 2 == 0 ? "movies" : "shop";
    record.number = number;
    record.status = kVersionActive;
    record.seed = random();
    std::vector<std::tuple<StoreKind, std::string, std::string>> values = {
        {StoreKind::kVersion, key, encode(record)},
        {StoreKind::kMetrics, key, encode(std::vector<MetricRow>(number))},
        {StoreKind::kModel, key, random_bytes(random, size_t{500} << (number % 8))}};
    for (int line = 0; line < 25; line++) {
      LogRow row;
      row.sequence = line;
      row.message = std::string(random() % 100, 'x');
      values.emplace_back(StoreKind::kLog, log_key(record.solution, number, line), encode(row));
    }
    const Status written = (*store)->write([&](StoreWriter& writer) {
      for (const auto& [kind, name, value] : values)
        PERSONALIZE_RETURN_IF_ERROR(writer.put(kind, name, value));
      return Status::ok();
    });
    EXPECT_TRUE(written.is_ok()) << written.message();
    for (const auto& [kind, name, value] : values) contents[{kind, name}] = value;
  }
  const Status deleted = (*store)->write([&](StoreWriter& writer) {
    for (const int number : {3, 6})
      for (const StoreKind kind : {StoreKind::kVersion, StoreKind::kModel, StoreKind::kMetrics}) {
        const std::string key = version_key(number % 2 == 0 ? "movies" : "shop", number);
        PERSONALIZE_RETURN_IF_ERROR(writer.erase(kind, key));
        contents.erase({kind, key});
      }
    return Status::ok();
  });
  EXPECT_TRUE(deleted.is_ok()) << deleted.message();
  return contents;
}

constexpr int kUsers = 150;

StateKey key_of(int user) { return StateKey::make(user % 3, fmt::format("{}", user), kSecret); }

std::vector<float> state_of(int user) { return std::vector<float>(20 + user, 0.5F * user); }

void make_states(const std::string& directory) {
  const auto states = StateStore::open(directory, OpenMode::kReadWrite, "");
  for (int user = 0; user < kUsers; user++) states->put(key_of(user), user, ~user, state_of(user));
}

// Does one of the things to `bytes` that happen to files.
void damage(std::string& bytes, std::mt19937& random) {
  const size_t pages = bytes.size() / kPage;
  const auto random_page = [&] { return random() % pages * kPage; };
  const auto scribble = [&](size_t at, size_t size) {
    for (size_t i = 0; i < size && at + i < bytes.size(); i++)
      bytes[at + i] = static_cast<char>(random());
  };
  switch (random() % 10) {
    case 0:
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      break;
    case 1: {  // in a page's header, where it does most harm
      bytes[random_page() + random() % 32] ^= static_cast<char>(1 << random() % 8);
      break;
    }
    case 2:
      bytes[random() % 2 * kPage + random() % 152] ^= static_cast<char>(1 << random() % 8);
      break;
    case 3:
      scribble(random() % bytes.size(), 16);
      break;
    case 4:
      scribble(random_page() + random() % 64, 1 + random() % 8);
      break;
    case 5:
      bytes.replace(random_page(), kPage, kPage, '\0');
      break;
    case 6: {  // another page in its place, sometimes with the right number
      const size_t to = random_page(), from = random_page();
      const std::string number = bytes.substr(to, 8);
      bytes.replace(to, kPage, bytes.substr(from, kPage));
      if (random() % 2 == 0) bytes.replace(to, 8, number);
      break;
    }
    case 7: {
      const size_t a = random_page(), b = random_page();
      const std::string page = bytes.substr(a, kPage);
      bytes.replace(a, kPage, bytes.substr(b, kPage));
      bytes.replace(b, kPage, page);
      break;
    }
    case 8:
      bytes.resize(random() % (pages + 1) * kPage);
      break;
    default:
      bytes.resize(random() % bytes.size());
  }
}

// What came of one damaged file.
struct Outcome {
  bool refused = false;  // by an error, at opening or later
  std::string wrong;     // what was not as it should be
};

// `written` OR a clean error is what `read` may be.
template <typename T>
bool is_clean(const Result<T>& read, Outcome& outcome, std::string_view what) {
  if (read.is_ok()) return true;
  outcome.refused = true;
  if (read.status().code() != StatusCode::kCorrupt)
    outcome.wrong = fmt::format("{}: {}", what, read.status().message());
  return false;
}

void compare(ModelStore& store, const Contents& contents, Outcome& outcome) {
  for (const StoreKind kind : kKinds) {
    const auto listed = store.list(kind, "");
    if (!is_clean(listed, outcome, "list")) continue;
    size_t expected = 0;
    for (const auto& [key, value] : contents) expected += key.first == kind;
    if (listed->size() != expected) outcome.wrong = "list has another size";
    for (const auto& [key, value] : *listed) {
      const auto entry = contents.find({kind, key});
      if (entry == contents.end() || entry->second != value) outcome.wrong = "list: " + key;
    }
  }
  for (const auto& [key, value] : contents) {
    const auto got = store.get(key.first, key.second);
    if (is_clean(got, outcome, "get") && *got != value) outcome.wrong = "get: " + key.second;
    if (key.first != StoreKind::kModel) continue;
    const auto model = store.get_aligned(key.first, key.second);
    if (is_clean(model, outcome, "get_aligned") &&
        ((*model)->bytes().size() != value.size() ||
         memcmp((*model)->bytes().data(), value.data(), value.size()) != 0))
      outcome.wrong = "get_aligned: " + key.second;
  }
}

void use_models(const std::string& directory, Contents contents, Outcome& outcome) {
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kReadWrite, "");
  if (!is_clean(store, outcome, "open")) return;
  compare(**store, contents, outcome);
  Contents changed = contents;
  changed[{StoreKind::kModel, version_key("shop", 1)}] = std::string(9000, 'n');
  changed[{StoreKind::kVersion, version_key("new", 1)}] = "new";
  changed.erase({StoreKind::kModel, version_key("movies", 4)});
  const Status written = (*store)->write([&](StoreWriter& writer) {
    for (const auto& [key, value] : changed)
      if (contents[key] != value)
        PERSONALIZE_RETURN_IF_ERROR(writer.put(key.first, key.second, value));
    return writer.erase(StoreKind::kModel, version_key("movies", 4));
  });
  if (written.is_ok())
    compare(**store, changed, outcome);
  else if (is_clean(Result<int>(written), outcome, "write"))
    compare(**store, contents, outcome);
}

void use_states(const std::string& directory, Outcome& outcome) {
  const auto states = StateStore::open(directory, OpenMode::kReadWrite, "");
  StoredState found;
  for (int user = 0; user < kUsers; user++) {
    if (!states->get(key_of(user), found))
      outcome.refused = true;
    else if (found.event_count != uint64_t(user) || found.chain_hash != uint64_t(~user) ||
             found.state != state_of(user))
      outcome.wrong = fmt::format("state of user {}", user);
  }
  for (int user = 0; user < kUsers; user += 7) {
    states->put(key_of(user), user, ~user, state_of(user));
    if (!states->get(key_of(user), found)) outcome.wrong = "a state that was put is not there";
  }
}

// After a repair everything works, and what is there is right.
void repair_and_use(const std::string& directory, const Contents& contents, Outcome& outcome) {
  const auto aside = repair_store(directory, kUuid, "");
  const auto findings = check_store(directory);
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, "");
  if (!aside.is_ok() || !findings.is_ok() || !findings->empty() || !store.is_ok()) {
    outcome.wrong = "repair: " + aside.status().message() + store.status().message();
    return;
  }
  for (const StoreKind kind : kKinds) {
    const auto listed = (*store)->list(kind, "");
    if (!listed.is_ok()) outcome.wrong = "list after repair: " + listed.status().message();
    if (!listed.is_ok()) continue;
    for (const auto& [key, value] : *listed) {
      const auto entry = contents.find({kind, key});
      // What a lost transaction had deleted may be there again.
      if (entry != contents.end() && entry->second != value) outcome.wrong = "after repair: " + key;
    }
  }
}

class StoreDamage : public ::testing::Test {
 protected:
  void SetUp() override {
    contents_ = make_models(original_.path());
    make_states(original_.path());
    models_ = read_file(original_ / "models.mdb");
    states_ = read_file(original_ / "states.mdb");
    ASSERT_GT(models_.size(), 40 * kPage);
    ASSERT_GT(states_.size(), 10 * kPage);
  }

  // In a directory of its own.
  Outcome try_mutation(const std::string& directory, unsigned seed) {
    std::mt19937 random(seed);
    std::filesystem::create_directory(directory);
    std::string models = models_, states = states_;
    const bool damage_states = seed % 4 == 0;
    damage(damage_states ? states : models, random);
    std::string& damaged = damage_states ? states : models;
    if (random() % 8 == 0 && damaged.size() > kPage) damage(damaged, random);
    write_file(directory + "/models.mdb", models);
    write_file(directory + "/states.mdb", states);
    Outcome outcome;
    const auto findings = check_store(directory);
    if (!findings.is_ok()) outcome.wrong = "check: " + findings.status().message();
    if (seed % 5 == 0) repair_and_use(directory, contents_, outcome);
    if (damage_states) {
      use_states(directory, outcome);
    } else if (seed % 5 != 0) {
      use_models(directory, contents_, outcome);
      if (outcome.refused && findings.is_ok() && findings->empty())
        outcome.wrong = "check found nothing";
    }
    std::filesystem::remove_all(directory);
    return outcome;
  }

  TemporaryDirectory original_{TemporaryDirectory::Place::kMemory};
  Contents contents_;
  std::string models_, states_;
};

TEST_F(StoreDamage, IsRefusedOrHarmlessWhateverItIs) {
  int refused = 0;
  for (int first = 0; first < kMutations; first += kMutationsAProcess) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int seed = first; seed < first + kMutationsAProcess; seed++) {
        const Outcome outcome = try_mutation(original_ / fmt::format("m{}", seed), seed);
        std::string line = outcome.wrong.empty() ? (outcome.refused ? "r" : "-")
                                                 : fmt::format("\n{}: {}\n", seed, outcome.wrong);
        if (write(pipe_ends[1], line.data(), line.size()) < 0) _exit(2);
      }
      _exit(0);
    }
    close(pipe_ends[1]);
    std::string report;
    std::array<char, 512> buffer;
    for (ssize_t got; (got = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
      report.append(buffer.data(), static_cast<size_t>(got));
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "a process died in mutation "
        << first + std::count(report.begin(), report.end(), 'r') +
               std::count(report.begin(), report.end(), '-');
    EXPECT_EQ(report.find('\n'), std::string::npos) << report;
    refused += static_cast<int>(std::count(report.begin(), report.end(), 'r'));
  }
  // Most damage hits something; some hits pages that nothing uses.
  EXPECT_GT(refused, kMutations / 4);
  EXPECT_LT(refused, kMutations);
  RecordProperty("mutations", kMutations);
  RecordProperty("refused", refused);
}

TEST_F(StoreDamage, AFileThatIsCutWhileItIsOpenIsAnError) {
  const std::string directory = original_ / "cut";
  for (const size_t pages : {size_t{0}, size_t{1}, size_t{2}, size_t{20}}) {
    std::filesystem::create_directory(directory);
    write_file(directory + "/models.mdb", models_);
    const auto store = ModelStore::open(directory, kUuid, OpenMode::kReadWrite, "");
    ASSERT_TRUE(store.is_ok());
    std::filesystem::resize_file(directory + "/models.mdb", pages * kPage);
    EXPECT_EQ((*store)->list(StoreKind::kLog, "").status().code(), StatusCode::kCorrupt);
    EXPECT_EQ((*store)->last_transaction().status().code(), StatusCode::kCorrupt);
    EXPECT_EQ((*store)->write([](StoreWriter&) { return Status::ok(); }).code(),
              StatusCode::kCorrupt);
    std::filesystem::remove_all(directory);
  }
}

// The same file as another format number would have it: every value says so, and its checksum is
// right. Remains of values that are in no use any more stay as they are.
std::string with_format(std::string file, char format) {
  constexpr size_t kHeader = 24;
  for (size_t at = file.find("SRPV"); at != std::string::npos; at = file.find("SRPV", at + 1)) {
    uint64_t payload, key_hash, checksum;
    if (file.size() - at < kHeader) break;
    memcpy(&payload, &file[at + 8], sizeof payload);
    memcpy(&key_hash, &file[at + 16], sizeof key_hash);
    if (payload > file.size() - at - kHeader - sizeof checksum) continue;
    char* const stored = &file[at + kHeader + payload];
    memcpy(&checksum, stored, sizeof checksum);
    if (checksum != XXH3_64bits_withSeed(&file[at], kHeader + payload, key_hash)) continue;
    file[at + 5] = format;
    checksum = XXH3_64bits_withSeed(&file[at], kHeader + payload, key_hash);
    memcpy(stored, &checksum, sizeof checksum);
  }
  return file;
}

TEST_F(StoreDamage, ALockFileFullOfJunkIsMadeAnew) {
  std::mt19937 random(5);
  const std::string directory = original_ / "lock";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}, size_t{200'000}}) {
    std::filesystem::create_directory(directory);
    write_file(directory + "/models.mdb", models_);
    write_file(directory + "/models.mdb-lock", random_bytes(random, size));
    Outcome outcome;
    use_models(directory, contents_, outcome);
    EXPECT_FALSE(outcome.refused) << size;
    EXPECT_EQ(outcome.wrong, "") << size;
    std::filesystem::remove_all(directory);
  }
}

TEST_F(StoreDamage, AnotherFormatIsRefusedAndLeftAlone) {
  const std::string directory = original_ / "format";
  const std::string path = directory + "/models.mdb";
  std::filesystem::create_directory(directory);
  write_file(path, with_format(models_, 2));
  const std::string sentence =
      path +
      " is of format 2, this build reads and writes format 1: use the version that made it, or "
      "move the file away and train again";
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kCreate, "");
  EXPECT_EQ(store.status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(store.status().message(), sentence);
  EXPECT_EQ(repair_store(directory, kUuid, "").status().message(), sentence);
  EXPECT_FALSE(check_store(directory)->empty());
  EXPECT_TRUE(read_file(path) == with_format(models_, 2));
}

// Pages are looked at in the order of the file, where `info` need not be first.
TEST_F(StoreDamage, AnotherFormatIsSeenThoughALargeValueIsMetFirst) {
  const std::string directory = original_ / "order";
  const std::string path = directory + "/models.mdb";
  std::filesystem::create_directory(directory);
  ASSERT_TRUE(make_store_file(path, kModelsFile, {{"uuid", kUuid}}, "").is_ok());
  {
    LmdbOptions options;
    options.map_size = size_t{16} << 20;
    const auto env = LmdbEnv::open(path, options, kModelsFile.databases);
    ASSERT_TRUE(env.is_ok()) << env.status().message();
    const auto put = [&](size_t database, FrameKind kind, std::string_view key, size_t size) {
      LmdbTrouble trouble;
      auto txn = LmdbTxn::begin(**env, LmdbTxn::Access::kWrite, trouble);
      const std::vector<std::byte> value(size, std::byte{1});
      ASSERT_TRUE(put_framed(*txn, database, kind, key, value).is_ok());
      ASSERT_TRUE(txn->commit().is_ok());
    };
    put(2, FrameKind::kModel, "shop/00000001", 100'000);
    for (int i = 0; i < 4; i++) put(kInfoDatabase, FrameKind::kInfo, "made", 900);
  }
  std::vector<std::string> met;
  const UniqueFd fd = UniqueFd::open(path, O_RDONLY);
  walk_file(fd.get(), 1, [&](const WalkedValue& value) {
    met.emplace_back(value.database);
    return Status::ok();
  });
  ASSERT_EQ(met.front(), "model");
  const std::string foreign = with_format(read_file(path), 2);
  write_file(path, foreign);
  const auto store = ModelStore::open(directory, kUuid, OpenMode::kReadWrite, "");
  EXPECT_THAT(store.status().message(), ::testing::HasSubstr("is of format 2"));
  EXPECT_EQ(repair_store(directory, kUuid, "").status().message(), store.status().message());
  EXPECT_TRUE(read_file(path) == foreign);
}

}  // namespace
}  // namespace personalize
