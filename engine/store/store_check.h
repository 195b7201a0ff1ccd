// personalize_check and personalize_repair: what is wrong in the files of a store directory, and
// the way back to a store that works. Neither needs LMDB to be able to open the damaged file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace personalize {

// One thing that personalize_check found.
struct StoreFinding {
  std::string file;     // "models.mdb"
  std::string problem;  // "page 812: key beyond page"
};

// Looks at every page and every value of models.mdb and states.mdb in `directory`, and at the
// format numbers, without LMDB's help and without trusting anything; other processes may go on
// using them. No findings: sound. A missing file is no finding; a hundred are the most. Errors:
// kReadOnly if a file may not be read, kBusy if a writer is in the way.
Result<std::vector<StoreFinding>> check_store(const std::string& directory);

// Sets damaged files aside as '<name>.damaged-N' (never deletes), carries over into a new
// models.mdb what is proven sound, and gives the names that the damaged files have now; none if
// nothing was damaged. A version whose model is lost is not carried over. Errors:
//   kBusy          a process, this one too, has a damaged file open
//   kInvalidInput  models.mdb belongs to another database than `uuid`
//   kCorrupt       it is of another format number: nothing was touched
//   kReadOnly, kFull, kIo, kNoMemory as they say; nothing is lost then
Result<std::vector<std::string>> repair_store(const std::string& directory, std::string_view uuid,
                                              const std::string& like_file);

}  // namespace personalize
