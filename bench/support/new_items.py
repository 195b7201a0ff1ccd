"""bench/quality --new-items: how well items without any event are placed by their metadata, and what exploring
them costs. The protocol: rivals/new_items.py. All from SQL: the version is trained without the new items, which are
then inserted with their metadata alone."""
import json
import math
import tempfile

import personalize_test as support
from rivals import metadata
from rivals import new_items as protocol

RECIPE = "hrnn-coldstart"
# What was held out is new, however long ago it was made (MovieLens 100K's CREATION_TIMESTAMP is when a film came out),
# and nothing else is: items with a few events would take a part of the places for new ones.
HYPERPARAMETERS = '{"cold_start_max_duration": 36500, "cold_start_max_interactions": 1}'
WEIGHTS = (0.0, 0.1, 0.3, 1.0)
AMONG_NEW = (10, 50)


def campaign_of(weight):
    return f"weight-{round(100 * weight)}"


def discount(place):
    return 1 / math.log2(1 + place)


def as_users(questions, prefix):
    """Each question's history as the events of a user of its own."""
    for number, question in enumerate(questions):
        for event in question.history:
            yield type(event)(f"{prefix}{number}", event.item, event.time, event.value, event.context)


class Asked:
    """What one list of ten costs and shows, over the questions about known items."""

    def __init__(self, connection, campaign, split):
        new = set(split.new_items)
        gains, shown, places = [], {}, 0
        for number, question in enumerate(split.known_questions):
            items = [item for item, in connection.execute("SELECT item_id FROM recommend(?, 10, ?)",
                                                          (f"known{number}", campaign))]
            gains.append(discount(items.index(question.target) + 1) if question.target in items else 0)
            for item in items:
                places += item in new
                if item in new:
                    shown[item] = shown.get(item, 0) + 1
        self.ndcg = sum(gains) / len(gains)
        self.share = places / (10 * len(gains))
        self.covered = len(shown) / len(new)
        entropy = -sum(n / places * math.log(n / places) for n in shown.values())
        self.effective = math.exp(entropy) / len(new) if shown else 0
        hits = 0
        for number, question in enumerate(split.new_questions):
            items = {item for item, in connection.execute(
                "SELECT item_id FROM recommend(?, 10, ?) WHERE excluding IN (SELECT value FROM json_each(?))",
                (f"new{number}", campaign, json.dumps(sorted(question.had))))}
            hits += question.target in items
        self.recall = hits / max(1, len(split.new_questions))


def among_new(connection, campaign, split):
    """{k: recall} and NDCG@10 with the new items alone to choose from."""
    recall = dict.fromkeys(AMONG_NEW, 0)
    gain = 0
    for number, question in enumerate(split.new_questions):
        candidates = json.dumps([item for item in split.new_items if item not in question.had])
        items = [item for item, in connection.execute(
            "SELECT item_id FROM recommend(?, ?, ?) WHERE among IN (SELECT value FROM json_each(?))",
            (f"new{number}", max(AMONG_NEW), campaign, candidates))]
        if question.target in items:
            place = items.index(question.target) + 1
            for k in AMONG_NEW:
                recall[k] += place <= k
            gain += discount(place) if place <= 10 else 0
    asked = max(1, len(split.new_questions))
    return {k: hits / asked for k, hits in recall.items()}, gain / asked


class NewItems:
    """The figures of one data set."""

    def __init__(self, data_set, path, events, seed, note):
        split = protocol.hold_out(events, seed)
        self.split = split
        declaration, rows = metadata.read(data_set, path, "items")
        held_out = set(split.new_items)
        with tempfile.TemporaryDirectory(prefix="personalize-new-items-") as folder:
            connection = support.connect(f"{folder}/items.db", isolation_level=None)
            metadata.insert_events(connection, data_set, split.events)
            metadata.declare(connection, "items", declaration)
            metadata.insert(connection, "items", [row for row in rows if row[0] not in held_out])
            connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('new', ?, ?)",
                               (RECIPE, HYPERPARAMETERS))
            version, = connection.execute("SELECT personalize_train('new', ?)", (json.dumps({
                "evaluation": "leave-last-two-out", "final_fit": False, "tie_order": "arrival", "seed": seed}),)).fetchone()
            for message, in connection.execute("SELECT message FROM personalize_training_log WHERE version = ? AND message <> '' "
                                               "ORDER BY sequence", (version,)):
                note("  " + message)
            metadata.insert_events(connection, data_set, as_users(split.new_questions, "new"))
            metadata.insert_events(connection, data_set, as_users(split.known_questions, "known"))
            for weight in WEIGHTS:
                connection.execute("INSERT INTO personalize_campaigns(name, version, config) VALUES (?, ?, ?)",
                                   (campaign_of(weight), version, json.dumps({"exploration_weight": weight})))
            self.without = Asked(connection, campaign_of(0), split).ndcg
            metadata.insert(connection, "items", [row for row in rows if row[0] in held_out])
            self.recall, self.ndcg = among_new(connection, campaign_of(0), split)
            self.asked = {}
            for weight in WEIGHTS:
                self.asked[weight] = Asked(connection, campaign_of(weight), split)
                note(f"  weight {weight}: NDCG@10 {self.asked[weight].ndcg:.4f}, new {self.asked[weight].share:.4f} of the places")
            connection.close()

    @property
    def loss(self):
        """Of NDCG@10 for known items, by the new ones' own scores alone."""
        return self.without - self.asked[0.0].ndcg


PLACED_HEAD = ["data", "new items", "questions", "R@10 among new", "R@50 among new", "at least", "NDCG@10 among new", "random R@50",
               "NDCG@10 of known items, without new", "with", "at most lost"]
EXPLORED_HEAD = ["data", "exploration_weight", "NDCG@10 of known items", "price", "places with new items", "new items shown",
                 "effective", "R@10 of new, all items"]


def reached(value, goal):
    return "" if goal is None else f"{goal} {'reached' if value >= goal else f'missed by {goal - value:.4f}'}"


def placed_row(title, found, at_least, most_lost):
    return [title, len(found.split.new_items), len(found.split.new_questions), f"{found.recall[10]:.4f}", f"{found.recall[50]:.4f}",
            reached(found.recall[50], at_least), f"{found.ndcg:.4f}", f"{min(1, 50 / len(found.split.new_items)):.4f}",
            f"{found.without:.4f}", f"{found.asked[0.0].ndcg:.4f}",
            f"{most_lost} {'kept' if found.loss <= most_lost else f'missed by {found.loss - most_lost:.4f}'}"]


def explored_rows(title, found):
    return [[title, weight, f"{asked.ndcg:.4f}", f"{found.without - asked.ndcg:+.4f}", f"{asked.share:.4f}", f"{asked.covered:.2f}",
             f"{asked.effective:.2f}", f"{asked.recall:.4f}"] for weight, asked in found.asked.items()]
