#include "engine/training/insights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/training/advice.h"

namespace personalize {
namespace {

constexpr int64_t kLargestSeconds = 100'000'000'000;  // the year 5138; as milliseconds: 1973
constexpr int64_t kClocksDiffer = 24 * 3600;
constexpr double kManyOneEventUsers = 0.5;
constexpr double kManyDuplicates = 0.01;
constexpr double kManyWithoutMetadata = 0.05;
constexpr double kManyMissing = 0.5;
// So far above the third quartile, in distances between the quartiles, a value is an outlier (Tukey
// 1977 calls 3 "far out"; prices and quantities have long tails).
constexpr double kFarOut = 10;
constexpr int64_t kLongestOrdinaryHistory = 100'000;

double share(int64_t part, size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

// Collects what is found.
class Insights {
 public:
  explicit Insights(std::vector<Insight>& found) : found_(found) {}
  template <typename... Arguments>
  void add(Severity severity, const char* name, std::string_view subject, double figure,
           fmt::format_string<Arguments...> advice, Arguments&&... arguments) {
    found_.push_back({severity, name, std::string(subject), figure,
                      fmt::format(advice, std::forward<Arguments>(arguments)...)});
  }

 private:
  std::vector<Insight>& found_;
};

void look_at_amounts(const Sequences& s, Insights& insights) {
  const auto events = static_cast<int64_t>(s.event_count());
  if (events == 0) {
    insights.add(Severity::kError, "no_interactions", "interactions", 0,
                 "there are no interactions; training needs at least 1, and {} from {} users to be "
                 "worth anything",
                 kAdvisedInteractions, kAdvisedUsers);
    return;
  }
  int64_t with_two = 0, longest = 0;
  size_t longest_user = 0;
  for (size_t u = 0; u < s.user_count(); u++) {
    const int64_t length = s.start[u + 1] - s.start[u];
    with_two += length >= 2;
    if (length > longest) longest_user = u;
    longest = std::max(longest, length);
  }
  if (events < kAdvisedInteractions || with_two < kAdvisedUsers)
    insights.add(Severity::kWarning, "few_interactions", "interactions",
                 static_cast<double>(events),
                 "there are {} interactions and {} users with 2 or more; expect little of a model "
                 "below {} interactions and {} such users (Amazon Personalize would refuse)",
                 events, with_two, kAdvisedInteractions, kAdvisedUsers);
  const int64_t alone = static_cast<int64_t>(s.user_count()) - with_two;
  if (share(alone, s.user_count()) >= kManyOneEventUsers)
    insights.add(Severity::kWarning, "users_with_one_interaction", "users",
                 share(alone, s.user_count()),
                 "{:.0f} % of the users have one interaction; nothing can be learned from what "
                 "follows what in their histories: is USER_ID a session, or a visitor's cookie?",
                 100 * share(alone, s.user_count()));
  if (longest > kLongestOrdinaryHistory)
    insights.add(Severity::kWarning, "very_long_history", "users", static_cast<double>(longest),
                 "user '{}' has {} interactions; is it a test, a robot, or what guests share? "
                 "max_user_history_length_percentile below 1 leaves such users out of training",
                 s.users[longest_user], longest);
}

void look_at_timestamps(const Sequences& s, int64_t now, Insights& insights) {
  int64_t too_large = 0, in_future = 0, not_positive = 0, largest = 0;
  for (const int64_t timestamp : s.timestamp) {
    too_large += timestamp > kLargestSeconds;
    in_future += timestamp > now + kClocksDiffer;
    not_positive += timestamp <= 0;
    largest = std::max(largest, timestamp);
  }
  if (too_large > 0) {
    insights.add(Severity::kError, "timestamps_in_milliseconds", "TIMESTAMP",
                 static_cast<double>(too_large),
                 "{} timestamps are above {}, such as {}: they look like milliseconds; TIMESTAMP "
                 "is in Unix seconds, so divide by 1000",
                 too_large, kLargestSeconds, largest);
  } else if (in_future > 0) {
    insights.add(Severity::kWarning, "timestamps_in_the_future", "TIMESTAMP",
                 static_cast<double>(in_future),
                 "{} timestamps lie in the future, the latest is {}; TIMESTAMP is in Unix seconds, "
                 "and now is {}",
                 in_future, largest, now);
  }
  if (share(not_positive, s.event_count()) > 0.5)
    insights.add(Severity::kWarning, "timestamps_without_time", "TIMESTAMP",
                 static_cast<double>(not_positive),
                 "{} timestamps are 0 or negative; without the time of the interactions neither "
                 "gaps nor popularity lately can be learned",
                 not_positive);
  if (s.ties_shuffled)
    insights.add(Severity::kWarning, "ties_in_id_order", "TIMESTAMP", s.tied_share,
                 "{:.0f} % of neighbouring interactions of a user have equal timestamps, and stand "
                 "in the order of the item ids: trainings shuffle them, since that order would "
                 "teach that the next id is larger; keep the real order, or finer timestamps",
                 100 * s.tied_share);
}

// Interactions of a user with the same item, time and value as another of his. They stand in the
// order of time, so only those of one time are compared.
int64_t count_duplicates(const Sequences& s) {
  int64_t duplicates = 0;
  std::vector<std::pair<ItemIndex, float>> rows;
  for (size_t u = 0; u < s.user_count(); u++) {
    const auto end = static_cast<size_t>(s.start[u + 1]);
    for (auto i = static_cast<size_t>(s.start[u]); i < end;) {
      size_t next = i + 1;
      while (next < end && s.timestamp[next] == s.timestamp[i]) next++;
      if (next > i + 1) {
        rows.clear();
        for (size_t j = i; j < next; j++)
          rows.emplace_back(s.item[j], std::isnan(s.value[j]) ? 0.0F : s.value[j]);
        std::sort(rows.begin(), rows.end());
        for (size_t j = 1; j < rows.size(); j++) duplicates += rows[j] == rows[j - 1];
      }
      i = next;
    }
  }
  return duplicates;
}

void look_at_values(const Sequences& s, Insights& insights) {
  std::vector<float> values;
  for (const float value : s.value)
    if (!std::isnan(value)) values.push_back(value);
  if (values.size() < 20) return;
  const auto quartile = [&](size_t number) {
    const auto place = values.begin() + static_cast<ptrdiff_t>(number * (values.size() - 1) / 4);
    std::nth_element(values.begin(), place, values.end());
    return static_cast<double>(*place);
  };
  const double first = quartile(1), third = quartile(3);
  const double far = kFarOut * std::max(third - first, std::max(1.0, std::abs(third)) * 0.1);
  int64_t outliers = 0;
  double worst = third;
  for (const float value : values) {
    const double x = value;
    if (x <= third + far && x >= first - far) continue;
    outliers++;
    if (std::abs(x - third) > std::abs(worst - third)) worst = x;
  }
  if (outliers > 0)
    insights.add(Severity::kNote, "event_values_far_out", "EVENT_VALUE",
                 static_cast<double>(outliers),
                 "{} values lie far outside of the usual {} to {}, such as {}; look whether a "
                 "threshold (event_value_threshold) means what it should",
                 outliers, first, third, worst);
}

void look_at_items(const Sequences& s, Insights& insights) {
  if (s.event_count() == 0) return;
  std::vector<int64_t> events(s.item_count());
  for (const ItemIndex item : s.item) events[static_cast<size_t>(item)]++;
  const auto most = std::max_element(events.begin(), events.end());
  const double part = share(*most, s.event_count());
  if (part > 0.2 && s.item_count() > 10)
    insights.add(
        Severity::kNote, "one_item_rules", "items", part,
        "{:.0f} % of all interactions are with item '{}'; is it a product, or a bag, a fee, "
        "a home page?",
        100 * part, s.items.id(static_cast<ItemIndex>(most - events.begin())));
}

// `known`: the ids that have interactions; id(i) is one of them.
template <typename Id>
void look_at_metadata(const MetadataTable& table, size_t known, const Id& id, const char* what,
                      Insights& insights) {
  int64_t without = 0;
  for (size_t i = 0; i < known; i++) without += table.find(id(i)) == kNoItem;
  if (share(without, known) > kManyWithoutMetadata)
    insights.add(
        Severity::kWarning, "no_metadata", what, share(without, known),
        "{:.0f} % of the {} with interactions have no row in the dataset of {}; are the ids the "
        "same in both?",
        100 * share(without, known), what, what);
  std::vector<int64_t> missing(table.fields().size());
  std::vector<FieldValue> row;
  for (size_t i = 0; i < table.size(); i++) {
    table.row(i, row);
    for (size_t f = 0; f < row.size(); f++) missing[f] += row[f].type == FieldValue::Type::kMissing;
  }
  for (size_t f = 0; f < missing.size(); f++)
    if (share(missing[f], table.size()) > kManyMissing)
      insights.add(Severity::kNote, "missing_values", table.fields()[f].name,
                   share(missing[f], table.size()), "{:.0f} % of the {} have no {}",
                   100 * share(missing[f], table.size()), what, table.fields()[f].name);
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      break;
  }
  return "note";
}

std::vector<Insight> data_insights(const Sequences& sequences, const MetadataTable* items,
                                   const MetadataTable* users, int64_t now) {
  std::vector<Insight> found;
  Insights insights(found);
  look_at_amounts(sequences, insights);
  look_at_timestamps(sequences, now, insights);
  const int64_t duplicates = count_duplicates(sequences);
  if (share(duplicates, sequences.event_count()) > kManyDuplicates)
    insights.add(Severity::kWarning, "duplicate_interactions", "interactions",
                 share(duplicates, sequences.event_count()),
                 "{} interactions ({:.1f} %) are like another of the same user in item, time and "
                 "value; was a file imported twice?",
                 duplicates, 100 * share(duplicates, sequences.event_count()));
  look_at_values(sequences, insights);
  look_at_items(sequences, insights);
  if (items != nullptr)
    look_at_metadata(
        *items, sequences.item_count(),
        [&](size_t i) { return sequences.items.id(static_cast<ItemIndex>(i)); }, "items", insights);
  if (users != nullptr)
    look_at_metadata(
        *users, sequences.user_count(),
        [&](size_t u) { return std::string_view(sequences.users[u]); }, "users", insights);
  std::stable_sort(found.begin(), found.end(),
                   [](const Insight& a, const Insight& b) { return a.severity < b.severity; });
  return found;
}

}  // namespace personalize
