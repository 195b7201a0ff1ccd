// A finished blob in aligned memory of its own, so that a test can open what a recipe has written.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/store/blob.h"

namespace personalize {

class AlignedBlob {
 public:
  explicit AlignedBlob(const BlobWriter& writer) : AlignedBlob(writer.finish()) {}
  explicit AlignedBlob(const std::vector<std::byte>& bytes) : room_(bytes.size() + 64) {
    void* place = room_.data();
    size_t space = room_.size();
    std::align(64, bytes.size(), place, space);
    std::memcpy(place, bytes.data(), bytes.size());
    bytes_ = {static_cast<std::byte*>(place), bytes.size()};
    auto parsed = BlobView::parse(bytes_);
    EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
    if (parsed.is_ok()) view_ = *parsed;
  }
  AlignedBlob(const AlignedBlob&) = delete;
  AlignedBlob& operator=(const AlignedBlob&) = delete;

  const BlobView& view() const { return view_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> room_;
  std::span<std::byte> bytes_;
  BlobView view_;
};

}  // namespace personalize
