#include "engine/store/value_frame.h"

#include <fmt/format.h>

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

constexpr uint32_t kMagic = 0x5650'5253;  // "SRPV"

struct Header {
  uint32_t magic;
  uint8_t kind;
  uint8_t format;
  uint16_t reserved;
  uint64_t payload_size;
  uint64_t key_hash;
};
static_assert(sizeof(Header) == kFrameHeaderSize);

uint64_t hash_of_key(FrameKind kind, std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), static_cast<uint64_t>(kind));
}

// Of all of a value but the checksum at its end.
uint64_t checksum_of(std::span<const std::byte> value, uint64_t key_hash) {
  return XXH3_64bits_withSeed(value.data(), value.size() - sizeof(uint64_t), key_hash);
}

uint64_t stored_checksum(std::span<const std::byte> value) {
  uint64_t checksum;
  std::memcpy(&checksum, value.data() + value.size() - sizeof checksum, sizeof checksum);
  return checksum;
}

Status damaged(std::string what) { return {StatusCode::kCorrupt, std::move(what)}; }

Status check_header(const Header& header, FrameKind kind, std::string_view key, size_t value_size) {
  if (header.magic != kMagic) return damaged("it does not start as a value of ours does");
  if (header.format != kStoreFormat)
    return damaged(
        fmt::format("it is of format {}, this build knows {}", header.format, kStoreFormat));
  if (header.kind != static_cast<uint8_t>(kind) || header.reserved != 0)
    return damaged(fmt::format("it is of kind {}, not {}", header.kind, static_cast<int>(kind)));
  if (value_size < kFrameOverhead || header.payload_size != value_size - kFrameOverhead)
    return damaged(fmt::format("its header says {} bytes, there are {} with header and checksum",
                               header.payload_size, value_size));
  if (header.key_hash != hash_of_key(kind, key)) return damaged("it belongs to another key");
  return Status::ok();
}

}  // namespace

void write_frame(FrameKind kind, std::string_view key, std::span<const std::byte> payload,
                 std::byte* out) {
  const Header header = {kMagic,         static_cast<uint8_t>(kind), kStoreFormat, 0,
                         payload.size(), hash_of_key(kind, key)};
  std::memcpy(out, &header, sizeof header);
  if (!payload.empty() && payload.data() != out + sizeof header)
    std::memcpy(out + sizeof header, payload.data(), payload.size());
  const uint64_t checksum = checksum_of({out, kFrameOverhead + payload.size()}, header.key_hash);
  std::memcpy(out + sizeof header + payload.size(), &checksum, sizeof checksum);
}

std::optional<uint8_t> frame_format(std::span<const std::byte> value) {
  Header header;
  if (value.size() < kFrameOverhead) return std::nullopt;
  std::memcpy(&header, value.data(), sizeof header);
  if (header.magic != kMagic || checksum_of(value, header.key_hash) != stored_checksum(value))
    return std::nullopt;
  return header.format;
}

struct FrameChecksum::State {
  XXH3_state_t hash;
};

FrameChecksum::FrameChecksum(FrameKind kind, std::string_view key)
    : state_(std::make_unique<State>()) {
  XXH3_64bits_reset_withSeed(&state_->hash, hash_of_key(kind, key));
}

FrameChecksum::~FrameChecksum() = default;

void FrameChecksum::add(std::span<const std::byte> piece) {
  XXH3_64bits_update(&state_->hash, piece.data(), piece.size());
}

Status FrameChecksum::compare(const Stored& stored) const {
  uint64_t checksum;
  std::memcpy(&checksum, stored.data(), sizeof checksum);
  return XXH3_64bits_digest(&state_->hash) == checksum ? Status::ok()
                                                       : damaged("its checksum is wrong");
}

Status check_frame_header(FrameKind kind, std::string_view key, std::span<const std::byte> start,
                          size_t value_size) {
  if (start.size() < kFrameHeaderSize) return damaged("it is shorter than its header");
  Header header;
  std::memcpy(&header, start.data(), sizeof header);
  return check_header(header, kind, key, value_size);
}

Result<std::span<const std::byte>> read_frame(FrameKind kind, std::string_view key,
                                              std::span<const std::byte> value) {
  PERSONALIZE_RETURN_IF_ERROR(check_frame_header(kind, key, value, value.size()));
  if (stored_checksum(value) != checksum_of(value, hash_of_key(kind, key)))
    return damaged("its checksum is wrong");
  return value.subspan(kFrameHeaderSize, value.size() - kFrameOverhead);
}

}  // namespace personalize
