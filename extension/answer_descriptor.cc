#include "extension/answer_descriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace personalize {
namespace {

using enum Argument;

constexpr Argument kRecommendArguments[] = {kUser,    kK,       kCampaign, kFilter,   kFilterValues,
                                            kContext, kVersion, kAmong,    kExcluding};
constexpr Argument kRankArguments[] = {kUser,    kItems, kCampaign, kContext,
                                       kVersion, kAmong, kFilter,   kFilterValues};
constexpr Argument kSimilarArguments[] = {kItem,    kK,     kCampaign,  kFilter, kFilterValues,
                                          kVersion, kAmong, kExcluding, kForUser};
constexpr Argument kBatchArguments[] = {kK, kVersion, kFilter, kFilterValues};

// Ids and sets are declared without a type: with one, SQLite would turn 42.0 into '42.0'.
constexpr AnswerDescriptor kDescriptors[] = {
    {"recommend",
     "CREATE TABLE x(rank INTEGER, item_id TEXT, score REAL, user_id HIDDEN, k HIDDEN, "
     "campaign TEXT HIDDEN, filter TEXT HIDDEN, filter_values TEXT HIDDEN, context TEXT HIDDEN, "
     "version TEXT HIDDEN, among HIDDEN, excluding HIDDEN, reason TEXT HIDDEN, "
     "recommendation_id TEXT HIDDEN)",
     Purpose::kRecommend, false, 3, kRecommendArguments, true,
     "needs a user, whose value must be known here: recommend('42', 10), or FROM customers c, "
     "recommend(c.id, 10)"},
    {"rank",
     "CREATE TABLE x(rank INTEGER, item_id TEXT, score REAL, user_id HIDDEN, items HIDDEN, "
     "campaign TEXT HIDDEN, context TEXT HIDDEN, version TEXT HIDDEN, among HIDDEN, "
     "filter TEXT HIDDEN, filter_values TEXT HIDDEN)",
     Purpose::kRank, false, 3, kRankArguments, false,
     "needs a user and items, whose values must be known here: rank('42', json_array('50', "
     "'98')), or rank('42') WHERE among IN (SELECT id FROM products)"},
    {"similar_items",
     "CREATE TABLE x(rank INTEGER, item_id TEXT, score REAL, similar_to HIDDEN, k HIDDEN, "
     "campaign TEXT HIDDEN, filter TEXT HIDDEN, filter_values TEXT HIDDEN, version TEXT HIDDEN, "
     "among HIDDEN, excluding HIDDEN, user_id HIDDEN)",
     Purpose::kSimilar, false, 3, kSimilarArguments, false,
     "needs an item, whose value must be known here: similar_items('50', 10), or FROM products p, "
     "similar_items(p.id, 10)"},
    {"batch_recommend",
     "CREATE TABLE x(user_id TEXT, rank INTEGER, item_id TEXT, score REAL, k HIDDEN, "
     "version TEXT HIDDEN, filter TEXT HIDDEN, filter_values TEXT HIDDEN)",
     Purpose::kRecommend, true, 4, kBatchArguments, false, ""},
};

constexpr double kQuestionCost = 100;  // against 1 for a row
constexpr int64_t kGuessedUsers = 10'000;

constexpr int bit(int place) { return 1 << place; }

// Rows come in this order: by rank, which is also by score from the best but where new items have
// places of their own.
bool in_our_order(const AnswerDescriptor& descriptor, const sqlite3_index_info* info) {
  if (info->nOrderBy == 0) return false;
  constexpr int kRankColumn = 0, kScoreColumn = 2;
  const auto& first = info->aOrderBy[0];
  if (first.iColumn == kRankColumn && first.desc == 0) return true;  // no two rows have one rank
  if (descriptor.purpose == Purpose::kRecommend || first.iColumn != kScoreColumn || first.desc == 0)
    return false;
  return info->nOrderBy == 1 ||
         (info->aOrderBy[1].iColumn == kRankColumn && info->aOrderBy[1].desc == 0);
}

// k, if it is written as a number; a guess for the planner.
int64_t guessed_k(sqlite3_index_info* info, int constraint) {
  sqlite3_value* value = nullptr;
  if (constraint < 0 || sqlite3_vtab_rhs_value(info, constraint, &value) != SQLITE_OK)
    return kDefaultAnswers;
  return std::clamp<int64_t>(sqlite3_value_int64(value), 1, 100'000);
}

// Reads the constraints of one xBestIndex call.
struct Constraints {
  std::array<int, kArguments> of_argument;  // by hidden column: the constraint that gives it, or -1
  int limit = -1, offset = -1;
  bool unusable = false;  // an argument whose value is not there in this order of the join
  bool others = false;    // constraints that SQLite will check itself

  Constraints(const AnswerDescriptor& descriptor, const sqlite3_index_info* info) {
    of_argument.fill(-1);
    int missing = 0;
    for (int i = 0; i < info->nConstraint; i++) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.op == SQLITE_INDEX_CONSTRAINT_LIMIT ||
          constraint.op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
        // Without the value of OFFSET that of LIMIT says nothing.
        int& place = constraint.op == SQLITE_INDEX_CONSTRAINT_LIMIT ? limit : offset;
        if (constraint.usable != 0) {
          place = i;
        } else {
          others = true;
        }
        continue;
      }
      const int argument = constraint.iColumn - descriptor.visible;
      if (argument < 0 || argument >= static_cast<int>(descriptor.arguments.size()) ||
          constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) {
        others = true;
      } else if (constraint.usable == 0) {
        missing |= bit(argument);
      } else if (of_argument[static_cast<size_t>(argument)] >= 0) {
        others = true;  // a second value: SQLite compares it with the first
      } else {
        of_argument[static_cast<size_t>(argument)] = i;
      }
    }
    for (size_t i = 0; i < of_argument.size(); i++)
      if ((missing & bit(static_cast<int>(i))) != 0) {
        if (of_argument[i] < 0) unusable = true;
        others = true;
      }
  }

  int of(const AnswerDescriptor& descriptor, Argument argument) const {
    const int place = descriptor.place(argument);
    return place < 0 ? -1 : of_argument[static_cast<size_t>(place)];
  }
};

bool has_required(const AnswerDescriptor& descriptor, const Constraints& constraints) {
  if (descriptor.batch) return true;
  const Argument subject = descriptor.arguments.front();
  if (constraints.of(descriptor, subject) < 0) return false;
  return descriptor.purpose != Purpose::kRank || constraints.of(descriptor, kItems) >= 0 ||
         constraints.of(descriptor, kAmong) >= 0;
}

}  // namespace

std::span<const AnswerDescriptor> answer_descriptors() { return kDescriptors; }

Result<int> plan_answer(const AnswerDescriptor& descriptor, sqlite3_index_info* info) {
  const Constraints constraints(descriptor, info);
  if (constraints.unusable) return SQLITE_CONSTRAINT;
  if (!has_required(descriptor, constraints))
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {} {}", descriptor.name, descriptor.needs));
  int argv = 0;
  for (size_t i = 0; i < descriptor.arguments.size(); i++) {
    const int constraint = constraints.of_argument[i];
    if (constraint < 0) continue;
    info->aConstraintUsage[constraint].argvIndex = ++argv;
    info->aConstraintUsage[constraint].omit = 1;
    info->idxNum |= bit(static_cast<int>(i));
    const Argument argument = descriptor.arguments[i];
    if ((argument == kAmong || argument == kExcluding) &&
        sqlite3_vtab_in(info, constraint, -1) != 0) {
      sqlite3_vtab_in(info, constraint, 1);
      info->idxNum |= argument == kAmong ? AnswerPlan::kAmongIsSet : AnswerPlan::kExcludingIsSet;
    }
  }
  const int id_column = descriptor.visible + static_cast<int>(descriptor.arguments.size()) + 1;
  if (descriptor.tells_more && ((info->colUsed >> id_column) & 1) != 0)
    info->idxNum |= AnswerPlan::kRecommendationId;
  int64_t rows = guessed_k(info, constraints.of(descriptor, kK));
  if (descriptor.batch) {
    rows *= kGuessedUsers;
  } else {
    info->orderByConsumed = in_our_order(descriptor, info) ? 1 : 0;
    // A LIMIT may shorten the search only if nothing else chooses among the rows.
    if (constraints.limit >= 0 && !constraints.others &&
        (info->nOrderBy == 0 || info->orderByConsumed != 0)) {
      info->aConstraintUsage[constraints.limit].argvIndex = ++argv;
      info->idxNum |= AnswerPlan::kLimit;
      if (constraints.offset >= 0) {
        info->aConstraintUsage[constraints.offset].argvIndex = ++argv;
        info->idxNum |= AnswerPlan::kOffset;
      }
    }
  }
  info->estimatedRows = rows;
  info->estimatedCost = kQuestionCost + static_cast<double>(rows);
  return SQLITE_OK;
}

}  // namespace personalize
