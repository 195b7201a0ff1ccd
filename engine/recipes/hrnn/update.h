// training_mode UPDATE of hrnn: a stored network learns what has happened since, in a small part of
// the time that training it anew would take.
#pragma once

#include "engine/recipes/hrnn/fit_metadata.h"
#include "engine/recipes/hrnn/trainer.h"
#include "engine/recipes/recipe.h"

namespace personalize::hrnn {

// The network of `previous` trained on: a few times over the events of `data` that are later than
// previous.newest, each history folded up to them, and over as many old ones. New items start where
// the items around them are. What is counted (Markov chain, popularity, recency table) is counted
// anew from all events, so it follows deleted and late ones too, and items that are gone are left
// out; the network hears of later events only. The weights that join the network and the chain stay
// what they were. With nothing new the network stays as it is.
//
// `metadata`, if not null, is told with the columns of the stored model (FitMetadata::of_model);
// unseen items are placed anew, with the weights that were fitted then.
//
// `options` are those of a training from nothing and `hyperparameters` theirs; what was done goes
// into the Fitted's. Errors: those of read_model and train; kInvalidInput if the numbers grow
// beyond bounds. The same for any number of threads.
Result<Fitted> update(const TrainingView& data, const PreviousModel& previous,
                      TrainingOptions options, Hyperparameters hyperparameters,
                      const FitMetadata* metadata, Progress& progress);

}  // namespace personalize::hrnn
