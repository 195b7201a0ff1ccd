"""Starts the processes, kills some in the middle, ends the run and says how it went.

As a program, one of its processes: run.py FOLDER JOURNAL SEED ROLE,ROLE,... (a thread each), or ... replay.
"""
import collections
import json
import os
import pathlib
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import personalize_test as support  # noqa: E402
from many_at_once import readers, replay, trainer, world, writers  # noqa: E402

ROLES = {"reader": readers.Reader, "holder": readers.Holder, "writer": writers.Writer, "trainer": trainer.Trainer}
# 8 processes of 4 connections.
PROCESSES = [["reader", "reader", "reader", "writer"]] * 3 + [["reader"] * 4] * 4 + [["trainer", "holder", "reader", "writer"]]
KILLED = (0, 4)  # one that writes and one that only reads
KILL_EVERY = 15  # seconds, in a long run; once at least
PATIENCE = 300   # seconds over the time, until enough was compared

# What must have been compared, and what must have been done meanwhile, for a run to say anything.
COMPARED = ("recommend", "filtered", "latest", "rank", "score", "similar", "batch",
            "snapshot", "autocommit", "transaction")
DONE = ("answers of a held snapshot", "deleted under a cursor", "rolled back", "trainings")

# What a state of TINY takes in states.mdb, in pages that are two thirds full; and pages that are free for the moment.
STATE_BYTES = 400
FREE_BYTES = 1 << 19


class Run:
    """One run. `enough`: it lasts until so many answers were compared, and of each kind some."""

    def __init__(self, folder, journal, seed, seconds, enough, more_items=0):
        self.world = world.World(folder, journal, more_items)
        self.seed, self.seconds, self.enough = seed, seconds, enough
        self.started = 0
        self.processes = []
        self.replayer = None

    def start(self, place):
        self.started += 1
        roles = ",".join(f"{role}:{place}.{n}.{self.started}" for n, role in enumerate(PROCESSES[place]))
        return self.start_program(roles, {})

    def start_program(self, roles, environment):
        return subprocess.Popen([sys.executable, __file__, str(self.world.folder), self.world.journal, str(self.seed), roles],
                                env={**support.host_environment(), **environment})

    def compared(self):
        path = self.world.counts / "compared.json"
        return collections.Counter(json.loads(path.read_text()) if path.exists() else {})

    def done(self):
        done = collections.Counter()
        for path in self.world.counts.glob("*-*.json"):
            done.update(json.loads(path.read_text()))
        return done

    def is_enough(self):
        compared, done = self.compared(), self.done()
        return (compared["all"] >= self.enough and all(compared[kind] >= self.enough / 50 for kind in COMPARED)
                and all(done[what] > 0 for what in DONE))

    def failures(self):
        failures = [path.read_text() for path in sorted(self.world.failures.glob("*.txt"))]
        for place, process in enumerate(self.processes + [self.replayer]):
            if process.poll() not in (None, 0):
                failures.append(f"process {place} ended with {process.returncode}")
        return failures

    def run(self):
        """What went wrong, as texts; none: nothing."""
        self.begun = time.monotonic()
        self.world.make(self.seed)
        self.replayer = self.start_program("replay", {"PERSONALIZE_NO_STATE": "1"})
        self.processes = [self.start(place) for place in range(len(PROCESSES))]
        begin = time.monotonic()
        kill_at = begin + min(self.seconds * 0.4, KILL_EVERY)
        failures = []
        while not failures:
            time.sleep(0.1)
            now = time.monotonic()
            failures = self.failures()
            if now >= kill_at and not failures:
                self.kill_some()
                kill_at = now + KILL_EVERY
            if now - begin > self.seconds and self.is_enough():
                break
            if now - begin > self.seconds + PATIENCE:
                failures.append(f"too few answers were compared: {dict(self.compared())}")
        self.world.stop_file.touch()
        for process in self.processes + [self.replayer]:
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                failures.append("a process hung")
        return failures or self.failures() or self.look_at_what_is_left()

    def kill_some(self):
        for place in KILLED:
            self.processes[place].kill()
        for place in KILLED:
            self.processes[place].wait()
            self.processes[place] = self.start(place)

    def look_at_what_is_left(self):
        connection = self.world.open()
        problems = [row for sql in ("PRAGMA integrity_check", "SELECT place, problem FROM personalize_check")
                    for row in connection.execute(sql) if row != ("ok",)]
        versions = dict(connection.execute("SELECT solution, max(number) FROM personalize_versions GROUP BY solution"))
        model_bytes = world.one(connection, "SELECT max(model_bytes) FROM personalize_versions")
        connection.close()
        failures = [f"afterwards: {problem}" for problem in problems]
        users = world.USERS + world.NEW_USERS + 1 + self.world.more_items // world.ITEMS_OF_MORE
        states = users * sum(versions[solution] for solution in world.WITH_STATES)
        models = len(world.SOLUTIONS) * (trainer.KEPT + 2)
        # Each much less than its writes would take if somebody who reads kept their pages from being used again.
        bounds = {"states.mdb": FREE_BYTES + states * STATE_BYTES, "models.mdb": FREE_BYTES + 2 * models * model_bytes,
                  "usage": 1 << 17, "rate": 1 << 16, "states.mdb-lock": 1 << 18, "models.mdb-lock": 1 << 18}
        for path in self.world.store.iterdir():
            if path.stat().st_size > bounds.get(path.name, 0):
                failures.append(f"{path.name} has {path.stat().st_size} bytes, more than {bounds.get(path.name, 0)}")
        return failures

    def summary(self):
        sizes = {path.name: path.stat().st_size for path in sorted(self.world.store.iterdir())}
        return {"journal": self.world.journal, "seconds": round(time.monotonic() - self.begun, 1), "compared": dict(self.compared()), "done": dict(self.done()),
                "state writes": transactions(self.world.store / "states.mdb"), "bytes": sizes}


def transactions(path):
    """How many transactions an LMDB file has seen: the larger number of its two meta pages."""
    with open(path, "rb") as file:
        pages = file.read(8192)
    return max(struct.unpack_from("<Q", pages, page + 144)[0] for page in (0, 4096))


def main(folder, journal, seed, roles):
    here = world.World(folder, journal)
    if roles == "replay":
        return replay.Replay(here).run()
    os.nice(5)  # the replay has to keep up
    made = []
    for text in roles.split(","):
        role, name = text.split(":")
        made.append(ROLES[role](here, f"{role}-{name}", seed))
    world.run_roles(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
