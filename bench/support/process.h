// What a stage of a benchmark costs, told by a process of its own, so that its memory is nobody
// else's.
#pragma once

#include <functional>
#include <string>

namespace bench {

struct Cost {
  double seconds, added_mib, peak_mib;
  char told[256];  // what the stage returned
  std::string text() const;
};

// Runs `stage` in a child. Dies if it fails.
Cost in_process(const std::function<std::string()>& stage);

}  // namespace bench
