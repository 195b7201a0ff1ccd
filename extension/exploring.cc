#include "extension/exploring.h"

#include <ctime>

#include "extension/exposure_shelf.h"

namespace personalize {

Status Exploration::prepare(Connection& connection, const Responder& responder,
                            const UnseenTable* unseen) {
  fresh_.clear();
  const LoadedModel& model = *responder.model;
  const CampaignConfig config = responder.config();
  if (!model.recipe->explores() || config.exploration_weight == 0) return Status::ok();
  draw_.weight = config.exploration_weight;
  draw_.noise = model.model->exploration_noise();
  draw_.seed =
      responder.campaign ? static_cast<uint64_t>(responder.campaign->id) : model.record.seed;
  find_new_items(model, unseen, {config.exploration_item_age_cut_off, std::time(nullptr)}, fresh_);
  if (fresh_.empty()) return Status::ok();
  return connection.part<ExposureShelf>().count(connection, responder, unseen, fresh_);
}

void Exploration::explore(std::string_view user, size_t events, const ItemSet* allowed,
                          Answerer& answerer, std::vector<Answer>& answers) const {
  if (fresh_.empty()) return;
  ExplorationDraw draw = draw_;
  draw.user = exploration_hash(user);
  draw.request = events;
  answerer.explore(draw, fresh_, allowed, answers);
}

}  // namespace personalize
