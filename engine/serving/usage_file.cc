// The slots behind UsageCounter: mapped from a file, or in this process's own memory.
//
// File: a header of 512 bytes {magic, format, last slot}, then 512-byte slots, as many as the file
// has room for, all little-endian machine words. It grows by 64 KiB, and its space is reserved
// before it is touched: writing to a hole on a full disk would be SIGBUS. Slots are given out under
// a lock of the file, once an hour a campaign and kind; counting takes none.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>

#include "engine/serving/of_directory.h"
#include "engine/serving/usage_slots.h"
#include "engine/store/store_directory.h"

namespace personalize {
namespace {

constexpr uint64_t kMagic = 0x3165676173755f70;  // "p_usage1"
constexpr uint64_t kFormat = 1;
constexpr size_t kSlotBytes = sizeof(UsageSlot);
constexpr size_t kMostSlots = 32'767;
constexpr size_t kMostBytes = (kMostSlots + 1) * kSlotBytes;  // with the header: 16 MiB
constexpr size_t kStep = 65'536;
constexpr size_t kLocalSlots = 63;
// How often a map looks which hour it is, and whether its file was truncated or deleted under it.
constexpr int64_t kLookEvery = 10'000'000;
constexpr int kLockTries = 50;
constexpr useconds_t kLockPause = 1'000;

struct Header {
  uint64_t magic, format;
  std::atomic<uint64_t> last;  // the slot that was given out last
  uint64_t unused[61];
};
static_assert(sizeof(Header) == kSlotBytes);

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : file_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {}
  ~Descriptor() {
    if (file_ < 0) return;
    // Closing alone would not let go of the lock while the file is mapped.
    flock(file_, LOCK_UN);
    close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }

  // Who holds the lock needs microseconds; one that was stopped in the middle must not stop us.
  bool lock() const {
    for (int tries = 0; flock(file_, LOCK_EX | LOCK_NB) != 0; tries++) {
      if (tries == kLockTries) return false;
      usleep(kLockPause);
    }
    return true;
  }

 private:
  int file_;
};

// Slots of this process alone.
class LocalSlots {
 public:
  UsageSlot* claim(const UsageKey& key) {
    const std::lock_guard lock(mutex_);
    if (UsageSlot* slot = find_slot(slots_, last_, key)) return slot;
    UsageSlot* slot = take_slot(slots_, last_, key);
    if (slot == nullptr && free_oldest_hour(slots_, key.hour)) slot = take_slot(slots_, last_, key);
    return slot;
  }
  std::span<const UsageSlot> slots() const { return slots_; }

 private:
  std::mutex mutex_;
  std::vector<UsageSlot> slots_ = std::vector<UsageSlot>(kLocalSlots);
  std::atomic<uint64_t> last_ = 0;
};

// The mapped file. Keeps no descriptor: a host may have as many connections as it has of these.
class Mapping {
 public:
  // Null if the file cannot be made, reserved or mapped.
  static std::shared_ptr<Mapping> open(const std::string& path, const std::string& like_file) {
    auto mapping = std::make_shared<Mapping>(path);
    return mapping->prepare(like_file) ? mapping : nullptr;
  }
  explicit Mapping(const std::string& path) : path_(path) {}
  ~Mapping() {
    if (memory_ != MAP_FAILED) munmap(memory_, kMostBytes);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // False if the file has been truncated, replaced or deleted: the map must not be touched.
  bool sound() const { return size_now() >= bytes_; }

  // The key's slot, a new one if it had none; null if there is no room or no lock.
  UsageSlot* claim(const UsageKey& key) {
    size_ = size_now();
    if (size_ < bytes_) return nullptr;
    if (UsageSlot* slot = find_slot(slots(), header().last, key)) return touched(slot);
    // A lock belongs to an open file, and that to parents and children of fork() alike: so not to
    // one that is kept open.
    const Descriptor file(path_, O_RDWR);
    if (!is_ours(file) || !file.lock()) return nullptr;
    size_ = size_now();
    if (size_ < bytes_) return nullptr;
    if (UsageSlot* slot = find_slot(slots(), header().last, key)) return touched(slot);
    UsageSlot* slot = take_slot(slots(), header().last, key);
    if (slot == nullptr && (grow(file) || free_oldest_hour(slots(), key.hour)))
      slot = take_slot(slots(), header().last, key);
    return slot == nullptr ? nullptr : touched(slot);
  }

 private:
  Header& header() const { return *static_cast<Header*>(memory_); }
  std::span<UsageSlot> slots() const {
    return {static_cast<UsageSlot*>(memory_) + 1, size_ / kSlotBytes - 1};
  }
  // The file must not become shorter than what we add to.
  UsageSlot* touched(UsageSlot* slot) {
    const auto end = static_cast<size_t>(slot + 1 - static_cast<UsageSlot*>(memory_));
    bytes_ = std::max(bytes_, end * kSlotBytes);
    return slot;
  }
  bool is_ours(const struct stat& status) const {
    return status.st_ino == inode_ && status.st_dev == device_;
  }
  bool is_ours(const Descriptor& file) const {
    struct stat status = {};
    return file.get() >= 0 && fstat(file.get(), &status) == 0 && is_ours(status);
  }
  // Of the file that is mapped, up to the end of the map; 0 if it is not in its place any more.
  size_t size_now() const {
    struct stat status = {};
    if (::stat(path_.c_str(), &status) != 0 || !is_ours(status)) return 0;
    return std::min(static_cast<size_t>(status.st_size), kMostBytes);
  }
  bool grow(const Descriptor& file) {
    if (size_ >= kMostBytes) return false;
    const size_t larger = std::min(size_ - size_ % kStep + kStep, kMostBytes);
    if (!reserve(file, larger)) return false;
    size_ = larger;
    return true;
  }
  static bool reserve(const Descriptor& file, size_t bytes) {
    int code;
    do {
      code = posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
    } while (code == EINTR);
    return code == 0;
  }

  // Makes the file what it must be, one process at a time, and maps it.
  bool prepare(const std::string& like_file) {
    struct stat status = {};
    make_file_like(path_, like_file);
    const Descriptor file(path_, O_RDWR);
    if (file.get() < 0 || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        !file.lock())
      return false;
    // Also what is there already: a file that was copied may have holes.
    const auto there = static_cast<size_t>(status.st_size);
    if (!reserve(file, std::clamp(there, kStep, kMostBytes))) return false;
    inode_ = status.st_ino;
    device_ = status.st_dev;
    size_ = size_now();
    if (size_ < kStep) return false;
    memory_ = mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory_ == MAP_FAILED) return false;
    if (header().magic != kMagic || header().format != kFormat) {
      std::memset(memory_, 0, size_);
      header().magic = kMagic;
      header().format = kFormat;
    }
    return true;
  }

  const std::string path_;
  ino_t inode_ = 0;
  dev_t device_ = 0;
  void* memory_ = MAP_FAILED;
  size_t size_ = 0;            // of the file, when it was looked at last
  size_t bytes_ = kSlotBytes;  // that are in use here
};

class FileCounter : public UsageCounter {
 public:
  FileCounter(const std::string& directory, const std::string& like_file, WallClock wall)
      : path_(directory + "/usage"),
        like_file_(like_file),
        wall_(wall),
        local_(of_directory<LocalSlots>(directory)) {}

  void count_served(uint64_t campaign, QuestionKind kind, int64_t now,
                    int64_t nanoseconds) override {
    if (UsageSlot* slot = slot_of(campaign, kind, now))
      slot->latencies[latency_bucket(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
  }
  void count_throttled(uint64_t campaign, QuestionKind kind, int64_t now) override {
    if (UsageSlot* slot = slot_of(campaign, kind, now))
      slot->throttled.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  // Null where not even this process has room, or memory: a question that is answered must not fail
  // for its count.
  UsageSlot* slot_of(uint64_t campaign, QuestionKind kind, int64_t now) {
    try {
      return find_or_claim(campaign, kind, now);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  UsageSlot* find_or_claim(uint64_t campaign, QuestionKind kind, int64_t now) {
    if (now - looked_ < 0 || now - looked_ >= kLookEvery) look(now);
    const uint64_t key = campaign * kQuestionKinds + static_cast<uint64_t>(kind);
    const auto [found, is_new] = known_.try_emplace(key, nullptr);
    if (is_new) {
      const UsageKey wanted{hour_, campaign, kind};
      if (mapping_) found->second = mapping_->claim(wanted);
      if (found->second == nullptr) found->second = local_->claim(wanted);
    }
    return found->second;
  }

  // Goes on to another hour, and leaves a map whose file is no longer sound for a new one.
  void look(int64_t now) {
    looked_ = now;
    const auto hour = static_cast<uint32_t>(std::max<int64_t>(0, wall_()) / 3'600);
    const bool sound = mapping_ && mapping_->sound();
    if (hour == hour_ && sound) return;
    if (!sound) {
      const bool had = mapping_ != nullptr;
      mapping_ = Mapping::open(path_, like_file_);
      if (hour == hour_ && !had && !mapping_) return;
    }
    hour_ = hour;
    known_.clear();
  }

  const std::string path_;
  const std::string like_file_;
  const WallClock wall_;
  const std::shared_ptr<LocalSlots> local_;
  std::shared_ptr<Mapping> mapping_;
  std::unordered_map<uint64_t, UsageSlot*> known_;  // of this hour
  uint32_t hour_ = 0;
  int64_t looked_ = -kLookEvery;
};

void add(std::span<const UsageSlot> slots, std::map<UsageKey, UsageRow>& rows) {
  for (const UsageSlot& slot : slots) {
    const std::optional<UsageKey> key = key_of(slot);
    if (!key) continue;
    const UsageRow more = row_of(slot, *key);
    const auto [found, is_new] = rows.try_emplace(*key, more);
    if (is_new) continue;
    found->second.served += more.served;
    found->second.throttled += more.throttled;
    for (size_t i = 0; i < kLatencyBuckets; i++) found->second.latencies[i] += more.latencies[i];
  }
}

// A copy of the file's slots; none if it is no such file.
std::vector<UsageSlot> read_slots(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  struct stat status = {};
  Header header = {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      pread(file.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
      header.magic != kMagic || header.format != kFormat ||
      status.st_size < static_cast<off_t>(kSlotBytes))
    return {};
  const size_t bytes = std::min(static_cast<size_t>(status.st_size), kMostBytes) - kSlotBytes;
  std::vector<UsageSlot> slots(bytes / kSlotBytes);
  auto* memory = reinterpret_cast<char*>(slots.data());
  for (size_t at = 0; at < slots.size() * kSlotBytes;) {
    const ssize_t read = pread(file.get(), memory + at, slots.size() * kSlotBytes - at,
                               static_cast<off_t>(kSlotBytes + at));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) break;
    at += static_cast<size_t>(read);
  }
  return slots;
}

}  // namespace

int64_t UsageCounter::wall_clock() {
  timespec time = {};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec;
}

std::shared_ptr<UsageCounter> UsageCounter::open(const std::string& directory,
                                                 const std::string& like_file, WallClock wall) {
  return std::make_shared<FileCounter>(directory, like_file, wall);
}

std::vector<UsageRow> read_usage(const std::string& directory) {
  std::map<UsageKey, UsageRow> found;
  add(read_slots(directory + "/usage"), found);
  add(of_directory<LocalSlots>(directory)->slots(), found);
  std::vector<UsageRow> rows;
  rows.reserve(found.size());
  for (auto& [key, row] : found) rows.push_back(row);
  return rows;
}

}  // namespace personalize
