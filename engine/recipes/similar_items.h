// similar-items: items that are taken one after the other, or that their metadata says are alike;
// among them items that have few events or none.
#pragma once

#include "engine/recipes/recipe.h"

namespace personalize {

// similarity(i, j) = ((1 - m) f_i . f_j + m m_i . m_j + p q_j) / (1 + p)
//
// f: item_id_hidden_dim numbers, learned from what follows what (association_vectors of the
// windowed
//    Markov counts) and, the fewer events an item has, predicted from its metadata by a ridge
//    regression; of an unseen item predicted alone.
// m: item_metadata_hidden_dim numbers that stand for the item's metadata (MetadataProjection).
// q: ln(1 + users), 1 for the most popular item; 0 for an unseen one.
// The weights m and p are those with which the withheld next items of up to 500 users are found
// best (similar::choose_weights). Without metadata m is 0. An item of which neither the events nor
// the metadata say anything gets popular items.
//
// score(), for a user: the sum of the similarities to each item he had.
const Recipe& similar_items_recipe();

}  // namespace personalize
