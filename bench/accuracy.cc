// accuracy CSV RECIPE [name=value ...]: how well a recipe foretells events of a CSV file, all items
// ranked, ties against the recipe; beside it the time of the fit. The file's first line names the
// columns (USER_ID, ITEM_ID, TIMESTAMP and perhaps EVENT_VALUE).
//
// name=value: hyperparameters, and
//   keep=1      learn from all but the last event of each user, which is asked (the default)
//   keep=2      learn from all but the last two, as the papers do; the state still sees the first
//   keep=0.1    learn from the oldest nine tenths of each user's events; the next one is asked
//   order=FILE  a published order of the items: "user item item ..." a line
//   seed=N threads=N
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

#include "engine/math/dispatch.h"
#include "engine/recipes/recipe.h"

namespace personalize {
namespace {

struct Row {
  std::string user, item;
  int64_t timestamp;
  float value;
};

std::vector<std::string> split(const std::string& line, char by) {
  std::vector<std::string> parts;
  std::stringstream stream(line);
  for (std::string part; std::getline(stream, part, by);) {
    if (!part.empty() && part.back() == '\r') part.pop_back();
    parts.push_back(part);
  }
  return parts;
}

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::map<std::string, size_t> place;
  for (const std::string& name : split(line, ',')) place.emplace(name, place.size());
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = split(line, ',');
    Row row{fields[place["USER_ID"]], fields[place["ITEM_ID"]],
            std::stoll(fields[place["TIMESTAMP"]]), kNoValue};
    const auto value = place.find("EVENT_VALUE");
    if (value != place.end() && fields.size() > value->second && !fields[value->second].empty())
      row.value = std::stof(fields[value->second]);
    rows.push_back(row);
  }
  return rows;
}

// Users' events by time, ties in the order of the file; or in a published order, whose times are
// looked up and made not to run backwards.
Sequences read_sequences_of(const std::string& path, const std::string& order) {
  std::vector<Row> rows = read_rows(path);
  std::map<std::string, std::vector<Row>> users;
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (!users.contains(row.user)) names.push_back(row.user);
    users[row.user].push_back(row);
  }
  for (auto& [name, events] : users)
    std::stable_sort(events.begin(), events.end(),
                     [](const Row& a, const Row& b) { return a.timestamp < b.timestamp; });
  if (!order.empty()) {
    std::ifstream file(order);
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string> parts = split(line, ' ');
      std::map<std::string, Row> by_item;
      for (const Row& row : users[parts[0]]) by_item[row.item] = row;
      std::vector<Row> events;
      int64_t latest = 0;
      for (size_t i = 1; i < parts.size(); ++i) {
        events.push_back(by_item.at(parts[i]));
        latest = events.back().timestamp = std::max(latest, events.back().timestamp);
      }
      users[parts[0]] = events;
    }
  }
  Sequences all;
  all.start.push_back(0);
  for (const std::string& name : names) {
    all.users.push_back(name);
    for (const Row& row : users[name]) {
      all.item.push_back(all.items.add(row.item));
      all.timestamp.push_back(row.timestamp);
      all.value.push_back(row.value);
    }
    all.start.push_back(static_cast<int64_t>(all.item.size()));
  }
  return all;
}

class Printing : public Progress {
 public:
  bool stop() override { return false; }
  void epoch(const EpochRow& row) override {
    fmt::print("  epoch {}/{} loss {:.4f} {:.2f} s {:.0f} events/s\n", row.epoch, row.epochs,
               row.loss, row.seconds, row.events_per_second);
    std::fflush(stdout);
  }
  void note(std::string_view text) override { fmt::print("  {}\n", text); }
};

struct Metrics {
  double hits = 0, ndcg = 0, reciprocal = 0;
  void add(size_t rank) {
    if (rank < 10) {
      hits += 1;
      ndcg += 1 / std::log2(static_cast<double>(rank) + 2);
    }
    if (rank < 25) reciprocal += 1 / (static_cast<double>(rank) + 1);
  }
  std::string text(size_t users) const {
    const auto n = static_cast<double>(users);
    return fmt::format("HR@10 {:.4f} NDCG@10 {:.4f} MRR@25 {:.4f}", hits / n, ndcg / n,
                       reciprocal / n);
  }
};

// `asked`: one event a user, of which everything before is known; -1: the user is not asked.
void evaluate(const Model& model, const Sequences& all, const std::vector<int64_t>& asked) {
  Metrics with;
  Metrics unseen;
  size_t users = 0;
  std::vector<float> scores(model.item_count());
  std::vector<float> state(model.state_size());
  std::vector<ModelEvent> history;
  for (size_t u = 0; u < all.user_count(); ++u) {
    const int64_t last = asked[u];
    if (last < 0) continue;
    history.clear();
    model.begin(state);
    for (int64_t e = all.start[u]; e < last; ++e) {
      const auto i = static_cast<size_t>(e);
      history.push_back({all.timestamp[i], all.item[i], all.value[i]});
      model.step(history, history.size() - 1, state);
    }
    model.score({history, state}, scores);
    const auto target = static_cast<size_t>(all.item[static_cast<size_t>(last)]);
    const float wanted = scores[target];
    size_t rank = 0;
    for (size_t j = 0; j < scores.size(); ++j) rank += scores[j] >= wanted ? 1 : 0;
    with.add(rank - 1);
    std::set<ItemIndex> seen;
    for (const ModelEvent& event : history) seen.insert(event.item);
    size_t ahead = 0;
    for (const ItemIndex item : seen) ahead += scores[static_cast<size_t>(item)] >= wanted ? 1 : 0;
    unseen.add(seen.contains(static_cast<ItemIndex>(target)) ? scores.size() : rank - 1 - ahead);
    ++users;
  }
  fmt::print("  {} users; all {}; unseen {}\n", users, with.text(users), unseen.text(users));
}

int run(int argc, char** argv) {
  std::map<std::string, std::string> settings = {
      {"keep", "1"}, {"seed", "1"}, {"threads", "0"}, {"order", ""}};
  std::string json;
  for (int i = 3; i < argc; ++i) {
    const std::string text = argv[i];
    const std::string name = text.substr(0, text.find('='));
    const std::string value = text.substr(text.find('=') + 1);
    if (settings.contains(name))
      settings[name] = value;
    else
      json += fmt::format("{}\"{}\":\"{}\"", json.empty() ? "" : ",", name, value);
  }
  const Result<const Recipe*> recipe = find_recipe(argv[2]);
  if (!recipe.is_ok()) return fmt::print("{}\n", recipe.status().message()), 1;
  const auto hyperparameters =
      Hyperparameters::parse("{" + json + "}", (*recipe)->hyperparameters());
  if (!hyperparameters.is_ok()) return fmt::print("{}\n", hyperparameters.status().message()), 1;

  const Sequences all = read_sequences_of(argv[1], settings["order"]);
  TrainingView view = TrainingView::everything(all);
  const double keep = std::stod(settings["keep"]);
  std::vector<int64_t> asked(all.user_count(), -1);
  for (size_t u = 0; u < all.user_count(); ++u) {
    const int64_t n = view.length(u);
    if (n < 3) continue;
    asked[u] = view.end[u] - 1;
    if (keep < 1) {
      const auto withheld =
          std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(n)));
      asked[u] = view.end[u] -= withheld;
    } else {
      view.end[u] -= static_cast<int64_t>(keep);
    }
  }
  FitOptions options;
  options.seed = std::stoull(settings["seed"]);
  options.threads = std::stoi(settings["threads"]);
  Printing progress;
  const std::clock_t cpu_start = std::clock();
  const auto start = std::chrono::steady_clock::now();
  Result<Fitted> fitted = (*recipe)->fit(view, *hyperparameters, options, progress);
  const std::clock_t cpu = std::clock() - cpu_start;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!fitted.is_ok()) return fmt::print("{}\n", fitted.status().message()), 1;
  fmt::print("{} {} {} ({} users, {} items, {} events), isa {}: fit {:.2f} s, {:.2f} CPU s\n",
             argv[1], argv[2], json, all.user_count(), all.item_count(), all.event_count(),
             kernels().isa, seconds.count(), static_cast<double>(cpu) / CLOCKS_PER_SEC);

  const std::vector<std::byte> bytes = fitted->blob.finish();
  std::vector<std::byte> room(bytes.size() + 64);
  std::byte* aligned = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64) % 64;
  std::copy(bytes.begin(), bytes.end(), aligned);
  const auto blob = BlobView::parse({aligned, bytes.size()});
  if (!blob.is_ok()) return fmt::print("{}\n", blob.status().message()), 1;
  const auto model = (*recipe)->open(*blob);
  if (!model.is_ok()) return fmt::print("{}\n", model.status().message()), 1;
  evaluate(**model, all, asked);
  return 0;
}

}  // namespace
}  // namespace personalize

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: accuracy CSV RECIPE [name=value ...]\n", stderr), 2;
  return personalize::run(argc, argv);
}
