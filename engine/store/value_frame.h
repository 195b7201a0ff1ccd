// What surrounds every value in models.mdb and states.mdb: a header that says what it is, and a
// checksum that is seeded with the hash of its key, so that neither a changed value nor a right
// value in the wrong place is ever taken for true. Layout: doc/file_format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/status.h"

namespace personalize {

// The format of both files. A file of another number is refused, never converted.
inline constexpr uint8_t kStoreFormat = 1;

// Stored in every value, so the numbers are part of the format.
enum class FrameKind : uint8_t {
  kInfo = 1,
  kVersion = 2,
  kModel = 3,
  kMetrics = 4,
  kLog = 5,
  kOther = 6,
  kState = 7,
  kRecommendation = 8,
};

inline constexpr size_t kFrameHeaderSize = 24;
inline constexpr size_t kFrameOverhead = kFrameHeaderSize + 8;

// Writes header, payload and checksum to `out`, which has kFrameOverhead + payload.size() bytes and
// needs no alignment. `payload` may already lie at its place in `out`.
void write_frame(FrameKind kind, std::string_view key, std::span<const std::byte> payload,
                 std::byte* out);

// The payload of `value`, a view into it. Errors: kCorrupt, with a sentence part such as "its
// checksum is wrong", or for a sound frame of another format "it is of format 2, ...".
Result<std::span<const std::byte>> read_frame(FrameKind kind, std::string_view key,
                                              std::span<const std::byte> value);

// The checksum of a value that comes in pieces.
class FrameChecksum {
 public:
  FrameChecksum(FrameKind kind, std::string_view key);
  ~FrameChecksum();
  FrameChecksum(const FrameChecksum&) = delete;
  FrameChecksum& operator=(const FrameChecksum&) = delete;

  // Header and payload, in order.
  void add(std::span<const std::byte> piece);
  // After all of them: kCorrupt if `stored`, the last bytes of the value, is another.
  using Stored = std::array<std::byte, kFrameOverhead - kFrameHeaderSize>;
  Status compare(const Stored& stored) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The format number of a value that is one of ours and whose checksum fits the key it names. Header
// and checksum stay as they are in every format to come, at least in the `info` database.
std::optional<uint8_t> frame_format(std::span<const std::byte> value);

// The same as read_frame without the checksum: whether a value of `value_size` bytes that starts
// with `start` (kFrameHeaderSize bytes, or fewer if the value is shorter) claims to be the value of
// `key`.
Status check_frame_header(FrameKind kind, std::string_view key, std::span<const std::byte> start,
                          size_t value_size);

}  // namespace personalize
