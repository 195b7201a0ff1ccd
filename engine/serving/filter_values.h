// The values of a filter's parameters, as they come with a question.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serving/filter_expression.h"
#include "engine/status.h"

namespace personalize {

// A value that a field is compared with.
struct FilterScalar {
  bool is_number = false;
  double number = 0;
  std::string text;  // of a number: as it was written
};

class FilterValues {
 public:
  // Reads a JSON object {"GENRE": ..., "PRICE": ...}, "" as {}. A value is a number, a text, or an
  // array of these; also Amazon's form, a text that holds quoted texts or numbers with commas
  // between them: "\"comedy\",\"drama\"". Errors: kInvalidInput with the value, and what would be
  // right.
  static Result<FilterValues> parse(std::string_view json);

  // The values of $name, or null: it was left out. An empty array is no value at all.
  const std::vector<FilterScalar>* find(std::string_view name) const;

  // Whether they serve `expression`: no value is of an unknown parameter, and none is missing that
  // an INCLUDE needs (what an EXCLUDE lacks makes that clause count for nothing, as at Amazon).
  // Errors: kInvalidInput listing the parameters there are, or naming the missing one.
  Status check(const FilterExpression& expression) const;

 private:
  std::map<std::string, std::vector<FilterScalar>, std::less<>> values_;
};

}  // namespace personalize
