"""A training that was killed and run again in a new process makes what an undisturbed one makes, to the
last bit: nothing of what the killed one did is left where the next could find it."""
import os
import subprocess
import sys
import tempfile
import unittest

import personalize_test as support
import training_database
from training_database import one, open_again

# Some seconds at the most, so that a kill at the first epochs that are seen comes in the middle.
NETWORK = '{"epochs": 400, "hidden_dimension": 32, "embedding_dimension": 16, "batch_size": 5}'
OPTIONS = '{"seed": 11, "evaluation": "none", "threads": %d}'

TRAIN = """
import sys
import training_database
connection = training_database.open_again(sys.argv[1])
print(training_database.one(connection, "SELECT personalize_train('net', ?1)", sys.argv[2]), flush=True)
"""


def start_training(path, threads):
    return subprocess.Popen([sys.executable, "-c", TRAIN, path, OPTIONS % threads],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def made(connection, version):
    """All that can be asked of a version, exactly as doubles: every user's score of every item, the
    similarities of items, the losses of its epochs and the size of its model."""
    return {
        "scores": connection.execute("SELECT user_id, rank, item_id, score FROM batch_recommend(1000) "
                                     "WHERE version = ?1 ORDER BY user_id, rank", (version,)).fetchall(),
        "similarities": [connection.execute("SELECT item_id, score FROM similar_items(?1, 1000) "
                                            "WHERE version = ?2", (item, version)).fetchall()
                         for item in ("0", "17", "100")],
        "losses": connection.execute("SELECT epoch, loss FROM personalize_training_log "
                                     "WHERE version = ?1 AND epoch IS NOT NULL ORDER BY epoch",
                                     (version,)).fetchall(),
        "bytes": one(connection, "SELECT model_bytes FROM personalize_versions WHERE version = ?1",
                     version)}


class KilledTraining(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="personalize-killed-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def make(self, name):
        path = os.path.join(self.folder, name)
        connection = training_database.make(path)
        self.addCleanup(connection.close)
        connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
                           "VALUES ('net', 'hrnn', ?1)", (NETWORK,))
        return path, connection

    def test_a_killed_one_keeps_no_question_from_an_answer_where_nothing_can_be_written(self):
        path, connection = self.make("full.db")
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
        child = start_training(path, threads=1)
        training_database.wait_for(lambda: one(
            connection, "SELECT count(*) FROM personalize_versions WHERE version = 'net/1'"))
        child.kill()
        child.communicate()
        # Python ignores SIGXFSZ: what is over the limit fails as on a full disk.
        ask = ("import resource, sys, training_database as t\n"
               "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
               "print(t.one(t.open_again(sys.argv[1]), \"SELECT count(*) FROM recommend('1', 5) "
               "WHERE version = 'quick/1'\"))")
        done = subprocess.run([sys.executable, "-c", ask, path], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("5\n", ""))

    def test_a_second_run_makes_what_an_undisturbed_one_makes(self):
        path, connection = self.make("killed.db")
        child = start_training(path, threads=2)
        training_database.wait_for(lambda: one(
            connection, "SELECT max(epoch) FROM personalize_training_log WHERE version = 'net/1'"))
        child.kill()
        child.communicate()
        self.assertEqual(connection.execute("SELECT version, status, failure_reason "
                                            "FROM personalize_versions").fetchall(),
                         [("net/1", "CREATE FAILED", "the process that trained it ended")])

        again = start_training(path, threads=2)
        output, errors = again.communicate()
        self.assertEqual((output, errors), ("net/2\n", ""))
        undisturbed = self.make("undisturbed.db")[1]
        self.assertEqual(one(undisturbed, "SELECT personalize_train('net', ?1)", OPTIONS % 1), "net/1")
        second, first = made(open_again(path), "net/2"), made(undisturbed, "net/1")
        self.assertEqual(len(first["scores"]), 60 * 101)
        self.assertEqual(len(first["losses"]), 400)
        for what, value in first.items():
            self.assertEqual(second[what], value, what)


if __name__ == "__main__":
    unittest.main()
