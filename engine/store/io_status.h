// Reading the files of the stores, and errno as a Status.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace personalize {

// A sentence about `path`: "cannot write /x/models.mdb: No space left on device". A full disk is
// kFull even where the error says EIO (LMDB reports a short write so), a missing file kNotFound, a
// lack of rights or a read-only file system kReadOnly, ENOMEM kNoMemory, the rest kIo.
Status io_status(int error, std::string_view doing, const std::string& path);

// Reads all of `out` from `offset` of the file open as `fd`. False if it has not so many bytes
// there, or they cannot be read.
bool read_at(int fd, uint64_t offset, std::span<std::byte> out);

}  // namespace personalize
