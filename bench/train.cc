// Trains hrnn on ML-100K and measures it by leave-one-out beside markov and popularity-count, items
// of the user's history excluded. Leaves the database for the bench of recommend.
// Usage: train EXTENSION ML_100K_FOLDER WORK_FOLDER
#include <fmt/format.h>

#include <filesystem>

#include "bench/support/bench.h"

int main(int count, char** arguments) {
  if (count != 4) bench::die("usage: train EXTENSION ML_100K_FOLDER WORK_FOLDER");
  const std::string path = std::string(arguments[3]) + "/ml-100k.db";
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".personalize"})
    std::filesystem::remove_all(path + suffix);

  bench::Database database(path, arguments[1]);
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "CREATE VIRTUAL TABLE interactions USING personalize_interactions");
  database.text(fmt::format("SELECT personalize_import('interactions', '{}/interactions.csv')",
                            arguments[2]));
  database.execute(
      "INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'hrnn'), "
      "('chain', 'markov')");
  const bench::Stopwatch watch;
  database.text("SELECT personalize_train('movies', '{\"evaluation\": \"none\"}')");
  bench::report("training hrnn on ML-100K, all events", fmt::format("{:.1f} s", watch.seconds()),
                "", "20 s");

  database.text("SELECT personalize_train('movies', '{\"evaluation\": \"leave-one-out\"}')");
  database.text("SELECT personalize_train('chain', '{\"evaluation\": \"leave-one-out\"}')");
  const auto ndcg = [&](const char* column, const char* version) {
    return database.number(
        fmt::format("SELECT {} FROM personalize_metrics WHERE version = '{}' AND k = 10 AND metric "
                    "= 'normalized_discounted_cumulative_gain' AND seen = 'excluded'",
                    column, version));
  };
  bench::report("hrnn, ML-100K, leave-one-out, NDCG@10, seen excluded",
                fmt::format("{:.4f}", ndcg("value", "movies/2")),
                fmt::format("{:.4f} markov, {:.4f} popularity-count", ndcg("markov", "movies/2"),
                            ndcg("baseline", "movies/2")),
                "0.12");
  bench::report("markov, the same", fmt::format("{:.4f}", ndcg("value", "chain/1")),
                fmt::format("{:.4f} popularity-count", ndcg("baseline", "chain/1")), "0.10");
}
