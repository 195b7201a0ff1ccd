"""The day in SQL, as the design and the README promise it, in the plain sqlite3 shell on ML-100K."""
import pathlib
import tempfile
import time
import unittest

import personalize_test as support

# What the day takes for granted: the application's own tables.
BUSINESS = """
CREATE TABLE products(id INTEGER PRIMARY KEY, stock INTEGER);
INSERT INTO products WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1682)
  SELECT i, i % 3 FROM n;
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO customers VALUES (1, 'Ada'), (42, 'Grace'), (943, 'Edsger');
"""

DECLARE = """
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int, GENDER string categorical, OCCUPATION string categorical);
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string, GENRES string categorical);
"""

IMPORT = """
SELECT personalize_import('interactions', 'interactions.csv');      -- by column name, one transaction, JSON summary
SELECT personalize_import('users', 'users.csv');
SELECT personalize_import('items', 'items.csv');
"""

TRAIN = """
INSERT INTO personalize_solutions(name, recipe) VALUES ('movies', 'hrnn');
SELECT personalize_train('movies');                       -- 'movies/1', one progress line on a terminal
SELECT metric, k, value, baseline FROM personalize_metrics WHERE version = 'movies/1';

INSERT INTO personalize_campaigns(name, version, min_provisioned_tps, max_tps) VALUES ('home', 'movies/latest', 10, 500);
"""

RECOMMEND = "SELECT r.rank, i.title, r.score FROM recommend('42', 10) r JOIN items i USING (item_id);"
RANK = "SELECT item_id, score FROM rank('42', json_array('50', '98', '100', '86', '70'));"
SIMILAR = "SELECT item_id, score FROM similar_items('1', 5);"
IN_STOCK = "SELECT item_id FROM recommend('42', 10) WHERE among IN (SELECT id FROM products WHERE stock > 0);"
SCORE = "SELECT p.* FROM products p ORDER BY personalize_score('42', p.id) DESC LIMIT 20;"
REPORT = "SELECT c.name, r.item_id FROM customers c, recommend(c.id, 3) r;    -- a report"
EVENT = ("INSERT INTO interactions(user_id, item_id, event_type, timestamp) "
         "VALUES ('42', '50', 'click', unixepoch());")


class Day(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data = support.require_shared_data()
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-day-")
        for name in ("interactions", "users", "items"):
            pathlib.Path(cls.folder.name, name + ".csv").symlink_to(data / "ml-100k" / (name + ".csv"))
        cls.trained = cls.run_shell(BUSINESS + DECLARE + IMPORT + TRAIN)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        time.sleep(1.1)  # the campaign's burst is a second of its 10 TPS; the tests ask more together

    @classmethod
    def run_shell(cls, sql):
        code, printed = support.shell(sql, "day.db", cwd=cls.folder.name, timeout=550)
        if code != 0 or "rror" in printed:
            raise AssertionError(printed)
        return printed.splitlines()

    def rows(self, sql):
        return [line.split("|") for line in self.run_shell(sql)]

    def test_a_training_answers_with_the_versions_name_and_leaves_metrics(self):
        self.assertIn("movies/1", self.trained)
        ndcg = [line.split("|") for line in self.trained
                if line.startswith("normalized_discounted_cumulative_gain|10|")]
        self.assertTrue(ndcg)
        for _, _, value, baseline in ndcg:
            self.assertGreater(float(value), float(baseline))

    def test_recommendations_join_with_the_items(self):
        rows = self.rows(RECOMMEND)
        self.assertEqual([row[0] for row in rows], [str(rank) for rank in range(1, 11)])
        scores = [float(row[-1]) for row in rows]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertTrue(all(row[1] for row in rows))

    def test_a_list_is_reordered(self):
        self.assertEqual({row[0] for row in self.rows(RANK)}, {"50", "98", "100", "86", "70"})

    def test_similar_items_leave_out_the_item_itself(self):
        rows = self.rows(SIMILAR)
        self.assertEqual(len(rows), 5)
        self.assertNotIn("1", [row[0] for row in rows])

    def test_only_what_is_in_stock(self):
        rows = self.rows(IN_STOCK)
        self.assertEqual(len(rows), 10)
        self.assertTrue(all(int(row[0]) % 3 > 0 for row in rows))

    def test_scores_order_a_business_table(self):
        best = [row[0] for row in self.rows(SCORE)]
        self.assertEqual(len(best), 20)
        self.assertEqual(best, [row[0] for row in self.rows("SELECT item_id FROM recommend('42', 20)")])

    def test_a_report_asks_for_every_customer(self):
        rows = self.rows(REPORT)
        self.assertEqual([row[0] for row in rows], ["Ada"] * 3 + ["Grace"] * 3 + ["Edsger"] * 3)

    def test_the_whole_day_runs_in_one_session(self):
        session = "\n".join([RECOMMEND, RANK, SIMILAR, IN_STOCK, SCORE, REPORT, "BEGIN;", EVENT, RECOMMEND, "ROLLBACK;"])
        self.assertEqual(len(self.run_shell(session)), 10 + 5 + 5 + 10 + 20 + 9 + 10)

    def test_the_next_question_has_seen_a_new_event_and_a_rollback_takes_it_back(self):
        question = "SELECT group_concat(item_id || ' ' || score, ',') FROM recommend('42', 10);"
        before, inside, after = self.run_shell(
            question + "BEGIN;" + EVENT + question + "ROLLBACK;" + question)
        self.assertNotEqual(inside, before)
        self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()
