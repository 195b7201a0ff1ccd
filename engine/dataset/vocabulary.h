// The items a model knows: text id <-> dense number. Built in training, stored with the model, read
// in place from the stored bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ids.h"
#include "engine/status.h"
#include "engine/store/blob.h"

namespace personalize {

// Collects ids in training. Numbers are given in order of first sight.
class VocabularyBuilder {
 public:
  // The number of `id`, a new one if it was not seen before.
  ItemIndex add(std::string_view id);
  // The number of `id`, or kNoItem.
  ItemIndex find(std::string_view id) const;
  // index must be in 0 .. size() - 1. The view lives until the next add().
  std::string_view id(ItemIndex index) const {
    return std::string_view(text_).substr(offset_[index], offset_[index + 1] - offset_[index]);
  }
  size_t size() const { return offset_.size() - 1; }

  // Adds the sections that Vocabulary::open reads ("vocabulary.*").
  void write(BlobWriter& blob) const;

 private:
  void grow();
  std::string text_;                    // all ids, one after the other
  std::vector<uint64_t> offset_ = {0};  // size() + 1
  std::vector<uint32_t>
      slot_;  // open addressing, item number + 1; 0 = free; a power of two of them
};

// A stored vocabulary. Holds views into the blob, which must outlive it. Safe from any number of
// threads.
class Vocabulary {
 public:
  Vocabulary() = default;
  // Errors: kCorrupt if a section is missing or an offset or slot points outside of its section.
  static Result<Vocabulary> open(const BlobView& blob);

  size_t size() const { return offset_.empty() ? 0 : offset_.size() - 1; }
  // index must be in 0 .. size() - 1.
  std::string_view id(ItemIndex index) const {
    return text_.substr(offset_[index], offset_[index + 1] - offset_[index]);
  }
  // The number of `id`, or kNoItem. About 30 ns.
  ItemIndex find(std::string_view id) const;

 private:
  std::string_view text_;
  std::span<const uint64_t> offset_;  // size() + 1
  std::span<const uint32_t> slot_;    // a power of two of them
};

}  // namespace personalize
