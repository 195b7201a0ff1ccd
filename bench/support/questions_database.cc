#include "bench/support/questions_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "bench/support/bench.h"

namespace bench {
namespace {

void make_events(Database& database, const CatalogueSize& size) {
  constexpr int kTopic = 100;
  std::mt19937 random(1);
  const int topics = std::max(1, size.items / kTopic);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto any_topic = [&] {
    const double x = std::uniform_real_distribution<>()(random);
    return static_cast<int>(x * x * topics);
  };
  database.execute("BEGIN");
  Statement insert(database.handle(),
                   "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)");
  for (int user = 0; user < size.users(); user++) {
    const std::string id = user_id(user);
    const int topic = any_topic();
    int64_t time = 1'600'000'000 + below(50'000'000);
    for (int e = 0; e < kEventsOfUser; e++) {
      const int of = below(10) == 0 ? any_topic() : topic;
      const std::string item = std::to_string(of * kTopic + below(kTopic));
      insert.bind(1, id).bind(2, item).bind(3, time += below(3'000)).run();
    }
  }
  // Every item once, or the models would lack those that nobody had.
  for (int item = 0; item < size.items; item++) {
    const std::string user = fmt::format("all{}", item / kEventsOfUser), id = std::to_string(item);
    insert.bind(1, user).bind(2, id).bind(3, int64_t{1'600'000'000 + item}).run();
  }
  database.execute("COMMIT");
}

}  // namespace

CatalogueSize CatalogueSize::parse(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) die("'" + text + "' is not ITEMS:WIDTH");
  return {std::stoi(text.substr(0, colon)), std::stoi(text.substr(colon + 1))};
}

int CatalogueSize::users() const { return std::clamp(items / 5, 2'000, 20'000); }

std::string CatalogueSize::name() const { return fmt::format("{} items, d = {}", items, width); }

std::string user_id(int user) { return fmt::format("u{}", user); }

std::string make_questions_database(const std::string& extension, const std::string& work,
                                    const CatalogueSize& size) {
  const std::string path = fmt::format("{}/questions-{}-{}.db", work, size.items, size.width);
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".personalize"})
    std::filesystem::remove_all(path + suffix);
  Database database(path, extension);
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  make_events(database, size);
  database.execute(fmt::format(
      "INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('questions', "
      "'hrnn', '{{\"epochs\": 1, \"hidden_dimension\": 128, \"embedding_dimension\": {}}}')",
      size.width));
  database.text("SELECT personalize_train('questions', '{\"evaluation\": \"none\"}')");
  database.execute(
      "INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'questions/latest');");
  return path;
}

}  // namespace bench
