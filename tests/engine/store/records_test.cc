#include "engine/store/records.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace personalize {
namespace {

VersionRecord sample_version() {
  VersionRecord record;
  record.solution = "movies";
  record.number = 7;
  record.dataset_group = "default";
  record.recipe = "hrnn";
  record.status = kVersionActive;
  record.failure_reason = "a \"quoted\" reason,\nin two lines";
  record.created = 1'700'000'000;
  record.updated = 1'700'000'010;
  record.training_seconds = 12.25;
  record.users = 943, record.items = 1682, record.events = 100'000;
  record.newest_event = INT64_MIN;
  record.seed = UINT64_MAX;
  record.evaluation = "amazon";
  record.event_value_threshold = 3.5;
  record.tie_order = "arrival";
  record.hyperparameters = {{"hidden_dimension", "43"}, {"bptt", "32"}};
  record.tuned = {{"bptt", "32"}};
  record.model_bytes = 1 << 20;
  record.model_id = 0x8000'0000'0000'0001;
  record.process = 4711;
  record.seeds = 3;
  record.build = "0.1.0 v4";
  return record;
}

TEST(Records, VersionComesBackAsItWas) {
  const VersionRecord record = sample_version();
  const Result<VersionRecord> back = decode_version(encode(record));
  ASSERT_TRUE(back.is_ok()) << back.status().message();
  EXPECT_EQ(back->name(), "movies/7");
  EXPECT_EQ(back->failure_reason, record.failure_reason);
  EXPECT_EQ(back->seed, record.seed);
  EXPECT_EQ(back->seeds, 3);
  EXPECT_EQ(back->newest_event, INT64_MIN);
  EXPECT_EQ(back->model_id, record.model_id);
  EXPECT_EQ(back->event_value_threshold, 3.5);
  EXPECT_EQ(back->hyperparameters, record.hyperparameters);
  EXPECT_EQ(back->tuned, record.tuned);
  EXPECT_EQ(back->training_seconds, 12.25);
  EXPECT_EQ(encode(*back), encode(record));
}

TEST(Records, MetricsAndLogRowsComeBackAsTheyWere) {
  const std::vector<MetricRow> metrics = {
      {"precision", 10, 0.125, 0.1, std::nullopt, "included", 0.01, 0.02},
      {"coverage", 0, 1.0 / 3, std::nullopt, 0.2, "excluded", std::nullopt, std::nullopt}};
  const auto back = decode_metrics(encode(metrics));
  ASSERT_TRUE(back.is_ok()) << back.status().message();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[1].value, 1.0 / 3);
  EXPECT_EQ((*back)[0].markov, std::nullopt);
  EXPECT_EQ((*back)[0].standard_error, 0.01);
  EXPECT_EQ((*back)[0].seed_deviation, 0.02);
  EXPECT_EQ(encode(*back), encode(metrics));

  LogRow row;
  row.sequence = 3, row.time = 1.5e9, row.stage = "fit", row.epoch = 2, row.epochs = 10;
  row.loss = std::nan("");
  row.message = "loss is not a number";
  const auto row_back = decode_log(encode(row));
  ASSERT_TRUE(row_back.is_ok()) << row_back.status().message();
  ASSERT_TRUE(row_back->loss.has_value());
  EXPECT_TRUE(std::isnan(*row_back->loss));
  EXPECT_EQ(row_back->events_per_second, std::nullopt);
}

TEST(Records, OfBuildsThatKnewOneSeedAndNoSearchAreRead) {
  std::string version = encode(sample_version());
  const std::string seeds = "\"seeds\":3,";
  ASSERT_NE(version.find(seeds), std::string::npos);
  version.erase(version.find(seeds), seeds.size());
  const std::string tuned = R"("tuned":{"bptt":"32"},)";
  ASSERT_NE(version.find(tuned), std::string::npos);
  version.erase(version.find(tuned), tuned.size());
  const auto record = decode_version(version);
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->seeds, 1);
  EXPECT_TRUE(record->tuned.empty());
  const auto metrics = decode_metrics(
      R"([{"metric":"precision","k":5,"value":0.5,"baseline":null,"markov":0.25,"seen":"included"}])");
  ASSERT_TRUE(metrics.is_ok()) << metrics.status().message();
  EXPECT_EQ((*metrics)[0].markov, 0.25);
  EXPECT_EQ((*metrics)[0].standard_error, std::nullopt);
  EXPECT_EQ((*metrics)[0].seed_deviation, std::nullopt);
}

TEST(Records, TextThatIsNoUtf8IsStoredAllTheSame) {
  VersionRecord record = sample_version();
  record.failure_reason = "item \xff\xfe";
  EXPECT_TRUE(decode_version(encode(record)).is_ok());
}

TEST(Records, WhatNoEncoderWroteIsCorrupt) {
  const std::string deep(100'000, '[');
  for (const std::string& json :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), std::string("{"),
        std::string("7"), std::string("[{}]"), std::string("[1]"), deep}) {
    EXPECT_EQ(decode_version(json).status().code(), StatusCode::kCorrupt) << json.substr(0, 20);
    EXPECT_EQ(decode_log(json).status().code(), StatusCode::kCorrupt) << json.substr(0, 20);
    if (json != "[]") {
      EXPECT_EQ(decode_metrics(json).status().code(), StatusCode::kCorrupt) << json.substr(0, 20);
    }
  }
  std::string wrong = encode(sample_version());
  wrong.replace(wrong.find("ACTIVE"), 6, "RETIRE");
  EXPECT_EQ(decode_version(wrong).status().message(),
            "a stored solution version is damaged: its status is 'RETIRE'");
}

TEST(Records, MutatedJsonNeverDoesHarm) {
  std::mt19937 random(1);
  const std::string texts[] = {encode(sample_version()), encode(std::vector<MetricRow>(3)),
                               encode(LogRow{})};
  for (int i = 0; i < 20'000; i++) {
    std::string text = texts[i % 3];
    for (unsigned n = random() % 4 + 1; n > 0; n--) {
      const size_t at = random() % text.size();
      if (random() % 4 == 0)
        text.erase(at, random() % 8);
      else if (random() % 4 == 0)
        text.insert(at, 1, "{}[]\",:0-e.\\"[random() % 12]);
      else
        text[at] = static_cast<char>(random());
      if (text.empty()) break;
    }
    // Whatever decodes must be something that can be written again.
    const auto version = decode_version(text);
    const auto metrics = decode_metrics(text);
    const auto row = decode_log(text);
    EXPECT_TRUE(!version.is_ok() || decode_version(encode(*version)).is_ok()) << text;
    EXPECT_TRUE(!metrics.is_ok() || decode_metrics(encode(*metrics)).is_ok()) << text;
    EXPECT_TRUE(!row.is_ok() || decode_log(encode(*row)).is_ok()) << text;
  }
}

}  // namespace
}  // namespace personalize
