#include "bench/support/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "engine/store/lmdb_env.h"

namespace bench {
namespace {

constexpr size_t kLane = 64;  // bytes of the widest loads
using Wide [[gnu::vector_size(kLane)]] = uint64_t;

// Several sums at once, or each addition would wait for the one before.
[[gnu::target_clones("avx512f", "avx2", "default")]] uint64_t sum_of(const Wide* memory,
                                                                     size_t count) {
  constexpr size_t kSums = 8;
  Wide sums[kSums] = {};
  for (size_t i = 0; i + kSums <= count; i += kSums)
    for (size_t k = 0; k < kSums; k++) sums[k] += memory[i + k];
  uint64_t all = 0;
  for (const Wide& sum : sums)
    for (size_t k = 0; k < kLane / sizeof(uint64_t); k++) all += sum[k];
  return all;
}

template <typename T>
T checked(personalize::Result<T> result) {
  if (!result.is_ok()) die(result.status().message());
  return std::move(result).value();
}

void checked(const personalize::Status& status) {
  if (!status.is_ok()) die(status.message());
}

struct Cursor : sqlite3_vtab_cursor {
  int64_t row, rows;
};

int connect(sqlite3* connection, void*, int, const char* const*, sqlite3_vtab** table, char**) {
  *table = new sqlite3_vtab();
  return sqlite3_declare_vtab(
      connection, "CREATE TABLE t(rank INT, item_id TEXT, score REAL, rows INT HIDDEN)");
}
int disconnect(sqlite3_vtab* table) {
  delete table;
  return SQLITE_OK;
}
int plan(sqlite3_vtab*, sqlite3_index_info* info) {
  for (int i = 0; i < info->nConstraint; i++) {
    if (info->aConstraint[i].iColumn != 3 || info->aConstraint[i].usable == 0) continue;
    info->aConstraintUsage[i].argvIndex = 1;
    info->aConstraintUsage[i].omit = 1;
    info->estimatedCost = 1;
    return SQLITE_OK;
  }
  return SQLITE_CONSTRAINT;
}
int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = new Cursor();
  return SQLITE_OK;
}
int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}
int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value** values) {
  static_cast<Cursor*>(cursor)->row = 0;
  static_cast<Cursor*>(cursor)->rows = sqlite3_value_int64(values[0]);
  return SQLITE_OK;
}
int next(sqlite3_vtab_cursor* cursor) {
  static_cast<Cursor*>(cursor)->row++;
  return SQLITE_OK;
}
int at_end(sqlite3_vtab_cursor* cursor) {
  return static_cast<int>(static_cast<Cursor*>(cursor)->row >= static_cast<Cursor*>(cursor)->rows);
}
int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const int64_t row = static_cast<Cursor*>(cursor)->row;
  if (column == 1)
    sqlite3_result_text(context, "12345", -1, SQLITE_STATIC);
  else if (column == 2)
    sqlite3_result_double(context, 0.5);
  else
    sqlite3_result_int64(context, row);
  return SQLITE_OK;
}
int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
  *row = static_cast<Cursor*>(cursor)->row;
  return SQLITE_OK;
}

}  // namespace

double stream_microseconds(size_t bytes) {
  constexpr size_t kBlock = 8 * kLane;  // what sum_of() reads in a turn
  const size_t size = (bytes + kBlock - 1) / kBlock * kBlock;
  std::unique_ptr<std::byte, void (*)(void*)> memory(
      static_cast<std::byte*>(std::aligned_alloc(kLane, size)), std::free);
  if (memory == nullptr) die("no memory");
  std::memset(memory.get(), 3, size);
  const auto* const wide = reinterpret_cast<const Wide*>(memory.get());
  uint64_t sum = 0;
  double best = 1e18;
  const int times = static_cast<int>(std::clamp<size_t>(4'000'000'000 / size, 20, 2'000));
  for (int i = 0; i < times; i++) {
    const Stopwatch watch;
    sum += sum_of(wide, size / kLane);
    best = std::min(best, watch.seconds() * 1e6);
  }
  if (sum == 0) die("nothing was read");
  return best;
}

std::vector<double> pauses_of_a_second() {
  constexpr double kPause = 5;
  std::vector<double> pauses;
  const Stopwatch watch;
  for (double before = 0, now = 0; now < 1e6; before = now) {
    now = watch.seconds() * 1e6;
    if (now - before > kPause) pauses.push_back(now - before);
  }
  return pauses;
}

double lmdb_get_microseconds(const std::string& folder) {
  constexpr int kKeys = 100'000, kGets = 200'000, kRound = 1'000;
  const std::string path = folder + "/bound.mdb";
  for (const char* suffix : {"", "-lock"}) std::filesystem::remove(path + suffix);
  personalize::LmdbOptions options;
  options.no_sync = options.create_databases = true;
  options.map_size = size_t{1} << 30;
  const char* const databases[] = {"values"};
  const auto env = checked(personalize::LmdbEnv::open(path, options, databases));
  const auto key_of = [](int number) { return fmt::format("{:024}", number); };
  personalize::LmdbTrouble trouble;
  {
    auto txn =
        checked(personalize::LmdbTxn::begin(*env, personalize::LmdbTxn::Access::kWrite, trouble));
    for (int i = 0; i < kKeys; i++) std::memset(checked(txn.reserve(0, key_of(i), 512)), i, 512);
    checked(txn.commit());
  }
  std::mt19937 random(1);
  std::vector<std::string> keys;
  for (int i = 0; i < kRound; i++) keys.push_back(key_of(static_cast<int>(random() % kKeys)));
  std::byte last{};
  double best = 1e18;
  for (int round = 0; round < kGets / kRound; round++) {
    const Stopwatch watch;
    for (const std::string& key : keys) {
      auto txn =
          checked(personalize::LmdbTxn::begin(*env, personalize::LmdbTxn::Access::kRead, trouble));
      last ^= checked(txn.get(0, key))->back();
    }
    best = std::min(best, watch.seconds() * 1e6 / kRound);
  }
  if (last == std::byte{1}) fmt::print(stderr, " ");  // so that it is looked at
  for (const char* suffix : {"", "-lock"}) std::filesystem::remove(path + suffix);
  return best;
}

void add_empty_table(sqlite3* connection) {
  static const sqlite3_module module = [] {
    sqlite3_module m = {};
    m.xConnect = connect;
    m.xDisconnect = disconnect;
    m.xBestIndex = plan;
    m.xOpen = open_cursor;
    m.xClose = close_cursor;
    m.xFilter = filter;
    m.xNext = next;
    m.xEof = at_end;
    m.xColumn = column;
    m.xRowid = row_id;
    return m;
  }();
  if (sqlite3_create_module(connection, "empty_table", &module, nullptr) != SQLITE_OK)
    die(sqlite3_errmsg(connection));
}

}  // namespace bench
