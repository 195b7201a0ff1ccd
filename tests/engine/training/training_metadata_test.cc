#include "engine/training/training_metadata.h"

#include <gtest/gtest.h>

#include "tests/engine/testing/vector_metadata.h"
#include "tests/engine/testing/vector_source.h"

namespace personalize {
namespace {

class NamedRecipe : public Recipe {
 public:
  explicit NamedRecipe(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  RecipeType type() const override { return RecipeType::kUserPersonalization; }
  std::span<const HyperparameterSpec> hyperparameters() const override { return {}; }
  Result<Fitted> fit(const TrainingView&, const Hyperparameters&, const FitOptions&,
                     Progress&) const override {
    return Status(StatusCode::kInternal, "not for fitting");
  }
  FitCost cost(const DataSize&, const Hyperparameters&, const FitOptions&) const override {
    return {};
  }
  Result<std::unique_ptr<Model>> open(const BlobView&) const override {
    return Status(StatusCode::kInternal, "not for fitting");
  }

 private:
  std::string_view name_;
};

Sequences sequences_of(const std::vector<MetadataField>& context_fields) {
  VectorSource source({{"u", "a", 1}, {"u", "b", 2}, {"v", "c", 1}, {"w", "a", 1}}, context_fields);
  return *read_sequences(source, {}, TieOrder::kArrival, 1, true);
}

constexpr auto kGoOn = [] { return false; };

TEST(TrainingMetadata, CopiesTheDatasetsThatThereAre) {
  VectorMetadata items({{"PRICE", FieldKind::kNumber}});
  items.add("a", {FieldValue::of(1.0)});
  const auto metadata = read_training_metadata(&items, nullptr, kGoOn);
  ASSERT_TRUE(metadata.is_ok());
  EXPECT_EQ(metadata->items.size(), 1u);
  EXPECT_EQ(metadata->items.fields().size(), 1u);
  EXPECT_TRUE(metadata->users.fields().empty());
}

TEST(TrainingMetadata, StopsInTheMiddleOfADataset) {
  VectorMetadata items({{"PRICE", FieldKind::kNumber}});
  for (int i = 0; i < 100; ++i) items.add(std::to_string(i), {FieldValue::of(1.0)});
  int asked = 0;
  EXPECT_EQ(read_training_metadata(&items, nullptr, [&] { return ++asked > 50; }).status().code(),
            StatusCode::kInterrupted);
  EXPECT_EQ(asked, 51);
}

TEST(TrainingMetadata, RefusesRecipesThatCanMakeNothingOfTheGroupAndSaysWhatToDeclare) {
  const NamedRecipe coldstart("hrnn-coldstart"), metadata("hrnn-metadata"),
      other("user-personalization");
  const std::vector<MetadataField> one = {{"FIELD", FieldKind::kNumber}};
  const Sequences plain = sequences_of({}), contextual = sequences_of(one);
  Metadata items, users, none;
  items.items = MetadataTable(one);
  users.users = MetadataTable(one);

  EXPECT_TRUE(check_metadata(coldstart, items, plain).is_ok());
  for (const Metadata* without : {&users, &none}) {
    const Status refused = check_metadata(coldstart, *without, contextual);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidInput);
    EXPECT_NE(refused.message().find("USING personalize_items(GENRES string categorical"),
              std::string::npos);
  }
  EXPECT_TRUE(check_metadata(metadata, items, plain).is_ok());
  EXPECT_TRUE(check_metadata(metadata, users, plain).is_ok());
  EXPECT_TRUE(check_metadata(metadata, none, contextual).is_ok());
  EXPECT_EQ(check_metadata(metadata, none, plain).code(), StatusCode::kInvalidInput);
  EXPECT_TRUE(check_metadata(other, none, plain).is_ok());
}

TEST(TrainingMetadata, TellsOfEachDatasetAndWarnsWhereMostRowsAreMissing) {
  const std::vector<MetadataField> one = {{"FIELD", FieldKind::kNumber}};
  const Sequences sequences = sequences_of(one);
  Metadata metadata;
  EXPECT_EQ(metadata_notes(metadata, sequences),
            std::vector<std::string>{"interactions: 1 contextual columns, 1 different contexts"});
  metadata.items = MetadataTable(one);
  metadata.users = MetadataTable(one);
  for (const char* id : {"a", "b", "x"})
    metadata.items.add(id, std::vector<FieldValue>{FieldValue::of(1.0)});
  metadata.users.add("u", std::vector<FieldValue>{FieldValue::of(1.0)});
  EXPECT_EQ(
      metadata_notes(metadata, sequences),
      (std::vector<std::string>{"items: 1 fields, 3 rows, 2 of 3 items with interactions have one",
                                "users: 1 fields, 1 rows, 1 of 3 users with interactions have one",
                                "interactions: 1 contextual columns, 1 different contexts"}));
}

}  // namespace
}  // namespace personalize
