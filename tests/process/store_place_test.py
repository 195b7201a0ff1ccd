"""Where a database's models lie, and what is said when they are somewhere else."""
import ast
import errno
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import personalize_test as support
import training_database
from training_database import one, open_again


class StorePlace(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = str(self.folder / "shop.db")
        self.stores = self.path + ".personalize"

    def train(self, path=None):
        """A database with the version quick/1, closed."""
        connection = training_database.make(path or self.path)
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
        connection.close()

    def versions(self, connection):
        return [row[0] for row in connection.execute("SELECT version FROM personalize_versions")]

    def test_models_lie_beside_the_database_and_move_with_it(self):
        self.train()
        self.assertTrue(os.path.exists(self.stores + "/models.mdb"))
        os.rename(self.path, self.folder / "moved.db")
        os.rename(self.stores, self.folder / "moved.db.personalize")
        self.assertEqual(self.versions(open_again(str(self.folder / "moved.db"))), ["quick/1"])

    def test_a_lock_file_that_is_removed_loses_no_commit(self):
        for trainings in (1, 2):
            path = str(self.folder / f"shop{trainings}.db")
            self.train(path)
            connection = open_again(path)
            self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/2")
            os.remove(path + ".personalize/models.mdb-lock")
            names = ["quick/1", "quick/2"]
            for _ in range(trainings):
                names.append(f"quick/{len(names) + 1}")
                self.assertEqual(self.elsewhere(path, "SELECT personalize_train('quick')"), names[-1])
            connection.execute("DELETE FROM personalize_versions WHERE version = 'quick/1'")
            self.assertEqual(one(connection, "SELECT personalize_train('quick')"), f"quick/{len(names) + 1}")
            names.append(f"quick/{len(names) + 1}")
            self.assertEqual(self.elsewhere(path, "SELECT group_concat(version) FROM personalize_versions"),
                             ",".join(names[1:]))
            self.assertEqual(self.elsewhere(path, "SELECT count(*) FROM recommend('1', 5)"), 5)
            connection.close()

    def test_a_copy_put_in_the_place_of_the_models_leaves_their_locks_to_who_reads(self):
        self.train()
        connection = open_again(self.path)
        question = "SELECT count(*) FROM recommend('1', 5)"
        self.assertEqual(one(connection, question), 5)
        for _ in range(2):
            self.assertFalse(self.may_lock())
            shutil.copy(self.stores + "/models.mdb", self.stores + "/copy")
            os.replace(self.stores + "/copy", self.stores + "/models.mdb")
            self.assertEqual(one(connection, question), 5)
        self.assertFalse(self.may_lock())
        self.assertEqual(self.elsewhere(self.path, "SELECT personalize_train('quick')"), "quick/2")
        self.assertEqual(self.versions(connection), ["quick/1", "quick/2"])

    def elsewhere(self, path, sql):
        """What another process gets."""
        done = subprocess.run(
            [sys.executable, "-c", "import sys, training_database as t\n"
             "print(repr(t.one(t.open_again(sys.argv[1]), sys.argv[2])))", path, sql],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return ast.literal_eval(done.stdout)

    def may_lock(self):
        """Whether another process could take the lock that says that nobody has the models open."""
        tries = ("import fcntl, sys\nf = open(sys.argv[1], 'r+b')\ntry:\n"
                 "    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)\n"
                 "except OSError:\n    sys.exit(1)\n")
        return subprocess.run([sys.executable, "-c", tries, self.stores + "/models.mdb-lock"], check=False).returncode == 0

    def test_a_database_whose_directory_is_missing_says_so_and_can_be_trained_again(self):
        self.train()
        os.rename(self.path, self.folder / "moved.db")
        connection = open_again(str(self.folder / "moved.db"))
        self.assertEqual(self.versions(connection), [])
        state, detail = connection.execute(
            "SELECT state, detail FROM personalize_status WHERE kind = 'store'").fetchone()
        self.assertEqual(state, "MISSING")
        self.assertEqual(detail, "ResourceNotFoundException: no model here: there is no directory "
                                 f"{self.folder}/moved.db.personalize; SELECT personalize_train("
                                 "'<solution>'), or put the directory back beside its database")
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")

    def test_the_directory_of_another_database_is_refused(self):
        self.train()
        other = str(self.folder / "other.db")
        training_database.make(other).close()
        shutil.copytree(self.stores, other + ".personalize")
        connection = open_again(other)
        for question in ("SELECT * FROM personalize_versions", "SELECT personalize_train('quick')"):
            with self.assertRaisesRegex(sqlite3.Error, "belongs to another database"):
                connection.execute(question).fetchall()
        self.assertEqual(one(connection, "SELECT state FROM personalize_status "
                                         "WHERE kind = 'store'"), "UNUSABLE")

    def test_a_directory_that_is_taken_away_and_put_back_under_an_open_connection_is_noticed(self):
        self.train()
        connection = open_again(self.path)
        self.assertEqual(self.versions(connection), ["quick/1"])
        os.rename(self.stores, self.stores + ".away")
        self.assertEqual(self.versions(connection), [])
        os.rename(self.stores + ".away", self.stores)
        self.assertEqual(self.versions(connection), ["quick/1"])

    def test_the_setting_store_path_counts_from_the_database(self):
        connection = training_database.make(self.path)
        connection.execute("INSERT INTO personalize_settings VALUES ('store_path', 'models/shop')")
        os.mkdir(self.folder / "models")
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
        self.assertTrue((self.folder / "models" / "shop" / "models.mdb").exists())
        self.assertFalse(os.path.exists(self.stores))
        connection.execute("DELETE FROM personalize_settings")
        self.assertEqual(self.versions(connection), [])

    def test_a_setting_that_is_rolled_back_does_not_count(self):
        self.train()
        connection = open_again(self.path)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO personalize_settings VALUES ('store_path', 'elsewhere')")
        self.assertEqual(self.versions(connection), [])
        connection.execute("ROLLBACK")
        self.assertEqual(self.versions(connection), ["quick/1"])

    def test_personalize_store_names_a_directory_for_the_stores_of_all_databases(self):
        os.environ["PERSONALIZE_STORE"] = str(self.folder)
        self.addCleanup(os.environ.pop, "PERSONALIZE_STORE")
        connection = training_database.make(self.path)
        one(connection, "SELECT personalize_train('quick')")
        uuid = one(connection, "SELECT uuid FROM personalize_identity")
        self.assertTrue((self.folder / (uuid + ".personalize") / "models.mdb").exists())
        self.assertFalse(os.path.exists(self.stores))

    def test_a_training_below_a_missing_directory_names_the_directory(self):
        os.environ["PERSONALIZE_STORE"] = str(self.folder / "missing" / "stores")
        self.addCleanup(os.environ.pop, "PERSONALIZE_STORE")
        connection = training_database.make(self.path)
        with self.assertRaisesRegex(sqlite3.Error, str(self.folder / "missing")) as raised:
            one(connection, "SELECT personalize_train('quick')")
        self.assertNotIn("no model here", str(raised.exception))

    def test_a_database_in_memory_has_a_directory_that_goes_with_it(self):
        os.environ["TMPDIR"] = str(self.folder)
        self.addCleanup(os.environ.pop, "TMPDIR")
        connection = training_database.make("file:shared?mode=memory&cache=shared", uri=True)
        one(connection, "SELECT personalize_train('quick')")
        second = open_again("file:shared?mode=memory&cache=shared", uri=True)
        self.assertEqual(self.versions(second), ["quick/1"])
        self.assertEqual(len(list(self.folder.glob("personalize-*"))), 1)
        connection.close()
        self.assertEqual(len(list(self.folder.glob("personalize-*"))), 1)
        second.close()
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_child_of_fork_leaves_its_parents_temporary_directory_alone(self):
        os.environ["TMPDIR"] = str(self.folder)
        self.addCleanup(os.environ.pop, "TMPDIR")
        connection = training_database.make(":memory:")
        one(connection, "SELECT personalize_train('quick')")
        child = os.fork()
        if child == 0:
            connection.close()
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(self.versions(connection), ["quick/1"])
        connection.close()

    def test_a_read_only_connection_reads_models_and_does_not_train(self):
        self.train()
        connection = open_again(f"file:{self.path}?mode=ro", uri=True)
        self.assertEqual(self.versions(connection), ["quick/1"])
        with self.assertRaisesRegex(sqlite3.Error, "database 'main' was opened read-only"):
            connection.execute("SELECT personalize_train('quick')").fetchall()

    def test_in_a_read_only_directory_models_are_read_and_none_are_made(self):
        self.train()
        script = """if True:
            import os, sqlite3, sys
            import training_database
            if os.getuid() == 0:
                os.setgroups([]); os.setgid(65534); os.setuid(65534)  # nobody: rights bind
            connection = training_database.open_again(sys.argv[1])
            print([row[0] for row in connection.execute('SELECT version FROM personalize_versions')])
            print(connection.execute("SELECT state FROM personalize_status WHERE kind = 'store'").fetchone())
            try:
                connection.execute("SELECT personalize_train('quick')").fetchall()
            except sqlite3.Error as error:
                print(error)
        """
        for root, folders, files in os.walk(self.folder):
            for name in files:
                os.chmod(os.path.join(root, name), 0o444)
            os.chmod(root, 0o555)
        done = subprocess.run([sys.executable, "-c", script, self.path], capture_output=True, text=True)
        for root, folders, files in os.walk(self.folder):
            os.chmod(root, 0o755)
        lines = done.stdout.splitlines()
        self.assertEqual(done.stderr, "")
        self.assertEqual(lines[:2], ["['quick/1']", "('READ-ONLY',)"])
        self.assertEqual(lines[2], "personalize_train: database 'main' was opened read-only; train with "
                                   "a connection that may write")

    def test_the_database_works_in_a_plain_sqlite_without_the_extension(self):
        self.train()
        connection = open_again(self.path)
        connection.execute("CREATE TABLE products(id, price)")
        connection.execute("INSERT INTO personalize_campaigns(name, version) "
                           "VALUES ('home', 'quick/latest')")
        connection.close()
        plain = sqlite3.connect(self.path, isolation_level=None)
        self.assertEqual(plain.execute("SELECT name, version FROM personalize_campaigns").fetchall(),
                         [("home", "quick/latest")])
        plain.execute("ALTER TABLE products RENAME TO goods")
        plain.execute("ALTER TABLE goods RENAME COLUMN price TO cost")
        plain.execute("ALTER TABLE goods ADD COLUMN stock")
        plain.execute("ALTER TABLE goods DROP COLUMN stock")
        with self.assertRaisesRegex(sqlite3.Error, "no such function: personalize_check_campaign"):
            plain.execute("INSERT INTO personalize_campaigns(name, version) VALUES ('a', 'b')")
        plain.close()
        dump = subprocess.run(["sqlite3", self.path, ".dump"], capture_output=True, check=True).stdout
        restored = str(self.folder / "restored.db")
        subprocess.run(["sqlite3", restored], input=dump, capture_output=True, check=True)
        shutil.copytree(self.stores, restored + ".personalize")
        again = open_again(restored)
        self.assertEqual(self.versions(again), ["quick/1"])
        self.assertEqual(one(again, "SELECT count(*) FROM interactions"), 3000)
        self.assertEqual(one(again, "SELECT personalize_train('quick')"), "quick/2")
        self.assertEqual(again.execute("SELECT * FROM personalize_check").fetchall(), [])


@unittest.skipUnless(os.getuid() == 0, "needs root, to mount a small file system")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, self.folder)
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.folder]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("this container may not mount")
        self.addCleanup(subprocess.run, ["umount", self.folder], check=True)

    def fill(self):
        """Leaves no room. Gives the file that takes it."""
        filler = os.path.join(self.folder, "filler")
        descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, bytes(4096))
        except OSError as error:
            self.assertEqual(error.errno, errno.ENOSPC)
        finally:
            os.close(descriptor)
        return filler

    def test_a_training_that_finds_no_room_says_so_and_leaves_what_was_there(self):
        connection = training_database.make(os.path.join(self.folder, "shop.db"))
        self.addCleanup(connection.close)
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
        filler = self.fill()
        with self.assertRaisesRegex(sqlite3.Error, "No space left on device"):
            # Free pages of the file last for some versions.
            for _ in range(20):
                connection.execute("SELECT personalize_train('quick')").fetchall()
        self.assertEqual(one(connection, "SELECT status FROM personalize_versions "
                                         "WHERE version = 'quick/1'"), "ACTIVE")
        os.remove(filler)
        self.assertRegex(one(connection, "SELECT personalize_train('quick')"), "quick/")
        self.assertEqual(connection.execute("SELECT * FROM personalize_check").fetchall(), [])


if __name__ == "__main__":
    unittest.main()
