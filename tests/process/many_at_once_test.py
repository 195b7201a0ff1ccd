"""8 processes of 4 connections over one database: readers, writers, a training that publishes versions
and deletes old ones, processes that are killed. Every answer must be the one of a single-threaded replay
of its snapshot without any memo of users' states (tests/support/many_at_once).

The seed is printed; PERSONALIZE_SEED sets it. It decides what is asked and written, not what happens when.
tests/soak runs the same for longer.
"""
import os
import random
import tempfile
import unittest

from many_at_once.run import Run

SECONDS = 6
ENOUGH = 300  # answers compared


class ManyAtOnce(unittest.TestCase):
    def run_with(self, journal):
        seed = int(os.environ.get("PERSONALIZE_SEED") or random.randrange(1 << 31))
        with tempfile.TemporaryDirectory(prefix="personalize-many-") as folder:
            run = Run(folder, journal, seed, SECONDS, ENOUGH)
            failures = run.run()
            summary = run.summary()
            print(f"\nseed {seed}: {summary}", flush=True)
        if failures:
            self.fail("\n".join(failures))
        self.assertGreaterEqual(summary["compared"]["all"], ENOUGH)
        # Else the replay would have had nothing to differ from.
        self.assertGreater(summary["state writes"], ENOUGH)

    def test_every_answer_is_that_of_its_snapshot_with_a_write_ahead_log(self):
        self.run_with("WAL")

    def test_every_answer_is_that_of_its_snapshot_with_a_rollback_journal(self):
        self.run_with("DELETE")


if __name__ == "__main__":
    unittest.main()
