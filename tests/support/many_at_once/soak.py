"""tests/soak: half of the time with a write-ahead log, half with a rollback journal."""
import os
import random
import sys
import tempfile

from many_at_once.run import Run


def main(seconds):
    seed = int(os.environ.get("PERSONALIZE_SEED") or random.randrange(1 << 31))
    print(f"seed {seed}", flush=True)
    for journal in ("WAL", "DELETE"):
        with tempfile.TemporaryDirectory(prefix="personalize-soak-") as folder:
            run = Run(folder, journal, seed, seconds / 2, enough=seconds)
            failures = run.run()
            print("\n".join(f"{name}: {value}" for name, value in run.summary().items()), flush=True)
        if failures:
            sys.exit("\n".join(failures))
    print("no difference")


if __name__ == "__main__":
    main(float(sys.argv[1]))
