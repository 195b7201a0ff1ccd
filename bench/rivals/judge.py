"""How good lists are, in numpy: written apart from the engine's own metrics, to judge rivals and to check it.

All items are ranked; ties count against the model. `all` leaves the user's history in the ranking, `unseen`
takes it out (what was withheld but had before is then a miss).
"""
import numpy as np

LISTS = ("all", "unseen")
CUTOFFS = (5, 10, 25)


class Split:
    """Sequences of item numbers, and what a protocol makes of them."""

    def __init__(self, events, protocol):
        numbers, order = {}, {}
        for event in events:
            order.setdefault(event.user, []).append((event.time, numbers.setdefault(event.item, len(numbers))))
        self.items = len(numbers)
        self.users, self.train, self.histories, self.relevant = [], [], [], []
        self.validation = []  # (history, item): what a rival may choose its epoch by; nobody learns the item
        for user, timed in order.items():
            sequence = np.array([item for _, item in sorted(timed, key=lambda pair: pair[0])])  # stable
            n = len(sequence)
            if protocol == "temporal-holdout":
                known = kept = n * 9 // 10
            else:
                kept, known = (n, n) if n < 3 else (n - 2, n - 1)
            self.train.append(sequence[:kept])
            if known == 0 or known == n:
                continue
            self.users.append(user)
            self.histories.append(sequence[:known])
            self.relevant.append(np.unique(sequence[known:]))
            if known > kept:
                self.validation.append((sequence[:kept], sequence[kept]))


def ranks(scores, relevant):
    """Ranks from 1 of the relevant items, best first. One without a score is behind everything."""
    scores = np.where(np.isnan(scores), -np.inf, scores)
    wanted = np.sort(scores[relevant])[::-1]
    others = np.delete(scores, relevant)
    ahead = np.array([(others >= score).sum() for score in wanted])
    found = ahead + 1 + np.arange(len(wanted))
    found[np.isneginf(wanted)] = len(scores) + 1
    return found


def metrics_of_ranks(places, relevant):
    """One user's metrics."""
    found = {"MRR@25": 1 / places[0] if places[0] <= 25 else 0.0}
    for k in CUTOFFS:
        hits = places[places <= k]
        best = (1 / np.log2(1 + np.arange(1, min(k, relevant) + 1))).sum()
        found[f"HR@{k}"] = float(len(hits) > 0)
        found[f"P@{k}"] = len(hits) / k
        found[f"NDCG@{k}"] = (1 / np.log2(1 + hits)).sum() / best
    return found


def mean_and_error(values):
    values = np.asarray(values, np.float64)
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def judge(model, split, block=256):
    """{list: {metric: (mean, standard error)}} of model.scores(histories)."""
    by_user = {name: [] for name in LISTS}
    for start in range(0, len(split.histories), block):
        histories = split.histories[start:start + block]
        for scores, history, relevant in zip(model.scores(histories), histories, split.relevant[start:start + block]):
            scores = np.array(scores, np.float32)
            by_user["all"].append(metrics_of_ranks(ranks(scores, relevant), len(relevant)))
            scores[history] = -np.inf
            by_user["unseen"].append(metrics_of_ranks(ranks(scores, relevant), len(relevant)))
    return {name: {metric: mean_and_error([user[metric] for user in users]) for metric in users[0]}
            for name, users in by_user.items()}
