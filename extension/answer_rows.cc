#include "extension/answer_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>

#include "extension/boundary.h"
#include "extension/exploring.h"
#include "extension/question_filter.h"
#include "extension/request.h"
#include "extension/unseen_shelf.h"
#include "extension/user_question.h"

namespace personalize {
namespace {

// What all questions of a connection use in turn.
struct Workbench {
  Answerer answerer;
  std::vector<Answer> answers;
  std::vector<ItemIndex> listed;
  Exploration exploration;
};

QuestionKind kind_of(Purpose purpose) {
  if (purpose == Purpose::kRank) return QuestionKind::kRank;
  return purpose == Purpose::kSimilar ? QuestionKind::kSimilar : QuestionKind::kRecommend;
}

// The number of rows that LIMIT and OFFSET leave to be looked at.
size_t limited(size_t k, int plan, sqlite3_value** values) {
  if ((plan & AnswerPlan::kLimit) == 0) return k;
  const int64_t limit = sqlite3_value_int64(*values);
  if (limit < 0) return k;
  const int64_t offset =
      (plan & AnswerPlan::kOffset) == 0 ? 0 : std::max<int64_t>(0, sqlite3_value_int64(values[1]));
  if (offset > std::numeric_limits<int64_t>::max() - limit) return k;
  return std::min(k, static_cast<size_t>(limit + offset));
}

// The items that a question's filter leaves; null: it has none.
Result<std::shared_ptr<const ItemSet>> filtered_items(Connection& connection,
                                                      const Responder& responder,
                                                      const AnswerDescriptor& descriptor,
                                                      const AnswerQuestion& question,
                                                      const AnswerRows& rows) {
  if (question.filter.empty()) return std::shared_ptr<const ItemSet>();
  const bool similar = descriptor.purpose == Purpose::kSimilar;
  return connection.part<QuestionFilters>().allowed(
      connection, responder, rows.unseen,
      {question.filter, question.filter_values, similar ? question.for_user : question.subject,
       similar ? std::string_view(question.subject) : std::string_view(), descriptor.name});
}

// The items a question leaves to be searched; nothing if that is all of them. `filtered`: of its
// filter, or null.
std::optional<ItemSet> allowed_items(const AnswerQuestion& question, const AnswerRows& rows,
                                     const ItemSet* filtered, size_t item_count) {
  if (!question.among && !question.excluding && filtered == nullptr) return std::nullopt;
  ItemSet set = question.among ? ItemSet::none(item_count) : ItemSet::all(item_count);
  const auto each = [&](const IdList& ids, auto&& change) {
    for (size_t i = 0; i < ids.size(); i++) {
      const ItemIndex item = find_item(*rows.model, rows.unseen.get(), ids[i]);
      if (item != kNoItem) change(item);
    }
  };
  if (question.among) each(*question.among, [&](ItemIndex item) { set.add(item); });
  if (question.excluding) each(*question.excluding, [&](ItemIndex item) { set.remove(item); });
  if (filtered != nullptr) set.keep(*filtered);
  return set;
}

void take_answers(const std::vector<Answer>& answers, size_t most, AnswerRows& rows) {
  for (size_t i = 0; i < std::min(most, answers.size()); i++)
    rows.rows.push_back({answers[i].item, 0, answers[i].score, answers[i].reason});
}

// The items of the list that are in the set `among`, too.
IdList listed_both(const AnswerQuestion& question) {
  std::vector<std::string_view> among;
  for (size_t i = 0; i < question.among->size(); i++) among.push_back((*question.among)[i]);
  std::sort(among.begin(), among.end());
  IdList both;
  for (size_t i = 0; i < question.items->size(); i++)
    if (std::binary_search(among.begin(), among.end(), (*question.items)[i]))
      both.add((*question.items)[i]);
  return both;
}

// Known items by score, then unknown ones in the order of the list; each once. Of a filter's set
// (null: there is none) only those in it: whether an item that the model does not know would pass
// cannot be told.
void rank_list(const AnswerQuestion& question, const ItemSet* filtered, Workbench& bench,
               AnswerRows& rows) {
  std::optional<IdList> both;
  if (question.items && question.among) both = listed_both(question);
  const IdList& list = both ? *both : question.items ? *question.items : *question.among;
  ItemSet taken = ItemSet::none(bench.answerer.item_count());
  std::unordered_set<std::string_view> strangers;
  bench.listed.clear();
  for (size_t i = 0; i < list.size(); i++) {
    const ItemIndex item = find_item(*rows.model, rows.unseen.get(), list[i]);
    if (item == kNoItem) {
      if (filtered == nullptr && strangers.insert(list[i]).second) rows.unknown.add(list[i]);
    } else if (!taken.has(item) && (filtered == nullptr || filtered->has(item))) {
      taken.add(item);
      bench.listed.push_back(item);
    }
  }
  bench.answerer.ranked(bench.listed, bench.answers);
  take_answers(bench.answers, bench.answers.size(), rows);
  for (size_t i = 0; i < rows.unknown.size(); i++)
    rows.rows.push_back({kNoItem, static_cast<uint32_t>(i), 0});
}

// Gives a list its id, and keeps it for the events that will name it.
void remember_list(const Responder& responder, AnswerRows& rows) {
  std::array<unsigned char, 16> random;
  sqlite3_randomness(static_cast<int>(random.size()), random.data());
  random[6] = static_cast<unsigned char>((random[6] & 0x0f) | 0x40);  // a UUID of version 4
  random[8] = static_cast<unsigned char>((random[8] & 0x3f) | 0x80);
  for (size_t i = 0; i < random.size(); i++)
    rows.recommendation_id +=
        fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", random[i]);
  std::vector<std::string_view> items;
  for (const AnswerRow& row : rows.rows) items.push_back(rows.item_id(row));
  responder.recommendations->remember(rows.recommendation_id, items);
}

// The best k for a user, new items among them.
Status recommend(Connection& connection, const Responder& responder, const AnswerQuestion& question,
                 const ItemSet* filtered, size_t events, Workbench& bench, AnswerRows& rows) {
  const std::optional<ItemSet> set =
      allowed_items(question, rows, filtered, bench.answerer.item_count());
  const ItemSet* allowed = set ? &*set : nullptr;
  PERSONALIZE_RETURN_IF_ERROR(bench.exploration.prepare(connection, responder, rows.unseen.get()));
  bench.answerer.best(bench.exploration.explores() ? question.k : question.rows, allowed,
                      bench.answers);
  bench.exploration.explore(question.subject, events, allowed, bench.answerer, bench.answers);
  take_answers(bench.answers, question.rows, rows);
  if (question.wants_id) remember_list(responder, rows);
  return Status::ok();
}

}  // namespace

Result<AnswerQuestion> AnswerQuestion::read(const AnswerDescriptor& descriptor, int plan,
                                            sqlite3_value** values) {
  AnswerQuestion question;
  question.wants_id = (plan & AnswerPlan::kRecommendationId) != 0;
  const std::string_view caller = descriptor.name;
  for (size_t i = 0; i < descriptor.arguments.size(); i++) {
    if ((plan & (1 << i)) == 0) continue;
    sqlite3_value* value = *values++;
    const Argument argument = descriptor.arguments[i];
    const bool is_in =
        (argument == Argument::kAmong && (plan & AnswerPlan::kAmongIsSet) != 0) ||
        (argument == Argument::kExcluding && (plan & AnswerPlan::kExcludingIsSet) != 0);
    if (!is_in && sqlite3_value_type(value) == SQLITE_NULL) {
      // An optional argument that is NULL is not given.
      if (i == 0 && !descriptor.batch) question.no_subject = true;
      continue;
    }
    switch (argument) {
      case Argument::kUser:
      case Argument::kItem: {
        const std::string_view name = argument == Argument::kUser ? "user_id" : "item_id";
        PERSONALIZE_ASSIGN_OR_RETURN(question.subject,
                                     id_of(value, fmt::format("{}: {}", caller, name)));
        break;
      }
      case Argument::kItems: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.items, parse_id_array(value, caller, "items"));
        break;
      }
      case Argument::kK: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.k, parse_k(value, kDefaultAnswers, caller));
        break;
      }
      case Argument::kCampaign:
        question.campaign = text_of(value);
        break;
      case Argument::kVersion:
        question.version = text_of(value);
        break;
      case Argument::kFilter: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.filter, parse_filter_text(value, caller));
        break;
      }
      case Argument::kFilterValues:
        question.filter_values = text_of(value);
        break;
      case Argument::kForUser: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.for_user,
                                     id_of(value, fmt::format("{}: user_id", caller)));
        break;
      }
      case Argument::kContext:
        question.context = text_of(value);
        if (question.context.empty())
          return Status(StatusCode::kInvalidInput,
                        fmt::format("InvalidInputException: {}: context is ''; it is a JSON object "
                                    "such as {{\"DEVICE\": \"mobile\"}}, or NULL",
                                    caller));
        break;
      case Argument::kAmong: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.among, parse_id_set(value, is_in, caller, "among"));
        break;
      }
      case Argument::kExcluding: {
        PERSONALIZE_ASSIGN_OR_RETURN(question.excluding,
                                     parse_id_set(value, is_in, caller, "excluding"));
        break;
      }
    }
  }
  PERSONALIZE_RETURN_IF_ERROR(check_filter_values(question.filter, question.filter_values, caller));
  question.rows = limited(question.k, plan, values);
  return question;
}

std::string AnswerQuestion::key() const {
  std::string key = fmt::format("{}:{}:{}:{}:{}:{}:{}:{}:{}:", k, rows, subject.size(),
                                campaign.size(), version.size(), context.size(), filter.size(),
                                filter_values.size(), for_user.size());
  key.append(subject).append(campaign).append(version).append(context);
  key.append(filter).append(filter_values).append(for_user);
  for (const std::optional<IdList>* list : {&items, &among, &excluding}) {
    key.push_back(*list ? '+' : '-');
    if (*list) (*list)->append_hash(key);
  }
  return key;
}

Status answer(Connection& connection, const AnswerDescriptor& descriptor,
              const AnswerQuestion& question, AnswerRows& rows) {
  if (descriptor.purpose == Purpose::kRank && !question.items && !question.among)
    return Status::ok();  // they are NULL
  Request request(kind_of(descriptor.purpose));
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::shared_ptr<Responder> responder,
      connection.part<Responders>().find(connection, question.asking(descriptor)));
  PERSONALIZE_RETURN_IF_ERROR(request.admit(connection, responder, descriptor.name));
  auto& bench = connection.part<Workbench>();
  rows.model = responder->model;
  PERSONALIZE_ASSIGN_OR_RETURN(rows.unseen,
                               connection.part<UnseenShelf>().get(connection, *responder));
  PERSONALIZE_ASSIGN_OR_RETURN(const std::shared_ptr<const ItemSet> filtered,
                               filtered_items(connection, *responder, descriptor, question, rows));
  if (descriptor.purpose == Purpose::kSimilar) {
    const ItemIndex item = find_item(*rows.model, rows.unseen.get(), question.subject);
    bench.answerer.ask_for_similar(*rows.model, item, rows.unseen.get());
    const std::optional<ItemSet> allowed =
        allowed_items(question, rows, filtered.get(), bench.answerer.item_count());
    bench.answerer.best(question.rows, allowed ? &*allowed : nullptr, bench.answers);
    take_answers(bench.answers, question.rows, rows);
    return Status::ok();
  }
  const UserQuestion asked{question.subject, question.context, descriptor.name};
  PERSONALIZE_ASSIGN_OR_RETURN(const size_t events, ask_for_user(connection, *responder, asked,
                                                                 rows.unseen, bench.answerer));
  if (descriptor.purpose == Purpose::kRank) {
    rank_list(question, filtered.get(), bench, rows);
    return Status::ok();
  }
  return recommend(connection, *responder, question, filtered.get(), events, bench, rows);
}

}  // namespace personalize
