// Turns errno into a Status for the files of the stores.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"

namespace personalize {

// A sentence about `path`: "cannot write /x/models.mdb: No space left on device". A full disk is
// kFull even where the error says EIO (LMDB reports a short write so), a missing file kNotFound, a
// lack of rights or a read-only file system kReadOnly, ENOMEM kNoMemory, the rest kIo.
Status io_status(int error, std::string_view doing, const std::string& path);

}  // namespace personalize
