#include "extension/impression.h"

#include <gtest/gtest.h>

namespace personalize {
namespace {

using Items = std::vector<std::string>;

TEST(Impression, ListsItemsBetweenBarsEachOnce) {
  EXPECT_EQ(items_of_impression("a|b|c"), (Items{"a", "b", "c"}));
  EXPECT_EQ(items_of_impression(" a |b||b|\t"), (Items{"a", "b"}));
  EXPECT_EQ(items_of_impression("42"), Items{"42"});
  EXPECT_EQ(items_of_impression(""), Items());
}

TEST(Impression, MayBeAJsonArrayOfTextsAndWholeNumbers) {
  EXPECT_EQ(items_of_impression(R"(["a|b", 42, "a|b", ""])"), (Items{"a|b", "42"}));
  EXPECT_EQ(items_of_impression(R"([1.5, null, {"a": 1}, ["b"], true])"), Items());
  EXPECT_EQ(items_of_impression("[]"), Items());
}

TEST(Impression, ThatStartsLikeJsonButIsNoneIsAListOfIds) {
  EXPECT_EQ(items_of_impression("[new] shoes|b"), (Items{"[new] shoes", "b"}));
}

TEST(Impression, LeavesOutWhatIsTooLongForAnId) {
  EXPECT_EQ(items_of_impression("a|" + std::string(2049, 'x')), Items{"a"});
  EXPECT_EQ(items_of_impression("a|" + std::string(2048, 'x')).size(), 2u);
}

TEST(Impression, IsReadBackAsTheItemsItWasMadeOf) {
  for (const Items& items : {Items{}, Items{"a"}, Items{"a", "b"}, Items{"a|b", "c"}, Items{"[1]"},
                             Items{"1", "[2"}, Items{" a"}, Items{"a ", "b"}, Items{"\"", "\\"}})
    EXPECT_EQ(items_of_impression(impression_of(items)), items);
  EXPECT_EQ(impression_of(Items{"a", "b"}), "a|b");
}

}  // namespace
}  // namespace personalize
