"""A version counts as the latest for everybody as soon as its training has ended, however long the disk took
over its last write."""
import os
import subprocess
import tempfile
import unittest

import personalize_test as support
import training_database
from training_database import one

ASK = "SELECT count(*) FROM recommend('1', 1000, 'home') WHERE item_id = 'brand new'"
TRAIN = "SELECT personalize_train('quick', '{\"evaluation\": \"none\"}')"


def slowly(*command):
    """Runs a program each of whose writes takes a tenth of a second after others can see it."""
    # A sanitizer's runtime is for the program, not for strace.
    environment = support.host_environment()
    preload = environment.pop("LD_PRELOAD", None)
    return subprocess.Popen(["strace", "-qq", "-f", "-o", os.devnull, "-e", "trace=pwrite64",
                             "-e", "inject=pwrite64:delay_exit=100000",
                             *(["-E", f"LD_PRELOAD={preload}"] if preload else []), *command],
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class LatestVersion(unittest.TestCase):
    def test_who_asks_while_a_version_is_being_synced_gets_it_afterwards(self):
        if subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
            raise unittest.SkipTest("needs strace, and leave to trace")
        with tempfile.TemporaryDirectory(prefix="personalize-latest-") as folder:
            path = os.path.join(folder, "shop.db")
            database = training_database.make(path, events=1000)
            one(database, TRAIN)
            database.execute("INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) "
                             "VALUES ('home', 'quick/latest', 1000000)")
            database.execute("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('1', 'brand new', 1700000000)")
            self.assertEqual(one(database, ASK), 0)
            training = slowly("sqlite3", "-batch", "-init", "/dev/null", "-cmd", ".load " + support.EXTENSION, path, TRAIN)
            while training.poll() is None:
                one(database, ASK)
            self.assertEqual(training.communicate(), ("quick/2\n", ""))
            self.assertEqual(one(database, ASK), 1)
            database.close()


if __name__ == "__main__":
    unittest.main()
