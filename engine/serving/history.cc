#include "engine/serving/history.h"

#include <algorithm>
#include <cmath>

namespace personalize {
namespace {

constexpr ItemIndex kNotLookedUp = -2;
// How many contexts are remembered: numbers may make each event's another one.
constexpr size_t kMostContexts = 4'096;
constexpr size_t kNoPlace = static_cast<size_t>(-1);

bool is_text(FieldKind kind) { return kind == FieldKind::kCategorical || kind == FieldKind::kText; }

}  // namespace

HistoryReader::HistoryReader(EventSource& source, std::shared_ptr<const LoadedModel> model,
                             MetadataSource* users)
    : source_(source), model_(std::move(model)), users_(users), check_(source, model_->filter) {
  const ModelMetadata* metadata = model_->model->metadata();
  if (metadata == nullptr) return;
  if (metadata->context.size() > 0 && !source.context_fields().empty()) {
    reads_context_ = true;
    context_places_ = metadata->context.places_in(source.context_fields());
  }
  if (metadata->users.size() > 0 && users_ != nullptr) {
    reads_users_ = true;
    user_places_ = metadata->users.places_in(users_->fields());
  }
}

Result<ItemIndex> HistoryReader::item_of(ItemCode code, const UnseenTable* unseen) {
  if (code < 0) return kNoItem;
  const auto place = static_cast<size_t>(code);
  if (place >= item_.size()) item_.resize(std::max(place + 1, item_.size() * 2), kNotLookedUp);
  if (item_[place] == kNotLookedUp) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view id, source_.item_id(code));
    item_[place] = model_->vocabulary.find(id);
    if (item_[place] == kNoItem && unseen != nullptr) item_[place] = unseen->find(id);
  }
  return item_[place];
}

Result<uint32_t> HistoryReader::context_of(const double* context) {
  const std::span<const MetadataField> fields = source_.context_fields();
  key_.assign(reinterpret_cast<const char*>(context), fields.size() * sizeof(double));
  if (const auto found = contexts_.find(key_); found != contexts_.end()) return found->second;
  values_.clear();
  for (size_t i = 0; i < fields.size(); i++) {
    if (std::isnan(context[i])) {
      values_.push_back(FieldValue::missing());
    } else if (is_text(fields[i].kind)) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::string_view text,
                                   source_.context_text(i, context[i]));
      values_.push_back(FieldValue::of(text));
    } else {
      values_.push_back(FieldValue::of(context[i]));
    }
  }
  model_->model->metadata()->context.encode(context_places_, values_, 0, context_columns_);
  context_start_.push_back(context_columns_.size());
  const auto number = static_cast<uint32_t>(contexts_.size());
  contexts_.emplace(key_, number);
  return number;
}

Status HistoryReader::add_user(std::string_view user_id, std::vector<ColumnIndex>& columns) {
  if (!reads_users_) return Status::ok();
  PERSONALIZE_ASSIGN_OR_RETURN(const bool known, users_->row(user_id, values_));
  if (!known) return Status::ok();
  const ModelMetadata& metadata = *model_->model->metadata();
  metadata.users.encode(user_places_, values_, static_cast<ColumnIndex>(metadata.context.size()),
                        columns);
  return Status::ok();
}

void HistoryReader::refresh(const std::shared_ptr<const UnseenTable>& unseen) {
  const bool other_codes = generation_ != source_.dictionary_generation();
  if (other_codes || unseen != unseen_) item_.clear();
  if (other_codes || contexts_.size() > kMostContexts) {
    contexts_.clear();
    context_start_.assign(1, 0);
    context_columns_.clear();
  }
  if (other_codes) check_.forget();
  generation_ = source_.dictionary_generation();
  unseen_ = unseen;
}

void HistoryReader::add_columns(std::span<const ColumnIndex> user, UserHistory& history) {
  context_place_.assign(contexts_.size() + 1, kNoPlace);
  history.arena_.clear();
  // Where the columns begin, first; the arena moves while it grows.
  for (const uint32_t context : event_context_) {
    if (context_place_[context] != kNoPlace) continue;
    context_place_[context] = history.arena_.size();
    if (reads_context_)
      history.arena_.insert(
          history.arena_.end(),
          context_columns_.begin() + static_cast<ptrdiff_t>(context_start_[context]),
          context_columns_.begin() + static_cast<ptrdiff_t>(context_start_[context + 1]));
    history.arena_.insert(history.arena_.end(), user.begin(), user.end());
  }
  for (size_t i = 0; i < event_context_.size(); i++) {
    const uint32_t context = event_context_[i];
    const size_t of_context =
        reads_context_ ? context_start_[context + 1] - context_start_[context] : 0;
    history.events[i].columns =
        std::span(history.arena_).subspan(context_place_[context], of_context + user.size());
  }
}

Status HistoryReader::add_events(const UnseenTable* unseen, UserHistory& history) {
  const bool has_columns = reads_context_ || reads_users_;
  const auto known = static_cast<ItemIndex>(model_->vocabulary.size());
  for (const Event& event : events_) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool taken, check_.passes(event));
    if (!taken) continue;
    PERSONALIZE_ASSIGN_OR_RETURN(const ItemIndex item, item_of(event.item, unseen));
    if (item == kNoItem) continue;
    ModelEvent seen{event.timestamp, item, event.value};
    if (item >= known) {
      seen.item_columns = unseen->columns(static_cast<size_t>(item - known));
      if (seen.item_columns.empty()) continue;  // nothing to tell it by
    }
    if (reads_context_) {
      PERSONALIZE_ASSIGN_OR_RETURN(const uint32_t number, context_of(event.context));
      event_context_.push_back(number);
    } else if (has_columns) {
      event_context_.push_back(0);
    }
    history.events.push_back(seen);
  }
  return Status::ok();
}

Status HistoryReader::read(std::string_view user_id, std::shared_ptr<const UnseenTable> unseen,
                           std::span<const FieldValue> context, UserHistory& history) {
  history.events.clear();
  history.asked.clear();
  // What is known of items' codes holds with and without a table of nothing.
  if (unseen != nullptr && unseen->size() == 0) unseen.reset();
  source_.read_context(reads_context_);
  PERSONALIZE_RETURN_IF_ERROR(source_.of_user(user_id, events_));
  refresh(unseen);
  event_context_.clear();
  PERSONALIZE_RETURN_IF_ERROR(add_events(unseen.get(), history));
  history.unseen = std::move(unseen);
  if (!reads_context_ && !reads_users_) return Status::ok();
  if (reads_context_ && !context.empty())
    model_->model->metadata()->context.encode(context_places_, context, 0, history.asked);
  const size_t of_context = history.asked.size();
  PERSONALIZE_RETURN_IF_ERROR(add_user(user_id, history.asked));
  add_columns(std::span(history.asked).subspan(of_context), history);
  return Status::ok();
}

std::optional<UserPosition> HistoryReader::position() const {
  if (reads_context_ || reads_users_) return std::nullopt;
  return source_.position();
}

Result<Continuation> HistoryReader::go_on(UserPosition& position, UserHistory& history) {
  source_.read_context(false);
  UserPosition next = position;
  PERSONALIZE_ASSIGN_OR_RETURN(const Continuation continuation, source_.go_on(next, events_));
  if (continuation != Continuation::kAppended) return continuation;
  refresh(nullptr);
  PERSONALIZE_RETURN_IF_ERROR(add_events(nullptr, history));
  position = next;
  return continuation;
}

}  // namespace personalize
