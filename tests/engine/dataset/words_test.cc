#include "engine/dataset/words.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace personalize {
namespace {

std::vector<std::string> categories(std::string_view text) {
  std::vector<std::string> found;
  for_each_category(text, [&](std::string_view piece) { found.emplace_back(piece); });
  return found;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  std::string word;
  for (size_t place = 0, letters = 0; next_word(text, place, word, letters);)
    found.push_back(word + ":" + std::to_string(letters));
  return found;
}

using Texts = std::vector<std::string>;

TEST(Words, CategoriesAreCutAtBarsWithoutSpacesAroundThemAndWithoutEmptyOnes) {
  EXPECT_EQ(categories("Comedy|Film Noir"), (Texts{"Comedy", "Film Noir"}));
  EXPECT_EQ(categories("  a | |b||\tc\n"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(categories("|"), Texts());
  EXPECT_EQ(categories(""), Texts());
  EXPECT_EQ(categories("   "), Texts());
}

TEST(Words, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_EQ(words("One Flew Over the Cuckoo's Nest (1975)"),
            (Texts{"one:3", "flew:4", "over:4", "the:3", "cuckoo:6", "s:1", "nest:4", "1975:4"}));
  EXPECT_EQ(words(" -- "), Texts());
  EXPECT_EQ(words(""), Texts());
}

TEST(Words, KnowLatinGreekAndCyrillicLettersAndPunctuation) {
  EXPECT_EQ(words("\u00c9T\u00c9"), (Texts{"\u00e9t\u00e9:3"}));
  EXPECT_EQ(words("\u039b\u039f\u0393\u039f\u03a3"), (Texts{"\u03bb\u03bf\u03b3\u03bf\u03c3:5"}));
  EXPECT_EQ(words("\u0416\u0418\u0417\u041d\u042c, \u0401\u043b\u043a\u0430"),
            (Texts{"\u0436\u0438\u0437\u043d\u044c:5", "\u0451\u043b\u043a\u0430:4"}));
  EXPECT_EQ(words("\u201cA\u201d\u2014\u00abb\u00bb"), (Texts{"a:1", "b:1"}));
  EXPECT_EQ(words("\u6771\u4eac\u3002\u7269\u8a9e"), (Texts{"\u6771\u4eac:2", "\u7269\u8a9e:2"}));
  EXPECT_EQ(words("\U0001F600x"), (Texts{"\U0001F600x:2"}));
}

TEST(Words, TakeBytesThatAreNoUtf8AsLetters) {
  EXPECT_EQ(words("\xff\xfe x"), (Texts{"\xff\xfe:2", "x:1"}));
  EXPECT_EQ(words("a\xc3"), (Texts{"a\xc3:2"}));  // cut in the middle of a letter
  EXPECT_EQ(words("\xe2\x80 b"), (Texts{"\xe2\x80:2", "b:1"}));
  EXPECT_EQ(words(std::string_view("a\0b", 3)), (Texts{"a:1", "b:1"}));
}

}  // namespace
}  // namespace personalize
