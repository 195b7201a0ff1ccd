#include "engine/serving/new_items.h"

namespace personalize {

void find_new_items(const LoadedModel& model, const UnseenTable* unseen, const NewItemRule& rule,
                    std::vector<NewItem>& fresh) {
  constexpr double kDay = 86'400;
  fresh.clear();
  const ItemAges* ages = model.model->item_ages();
  if (ages == nullptr) return;
  const double days = ages->most_days > 0 ? ages->most_days : rule.cut_off_days;
  const int64_t as_of = ages->as_of_question ? rule.now : ages->newest_event;
  const double oldest = static_cast<double>(as_of) - days * kDay;
  const auto is_young = [&](int64_t created) { return static_cast<double>(created) >= oldest; };
  for (size_t i = 0; i < ages->events.size(); i++) {
    if (ages->events[i] > ages->few_events || !is_young(ages->created[i])) continue;
    const auto item = static_cast<ItemIndex>(i);
    fresh.push_back({item, exploration_hash(model.vocabulary.id(item)), 0});
  }
  if (unseen == nullptr) return;
  const size_t known = model.vocabulary.size();
  for (size_t place = 0; place < unseen->size(); place++) {
    const int64_t created = unseen->created(place);
    if (created != UnseenTable::kNotCreated && !is_young(created)) continue;
    fresh.push_back({static_cast<ItemIndex>(known + place), unseen->hash(place), 0});
  }
}

}  // namespace personalize
