// Copies a large value out of the store and proves it right meanwhile: a model of hundreds of
// megabytes keeps the first question of a process waiting for it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "engine/status.h"
#include "engine/store/lmdb_env.h"
#include "engine/store/value_frame.h"

namespace personalize {

// Copies the payload of `value`, which `txn` gave for `key`, to `payload`, which has its size (that
// of the value less kFrameOverhead, if it has as much), and checks header and checksum. From 16 MiB
// on with a second thread, of this call alone. Errors: kCorrupt, with a sentence part; kIo if it
// cannot be read; kNoMemory.
Status copy_payload(const LmdbTxn& txn, FrameKind kind, std::string_view key,
                    std::span<const std::byte> value, std::span<std::byte> payload);

}  // namespace personalize
