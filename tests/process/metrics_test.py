"""What personalize_metrics promises is what recommend() serves: the lists are asked for in SQL and judged here."""
import math
import tempfile
import unittest

import personalize_test as support
from training_database import one

USERS, ITEMS, EVENTS = 150, 70, 25
METRICS = {"mean_reciprocal_rank": lambda rank: 1 / rank if rank else 0,
           "normalized_discounted_cumulative_gain": lambda rank: 1 / math.log2(1 + rank) if rank else 0,
           "precision": lambda rank: 1 / 25 if rank else 0,
           "hit_rate": lambda rank: 1 if rank else 0}


def walks():
    """(user, item, time): items tend to follow one another, and some come again."""
    random = 12345
    for user in range(USERS):
        item = user % ITEMS
        for event in range(EVENTS):
            random = (random * 1103515245 + 12345) % 2**31
            step = random >> 16
            item = (item + 1 + step % 3) % ITEMS if step % 4 else step // 4 % ITEMS
            yield f"user {user}", f"item {item}", 1_700_000_000 + 60 * event + user


class MetricsOfServedLists(unittest.TestCase):
    def test_they_are_what_the_table_says(self):
        with tempfile.TemporaryDirectory() as folder:
            connection = support.connect(f"{folder}/lists.db", isolation_level=None)
            connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)", walks())
            connection.execute("COMMIT")
            connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES "
                               "('deep', 'hrnn', '{\"epochs\": 3}'), ('chain', 'markov', NULL)")
            versions = [one(connection, "SELECT personalize_train(?, ?)", solution,
                            f'{{"evaluation": "{evaluation}", "final_fit": false}}')
                        for solution in ("deep", "chain") for evaluation in ("leave-one-out", "leave-last-two-out")]

            # What is asked must not be known when it is asked.
            connection.execute("CREATE TEMP TABLE asked AS SELECT user_id, item_id, max(timestamp) AS timestamp "
                               "FROM interactions GROUP BY user_id")
            connection.execute("DELETE FROM interactions WHERE (user_id, timestamp) IN (SELECT user_id, timestamp FROM asked)")
            self.assertEqual(one(connection, "SELECT count(*) FROM interactions"), USERS * (EVENTS - 1))
            for version in versions:
                for seen in ("included", "excluded"):
                    with self.subTest(version=version, seen=seen):
                        self.check(connection, version, seen)

    def check(self, connection, version, seen):
        ranks = [rank for rank, in connection.execute(
            "SELECT (SELECT rank FROM recommend(a.user_id, 25) r WHERE r.version = ?1 AND r.excluding = iif(?2 = 'excluded', "
            "  (SELECT json_group_array(item_id) FROM interactions i WHERE i.user_id = a.user_id), '[]') "
            "  AND r.item_id = a.item_id) FROM asked a", (version, seen))]
        self.assertEqual(len(ranks), USERS)
        self.assertGreater(sum(rank is not None for rank in ranks), USERS // 4)
        for metric, value_of in METRICS.items():
            values = [value_of(rank) for rank in ranks]
            mean = sum(values) / USERS
            deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (USERS - 1))
            told, error = connection.execute("SELECT value, standard_error FROM personalize_metrics "
                                             "WHERE version = ? AND metric = ? AND k = 25 AND seen = ?",
                                             (version, metric, seen)).fetchone()
            self.assertAlmostEqual(told, mean, 9, metric)
            self.assertAlmostEqual(error, deviation / math.sqrt(USERS), 9, metric)


if __name__ == "__main__":
    unittest.main()
