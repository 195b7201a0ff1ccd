#include "engine/serving/loaded_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/recipes/popularity.h"

namespace personalize {
namespace {

using testing::HasSubstr;

// A store in a directory of its own, with popularity-count models.
class LoadedModelTest : public testing::Test {
 protected:
  LoadedModelTest() {
    char path[] = "/tmp/personalize-loaded-XXXXXX";
    directory_ = mkdtemp(path);
    store_ = ModelStore::open(directory_ + "/store", std::string(32, 'a'), OpenMode::kCreate, "")
                 .value();
    record_.solution = "movies";
    record_.number = 1;
    record_.recipe = "popularity-count";
    record_.status = kVersionActive;
    record_.model_id = 7;
  }
  ~LoadedModelTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // A model whose items are "a", "b" and "c", with these sections.
  static std::vector<std::byte> blob(const std::vector<float>& popularity,
                                     const std::vector<float>& model_users) {
    VocabularyBuilder items;
    for (const char* id : {"a", "b", "c"}) items.add(id);
    BlobWriter writer;
    items.write(writer);
    writer.add("popularity", popularity);
    writer.add("popularity-count.users", model_users);
    return writer.finish();
  }
  void put(const VersionRecord& record, const std::vector<std::byte>& model) {
    const std::string key = version_key(record.solution, record.number);
    const Status status = store_->write([&](StoreWriter& writer) -> Status {
      PERSONALIZE_RETURN_IF_ERROR(writer.put(StoreKind::kVersion, key, encode(record)));
      return writer.put(StoreKind::kModel, key, model);
    });
    ASSERT_TRUE(status.is_ok()) << status.message();
  }

  std::string directory_;
  std::shared_ptr<ModelStore> store_;
  VersionRecord record_;
};

TEST_F(LoadedModelTest, GivesTheVocabularyThePopularityAndTheFilterOfTheVersion) {
  record_.event_type = "watch";
  record_.event_value_threshold = 3.5;
  put(record_, blob({5, 2, 1}, {5, 2, 1}));
  const auto loaded = load_model(*store_, "movies", 1);
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().message();
  const LoadedModel& model = *loaded.value();
  EXPECT_EQ(model.vocabulary.find("c"), 2);
  EXPECT_EQ(model.popularity[1], 2);
  EXPECT_EQ(model.filter.event_type, "watch");
  EXPECT_TRUE(model.filter.has_threshold);
  EXPECT_EQ(model.filter.event_value_threshold, 3.5);
  EXPECT_EQ(model.recipe->name(), "popularity-count");
  EXPECT_EQ(model.model->item_count(), 3u);
}

TEST_F(LoadedModelTest, IsOpenedOnceAProcessAndAnewWhenTheVersionIsAnother) {
  put(record_, blob({5, 2, 1}, {5, 2, 1}));
  const auto first = load_model(*store_, "movies", 1).value();
  EXPECT_EQ(load_model(*store_, "movies", 1).value(), first);
  record_.model_id = 8;  // deleted and trained again
  put(record_, blob({1, 2, 3}, {1, 2, 3}));
  const auto second = load_model(*store_, "movies", 1).value();
  EXPECT_NE(second, first);
  EXPECT_EQ(second->popularity[2], 3);
  EXPECT_EQ(first->popularity[0], 5) << "who holds the old one keeps it";
}

TEST_F(LoadedModelTest, AVersionThatIsNotThereOrNotActiveIsNotFoundAndSaysWhy) {
  Status status = load_model(*store_, "movies", 1).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("version 'movies/1' does not exist"));
  record_.status = kVersionFailed;
  record_.failure_reason = "interrupted";
  put(record_, {});
  status = load_model(*store_, "movies", 1).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("'movies/1' is CREATE FAILED (interrupted)"));
}

TEST_F(LoadedModelTest, AModelWhosePartsDoNotFitIsCorrupt) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  int number = 1;
  for (const auto& [popularity, users] :
       std::vector<std::pair<std::vector<float>, std::vector<float>>>{
           {{5, 2}, {5, 2, 1}},          // a popularity short
           {{5, 2, nan}, {5, 2, 1}},     // no number
           {{5, 2, -1}, {5, 2, 1}},      // no count
           {{5, 2, 1}, {5, 2, 1, 1}},    // scores more items than it names
           {{5, 2, 1}, {5, 2, nan}}}) {  // what the recipe refuses
    record_.number = number++;
    put(record_, blob(popularity, users));
    EXPECT_EQ(load_model(*store_, "movies", record_.number).status().code(), StatusCode::kCorrupt)
        << record_.number;
  }
}

}  // namespace
}  // namespace personalize
