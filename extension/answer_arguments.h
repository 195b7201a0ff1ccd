// The arguments of the question tables and of personalize_score, from SQLite values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "extension/sqlite_api.h"

namespace personalize {

// Ids as one text: no allocation for each.
class IdList {
 public:
  void add(std::string_view id) {
    text_.append(id);
    end_.push_back(text_.size());
  }
  size_t size() const { return end_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t start = i == 0 ? 0 : end_[i - 1];
    return std::string_view(text_).substr(start, end_[i] - start);
  }
  // Appends 16 bytes that stand for the list.
  void append_hash(std::string& key) const;

 private:
  std::string text_;
  std::vector<size_t> end_;
};

// `k`, the number of answers: 10, 10.0 and '10' are the same; NULL gives `when_null`. Error:
// kInvalidInput for what is no whole number from 1 to 2147483647.
Result<size_t> parse_k(sqlite3_value* value, size_t when_null, std::string_view caller);

// A JSON array of ids, such as json_array('50', 98). Errors: kInvalidInput naming the element that
// is no id.
Result<IdList> parse_id_array(sqlite3_value* value, std::string_view caller,
                              std::string_view argument);

// A set: all values of `argument IN (...)` if `is_in` (values that can be no id match nothing and
// are left out), else one id or a JSON array of them.
Result<IdList> parse_id_set(sqlite3_value* value, bool is_in, std::string_view caller,
                            std::string_view argument);

// An id without an allocation where it is a text; else a copy in `buffer`. Errors as id_of;
// `column` leads the message.
Result<std::string_view> id_view(sqlite3_value* value, std::string_view column,
                                 std::string& buffer);

// A filter's expression or name. Errors: kInvalidInput for what is no text, or an empty one.
Result<std::string> parse_filter_text(sqlite3_value* value, std::string_view caller);

// Error: kInvalidInput for values without a filter.
Status check_filter_values(std::string_view filter, std::string_view values,
                           std::string_view caller);

}  // namespace personalize
