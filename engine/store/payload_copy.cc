#include "engine/store/payload_copy.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "engine/math/thread_team.h"

namespace personalize {
namespace {

// Small enough to be still in the cache when it is hashed.
constexpr size_t kPiece = size_t{1} << 20;
// What one thread reads in the time that starting another takes many times over.
constexpr size_t kSharedFrom = size_t{16} << 20;

// Hashes the pieces of a payload in order, whatever the order in which they come.
class PiecesInOrder {
 public:
  PiecesInOrder(FrameChecksum& checksum, std::span<const std::byte> payload)
      : checksum_(checksum),
        payload_(payload),
        has_come_((payload.size() + kPiece - 1) / kPiece, false) {}

  size_t count() const { return has_come_.size(); }
  size_t size_of(size_t piece) const { return std::min(kPiece, payload_.size() - piece * kPiece); }

  // Any thread. Hashes what can be hashed now, unless another thread is doing it: that one takes
  // this piece, too.
  void come(size_t piece) {
    std::unique_lock lock(mutex_);
    has_come_[piece] = true;
    if (is_hashing_) return;
    is_hashing_ = true;
    while (next_ < count() && has_come_[next_]) {
      lock.unlock();
      checksum_.add(payload_.subspan(next_ * kPiece, size_of(next_)));
      lock.lock();
      next_++;
    }
    is_hashing_ = false;
  }

 private:
  FrameChecksum& checksum_;  // of the thread that is hashing
  const std::span<const std::byte> payload_;
  std::mutex mutex_;
  std::vector<bool> has_come_;
  size_t next_ = 0;  // to be hashed; written by the thread that is hashing
  bool is_hashing_ = false;
};

}  // namespace

Status copy_payload(const LmdbTxn& txn, FrameKind kind, std::string_view key,
                    std::span<const std::byte> value, std::span<std::byte> payload) {
  std::array<std::byte, kFrameHeaderSize> header;
  FrameChecksum::Stored stored;
  PERSONALIZE_RETURN_IF_ERROR(txn.copy(value, 0, header));
  PERSONALIZE_RETURN_IF_ERROR(check_frame_header(kind, key, header, value.size()));
  PERSONALIZE_RETURN_IF_ERROR(txn.copy(value, value.size() - stored.size(), stored));

  FrameChecksum checksum(kind, key);
  checksum.add(header);
  PiecesInOrder pieces(checksum, payload);
  std::mutex mutex;
  Status failure;
  ThreadTeam team(payload.size() < kSharedFrom ? 1 : 2);
  const bool had_memory = team.run(pieces.count(), [&](size_t piece) {
    const Status copied = txn.copy(value, kFrameHeaderSize + piece * kPiece,
                                   payload.subspan(piece * kPiece, pieces.size_of(piece)));
    if (copied.is_ok()) return pieces.come(piece);
    const std::lock_guard lock(mutex);
    failure = copied;
  });
  if (!had_memory) return {StatusCode::kNoMemory, "no memory to read it"};
  PERSONALIZE_RETURN_IF_ERROR(failure);
  return checksum.compare(stored);
}

}  // namespace personalize
