// personalize_import of the million events of ML-1M, beside the shell's .import of the same file
// into a plain table. Usage: import EXTENSION ML_1M_FOLDER WORK_FOLDER
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "bench/support/bench.h"

int main(int count, char** arguments) {
  if (count != 4) bench::die("usage: import EXTENSION ML_1M_FOLDER WORK_FOLDER");
  const std::string csv = std::string(arguments[2]) + "/interactions.csv";
  const std::string folder = std::string(arguments[3]) + "/import";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  const bench::Stopwatch import_watch;
  {
    bench::Database database(folder + "/ours.db", arguments[1]);
    database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions");
    database.text(fmt::format("SELECT personalize_import('interactions', '{}')", csv));
    if (database.number("SELECT count(*) FROM interactions") != 1000209)
      bench::die("import: not all events of ML-1M arrived");
  }
  const double ours = import_watch.seconds();

  const bench::Stopwatch rival_watch;
  const std::string command = fmt::format(
      "sqlite3 -batch -init /dev/null {0}/plain.db 'CREATE TABLE plain(user_id TEXT, "
      "item_id TEXT, event_type TEXT, event_value REAL, timestamp INTEGER)' "
      "'.import --csv --skip 1 {1} plain'",
      folder, csv);
  if (std::system(command.c_str()) != 0) bench::die("import: the sqlite3 shell failed");
  bench::report("personalize_import, 1 M events of ML-1M", fmt::format("{:.1f} s", ours),
                fmt::format("{:.1f} s: .import into a plain table, no key", rival_watch.seconds()),
                "8 s");
  std::filesystem::remove_all(folder);
}
