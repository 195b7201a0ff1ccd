// user_segment(item_id [, k, version, filter, filter_values]): the users of the dataset group who
// are most likely to take an item.
//
//   SELECT rank, user_id, score FROM user_segment('50', 100);
//   SELECT c.email FROM user_segment('50', 100) s JOIN customers c ON c.id = s.user_id;
//
// score is what recommend() gives the item for that user, so the best user for it is not always one
// whose list it leads. Users who had the item are among them. Equal scores: in the order of
// batch_recommend. Scores every user, block by block on all cores, and keeps the best k.
#include "extension/segment_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "extension/answer_arguments.h"
#include "extension/answer_descriptor.h"
#include "extension/computed_table.h"
#include "extension/question_filter.h"
#include "extension/request.h"
#include "extension/user_blocks.h"

namespace personalize {
namespace {

constexpr const char* kName = "user_segment";
constexpr size_t kFirstBlock = UserBlocks::kLargestBlock;  // all users are read in any case

enum Argument : size_t { kItem, kK, kVersion, kFilter, kFilterValues };

struct Member {
  double score;
  uint64_t number;  // of the user, in the order of reading
  std::string user;

  bool comes_before(const Member& other) const {
    return score != other.score ? score > other.score : number < other.number;
  }
};

// The best k of all members that were added.
class BestMembers {
 public:
  explicit BestMembers(size_t k) : k_(k) {}

  void add(double score, const std::string& user) {
    const uint64_t number = number_++;
    if (heap_.size() == k_) {
      if (heap_.front().score >= score) return;  // as good, and came earlier
      std::pop_heap(heap_.begin(), heap_.end(), worst_on_top);
      heap_.pop_back();
    }
    heap_.push_back({score, number, user});
    std::push_heap(heap_.begin(), heap_.end(), worst_on_top);
  }
  // Best first.
  std::vector<Member> take() {
    std::sort_heap(heap_.begin(), heap_.end(), worst_on_top);
    return std::move(heap_);
  }

 private:
  static bool worst_on_top(const Member& a, const Member& b) { return a.comes_before(b); }

  size_t k_;
  uint64_t number_ = 0;
  std::vector<Member> heap_;
};

Status answer(Connection& connection, std::span<sqlite3_value* const> values,
              std::vector<ComputedRow>& rows) {
  PERSONALIZE_ASSIGN_OR_RETURN(const std::string item_id,
                               id_argument(values, kItem, kName, "item_id"));
  size_t k = kDefaultAnswers;
  if (values[kK] != nullptr) {
    PERSONALIZE_ASSIGN_OR_RETURN(k, parse_k(values[kK], kDefaultAnswers, kName));
  }
  Request request(QuestionKind::kSegment);
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::shared_ptr<Responder> responder,
      connection.part<Responders>().find(
          connection, {Purpose::kSegment, kName, {}, text_argument(values, kVersion)}));
  const LoadedModel& model = *responder->model;
  PERSONALIZE_RETURN_IF_ERROR(check_scores_users(model, kName));
  std::string filter;
  if (values[kFilter] != nullptr) {
    PERSONALIZE_ASSIGN_OR_RETURN(filter, parse_filter_text(values[kFilter], kName));
  }
  const std::string_view filter_values = text_argument(values, kFilterValues);
  PERSONALIZE_RETURN_IF_ERROR(check_filter_values(filter, filter_values, kName));
  UserBlocks blocks(responder, kName, kFirstBlock);
  PERSONALIZE_RETURN_IF_ERROR(blocks.begin(connection));
  const ItemIndex item = find_item(model, blocks.unseen().get(), item_id);
  if (item == kNoItem) return unknown_item(model, item_id, kName);
  request.pass(responder);

  BestMembers best(k);
  std::array<double, UserBlocks::kLargestBlock> scores;
  for (;;) {
    PERSONALIZE_ASSIGN_OR_RETURN(const bool more,
                                 blocks.next(connection, [&](size_t user, Answerer& answerer) {
                                   scores[user] = answerer.score_of(item);
                                 }));
    if (!more) break;
    for (size_t i = 0; i < blocks.users().size(); i++) {
      const std::string& user = blocks.users()[i];
      if (!filter.empty()) {
        PERSONALIZE_ASSIGN_OR_RETURN(
            const bool passes,
            connection.part<QuestionFilters>().passes(connection, *responder,
                                                      {filter, filter_values, user, "", kName}));
        if (!passes) continue;
      }
      best.add(scores[i], user);
    }
  }
  int64_t rank = 0;
  for (Member& member : best.take()) rows.push_back({++rank, std::move(member.user), member.score});
  return Status::ok();
}

constexpr ComputedTable kTable = {
    kName,
    "CREATE TABLE x(rank INTEGER, user_id TEXT, score REAL, item_id HIDDEN, k HIDDEN, "
    "version TEXT HIDDEN, filter TEXT HIDDEN, filter_values TEXT HIDDEN)",
    3,
    5,
    1,
    "needs an item, whose value must be known here: user_segment('50', 100), or FROM products p, "
    "user_segment(p.id, 100)",
    100,
    1'000'000,
    answer};

}  // namespace

Status register_segment_table(const std::shared_ptr<Connection>& connection) {
  return register_computed_table(connection, kTable);
}

}  // namespace personalize
