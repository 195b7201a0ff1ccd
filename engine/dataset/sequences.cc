#include "engine/dataset/sequences.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "engine/dataset/user_hash.h"

namespace personalize {
namespace {

// From when on ties are looked at: a hundredth of the neighbouring events, and enough pairs of
// different items to judge their order by.
constexpr double kManyTies = 0.01;
constexpr size_t kEnoughPairs = 100;
// Which share of ascending pairs means "in the order of the ids". An honest order gives about 0.5:
// 0.50 to 0.55 on five public data sets; a table loaded in item order gives nearly 1.
constexpr double kOrderedShare = 0.75;

bool all_digits(std::string_view id) {
  return !id.empty() &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Order of ids as numbers where both are, else as bytes.
bool id_less(std::string_view a, std::string_view b) {
  if (!all_digits(a) || !all_digits(b)) return a < b;
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Appends the events that pass the filter; looks up each item's text once.
class SequenceReader : public EventSink {
 public:
  SequenceReader(EventSource& source, const EventFilter& filter, Sequences& sequences)
      : source_(source), check_(source, filter), sequences_(sequences) {
    sequences_.start.push_back(0);
  }

  Status user(std::string_view user_id, std::span<const Event> events) override {
    sequences_.rows_read += events.size();
    const size_t before = sequences_.item.size();
    for (const Event& event : events) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool taken, check_.passes(event));
      if (!taken) continue;
      PERSONALIZE_ASSIGN_OR_RETURN(const ItemIndex item, item_of(event.item));
      sequences_.item.push_back(item);
      sequences_.timestamp.push_back(event.timestamp);
      sequences_.value.push_back(event.value);
      if (event.context != nullptr) PERSONALIZE_RETURN_IF_ERROR(add_context(event.context));
    }
    if (sequences_.item.size() == before) return Status::ok();
    sequences_.users.emplace_back(user_id);
    sequences_.start.push_back(static_cast<int64_t>(sequences_.item.size()));
    return Status::ok();
  }

 private:
  Status add_context(const double* numbers) {
    const std::span<const MetadataField> fields = sequences_.contexts.fields();
    values_.assign(fields.size(), FieldValue::missing());
    for (size_t f = 0; f < fields.size(); ++f) {
      if (std::isnan(numbers[f])) continue;
      if (fields[f].kind == FieldKind::kNumber || fields[f].kind == FieldKind::kBoolean) {
        values_[f] = FieldValue::of(numbers[f]);
      } else {
        PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text,
                                     source_.context_text(f, numbers[f]));
        values_[f] = FieldValue::of(text);
      }
    }
    sequences_.context.push_back(sequences_.contexts.add(values_));
    return Status::ok();
  }
  Result<ItemIndex> item_of(ItemCode code) {
    if (code < 0) return Status(StatusCode::kInternal, "an event came without an item");
    const auto place = static_cast<size_t>(code);
    if (place >= index_.size()) index_.resize(std::max(place + 1, index_.size() * 2), kNoItem);
    if (index_[place] == kNoItem) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view id, source_.item_id(code));
      index_[place] = sequences_.items.add(id);
    }
    return index_[place];
  }

  EventSource& source_;
  FilterCheck check_;
  Sequences& sequences_;
  std::vector<ItemIndex> index_;  // by item code
  std::vector<FieldValue> values_;
};

// Each item's place among all ids in `less` order.
template <typename Less>
std::vector<uint32_t> places(const VocabularyBuilder& items, const Less& less) {
  std::vector<ItemIndex> order(items.size());
  for (size_t i = 0; i < order.size(); i++) order[i] = static_cast<ItemIndex>(i);
  std::sort(order.begin(), order.end(), [&](ItemIndex a, ItemIndex b) {
    const std::string_view x = items.id(a), y = items.id(b);
    return less(x, y) || (!less(y, x) && a < b);
  });
  std::vector<uint32_t> place(items.size());
  for (size_t i = 0; i < order.size(); i++)
    place[static_cast<size_t>(order[i])] = static_cast<uint32_t>(i);
  return place;
}

// Calls pair(i) for every event i that has the timestamp of the event before it of the same user.
template <typename Pair>
void for_each_tie(const Sequences& s, const Pair& pair) {
  for (size_t u = 0; u < s.user_count(); u++)
    for (auto i = static_cast<size_t>(s.start[u]) + 1; i < static_cast<size_t>(s.start[u + 1]); i++)
      if (s.timestamp[i] == s.timestamp[i - 1]) pair(i);
}

// Whether ties are many and stand in order of the item id, as numbers or as text.
bool ties_stand_in_id_order(const Sequences& s) {
  if (s.tied_share < kManyTies) return false;
  const auto by_number = places(s.items, id_less);
  const auto by_text = places(s.items, std::less<std::string_view>());
  size_t pairs = 0, number_rises = 0, text_rises = 0;
  for_each_tie(s, [&](size_t i) {
    const auto a = static_cast<size_t>(s.item[i - 1]), b = static_cast<size_t>(s.item[i]);
    if (a == b) return;
    pairs++;
    number_rises += by_number[a] < by_number[b];
    text_rises += by_text[a] < by_text[b];
  });
  if (pairs < kEnoughPairs) return false;
  const auto ordered = [&](size_t rises) {
    const double share = static_cast<double>(rises) / static_cast<double>(pairs);
    return share >= kOrderedShare || share <= 1 - kOrderedShare;
  };
  return ordered(number_rises) || ordered(text_rises);
}

// Fisher-Yates inside each run of equal timestamps, from a stream of the user's own.
void shuffle_ties(Sequences& s, uint64_t seed) {
  for (size_t u = 0; u < s.user_count(); u++) {
    uint64_t state = user_hash(s.users[u], seed ^ 0x7469657300000000u);
    const auto end = static_cast<size_t>(s.start[u + 1]);
    for (auto from = static_cast<size_t>(s.start[u]); from < end;) {
      size_t to = from + 1;
      while (to < end && s.timestamp[to] == s.timestamp[from]) to++;
      for (size_t left = to - from; left > 1; left--) {
        state += 0x9E3779B97F4A7C15u;
        const size_t a = from + left - 1, b = from + mix64(state) % left;
        std::swap(s.item[a], s.item[b]);
        std::swap(s.value[a], s.value[b]);
        if (!s.context.empty()) std::swap(s.context[a], s.context[b]);
      }
      from = to;
    }
  }
}

}  // namespace

Result<Sequences> read_sequences(EventSource& source, const EventFilter& filter, TieOrder tie_order,
                                 uint64_t seed, bool with_context) {
  Sequences sequences;
  if (with_context) sequences.contexts = Contexts(source.context_fields());
  source.read_context(with_context && !sequences.contexts.fields().empty());
  SequenceReader reader(source, filter, sequences);
  PERSONALIZE_RETURN_IF_ERROR(source.scan(reader));

  size_t ties = 0;
  for_each_tie(sequences, [&](size_t) { ties++; });
  const size_t neighbours = sequences.event_count() - sequences.user_count();
  if (neighbours > 0)
    sequences.tied_share = static_cast<double>(ties) / static_cast<double>(neighbours);
  sequences.ties_shuffled = tie_order == TieOrder::kShuffled ||
                            (tie_order == TieOrder::kAuto && ties_stand_in_id_order(sequences));
  if (sequences.ties_shuffled) shuffle_ties(sequences, seed);
  return sequences;
}

}  // namespace personalize
