// A Progress for tests that only want the model: keeps the notes, and can be told to stop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/recipes/recipe.h"

namespace personalize {

class SilentProgress : public Progress {
 public:
  bool stop() override { return ++asked > stop_after; }
  void epoch(const EpochRow& row) override { epochs.push_back(row); }
  void note(std::string_view text) override { notes.emplace_back(text); }

  long asked = 0;
  long stop_after = 1L << 60;  // stop() is false so many times
  std::vector<EpochRow> epochs;
  std::vector<std::string> notes;
};

}  // namespace personalize
