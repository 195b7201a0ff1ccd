"""What bench/quality does once everything is built: trains, measures, and prints the tables."""
import argparse
import csv
import json
import pathlib
import sys
import tempfile
import time

import personalize_test as support
import new_items
import recipes
from rivals import data_sets, generated

BENCH = pathlib.Path(__file__).resolve().parents[1]
METRICS = {"HR": "hit_rate", "NDCG": "normalized_discounted_cumulative_gain", "P": "precision", "MRR": "mean_reciprocal_rank"}
LISTS = {"all": "included", "unseen": "excluded"}
MOST_LOST = 0.002  # of NDCG@10 for known items, by the new items' own scores
SHOWN = {"leave-last-two-out": ("HR@10", "NDCG@10", "MRR@25"), "temporal-holdout": ("P@5", "P@10", "P@25", "MRR@25")}


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Measured:
    """The rows of personalize_metrics of one version."""

    def __init__(self, title, connection, version):
        self.title, self.seconds, self.cpu_seconds = title, 0.0, 0.0
        self.rows = {}
        for metric, k, seen, *values in connection.execute(
                "SELECT metric, k, seen, value, standard_error, seed_deviation, baseline, markov "
                "FROM personalize_metrics WHERE version = ?", (version,)):
            self.rows[metric, k, seen] = dict(zip(("value", "error", "deviation", "popularity", "markov"), values))

    def row(self, metric, which):
        name, k = metric.split("@")
        return self.rows[METRICS[name], int(k), LISTS[which]]


def train(data_set, title, events, options):
    """hrnn from SQL, as any user trains it but for the evaluation's options."""
    with tempfile.TemporaryDirectory(prefix="personalize-quality-") as folder:
        connection = support.connect(f"{folder}/quality.db", isolation_level=None)
        connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO interactions(user_id, item_id, event_value, timestamp) VALUES (?, ?, ?, ?)",
                               ((e.user, e.item, e.value, e.time) for e in events))
        connection.execute("COMMIT")
        connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('measured', 'hrnn', ?)",
                           (options.hyperparameters,))
        begin, cpu_begin = time.monotonic(), time.process_time()
        version, = connection.execute("SELECT personalize_train('measured', ?)", (json.dumps({
            "evaluation": data_set.protocol, "seeds": options.seeds, "final_fit": False, "tie_order": "arrival"}),)).fetchone()
        measured = Measured(title, connection, version)
        measured.seconds, measured.cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_begin
        for message, in connection.execute("SELECT message FROM personalize_training_log WHERE version = ? "
                                           "AND message <> '' ORDER BY sequence", (version,)):
            progress("  " + message)
        connection.close()
    return measured


def rivals_of(data_set):
    from rivals import als, ease, gru, markov  # only where they are asked for: they need numpy, scipy and torch
    return [markov.Markov(), ease.Ease(), als.Als(), gru.Gru(data_set.gru_seconds, data_set.gru_batch, data_set.gru_rate)]


def measure_rivals(data_set, events):
    """[(name, {list: {metric: (mean, error)}}, CPU seconds of the fit)]"""
    from rivals import judge
    split = judge.Split(events, data_set.protocol)
    found = []
    for rival in rivals_of(data_set):
        progress(f"  {rival.name}")
        begin = time.process_time()
        rival.fit(split)
        seconds = time.process_time() - begin
        found.append((rival.name, judge.judge(rival, split), seconds))
    return found


def read_csv(name):
    with open(BENCH / name, newline="") as file:
        return list(csv.DictReader(file))


def table(head, rows):
    """A table in Markdown, padded so that it can be read as it stands."""
    rows = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def number(value, signed=False):
    return "" if value is None else f"{value:{'+' if signed else ''}.4f}"


def goal_rows(measured):
    """The figures that are required, each with whether it was reached."""
    rows = []
    for goal in read_csv("goals.csv"):
        if goal["data"] not in measured or goal["list"] not in LISTS:
            continue
        row = measured[goal["data"]].row(goal["metric"], goal["list"])
        missing = float(goal["at_least"]) - row["value"]
        rows.append([measured[goal["data"]].title, goal["list"], goal["metric"], f"{number(row['value'])} +- {number(row['error'])}",
                     number(row["deviation"]), goal["at_least"],
                     "reached" if missing <= 0 else f"missed by {missing:.4f}", goal["to_compare"]])
    return rows


def comparison_rows(data_set, measured, rivals, seeds):
    """hrnn, its two columns of rivals, the rivals of this run, and published figures of one data set."""
    shown = SHOWN[data_set.protocol]

    def cells(value_of):
        return [value_of(metric, which) for which in LISTS for metric in shown]

    rows = [["**hrnn**", *cells(lambda metric, which: f"**{number(measured.row(metric, which)['value'])}**"),
             f"{measured.cpu_seconds / seeds:.0f}", f"this run, mean of {seeds} seeds" if seeds > 1 else "this run"]]
    rows += [[f"recipe {name}", *cells(lambda metric, which: number(measured.row(metric, which)[column])), "", "this run"]
             for name, column in (("markov", "markov"), ("popularity-count", "popularity"))]
    rows += [[name, *cells(lambda metric, which: number(figures[which][metric][0])), f"{seconds:.1f}", "this run"]
             for name, figures, seconds in rivals]
    by_model = {}
    for line in read_csv("published.csv"):
        if line["data"] in (data_set.name, data_set.same_ids):
            by_model.setdefault((line["model"], line["source"]), {})[line["list"]] = line
    rows += [[model, *cells(lambda metric, which: lines.get(which, {}).get(metric, "")), "", source]
             for (model, source), lines in by_model.items()]
    return rows


def chosen(names):
    """The data sets whose name begins with one of `names`."""
    found = [data_set for data_set in data_sets.DATA_SETS
             if not names or any(data_set.name.startswith(name) for name in names)]
    unknown = [name for name in names if not any(data_set.name.startswith(name) for data_set in found)]
    if unknown:
        sys.exit(f"there is no data set '{unknown[0]}'; there are: " + ", ".join(d.name for d in data_sets.DATA_SETS))
    return found


def goal_of(name, metric, which):
    return next((float(goal["at_least"]) for goal in read_csv("goals.csv")
                 if (goal["data"], goal["metric"], goal["list"]) == (name, metric, which)), None)


def found_data_sets(options):
    """(data set, title, file, events) of each that is chosen and here."""
    shared = support.shared_data()
    for data_set in chosen(options.names):
        path = data_sets.source_file(data_set, shared)
        if path is None:
            progress(f"{data_set.name}: not here (it may not be shipped)")
            continue
        title = data_set.title if shared else f"{data_set.title}, as shipped"
        progress(f"{data_set.name}: {title}, {path}")
        yield data_set, title, path, data_sets.read(data_set, path)


def report_hrnn(options):
    measured, rivals, comparisons = {}, {}, []
    for data_set, title, _, events in found_data_sets(options):
        measured[data_set.name] = train(data_set, title, events, options)
        progress(f"  {measured[data_set.name].seconds:.0f} s, {measured[data_set.name].cpu_seconds:.0f} CPU s")
        ids = data_set.same_ids or data_set.name
        if options.rivals and ids not in rivals:
            rivals[ids] = measure_rivals(data_set, events)
        shown = SHOWN[data_set.protocol]
        head = ["model", *(f"{metric} {which}" for which in LISTS for metric in shown), "CPU s", "source"]
        comparisons.append((title, table(head, comparison_rows(data_set, measured[data_set.name], rivals.get(ids, []),
                                                                   options.seeds))))
    print("all: items that the user has had stay in the list; unseen: they are taken out. +-: standard error over the users. "
          "CPU s: of the fit, of hrnn with its whole evaluation, a seed.\n")
    print(table(["data, protocol", "list", "figure", "measured", "between seeds", "at least", "", "to compare"],
                goal_rows(measured)))
    for title, text in comparisons:
        print(f"\n### {title}\n\n{text}")


def report_recipes(options):
    rows = []
    for data_set, title, path, events in found_data_sets(options):
        if data_set.protocol == "leave-last-two-out" and not data_set.ids_only:
            rows += recipes.of_data_set(data_set, path, title, events, progress)
    if not options.names:
        for name in generated.DATA_SETS:
            progress(f"{name}:")
            rows += recipes.of_generated(name, progress)
    print("all: items that the user has had stay in the list; unseen: they are taken out. +-: standard error over the users of "
          "NDCG@10 unseen. CPU s: of the fit and its evaluation.\n")
    print(table(recipes.HEAD, rows))


def report_new_items(options):
    placed, explored = [], []
    for data_set, title, path, events in found_data_sets(options):
        if data_set.protocol != "leave-last-two-out" or not data_set.item_fields or not (path.parent / "items.csv").exists():
            continue
        found = new_items.NewItems(data_set, path, events, options.seed, progress)
        placed.append(new_items.placed_row(title, found, goal_of(data_set.name, "R@50", "new"), MOST_LOST))
        explored += new_items.explored_rows(title, found)
    print(f"A tenth of the items is held out altogether, inserted after the training of {new_items.RECIPE} with metadata alone, and "
          "asked for in the last fifth of each user's events.\n")
    print(table(new_items.PLACED_HEAD, placed) + "\n")
    print(table(new_items.EXPLORED_HEAD, explored))


def main():
    parser = argparse.ArgumentParser(prog="bench/quality", description="How good the recipes' lists are, beside what is required, "
                                     "published, and reached by rivals.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets, or the beginning of their names: "
                        + ", ".join(data_set.name for data_set in data_sets.DATA_SETS))
    parser.add_argument("--recipes", action="store_true", help="every recipe in place of hrnn, also on generated data")
    parser.add_argument("--new-items", action="store_true", help="items without events: where they are placed, and what exploring "
                        "them costs")
    parser.add_argument("--rivals", action="store_true", help="train EASE, ALS, a Markov chain and a GRU on the same splits as hrnn")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of hrnn to average (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of new items (1)")
    parser.add_argument("--hyperparameters", help="JSON, of hrnn; the defaults are what is to be measured")
    parser.add_argument("--header", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(options.header + "\n")
    (report_recipes if options.recipes else report_new_items if options.new_items else report_hrnn)(options)


if __name__ == "__main__":
    main()
