"""bench/quality --recipes: every recipe with its defaults on every data set, from SQL, and on generated data whose
best possible figure is known."""
import json
import tempfile
import time

import personalize_test as support
from rivals import generated, metadata

RECIPES = ("hrnn", "hrnn-metadata", "hrnn-coldstart", "user-personalization", "markov", "popularity-count", "trending-now",
           "sims", "similar-items")
GENERATED_RECIPES = ("hrnn", "hrnn-metadata", "markov", "popularity-count")
HEAD = ["data", "recipe", "HR@10 all", "NDCG@10 all", "HR@10 unseen", "NDCG@10 unseen", "+-", "coverage", "CPU s"]


def measure(connection, recipe, options):
    """{(metric, k, seen): (value, error)} and the CPU seconds, or the reason why the recipe cannot be trained."""
    connection.execute("INSERT OR REPLACE INTO personalize_solutions(name, recipe) VALUES (?, ?)", (recipe, recipe))
    begin = time.process_time()
    try:
        version, = connection.execute("SELECT personalize_train(?, ?)", (recipe, json.dumps(options))).fetchone()
    except support.sqlite3.Error as error:
        return None, str(error)
    seconds = time.process_time() - begin
    rows = connection.execute("SELECT metric, k, seen, value, standard_error FROM personalize_metrics WHERE version = ?", (version,))
    return {(metric, k, seen): (value, error) for metric, k, seen, value, error in rows}, seconds


def cells(rows, seconds):
    def value(metric, seen, place=0):
        found = rows.get((metric, 10, seen))
        return "" if found is None or found[place] is None else f"{found[place]:.4f}"
    ndcg = "normalized_discounted_cumulative_gain"
    coverage = [value for (metric, _, _), (value, _) in rows.items() if metric == "coverage"]
    return [value("hit_rate", "included"), value(ndcg, "included"), value("hit_rate", "excluded"), value(ndcg, "excluded"),
            value(ndcg, "excluded", 1), f"{coverage[0]:.3f}" if coverage else "", f"{seconds:.1f}"]


def table_rows(connection, title, recipes, options, note):
    rows = []
    for recipe in recipes:
        found, seconds = measure(connection, recipe, options)
        if found is None:
            note(f"  {recipe}: {seconds}")
            continue
        note(f"  {recipe}: {seconds:.1f} CPU s")
        rows.append([title, recipe, *cells(found, seconds)])
    return rows


def evaluation(protocol):
    return {"evaluation": protocol, "final_fit": False, "tie_order": "arrival"}


def of_data_set(data_set, path, title, events, note):
    with tempfile.TemporaryDirectory(prefix="personalize-recipes-") as folder:
        connection = support.connect(f"{folder}/recipes.db", isolation_level=None)
        metadata.load(connection, data_set, path, events)
        rows = table_rows(connection, title, RECIPES, evaluation(data_set.protocol), note)
        connection.close()
    return rows


def of_generated(name, note):
    data_set, events, tables, best = generated.make(name)
    with tempfile.TemporaryDirectory(prefix="personalize-recipes-") as folder:
        connection = support.connect(f"{folder}/recipes.db", isolation_level=None)
        metadata.insert_events(connection, data_set, events)
        for kind, fields in (("items", data_set.item_fields), ("users", data_set.user_fields)):
            if fields:
                metadata.declare(connection, kind, fields)
                connection.execute("BEGIN")
                metadata.insert(connection, kind, tables[kind])
                connection.execute("COMMIT")
        rows = table_rows(connection, data_set.title, GENERATED_RECIPES, evaluation(data_set.protocol), note)
        connection.close()
    return rows + [[data_set.title, "the best there can be", "", f"{best:.4f}", "", "", "", "", ""]]
