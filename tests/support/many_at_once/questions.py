"""Questions drawn at random, and what must hold of any answer, whatever the database holds."""
import json
from dataclasses import dataclass, field

from many_at_once import world


@dataclass
class Question:
    kind: str
    sql: str
    parameters: list
    version: str | None = None  # named; None: the newest of `solution` answers, through a campaign
    solution: str = "net"
    k: int = 0
    whole: bool = False  # no filter: k rows must come
    listed: list = field(default_factory=list)


def any_user(chance):
    pick = chance.random()
    if pick < 0.05:
        return "nobody"
    if pick < 0.3:
        return f"n{chance.randrange(world.NEW_USERS)}"
    # Some come again and again: connections remember them, and others change what they remember.
    return f"u{chance.randrange(3 if pick < 0.7 else world.USERS)}"


def any_item(chance):
    pick = chance.random()
    if pick < 0.05:
        return "no such item"
    return f"x{chance.randrange(world.NEW_ITEMS)}" if pick < 0.15 else f"i{chance.randrange(world.ITEMS)}"


FILTERS = (("filter = 'unseen'", ()), ("filter = 'genre' AND filter_values = ?", ('{"GENRE": ["Comedy", "Crime"]}',)),
           ("filter = 'genre' AND filter_values = ?", ('{"GENRE": "Drama"}',)),
           ("filter = ?", ('EXCLUDE ItemID WHERE Items.GENRES IN ("Drama") | INCLUDE ItemID WHERE Items.GENRES IN (*)',)),
           ("among IN (SELECT item_id FROM items WHERE genres <> 'Drama')", ()),
           ("excluding IN (SELECT item_id FROM interactions WHERE user_id = 'u1')", ()))


def recommend(chance, version):
    k = chance.choice((1, 5, 10))
    return Question("recommend", "SELECT item_id, score FROM recommend(?, ?) WHERE version = ?",
                    [any_user(chance), k, version], version, k=k, whole=True)


def filtered(chance, version):
    condition, values = chance.choice(FILTERS)
    return Question("filtered", f"SELECT item_id, score FROM recommend(?, ?) WHERE version = ? AND {condition}",
                    [any_user(chance), 10, version, *values], version, k=10)


def latest(chance, _):
    campaign, solution = chance.choice((("home", "net"), ("new", "fresh")))
    return Question("latest", "SELECT item_id, score FROM recommend(?, 8, ?)", [any_user(chance), campaign],
                    solution=solution, k=8, whole=True)


def rank(chance, version):
    listed = [any_item(chance) for _ in range(chance.randrange(1, 20))]
    condition, values = chance.choice((("", ()), ("", ()), (" AND filter = 'unseen'", ())))
    return Question("rank", f"SELECT item_id, score FROM rank(?, ?) WHERE version = ?{condition}",
                    [any_user(chance), json.dumps(listed), version, *values], version, k=len(listed),
                    listed=[] if condition else listed)


def score(chance, _):
    campaign, solution = chance.choice((("home", "net"), ("new", "fresh")))
    return Question("score", "SELECT item_id, personalize_score(?, item_id, ?) FROM items ORDER BY item_id",
                    [any_user(chance), campaign], solution=solution)


def similar(chance, version):
    condition, values = chance.choice((("", ()), (" AND filter = ?", ("INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES",))))
    item = any_item(chance)
    return Question("similar", f"SELECT item_id, score FROM similar_items(?, 6) WHERE version = ?{condition}",
                    [item, version, *values], version, k=6, listed=[item])


def similar_latest(chance, _):
    item = any_item(chance)
    return Question("similar", "SELECT item_id, score FROM similar_items(?, 6, 'more')", [item], solution="pairs", k=6,
                    listed=[item])


def batch(chance, version):
    k = chance.choice((1, 4))
    condition, values = chance.choice((("", ()), (" AND filter = 'unseen'", ())))
    return Question("batch", f"SELECT user_id, rank, item_id, score FROM batch_recommend(?, ?) WHERE TRUE{condition}",
                    [k, version, *values], version, k=k, whole=not condition)


# Whose first parameter is a user.
ABOUT_USERS = ("recommend", "filtered", "latest", "rank", "score")

# Drawn as often as they stand here.
KINDS = (recommend, recommend, recommend, filtered, filtered, latest, latest, rank, score, similar, similar_latest, batch)


def draw(chance, versions):
    """A question. `versions`: those to be asked, by solution."""
    make = chance.choice(KINDS)
    solution = chance.choice([s for s in versions if s != "pairs" or make is similar])
    question = make(chance, versions[solution])
    if question.version:
        question.solution = solution
    return question


def problem_of(question, rows):
    """What cannot be right about an answer, or None."""
    scores = [row[-1] for row in rows]
    if question.kind == "score":
        known = [s for s in scores if s is not None]
        return None if all(0 <= s <= 1 for s in known) and sum(known) < 1 + 1e-6 else "scores are no shares of 1"
    if question.kind == "batch":
        return problem_of_batch(question, rows)
    items = [item for item, _ in rows]
    if len(set(items)) != len(items):
        return "an item twice"
    if question.kind == "rank":
        return problem_of_rank(question, rows)
    if len(rows) > question.k or (question.whole and len(rows) < question.k):
        return f"{len(rows)} rows, asked for {question.k}"
    if question.kind == "similar" and question.listed[0] in items:
        return "the item is similar to itself"
    # New items have places that their score did not earn.
    if question.solution != "fresh" and scores != sorted(scores, reverse=True):
        return "scores rise"
    return None


def problem_of_rank(question, rows):
    if question.listed and sorted(set(question.listed)) != sorted(item for item, _ in rows):
        return "not the items of the list"
    known = [s for _, s in rows if s is not None]
    if [s for _, s in rows] != known + [None] * (len(rows) - len(known)):
        return "unknown items before known ones"
    if known != sorted(known, reverse=True):
        return "scores rise"
    # A user without events has popular items, and of items that nobody had each has no share.
    return None if not any(known) or abs(sum(known) - 1) < 1e-5 else "the scores do not sum to 1"


def problem_of_batch(question, rows):
    ranks = {}
    for user, rank_, *_ in rows:
        ranks.setdefault(user, []).append(rank_)
    if any(r != list(range(1, len(r) + 1)) for r in ranks.values()):
        return "ranks with gaps"
    if question.whole and any(len(r) != question.k for r in ranks.values()):
        return f"a user without {question.k} rows"
    return None
