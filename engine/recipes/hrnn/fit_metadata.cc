#include "engine/recipes/hrnn/fit_metadata.h"

namespace personalize::hrnn {
namespace {

// Items with fewer events learn at the full rate from those they share columns with, others slower:
// at the full rate they lose a little by it.
constexpr double kFewEventsAnItem = 150;
constexpr double kSlowRate = 0.3;

void tell_of(const Sequences& sequences, const Metadata* metadata, FitMetadata& fit) {
  static const MetadataTable none;
  fit.side =
      SideColumns(sequences, metadata != nullptr ? metadata->users : none, fit.context, fit.users);
  const MetadataTable& items = metadata != nullptr ? metadata->items : none;
  const FieldPlaces places = fit.items.places_in(items.fields());
  std::vector<FieldValue> values;
  for (size_t i = 0; i < sequences.item_count(); ++i) {
    const ItemIndex row = items.find(sequences.items.id(static_cast<ItemIndex>(i)));
    if (row != kNoItem) {
      items.row(static_cast<size_t>(row), values);
      fit.items.encode(places, values, 0, fit.bags.columns);
    }
    fit.bags.end_row();
  }
}

}  // namespace

FitMetadata FitMetadata::learn(const Sequences& sequences, const Metadata* metadata) {
  FitMetadata fit;
  fit.context = MetadataEncoder::learn(sequences.contexts);
  if (metadata != nullptr) {
    fit.items = MetadataEncoder::learn(metadata->items);
    fit.users = MetadataEncoder::learn(metadata->users);
  }
  tell_of(sequences, metadata, fit);
  return fit;
}

Result<FitMetadata> FitMetadata::of_model(const BlobView& blob, const Sequences& sequences,
                                          const Metadata* metadata) {
  FitMetadata fit;
  PERSONALIZE_ASSIGN_OR_RETURN(fit.items, MetadataEncoder::open("hrnn.items", blob));
  PERSONALIZE_ASSIGN_OR_RETURN(fit.context, MetadataEncoder::open("hrnn.context", blob));
  PERSONALIZE_ASSIGN_OR_RETURN(fit.users, MetadataEncoder::open("hrnn.users", blob));
  tell_of(sequences, metadata, fit);
  return fit;
}

TrainingMetadata FitMetadata::for_training(size_t events) const {
  TrainingMetadata training;
  if (any_side()) training.side = &side;
  if (any_items()) {
    const double events_an_item = static_cast<double>(events) / static_cast<double>(bags.size());
    training.items = {&bags, items.size(), events_an_item < kFewEventsAnItem ? 1 : kSlowRate};
  }
  return training;
}

void FitMetadata::write(BlobWriter& blob) const {
  if (items.size() > 0) items.write("hrnn.items", blob);
  if (context.size() > 0) context.write("hrnn.context", blob);
  if (users.size() > 0) users.write("hrnn.users", blob);
}

void add_side_columns(const SideColumns& side, size_t user, size_t begin,
                      std::vector<ModelEvent>& history, std::vector<ColumnIndex>& room) {
  const std::span<const ColumnIndex> of_user = side.of_user(user);
  std::vector<size_t> start = {0};
  room.clear();
  for (size_t i = 0; i < history.size(); ++i) {
    const std::span<const ColumnIndex> of_context = side.of_context(begin + i);
    room.insert(room.end(), of_context.begin(), of_context.end());
    room.insert(room.end(), of_user.begin(), of_user.end());
    start.push_back(room.size());
  }
  for (size_t i = 0; i < history.size(); ++i)
    history[i].columns = std::span(room).subspan(start[i], start[i + 1] - start[i]);
}

}  // namespace personalize::hrnn
