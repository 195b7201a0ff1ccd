#include "engine/dataset/side_columns.h"

namespace personalize {

SideColumns::SideColumns(const Sequences& sequences, const MetadataTable& users,
                         const MetadataEncoder& context_encoder,
                         const MetadataEncoder& user_encoder)
    : sequences_(&sequences),
      context_size_(context_encoder.size()),
      size_(context_encoder.size() + user_encoder.size()) {
  std::vector<FieldValue> values;
  if (context_size_ > 0 && !sequences.context.empty()) {
    const FieldPlaces places = context_encoder.places_in(sequences.contexts.fields());
    context_.start.push_back(0);
    for (size_t row = 0; row < sequences.contexts.size(); ++row) {
      sequences.contexts.row(row, values);
      context_encoder.encode(places, values, 0, context_.columns);
      context_.start.push_back(context_.columns.size());
    }
  }
  if (user_encoder.size() == 0) return;
  const FieldPlaces places = user_encoder.places_in(users.fields());
  user_.start.push_back(0);
  for (const std::string& id : sequences.users) {
    if (const ItemIndex row = users.find(id); row != kNoItem) {
      users.row(static_cast<size_t>(row), values);
      user_encoder.encode(places, values, static_cast<ColumnIndex>(context_size_), user_.columns);
    }
    user_.start.push_back(user_.columns.size());
  }
}

}  // namespace personalize
