"""What personalize_estimate says beside what a process then takes, and what a refusal leaves."""
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import personalize_test as support
import training_database
from training_database import one

# Prints how many bytes a training of the solution argv[2] adds to the process at its peak.
MEASURE = """
import sys
import training_database

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

connection = training_database.open_again(sys.argv[1])
connection.execute("SELECT count(*) FROM personalize_versions").fetchall()
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = status("VmRSS")
training_database.one(connection, "SELECT personalize_train(?1, ?2)", sys.argv[2], sys.argv[3])
print(status("VmHWM") - before)
"""

SOLUTIONS = {
    "top": ("popularity-count", None),
    "chain": ("markov", None),
    "near": ("sims", None),
    "movies": ("hrnn", '{"epochs": 1, "hidden_dimension": 32, "embedding_dimension": 32}'),
}


class Estimate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "shop.db")

    def make(self, users, items, events):
        """Users whose items are drawn with a preference for small numbers."""
        connection = training_database.make(self.path, users=1, events=1)
        self.addCleanup(connection.close)
        draw = random.Random(1)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)",
            ((i * users // events, int(items * draw.random() ** 2), i) for i in range(events)))
        connection.execute("COMMIT")
        for name, (recipe, hyperparameters) in SOLUTIONS.items():
            connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
                               "VALUES (?, ?, ?)", (name, recipe, hyperparameters))
        return connection

    @unittest.skipIf(os.environ.get("PERSONALIZE_PRELOAD"), "a sanitizer's memory is not ours")
    def test_no_training_takes_more_bytes_than_it_was_said_to(self):
        connection = self.make(users=2000, items=1500, events=60_000)
        for name in SOLUTIONS:
            for options in '{"evaluation": "none"}', '{"evaluation": "leave-one-out"}':
                with self.subTest(solution=name, options=options):
                    estimate = one(connection, "SELECT bytes FROM personalize_estimate(?, ?)",
                                   name, options)
                    taken = int(subprocess.run(
                        [sys.executable, "-c", MEASURE, self.path, name, options],
                        check=True, capture_output=True, text=True).stdout)
                    self.assertLessEqual(taken, estimate)

    def test_a_refused_training_leaves_no_version_and_takes_no_number(self):
        connection = training_database.make(self.path)
        self.addCleanup(connection.close)
        connection.execute("INSERT INTO personalize_settings VALUES ('max_training_memory', '1 MB')")
        with self.assertRaisesRegex(
                sqlite3.OperationalError,
                "^LimitExceededException: personalize_train: training 'quick' with markov on 3000 "
                "interactions of 60 users and 101 items would take up to [0-9.]+ MB of memory, and "
                "max_training_memory is 1.0 MB; "):
            connection.execute("SELECT personalize_train('quick')")
        for table in "personalize_versions", "personalize_training_log", "personalize_metrics":
            self.assertEqual(0, one(connection, f"SELECT count(*) FROM {table}"))
        connection.execute("UPDATE personalize_settings SET value = '1 GB'")
        self.assertEqual("quick/1", one(connection, "SELECT personalize_train('quick')"))

    def test_it_can_be_interrupted(self):
        connection = training_database.make(self.path)
        self.addCleanup(connection.close)
        connection.set_progress_handler(lambda: 1, 1000)
        with self.assertRaisesRegex(sqlite3.OperationalError, "interrupted"):
            connection.execute("SELECT * FROM personalize_estimate('slow')").fetchall()
        connection.set_progress_handler(None, 0)
        self.assertEqual(3000, one(connection, "SELECT events FROM personalize_estimate('slow')"))


if __name__ == "__main__":
    unittest.main()
