// Whether a row passes a filter's conditions.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dataset/metadata.h"
#include "engine/serving/filter_expression.h"
#include "engine/serving/filter_values.h"
#include "engine/status.h"

namespace personalize {

// The value of a field of the asking user or of the current item, or missing. Views live until the
// next call.
using FilterFieldValue = std::function<FieldValue(const FilterField&)>;

// One condition made ready for many rows: its operands are values now.
class ReadyCondition {
 public:
  // `kind`: of the field that is looked at. `values` has what check() asked for; `current` gives
  // the fields on the right. `ignore_case`: of texts (EVENT_TYPE). Nothing if a parameter was left
  // out. Errors: kInvalidInput where a text is compared by < or >.
  static Result<std::optional<ReadyCondition>> make(const FilterCondition& condition,
                                                    FieldKind kind, bool ignore_case,
                                                    const FilterValues& values,
                                                    const FilterFieldValue& current);

  // A categorical value "a|b" is in a list if one of its pieces is. A missing value is in no list,
  // equals nothing, and is not less or greater than anything.
  bool passes(const FieldValue& value) const;

 private:
  bool in_list(std::string_view text) const;
  bool is_among(const FieldValue& value) const;
  FilterOperator comparison_ = FilterOperator::kIn;
  bool splits_ = false;
  bool ignore_case_ = false;
  bool any_ = false;
  std::vector<FilterScalar> values_;  // texts sorted
  std::vector<double> numbers_;       // sorted
};

// A clause's WHERE made ready for rows with the given fields.
class ReadyClause {
 public:
  // `fields`: those of the rows; names are matched whatever their case, and so are the values of an
  // interaction's EVENT_TYPE, but no others. Nothing if the clause counts for nothing, since it is
  // an EXCLUDE whose parameter was left out. Errors: kInvalidInput that lists the fields there are,
  // for one that is unknown.
  static Result<std::optional<ReadyClause>> make(const FilterClause& clause,
                                                 std::span<const MetadataField> fields,
                                                 const FilterValues& values,
                                                 const FilterFieldValue& current);

  // `row`: one value a field.
  bool passes(std::span<const FieldValue> row) const;

 private:
  struct Placed {
    size_t field;
    ReadyCondition condition;
  };
  std::vector<std::vector<Placed>> any_of_;
};

// The place of a field by its name, whatever its case, or -1.
int find_field(std::span<const MetadataField> fields, std::string_view name);

}  // namespace personalize
