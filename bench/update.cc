// What an UPDATE is worth beside a FULL training: the newest twentieth of all events is new. A
// model of the older ones is trained; then it is updated, and another is trained from all. Withheld
// from both and asked, all items ranked: the newest events of users who have new ones, and the last
// event of some who have none, for whom nothing should get worse. usage: bench_update CSV
// [name=value ...]      a hyperparameter of hrnn, or
//   new=0.05   share of the events, by time, that is new
//   ask=1      at most so many events of a user, and half of his new ones
//   seeds=1 threads=0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "engine/dataset/split.h"
#include "engine/dataset/user_hash.h"
#include "engine/recipes/hrnn/hrnn.h"
#include "engine/store/model_store.h"

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

// The rows up to `newest`, by user, time and place in the file.
Sequences sequences_of(const std::vector<Row>& rows, int64_t newest) {
  std::map<std::string, std::vector<const Row*>> users;
  for (const Row& row : rows)
    if (row.timestamp <= newest) users[row.user].push_back(&row);
  Sequences all;
  all.start.push_back(0);
  for (auto& [name, events] : users) {
    std::stable_sort(events.begin(), events.end(),
                     [](const Row* a, const Row* b) { return a->timestamp < b->timestamp; });
    all.users.push_back(name);
    for (const Row* row : events) {
      all.item.push_back(all.items.add(row->item));
      all.timestamp.push_back(row->timestamp);
      all.value.push_back(row->value);
    }
    all.start.push_back(static_cast<int64_t>(all.item.size()));
  }
  return all;
}

class Silent : public Progress {
 public:
  bool stop() override { return false; }
  void epoch(const EpochRow& /*row*/) override {}
  void note(std::string_view /*text*/) override {}
};

// A fitted model with what it needs to be asked.
struct Version {
  std::shared_ptr<AlignedBytes> bytes;
  BlobView blob;
  std::unique_ptr<Model> model;
  double seconds = 0, cpu_seconds = 0;
};

std::optional<Version> fit(const TrainingView& view, const Hyperparameters& hyperparameters,
                           const FitOptions& options) {
  Silent progress;
  const std::clock_t cpu = std::clock();
  const auto start = std::chrono::steady_clock::now();
  auto fitted = hrnn_recipe().fit(view, hyperparameters, options, progress);
  Version version;
  version.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  version.cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  if (!fitted.is_ok()) return fmt::print("{}\n", fitted.status().message()), std::nullopt;
  view.sequences->items.write(fitted->blob);
  const std::vector<std::byte> bytes = fitted->blob.finish();
  version.bytes = std::make_shared<AlignedBytes>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), version.bytes->data());
  version.blob = *BlobView::parse(version.bytes->bytes());
  version.model = *hrnn_recipe().open(version.blob);
  return version;
}

// NDCG@10 of one asked event, all items ranked: what the model does not know comes last.
double gain_of(const Version& version, ItemIndex target, const std::vector<ModelEvent>& history,
               const std::vector<float>& state, std::vector<float>& scores) {
  if (target == kNoItem) return 0;
  version.model->score({history, state}, scores);
  const float wanted = scores[static_cast<size_t>(target)];
  size_t rank = 0;
  for (const float score : scores) rank += score >= wanted ? 1 : 0;
  return rank <= 10 ? 1 / std::log2(static_cast<double>(rank) + 1) : 0;
}

// Each asked user's mean gain over his events from asked[user] on.
std::vector<double> ask(const Version& version, const Sequences& all,
                        const std::vector<int64_t>& asked) {
  const Vocabulary vocabulary = *Vocabulary::open(version.blob);
  std::vector<double> gains;
  std::vector<float> scores(version.model->item_count());
  std::vector<float> state(version.model->state_size());
  std::vector<ModelEvent> history;
  for (size_t user = 0; user < asked.size(); ++user) {
    if (asked[user] < 0) continue;
    history.clear();
    version.model->begin(state);
    double sum = 0;
    for (int64_t e = all.start[user]; e < all.start[user + 1]; ++e) {
      const auto i = static_cast<size_t>(e);
      if (e >= asked[user])
        sum += gain_of(version, vocabulary.find(all.items.id(all.item[i])), history, state, scores);
      const ItemIndex item = vocabulary.find(all.items.id(all.item[i]));
      if (item == kNoItem) continue;
      history.push_back({all.timestamp[i], item, all.value[i]});
      version.model->step(history, history.size() - 1, state);
    }
    gains.push_back(sum / static_cast<double>(all.start[user + 1] - asked[user]));
  }
  return gains;
}

double mean(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

std::string difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> d;
  for (size_t i = 0; i < a.size(); ++i) d.push_back(a[i] - b[i]);
  const double m = mean(d);
  double squares = 0;
  for (const double v : d) squares += (v - m) * (v - m);
  const auto n = static_cast<double>(d.size());
  return fmt::format("{:+.4f} +- {:.4f}", m, std::sqrt(squares / n / std::max(1.0, n - 1)));
}

// What is asked: of users with new events the newest of them, and of some without, for whom nothing
// should get worse, their last one.
struct Asked {
  std::vector<int64_t> fresh, others;  // one a user: the first event that is asked, or -1
  TrainingView known;                  // everything but what is asked
  size_t fresh_events = 0, fresh_users = 0;
};

constexpr size_t kOneInSoMany = 5;  // of the others

Asked choose(const Sequences& all, int64_t newest, int64_t most) {
  Asked asked{std::vector<int64_t>(all.user_count(), -1),
              std::vector<int64_t>(all.user_count(), -1), TrainingView::everything(all)};
  const std::vector<int64_t> first = first_events_after(asked.known, newest);
  for (size_t user = 0; user < first.size(); ++user) {
    const int64_t end = all.start[user + 1];
    const int64_t fresh = end - first[user];
    asked.fresh_events += static_cast<size_t>(fresh);
    asked.fresh_users += fresh > 0 ? 1 : 0;
    if (end - all.start[user] < 3) continue;
    if (fresh > 0)
      asked.fresh[user] = asked.known.end[user] = end - std::clamp<int64_t>(fresh / 2, 1, most);
    else if (user_hash(all.users[user], 1) % kOneInSoMany == 0)
      asked.others[user] = asked.known.end[user] = end - 1;
  }
  return asked;
}

struct Answers {
  std::vector<double> fresh, others;
};

Answers ask_both(const Version& version, const Sequences& all, const Asked& asked) {
  return {ask(version, all, asked.fresh), ask(version, all, asked.others)};
}

void print(std::string_view name, const Version& version, const Answers& answers,
           const Answers& old) {
  fmt::print("  {:6} {:.4f} (less old {}), others {:.4f} ({}), in {:.2f} s, {:.2f} CPU s\n", name,
             mean(answers.fresh), difference(answers.fresh, old.fresh), mean(answers.others),
             difference(answers.others, old.others), version.seconds, version.cpu_seconds);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  std::map<std::string, std::string> settings = {
      {"new", "0.05"}, {"ask", "1"}, {"seeds", "1"}, {"threads", "0"}};
  std::string json;
  for (int i = 2; i < argc; ++i) {
    const std::string text = argv[i];
    const std::string name = text.substr(0, text.find('='));
    const std::string value = text.substr(text.find('=') + 1);
    if (settings.contains(name))
      settings[name] = value;
    else
      json += fmt::format("{}\"{}\":{}", json.empty() ? "" : ",", name, value);
  }
  const auto hyperparameters =
      Hyperparameters::parse("{" + json + "}", hrnn_recipe().hyperparameters());
  if (!hyperparameters.is_ok()) return fmt::print("{}\n", hyperparameters.status().message()), 1;

  const std::vector<Row> rows = read_rows(argv[1]);
  std::vector<int64_t> times;
  for (const Row& row : rows) times.push_back(row.timestamp);
  std::sort(times.begin(), times.end());
  const auto old_rows =
      static_cast<size_t>((1 - std::stod(settings["new"])) * static_cast<double>(times.size()));
  const int64_t newest = times[std::max<size_t>(1, old_rows) - 1];
  const Sequences all = sequences_of(rows, times.back());
  const Asked asked = choose(all, newest, std::stoll(settings["ask"]));
  // What the first version knows has other numbers for its items: it has not seen the new ones.
  std::vector<Row> older;
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = all.start[user]; e < asked.known.end[user]; ++e) {
      const auto i = static_cast<size_t>(e);
      if (all.timestamp[i] <= newest)
        older.push_back({all.users[user], std::string(all.items.id(all.item[i])), all.timestamp[i],
                         all.value[i]});
    }
  const Sequences before = sequences_of(older, newest);
  fmt::print("{}: {} events of {} users, {} items; new: {} events of {} users, {} items; {}\n",
             argv[1], all.event_count(), all.user_count(), all.item_count(), asked.fresh_events,
             asked.fresh_users, all.item_count() - before.item_count(), json);

  for (int seed = 1; seed <= std::stoi(settings["seeds"]); ++seed) {
    FitOptions options;
    options.seed = static_cast<uint64_t>(seed);
    options.threads = std::stoi(settings["threads"]);
    const auto old = fit(TrainingView::everything(before), *hyperparameters, options);
    if (!old) return 1;
    const Answers old_answers = ask_both(*old, all, asked);
    fmt::print("seed {}, NDCG@10 of {} users with new events, {} others\n", seed,
               old_answers.fresh.size(), old_answers.others.size());
    print("old", *old, old_answers, old_answers);
    const Vocabulary vocabulary = *Vocabulary::open(old->blob);
    const PreviousModel previous{old->blob, &vocabulary, newest};
    options.previous = &previous;
    const auto updated = fit(asked.known, *hyperparameters, options);
    if (!updated) return 1;
    const Answers updated_answers = ask_both(*updated, all, asked);
    print("UPDATE", *updated, updated_answers, old_answers);
    options.previous = nullptr;
    const auto full = fit(asked.known, *hyperparameters, options);
    if (!full) return 1;
    const Answers full_answers = ask_both(*full, all, asked);
    print("FULL", *full, full_answers, old_answers);
    fmt::print("  UPDATE less FULL {}, others {}; {:.3f} of its CPU seconds\n",
               difference(updated_answers.fresh, full_answers.fresh),
               difference(updated_answers.others, full_answers.others),
               updated->cpu_seconds / full->cpu_seconds);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace personalize

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: update CSV [name=value ...]\n", stderr), 2;
  return personalize::run(argc, argv);
}
