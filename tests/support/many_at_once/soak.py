"""tests/soak: a third of the time with a write-ahead log, a third with a rollback journal, a third with a catalogue
that is searched by codes of one byte."""
import os
import random
import sys
import tempfile

from many_at_once.run import Run

MORE_ITEMS = 10_000


def main(seconds):
    seed = int(os.environ.get("PERSONALIZE_SEED") or random.randrange(1 << 31))
    print(f"seed {seed}", flush=True)
    for journal, more_items in (("WAL", 0), ("DELETE", 0), ("WAL", MORE_ITEMS)):
        with tempfile.TemporaryDirectory(prefix="personalize-soak-") as folder:
            run = Run(folder, journal, seed, seconds / 3, seconds / (10 if more_items else 1), more_items)
            failures = run.run()
            print("\n".join(f"{name}: {value}" for name, value in run.summary().items()), flush=True)
        if failures:
            sys.exit("\n".join(failures))
    print("no difference")


if __name__ == "__main__":
    main(float(sys.argv[1]))
