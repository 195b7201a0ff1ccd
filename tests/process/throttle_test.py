"""A campaign's rate over several processes. personalize_usage says how many requests were admitted, a killed
process's too."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import personalize_test as support

SECONDS = 10
TPS = 100

ASKING = """
import sqlite3, sys, time
import personalize_test as support
database = support.connect(sys.argv[1], timeout=60)
end = float(sys.argv[2])
while time.monotonic() < end:
    try:
        database.execute("SELECT item_id FROM recommend('u1', 3, 'home')").fetchall()
    except sqlite3.OperationalError as error:
        if "ThrottlingException" not in str(error):
            raise
        time.sleep(0.0005)
"""


class Throttle(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="personalize-throttle-")
        self.addCleanup(self.folder.cleanup)
        self.path = str(pathlib.Path(self.folder.name) / "shop.db")
        self.database = support.connect(self.path, isolation_level=None)
        self.database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        self.database.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)",
                                  [(f"u{n % 9}", f"i{n % 7}", n) for n in range(200)])
        self.database.execute("INSERT INTO personalize_solutions(name, recipe) VALUES ('top', 'popularity-count')")
        self.database.execute("SELECT personalize_train('top', '{\"evaluation\":\"none\"}')").fetchall()

    def campaign(self, tps, maximum=None, on_throttle="error", burst=1.0):
        self.database.execute(
            "INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps, on_throttle, config)"
            " VALUES ('home', 'top/latest', ?, ?, ?, ?)",
            (tps, maximum or tps, on_throttle, '{"burst_seconds": %s}' % burst))

    def ask(self, user="u1", where=""):
        return self.database.execute(f"SELECT item_id FROM recommend(?, 3, 'home') {where}", (user,)).fetchall()

    def use_up_the_burst(self):
        with self.assertRaisesRegex(sqlite3.OperationalError, "ThrottlingException"):
            while True:
                self.ask()

    def served(self):
        return self.database.execute(
            "SELECT sum(served) FROM personalize_usage WHERE campaign = 'home'").fetchone()[0]

    def run_four(self, meanwhile=lambda processes: None):
        """What four processes that ask all the time are given in SECONDS, after the burst is used up."""
        self.use_up_the_burst()
        before, start = self.served(), time.monotonic()
        processes = [subprocess.Popen([sys.executable, "-c", ASKING, self.path, str(start + SECONDS)],
                                      env=support.host_environment()) for _ in range(4)]
        meanwhile(processes)
        codes = [process.wait(timeout=120) for process in processes]
        # The last request of a process may have begun a moment after the end.
        return codes, self.served() - before

    def test_four_processes_are_given_what_the_campaign_has(self):
        self.campaign(TPS)
        codes, served = self.run_four()
        self.assertEqual(codes, [0] * 4)
        self.assertAlmostEqual(served, SECONDS * TPS, delta=0.02 * SECONDS * TPS)

    def test_a_killed_and_a_stopped_process_change_nothing(self):
        self.campaign(TPS)

        def disturb(processes):
            time.sleep(3)
            processes[0].kill()
            os.kill(processes[1].pid, signal.SIGSTOP)
            time.sleep(3)
            os.kill(processes[1].pid, signal.SIGCONT)

        codes, served = self.run_four(disturb)
        self.assertEqual(codes, [-signal.SIGKILL, 0, 0, 0])
        self.assertAlmostEqual(served, SECONDS * TPS, delta=0.02 * SECONDS * TPS)

    def test_the_message_says_whose_limit_it_is_and_when_the_next_slot_is(self):
        self.campaign(10)
        with self.assertRaisesRegex(
                sqlite3.OperationalError,
                r"^ThrottlingException: campaign 'home' is over its 10 TPS; next slot in \d+ ms \("):
            for _ in range(30):
                self.ask()

    def test_usage_counts_what_was_answered_and_what_was_refused(self):
        self.campaign(2)
        usage = "SELECT campaign, sum(served), sum(throttled), max(capacity_tps) FROM personalize_usage GROUP BY campaign"
        self.assertEqual(self.database.execute(usage).fetchall(), [("home", 0, 0, 2)])
        answered = 0
        with self.assertRaisesRegex(sqlite3.OperationalError, "ThrottlingException"):
            while True:
                self.ask()
                answered += 1
        other = support.connect(self.path)
        self.addCleanup(other.close)
        self.assertEqual(other.execute(usage).fetchall(), [("home", answered, 1, 2)])

    def test_a_wrong_argument_costs_no_slot_and_neither_does_a_version(self):
        self.campaign(1, burst=0)
        self.ask()
        before = self.served()
        for wrong in ("recommend('', 3, 'home')", "recommend('u1', 2.5, 'home')", "rank('u1', '[', 'home')",
                      "recommend('u1', 3, 'home') WHERE version = 'top/1'"):
            with self.assertRaises(sqlite3.OperationalError):
                self.database.execute(f"SELECT * FROM {wrong}").fetchall()
        for _ in range(20):
            self.database.execute("SELECT * FROM recommend('u1', 3) WHERE version = 'top/1'").fetchall()
            self.database.execute("SELECT * FROM batch_recommend(3)").fetchall()
        self.assertEqual(self.served(), before)

    def test_one_request_is_one_distinct_question_of_a_cursor(self):
        self.campaign(1000)
        self.ask()
        before = self.served()
        self.database.execute(
            "SELECT count(*) FROM interactions e, recommend(e.user_id, 2, 'home') r").fetchall()
        self.assertEqual(self.served() - before, 9, "nine users, 200 events")
        before = self.served()
        self.database.execute("SELECT sum(personalize_score(user_id, item_id, 'home')) FROM interactions").fetchall()
        self.assertEqual(self.served() - before, 9)
        before = self.served()
        self.database.execute("SELECT sum(personalize_score('u1', item_id, 'home')) FROM interactions").fetchall()
        self.assertEqual(self.served() - before, 1)

    def test_with_wait_a_question_waits_its_turn_and_can_be_interrupted(self):
        self.campaign(20, on_throttle="wait", burst=0)
        start = time.monotonic()
        for _ in range(11):
            self.ask()
        self.assertGreaterEqual(time.monotonic() - start, 0.5)
        self.database.execute("UPDATE personalize_campaigns SET min_provisioned_tps = 1, max_tps = 1")
        other = support.connect(self.path, check_same_thread=False)
        threading.Timer(0.3, other.interrupt).start()
        with self.assertRaisesRegex(sqlite3.OperationalError, "interrupted"):
            for _ in range(5):
                other.execute("SELECT * FROM recommend('u1', 3, 'home')").fetchall()

    def test_where_no_file_can_be_made_the_limit_holds_in_the_process(self):
        rate = pathlib.Path(self.path + ".personalize") / "rate"
        rate.unlink(missing_ok=True)
        rate.mkdir()
        self.campaign(10)
        self.use_up_the_burst()
        other = support.connect(self.path)
        with self.assertRaisesRegex(sqlite3.OperationalError, "ThrottlingException"):
            for _ in range(3):
                other.execute("SELECT * FROM recommend('u1', 3, 'home')").fetchall()


if __name__ == "__main__":
    unittest.main()
