// Questions about users as a connection asked them last: while nothing has changed, a user's
// question is the same one, and his events, his state and what follows from them need not be looked
// at again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/recipes/item_vectors.h"
#include "extension/id_dictionary.h"
#include "extension/responder.h"

namespace personalize {

class QuestionShelf {
 public:
  struct Kept {
    VectorQuestion::Kept question;
    size_t events = 0;  // how many the user has
  };

  // Whether questions about users without more to them may be kept and found: not of models that
  // score without vectors, of business tables, whose rows may change without a word to us, and
  // inside of a transaction that may be rolled back.
  // Nor with PERSONALIZE_NO_STATE.
  static bool may_keep(const Connection& connection, const Responder& responder);

  // The user's question of this model; null: it was not kept, or something has changed. Lives until
  // the next call.
  const Kept* find(Connection& connection, const Responder& responder, std::string_view user);
  // Keeps what find() was asked for. Forgets all others when there is no room.
  void keep(const Responder& responder, std::string_view user, Kept kept);

 private:
  // While it is the same, every question is.
  struct Stamp {
    uint64_t responders = 0;  // Responders::stamp_number()
    int64_t total_changes = 0;
    uint64_t rollbacks = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct OfModel {
    std::shared_ptr<const LoadedModel> model;  // which the questions have views of
    std::unordered_map<std::string, Kept, TextHash, std::equal_to<>> users;
  };

  Stamp stamp_;
  std::map<const LoadedModel*, OfModel> kept_;
  size_t bytes_ = 0;
};

}  // namespace personalize
