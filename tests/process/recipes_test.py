"""What every recipe must do, whatever it learns: one suite over all of personalize_recipes."""
import math
import os
import pathlib
import random
import tempfile
import threading
import time
import unittest

import personalize_test as support

USERS, ITEMS, EVENTS = 24, 28, 600
GENRES = ("comedy", "drama", "western", "noir")
EVALUATED_NOT = '{"evaluation":"none"}'


def item(number):
    return f"i{number}"


def events(count=EVENTS, seed=1):
    """(user, item, timestamp, device): everybody walks through the items of a genre."""
    chance = random.Random(seed)
    place = {user: chance.randrange(ITEMS) for user in range(USERS)}
    for n in range(count):
        user = chance.randrange(USERS)
        place[user] = (place[user] + len(GENRES) * chance.randrange(1, 3)) % ITEMS
        yield f"u{user}", item(place[user]), 1_600_000_000 + n * 600, "tv" if user % 2 else "phone"


def make(path, rows):
    database = support.connect(str(path), isolation_level=None)
    database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string categorical)")
    database.execute("CREATE VIRTUAL TABLE users USING personalize_users(AGE int, CITY string categorical)")
    database.execute("CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical, PRICE float)")
    database.execute("BEGIN")
    database.executemany("INSERT INTO items VALUES (?, ?, ?)",
                         ((item(i), GENRES[i % len(GENRES)], i * 0.5) for i in range(ITEMS)))
    database.executemany("INSERT INTO users VALUES (?, ?, ?)",
                         ((f"u{user}", 20 + user, f"city{user % 3}") for user in range(USERS)))
    database.executemany("INSERT INTO interactions(user_id, item_id, timestamp, device) VALUES (?, ?, ?, ?)", rows)
    database.execute("COMMIT")
    return database


def recipes():
    with support.connect() as database:
        return dict(database.execute("SELECT name, type FROM personalize_recipes"))


RECIPES = recipes()
QUESTION = {
    "USER_PERSONALIZATION": "SELECT rank, item_id, score FROM recommend(:subject, :k) WHERE version = :version",
    "TRENDING_NOW": "SELECT rank, item_id, score FROM recommend(:subject, :k) WHERE version = :version",
    "PERSONALIZED_RANKING": "SELECT rank, item_id, score FROM rank(:subject) WHERE version = :version "
                            "AND among IN (SELECT item_id FROM items) LIMIT :k",
    "RELATED_ITEMS": "SELECT rank, item_id, score FROM similar_items(:subject, :k) WHERE version = :version",
    "USER_SEGMENTATION": "SELECT rank, user_id, score FROM user_segment(:subject, :k) WHERE version = :version",
}
SUBJECT = {"RELATED_ITEMS": item(3), "USER_SEGMENTATION": item(3)}  # else a user


def ask(database, recipe, subject=None, k=10):
    kind = RECIPES[recipe]
    return database.execute(QUESTION[kind], {"subject": subject or SUBJECT.get(kind, "u1"), "k": k,
                                             "version": f"{recipe}/latest"}).fetchall()


def train(database, recipe, options=EVALUATED_NOT):
    if not database.execute("SELECT 1 FROM personalize_solutions WHERE name = ?", (recipe,)).fetchone():
        database.execute("INSERT INTO personalize_solutions(name, recipe) VALUES (?, ?)", (recipe, recipe))
    return database.execute("SELECT personalize_train(?, ?)", (recipe, options)).fetchone()[0]


class EveryRecipe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-recipes-")
        cls.database = make(pathlib.Path(cls.folder.name) / "all.db", events())
        for recipe in RECIPES:
            train(cls.database, recipe)

    @classmethod
    def tearDownClass(cls):
        cls.database.close()
        cls.folder.cleanup()

    def each(self, check, *types):
        """check(recipe) for every recipe of the types, of all if none is named."""
        for recipe, kind in RECIPES.items():
            if not types or kind in types:
                with self.subTest(recipe=recipe):
                    check(recipe)

    def test_ranks_count_from_one_and_scores_fall(self):
        def check(recipe):
            rows = ask(self.database, recipe)
            self.assertEqual([rank for rank, _, _ in rows], list(range(1, len(rows) + 1)))
            self.assertEqual(len(rows), 10)
            self.assertEqual(len({what for _, what, _ in rows}), 10)
            scores = [score for _, _, score in rows]
            self.assertTrue(all(math.isfinite(score) for score in scores))
            if "EXPLORES" not in self.traits(recipe):
                self.assertEqual(scores, sorted(scores, reverse=True))

        self.each(check)

    def traits(self, recipe):
        explores = recipe in ("hrnn-coldstart", "user-personalization")
        return {"EXPLORES"} if explores else set()

    def test_more_than_there_are_gives_all_of_them_once(self):
        def check(recipe):
            rows = ask(self.database, recipe, k=1000)
            named = [what for _, what, _ in rows]
            self.assertEqual(len(named), len(set(named)))
            kind = RECIPES[recipe]
            everything = USERS if kind == "USER_SEGMENTATION" else ITEMS - 1 if kind == "RELATED_ITEMS" else ITEMS
            self.assertEqual(len(named), everything)

        self.each(check)

    def test_a_user_who_is_unknown_gets_the_popular_items(self):
        popular = [row[0] for row in self.database.execute(
            "SELECT item_id, count(DISTINCT user_id) AS users FROM interactions GROUP BY item_id ORDER BY users DESC LIMIT 1")]
        most = self.database.execute("SELECT count(DISTINCT user_id) FROM interactions WHERE item_id = ?", popular).fetchone()[0]
        def check(recipe):
            first = self.database.execute("SELECT item_id FROM recommend('nobody', 1) WHERE version = ?",
                                          (f"{recipe}/latest",)).fetchone()
            self.assertEqual(self.database.execute("SELECT count(DISTINCT user_id) FROM interactions WHERE item_id = ?",
                                                   first).fetchone()[0], most)

        self.each(check, "USER_PERSONALIZATION")

    def test_an_item_that_is_unknown_is_ranked_last_without_a_score(self):
        def check(recipe):
            rows = self.database.execute("SELECT item_id, score FROM rank('u1', json_array('nothing', 'i1', 'i2')) "
                                         "WHERE version = ?", (f"{recipe}/latest",)).fetchall()
            self.assertEqual(rows[-1], ("nothing", None))
            self.assertEqual({what for what, _ in rows[:2]}, {"i1", "i2"})
            self.assertTrue(all(score is not None for _, score in rows[:2]))

        self.each(check, "USER_PERSONALIZATION", "PERSONALIZED_RANKING")

    def test_items_like_an_unknown_one_are_the_popular_ones(self):
        def check(recipe):
            rows = ask(self.database, recipe, subject="nothing", k=3)
            self.assertEqual(len(rows), 3)

        self.each(check, "RELATED_ITEMS")

    def test_the_search_is_inside_the_set_that_is_given(self):
        def check(recipe):
            function = "similar_items('i3', 50)" if RECIPES[recipe] == "RELATED_ITEMS" else "recommend('u1', 50)"
            comedies = [row[0] for row in self.database.execute(
                f"SELECT item_id FROM {function} WHERE version = ? AND among IN (SELECT item_id FROM items WHERE genre = 'comedy')",
                (f"{recipe}/latest",))]
            self.assertEqual(len(comedies), ITEMS // len(GENRES))
            self.assertTrue(all(int(name[1:]) % len(GENRES) == 0 for name in comedies))
            others = [row[0] for row in self.database.execute(
                f"SELECT item_id FROM {function} WHERE version = ? AND excluding IN (SELECT item_id FROM items WHERE genre = 'comedy')",
                (f"{recipe}/latest",))]
            self.assertTrue(others)
            self.assertFalse(set(others) & set(comedies))

        self.each(check, "USER_PERSONALIZATION", "TRENDING_NOW", "RELATED_ITEMS")

    def test_a_filter_is_the_set_of_what_passes_it(self):
        def check(recipe):
            function = {"RELATED_ITEMS": "similar_items('i3', 6)", "PERSONALIZED_RANKING": "rank('u1')"}.get(
                RECIPES[recipe], "recommend('u1', 6)")
            among = "SELECT item_id FROM items WHERE genre IN ('comedy', 'noir') AND price > 3"
            everything = "AND among IN (SELECT item_id FROM items)" if function == "rank('u1')" else ""
            filtered = self.database.execute(
                f"SELECT item_id FROM {function} WHERE version = ? {everything} AND filter = "
                """'INCLUDE ItemID WHERE Items.GENRE IN ("comedy", "noir") AND Items.PRICE > 3'""", (f"{recipe}/latest",)).fetchall()
            chosen = self.database.execute(f"SELECT item_id FROM {function} WHERE version = ? AND among IN ({among})",
                                           (f"{recipe}/latest",)).fetchall()
            self.assertEqual(filtered, chosen)
            self.assertEqual(len(filtered), 11 if everything else 6)
            if RECIPES[recipe] == "USER_PERSONALIZATION":
                had = {row[0] for row in self.database.execute("SELECT item_id FROM interactions WHERE user_id = 'u1'")}
                unseen = {row[0] for row in self.database.execute(
                    "SELECT item_id FROM recommend('u1', 100) WHERE version = ? AND filter = "
                    "'EXCLUDE ItemID WHERE Interactions.TIMESTAMP > 0'", (f"{recipe}/latest",))}
                self.assertEqual(unseen, {item(i) for i in range(ITEMS)} - had)

        self.each(check, "USER_PERSONALIZATION", "TRENDING_NOW", "RELATED_ITEMS", "PERSONALIZED_RANKING")

    def test_the_same_question_has_the_same_answer_with_and_without_a_memo(self):
        def check(recipe):
            first = ask(self.database, recipe)
            self.assertEqual(ask(self.database, recipe), first)
            os.environ["PERSONALIZE_NO_STATE"] = "1"
            try:
                self.assertEqual(ask(self.database, recipe), first)
            finally:
                del os.environ["PERSONALIZE_NO_STATE"]

        self.each(check)

    def test_two_trainings_of_the_same_data_give_the_same_model(self):
        answers = []
        for name in ("a", "b"):
            with make(pathlib.Path(self.folder.name) / f"{name}.db", events()) as database:
                answers.append({})
                for recipe in RECIPES:
                    train(database, recipe)
                    answers[-1][recipe] = ask(database, recipe, k=20)
            database.close()
        def check(recipe):
            self.assertEqual(answers[0][recipe], answers[1][recipe])

        self.each(check)

    def test_a_new_event_counts_at_once_and_a_rollback_takes_it_back(self):
        def check(recipe):
            before = ask(self.database, recipe, k=40)
            self.database.execute("BEGIN")
            self.database.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', ?, 1700000000)",
                                      [(item(i),) for i in (0, 4, 8)])
            during = ask(self.database, recipe, k=40)
            self.database.execute("ROLLBACK")
            if recipe != "popularity-count":
                self.assertNotEqual(during, before)
            self.assertEqual(ask(self.database, recipe, k=40), before)

        self.each(check, "USER_PERSONALIZATION", "PERSONALIZED_RANKING", "USER_SEGMENTATION")

    def test_a_batch_says_what_single_questions_say(self):
        def check(recipe):
            batch = self.database.execute("SELECT rank, item_id, score FROM batch_recommend(5) WHERE version = ? AND user_id = 'u2'",
                                          (f"{recipe}/latest",)).fetchall()
            self.assertEqual(batch, ask(self.database, recipe, "u2", 5))

        self.each(check, "USER_PERSONALIZATION", "TRENDING_NOW")

    def test_a_version_can_be_trained_again_after_an_interrupt(self):
        with make(pathlib.Path(self.folder.name) / "interrupted.db", events(40_000)) as database:
            def check(recipe):
                done = threading.Event()

                def interrupt():
                    while not done.wait(0.002):
                        database.interrupt()

                database.execute("INSERT INTO personalize_solutions(name, recipe) VALUES (?, ?)", (recipe, recipe))
                thread = threading.Thread(target=interrupt)
                thread.start()
                begin = time.monotonic()
                try:
                    with self.assertRaisesRegex(support.sqlite3.OperationalError, "interrupt"):
                        database.execute("SELECT personalize_train(?, ?)", (recipe, EVALUATED_NOT)).fetchone()
                finally:
                    done.set()
                    thread.join()
                self.assertLess(time.monotonic() - begin, 60)
                self.assertEqual(database.execute("SELECT count(*) FROM personalize_versions WHERE solution = ? AND status = 'ACTIVE'",
                                                  (recipe,)).fetchone(), (0,))

            self.each(check)
        database.close()

    def test_tiny_data_train_or_are_refused_with_a_reason(self):
        cases = {
            "nothing": [],
            "one event": [("u1", "i1", 1, "tv")],
            "one user": [("u1", item(n % 3), n, "tv") for n in range(6)],
            "one item": [(f"u{n % 3}", "i1", n, "tv") for n in range(9)],
            "one user and one item": [("u1", "i1", n, None) for n in range(3)],
            "two of each": [(f"u{n % 2}", item(n // 2 % 2), n, "tv") for n in range(8)],
        }
        for name, rows in cases.items():
            with make(pathlib.Path(self.folder.name) / f"{name}.db", rows) as database:
                def check(recipe):
                    with self.subTest(data=name):
                        try:
                            train(database, recipe, "{}")
                        except support.sqlite3.OperationalError as error:
                            self.assertRegex(str(error), r"InvalidInputException|needs|no user|no interactions")
                            return
                        subject = SUBJECT.get(RECIPES[recipe]) and "i1"
                        for _, _, score in ask(database, recipe, subject):
                            self.assertTrue(score is None or math.isfinite(score))

                self.each(check)
            database.close()

    def test_metadata_that_vanished_or_changed_leaves_a_version_answering(self):
        with make(pathlib.Path(self.folder.name) / "vanished.db", events()) as database:
            for recipe in RECIPES:
                train(database, recipe)
            database.execute("DELETE FROM users")
            database.execute("DELETE FROM items WHERE item_id IN ('i1', 'i2')")
            def check(recipe):
                self.assertTrue(ask(database, recipe))

            self.each(check)
            database.execute("DROP TABLE items")
            database.execute("CREATE VIRTUAL TABLE items USING personalize_items(COLOUR string categorical, PRICE string categorical)")
            database.executemany("INSERT INTO items VALUES (?, 'red', 'dear')", [(item(i),) for i in range(ITEMS)])
            def check(recipe):
                self.assertTrue(ask(database, recipe))

            self.each(check)
        database.close()


if __name__ == "__main__":
    unittest.main()
