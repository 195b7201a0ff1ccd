#include "extension/responder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "engine/store/memo_file.h"
#include "extension/dataset_lookup.h"
#include "extension/event_reader.h"
#include "extension/exposure_shelf.h"
#include "extension/metadata_reader.h"
#include "extension/question_filter.h"
#include "extension/question_shelf.h"
#include "extension/unseen_shelf.h"

namespace personalize {
namespace {

// What was read of databases of which others may stand behind the same names now, or whose tables
// may be others.
void forget_what_was_read(Connection& connection) {
  connection.part<QuestionShelf>().clear();
  connection.part<QuestionFilters>() = QuestionFilters();
  connection.part<UnseenShelf>() = UnseenShelf();
  connection.part<ExposureShelf>() = ExposureShelf();
}

// How well a recipe fits a question; kNone: not at all.
enum class Fit { kBest, kGood, kNone };

Fit fit_of(Purpose purpose, const Recipe& recipe) {
  const RecipeType type = recipe.type();
  switch (purpose) {
    case Purpose::kRecommend:
      if (type == RecipeType::kUserPersonalization) return Fit::kBest;
      return type == RecipeType::kTrendingNow ? Fit::kGood : Fit::kNone;
    case Purpose::kRank:
      if (type == RecipeType::kPersonalizedRanking) return Fit::kBest;
      return type == RecipeType::kUserPersonalization ? Fit::kGood : Fit::kNone;
    case Purpose::kSimilar:
      if (type == RecipeType::kRelatedItems) return Fit::kBest;
      return recipe.answers_similar_items() ? Fit::kGood : Fit::kNone;
    case Purpose::kExplain:
      if (type == RecipeType::kUserPersonalization) return Fit::kBest;
      return type == RecipeType::kPersonalizedRanking ? Fit::kGood : Fit::kNone;
    case Purpose::kSegment:
      if (type == RecipeType::kUserSegmentation) return Fit::kBest;
      return type == RecipeType::kUserPersonalization ? Fit::kGood : Fit::kNone;
  }
  return Fit::kNone;
}

std::string_view example(Purpose purpose) {
  switch (purpose) {
    case Purpose::kRecommend:
      return "recommend('42', 10)";
    case Purpose::kRank:
      return "rank('42', json_array('50', '98'))";
    case Purpose::kExplain:
      return "explain('42', '50')";
    case Purpose::kSegment:
      return "user_segment('50', 100)";
    case Purpose::kSimilar:
      break;
  }
  return "similar_items('50', 10)";
}

Status nothing_to_answer_with(const Asking& asking) {
  return {StatusCode::kNotFound,
          fmt::format("ResourceNotFoundException: {}: there is no campaign and no trained version "
                      "to answer with: SELECT personalize_train('<solution>')",
                      asking.caller)};
}

std::string pragma(const std::string& schema, std::string_view name) {
  return fmt::format("PRAGMA {}.{}", sql_name(schema), name);
}

// Whether the group's events or users are rows of a business table.
Result<bool> reads_business_table(Connection& connection, const std::string& schema,
                                  const std::string& group) {
  for (const DatasetKind kind : {DatasetKind::kInteractions, DatasetKind::kUsers}) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<Dataset> dataset,
                                 find_dataset_of_group(connection, schema, group, kind));
    if (dataset && !dataset->config.content.empty()) return true;
  }
  return false;
}

// A campaign or version that could answer a question that names neither.
struct Candidate {
  Fit fit = Fit::kNone;
  std::string name;  // as a message shows it
  std::optional<CampaignEntry> campaign;
  std::string schema;
  std::string group;
  std::string solution;
  int number = 0;
  int64_t created = 0;
};

// All campaigns of all catalogs.
Result<std::vector<Candidate>> campaign_candidates(Connection& connection, const Asking& asking,
                                                   const std::vector<std::string>& schemas) {
  std::vector<Candidate> candidates;
  for (const std::string& schema : schemas) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        Statement statement,
        connection.cached(fmt::format("SELECT DISTINCT dataset_group FROM {}.personalize_solutions",
                                      sql_name(schema))));
    std::vector<std::string> groups;
    for (;;) {
      PERSONALIZE_ASSIGN_OR_RETURN(const bool row, statement.step());
      if (!row) break;
      groups.emplace_back(statement.text(0));
    }
    for (const std::string& group : groups) {
      PERSONALIZE_ASSIGN_OR_RETURN(std::vector<CampaignEntry> campaigns,
                                   campaigns_of_group(connection, schema, group));
      for (CampaignEntry& campaign : campaigns) {
        PERSONALIZE_ASSIGN_OR_RETURN(
            const SolutionEntry solution,
            find_solution(connection, schema + "." + campaign.solution, asking.caller));
        // What perform_automl chooses answers the same questions, whichever it is.
        const std::string& name = solution.solution.recipe;
        PERSONALIZE_ASSIGN_OR_RETURN(const Recipe* recipe,
                                     find_recipe(name.empty() ? "hrnn" : name));
        Candidate candidate;
        candidate.fit = fit_of(asking.purpose, *recipe);
        candidate.name = campaign.name;
        candidate.campaign = std::move(campaign);
        candidates.push_back(std::move(candidate));
      }
    }
  }
  return candidates;
}

// The candidates of the best fit there is; all of them where none fits and `any` is set.
std::vector<Candidate> best_fitting(std::vector<Candidate> candidates, bool any) {
  for (const Fit fit : {Fit::kBest, Fit::kGood}) {
    std::vector<Candidate> fitting;
    for (const Candidate& candidate : candidates)
      if (candidate.fit == fit) fitting.push_back(candidate);
    if (!fitting.empty()) return fitting;
  }
  if (!any) candidates.clear();
  return candidates;
}

Status which_one(const Asking& asking, std::string_view kind,
                 const std::vector<Candidate>& candidates) {
  std::set<std::string> names;
  for (const Candidate& candidate : candidates) names.insert(candidate.name);
  const std::string how = asking.caller == "personalize_score"
                              ? fmt::format("a campaign: personalize_score('42', '50', '{}')",
                                            kind == "campaign" ? *names.begin() : "home")
                              : fmt::format("one: ... FROM {} WHERE {} = '{}'",
                                            example(asking.purpose), kind, *names.begin());
  return {StatusCode::kInvalidInput,
          fmt::format("InvalidInputException: {}: several {}s could answer: {}; name {}",
                      asking.caller, kind, fmt::join(names, ", "), how)};
}

}  // namespace

Result<VersionShelf*> Responders::shelf(Connection& connection, const std::string& schema) {
  VersionShelf& shelf = shelves_.try_emplace(schema, schema).first->second;
  PERSONALIZE_RETURN_IF_ERROR(shelf.refresh(connection));
  return &shelf;
}

std::shared_ptr<UsageCounter> Responders::usage_of(Connection& connection,
                                                   const std::string& schema) {
  const std::string& directory = shelves_.at(schema).stores().directory;
  std::shared_ptr<UsageCounter>& counter = counters_[directory];
  if (counter == nullptr)
    counter = UsageCounter::open(directory, database_file(connection, schema));
  return counter;
}

void Responders::close(Connection& connection) {
  before_ = {};
  found_.clear();
  shelves_.clear();
  sources_.clear();
  limiters_.clear();
  counters_.clear();
  watch_ = DatabaseWatch();
  forget_what_was_read(connection);
}

Status Responders::look(Connection& connection, bool thorough) {
  PERSONALIZE_ASSIGN_OR_RETURN(const DatabaseWatch::News news, watch_.look(connection, thorough));
  if (news == DatabaseWatch::News::kNone) return Status::ok();
  stamps_++;
  if (news == DatabaseWatch::News::kFiles) {
    // Models that are asked for again need not be read again.
    before_ = {std::move(found_), std::move(shelves_)};
    shelves_.clear();
    sources_.clear();
    limiters_.clear();
    counters_.clear();
    keep_stores(connection, watch_.catalogs());
  }
  found_.clear();
  if (news >= DatabaseWatch::News::kSchemas) forget_what_was_read(connection);
  return Status::ok();
}

Result<std::shared_ptr<Responder>> Responders::find(Connection& connection, const Asking& asking) {
  PERSONALIZE_RETURN_IF_ERROR(look(connection, false));
  key_.assign(1, static_cast<char>('0' + static_cast<int>(asking.purpose)));
  key_.append(asking.campaign).append(1, '\0').append(asking.version);
  if (const auto found = found_.find(key_); found != found_.end()) {
    const Responder& responder = *found->second.responder;
    const auto transaction = shelves_.at(responder.schema).stores().models->last_transaction();
    if (transaction.is_ok() && transaction.value() == found->second.transaction)
      return found->second.responder;
    found_.erase(found);
  }
  Result<std::shared_ptr<Responder>> resolved = resolve(connection, asking);
  const bool is_watched = resolved.is_ok() && watch_.has_catalog(resolved.value()->schema);
  if (!is_watched && (resolved.is_ok() || resolved.status().code() == StatusCode::kNotFound)) {
    // A database may have got its catalog since.
    const uint64_t before = stamps_;
    PERSONALIZE_RETURN_IF_ERROR(look(connection, true));
    if (stamps_ != before) resolved = resolve(connection, asking);
  }
  PERSONALIZE_RETURN_IF_ERROR(resolved.status());
  std::shared_ptr<Responder> responder = std::move(resolved).value();
  responder->usage = usage_of(connection, responder->schema);
  found_[key_] = {responder, shelves_.at(responder->schema).transaction()};
  before_ = {};
  return responder;
}

Result<std::shared_ptr<Responder>> Responders::resolve(Connection& connection,
                                                       const Asking& asking) {
  if (!asking.campaign.empty() && !asking.version.empty())
    return Status(StatusCode::kInvalidInput,
                  fmt::format("InvalidInputException: {}: campaign '{}' and version '{}' were both "
                              "named; name one of them",
                              asking.caller, asking.campaign, asking.version));
  if (!asking.version.empty()) return of_version(connection, asking);
  if (asking.campaign.empty()) return choose(connection, asking);
  PERSONALIZE_ASSIGN_OR_RETURN(CampaignEntry campaign,
                               find_campaign(connection, asking.campaign, asking.caller));
  return of_campaign(connection, asking, std::move(campaign));
}

Result<std::shared_ptr<Responder>> Responders::make(VersionShelf& shelf, std::string_view solution,
                                                    int number) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<const LoadedModel> model,
                               shelf.load(solution, number));
  auto responder = std::make_shared<Responder>();
  responder->schema = shelf.schema();
  responder->keeps_questions = model->model->vectors() != nullptr && !remembering_is_switched_off();
  responder->model = std::move(model);
  responder->states = shelf.stores().states;
  responder->recommendations = shelf.stores().recommendations;
  responder->state_secret = shelf.stores().state_secret;
  return responder;
}

Result<std::shared_ptr<Responder>> Responders::of_campaign(Connection& connection,
                                                           const Asking& asking,
                                                           CampaignEntry campaign) {
  PERSONALIZE_ASSIGN_OR_RETURN(VersionShelf * shelf, this->shelf(connection, campaign.schema));
  int number = campaign.number;
  if (number == 0) {
    PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<int> latest, shelf->latest(campaign.solution));
    if (!latest)
      return Status(StatusCode::kNotFound,
                    fmt::format("ResourceNotFoundException: {0}: campaign '{1}' serves "
                                "'{2}/latest', but solution '{2}' has no ACTIVE version: SELECT "
                                "personalize_train('{2}')",
                                asking.caller, campaign.name, campaign.solution));
    number = *latest;
  }
  PERSONALIZE_ASSIGN_OR_RETURN(std::shared_ptr<Responder> responder,
                               make(*shelf, campaign.solution, number));
  const std::string& directory = shelf->stores().directory;
  std::shared_ptr<RateLimiter>& limiter = limiters_[directory];
  if (limiter == nullptr) {
    limiter = RateLimiter::open(directory, database_file(connection, campaign.schema));
  }
  responder->limiter = limiter;
  responder->campaign = std::move(campaign);
  return responder;
}

Result<std::shared_ptr<Responder>> Responders::of_version(Connection& connection,
                                                          const Asking& asking) {
  PERSONALIZE_ASSIGN_OR_RETURN(const VersionName name,
                               parse_version_name(asking.version, asking.caller));
  std::vector<std::string> there_are;
  for (const std::string& schema : watch_.catalogs()) {
    Result<VersionShelf*> shelf = this->shelf(connection, schema);
    if (shelf.status().code() == StatusCode::kNotFound) continue;  // nothing trained there
    PERSONALIZE_RETURN_IF_ERROR(shelf.status());
    int number = name.number;
    if (number == 0) {
      PERSONALIZE_ASSIGN_OR_RETURN(const std::optional<int> latest,
                                   shelf.value()->latest(name.solution));
      number = latest.value_or(0);
    }
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord>* versions,
                                 shelf.value()->versions());
    for (const VersionRecord& record : *versions) {
      if (record.solution == name.solution && record.number == number)
        return make(*shelf.value(), name.solution, number);
      there_are.push_back(record.name());
    }
  }
  if (there_are.empty()) return nothing_to_answer_with(asking);
  return Status(StatusCode::kNotFound,
                fmt::format("ResourceNotFoundException: {}: version '{}' does not exist{}; there "
                            "are: {}",
                            asking.caller, asking.version,
                            name.number == 0 ? " (the solution has no ACTIVE one)" : "",
                            fmt::join(there_are, ", ")));
}

Result<std::shared_ptr<Responder>> Responders::choose(Connection& connection,
                                                      const Asking& asking) {
  PERSONALIZE_ASSIGN_OR_RETURN(std::vector<Candidate> campaigns,
                               campaign_candidates(connection, asking, watch_.catalogs()));
  std::vector<Candidate> versions;
  for (const std::string& schema : watch_.catalogs()) {
    Result<VersionShelf*> shelf = this->shelf(connection, schema);
    if (shelf.status().code() == StatusCode::kNotFound && watch_.catalogs().size() > 1) continue;
    PERSONALIZE_RETURN_IF_ERROR(shelf.status());
    PERSONALIZE_ASSIGN_OR_RETURN(const std::vector<VersionRecord>* records,
                                 shelf.value()->versions());
    for (const VersionRecord& record : *records) {
      const Result<const Recipe*> recipe = find_recipe(record.recipe);
      if (record.status != kVersionActive || !recipe.is_ok()) continue;
      versions.push_back({fit_of(asking.purpose, *recipe.value()), record.name(), std::nullopt,
                          schema, record.dataset_group, record.solution, record.number,
                          record.created});
    }
  }
  // What fits comes first, campaigns before versions; any model can name popular items as similar
  // ones.
  for (const bool any : {false, asking.purpose == Purpose::kSimilar}) {
    std::vector<Candidate> fitting = best_fitting(campaigns, any);
    if (fitting.size() > 1) return which_one(asking, "campaign", fitting);
    if (fitting.size() == 1)
      return of_campaign(connection, asking, std::move(*fitting.front().campaign));
    fitting = best_fitting(versions, any);
    if (fitting.empty()) continue;
    const Candidate& first = fitting.front();
    const Candidate* newest = &first;
    for (const Candidate& candidate : fitting) {
      if (candidate.schema != first.schema || candidate.group != first.group)
        return which_one(asking, "version", fitting);
      if (std::pair(candidate.created, candidate.number) >
          std::pair(newest->created, newest->number))
        newest = &candidate;
    }
    return make(shelves_.at(newest->schema), newest->solution, newest->number);
  }
  return nothing_to_answer_with(asking);
}

Status Responders::open_history(Connection& connection, Responder& responder) {
  if (responder.history != nullptr) return Status::ok();
  const std::string& group = responder.model->record.dataset_group;
  OpenSource& open = sources_[fmt::format("{}.{}", responder.schema, group)];
  PERSONALIZE_ASSIGN_OR_RETURN(const int64_t schema_version,
                               connection.number(pragma(responder.schema, "schema_version")));
  if (open.source == nullptr || open.schema_version != schema_version ||
      open.catalog_changes != watch_.catalog_changes()) {
    // The readers of the old source must go with it, whatever fails on the way.
    open = OpenSource();
    OpenSource opened;
    PERSONALIZE_ASSIGN_OR_RETURN(opened.source,
                                 open_event_source(connection, responder.schema, group));
    PERSONALIZE_ASSIGN_OR_RETURN(opened.reads_business_table,
                                 reads_business_table(connection, responder.schema, group));
    opened.schema_version = schema_version;
    opened.catalog_changes = watch_.catalog_changes();
    open = std::move(opened);
  }
  const ModelMetadata* metadata = responder.model->model->metadata();
  if (metadata != nullptr && metadata->users.size() > 0 && !open.users_opened) {
    PERSONALIZE_ASSIGN_OR_RETURN(
        open.users, open_metadata_source(connection, responder.schema, group, DatasetKind::kUsers));
    open.users_opened = true;
  }
  std::shared_ptr<HistoryReader>& reader = open.readers[responder.model.get()];
  if (reader == nullptr) {
    // Those of versions that nobody asks any more would keep their models in memory.
    std::erase_if(open.readers,
                  [](const auto& of_model) { return of_model.second.use_count() == 1; });
    reader = std::make_shared<HistoryReader>(*open.source, responder.model, open.users.get());
  }
  responder.source = open.source;
  responder.reads_business_table = open.reads_business_table;
  responder.users = open.users;
  responder.history = reader;
  return Status::ok();
}

}  // namespace personalize
