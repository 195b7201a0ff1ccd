// One line on a terminal that says how far a training is. Where stderr is no terminal nothing is
// written: it belongs to the host.
#pragma once

#include <string_view>

#include "engine/store/records.h"

namespace personalize {

class ProgressLine {
 public:
  ProgressLine();
  // Takes the line away again.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::string_view version, const LogRow& row);

 private:
  bool terminal_;
  bool shown_ = false;
};

}  // namespace personalize
