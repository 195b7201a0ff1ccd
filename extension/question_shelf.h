// Questions about users as a connection asked them last: while nothing has changed, a user's
// question is the same one, and his events, his state and what follows from them need not be looked
// at again; and if new events are all that has come, they alone are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/dataset/sources.h"
#include "engine/ids.h"
#include "engine/recipes/recipe.h"
#include "engine/serving/answer.h"
#include "engine/serving/history.h"
#include "extension/id_dictionary.h"
#include "extension/responder.h"

namespace personalize {

// A user's events and all that follows from them. Of a model that reads no columns.
class KeptHistory {
 public:
  // `remembered`: how many of the events the stored state of the user is after, at least nearly.
  KeptHistory(UserPosition position, std::span<const ModelEvent> events,
              std::span<const float> state, size_t remembered);

  // Replaces `history` by what was kept.
  void give(UserHistory& history) const;

  UserPosition position;
  std::vector<float> state;
  size_t remembered;
  size_t bytes() const;

 private:
  struct Plain {
    int64_t timestamp;
    ItemIndex item;
    float value;
  };
  std::vector<Plain> events_;
};

class QuestionShelf {
 public:
  struct Kept {
    KeptQuestion question;
    size_t events = 0;                   // how many the user has
    std::optional<KeptHistory> history;  // if it can be gone on with
  };
  struct Found {
    const Kept* kept = nullptr;  // null: nothing is known of the user. Lives until the next keep()
    bool is_current = false;     // nothing has changed since
  };

  // Whether questions about users without more to them may be kept and found: not of models that
  // score without vectors, and of business tables, whose rows may change without a word to us; nor
  // with PERSONALIZE_NO_STATE. Inside of a transaction, too: a rollback counts as a change.
  static bool may_keep(const Responder& responder);

  // The user's question of this model, whose history is open.
  Found find(Connection& connection, const Responder& responder, std::string_view user);
  // Keeps what find() was asked for. Forgets all others when there is no room.
  void keep(const Responder& responder, std::string_view user, Kept kept);
  // Says that the question find() has found is current after all, its user standing at `position`.
  void confirm(const UserPosition& position);
  // Forgets all questions.
  void clear();

 private:
  // While it is the same, every question is.
  struct Stamp {
    uint64_t responders = 0;  // Responders::stamp_number()
    int64_t total_changes = 0;
    uint64_t rollbacks = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Entry {
    Kept kept;
    Stamp stamp;
  };
  struct OfModel {
    std::shared_ptr<const LoadedModel> model;  // which the questions have views of
    std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> users;
  };

  // Lets go of models that nobody else holds: no question will come about them.
  void drop_old_models();

  Stamp stamp_;
  Entry* found_ = nullptr;
  // A database may be attached under two names, of which one sees what the other has not committed.
  using Key = std::pair<const LoadedModel*, const EventSource*>;
  static Key key_of(const Responder& responder) {
    return {responder.model.get(), responder.source.get()};
  }
  std::map<Key, OfModel> kept_;
  size_t bytes_ = 0;
};

}  // namespace personalize
