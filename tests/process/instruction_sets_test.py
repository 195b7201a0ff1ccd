"""The same training on each instruction set of this machine: what one set adds up in another order than
the next may change digits, not how good the lists are."""
import collections
import contextlib
import csv
import lzma
import os
import subprocess
import sys
import tempfile
import unittest

import personalize_test as support

FILMS = support.SOURCE / "examples/data/movietweetings/interactions.csv.xz"
ITEMS = 300  # the most watched ones
SETS = ("base", "v3", "v4", "v4bf16")

# Says which version it made, or nothing if the instruction set is not the one that was asked for.
TRAIN = """
import json, sys
import training_database
connection = training_database.open_again(sys.argv[1])
debug = json.loads(training_database.one(connection, "SELECT personalize_debug()"))
if debug["instruction_set"] == debug["instruction_set_asked_for"]:
    print(training_database.one(connection, "SELECT personalize_train('films', ?1)", sys.argv[2]), flush=True)
"""
OPTIONS = '{"seed": 3, "evaluation": "leave-one-out", "final_fit": false}'
NETWORK = '{"epochs": 4, "hidden_dimension": 64, "embedding_dimension": 64}'


def watched():
    """(user, item, value, time) of the films that were watched most, of users with three of them."""
    with lzma.open(FILMS, "rt") as file:
        rows = list(csv.DictReader(file))
    often = {item for item, _ in collections.Counter(row["ITEM_ID"] for row in rows).most_common(ITEMS)}
    rows = [row for row in rows if row["ITEM_ID"] in often]
    users = collections.Counter(row["USER_ID"] for row in rows)
    return [(row["USER_ID"], row["ITEM_ID"], float(row["EVENT_VALUE"]), int(row["TIMESTAMP"]))
            for row in rows if users[row["USER_ID"]] >= 3]


def make(path):
    connection = support.connect(path, isolation_level=None)
    connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO interactions(user_id, item_id, event_value, timestamp) "
                           "VALUES (?, ?, ?, ?)", watched())
    connection.execute("COMMIT")
    connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
                       "VALUES ('films', 'hrnn', ?1)", (NETWORK,))
    return connection


class InstructionSets(unittest.TestCase):
    def train(self, path, instruction_set):
        """The name of the version, or '' where this machine or this build has no such set."""
        done = subprocess.run([sys.executable, "-c", TRAIN, path, OPTIONS], capture_output=True, text=True,
                              env={**os.environ, "PERSONALIZE_ISA": instruction_set})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.strip()

    def test_are_equally_good(self):
        with tempfile.TemporaryDirectory(prefix="personalize-sets-") as folder:
            path = os.path.join(folder, "films.db")
            with contextlib.closing(make(path)) as connection:
                versions = {name: self.train(path, name) for name in SETS}
                reached = {name: connection.execute(
                    "SELECT value, standard_error, baseline FROM personalize_metrics "
                    "WHERE version = ?1 AND metric = 'normalized_discounted_cumulative_gain' AND k = 10 "
                    "AND seen = 'included'", (version,)).fetchone()
                    for name, version in versions.items() if version}
        value, error, popular = reached["base"]
        self.assertGreater(value, popular + 10 * error)  # or there is nothing to lose
        for name, (other, _, _) in reached.items():
            with self.subTest(instruction_set=name):
                # The users are the same, so what is left is less than who they happen to be would explain.
                self.assertLess(abs(other - value), error)


if __name__ == "__main__":
    unittest.main()
