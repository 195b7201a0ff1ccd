// Who answers a question: which campaign or version, with which model, from which events. A
// connection keeps what it found out, so that a question asked again costs no look into the
// catalog.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dataset/sources.h"
#include "engine/serving/history.h"
#include "engine/serving/loaded_model.h"
#include "engine/serving/rate.h"
#include "engine/serving/usage.h"
#include "engine/status.h"
#include "engine/store/state_store.h"
#include "extension/catalog.h"
#include "extension/connection.h"
#include "extension/database_watch.h"
#include "extension/version_shelf.h"

namespace personalize {

// What kind of question it is: decides which recipes fit where neither campaign nor version is
// named.
enum class Purpose { kRecommend, kRank, kSimilar, kExplain, kSegment };

struct Asking {
  Purpose purpose = Purpose::kRecommend;
  std::string_view caller;    // leads messages: "recommend"
  std::string_view campaign;  // "": not named
  std::string_view version;   // "": not named; 'movies/3' or 'movies/latest'
};

struct Responder {
  std::string schema;
  std::shared_ptr<const LoadedModel> model;
  std::optional<CampaignEntry> campaign;  // nothing: a version was asked, which is not throttled
  std::shared_ptr<RateLimiter> limiter;   // of the campaign
  std::shared_ptr<UsageCounter> usage;
  std::shared_ptr<StateStore> states;
  std::shared_ptr<RecommendationStore> recommendations;
  uint64_t state_secret = 0;
  std::shared_ptr<EventSource> source;  // opened by the first question about a user
  bool reads_business_table = false;    // of the source: its rows change without a word to us
  bool keeps_questions = false;         // in memory: of a model of vectors, if it is not forbidden
  std::shared_ptr<MetadataSource> users;  // that history reads, or null
  std::shared_ptr<HistoryReader> history;

  // Of the campaign; without one, the defaults.
  CampaignConfig config() const { return campaign ? campaign->config : CampaignConfig(); }
};

// A connection's responders. Part of Connection.
class Responders {
 public:
  // The responder to `asking`. Errors:
  //   kNotFound      no such campaign or version (the message lists what there is), or nothing that
  //                  could answer
  //   kInvalidInput  both a campaign and a version, or neither where several would fit (the message
  //                  names them)
  //   and those of opening the store and the model.
  Result<std::shared_ptr<Responder>> find(Connection& connection, const Asking& asking);

  // Another one when find() has seen that a database, a catalog or the list of schemas is another.
  uint64_t stamp_number() const { return stamps_; }

  // Lets go of all that is open and of all that the connection has read for questions.
  void close(Connection& connection);

  // Opens the events of the responder's dataset group, if that was not done. They are read in the
  // transaction of the statement that asks.
  Status open_history(Connection& connection, Responder& responder);

 private:
  struct Found {
    std::shared_ptr<Responder> responder;
    uint64_t transaction = 0;  // of its model store
  };
  struct OpenSource {
    std::shared_ptr<EventSource> source;
    std::shared_ptr<MetadataSource> users;  // opened by the first model that reads them
    bool users_opened = false;
    bool reads_business_table = false;  // of the events or of the users
    int64_t schema_version = 0;
    uint64_t catalog_changes = 0;
    // By model: what they know of the source's codes outlives the responders.
    std::map<const LoadedModel*, std::shared_ptr<HistoryReader>> readers;
  };

  // Looks at the databases, and lets go of what no longer holds. `thorough`: as of DatabaseWatch.
  Status look(Connection& connection, bool thorough);
  Result<std::shared_ptr<Responder>> resolve(Connection& connection, const Asking& asking);
  Result<std::shared_ptr<Responder>> of_campaign(Connection& connection, const Asking& asking,
                                                 CampaignEntry campaign);
  Result<std::shared_ptr<Responder>> of_version(Connection& connection, const Asking& asking);
  Result<std::shared_ptr<Responder>> choose(Connection& connection, const Asking& asking);
  Result<std::shared_ptr<Responder>> make(VersionShelf& shelf, std::string_view solution,
                                          int number);
  Result<VersionShelf*> shelf(Connection& connection, const std::string& schema);
  std::shared_ptr<UsageCounter> usage_of(Connection& connection, const std::string& schema);

  using FoundByQuestion = std::map<std::string, Found, std::less<>>;
  using Shelves = std::map<std::string, VersionShelf, std::less<>>;  // by schema
  DatabaseWatch watch_;
  uint64_t stamps_ = 0;
  FoundByQuestion found_;
  Shelves shelves_;
  // What was let go of for other files, until the next question has found its model.
  std::pair<FoundByQuestion, Shelves> before_;
  std::map<std::string, OpenSource, std::less<>> sources_;  // by schema and group
  std::map<std::string, std::shared_ptr<RateLimiter>, std::less<>> limiters_;  // by directory
  std::map<std::string, std::shared_ptr<UsageCounter>, std::less<>> counters_;
  std::string key_;
};

}  // namespace personalize
