"""Answers against what they must equal: the same events asked without any memo of users' states, and
scores computed here from the events."""
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import personalize_test as support

USERS, ITEMS, EVENTS = 40, 60, 4000


def events(seed=1):
    """(user, item, timestamp): everybody walks through the items with a step of his own."""
    chance = random.Random(seed)
    place = {user: chance.randrange(ITEMS) for user in range(USERS)}
    for i in range(EVENTS):
        user = chance.randrange(USERS)
        place[user] = (place[user] + 1 + user % 3 + chance.randrange(2)) % ITEMS
        yield f"u{user}", f"i{place[user]}", 1_600_000_000 + i * 600


@contextlib.contextmanager
def without_memo():
    os.environ["PERSONALIZE_NO_STATE"] = "1"
    try:
        yield
    finally:
        del os.environ["PERSONALIZE_NO_STATE"]


class Trained(unittest.TestCase):
    """A database with an hrnn, a markov, a sims and a popularity-count model."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-answers-")
        cls.original = pathlib.Path(cls.folder.name) / "original" / "shop.db"
        cls.original.parent.mkdir()
        database = support.connect(str(cls.original))
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        with database:
            database.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)", events())
        for name, recipe in (("net", "hrnn"), ("fast", "markov"), ("pairs", "sims"), ("top", "popularity-count")):
            database.execute("INSERT INTO personalize_solutions(name, recipe) VALUES (?, ?)", (name, recipe))
            database.commit()
            database.execute("SELECT personalize_train(?, '{\"evaluation\":\"none\"}')", (name,)).fetchall()
        database.close()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.place = tempfile.mkdtemp(dir=self.folder.name)
        self.path = self.copy("shop")

    def copy(self, name, original=None):
        """A copy of a database and of what lies beside it."""
        original = pathlib.Path(original or self.original)
        target = pathlib.Path(self.place) / (name + ".db")
        for suffix in ("", "-wal"):
            if pathlib.Path(str(original) + suffix).exists():
                shutil.copy(str(original) + suffix, str(target) + suffix)
        shutil.copytree(str(original) + ".personalize", str(target) + ".personalize")
        return str(target)

    @staticmethod
    def ask(database, user, version="net/1", k=20):
        return database.execute("SELECT item_id, score FROM recommend(?, ?) WHERE version = ?",
                                (user, k, version)).fetchall()

    def ask_afresh(self, path, user, version="net/1"):
        """What a process that has never seen a memo answers."""
        program = ("import sys, personalize_test as s; d = s.connect(sys.argv[1]);"
                   "print(d.execute('SELECT item_id, score FROM recommend(?, 20) WHERE version = ?',"
                   " sys.argv[2:4]).fetchall())")
        with without_memo():
            done = subprocess.run([sys.executable, "-c", program, path, user, version],
                                  env=support.host_environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return eval(done.stdout)


class Memo(Trained):
    def assert_as_without_memo(self, database, user):
        self.assertEqual(self.ask(database, user), self.ask_afresh(self.path, user))

    def test_answers_are_those_without_a_memo_whatever_happens_to_the_events(self):
        database = support.connect(self.path, isolation_level=None)
        states = pathlib.Path(self.path + ".personalize") / "states.mdb"
        self.assert_as_without_memo(database, "u1")
        self.assertTrue(states.exists(), "the memo was written")
        self.assert_as_without_memo(database, "u1")
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', ?, ?)"
        for change in (
                (insert, ("i7", 1_700_000_000)),                     # one more
                *[(insert, (f"i{n}", 1_700_000_100 + n)) for n in range(6)],  # several more: written back
                (insert, ("i9", 1_600_000_001)),                     # one that comes late
                (insert, ("never trained", 1_700_000_200)),          # one the model does not know
                ("UPDATE interactions SET item_id = 'i11' WHERE user_id = 'u1' AND timestamp = 1600000001", ()),
                ("DELETE FROM interactions WHERE user_id = 'u1' AND item_id = 'i7'", ()),
                ("DELETE FROM interactions WHERE user_id = 'u1'", ()),
                (insert, ("i5", 1_700_000_300))):
            with self.subTest(change=change):
                database.execute(*change)
                self.assert_as_without_memo(database, "u1")
                self.assert_as_without_memo(database, "u1")

    def test_a_connection_that_remembers_users_answers_as_one_that_does_not(self):
        """Inside and outside of transactions, whatever was taken back."""
        database = support.connect(self.path, isolation_level=None)
        chance = random.Random(7)
        asked = []  # the database as the connection sees it, the user, the answer
        now = 1_700_000_000
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)"
        some_event = ("user_id = ?1 AND rowid = (SELECT rowid FROM interactions WHERE user_id = ?1 "
                      "ORDER BY rowid DESC LIMIT 1 OFFSET ?2)")
        open_savepoints = 0
        for step in range(400):
            user = f"u{chance.randrange(4)}"
            pick = chance.random()
            if pick < 0.4:
                now += 60
                database.execute(insert, (user, f"i{chance.randrange(ITEMS + 3)}", now))
            elif pick < 0.47:  # late
                database.execute(insert, (user, f"i{chance.randrange(ITEMS)}", now - chance.randrange(100_000)))
            elif pick < 0.57:
                database.execute(f"DELETE FROM interactions WHERE {some_event}", (user, chance.randrange(3)))
            elif pick < 0.67:
                database.execute(f"UPDATE interactions SET item_id = 'i1' WHERE {some_event}", (user, chance.randrange(3)))
            elif pick < 0.75 and not database.in_transaction:
                database.execute("BEGIN")
                open_savepoints = 0
            elif pick < 0.83 and database.in_transaction:
                database.execute("SAVEPOINT s")
                open_savepoints += 1
            elif pick < 0.9 and database.in_transaction and open_savepoints > 0:
                database.execute(chance.choice(("ROLLBACK TO s", "ROLLBACK TO s", "RELEASE s")))
                open_savepoints = 0  # who knows: at worst there is one more
            elif database.in_transaction:
                database.execute(chance.choice(("COMMIT", "ROLLBACK")))
                open_savepoints = 0
            for who in {user, f"u{chance.randrange(4)}"}:
                answer = self.ask(database, who)
                # What was there is another now: of that, most answers are compared.
                if chance.random() < (0.8 if 0.4 <= pick < 0.67 else 0.1):
                    asked.append((database.serialize(), who, answer))
        copy = self.copy("asked")
        for suffix in ("-wal", "-shm"):
            pathlib.Path(copy + suffix).unlink(missing_ok=True)
        program = ("import json, pathlib, sys, personalize_test as s\n"
                   "for n, user in enumerate(json.loads(sys.argv[2])):\n"
                   "    pathlib.Path(sys.argv[1]).write_bytes(pathlib.Path(f'{sys.argv[1]}{n}').read_bytes())\n"
                   "    d = s.connect(sys.argv[1])\n"
                   "    print(d.execute('SELECT item_id, score FROM recommend(?, 20) WHERE version = ?',"
                   " (user, 'net/1')).fetchall())\n"
                   "    d.close()\n")
        for n, (image, _, _) in enumerate(asked):
            pathlib.Path(f"{copy}{n}").write_bytes(image)
        with without_memo():
            done = subprocess.run([sys.executable, "-c", program, copy, json.dumps([user for _, user, _ in asked])],
                                  env=support.host_environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [eval(line) for line in done.stdout.splitlines()]
        self.assertGreater(len(answers), 50)
        for n, (_, user, answer) in enumerate(asked):
            self.assertEqual(answer, answers[n], (n, user))

    def test_a_database_without_the_mark_of_changes_answers_until_it_gets_one(self):
        database = support.connect(self.path, isolation_level=None)
        database.execute("DROP TABLE interactions_change")
        delete = ("DELETE FROM interactions WHERE user_id = 'u1' AND rowid = "
                  "(SELECT min(rowid) FROM interactions WHERE user_id = 'u1')")
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'i7', ?)"
        for n, add in enumerate((False, True, False)):
            if add:
                database.execute("CREATE TABLE interactions_change AS SELECT random() AS mark")
            for change, values in ((delete, ()), (insert, (1_700_000_000 + n,)), (delete, ())):
                self.ask(database, "u1")  # may be remembered
                database.execute(change, values)
                self.assertEqual(self.ask(database, "u1"), self.ask_afresh(self.path, "u1"))
        database.execute("DROP TABLE interactions_change")
        database.execute("ALTER TABLE interactions RENAME TO purchases")
        self.assertEqual(self.ask(database, "u1"), self.ask_afresh(self.path, "u1"))

    def test_events_taken_back_are_not_remembered_though_the_last_one_looks_like_the_one_that_came(self):
        database = support.connect(self.path, isolation_level=None)
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', ?, ?)"
        for take_back in (("ROLLBACK",), ("ROLLBACK TO before", "COMMIT")):
            database.execute("BEGIN")
            database.execute("SAVEPOINT before")
            database.executemany(insert, [("i1", 1_700_000_000), ("i2", 1_700_000_001)])
            remembered = self.ask(database, "u1")
            for statement in take_back:
                database.execute(statement)
            database.executemany(insert, [("i30", 1_700_000_000), ("i2", 1_700_000_001)])
            self.assertNotEqual(self.ask(database, "u1"), remembered)
            self.assert_as_without_memo(database, "u1")

    def test_a_database_attached_under_two_names_is_answered_as_each_sees_it(self):
        database = support.connect(self.path, isolation_level=None)
        database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('here', 'net/1')")
        database.execute("ATTACH ? AS again", (self.path,))

        def ask(schema):
            return database.execute("SELECT item_id, score FROM recommend('u1', 20, ?)", (f"{schema}.here",)).fetchall()

        before = ask("again")
        self.assertEqual(ask("main"), before)
        database.execute("BEGIN")
        database.executemany("INSERT INTO main.interactions(user_id, item_id, timestamp) VALUES ('u1', ?, ?)",
                             [("i1", 1_700_000_000), ("i2", 1_700_000_001)])
        after = ask("main")
        self.assertNotEqual(after, before)
        self.assertEqual(ask("again"), before, "it has not been committed")
        database.execute("COMMIT")
        self.assertEqual(ask("again"), after)

    def test_each_change_inside_of_one_transaction_is_seen(self):
        database = support.connect(self.path, isolation_level=None)
        places = [row for row, in database.execute("SELECT rowid FROM interactions WHERE user_id = 'u1' ORDER BY rowid")]
        database.execute("BEGIN")
        answers = [self.ask(database, "u1")]
        # The last event stays: only the mark can tell.
        for change in ("DELETE FROM interactions WHERE rowid = ?",
                       "UPDATE interactions SET item_id = 'i11' WHERE rowid = ?",
                       "DELETE FROM interactions WHERE rowid = ?"):
            place = places.pop(-2)
            before = database.execute("SELECT item_id FROM interactions WHERE rowid = ?", (place,)).fetchone()
            self.assertNotEqual(before, ("i11",))
            database.execute(change, (place,))
            answers.append(self.ask(database, "u1"))
            self.assertNotEqual(answers[-1], answers[-2], change)
        database.execute("COMMIT")
        self.assert_as_without_memo(database, "u1")

    def test_a_database_put_back_is_answered_as_it_is(self):
        """A copy of earlier days and another event: the rows have the numbers of those that were remembered."""
        database = support.connect(self.path, isolation_level=None)
        earlier = support.connect(":memory:", isolation_level=None)
        database.backup(earlier)
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', ?, ?)"
        database.executemany(insert, [("i1", 1_700_000_000), ("i2", 1_700_000_001)])
        remembered = self.ask(database, "u1")
        earlier.backup(support.connect(self.path, isolation_level=None))
        database.executemany(insert, [("i30", 1_700_000_000), ("i2", 1_700_000_001)])
        self.assertNotEqual(self.ask(database, "u1"), remembered)
        self.assert_as_without_memo(database, "u1")

    def test_an_open_transaction_sees_its_own_events_and_rollback_takes_them_back(self):
        database = support.connect(self.path, isolation_level=None)
        other = support.connect(self.path, isolation_level=None)
        committed = support.connect(self.copy("committed"), isolation_level=None)
        before = self.ask(database, "u2")
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u2', ?, ?)"
        changes = [(f"i{n * 7 % ITEMS}", 1_700_000_000 + n) for n in range(8)]
        committed.executemany(insert, changes)
        database.execute("BEGIN")
        database.executemany(insert, changes[:4])
        database.execute("SAVEPOINT half")
        database.executemany(insert, changes[4:])
        self.assertEqual(self.ask(database, "u2"), self.ask(committed, "u2"))
        self.assertNotEqual(self.ask(database, "u2"), before)
        self.assertEqual(self.ask(other, "u2"), before, "nobody else has seen them")
        database.execute("ROLLBACK TO half")
        committed.execute("DELETE FROM interactions WHERE user_id = 'u2' AND timestamp >= 1700000004")
        self.assertEqual(self.ask(database, "u2"), self.ask(committed, "u2"))
        database.execute("ROLLBACK")
        self.assertEqual(self.ask(database, "u2"), before)
        self.assert_as_without_memo(database, "u2")

    def test_ids_taken_back_by_rollback_do_not_stand_for_others_afterwards(self):
        database = support.connect(self.path, isolation_level=None)
        insert = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)"
        database.execute("BEGIN")
        database.execute(insert, ("new user", "new item", 1_700_000_000))
        self.ask(database, "new user")
        database.execute("ROLLBACK")
        database.execute(insert, ("another", "another item", 1_700_000_001))
        database.execute(insert, ("another", "i3", 1_700_000_002))
        self.assert_as_without_memo(database, "another")
        self.assert_as_without_memo(database, "new user")

    def test_an_old_snapshot_is_answered_as_of_then(self):
        reader = support.connect(self.path, isolation_level=None)
        writer = support.connect(self.path, isolation_level=None)
        reader.execute("BEGIN")
        before = self.ask(reader, "u3")
        for n in range(9):
            writer.execute("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u3', ?, ?)",
                           (f"i{n * 5}", 1_700_000_000 + n))
        after = self.ask(writer, "u3")
        self.assertNotEqual(before, after)
        for _ in range(3):
            self.assertEqual(self.ask(reader, "u3"), before)
            self.assertEqual(self.ask(writer, "u3"), after)
        reader.execute("COMMIT")
        self.assertEqual(self.ask(reader, "u3"), after)

    def test_a_damaged_memo_changes_no_answer(self):
        database = support.connect(self.path)
        before = [self.ask(database, f"u{n}") for n in range(5)]
        database.close()
        states = pathlib.Path(self.path + ".personalize") / "states.mdb"
        damaged = bytearray(states.read_bytes())
        chance = random.Random(3)
        for _ in range(200):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        states.write_bytes(damaged)
        program = ("import sys, personalize_test as s; d = s.connect(sys.argv[1]);"
                   "print([d.execute(\"SELECT item_id, score FROM recommend('u' || ?, 20) WHERE version = 'net/1'\","
                   " (n,)).fetchall() for n in range(5)])")
        done = subprocess.run([sys.executable, "-c", program, self.path], env=support.host_environment(),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(eval(done.stdout), before)


class Scores(Trained):
    def test_popular_items_are_counted_in_distinct_users(self):
        users = collections.defaultdict(set)
        for user, item, _ in events():
            users[item].add(user)
        total = sum(len(who) for who in users.values())
        database = support.connect(self.path)
        for user, version in (("u1", "top/1"), ("nobody", "top/1"), ("nobody", "net/1")):
            answers = self.ask(database, user, version, k=1000)
            self.assertEqual(len(answers), len(users))
            self.assertEqual([score for _, score in answers], sorted((s for _, s in answers), reverse=True))
            for item, score in answers:
                self.assertAlmostEqual(score, len(users[item]) / total, places=9)

    def test_similar_items_are_as_many_as_asked_for_and_never_the_item_itself(self):
        database = support.connect(self.path)
        for version in ("pairs/1", "fast/1", "net/1", "top/1"):
            answers = database.execute("SELECT item_id, score FROM similar_items('i5', 10) WHERE version = ?",
                                       (version,)).fetchall()
            self.assertEqual(len(answers), 10)
            self.assertNotIn("i5", [item for item, _ in answers])
            self.assertEqual([s for _, s in answers], sorted((s for _, s in answers), reverse=True))

    def test_scores_over_all_items_sum_to_one_and_a_list_shares_them_in_proportion(self):
        database = support.connect(self.path)
        for version in ("net/1", "fast/1", "top/1"):
            scores = dict(self.ask(database, "u4", version, k=1000))
            self.assertAlmostEqual(sum(scores.values()), 1, places=6)
            asked = [f"i{n}" for n in range(0, ITEMS, 7)]
            ranked = database.execute(
                "SELECT item_id, score FROM rank('u4', ?) WHERE version = ?",
                (str(asked).replace("'", '"'), version)).fetchall()
            total = sum(scores[item] for item in asked)
            self.assertEqual(sorted(item for item, _ in ranked), sorted(asked))
            self.assertEqual([s for _, s in ranked], sorted((s for _, s in ranked), reverse=True))
            for item, score in ranked:
                self.assertAlmostEqual(score, scores[item] / total, places=6)

    def test_every_way_to_ask_gives_the_same_scores(self):
        database = support.connect(self.path)
        database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'net/latest')")
        everybody = collections.defaultdict(list)
        for user, item, score in database.execute("SELECT user_id, item_id, score FROM batch_recommend(20, 'net/1')"):
            everybody[user].append((item, score))
        self.assertEqual(len(everybody), USERS)
        for user in ("u0", "u5", "u39"):
            answers = self.ask(database, user)
            self.assertEqual(everybody[user], answers)
            self.assertEqual(answers, database.execute(
                "SELECT item_id, score FROM recommend(?, 20, 'home')", (user,)).fetchall())
            self.assertEqual(answers, database.execute(
                "SELECT item_id, personalize_score(?, item_id) FROM (SELECT DISTINCT item_id FROM interactions) "
                "ORDER BY 2 DESC LIMIT 20", (user,)).fetchall())
        by_row = database.execute("SELECT DISTINCT user_id, personalize_score(user_id, 'i1') FROM interactions").fetchall()
        for user, score in by_row:
            self.assertEqual(score, database.execute("SELECT personalize_score(?, 'i1')", (user,)).fetchone()[0])

    def test_among_and_excluding_choose_from_the_same_scores(self):
        database = support.connect(self.path)
        scores = self.ask(database, "u6", k=1000)
        database.execute("CREATE TEMP TABLE stock(id TEXT)")
        stock = {f"i{n}" for n in range(0, ITEMS, 3)}
        database.executemany("INSERT INTO stock VALUES (?)", [(item,) for item in stock])
        for word, keep in (("among", lambda item: item in stock), ("excluding", lambda item: item not in stock)):
            answers = database.execute(
                f"SELECT item_id, score FROM recommend('u6', 7) WHERE version = 'net/1' AND {word} IN (SELECT id FROM stock)")
            self.assertEqual(answers.fetchall(), [row for row in scores if keep(row[0])][:7])


class Plans(Trained):
    def test_whatever_chooses_orders_and_cuts_the_rows_they_are_those_of_the_whole_answer(self):
        conditions = (("", lambda rank, item, score: True),
                      ("WHERE item_id > 'i3'", lambda rank, item, score: item > "i3"),
                      ("WHERE score < 0.02", lambda rank, item, score: score < 0.02),
                      ("WHERE rank IN (1, 3, 5, 9)", lambda rank, item, score: rank in (1, 3, 5, 9)),
                      ("WHERE rank > 3 AND item_id <> 'i5'", lambda rank, item, score: rank > 3 and item != "i5"))
        orders = (("", lambda row: 0), ("ORDER BY rank", lambda row: row[0]), ("ORDER BY rank DESC", lambda row: -row[0]),
                  ("ORDER BY score DESC", lambda row: -row[2]), ("ORDER BY item_id", lambda row: row[1]),
                  ("ORDER BY score DESC, rank", lambda row: (-row[2], row[0])), ("ORDER BY rank, item_id", lambda row: row[0]))
        database = support.connect(self.path)
        database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'net/latest')")
        chance = random.Random(2)
        for _ in range(600):
            k, user = chance.choice((1, 5, 12, 40)), chance.choice(("u1", "u2", "nobody"))
            (condition, passes), (order, key) = chance.choice(conditions), chance.choice(orders)
            limit = chance.choice((None, 0, 1, 3, 100, -1))
            offset = chance.choice((None, 0, 2, 7, -1)) if limit is not None else None
            whole = database.execute("SELECT rank, item_id, score FROM recommend(?, ?)", (user, k)).fetchall()
            wanted = sorted((row for row in whole if passes(*row)), key=key)[max(0, offset or 0):]
            query, values = f"SELECT rank, item_id, score FROM recommend(?, ?) {condition} {order}", [user, k]
            if limit is not None:
                query, values = query + " LIMIT ?", values + [limit]
                wanted = wanted if limit < 0 else wanted[:limit]
            if offset is not None:
                query, values = query + " OFFSET ?", values + [offset]
            with self.subTest(query=query, values=values):
                self.assertEqual(database.execute(query, values).fetchall(), wanted)
                self.assertEqual(database.execute(f"SELECT * FROM ({query})", values).fetchall(), wanted)


class Processes(Trained):
    def test_four_processes_ask_while_a_fifth_inserts(self):
        asking = ("import sys, random, personalize_test as s; d = s.connect(sys.argv[1], timeout=60);"
                  "c = random.Random(int(sys.argv[2]));"
                  "[d.execute(\"SELECT item_id, score FROM recommend(?, 10) WHERE version = 'net/1'\","
                  " ('u%d' % c.randrange(40),)).fetchall() for _ in range(400)]")
        inserting = ("import sys, random, personalize_test as s; d = s.connect(sys.argv[1], timeout=60, isolation_level=None);"
                     "c = random.Random(9);"
                     "[d.execute('INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)',"
                     " ('u%d' % c.randrange(40), 'i%d' % c.randrange(60), 1700000000 + n)) for n in range(400)]")
        processes = [subprocess.Popen([sys.executable, "-c", program, self.path, str(n)],
                                      env=support.host_environment(), stderr=subprocess.PIPE, text=True)
                     for n, program in enumerate([asking] * 4 + [inserting])]
        for process in processes:
            _, errors = process.communicate(timeout=240)
            self.assertEqual(process.returncode, 0, errors)
        database = support.connect(self.path)
        self.assertEqual(database.execute("SELECT count(*) FROM interactions").fetchone()[0], EVENTS + 400)
        for user in ("u0", "u17", "u39"):
            self.assertEqual(self.ask(database, user), self.ask_afresh(self.path, user))

    def test_a_model_trained_elsewhere_is_asked_at_once(self):
        database = support.connect(self.path)
        database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'fast/latest')")
        database.execute("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'brand new', 1700000000)")
        database.commit()
        asked = "SELECT count(*) FROM recommend('u1', 1000, 'home') WHERE item_id = 'brand new'"
        self.assertEqual(database.execute(asked).fetchone()[0], 0)
        code, printed = support.shell("SELECT personalize_train('fast', '{\"evaluation\":\"none\"}');", self.path)
        self.assertEqual((code, printed), (0, "fast/2\n"))
        self.assertEqual(database.execute(asked).fetchone()[0], 1)


class Read(unittest.TestCase):
    """What a connection keeps of the tables it reads for a question."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="personalize-answers-")
        self.addCleanup(folder.cleanup)
        self.path = str(pathlib.Path(folder.name) / "shop.db")
        code, printed = support.shell("""
            CREATE VIRTUAL TABLE interactions USING personalize_interactions;
            CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical, CREATION_TIMESTAMP long);
            INSERT INTO interactions(user_id, item_id, timestamp)
              WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)
              SELECT i % 40, (i * 7 + i / 40 * 3) % 29, 1700000000 + i FROM n;
            INSERT INTO items WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 32)
              SELECT i, CASE i % 3 WHEN 0 THEN 'x' ELSE 'y' END, 1700000000 + i FROM n;
            INSERT INTO personalize_solutions(name, recipe, hyperparameters)
              VALUES ('up', 'user-personalization', '{"epochs":1}');
            SELECT personalize_train('up', '{"evaluation":"none"}');
            INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'up/latest');""", self.path)
        self.assertEqual((code, printed), (0, "up/1\n"))

    def test_interactions_renamed_by_another_process_are_asked_on(self):
        database = support.connect(self.path)
        self.addCleanup(database.close)
        asked = "SELECT count(*) FROM recommend('7', 8, 'home')"
        self.assertEqual(database.execute(asked).fetchall(), [(8,)])
        code, printed = support.shell("ALTER TABLE interactions RENAME TO clicks;", self.path)
        self.assertEqual((code, printed), (0, ""))
        for _ in range(2):
            self.assertEqual(database.execute(asked).fetchall(), [(8,)])

    def test_a_filter_interrupted_anywhere_passes_when_it_is_asked_again(self):
        asked = "SELECT count(*) FROM recommend('7', 6) WHERE campaign = 'home' AND filter = ?"
        genre = ("INCLUDE ItemID WHERE Items.GENRE IN (\"x\")",)
        ids = ("INCLUDE ItemID WHERE Items.ITEM_ID IN (\"1\", \"2\")",)
        interrupted = 0
        for limit in range(20, 120, 4):
            database = support.connect(self.path)
            database.execute(asked, genre).fetchall()
            left = [limit]

            def stop():
                left[0] -= 1
                return left[0] == 0

            database.set_progress_handler(stop, 1)
            try:
                database.execute(asked, ids).fetchall()
            except sqlite3.Error:
                interrupted += 1
            database.set_progress_handler(None, 1)
            self.assertEqual(database.execute(asked, ids).fetchall(), [(2,)], limit)
            database.close()
        self.assertGreater(interrupted, 10)


if __name__ == "__main__":
    unittest.main()
