"""Damaged files of a store: what is said, and what personalize_repair() does."""
import json
import os
import pathlib
import sqlite3
import tempfile
import unittest

import training_database
from training_database import one, open_again

QUESTION = "SELECT count(*) FROM recommend('7', 5)"


class Repair(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "shop.db")
        self.models = self.path + ".personalize/models.mdb"
        self.connection = training_database.make(self.path)
        self.addCleanup(self.connection.close)
        self.assertEqual(one(self.connection, "SELECT personalize_train('quick')"), "quick/1")

    def damage(self):
        """Overwrites all but the first pages, which LMDB needs to find anything."""
        size = os.path.getsize(self.models)
        with open(self.models, "r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\xa5" * (size - 3 * 4096))

    def test_what_is_sound_is_left_alone(self):
        before = pathlib.Path(self.models).read_bytes()
        self.assertEqual(self.connection.execute("SELECT * FROM personalize_check").fetchall(), [])
        self.assertEqual(json.loads(one(self.connection, "SELECT personalize_repair()")),
                         [{"schema": "main", "directory": self.path + ".personalize",
                           "set_aside": [], "train": ["slow"]}])
        self.assertEqual(pathlib.Path(self.models).read_bytes(), before)

    def test_a_damaged_file_is_named_set_aside_and_replaced(self):
        self.connection.close()
        self.damage()
        connection = open_again(self.path)
        self.addCleanup(connection.close)
        for question in (QUESTION, "SELECT * FROM personalize_versions",
                         "SELECT personalize_train('quick')"):
            with self.assertRaisesRegex(sqlite3.Error, r"SELECT personalize_repair\(\)"):
                connection.execute(question).fetchall()
        places = [place for place, _ in connection.execute("SELECT * FROM personalize_check")]
        self.assertIn("models.mdb", places)
        self.assertEqual(one(connection, "SELECT state FROM personalize_status "
                                         "WHERE kind = 'store'"), "UNUSABLE")
        result = json.loads(one(connection, "SELECT personalize_repair()"))[0]
        self.assertEqual(result["set_aside"], [self.models + ".damaged-1"])
        self.assertEqual(result["train"], ["quick", "slow"])
        self.assertTrue(os.path.exists(self.models + ".damaged-1"))
        self.assertEqual(connection.execute("SELECT * FROM personalize_check").fetchall(), [])
        self.assertRegex(one(connection, "SELECT personalize_train('quick')"), "quick/")
        self.assertEqual(one(connection, QUESTION), 5)

    def test_the_connection_that_asked_can_repair_what_was_damaged_under_it(self):
        self.assertEqual(one(self.connection, QUESTION), 5)
        self.damage()
        result = json.loads(one(self.connection, "SELECT personalize_repair()"))[0]
        self.assertEqual(result["set_aside"], [self.models + ".damaged-1"])
        self.assertRegex(one(self.connection, "SELECT personalize_train('quick')"), "quick/")
        self.assertEqual(one(self.connection, QUESTION), 5)

    def test_a_file_that_another_connection_has_open_is_not_replaced(self):
        other = open_again(self.path)
        self.addCleanup(other.close)
        self.assertEqual(one(other, QUESTION), 5)
        self.damage()
        with self.assertRaisesRegex(sqlite3.OperationalError, "models.mdb"):
            self.connection.execute("SELECT personalize_repair()").fetchall()
        other.close()
        result = json.loads(one(self.connection, "SELECT personalize_repair()"))[0]
        self.assertEqual(result["set_aside"], [self.models + ".damaged-1"])


if __name__ == "__main__":
    unittest.main()
