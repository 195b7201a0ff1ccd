#include "extension/answer_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "extension/boundary.h"

namespace personalize {
namespace {

// What all questions of a connection use in turn.
struct Workbench {
  Answerer answerer;
  std::vector<Answer> answers;
  std::vector<ItemIndex> listed;
};

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

// The items a question leaves to be searched; nothing if that is all of them.
std::optional<ItemSet> allowed_items(const AnswerQuestion& question, const Vocabulary& vocabulary) {
  if (!question.among && !question.excluding) return std::nullopt;
  ItemSet set = question.among ? ItemSet::none(vocabulary.size()) : ItemSet::all(vocabulary.size());
  const auto each = [&](const IdList& ids, auto&& change) {
    for (size_t i = 0; i < ids.size(); i++)
      if (const ItemIndex item = vocabulary.find(ids[i]); item != kNoItem) change(item);
  };
  if (question.among) each(*question.among, [&](ItemIndex item) { set.add(item); });
  if (question.excluding) each(*question.excluding, [&](ItemIndex item) { set.remove(item); });
  return set;
}

void take_answers(const std::vector<Answer>& answers, AnswerRows& rows) {
  for (const Answer& answer : answers) rows.rows.push_back({answer.item, 0, answer.score});
}

// Where both are given, `among` chooses from `items`.
IdList listed_items(const AnswerQuestion& question) {
  if (!question.items || !question.among) return question.items ? *question.items : *question.among;
  std::vector<std::string_view> among;
  for (size_t i = 0; i < question.among->size(); i++) among.push_back((*question.among)[i]);
  std::sort(among.begin(), among.end());
  IdList both;
  for (size_t i = 0; i < question.items->size(); i++)
    if (std::binary_search(among.begin(), among.end(), (*question.items)[i]))
      both.add((*question.items)[i]);
  return both;
}

// Known items by score, then unknown ones in the order of the list; each once.
void rank_list(const AnswerQuestion& question, Workbench& bench, AnswerRows& rows) {
  const IdList list = listed_items(question);
  const Vocabulary& vocabulary = rows.model->vocabulary;
  ItemSet taken = ItemSet::none(vocabulary.size());
  std::unordered_set<std::string_view> strangers;
  bench.listed.clear();
  for (size_t i = 0; i < list.size(); i++) {
    const ItemIndex item = vocabulary.find(list[i]);
    if (item == kNoItem) {
      if (strangers.insert(list[i]).second) rows.unknown.add(list[i]);
    } else if (!taken.has(item)) {
      taken.add(item);
      bench.listed.push_back(item);
    }
  }
  bench.answerer.ranked(bench.listed, bench.answers);
  take_answers(bench.answers, rows);
  for (size_t i = 0; i < rows.unknown.size(); i++)
    rows.rows.push_back({kNoItem, static_cast<uint32_t>(i), 0});
}

}  // namespace

Result<AnswerQuestion> AnswerQuestion::read(const AnswerDescriptor& descriptor, int plan,
                                            sqlite3_value** values) {
  AnswerQuestion question;
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
      case Argument::kFilter:
        PERSONALIZE_RETURN_IF_ERROR(refuse_filter(value, caller, "filter"));
        break;
      case Argument::kFilterValues:
        PERSONALIZE_RETURN_IF_ERROR(refuse_filter(value, caller, "filter_values"));
        break;
      case Argument::kContext:
        PERSONALIZE_RETURN_IF_ERROR(refuse_filter(value, caller, "context"));
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
  question.k = limited(question.k, plan, values);
  return question;
}

std::string AnswerQuestion::key() const {
  std::string key = fmt::format("{}:{}:{}:{}:", k, subject.size(), campaign.size(), version.size());
  key.append(subject).append(campaign).append(version);
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
  PERSONALIZE_ASSIGN_OR_RETURN(
      const std::shared_ptr<Responder> responder,
      connection.part<Responders>().find(connection, question.asking(descriptor)));
  PERSONALIZE_RETURN_IF_ERROR(admit(connection, *responder, descriptor.name));
  auto& bench = connection.part<Workbench>();
  rows.model = responder->model;
  if (descriptor.purpose == Purpose::kSimilar) {
    bench.answerer.ask_for_similar(*rows.model, rows.model->vocabulary.find(question.subject));
  } else {
    PERSONALIZE_RETURN_IF_ERROR(
        ask_for_user(connection, *responder, question.subject, bench.answerer));
  }
  if (descriptor.purpose == Purpose::kRank) {
    rank_list(question, bench, rows);
    return Status::ok();
  }
  const std::optional<ItemSet> allowed = allowed_items(question, rows.model->vocabulary);
  bench.answerer.best(question.k, allowed ? &*allowed : nullptr, bench.answers);
  take_answers(bench.answers, rows);
  return Status::ok();
}

}  // namespace personalize
