#include "engine/training/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "engine/dataset/split.h"
#include "engine/dataset/vocabulary.h"
#include "engine/recipes/popularity.h"
#include "engine/store/versions.h"
#include "engine/training/abandoned_versions.h"
#include "engine/training/metric_summary.h"
#include "engine/training/metrics.h"
#include "tests/engine/store/temporary_directory.h"
#include "tests/engine/testing/aligned_blob.h"
#include "tests/engine/testing/random_events.h"
#include "tests/engine/testing/silent_progress.h"

namespace personalize {
namespace {

using testing::HasSubstr;

std::shared_ptr<ModelStore> open_store(const std::string& directory) {
  auto store =
      ModelStore::open(directory, "0f6e8a12-0000-4000-8000-000000000001", OpenMode::kCreate, "");
  EXPECT_TRUE(store.is_ok()) << store.status().message();
  return store.is_ok() ? *store : nullptr;
}

class RecordingHost : public TrainingHost {
 public:
  bool stop() override { return ++asked > stop_after; }
  void row(std::string_view version, const LogRow& row) override {
    rows.emplace_back(version, row);
    if (on_row) on_row(row);
  }
  long asked = 0;
  long stop_after = 1L << 60;
  std::vector<std::pair<std::string, LogRow>> rows;
  std::function<void(const LogRow&)> on_row;
};

Solution solution(std::string recipe) {
  Solution result;
  result.name = "shop";
  result.recipe = std::move(recipe);
  return result;
}

TrainingOptions options(std::string_view json = "") {
  auto parsed = TrainingOptions::parse(json);
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
  return *parsed;
}

// A store in a directory of its own, and events to train with.
class Training : public testing::Test {
 protected:
  Result<VersionRecord> run(std::string recipe, std::string_view json = "") {
    return train(solution(std::move(recipe)), options(json), source_, *store_, host_);
  }
  VersionRecord stored(int number) {
    const auto text = store_->get(StoreKind::kVersion, version_key("shop", number));
    EXPECT_TRUE(text.is_ok() && text->has_value()) << number;
    return *decode_version(**text);
  }
  std::vector<MetricRow> metrics(int number) {
    const auto text = store_->get(StoreKind::kMetrics, version_key("shop", number));
    return text->has_value() ? *decode_metrics(**text) : std::vector<MetricRow>();
  }
  std::vector<LogRow> log(int number) {
    std::vector<LogRow> rows;
    const std::string prefix = version_key("shop", number) + "/";
    for (const auto& [key, value] : list(StoreKind::kLog, prefix))
      rows.push_back(*decode_log(value));
    return rows;
  }
  std::vector<std::pair<std::string, std::string>> list(StoreKind kind, std::string_view prefix) {
    auto entries = store_->list(kind, prefix);
    EXPECT_TRUE(entries.is_ok()) << entries.status().message();
    return *std::move(entries);
  }
  std::string model_bytes(int number) {
    const auto bytes = store_->get(StoreKind::kModel, version_key("shop", number));
    return bytes.is_ok() && bytes->has_value() ? **bytes : "";
  }

  TemporaryDirectory scratch_;
  std::shared_ptr<ModelStore> store_ = open_store(scratch_ / "db.personalize");
  VectorSource source_ = random_events(1, 120, 60, 30);
  Sequences sequences_ = *read_sequences(source_, {}, TieOrder::kArrival, 1);
  RecordingHost host_;
};

TEST_F(Training, StoresAnActiveVersionWithItsModelVocabularyAndPopularity) {
  const auto record = run("aws-sims", R"({"seed": 5})");
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->name(), "shop/1");
  EXPECT_EQ(record->status, kVersionActive);
  EXPECT_EQ(record->recipe, "sims") << "the canonical name";
  EXPECT_EQ(record->users, static_cast<int64_t>(sequences_.user_count()));
  EXPECT_EQ(record->items, static_cast<int64_t>(sequences_.item_count()));
  EXPECT_EQ(record->events, static_cast<int64_t>(sequences_.event_count()));
  EXPECT_EQ(record->seed, 5u);
  EXPECT_EQ(record->evaluation, "amazon");
  EXPECT_EQ(record->tie_order, "arrival");
  EXPECT_EQ(record->hyperparameters.at("min_cointeraction_count"), "3");
  EXPECT_NE(record->model_id, 0u);
  EXPECT_EQ(encode(stored(1)), encode(*record));

  const auto bytes = store_->get_aligned(StoreKind::kModel, version_key("shop", 1));
  ASSERT_TRUE(bytes.is_ok());
  EXPECT_EQ((*bytes)->bytes().size(), record->model_bytes);
  const auto blob = BlobView::parse((*bytes)->bytes());
  ASSERT_TRUE(blob.is_ok());
  const auto vocabulary = Vocabulary::open(*blob);
  ASSERT_TRUE(vocabulary.is_ok());
  ASSERT_EQ(vocabulary->size(), sequences_.item_count());
  for (ItemIndex i = 0; i < static_cast<ItemIndex>(vocabulary->size()); i++)
    EXPECT_EQ(vocabulary->id(i), sequences_.items.id(i));
  const auto popularity = blob->section<float>("popularity");
  ASSERT_TRUE(popularity.is_ok());
  EXPECT_EQ(std::vector<float>(popularity->begin(), popularity->end()),
            distinct_users(TrainingView::everything(sequences_)));
  EXPECT_TRUE((*find_recipe("sims"))->open(*blob).is_ok());
}

TEST_F(Training, MeasuresOnTheSplitBesideBothRivals) {
  for (const auto& [json, split] :
       {std::pair{R"({"evaluation": "amazon", "seed": 3})", amazon_split(sequences_, 3)},
        std::pair{R"({"evaluation": "leave-one-out"})", leave_one_out_split(sequences_)},
        std::pair{R"({"evaluation": "leave-last-two-out"})", leave_last_two_out_split(sequences_)},
        std::pair{R"({"evaluation": "temporal-holdout"})", temporal_holdout_split(sequences_)}}) {
    const auto expected = [&](std::string_view name, uint64_t seed) {
      const Recipe& recipe = **find_recipe(name);
      SilentProgress progress;
      const auto fitted =
          recipe.fit(split.training, *Hyperparameters::parse("", recipe.hyperparameters()),
                     {.seed = seed}, progress);
      const AlignedBlob blob(fitted->blob);
      const auto model = recipe.open(blob.view());
      return *measure(**model, split, 1, [] { return false; });
    };
    const auto record = run("sims", json);
    ASSERT_TRUE(record.is_ok()) << record.status().message();
    const std::vector<MetricRow> rows = metrics(record->number);
    const std::vector<MetricRow> sims = expected("sims", record->seed),
                                 popularity = expected("popularity-count", record->seed),
                                 markov = expected("markov", record->seed);
    ASSERT_EQ(rows.size(), sims.size());
    for (size_t i = 0; i < rows.size(); i++) {
      EXPECT_EQ(rows[i].metric, sims[i].metric);
      EXPECT_EQ(rows[i].value, sims[i].value);
      EXPECT_EQ(rows[i].baseline, popularity[i].value);
      EXPECT_EQ(rows[i].markov, markov[i].value);
    }
  }
}

TEST_F(Training, AveragesOverSeedsEachWithItsOwnSplitOfAmazons) {
  for (const auto& [evaluation, split_of] :
       {std::pair<std::string, std::function<Split(uint64_t)>>{
            "amazon", [&](uint64_t seed) { return amazon_split(sequences_, seed); }},
        {"leave-last-two-out", [&](uint64_t) { return leave_last_two_out_split(sequences_); }}}) {
    const auto expected = [&](std::string_view name) {
      const Recipe& recipe = **find_recipe(name);
      MetricSummary summary;
      for (const uint64_t seed : {7, 8, 9}) {
        const Split split = split_of(seed);
        SilentProgress progress;
        const auto fitted =
            recipe.fit(split.training, *Hyperparameters::parse("", recipe.hyperparameters()),
                       {.seed = seed}, progress);
        const AlignedBlob blob(fitted->blob);
        const auto model = recipe.open(blob.view());
        summary.add(split, *measure_users(**model, split, 1, [] { return false; }));
      }
      return summary.rows();
    };
    const auto record =
        run("sims", R"({"seed": 7, "seeds": 3, "evaluation": ")" + evaluation + R"("})");
    ASSERT_TRUE(record.is_ok()) << record.status().message();
    EXPECT_EQ(record->seeds, 3);
    EXPECT_EQ(record->evaluation, evaluation);
    const std::vector<MetricRow> rows = metrics(record->number);
    const std::vector<MetricRow> sims = expected("sims"), popularity = expected("popularity-count"),
                                 markov = expected("markov");
    ASSERT_EQ(rows.size(), sims.size());
    for (size_t i = 0; i < rows.size(); i++) {
      EXPECT_EQ(rows[i].metric, sims[i].metric);
      EXPECT_EQ(rows[i].value, sims[i].value);
      EXPECT_EQ(rows[i].standard_error, sims[i].standard_error);
      EXPECT_EQ(rows[i].seed_deviation, sims[i].seed_deviation);
      EXPECT_DOUBLE_EQ(rows[i].baseline.value(), popularity[i].value);
      EXPECT_DOUBLE_EQ(rows[i].markov.value(), markov[i].value);
    }
    // The model is the one that a single seed gives.
    const int with_one_seed =
        run("sims", R"({"seed": 7, "evaluation": ")" + evaluation + R"("})")->number;
    EXPECT_EQ(model_bytes(record->number), model_bytes(with_one_seed));
  }
}

TEST_F(Training, KeepsTheFirstSeedsModelWhereThereIsNoFinalFit) {
  const std::string common = R"("evaluation": "leave-one-out", "final_fit": false, "seed": 4)";
  ASSERT_TRUE(run("sims", "{" + common + "}").is_ok());
  ASSERT_TRUE(run("sims", "{\"seeds\": 3, " + common + "}").is_ok());
  EXPECT_EQ(model_bytes(1), model_bytes(2));
  EXPECT_EQ(stored(1).seeds, 1);
  ASSERT_TRUE(run("sims", R"({"evaluation": "none", "seeds": 2})").is_ok());
  EXPECT_EQ(stored(3).seeds, 0) << "nothing was measured";
}

TEST_F(Training, LearnsFromTheWithheldEventsOnlyInTheFinalFit) {
  const auto popularity = [&](int number) {
    const auto bytes = *store_->get_aligned(StoreKind::kModel, version_key("shop", number));
    const auto blob = *BlobView::parse(bytes->bytes());
    const auto values = *blob.section<float>("popularity-count.users");
    return std::vector<float>(values.begin(), values.end());
  };
  ASSERT_TRUE(run("popularity-count", R"({"evaluation": "leave-one-out"})").is_ok());
  ASSERT_TRUE(
      run("popularity-count", R"({"evaluation": "leave-one-out", "final_fit": false})").is_ok());
  ASSERT_TRUE(run("popularity-count", R"({"evaluation": "none", "final_fit": false})").is_ok());
  EXPECT_EQ(popularity(1), distinct_users(TrainingView::everything(sequences_)));
  EXPECT_EQ(popularity(2), distinct_users(leave_one_out_split(sequences_).training));
  EXPECT_EQ(popularity(3), popularity(1)) << "nothing was withheld";
  EXPECT_FALSE(metrics(2).empty());
  EXPECT_TRUE(metrics(3).empty());
  EXPECT_EQ(stored(3).evaluation, "none");
}

TEST_F(Training, GivesTheSameBytesForTheSameSeedAndAnyNumberOfThreads) {
  for (const std::string recipe : {"popularity-count", "sims", "markov"}) {
    const int first = run(recipe, R"({"threads": 1, "seed": 2})")->number;
    for (const int threads : {2, 3}) {
      const int next =
          run(recipe, R"({"seed": 2, "threads": )" + std::to_string(threads) + "}")->number;
      EXPECT_FALSE(model_bytes(first).empty());
      EXPECT_EQ(model_bytes(first), model_bytes(next)) << recipe;
      EXPECT_EQ(encode(metrics(first)), encode(metrics(next))) << recipe;
    }
  }
}

// A network that is trained in a moment.
constexpr std::string_view kSmall =
    R"({"hidden_dimension": 32, "embedding_dimension": 16, "bptt": 8, "epochs": 2)";

class UpdateTraining : public Training {
 protected:
  Result<VersionRecord> run_hrnn(std::string_view json, std::string_view more = "}") {
    Solution shop = solution("hrnn");
    shop.hyperparameters = std::string(kSmall) + std::string(more);
    return train(shop, options(json), source_, *store_, host_);
  }
  // Events a week after all others, some of them of an item that nobody had.
  void add_new_events() {
    for (int user = 0; user < 40; user++)
      for (int i = 0; i < 6; i++)
        source_.add({"user " + std::to_string(user),
                     "item " + std::to_string(i == 3 ? 500 : (user + i) % 60),
                     kWeekLater + i * 60});
    sequences_ = *read_sequences(source_, {}, TieOrder::kArrival, 1);
  }
  static constexpr int64_t kWeekLater = 1'601'700'000;
  static constexpr const char* kUpdate = R"({"training_mode": "UPDATE"})";
};

TEST_F(UpdateTraining, GoesOnFromTheNewestActiveVersion) {
  const auto full = run_hrnn("");
  ASSERT_TRUE(full.is_ok()) << full.status().message();
  EXPECT_EQ(full->training_mode, "FULL");
  const int64_t newest =
      *std::max_element(sequences_.timestamp.begin(), sequences_.timestamp.end());
  EXPECT_EQ(full->newest_event, newest);
  add_new_events();
  host_.rows.clear();
  const auto record = run_hrnn(kUpdate);
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->name(), "shop/2");
  EXPECT_EQ(record->training_mode, "UPDATE");
  EXPECT_EQ(record->newest_event, kWeekLater + 300);
  EXPECT_EQ(record->items, static_cast<int64_t>(sequences_.item_count()));
  EXPECT_EQ(record->events, full->events + 240);
  bool told = false;
  for (const auto& [version, row] : host_.rows)
    told |= row.message == "goes on from shop/1, which learned up to timestamp " +
                               std::to_string(newest) +
                               ": 240 later interactions of 40 users, 1 items it does not know";
  EXPECT_TRUE(told);

  const auto again = run_hrnn(kUpdate);  // nothing is new
  ASSERT_TRUE(again.is_ok()) << again.status().message();
  EXPECT_EQ(again->hyperparameters.at("epochs"), "0");
  EXPECT_TRUE(metrics(3).empty()) << "shop/2 has learned everything";
}

TEST_F(UpdateTraining, IsMeasuredOnNewEventsAlone) {
  const auto full = run_hrnn(R"({"evaluation": "none"})");
  ASSERT_TRUE(full.is_ok());
  add_new_events();
  const auto record = run_hrnn(R"({"training_mode": "UPDATE", "evaluation": "leave-one-out"})");
  ASSERT_TRUE(record.is_ok()) << record.status().message();

  const auto bytes = *store_->get_aligned(StoreKind::kModel, version_key("shop", 1));
  const BlobView blob = *BlobView::parse(bytes->bytes());
  const Vocabulary vocabulary = *Vocabulary::open(blob);
  const PreviousModel previous{blob, &vocabulary, *full->newest_event};
  Split split = leave_one_out_split(sequences_);
  split = only_events_after(split, *full->newest_event);
  EXPECT_EQ(split.test_users.size(), 40U);
  const Recipe& recipe = **find_recipe("hrnn");
  SilentProgress progress;
  const auto fitted = recipe.fit(
      split.training, *Hyperparameters::parse(std::string(kSmall) + "}", recipe.hyperparameters()),
      {.seed = 1, .previous = &previous}, progress);
  ASSERT_TRUE(fitted.is_ok());
  const AlignedBlob updated(fitted->blob);
  const auto model = recipe.open(updated.view());
  const auto expected = *measure(**model, split, 1, [] { return false; });
  const auto rows = metrics(2);
  ASSERT_EQ(rows.size(), expected.size());
  for (size_t i = 0; i < rows.size(); i++) EXPECT_EQ(rows[i].value, expected[i].value);
}

TEST_F(UpdateTraining, GivesTheSameBytesForAnyNumberOfThreads) {
  ASSERT_TRUE(run_hrnn(R"({"evaluation": "none"})").is_ok());
  add_new_events();
  // Each goes on from the same version: what came of the one before is taken away.
  std::string first;
  for (const int threads : {1, 2}) {
    const auto record =
        run_hrnn(R"({"training_mode": "UPDATE", "evaluation": "none", "threads": )" +
                 std::to_string(threads) + "}");
    ASSERT_TRUE(record.is_ok());
    const std::string bytes = model_bytes(record->number);
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first);
    ASSERT_TRUE(erase_version(*store_, "shop", record->number).is_ok());
  }
}

TEST_F(UpdateTraining, SaysWhyItHasNothingToGoOnFrom) {
  const auto refusal = [&](const Result<VersionRecord>& result) {
    EXPECT_FALSE(result.is_ok());
    return result.is_ok() ? "" : result.status().message();
  };
  EXPECT_EQ(refusal(run_hrnn(kUpdate)),
            "training_mode UPDATE goes on from the last version, and solution 'shop' has no ACTIVE "
            "one; train with training_mode FULL first");
  ASSERT_TRUE(run_hrnn(R"({"evaluation": "none"})").is_ok());
  Solution wider = solution("hrnn");
  wider.hyperparameters = R"({"hidden_dimension": 64, "embedding_dimension": 16})";
  EXPECT_EQ(refusal(train(wider, options(kUpdate), source_, *store_, host_)),
            "training_mode UPDATE goes on from version 'shop/1', whose hidden_dimension is 32, not "
            "64; train with training_mode FULL");
  Solution ranking = solution("personalized-ranking");
  ranking.hyperparameters = std::string(kSmall) + "}";
  EXPECT_EQ(refusal(train(ranking, options(kUpdate), source_, *store_, host_)),
            "training_mode UPDATE goes on from version 'shop/1', which is of the recipe hrnn, not "
            "personalized-ranking; train with training_mode FULL");
  Solution clicks = solution("hrnn");
  clicks.hyperparameters = std::string(kSmall) + "}";
  clicks.filter.event_type = "click";
  EXPECT_EQ(refusal(train(clicks, options(kUpdate), source_, *store_, host_)),
            "training_mode UPDATE goes on from version 'shop/1', which learned from interactions "
            "of another event_type or event_value_threshold; train with training_mode FULL");
  EXPECT_EQ(list(StoreKind::kVersion, "shop").size(), 1U) << "refused before there is a version";
  EXPECT_TRUE(run_hrnn(kUpdate, R"(, "session_gap": "auto"})").is_ok());
}

TEST_F(UpdateTraining, LeavesToTheVersionBeforeWhatAutoStandsFor) {
  // By themselves these data would ask for a state of 128.
  ASSERT_TRUE(run_hrnn(R"({"evaluation": "none"})").is_ok());
  Solution automatic = solution("hrnn");
  automatic.hyperparameters = R"({"hidden_dimension": "auto", "embedding_dimension": 16})";
  const auto record = train(automatic, options(kUpdate), source_, *store_, host_);
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->hyperparameters.at("hidden_dimension"), "32");
}

TEST_F(UpdateTraining, OfARecipeThatCountsIsAFullOne) {
  for (const std::string recipe : {"popularity-count", "sims", "markov"}) {
    host_.rows.clear();
    const auto full = run(recipe);
    const auto update = run(recipe, kUpdate);
    ASSERT_TRUE(full.is_ok() && update.is_ok());
    EXPECT_EQ(update->training_mode, "FULL");
    EXPECT_EQ(model_bytes(full->number), model_bytes(update->number));
    EXPECT_THAT(host_.rows.back().second.message, HasSubstr("bytes stored"));
    bool told = false;
    for (const auto& [version, row] : host_.rows)
      told |= row.message ==
              recipe + " counts all interactions anew in a moment: its UPDATE is a FULL training";
    EXPECT_TRUE(told);
  }
}

TEST_F(Training, KeepsALogThatOthersCanReadWhileItRuns) {
  size_t there_before_the_end = 0;
  host_.on_row = [&](const LogRow& row) {
    if (row.stage == "store") there_before_the_end = log(1).size();
  };
  ASSERT_TRUE(run("markov").is_ok());
  EXPECT_GT(there_before_the_end, 0u);
  const std::vector<LogRow> rows = log(1);
  ASSERT_EQ(rows.size(), host_.rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    EXPECT_EQ(rows[i].sequence, static_cast<int64_t>(i));
    EXPECT_EQ(host_.rows[i].first, "shop/1");
    EXPECT_EQ(encode(rows[i]), encode(host_.rows[i].second));
  }
  EXPECT_EQ(rows.front().stage, "read");
  EXPECT_EQ(rows.back().stage, "store");
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const LogRow& row) {
    return row.stage == "evaluate" && row.message.find("NDCG@10") != std::string::npos;
  }));
}

TEST_F(Training, NeverUsesANumberTwice) {
  EXPECT_EQ(run("popularity-count")->number, 1);
  EXPECT_EQ(run("popularity-count")->number, 2);
  ASSERT_TRUE(store_
                  ->write([](StoreWriter& writer) {
                    return writer.erase(StoreKind::kVersion, version_key("shop", 2));
                  })
                  .is_ok());
  EXPECT_EQ(run("popularity-count")->number, 3);
  Solution other = solution("popularity-count");
  other.name = "shop-2";
  EXPECT_EQ(train(other, {}, source_, *store_, host_)->number, 1);
}

TEST(TrainingInTwoProcesses, GivesDifferentNumbers) {
  TemporaryDirectory scratch;
  const std::string directory = scratch / "db.personalize";
  ASSERT_NE(open_store(directory), nullptr);
  std::vector<pid_t> children;
  for (int child = 0; child < 2; child++) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    VectorSource source = random_events(1, 40, 30, 20);
    RecordingHost host;
    const auto store = open_store(directory);
    bool good = store != nullptr;
    for (int i = 0; i < 5 && good; i++)
      good = train(solution("sims"), {}, source, *store, host).is_ok();
    _exit(good ? 0 : 1);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const auto versions = open_store(directory)->list(StoreKind::kVersion, version_prefix("shop"));
  ASSERT_TRUE(versions.is_ok());
  ASSERT_EQ(versions->size(), 10u);
  for (int i = 0; i < 10; i++) {
    const VersionRecord record = *decode_version((*versions)[static_cast<size_t>(i)].second);
    EXPECT_EQ(record.number, i + 1);
    EXPECT_EQ(record.status, kVersionActive);
  }
}

TEST_F(Training, LeavesAFailedVersionWhereverItIsStopped) {
  int stopped = 0;
  for (long after = 0;; after = after < 20 ? after + 1 : after * 2) {
    host_ = {};
    host_.stop_after = after;
    const auto record = run("markov", R"({"threads": 2})");
    if (record.is_ok()) break;
    EXPECT_EQ(record.status().code(), StatusCode::kInterrupted);
    stopped++;
    const VersionRecord failed = stored(stopped);
    EXPECT_EQ(failed.status, kVersionFailed);
    EXPECT_EQ(failed.failure_reason, "training was interrupted");
    EXPECT_EQ(model_bytes(stopped), "");
    EXPECT_EQ(log(stopped).back().stage, "failed");
  }
  EXPECT_GT(stopped, 20);
}

TEST_F(Training, MakesNoVersionOfWhatCouldNeverBeTrained) {
  EXPECT_EQ(run("hmm").status().code(), StatusCode::kNotFound);
  Solution wrong = solution("sims");
  wrong.hyperparameters = R"({"min_cointeraction_count": -1})";
  EXPECT_EQ(train(wrong, {}, source_, *store_, host_).status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(run("hrnn", R"({"training_mode": "UPDATE"})").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(list(StoreKind::kVersion, "").empty());
}

TEST_F(Training, LeavesAFailedVersionWithItsReasonWhereDataDoNotDo) {
  source_ = VectorSource();
  const auto record = run("popularity-count");
  EXPECT_EQ(record.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(stored(1).status, kVersionFailed);
  EXPECT_EQ(stored(1).failure_reason, record.status().message());
  EXPECT_THAT(stored(1).failure_reason, HasSubstr("has 0 interactions"));
}

TEST_F(Training, TrainsOnASingleEventWithAdviceInsteadOfMetrics) {
  source_ = VectorSource({{"u", "i", 1}});
  const auto record = run("popularity-count");
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_TRUE(metrics(1).empty());
  std::string notes;
  for (const LogRow& row : log(1))
    if (row.stage == "note") notes += row.message + "\n";
  EXPECT_THAT(notes, HasSubstr("Amazon Personalize would refuse"));
  EXPECT_THAT(notes, HasSubstr("no metrics"));
}

TEST_F(Training, UsesTheEventsThatTheSolutionAsksForOnly) {
  source_.add({"user 1", "special", 1, "Buy", 5});
  source_.add({"user 2", "special", 1, "buy", 4});
  source_.add({"user 3", "other", 1, "buy", 1});
  Solution buys = solution("popularity-count");
  buys.filter = {"buy", 4, true};
  const auto record = train(buys, {}, source_, *store_, host_);
  ASSERT_TRUE(record.is_ok()) << record.status().message();
  EXPECT_EQ(record->events, 2);
  EXPECT_EQ(record->items, 1);
  EXPECT_EQ(record->event_type, "buy");
  EXPECT_EQ(record->event_value_threshold, 4);
}

TEST_F(Training, PassesOnWhatTheSourceSays) {
  class Broken : public VectorSource {
    Status scan(EventSink&) override { return {StatusCode::kIo, "disk I/O error"}; }
  } broken;
  const auto record = train(solution("sims"), {}, broken, *store_, host_);
  EXPECT_EQ(record.status().code(), StatusCode::kIo);
  EXPECT_EQ(stored(1).failure_reason, "disk I/O error");
}

TEST_F(Training, DoesNotBringBackAVersionThatWasDeletedMeanwhile) {
  host_.on_row = [&](const LogRow& row) {
    if (row.stage != "read") return;
    EXPECT_TRUE(store_
                    ->write([](StoreWriter& writer) {
                      return writer.erase(StoreKind::kVersion, version_key("shop", 1));
                    })
                    .is_ok());
  };
  const auto record = run("sims");
  EXPECT_EQ(record.status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(list(StoreKind::kVersion, "").empty());
  EXPECT_EQ(model_bytes(1), "");
}

// Fails every write after the first few, as a full disk does.
class FillingStore : public ModelStore {
 public:
  FillingStore(ModelStore& store, int writes) : store_(store), writes_(writes) {}
  Status write(const std::function<Status(StoreWriter&)>& change) override {
    if (writes_-- <= 0) return {StatusCode::kFull, "disk full"};
    return store_.write(change);
  }
  Result<std::optional<std::string>> get(StoreKind kind, std::string_view key) override {
    return store_.get(kind, key);
  }
  Result<std::shared_ptr<const AlignedBytes>> get_aligned(StoreKind kind,
                                                          std::string_view key) override {
    return store_.get_aligned(kind, key);
  }
  Result<std::vector<std::pair<std::string, std::string>>> list(StoreKind kind,
                                                                std::string_view prefix) override {
    return store_.list(kind, prefix);
  }
  Result<uint64_t> last_transaction() override { return store_.last_transaction(); }
  const std::string& directory() const override { return store_.directory(); }
  bool read_only() const override { return store_.read_only(); }

 private:
  ModelStore& store_;
  int writes_;
};

TEST_F(Training, LeavesNothingHalfOnAFullDisk) {
  for (int writes = 0;; writes++) {
    FillingStore filling(*store_, writes);
    const auto record = train(solution("sims"), {}, source_, filling, host_);
    if (record.is_ok()) {
      EXPECT_GT(writes, 1);
      break;
    }
    EXPECT_EQ(record.status().code(), StatusCode::kFull);
    for (const auto& [key, value] : list(StoreKind::kVersion, "")) {
      EXPECT_NE(decode_version(value)->status, kVersionActive);
      EXPECT_FALSE(store_->get(StoreKind::kModel, key)->has_value());
    }
  }
  ASSERT_TRUE(fail_abandoned_versions(*store_).is_ok());
  for (const auto& [key, value] : list(StoreKind::kVersion, ""))
    EXPECT_NE(decode_version(value)->status, kVersionInProgress);
}

}  // namespace
}  // namespace personalize
