// What the question tables are: their names, columns and arguments. One module serves them all.
//
//   recommend(user_id [, k, campaign, filter, filter_values, context, version, among, excluding])
//   rank(user_id, items [, campaign, context, version, among, filter, filter_values])
//   similar_items(item_id [, k, campaign, filter, filter_values, version, among, excluding,
//   user_id]) batch_recommend([k, version, filter, filter_values])
//
// The visible columns come first: rank, item_id, score (before them, user_id in batch_recommend);
// then the arguments as hidden columns in the order above; then, of recommend, what a row tells
// besides:
//
//   reason             NULL, 'Exploration' or 'Popular item'
//   recommendation_id  a new id of this list, under which it is remembered, for events to name
//
// A constraint on a visible column, or on one of the last, is never consumed: it would change which
// k rows there are.
#pragma once

#include <span>

#include "extension/responder.h"

namespace personalize {

enum class Argument {
  kUser,
  kItem,
  kItems,
  kK,
  kCampaign,
  kFilter,
  kFilterValues,
  kContext,
  kVersion,
  kAmong,
  kExcluding,
  kForUser,  // whom a filter of similar items speaks of
};
inline constexpr int kArguments = 12;

struct AnswerDescriptor {
  const char* name;
  const char* declaration;  // for sqlite3_declare_vtab
  Purpose purpose;
  bool batch;                           // about every user
  int visible;                          // columns before the arguments
  std::span<const Argument> arguments;  // hidden columns in order
  bool tells_more;                      // reason and recommendation_id, behind the arguments
  const char* needs;                    // what is said when a required argument is missing

  // The place of an argument among the hidden columns, or -1.
  int place(Argument argument) const {
    for (size_t i = 0; i < arguments.size(); i++)
      if (arguments[i] == argument) return static_cast<int>(i);
    return -1;
  }
};

// recommend, rank, similar_items, batch_recommend.
std::span<const AnswerDescriptor> answer_descriptors();

inline constexpr size_t kDefaultAnswers = 25;  // Amazon's numResults

// How the planner's choice reaches xFilter, in idxNum: bit i says that the value of hidden column i
// is among argv, which stand in the order of the columns; then the values of LIMIT and OFFSET.
struct AnswerPlan {
  static constexpr int kAmongIsSet = 1 << 16;      // among came by IN, as one set
  static constexpr int kExcludingIsSet = 1 << 17;  // so did excluding
  static constexpr int kLimit = 1 << 18;
  static constexpr int kOffset = 1 << 19;
  static constexpr int kRecommendationId = 1 << 20;  // the statement reads recommendation_id
};

// xBestIndex. Fills `info`; gives SQLITE_CONSTRAINT where an argument's value is not there in this
// order of the join, so that SQLite tries another. Error: kInvalidInput if a required argument is
// missing.
Result<int> plan_answer(const AnswerDescriptor& descriptor, sqlite3_index_info* info);

}  // namespace personalize
