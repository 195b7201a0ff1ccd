"""personalize_usage: what was asked of each campaign by the hour, over several processes, hours that have gone by,
and files that are not what they should be; and the bill that personalize_cost makes of it."""
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import personalize_test as support

SLOT = 512  # doc/file_format.md
KINDS = ["recommend", "rank", "similar", "score", "explain", "segment", "batch"]
BUCKETS = 122

ASKING = """
import sys
import personalize_test as support
database = support.connect(sys.argv[1], timeout=60)
for number in range(int(sys.argv[2])):
    database.execute("SELECT item_id FROM recommend(?, 3, 'home')", (f"u{number % 9}",)).fetchall()
    database.execute("SELECT item_id FROM rank('u1', '[\\"i1\\", \\"i2\\"]', 'home')").fetchall()
if len(sys.argv) > 3:
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


def slot(hour, campaign, kind, throttled, latencies):
    counts = [0] * BUCKETS
    for bucket, count in latencies.items():
        counts[bucket] = count
    return struct.pack(f"<QQQ{BUCKETS}I", 0x55 << 56 | hour << 8 | KINDS.index(kind), campaign, throttled, *counts)


class Usage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="personalize-usage-")
        self.addCleanup(self.folder.cleanup)
        self.path = str(pathlib.Path(self.folder.name) / "shop.db")
        self.file = pathlib.Path(self.path + ".personalize") / "usage"
        self.database = self.connect()
        self.database.execute("BEGIN")
        self.database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        self.database.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)",
                                  [(f"u{n % 9}", f"i{n % 7}", n) for n in range(200)])
        self.database.execute("INSERT INTO personalize_solutions(name, recipe) VALUES ('top', 'popularity-count')")
        self.database.execute("COMMIT")
        self.database.execute("SELECT personalize_train('top', '{\"evaluation\":\"none\"}')").fetchall()
        self.database.execute("INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) "
                              "VALUES ('home', 'top/latest', 2), ('mail', 'top/latest', 1)")

    def connect(self):
        database = support.connect(self.path, isolation_level=None)
        self.addCleanup(database.close)
        return database

    def rows(self, columns="campaign, kind, served, throttled", where="served > 0"):
        return self.database.execute(f"SELECT {columns} FROM personalize_usage WHERE {where}").fetchall()

    def totals(self):
        return self.database.execute("SELECT campaign, kind, sum(served), sum(throttled) FROM personalize_usage "
                                     "WHERE served > 0 GROUP BY campaign, kind").fetchall()

    def write(self, *slots):
        self.file.write_bytes(struct.pack("<8sQ", b"p_usage1", 1).ljust(SLOT, b"\0") + b"".join(slots))

    def test_each_question_is_counted_under_its_kind(self):
        for question in ("recommend('u1', 3, 'home')", "rank('u1', '[\"i1\"]', 'home')",
                         "similar_items('i1', 3, 'home')", "recommend('u1', 3) WHERE version = 'top/1'",
                         "batch_recommend(3, 'top/1')", "user_segment('i1', 3, 'top/1')", "explain('u1', 'i1', 'mail')"):
            self.database.execute(f"SELECT * FROM {question}").fetchall()
        self.database.execute("SELECT personalize_score(user_id, 'i1', 'mail') FROM interactions").fetchall()
        self.assertEqual(sorted(self.totals(), key=str), sorted([
            (None, "batch", 1, 0), (None, "recommend", 1, 0), (None, "segment", 1, 0), ("home", "rank", 1, 0),
            ("home", "recommend", 1, 0), ("home", "similar", 1, 0), ("mail", "explain", 1, 0),
            ("mail", "score", 9, 0)], key=str))
        for p50, p99, tps in self.rows("p50_us, p99_us, tps"):
            self.assertTrue(0 < p50 <= p99 and tps > 0, (p50, p99, tps))

    def test_processes_that_count_at_once_lose_nothing_nor_does_a_killed_one(self):
        each, processes = 300, []
        for number in range(4):
            command = [sys.executable, "-c", ASKING, self.path, str(each)] + (["kill"] if number == 0 else [])
            processes.append(subprocess.Popen(command, env=support.host_environment()))
        codes = [process.wait(timeout=120) for process in processes]
        self.assertEqual(codes, [-9, 0, 0, 0])
        self.assertEqual(self.totals(), [("home", "rank", 4 * each, 0), ("home", "recommend", 4 * each, 0)])

    def test_the_hours_that_have_gone_by_are_shown_as_they_were_counted(self):
        hour = 1_700_000_000 // 3600  # 2023-11-14 22:00
        # Bucket 25: 16,384 to 20,480 ns; bucket 33: 65,536 to 81,920 ns.
        self.write(slot(hour + 1, 1, "recommend", 4, {25: 98, 33: 2}), slot(hour, 1, "rank", 0, {25: 7200}),
                   slot(hour, 2, "score", 1, {}), slot(hour, 77, "recommend", 0, {25: 1}), slot(hour, 0, "batch", 0, {33: 1}))
        self.assertEqual(
            self.rows("hour, campaign, kind, served, throttled, tps, p50_us, p99_us, capacity_tps", "hour IS NOT NULL"),
            [("2023-11-14 22:00", None, "batch", 1, 0, 1 / 3600, 73.7, 81.8, None),
             ("2023-11-14 22:00", "home", "rank", 7200, 0, 2.0, 18.4, 20.4, None),
             ("2023-11-14 22:00", "mail", "score", 0, 1, 0.0, None, None, None),
             ("2023-11-14 22:00", "#77", "recommend", 1, 0, 1 / 3600, 18.4, 20.4, None),
             ("2023-11-14 23:00", "home", "recommend", 100, 4, 100 / 3600, 18.5, 73.7, None)])
        self.assertEqual(self.database.execute("SELECT campaign, sum(served) FROM personalize_usage GROUP BY campaign")
                         .fetchall(), [(None, 1), ("#77", 1), ("home", 7300), ("mail", 0)])

    def test_the_rows_of_a_deleted_campaign_stay_under_its_number(self):
        self.database.execute("SELECT * FROM recommend('u1', 3, 'mail')").fetchall()
        self.database.execute("DELETE FROM personalize_campaigns WHERE name = 'mail'")
        self.database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('mail', 'top/latest')")
        self.assertEqual(self.totals(), [("#2", "recommend", 1, 0)])
        self.assertEqual(self.rows("campaign, served, capacity_tps", "hour IS NULL"), [("home", 0, 2), ("mail", 0, 1)])

    def test_the_bill_counts_each_hour_at_the_minimum_or_the_mean(self):
        now = int(time.time()) // 3600
        self.write(slot(now - 9, 1, "recommend", 0, {25: 7200}), slot(now - 9, 1, "rank", 0, {25: 3600}),  # 3 TPS, not 2
                   slot(now - 5, 1, "rank", 0, {25: 5}), slot(now - 3, 0, "batch", 0, {25: 999_999}),
                   slot(now - 9, 9, "recommend", 0, {25: 10}), slot(now - 7, 9, "recommend", 0, {25: 10}))  # deleted
        before = int(time.time()) // 3600
        hours = self.database.execute("SELECT quantity, usd FROM personalize_cost() WHERE unit = 'TPS-hour'").fetchone()
        after = int(time.time()) // 3600
        home = [3] + [2] * 9
        gone = [1, 1, 1]
        self.assertIn(round(hours[0], 9), [sum(home) + sum(gone) + 2 * (late - now) for late in (before, after)])
        self.assertAlmostEqual(hours[1], hours[0] * 0.2)

    def test_a_file_that_is_none_is_no_usage_and_is_made_anew(self):
        self.database.execute("SELECT * FROM recommend('u1', 3, 'home')").fetchall()
        for content in (b"", b"p_usage1", b"\0" * 100_000, os.urandom(70_000)):
            self.file.write_bytes(content)
            self.assertEqual(self.totals(), [])
            self.assertEqual(self.connect().execute("SELECT count(*) FROM recommend('u1', 3, 'home')").fetchone(), (3,))
            self.assertEqual(self.totals(), [("home", "recommend", 1, 0)])

    def test_junk_behind_a_sound_header_does_no_harm(self):
        choose = random.Random(8)
        for _ in range(5):
            slots = [struct.pack("<Q", 0x55 << 56 | choose.getrandbits(choose.choice((8, 32, 48))) << choose.choice((0, 8)) & (1 << 56) - 1)
                     + choose.randbytes(SLOT - 8) for _ in range(300)]
            self.write(*slots)
            self.assertGreater(len(self.rows("*", "true")), 0)
            self.assertEqual(len(self.database.execute("SELECT * FROM personalize_cost()").fetchall()), 3)
            self.database.execute("SELECT * FROM rank('u1', '[\"i1\"]', 'home')").fetchall()

    @unittest.skipIf(os.geteuid() != 0, "needs another user to be kept out")
    def test_who_may_not_write_is_answered_and_reads_what_was_counted(self):
        self.database.execute("SELECT * FROM recommend('u1', 3, 'home')").fetchall()
        os.chmod(self.folder.name, 0o755)
        reading = ("import os, sys; os.setuid(65534); import personalize_test as support\n"
                   "database = support.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n"
                   "database.execute(\"SELECT * FROM recommend('u1', 3, 'home')\").fetchall()\n"
                   "print(database.execute(\"SELECT campaign, kind, sum(served) FROM personalize_usage \"\n"
                   "                       \"WHERE served > 0\").fetchall())")
        done = subprocess.run([sys.executable, "-c", reading, self.path], capture_output=True, text=True, timeout=60,
                              env=support.host_environment())
        self.assertEqual((done.stdout, done.stderr), ("[('home', 'recommend', 2)]\n", ""))
        self.assertEqual(self.totals(), [("home", "recommend", 1, 0)], "it counted for itself")


if __name__ == "__main__":
    unittest.main()
