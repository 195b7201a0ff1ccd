"""Databases that come, go and are replaced under a connection that goes on asking: its answers must be
those of a connection that has just been opened."""
import json
import os
import pathlib
import shutil
import sqlite3
import tempfile
import unittest

import personalize_test as support

QUESTION = "SELECT item_id, score FROM recommend('7', 5, '{}home')"
FILTERED = (
    "SELECT item_id FROM recommend('7', 6) WHERE campaign = 'shop.home' "
    "AND filter = 'INCLUDE ItemID WHERE Items.GENRE IN (\"x\")'"
)
MORE = "INSERT INTO {}interactions(user_id, item_id, timestamp) VALUES ('7', '3', 1800000000), ('7', '17', 1800000001)"
EVENTS = (
    "INSERT INTO interactions(user_id, item_id, timestamp) "
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199) "
    "SELECT i % 40, (i * 7 + i / 40 * 3) % 29, 1700000000 + i FROM n"
)


def interrupt_after(connection, steps):
    """Interrupts what runs after so many steps of SQLite's machine, once."""
    left = steps

    def stop():
        nonlocal left
        left -= 1
        return left == 0

    connection.set_progress_handler(stop, 1)


def fill(path, genre):
    """A database with a campaign 'home'. genre: SQL of an item's number n."""
    database = support.connect(str(path))
    database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
    database.execute("CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical)")
    with database:
        database.execute(EVENTS)
        database.execute(
            "INSERT INTO items(item_id, GENRE) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
            f"WHERE i < 28) SELECT i, {genre} FROM n"
        )
        database.execute(
            "INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
            "VALUES ('net', 'hrnn', '{\"epochs\":1,\"hidden_dimension\":32}')"
        )
    database.execute("SELECT personalize_train('net', '{\"evaluation\":\"none\"}')").fetchall()
    with database:
        database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'net/latest')")
    database.close()


def fresh(path, sql=QUESTION.format("")):
    """What a connection that has seen nothing gets."""
    database = support.connect(str(path))
    rows = database.execute(sql).fetchall()
    database.close()
    return rows


class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-databases-")
        cls.original = pathlib.Path(cls.folder.name) / "original"
        cls.original.mkdir()
        fill(cls.original / "a.db", "iif(i < 15, 'x', 'y')")
        fill(cls.original / "b.db", "iif(i < 15, 'y', 'x')")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.folder.name))
        shutil.copytree(self.original, self.place, dirs_exist_ok=True)
        self.a, self.b = self.place / "a.db", self.place / "b.db"

    def change(self, path, sql=MORE.format("")):
        database = support.connect(str(path))
        with database:
            database.execute(sql)
        database.close()

    def test_a_catalog_that_another_process_makes_later_is_found_and_watched(self):
        late = self.place / "late.db"
        asking = support.connect(str(late))
        with self.assertRaisesRegex(sqlite3.OperationalError, "ResourceNotFoundException"):
            asking.execute(QUESTION.format("")).fetchall()
        fill(late, "'x'")
        before = asking.execute(QUESTION.format("")).fetchall()
        self.assertEqual(before, fresh(late))
        self.assertEqual(len(asking.execute("SELECT * FROM recommend('7', 5)").fetchall()), 5)
        self.change(late)
        after = asking.execute(QUESTION.format("")).fetchall()
        self.assertNotEqual(after, before)
        self.assertEqual(after, fresh(late))

    def test_an_attached_database_that_gets_its_catalog_later_is_found_and_watched(self):
        late = self.place / "late.db"
        asking = support.connect(str(self.a))
        asking.execute("ATTACH ? AS shop", (str(late),))
        asking.execute(QUESTION.format("")).fetchall()
        fill(late, "'x'")
        before = asking.execute(QUESTION.format("shop.")).fetchall()
        self.assertEqual(before, fresh(late))
        self.change(late)
        self.assertNotEqual(asking.execute(QUESTION.format("shop.")).fetchall(), before)
        self.assertEqual(asking.execute(QUESTION.format("shop.")).fetchall(), fresh(late))

    def test_a_lock_on_an_attached_database_without_a_catalog_disturbs_no_question(self):
        other = self.place / "other.db"
        asking = support.connect(str(self.a), timeout=0)
        asking.execute("ATTACH ? AS other", (str(other),))
        asking.execute("CREATE TABLE other.t(x)")
        asking.execute(QUESTION.format("")).fetchall()
        locking = sqlite3.connect(other)
        locking.execute("BEGIN EXCLUSIVE")
        with self.assertRaisesRegex(sqlite3.OperationalError, "locked"):
            asking.execute("SELECT * FROM other.t").fetchall()
        self.change(self.a)
        self.assertEqual(asking.execute(QUESTION.format("")).fetchall(), fresh(self.a))

    def test_a_filter_speaks_of_the_database_that_is_attached_now(self):
        asking = support.connect()
        for path in (self.a, self.b, self.a):
            asking.execute("ATTACH ? AS shop", (str(path),))
            new = support.connect()
            new.execute("ATTACH ? AS shop", (str(path),))
            self.assertEqual(asking.execute(FILTERED).fetchall(), new.execute(FILTERED).fetchall(), path.name)
            asking.execute("DETACH shop")
        self.assertNotEqual(fresh(self.a, "SELECT item_id FROM items WHERE GENRE = 'x'"),
                            fresh(self.b, "SELECT item_id FROM items WHERE GENRE = 'x'"))

    def test_the_file_behind_an_attached_name_may_be_another_one(self):
        newer = self.place / "newer.db"
        shutil.copy(self.a, newer)
        shutil.copytree(self.place / "a.db.personalize", self.place / "newer.db.personalize")
        self.change(newer)
        asking = support.connect()
        asking.execute("ATTACH ? AS shop", (str(self.a),))
        before = asking.execute(QUESTION.format("shop.")).fetchall()
        asking.execute("DETACH shop")
        os.replace(newer, self.a)
        asking.execute("ATTACH ? AS shop", (str(self.a),))
        after = asking.execute(QUESTION.format("shop.")).fetchall()
        self.assertNotEqual(after, before)
        self.assertEqual(after, fresh(self.a))

    def test_a_backup_restored_into_the_asking_connection_is_what_it_answers_from(self):
        asking = support.connect(str(self.a))
        before = asking.execute(QUESTION.format("")).fetchall()
        saved = sqlite3.connect(self.place / "saved.db")
        asking.backup(saved)
        with asking:
            asking.execute(MORE.format(""))
        self.assertNotEqual(asking.execute(QUESTION.format("")).fetchall(), before)
        saved.backup(asking)
        self.assertEqual(asking.execute(QUESTION.format("")).fetchall(), before)

    def test_personalize_repair_makes_no_old_answer_current_again(self):
        asking = support.connect(str(self.a))
        before = asking.execute(QUESTION.format("")).fetchall()
        self.change(self.a)
        asking.execute("SELECT personalize_repair()").fetchall()
        after = asking.execute(QUESTION.format("")).fetchall()
        self.assertNotEqual(after, before)
        self.assertEqual(after, fresh(self.a))

    def test_a_question_that_is_interrupted_anywhere_leaves_the_next_one_right(self):
        asking = support.connect(str(self.a))
        wanted = asking.execute(QUESTION.format("")).fetchall()
        interrupted = 0
        for limit in range(1, 700, 3):
            with asking:
                asking.execute("UPDATE personalize_campaigns SET min_provisioned_tps = 1 WHERE name = 'home'")
            interrupt_after(asking, limit)
            try:
                asking.execute(QUESTION.format("")).fetchall()
            except sqlite3.OperationalError as error:
                self.assertRegex(str(error), "interrupt")
                interrupted += 1
            asking.set_progress_handler(None, 0)
            self.assertEqual(asking.execute(QUESTION.format("")).fetchall(), wanted, limit)
        self.assertGreater(interrupted, 50)

    def test_a_filter_that_is_interrupted_anywhere_is_right_the_next_time(self):
        filtered = "SELECT item_id FROM recommend('7', 6) WHERE campaign = 'home' AND filter = "
        for limit in range(20, 300, 4):
            asking = support.connect(str(self.a))
            asking.execute(filtered + "'INCLUDE ItemID WHERE Items.GENRE IN (\"x\")'").fetchall()
            interrupt_after(asking, limit)
            named = filtered + "'INCLUDE ItemID WHERE Items.ITEM_ID IN (\"1\", \"2\")'"
            try:
                asking.execute(named).fetchall()
            except sqlite3.OperationalError as error:
                self.assertRegex(str(error), "interrupt")
            asking.set_progress_handler(None, 0)
            self.assertEqual(sorted(asking.execute(named).fetchall()), [("1",), ("2",)], limit)
            asking.close()

    def test_a_table_that_another_process_renames_is_found_for_new_items_too(self):
        exploring = self.place / "exploring.db"
        database = support.connect(str(exploring))
        database.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        database.execute("CREATE VIRTUAL TABLE items USING personalize_items(GENRE string categorical, "
                         "CREATION_TIMESTAMP long)")
        with database:
            database.execute(EVENTS)
            database.execute("INSERT INTO items WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
                             "WHERE i < 32) SELECT i, iif(i % 3 = 0, 'x', 'y'), 1700000000 + i FROM n")
            database.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
                             "VALUES ('up', 'user-personalization', '{\"epochs\":1}')")
        database.execute("SELECT personalize_train('up', '{\"evaluation\":\"none\"}')").fetchall()
        with database:
            database.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('home', 'up/latest')")
        question = "SELECT item_id FROM recommend('7', 8, 'home')"
        before = database.execute(question).fetchall()
        self.change(exploring, "ALTER TABLE interactions RENAME TO clicks")
        self.assertEqual(len(database.execute(question).fetchall()), len(before))

    def test_databases_that_are_detached_leave_no_file_open(self):
        asking = support.connect()
        counts = []
        for i in range(12):
            path = self.place / f"tenant{i}.db"
            shutil.copy(self.a, path)
            shutil.copytree(self.place / "a.db.personalize", self.place / f"tenant{i}.db.personalize")
            asking.execute("ATTACH ? AS shop", (str(path),))
            asking.execute(QUESTION.format("shop.")).fetchall()
            asking.execute("DETACH shop")
            asking.execute("ATTACH ? AS shop" + str(i), (str(path),))
            asking.execute(QUESTION.format(f"shop{i}.")).fetchall()
            asking.execute(f"DETACH shop{i}")
            # What was open is let go of when the next question finds the database gone.
            asking.execute("ATTACH ? AS a", (str(self.a),))
            asking.execute(QUESTION.format("a.")).fetchall()
            asking.execute("DETACH a")
            counts.append(len(os.listdir("/proc/self/fd")))
        self.assertEqual(counts[3], counts[-1])

    def test_personalize_repair_mends_a_store_that_was_asked_under_two_names(self):
        asking = support.connect(str(self.a))
        asking.execute("ATTACH ? AS other", (str(self.a),))
        for schema in ("main.", "other."):
            asking.execute(QUESTION.format(schema)).fetchall()
        with open(self.place / "a.db.personalize" / "models.mdb", "r+b") as models:
            models.seek(3 * 4096)
            models.write(b"x" * 4096)
        asking.execute("SELECT personalize_repair()").fetchall()
        asking.execute("SELECT personalize_train('net', '{\"evaluation\":\"none\"}')").fetchall()
        self.assertEqual(len(asking.execute(QUESTION.format("")).fetchall()), 5)

    def test_forgetting_deletes_nothing_while_the_models_cannot_be_opened(self):
        asking = support.connect(str(self.a))
        models = self.place / "a.db.personalize" / "models.mdb"
        whole = models.read_bytes()
        models.write_bytes(whole[:4096] + b"x" * 8192)
        rows = asking.execute("SELECT count(*) FROM interactions WHERE user_id = '7'").fetchone()
        with self.assertRaisesRegex(sqlite3.OperationalError, "damaged"):
            asking.execute("SELECT personalize_forget('7')").fetchall()
        self.assertEqual(asking.execute("SELECT count(*) FROM interactions WHERE user_id = '7'").fetchone(), rows)
        asking.close()
        models.write_bytes(whole)
        forgotten = json.loads(fresh(self.a, "SELECT personalize_forget('7')")[0][0])
        self.assertEqual((forgotten["rows"], forgotten["versions"]), (rows[0], ["net/1"]))

    def test_what_an_update_or_a_delete_adds_to_our_tables_is_no_inserted_row_of_the_host(self):
        asking = support.connect(str(self.a))
        asking.execute("CREATE TABLE business(id INTEGER PRIMARY KEY)")
        asking.execute("INSERT INTO business VALUES (77)")
        asking.execute("UPDATE interactions SET item_id = 'new' WHERE user_id = '7'")
        asking.execute("DELETE FROM interactions WHERE user_id = '8'")
        self.assertEqual(asking.execute("SELECT last_insert_rowid()").fetchone(), (77,))


if __name__ == "__main__":
    unittest.main()
