#include "engine/store/blob.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>

namespace personalize {
namespace {

struct AlignedCopy {
  explicit AlignedCopy(std::span<const std::byte> from) : size(from.size()) {
    data.reset(static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64 + 64)));
    std::memcpy(data.get(), from.data(), size);
  }
  std::span<std::byte> bytes() { return {data.get(), size}; }
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data;
  size_t size;
};

std::vector<std::byte> sample() {
  BlobWriter writer;
  writer.add("numbers", std::vector<float>{1, 2, 3});
  writer.add_text("words", "hello");
  writer.add("empty", std::vector<int64_t>{});
  return writer.finish();
}

TEST(Blob, GivesBackWhatWasWritten) {
  AlignedCopy copy(sample());
  const Result<BlobView> view = BlobView::parse(copy.bytes());
  ASSERT_TRUE(view.is_ok()) << view.status().message();
  const Result<std::span<const float>> numbers = view->section<float>("numbers", 3);
  ASSERT_TRUE(numbers.is_ok());
  EXPECT_EQ((*numbers)[2], 3);
  EXPECT_EQ(*view->text("words"), "hello");
  EXPECT_TRUE(view->section<int64_t>("empty")->empty());
}

TEST(Blob, NamesAMissingSectionAWrongSizeAndAWrongCount) {
  AlignedCopy copy(sample());
  const Result<BlobView> view = BlobView::parse(copy.bytes());
  EXPECT_EQ(view->section<float>("none").status().message(),
            "the model is damaged: section none is missing");
  EXPECT_EQ(view->section<double>("numbers").status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(view->section<float>("numbers", 4).status().message(),
            "the model is damaged: section numbers has 3 elements, not 4");
}

TEST(Blob, SurvivesAnyByteChangeAndAnyTruncation) {
  const std::vector<std::byte> good = sample();
  std::mt19937 random(1);
  for (int round = 0; round < 20000; round++) {
    AlignedCopy copy(good);
    if (round % 2) copy.size = random() % good.size();
    if (copy.size) copy.data.get()[random() % copy.size] = static_cast<std::byte>(random());
    const Result<BlobView> view = BlobView::parse(copy.bytes());
    if (!view.is_ok()) continue;
    float sum = 0;
    if (const auto numbers = view->section<float>("numbers"); numbers.is_ok())
      for (const float x : *numbers) sum += x;
    if (const auto words = view->text("words"); words.is_ok())
      for (const char c : *words) sum += c;
    volatile float keep = sum;  // every byte is read: the sanitizers see a read outside
    (void)keep;
  }
}

}  // namespace
}  // namespace personalize
