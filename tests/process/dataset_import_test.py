"""personalize_import among other connections, when it is interrupted, and when its process is killed."""
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest

import personalize_test as support

ROWS = 200_000
DATASETS = """
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE items USING personalize_items(TITLE string);
"""


class Import(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.database = os.path.join(self.folder, "test.db")
        self.csv = os.path.join(self.folder, "interactions.csv")
        self.items = os.path.join(self.folder, "items.csv")

    def write_files(self, rows=ROWS):
        with open(self.csv, "w") as file:
            file.write("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
            file.writelines(f"u{n * 7919 % 5003},i{n % 997},view,{n}\n" for n in range(rows))
        with open(self.items, "w") as file:
            file.write("ITEM_ID,TITLE\n")
            file.writelines(f"i{n},title {n}\n" for n in range(rows))

    def connect(self, **options):
        connection = support.connect(self.database, isolation_level=None, **options)
        self.addCleanup(connection.close)
        return connection

    def count(self, connection, table="interactions"):
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def test_rows_lie_by_user_in_the_order_of_the_file(self):
        self.write_files(20_000)
        connection = self.connect()
        connection.executescript(DATASETS)
        summary = json.loads(connection.execute("SELECT personalize_import('interactions', ?)",
                                                [self.csv]).fetchone()[0])
        self.assertEqual((summary["rows"], summary["users"]), (20_000, 5003))
        expected = {}
        for n in range(20_000):
            expected.setdefault(f"u{n * 7919 % 5003}", []).append((f"i{n % 997}", n))
        found = {}
        for user, item, timestamp in connection.execute("SELECT user_id, item_id, timestamp FROM interactions"):
            found.setdefault(user, []).append((item, timestamp))
        self.assertEqual(found, expected)

    def test_a_writer_elsewhere_makes_it_fail_with_nothing_in(self):
        self.write_files(1000)
        writer, connection = self.connect(), self.connect(timeout=0)
        writer.executescript(DATASETS)
        writer.execute("BEGIN IMMEDIATE")
        with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
            connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
        self.assertFalse(connection.in_transaction)
        writer.execute("COMMIT")
        self.assertEqual(self.count(connection), 0)
        connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
        self.assertEqual(self.count(writer), 1000)

    def test_a_reader_that_blocks_the_commit_makes_it_fail_with_nothing_in(self):
        self.write_files(1000)
        reader, connection = self.connect(), self.connect(timeout=0)
        reader.executescript(DATASETS)
        reader.execute("BEGIN")
        self.assertEqual(self.count(reader), 0)
        with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
            connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
        self.assertFalse(connection.in_transaction)
        reader.execute("COMMIT")
        self.assertEqual(self.count(connection), 0)
        connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
        self.assertEqual(self.count(reader), 1000)

    def test_any_text_that_a_csv_writer_writes_is_read_back(self):
        letters = ["a", "B", "7", ",", ";", '"', "'", "\n", "\r\n", "|", " ", "\t", "\\", "é", "漢", "😀", "\0"]
        for seed in range(20):
            choose = random.Random(seed)
            titles = {f"id{n}": "".join(choose.choices(letters, k=choose.randrange(1, 12))).strip() or None
                      for n in range(200)}
            delimiter, ending = choose.choice(",;|\t"), choose.choice(["\n", "\r\n"])
            with open(self.items, "w", newline="", encoding=choose.choice(["utf-8", "utf-8-sig"])) as file:
                writer = csv.writer(file, delimiter=delimiter, lineterminator=ending,
                                    quoting=choose.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
                writer.writerow(["title", "item_id"])
                writer.writerows([title, item] for item, title in titles.items())
            connection = support.connect(isolation_level=None)
            connection.executescript(DATASETS)
            connection.execute("SELECT personalize_import('items', ?, json_object('delimiter', ?))",
                               [self.items, delimiter])
            self.assertEqual(dict(connection.execute("SELECT item_id, title FROM items")), titles, seed)
            connection.close()

    def test_a_full_database_takes_nothing_of_the_file(self):
        self.write_files(20_000)
        connection = self.connect()
        connection.executescript(DATASETS)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        for table, path in [("interactions", self.csv), ("items", self.items)]:
            with self.assertRaisesRegex(sqlite3.OperationalError, "database or disk is full"):
                connection.execute("SELECT personalize_import(?, ?)", [table, path])
            self.assertFalse(connection.in_transaction)
            self.assertEqual(self.count(connection, table), 0)
        connection.execute("PRAGMA max_page_count = 1000000")
        connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
        self.assertEqual(self.count(connection), 20_000)
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_an_interrupted_import_leaves_nothing_and_no_open_transaction(self):
        self.write_files()
        connection = self.connect(check_same_thread=False)
        connection.executescript(DATASETS)
        for table, path in [("interactions", self.csv), ("items", self.items)]:
            interrupted = 0
            for tenths in range(1, 40):
                timer = threading.Timer(tenths * 0.02, connection.interrupt)
                timer.start()
                try:
                    connection.execute("SELECT personalize_import(?, ?)", [table, path])
                except sqlite3.OperationalError as error:
                    self.assertIn("interrupted", str(error))
                    interrupted += 1
                timer.cancel()
                timer.join()
                self.assertFalse(connection.in_transaction)
                if self.count(connection, table) != 0:
                    break  # it was faster
            self.assertIn(self.count(connection, table), (0, ROWS))
            self.assertGreater(interrupted, 0)
            connection.execute(f"DELETE FROM {table}")
            connection.execute("SELECT personalize_import(?, ?)", [table, path])
            self.assertEqual(self.count(connection, table), ROWS)

    def test_kill_in_the_middle_of_an_import_leaves_all_or_nothing(self):
        self.write_files()
        for mode in ["DELETE", "WAL"]:
            connection = self.connect()
            connection.executescript(f"PRAGMA journal_mode = {mode};")
            if mode == "DELETE":
                connection.executescript(DATASETS)
            child = textwrap.dedent(f"""
                import personalize_test as support
                connection = support.connect({self.database!r}, isolation_level=None)
                connection.execute("PRAGMA cache_size = 50")
                print("ready", flush=True)
                connection.execute("SELECT personalize_import('interactions', {self.csv!r})")
                print("done", flush=True)
                """)
            for delay in [0.05, 0.2, 0.4, 0.8]:
                before = self.count(connection)
                process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE,
                                           env=dict(os.environ, PYTHONPATH=str(support.SOURCE / "tests/support")))
                self.assertEqual(process.stdout.readline(), b"ready\n")
                time.sleep(delay)
                process.send_signal(signal.SIGKILL)
                done = process.stdout.read() == b"done\n"
                process.stdout.close()
                process.wait()
                found = self.count(connection) - before
                self.assertIn(found, (ROWS,) if done else (0, ROWS))
                self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            connection.execute("DELETE FROM interactions")
            connection.execute("SELECT personalize_import('interactions', ?)", [self.csv])
            self.assertEqual(self.count(connection), ROWS)
            connection.execute("DELETE FROM interactions")

    def test_kill_in_the_middle_of_commits_loses_no_committed_row(self):
        connection = self.connect()
        connection.executescript(DATASETS)
        child = textwrap.dedent(f"""
            import personalize_test as support
            connection = support.connect({self.database!r}, isolation_level=None)
            for batch in range(10**6):
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)",
                                       [(f"u{{batch % 7}}", f"i{{batch}}-{{n}}", batch) for n in range(50)])
                connection.execute("COMMIT")
                print(batch + 1, flush=True)
            """)
        committed = 0
        for delay in [0.1, 0.3, 0.5]:
            before = self.count(connection)
            process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE,
                                       env=dict(os.environ, PYTHONPATH=str(support.SOURCE / "tests/support")))
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            lines = process.stdout.read().split(b"\n")
            process.stdout.close()
            process.wait()
            committed = max([1] + [int(line) for line in lines[:-1]])
            found = self.count(connection) - before
            self.assertEqual(found % 50, 0)
            self.assertGreaterEqual(found, committed * 50)
            connection.execute("INSERT INTO interactions(user_id, item_id, timestamp) VALUES ('u1', 'x', 1)")
            connection.execute("DELETE FROM interactions WHERE item_id = 'x'")


if __name__ == "__main__":
    unittest.main()
