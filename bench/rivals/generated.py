"""Generated data whose best possible lists are known, for what the public sets carry no signal of.

In each, an event's kind (one of KINDS, each with as many items) is chosen by what the data set is named for,
with a known probability (its certainty), else at random; the item of the kind is drawn at random. Nothing else can be
learned, so the best NDCG@10 is that of listing the chosen kind's items first.

  generated-context  by the event's contextual column DEVICE
  generated-users    by the user's GROUP_NAME
  generated-items    by the kind of the item before (the next one), which the items' KIND_NAME tells; most items
                     have but a few events, so that their own vectors can hardly be learned
"""
import math
import random

from rivals.data_sets import DataSet, Event

KINDS = 20
# Users, items of a kind, events of a user, certainty.
DATA_SETS = {
    "generated-context": (400, 10, 60, 0.9, DataSet("generated-context", "Generated: the context decides", "leave-last-two-out", "",
                                                interaction_fields="DEVICE string categorical")),
    "generated-users": (3_000, 10, 5, 0.5, DataSet("generated-users", "Generated: the user's group decides", "leave-last-two-out", "",
                                               user_fields="GROUP_NAME string categorical")),
    "generated-items": (1_500, 100, 12, 0.9, DataSet("generated-items", "Generated: the item's kind decides", "leave-last-two-out", "",
                                               item_fields="KIND_NAME string categorical")),
}


def best_ndcg(items_of_kind, certainty):
    """Of a list that has the decided kind's items first, in any order, then others in any order."""
    def gain(first, last):  # the mean over places first + 1 .. last, as far as they are among ten
        return sum(1 / math.log2(1 + place) for place in range(first + 1, min(10, last) + 1)) / (last - first)
    inside = certainty + (1 - certainty) / KINDS
    return inside * gain(0, items_of_kind) + (1 - inside) * (gain(items_of_kind, KINDS * items_of_kind) if items_of_kind < 10 else 0)


def make(name, seed=1):
    """(data set, events, {kind of metadata: rows}, the best NDCG@10)"""
    users, items_of_kind, length, certainty, data_set = DATA_SETS[name]
    chance = random.Random(seed)
    events, metadata = [], {}
    for user in range(users):
        group = chance.randrange(KINDS)
        kind = chance.randrange(KINDS)
        for place in range(length):
            device = chance.randrange(KINDS)
            wanted = {"generated-context": device, "generated-users": group, "generated-items": (kind + 1) % KINDS}[name]
            kind = wanted if chance.random() < certainty else chance.randrange(KINDS)
            item = f"item{kind * items_of_kind + chance.randrange(items_of_kind)}"
            context = (f"device{device}",) if data_set.interaction_fields else ()
            events.append(Event(f"user{user}", item, 1_600_000_000 + 60 * (place * users + user), None, context))
        metadata.setdefault("users", []).append((f"user{user}", f"group{group}"))
    metadata["items"] = [(f"item{item}", f"kind{item // items_of_kind}") for item in range(KINDS * items_of_kind)]
    return data_set, events, metadata, best_ndcg(items_of_kind, certainty)
