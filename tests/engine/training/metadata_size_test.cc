#include "engine/training/metadata_size.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/engine/testing/vector_metadata.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

constexpr auto kGoOn = [] { return false; };

TEST(MetadataSize, OfNothingIsNothing) {
  VectorSource events({{"u", "i", 1}});
  EXPECT_EQ(*metadata_bytes(events, kGoOn), 0);
}

TEST(MetadataSize, IsNotBelowWhatTheRowsTake) {
  VectorSource events({{"u", "i", 1}});
  VectorMetadata items({{"TITLE", FieldKind::kText}, {"PRICE", FieldKind::kNumber}});
  double text = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string title = "title number " + std::to_string(i) + std::string(i % 50, 'x');
    text += static_cast<double>(title.size());
    items.add(std::to_string(i), {FieldValue::of(title), FieldValue::of(1.0 * i)});
  }
  // A text as it is and as words, a number as it is and sorted, the ids and where they end.
  const double least = 2 * text + 500 * (2 * 24 + 16 + 8 + 8);
  const double bytes = *metadata_bytes({events, &items, nullptr}, kGoOn);
  EXPECT_GT(bytes, least);
  EXPECT_LT(bytes, 50 * least) << "and no fantasy";
  EXPECT_EQ(*metadata_bytes({events, nullptr, &items}, kGoOn), bytes);
}

TEST(MetadataSize, OfContextsFollowsHowManyThereCanBe) {
  const auto bytes_of = [](int places, FieldKind kind) {
    VectorSource events({}, {{"PLACE", kind}});
    for (int i = 0; i < 2000; ++i)
      events.add({"u", "i", i, "", kNoValue, {std::to_string(i % places)}});
    return *metadata_bytes(events, kGoOn);
  };
  const double few = bytes_of(3, FieldKind::kCategorical);
  EXPECT_GE(few, 2000 * 4);
  EXPECT_LT(few, 2000 * 4 * 3 + 4 * 300);
  EXPECT_GE(bytes_of(2000, FieldKind::kCategorical), 2000 * (4 + 8 + 8));
  EXPECT_GE(bytes_of(3, FieldKind::kNumber), 2000 * (4 + 8 + 8)) << "numbers may all be different";
}

TEST(MetadataSize, CanBeStopped) {
  VectorSource events({{"u", "i", 1, "", kNoValue, {"3"}}}, {{"HOUR", FieldKind::kNumber}});
  VectorMetadata items({{"PRICE", FieldKind::kNumber}});
  items.add("a", {FieldValue::of(1.0)});
  EXPECT_EQ(metadata_bytes({events, &items, nullptr}, [] { return true; }).status().code(),
            StatusCode::kInterrupted);
  EXPECT_EQ(metadata_bytes(events, [] { return true; }).status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace personalize
