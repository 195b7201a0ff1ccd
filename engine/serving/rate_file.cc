// The slots behind RateLimiter: mapped from a file, or in this process's own memory.
//
// File: a header of 64 bytes {magic, format, slot count}, then 64-byte slots, all little-endian
// machine words. Its space is reserved (posix_fallocate) before it is mapped: writing to a hole on
// a full disk would be SIGBUS. A campaign's slot is found by open addressing on its id and claimed
// by compare-and-swap; slots are never freed, ids never used twice.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "engine/serving/of_directory.h"
#include "engine/serving/rate.h"
#include "engine/store/store_directory.h"

namespace personalize {
namespace {

constexpr uint64_t kMagic = 0x31657461725f7370;  // "ps_rate1"
constexpr uint64_t kFormat = 1;
constexpr size_t kSlots = 1023;  // with the header: 64 KiB
constexpr size_t kBytes = (kSlots + 1) * sizeof(RateSlot);
// How often a map looks whether its file was truncated or deleted under it.
constexpr int64_t kLookEvery = 10'000'000;
constexpr int kLockTries = 50;
constexpr useconds_t kLockPause = 1'000;

struct Header {
  uint64_t magic, format, slots, unused[5];
};
static_assert(sizeof(Header) == sizeof(RateSlot));

// The campaign's slot among `slots`, claimed if it had none; null if all are taken.
RateSlot* find_slot(std::span<RateSlot> slots, uint64_t campaign) {
  for (size_t probe = 0; probe < slots.size(); probe++) {
    RateSlot& slot = slots[(campaign + probe) % slots.size()];
    uint64_t owner = slot.campaign.load(std::memory_order_relaxed);
    if (owner == campaign) return &slot;
    if (owner == 0 && (slot.campaign.compare_exchange_strong(owner, campaign) || owner == campaign))
      return &slot;
  }
  return nullptr;
}

void add_rates(std::span<const RateSlot> slots, std::vector<CampaignRate>& rates) {
  for (const RateSlot& slot : slots) {
    const uint64_t campaign = slot.campaign.load(std::memory_order_relaxed);
    if (campaign == 0) continue;
    rates.push_back({campaign, static_cast<int64_t>(slot.rate.load(std::memory_order_relaxed))});
  }
}

// Slots of this process alone.
class LocalSlots {
 public:
  std::vector<RateSlot> slots = std::vector<RateSlot>(kSlots);
  RateSlot overflow = {};  // shared by all campaigns past the last slot
};

// The mapped file.
class Mapping {
 public:
  // Null if the file cannot be made, reserved or mapped.
  static std::shared_ptr<Mapping> open(const std::string& path, const std::string& like_file) {
    make_file_like(path, like_file);
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return nullptr;
    auto mapping = std::shared_ptr<Mapping>(new Mapping(file));
    return mapping->prepare() ? mapping : nullptr;
  }
  ~Mapping() {
    if (memory_ != MAP_FAILED) munmap(memory_, kBytes);
    close(file_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<RateSlot> slots() const { return {static_cast<RateSlot*>(memory_) + 1, kSlots}; }

  // False if the file has been truncated, replaced or deleted: the map must not be touched.
  bool sound() const {
    struct stat status = {};
    return fstat(file_, &status) == 0 && status.st_nlink > 0 &&
           status.st_size >= static_cast<off_t>(kBytes);
  }

 private:
  explicit Mapping(int file) : file_(file) {}

  // Makes the file what it must be, one process at a time, and maps it.
  bool prepare() {
    // Who holds the lock needs microseconds; one that was stopped in the middle must not stop us.
    for (int tries = 0; flock(file_, LOCK_EX | LOCK_NB) != 0; tries++) {
      if (tries == kLockTries) return false;
      usleep(kLockPause);
    }
    const bool mapped = reserve() && map();
    if (mapped) {
      auto* header = static_cast<Header*>(memory_);
      if (header->magic != kMagic || header->format != kFormat || header->slots != kSlots) {
        std::memset(memory_, 0, kBytes);
        *header = {kMagic, kFormat, kSlots, {}};
      }
    }
    flock(file_, LOCK_UN);
    return mapped;
  }
  bool reserve() {
    struct stat status = {};
    if (fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) return false;
    int code;
    do {
      code = posix_fallocate(file_, 0, static_cast<off_t>(kBytes));
    } while (code == EINTR);
    return code == 0;
  }
  bool map() {
    memory_ = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    return memory_ != MAP_FAILED;
  }

  int file_;
  void* memory_ = MAP_FAILED;
};

class FileLimiter : public RateLimiter {
 public:
  FileLimiter(const std::string& directory, const std::string& like_file)
      : path_(directory + "/rate"),
        like_file_(like_file),
        local_(of_directory<LocalSlots>(directory)) {
    mapping_ = Mapping::open(path_, like_file_);
    looked_ = now();
  }

  Admission ask(const RateLimit& limit, int64_t now, bool again) override {
    look(now);
    RateSlot* slot = mapping_ ? find_slot(mapping_->slots(), limit.campaign) : nullptr;
    if (slot == nullptr) slot = find_slot(local_->slots, limit.campaign);
    return personalize::ask(slot != nullptr ? *slot : local_->overflow, limit, now, again);
  }

  std::vector<CampaignRate> rates() const override {
    std::vector<CampaignRate> rates;
    if (mapping_ && mapping_->sound()) add_rates(mapping_->slots(), rates);
    if (!mapping_) add_rates(local_->slots, rates);
    return rates;
  }

  bool shared() const override { return mapping_ != nullptr; }

 private:
  // Leaves a map whose file is no longer sound, and tries for a new one.
  void look(int64_t now) {
    if (now - looked_ >= 0 && now - looked_ < kLookEvery) return;
    looked_ = now;
    if (mapping_ && mapping_->sound()) return;
    mapping_ = Mapping::open(path_, like_file_);
  }

  const std::string path_;
  const std::string like_file_;
  const std::shared_ptr<LocalSlots> local_;
  std::shared_ptr<Mapping> mapping_;
  int64_t looked_ = 0;
};

}  // namespace

std::shared_ptr<RateLimiter> RateLimiter::open(const std::string& directory,
                                               const std::string& like_file) {
  return std::make_shared<FileLimiter>(directory, like_file);
}

}  // namespace personalize
