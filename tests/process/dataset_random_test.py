"""Random statements on datasets, compared with plain SQLite tables that get the same ones."""
import os
import random
import sqlite3
import tempfile
import unittest

import personalize_test as support

PLAIN = """
CREATE TABLE interactions(user_id TEXT NOT NULL, item_id TEXT NOT NULL, event_type TEXT,
                          event_value REAL, timestamp INTEGER NOT NULL);
CREATE TABLE users(user_id TEXT NOT NULL UNIQUE, age INTEGER);
"""
DATASETS = """
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int);
"""
COMPARED = [
    "SELECT user_id, item_id, event_type, event_value, timestamp FROM interactions ORDER BY 1, 2, 3, 4, 5",
    "SELECT user_id, count(*), sum(timestamp) FROM interactions GROUP BY user_id ORDER BY user_id",
    "SELECT item_id, event_type, count(*) FROM interactions GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT user_id, age FROM users ORDER BY user_id",
    "SELECT i.user_id, u.age, count(*) FROM interactions AS i LEFT JOIN users AS u USING (user_id) "
    "GROUP BY 1 ORDER BY 1",
]
CONFLICTS = ["", "", "", " OR IGNORE", " OR FAIL", " OR REPLACE", " OR ABORT", " OR ROLLBACK"]


class Statements:
    """A source of random statements; keeps track of open savepoints."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def user(self):
        return "u%d" % self.random.randrange(12)

    def item(self):
        return "i%d" % self.random.randrange(20)

    def event(self):
        bad = self.random.random()
        user = None if bad < 0.02 else self.user()
        item = None if 0.02 < bad < 0.04 else self.item()
        timestamp = None if 0.04 < bad < 0.06 else self.random.randrange(1000)
        kind = self.random.choice([None, "click", "buy", "view"])
        value = self.random.choice([None, 1.0, 2.5])
        return (user, item, kind, value, timestamp)

    def next(self):
        """SQL and its parameters."""
        pick = self.random.random()
        conflict = self.random.choice(CONFLICTS)
        if pick < 0.30:
            rows = [self.event() for _ in range(self.random.randrange(1, 6))]
            return (f"INSERT{conflict} INTO interactions(user_id, item_id, event_type, event_value, timestamp) "
                    "VALUES " + ", ".join(["(?, ?, ?, ?, ?)"] * len(rows)), [v for row in rows for v in row])
        if pick < 0.36:
            return ("INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp) "
                    "SELECT ?, item_id, event_type, event_value, timestamp + 1 FROM interactions "
                    "WHERE user_id = ?", [self.user(), self.user()])
        if pick < 0.42:
            return "UPDATE interactions SET user_id = ? WHERE item_id = ?", [self.user(), self.item()]
        if pick < 0.48:
            return ("UPDATE interactions SET event_type = ?, timestamp = timestamp + 7 WHERE user_id = ?",
                    [self.random.choice([None, "view", "again"]), self.user()])
        if pick < 0.50:
            return "UPDATE interactions SET item_id = ? WHERE timestamp < ?", [self.item(), self.random.randrange(300)]
        if pick < 0.54:
            return "DELETE FROM interactions WHERE user_id = ?", [self.user()]
        if pick < 0.56:
            return "DELETE FROM interactions WHERE timestamp > ?", [self.random.randrange(1000)]
        if pick < 0.66:
            rows = [(self.user(), self.random.choice([None, 1, 2, 3])) for _ in range(self.random.randrange(1, 4))]
            return (f"INSERT{conflict} INTO users VALUES " + ", ".join(["(?, ?)"] * len(rows)),
                    [v for row in rows for v in row])
        if pick < 0.70:
            return f"UPDATE{conflict} users SET user_id = ? WHERE user_id = ?", [self.user(), self.user()]
        if pick < 0.72:
            return "UPDATE users SET age = age + 1", []
        if pick < 0.74:
            return "DELETE FROM users WHERE user_id IN (?, ?)", [self.user(), self.user()]
        savepoint = self.random.choice("abc")
        return (self.random.choice(["BEGIN", "BEGIN", "COMMIT", "ROLLBACK", f"SAVEPOINT {savepoint}",
                                    f"SAVEPOINT {savepoint}", f"ROLLBACK TO {savepoint}",
                                    f"RELEASE {savepoint}"]), [])


def outcome(connection, sql, parameters):
    """Whether the statement succeeded, and how many rows it changed."""
    try:
        cursor = connection.execute(sql, parameters)
        return True, max(cursor.rowcount, 0)
    except sqlite3.Error:
        return False, None


class RandomStatements(unittest.TestCase):
    def compare(self, datasets, plain, what):
        for query in COMPARED:
            self.assertEqual(datasets.execute(query).fetchall(), plain.execute(query).fetchall(), (what, query))
        for number in range(12):
            user = f"u{number}"
            for query in ["SELECT item_id, timestamp FROM interactions WHERE user_id = ? ORDER BY timestamp, 1",
                          "SELECT age FROM users WHERE user_id = ?"]:
                self.assertEqual(datasets.execute(query, [user]).fetchall(),
                                 plain.execute(query, [user]).fetchall(), (what, query, user))

    def check_shadow_tables(self, connection):
        """Every code has its text, and none is there twice."""
        for query in ["SELECT count(*) FROM interactions_event WHERE user_id >> 32 NOT IN "
                      "(SELECT code FROM interactions_user)",
                      "SELECT count(*) FROM interactions_event WHERE item_id NOT IN "
                      "(SELECT code FROM interactions_item)",
                      "SELECT count(*) FROM interactions_event WHERE event_type NOT IN "
                      "(SELECT code FROM interactions_type)"]:
            self.assertEqual(connection.execute(query).fetchone(), (0,), query)
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def run_sequence(self, seed):
        """One plain database against one with two connections, which take turns by transaction."""
        statements = Statements(seed)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "test.db")
            connections = [support.connect(path, isolation_level=None) for _ in range(2)]
            plain = sqlite3.connect(":memory:", isolation_level=None)
            connections[0].executescript(DATASETS)
            plain.executescript(PLAIN)
            current = connections[0]
            for step in range(250):
                if not current.in_transaction:
                    current = statements.random.choice(connections)
                sql, parameters = statements.next()
                expected = outcome(plain, sql, parameters)
                got = outcome(current, sql, parameters)
                what = (seed, step, sql, parameters)
                self.assertEqual(got, expected, what)
                self.assertEqual(current.in_transaction, plain.in_transaction, what)
                if step % 5 == 0 or not expected[0]:
                    self.compare(current, plain, what)
            if current.in_transaction:
                current.execute("ROLLBACK")
                plain.execute("ROLLBACK")
            for connection in connections:
                self.compare(connection, plain, (seed, "end"))
                self.check_shadow_tables(connection)
                connection.close()
            plain.close()

    def test_datasets_hold_what_plain_tables_hold_after_any_sequence_of_statements(self):
        for seed in range(25):
            self.run_sequence(seed)


if __name__ == "__main__":
    unittest.main()
