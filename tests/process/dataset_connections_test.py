"""Datasets written by several connections and processes."""
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import unittest

import personalize_test as support

INSERT = "INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)"


class Connections(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.database = os.path.join(folder.name, "test.db")

    def connect(self, **options):
        connection = support.connect(self.database, isolation_level=None, **options)
        self.addCleanup(connection.close)
        return connection

    def events(self, connection):
        return connection.execute("SELECT user_id, item_id, timestamp FROM interactions "
                                  "ORDER BY user_id, timestamp").fetchall()

    def test_a_connection_numbers_ids_and_events_after_those_another_wrote(self):
        one, two = self.connect(), self.connect()
        one.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        one.execute(INSERT, ["a", "x", 1])
        two.execute(INSERT, ["b", "y", 1])
        two.execute(INSERT, ["a", "y", 2])
        one.execute(INSERT, ["b", "y", 2])
        one.execute(INSERT, ["a", "z", 3])
        expected = [("a", "x", 1), ("a", "y", 2), ("a", "z", 3), ("b", "y", 1), ("b", "y", 2)]
        self.assertEqual(self.events(one), expected)
        self.assertEqual(self.events(two), expected)

    def test_a_dataset_that_another_connection_makes_anew_is_the_new_one(self):
        one, two = self.connect(), self.connect()
        one.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        one.execute(INSERT, ["a", "x", 1])
        self.assertEqual(self.events(two), [("a", "x", 1)])
        two.execute("DROP TABLE interactions")
        two.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions(DEVICE string)")
        two.execute("INSERT INTO interactions VALUES ('b', 'y', NULL, NULL, 2, 'phone')")
        one.execute(INSERT, ["c", "x", 3])
        self.assertEqual(self.events(one), [("b", "y", 2), ("c", "x", 3)])
        self.assertEqual(one.execute("SELECT device FROM interactions").fetchall(), [("phone",), (None,)])

    def test_an_insert_meets_sqlite_busy_and_succeeds_later(self):
        one, two = self.connect(), self.connect(timeout=0)
        one.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        one.execute("BEGIN")
        one.execute(INSERT, ["a", "x", 1])
        with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
            two.execute(INSERT, ["a", "y", 2])
        one.execute("ROLLBACK")
        two.execute(INSERT, ["a", "y", 2])
        self.assertEqual(self.events(one), [("a", "y", 2)])

    def test_a_reader_keeps_its_snapshot_in_wal_mode(self):
        one, two = self.connect(), self.connect()
        one.execute("PRAGMA journal_mode = WAL")
        one.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        one.execute(INSERT, ["a", "x", 1])
        two.execute("BEGIN")
        self.assertEqual(self.events(two), [("a", "x", 1)])
        one.execute(INSERT, ["new", "new", 2])
        self.assertEqual(self.events(two), [("a", "x", 1)])
        two.execute("COMMIT")
        self.assertEqual(self.events(two), [("a", "x", 1), ("new", "new", 2)])

    def test_processes_that_insert_at_once_lose_nothing(self):
        connection = self.connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        child = textwrap.dedent(f"""
            import sys
            import personalize_test as support
            connection = support.connect({self.database!r}, isolation_level=None, timeout=60)
            connection.execute("PRAGMA synchronous = OFF")
            for n in range(300):
                connection.execute({INSERT!r}, [f"u{{n % 10}}", f"i{{n % 50}}", n])
            """)
        processes = [subprocess.Popen([sys.executable, "-c", child],
                                      env=dict(os.environ, PYTHONPATH=str(support.SOURCE / "tests/support")))
                     for _ in range(3)]
        for process in processes:
            self.assertEqual(process.wait(), 0)
        self.assertEqual(connection.execute("SELECT count(*), count(DISTINCT user_id), count(DISTINCT item_id), "
                                            "sum(timestamp) FROM interactions").fetchone(),
                         (900, 10, 50, 3 * sum(range(300))))

    def test_a_connection_can_be_closed_in_the_middle_of_a_transaction(self):
        one, two = self.connect(), self.connect()
        one.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        two.execute("BEGIN")
        two.execute(INSERT, ["a", "x", 1])
        two.close()
        self.assertEqual(self.events(one), [])


if __name__ == "__main__":
    unittest.main()
