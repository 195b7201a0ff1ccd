// Filters by their text: an expression, or the name of a row of personalize_filters. Parsed, and
// checked against the datasets of the group.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/serving/filter_expression.h"
#include "engine/status.h"
#include "extension/connection.h"
#include "extension/dataset_watch.h"

namespace personalize {

struct Filter {
  std::string text;  // the expression
  FilterExpression expression;
  // What must be known of the question.
  bool reads_interactions = false, reads_user = false, reads_item = false;
};

// Parses `text` and checks that each of its fields is a column of the group's datasets. Errors:
// kInvalidInput with the place in the expression, or with the columns there are.
Result<Filter> check_filter(Connection& connection, std::string_view schema, std::string_view group,
                            std::string_view text);

// A failure of a filter as one of a question: an invalid input is led by Amazon's exception name
// and `caller`, unless it is so already.
Status filter_failure(const Status& status, std::string_view caller);

// Part of Connection.
class FilterLookup {
 public:
  // The filter of a question. `text` is an expression, or a filter's name (Amazon's pattern: an
  // expression has blanks). `now`: of the schema. Errors: those of check_filter, led by `caller`;
  // kNotFound listing the group's filters.
  Result<std::shared_ptr<const Filter>> find(Connection& connection, const std::string& schema,
                                             const std::string& group, std::string_view text,
                                             const DatasetStamp& now, std::string_view caller);

 private:
  std::map<std::string, std::shared_ptr<const Filter>, std::less<>> filters_;
  std::map<std::string, DatasetStamp, std::less<>> declared_;  // by schema, when filters_ were read
};

}  // namespace personalize
