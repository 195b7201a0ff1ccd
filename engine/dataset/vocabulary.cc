#include "engine/dataset/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace personalize {
namespace {

// The slot where `id` is, or the free one where it would go. There is always a free one.
template <typename IdOf>
size_t find_slot(std::span<const uint32_t> slots, std::string_view id, const IdOf& id_of) {
  const size_t mask = slots.size() - 1;
  size_t place = XXH3_64bits(id.data(), id.size()) & mask;
  while (slots[place] != 0 && id_of(static_cast<ItemIndex>(slots[place] - 1)) != id)
    place = (place + 1) & mask;
  return place;
}

}  // namespace

void VocabularyBuilder::grow() {
  slot_.assign(slot_.empty() ? 16 : slot_.size() * 2, 0);
  for (size_t i = 0; i < size(); i++) {
    const auto index = static_cast<ItemIndex>(i);
    slot_[find_slot(slot_, id(index), [this](ItemIndex x) { return id(x); })] =
        static_cast<uint32_t>(i + 1);
  }
}

ItemIndex VocabularyBuilder::add(std::string_view id_text) {
  if ((size() + 1) * 2 > slot_.size()) grow();
  const size_t place = find_slot(slot_, id_text, [this](ItemIndex x) { return id(x); });
  if (slot_[place] == 0) {
    text_.append(id_text);
    offset_.push_back(text_.size());
    slot_[place] = static_cast<uint32_t>(size());
  }
  return static_cast<ItemIndex>(slot_[place] - 1);
}

ItemIndex VocabularyBuilder::find(std::string_view id_text) const {
  if (slot_.empty()) return kNoItem;
  const uint32_t found = slot_[find_slot(slot_, id_text, [this](ItemIndex x) { return id(x); })];
  return found == 0 ? kNoItem : static_cast<ItemIndex>(found - 1);
}

void VocabularyBuilder::write(BlobWriter& blob) const {
  blob.add_text("vocabulary.text", text_);
  blob.add("vocabulary.offset", offset_);
  blob.add("vocabulary.slot", slot_.empty() ? std::vector<uint32_t>(16, 0) : slot_);
}

Result<Vocabulary> Vocabulary::open(const BlobView& blob) {
  Vocabulary v;
  PERSONALIZE_ASSIGN_OR_RETURN(v.text_, blob.text("vocabulary.text"));
  PERSONALIZE_ASSIGN_OR_RETURN(v.offset_, blob.section<uint64_t>("vocabulary.offset"));
  PERSONALIZE_ASSIGN_OR_RETURN(v.slot_, blob.section<uint32_t>("vocabulary.slot"));
  const auto damaged = [](const char* what) {
    return Status(StatusCode::kCorrupt, std::string("the model's vocabulary is damaged: ") + what);
  };
  if (v.offset_.empty() || v.offset_.front() != 0 || v.offset_.back() != v.text_.size())
    return damaged("its offsets do not span its text");
  for (size_t i = 1; i < v.offset_.size(); i++)
    if (v.offset_[i] < v.offset_[i - 1]) return damaged("its offsets fall");
  const size_t slots = v.slot_.size();
  if (slots == 0 || (slots & (slots - 1)) != 0 || slots <= v.size())
    return damaged("its hash table has a wrong size");
  size_t used = 0;
  for (const uint32_t slot : v.slot_) {
    if (slot > v.size()) return damaged("its hash table points past the last item");
    used += slot != 0;
  }
  if (used != v.size()) return damaged("its hash table does not hold every item");
  return v;
}

ItemIndex Vocabulary::find(std::string_view id_text) const {
  if (slot_.empty()) return kNoItem;
  const uint32_t found = slot_[find_slot(slot_, id_text, [this](ItemIndex x) { return id(x); })];
  return found == 0 ? kNoItem : static_cast<ItemIndex>(found - 1);
}

}  // namespace personalize
