#include "engine/dataset/side_columns.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

using Texts = std::vector<std::string>;

class SideColumnsTest : public testing::Test {
 protected:
  SideColumnsTest() : users_(std::vector<MetadataField>{{"GENDER", FieldKind::kCategorical}}) {
    VectorSource source({{"b", "x", 1, "", kNoValue, {"phone", "3"}},
                         {"b", "y", 2, "", kNoValue, {"desk", ""}},
                         {"a", "x", 1, "", kNoValue, {"phone", "9"}},
                         {"c", "x", 1, "", kNoValue, {"car", "9"}}},
                        {{"DEVICE", FieldKind::kCategorical}, {"HOUR", FieldKind::kNumber}});
    sequences_ = *read_sequences(source, {}, TieOrder::kArrival, 1, true);
    users_.add("a", std::vector<FieldValue>{FieldValue::of("f")});
    users_.add("b", std::vector<FieldValue>{FieldValue::of("m")});
    users_.add("other", std::vector<FieldValue>{FieldValue::of("m")});
    users_.add("another", std::vector<FieldValue>{FieldValue::of("f")});
  }

  // "context names | user names" of every event.
  static Texts shown(const SideColumns& side, const Sequences& sequences,
                     const MetadataEncoder& context, const MetadataEncoder& users) {
    Texts all;
    for (size_t user = 0; user < sequences.user_count(); user++)
      for (auto event = static_cast<size_t>(sequences.start[user]);
           event < static_cast<size_t>(sequences.start[user + 1]); event++) {
        std::string text;
        for (const ColumnIndex column : side.of_context(event)) text += context.name(column) + " ";
        text += "|";
        for (const ColumnIndex column : side.of_user(user)) {
          EXPECT_GE(column, side.context_size());
          text += " " + users.name(column - static_cast<ColumnIndex>(side.context_size()));
        }
        all.push_back(text);
      }
    return all;
  }

  Sequences sequences_;
  MetadataTable users_;
};

TEST_F(SideColumnsTest, AreThoseOfTheEventsContextAndOfItsUserByHisId) {
  const MetadataEncoder context = MetadataEncoder::learn(sequences_.contexts);
  const MetadataEncoder users = MetadataEncoder::learn(users_);
  const SideColumns side(sequences_, users_, context, users);
  EXPECT_EQ(shown(side, sequences_, context, users),
            (Texts{"DEVICE phone HOUR under 9 | GENDER m", "| GENDER m",
                   "DEVICE phone HOUR from 9 | GENDER f", "HOUR from 9 |"}));
  EXPECT_EQ(side.context_size(), context.size());
  EXPECT_EQ(side.size(), context.size() + 2);
}

TEST_F(SideColumnsTest, LearnAContextAsOftenAsItOccurred) {
  // One distinct context, but two events.
  VectorSource source({{"a", "x", 1, "", kNoValue, {"phone"}},
                       {"b", "x", 1, "", kNoValue, {"phone"}},
                       {"c", "x", 1, "", kNoValue, {"desk"}}},
                      {{"DEVICE", FieldKind::kCategorical}});
  const Sequences sequences = *read_sequences(source, {}, TieOrder::kArrival, 1, true);
  const MetadataEncoder encoder = MetadataEncoder::learn(sequences.contexts);
  ASSERT_EQ(encoder.size(), 1u);
  EXPECT_EQ(encoder.name(0), "DEVICE phone");
}

TEST_F(SideColumnsTest, OfWhatIsNotKnownAreNone) {
  const MetadataEncoder context = MetadataEncoder::learn(sequences_.contexts);
  const MetadataEncoder users = MetadataEncoder::learn(users_);
  // Sequences without contexts, and users without a row: a model that knows both is asked.
  VectorSource source({{"z", "x", 1}});
  const Sequences plain = *read_sequences(source, {}, TieOrder::kArrival, 1, true);
  const SideColumns side(plain, MetadataTable(), context, users);
  EXPECT_EQ(shown(side, plain, context, users), Texts{"|"});

  const SideColumns none(sequences_, users_, MetadataEncoder(), MetadataEncoder());
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(shown(none, sequences_, context, users), (Texts{"|", "|", "|", "|"}));
  EXPECT_EQ(SideColumns().size(), 0u);
  EXPECT_TRUE(SideColumns().of_context(5).empty());
  EXPECT_TRUE(SideColumns().of_user(5).empty());
}

}  // namespace
}  // namespace personalize
