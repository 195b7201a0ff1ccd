"""batch_recommend and user_segment over many blocks of users, of which one is read while the one before it
is scored: in order, as single questions are answered, errors in their place, and no thread left behind."""
import os
import pathlib
import random
import tempfile
import threading
import time
import unittest

import personalize_test as support

USERS, ITEMS = 1_500, 40


def events():
    """(user, item, timestamp): a few of each user, whoever comes first is user 0."""
    chance = random.Random(1)
    for user in range(USERS):
        first = chance.randrange(ITEMS)
        for n in range(2 + user % 7):
            yield f"u{user}", f"i{(first + n * (1 + user % 3)) % ITEMS}", 1_600_000_000 + user * 60 + n


def threads():
    return len(os.listdir("/proc/self/task"))


def threads_but_for_ended_ones(expected):
    """The system lists a thread for a moment after it was joined."""
    deadline = time.monotonic() + 10
    while threads() != expected and time.monotonic() < deadline:
        time.sleep(0.001)
    return threads()


class Batch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-batch-")
        cls.path = str(pathlib.Path(cls.folder.name) / "shop.db")
        database = support.connect(cls.path)
        database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        with database:
            database.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)", events())
        database.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES ('net', 'hrnn', ?)",
                         ('{"epochs": 1, "hidden_dimension": 32}',))
        database.commit()
        database.execute("SELECT personalize_train('net', '{\"evaluation\":\"none\"}')").fetchall()
        database.close()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.database = support.connect(self.path)

    def tearDown(self):
        self.database.rollback()
        self.database.close()

    def batch(self, rest=""):
        return self.database.execute(f"SELECT user_id, item_id, score FROM batch_recommend(3) {rest}")

    def damage(self, user):
        """Until the rollback, reading the events of this user fails."""
        self.database.execute("BEGIN")
        self.database.execute("UPDATE interactions_event SET ITEM_ID = 0 WHERE USER_ID >> 32 = "
                              "(SELECT code FROM interactions_user WHERE id = ?)", (user,))

    def test_every_user_comes_once_in_order_with_the_answer_to_a_single_question(self):
        rows = self.batch().fetchall()
        self.assertEqual([row[0] for row in rows], [f"u{user}" for user in range(USERS) for _ in range(3)])
        for user in range(0, USERS, 7):
            for (_, item, score), (single_item, single_score) in zip(
                    rows[3 * user:], self.database.execute("SELECT item_id, score FROM recommend(?, 3)", (f"u{user}",))):
                self.assertEqual(item, single_item)
                self.assertAlmostEqual(score, single_score, delta=1e-5 * single_score)

    def test_a_segment_holds_the_users_whose_single_questions_give_the_item_most(self):
        scores = [(self.database.execute("SELECT personalize_score(?, 'i7')", (f"u{user}",)).fetchone()[0], -user)
                  for user in range(USERS)]
        best = [f"u{-user}" for _, user in sorted(scores, reverse=True)[:20]]
        self.assertEqual([row[0] for row in self.database.execute("SELECT user_id FROM user_segment('i7', 20)")], best)

    def test_no_thread_is_left_while_the_host_has_a_row(self):
        before = threads()
        for row, _ in enumerate(self.batch()):
            if row % 20 == 0:
                self.assertEqual(threads_but_for_ended_ones(before), before)

    def test_users_before_the_one_whose_events_cannot_be_read_are_answered(self):
        for user in (40, 200, 700, USERS - 1):
            self.damage(f"u{user}")
            rows = []
            with self.assertRaisesRegex(support.sqlite3.DatabaseError, "changed by hand"):
                for row in self.batch():
                    rows.append(row)
            self.assertGreater(len(rows), 3 * user / 4)
            self.assertLessEqual(len(rows), 3 * user)
            with self.assertRaisesRegex(support.sqlite3.DatabaseError, "changed by hand"):
                self.database.execute("SELECT * FROM user_segment('i7', 20)").fetchall()
            self.database.rollback()
        self.assertEqual(len(self.batch().fetchall()), 3 * USERS)

    def test_a_limit_does_not_read_far_beyond_it(self):
        self.damage("u20")
        self.assertEqual(len(self.batch("LIMIT 5").fetchall()), 5)
        self.database.rollback()
        self.damage("u400")
        self.assertEqual(len(self.batch("LIMIT 300").fetchall()), 300)

    def test_an_interrupt_ends_a_batch_at_any_moment_and_leaves_nothing(self):
        rows = self.batch().fetchall()
        before = threads()
        interrupted = 0
        for step in range(1, 16):
            timer = threading.Timer(step * 0.002, self.database.interrupt)
            timer.start()
            try:
                self.assertEqual(self.batch().fetchall(), rows)
            except support.sqlite3.OperationalError as error:
                self.assertIn("interrupt", str(error))
                interrupted += 1
            timer.join()
            self.assertEqual(threads_but_for_ended_ones(before), before)
        self.assertGreater(interrupted, 0)
        self.assertEqual(self.batch().fetchall(), rows)


if __name__ == "__main__":
    unittest.main()
