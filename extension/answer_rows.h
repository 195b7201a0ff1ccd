// One question of a cursor: its arguments, read and checked, and the rows that answer it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/serving/answer.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/unseen_items.h"
#include "engine/status.h"
#include "extension/answer_arguments.h"
#include "extension/answer_descriptor.h"

namespace personalize {

// The arguments of a question. Texts are copies: they outlive the values they come from.
struct AnswerQuestion {
  std::string subject;            // the user, or the item that others are similar to
  bool no_subject = false;        // it is NULL: no rows
  size_t k = kDefaultAnswers;     // how long the list is, from which new items get their share
  size_t rows = kDefaultAnswers;  // how many of it are looked at: LIMIT
  std::string campaign, version, context;
  std::string filter, filter_values;  // "": none
  std::string for_user;               // whom the filter speaks of, if that is not the subject
  std::optional<IdList> items, among, excluding;
  bool wants_id = false;  // recommendation_id is read

  // Reads xFilter's arguments. Errors: kInvalidInput naming the argument, its value and what would
  // be right.
  static Result<AnswerQuestion> read(const AnswerDescriptor& descriptor, int plan,
                                     sqlite3_value** values);
  // Equal for equal questions.
  std::string key() const;
  Asking asking(const AnswerDescriptor& descriptor) const {
    return {descriptor.purpose, descriptor.name, campaign, version};
  }
};

struct AnswerRow {
  ItemIndex item = kNoItem;  // kNoItem: an item the model does not know
  uint32_t unknown = 0;      // then its place in AnswerRows::unknown
  double score = 0;
  Reason reason = Reason::kNone;
};

struct AnswerRows {
  std::shared_ptr<const LoadedModel> model;  // whose items the rows name
  std::shared_ptr<const UnseenTable> unseen;
  std::vector<AnswerRow> rows;  // by rank, from 1
  IdList unknown;
  std::string recommendation_id;  // if it was wanted

  std::string_view item_id(const AnswerRow& row) const {
    return row.item == kNoItem ? unknown[row.unknown] : item_id_of(*model, unseen.get(), row.item);
  }
};

// Answers one question that is not a batch: finds who answers, takes a slot of the campaign, scores
// once. Errors: those of Responders::find, admit and reading the events.
Status answer(Connection& connection, const AnswerDescriptor& descriptor,
              const AnswerQuestion& question, AnswerRows& rows);

}  // namespace personalize
