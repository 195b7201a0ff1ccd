"""A training as a guest in somebody's process: watched, stopped, killed, beside others."""
import contextlib
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import personalize_test as support
import training_database
from training_database import PATIENCE, one, open_again, wait_for

# A training of the solution 'slow' or another, in a process of its own.
TRAIN = """
import sys
import training_database
connection = training_database.open_again(sys.argv[1])
print(training_database.one(connection, "SELECT personalize_train(?1)", sys.argv[2]), flush=True)
"""

def start_training(path, solution):
    return subprocess.Popen([sys.executable, "-c", TRAIN, path, solution], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


class Training(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "shop.db")

    def make(self, **options):
        connection = training_database.make(self.path, **options)
        self.addCleanup(connection.close)
        return connection

    def epochs_seen(self, connection):
        return one(connection, "SELECT count(*) FROM personalize_training_log "
                               "WHERE version = 'slow/1' AND epoch IS NOT NULL")

    def test_its_log_can_be_watched_from_another_process_while_it_runs(self):
        connection = self.make()
        child = start_training(self.path, "slow")
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        first = wait_for(lambda: self.epochs_seen(connection))
        wait_for(lambda: self.epochs_seen(connection) > first)
        self.assertEqual(one(connection, "SELECT status FROM personalize_versions "
                                         "WHERE version = 'slow/1'"), "CREATE IN_PROGRESS")
        with self.assertRaisesRegex(sqlite3.Error, "ResourceInUseException: solution version "
                                                   "'slow/1' is being trained by process"):
            connection.execute("DELETE FROM personalize_versions")

    def test_a_kill_in_the_middle_leaves_nothing_half_and_needs_no_repair(self):
        connection = self.make()
        child = start_training(self.path, "slow")
        wait_for(lambda: self.epochs_seen(connection))
        child.kill()
        child.communicate()
        for where in (connection, open_again(self.path)):
            self.assertEqual(where.execute("SELECT version, status, failure_reason "
                                           "FROM personalize_versions").fetchall(),
                             [("slow/1", "CREATE FAILED", "the process that trained it ended")])
            self.assertEqual(where.execute("SELECT * FROM personalize_check").fetchall(), [])
        self.assertEqual(one(connection, "PRAGMA integrity_check"), "ok")
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
        connection.execute("DELETE FROM personalize_versions WHERE version = 'slow/1'")

    def test_interrupt_ends_it_and_leaves_the_connection_usable(self):
        connection = self.make()
        watcher = open_again(self.path)
        interrupted_at = []

        def interrupt():
            wait_for(lambda: self.epochs_seen(watcher_of_thread()))
            interrupted_at.append(time.monotonic())
            connection.interrupt()

        def watcher_of_thread():
            if not hasattr(local, "connection"):
                local.connection = open_again(self.path)
            return local.connection

        local = threading.local()
        thread = threading.Thread(target=interrupt)
        thread.start()
        with self.assertRaisesRegex(sqlite3.OperationalError, "interrupt"):
            connection.execute("SELECT personalize_train('slow')").fetchall()
        elapsed = time.monotonic() - interrupted_at[0]
        thread.join()
        print(f"interrupted training ended after {1000 * elapsed:.0f} ms", file=sys.stderr)
        # Not how fast it is, but that it did not go on to its end, which takes minutes.
        self.assertLess(elapsed, PATIENCE)
        self.assertEqual(watcher.execute("SELECT status FROM personalize_versions").fetchall(),
                         [("CREATE FAILED",)])
        self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")

    def test_ctrl_c_in_the_shell_ends_it(self):
        self.make()
        self.end_by_ctrl_c()

    def test_ctrl_c_in_the_shell_ends_a_search(self):
        self.make().execute("UPDATE personalize_solutions SET perform_hpo = 1 WHERE name = 'slow'")
        stage = self.end_by_ctrl_c().execute(
            "SELECT DISTINCT stage FROM personalize_training_log WHERE epoch IS NOT NULL").fetchall()
        self.assertEqual(stage, [("search",)])

    def end_by_ctrl_c(self):
        shell = subprocess.Popen(
            ["sqlite3", "-interactive", "-init", "/dev/null", "-cmd", ".load " + support.EXTENSION,
             self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=support.host_environment())
        shell.stdin.write("SELECT personalize_train('slow');\n")
        shell.stdin.flush()
        watcher = open_again(self.path)
        wait_for(lambda: self.epochs_seen(watcher))
        shell.send_signal(signal.SIGINT)
        wait_for(lambda: one(watcher, "SELECT status FROM personalize_versions") == "CREATE FAILED")
        output, _ = shell.communicate("SELECT 'still ' || 'here';\n.quit\n")
        self.assertIn("interrupt", output)
        self.assertIn("still here", output)
        return watcher

    def test_two_processes_train_at_once(self):
        connection = self.make()
        children = [start_training(self.path, "quick") for _ in range(2)]
        names = []
        for child in children:
            output, errors = child.communicate(timeout=PATIENCE)
            self.assertEqual((child.returncode, errors), (0, ""))
            names.append(output.strip())
        self.assertEqual(sorted(names), ["quick/1", "quick/2"])
        self.assertEqual(one(connection, "SELECT count(*) FROM personalize_versions "
                                         "WHERE status = 'ACTIVE'"), 2)

    def test_it_works_beside_a_writer_in_every_journal_mode(self):
        for journal in ("DELETE", "WAL"):
            with self.subTest(journal=journal):
                self.path += journal
                connection = self.make(journal=journal)
                writer = open_again(self.path)
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO interactions(user_id, item_id, timestamp) "
                               "VALUES ('new', 'new', 1800000000)")
                self.assertEqual(one(connection, "SELECT personalize_train('quick')"), "quick/1")
                writer.execute("COMMIT")
                self.assertEqual(one(connection, "SELECT events FROM personalize_versions"), 3000)
                writer.close()

    def test_it_holds_no_lock_that_a_writer_would_wait_for(self):
        self.make()
        child = start_training(self.path, "slow")
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        writer = support.connect(self.path, isolation_level=None, timeout=PATIENCE)
        wait_for(lambda: self.epochs_seen(writer))
        writer.execute("INSERT INTO interactions(user_id, item_id, timestamp) "
                       "VALUES ('new', 'new', 1800000000)")
        self.assertIsNone(child.poll(), "the training has ended before the writer came")

    def test_a_solution_of_an_attached_database_is_trained_into_its_own_store(self):
        self.make().close()
        main = support.connect(isolation_level=None)
        main.execute("ATTACH ? AS shop", (self.path,))
        self.assertEqual(one(main, "SELECT personalize_train('shop.quick')"), "quick/1")
        self.assertEqual(one(main, "SELECT personalize_train('quick')"), "quick/2")
        self.assertEqual(main.execute("SELECT version, schema FROM personalize_versions").fetchall(),
                         [("quick/1", "shop"), ("quick/2", "shop")])
        self.assertTrue(os.path.exists(self.path + ".personalize/models.mdb"))

    def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere(self):
        self.make().close()
        command = ["sqlite3", "-batch", "-init", "/dev/null", "-cmd", ".load " + support.EXTENSION,
                   self.path, "SELECT personalize_train('quick')"]
        silent = subprocess.run(command, capture_output=True, env=support.host_environment())
        self.assertEqual((silent.stdout, silent.stderr), (b"quick/1\n", b""))
        ours, theirs = pty.openpty()
        shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs,
                               env=support.host_environment())
        os.close(theirs)
        line = b""
        with contextlib.suppress(OSError):  # the terminal's end, once nobody writes to it
            while piece := os.read(ours, 65536):  # gives what is there, not all that is coming
                line += piece
        os.close(ours)
        self.assertEqual(shown.stdout, b"quick/2\n")
        self.assertIn(b"\rquick/2: read", line.replace(b"\x1b[K", b""))
        self.assertNotIn(b"\n", line)
        self.assertTrue(line.endswith(b"\r\x1b[K"), line)


if __name__ == "__main__":
    unittest.main()
