// The `context` argument of a question: what is known of the moment it is asked in, under the names
// of the contextual columns of interactions.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/status.h"

namespace personalize {

// One value a contextual column. The values view texts of the object.
class QuestionContext {
 public:
  // Reads a JSON object such as {"DEVICE": "mobile", "HOUR": 12}. Names match whatever their case.
  // A value is a text, a number or a boolean; as Amazon sends texts only, those are numbers and
  // booleans where the column is of that kind. null says nothing. Errors: kInvalidInput naming what
  // is wrong and, for an unknown name, what there is. `caller` leads the message.
  static Result<QuestionContext> parse(std::string_view json, std::span<const MetadataField> fields,
                                       std::string_view caller);

  std::span<const FieldValue> values() const { return values_; }

 private:
  std::vector<FieldValue> values_;
  std::deque<std::string> texts_;
};

}  // namespace personalize
