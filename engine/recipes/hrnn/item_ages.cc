#include "engine/recipes/hrnn/item_ages.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/math/finite.h"

namespace personalize::hrnn {
namespace {

constexpr std::string_view kCreation = "CREATION_TIMESTAMP";

// Section "hrnn.ages".
struct Header {
  int64_t newest_event;
  double most_days;
  float few_events;
  uint32_t as_of_question;
};

}  // namespace

int64_t newest_event(const TrainingView& data) {
  int64_t newest = std::numeric_limits<int64_t>::min();
  for (size_t user = 0; user < data.end.size(); ++user)
    if (data.length(user) > 0)  // each user's are in the order of time
      newest = std::max(newest, data.sequences->timestamp[static_cast<size_t>(data.end[user]) - 1]);
  return newest;
}

std::vector<int64_t> creation_times(const TrainingView& data, const MetadataTable* items) {
  const Sequences& all = *data.sequences;
  constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> created(all.item_count(), kNone);
  const int64_t newest = newest_event(data);
  for (size_t user = 0; user < all.user_count(); ++user)
    for (int64_t e = data.begin(user); e < data.end[user]; ++e) {
      const auto i = static_cast<size_t>(e);
      int64_t& first = created[static_cast<size_t>(all.item[i])];
      first = std::min(first, all.timestamp[i]);
    }
  for (int64_t& time : created)
    if (time == kNone) time = newest;
  if (items == nullptr) return created;
  const auto field = std::find_if(items->fields().begin(), items->fields().end(),
                                  [](const MetadataField& f) { return f.name == kCreation; });
  if (field == items->fields().end()) return created;
  std::vector<FieldValue> values;
  for (size_t i = 0; i < created.size(); ++i) {
    const ItemIndex row = items->find(all.items.id(static_cast<ItemIndex>(i)));
    if (row == kNoItem) continue;
    items->row(static_cast<size_t>(row), values);
    const FieldValue& value = values[static_cast<size_t>(field - items->fields().begin())];
    // Beyond 2^62 seconds no difference of two times would fit.
    if (value.type == FieldValue::Type::kNumber && std::abs(value.number) < 0x1p62)
      created[i] = static_cast<int64_t>(value.number);
  }
  return created;
}

void write_item_ages(const ItemAges& ages, BlobWriter& blob) {
  const Header header{ages.newest_event, ages.most_days, ages.few_events,
                      ages.as_of_question ? 1U : 0U};
  blob.add("hrnn.ages", std::span<const Header>(&header, 1));
  blob.add("hrnn.ages_events", ages.events);
  blob.add("hrnn.ages_created", ages.created);
}

Result<ItemAges> open_item_ages(const BlobView& blob, size_t items) {
  ItemAges ages;
  if (!blob.has("hrnn.ages")) return ages;
  PERSONALIZE_ASSIGN_OR_RETURN(const auto header, blob.section<Header>("hrnn.ages", 1));
  PERSONALIZE_ASSIGN_OR_RETURN(ages.events, blob.section<float>("hrnn.ages_events", items));
  PERSONALIZE_ASSIGN_OR_RETURN(ages.created, blob.section<int64_t>("hrnn.ages_created", items));
  ages.newest_event = header[0].newest_event;
  ages.most_days = header[0].most_days;
  ages.few_events = header[0].few_events;
  ages.as_of_question = header[0].as_of_question != 0;
  if (!all_finite_and_positive(ages.events) || !(ages.most_days >= 0) ||
      !std::isfinite(ages.most_days) || !(ages.few_events >= 0) || !std::isfinite(ages.few_events))
    return Status(StatusCode::kCorrupt, "the model's ages of items are damaged");
  return ages;
}

}  // namespace personalize::hrnn
