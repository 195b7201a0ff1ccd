#include "extension/user_question.h"

#include <fmt/format.h>

#include "engine/serving/user_state.h"
#include "extension/question_shelf.h"

namespace personalize {
namespace {

// So many events are folded anew at a process's first question rather than written down with every
// one: that takes as long as folding some.
constexpr size_t kFoldedAnew = 8;

// The buffers of all questions of a connection: none is asked while another is answered.
struct Buffers {
  UserHistory history;
  UserState state;
};

UserMemo memo_of(const Responder& responder, std::string_view user) {
  return {responder.states.get(),
          StateKey::make(responder.model->record.model_id, user, responder.state_secret)};
}

// Asks for a user whose question was kept, if nothing but new events of his has come since; gives
// the number of events. Nothing, and the question is kept no longer: all has to be read.
Result<std::optional<size_t>> ask_on(QuestionShelf& shelf, Responder& responder,
                                     std::string_view user, const QuestionShelf::Kept& kept,
                                     Buffers& buffers, Answerer& answerer) {
  if (!kept.history) return std::optional<size_t>();
  UserHistory& history = buffers.history;
  kept.history->give(history);
  const size_t before = history.events.size();
  UserPosition position = kept.history->position;
  PERSONALIZE_ASSIGN_OR_RETURN(const Continuation continuation,
                               responder.history->go_on(position, history));
  // Of his events or somebody else's: none of those kept of this dataset can be gone on with, and
  // what was forgotten on purpose must not stay here.
  if (continuation == Continuation::kUnknown) shelf.clear();
  if (continuation != Continuation::kAppended) return std::optional<size_t>();
  const Model& model = *responder.model->model;
  const size_t events = history.events.size();
  if (events == before) {
    answerer.ask_again(*responder.model, kept.question);
    shelf.confirm(position);
    return std::optional(events);
  }
  size_t remembered = kept.history->remembered;
  std::span<const float> state;
  if (events - remembered >= kFoldedAnew) {
    state = buffers.state.after(model, history.events, memo_of(responder, user));
    remembered = events;
  } else {
    state = buffers.state.from(model, history.events, before, kept.history->state);
  }
  answerer.ask_for_user(*responder.model, history.question(state), nullptr);
  if (auto question = answerer.kept_question())
    shelf.keep(
        responder, user,
        {std::move(*question), events, KeptHistory(position, history.events, state, remembered)});
  return std::optional(events);
}

}  // namespace

Result<QuestionContext> context_of(const Responder& responder, const UserQuestion& question) {
  if (question.context.empty()) return QuestionContext();
  const Recipe& recipe = *responder.model->recipe;
  if (!recipe.uses_metadata())
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: context is {}, but recipe {} reads no "
                              "context; hrnn-metadata does",
                              question.caller, question.context, recipe.name()));
  return QuestionContext::parse(question.context, responder.source->context_fields(),
                                question.caller);
}

Result<size_t> ask_for_user(Connection& connection, Responder& responder,
                            const UserQuestion& question,
                            const std::shared_ptr<const UnseenTable>& unseen, Answerer& answerer) {
  auto& buffers = connection.part<Buffers>();
  PERSONALIZE_RETURN_IF_ERROR(connection.part<Responders>().open_history(connection, responder));
  auto& shelf = connection.part<QuestionShelf>();
  const bool is_plain = question.context.empty() && (unseen == nullptr || unseen->size() == 0) &&
                        QuestionShelf::may_keep(responder);
  if (is_plain) {
    const auto [kept, is_current] = shelf.find(connection, responder, question.user);
    if (is_current) {
      answerer.ask_again(*responder.model, kept->question);
      return kept->events;
    }
    if (kept != nullptr) {
      PERSONALIZE_ASSIGN_OR_RETURN(
          const std::optional<size_t> events,
          ask_on(shelf, responder, question.user, *kept, buffers, answerer));
      if (events) return *events;
    }
  }
  PERSONALIZE_ASSIGN_OR_RETURN(const QuestionContext context, context_of(responder, question));
  UserHistory& history = buffers.history;
  PERSONALIZE_RETURN_IF_ERROR(
      responder.history->read(question.user, unseen, context.values(), history));
  const size_t events = history.events.size();
  std::span<const float> state;
  if (events > 0)
    state = buffers.state.after(*responder.model->model, history.events,
                                memo_of(responder, question.user));
  answerer.ask_for_user(*responder.model, history.question(state), unseen.get());
  if (!is_plain) return events;
  if (auto kept = answerer.kept_question()) {
    const auto position = responder.history->position();
    shelf.keep(responder, question.user,
               {std::move(*kept), events,
                position ? std::optional<KeptHistory>({*position, history.events, state, events})
                         : std::nullopt});
  }
  return events;
}

}  // namespace personalize
