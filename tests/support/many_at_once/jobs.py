"""A snapshot of the database and what was done and asked in it: what a replay gets to compare."""
import json
import os
import sqlite3

from many_at_once import world

# No more snapshots while so many wait for the replay.
MOST_WAITING = 12


class Job:
    """Begun in an open read transaction of `connection`; the snapshot is that transaction's."""

    def __init__(self, role, connection):
        self.role = role
        self.steps = []
        role.made += 1
        self.name = f"{role.name}-{os.getpid()}-{role.made}"
        self.number = world.one(connection, "SELECT n FROM snapshot")  # the snapshot begins here, if not before
        self.copy = role.world.jobs / f"{self.name}.db"
        target = sqlite3.connect(self.copy)
        target.execute("PRAGMA synchronous = OFF")
        connection.backup(target)
        target.close()

    def did(self, sql, parameters):
        self.steps.append({"do": sql, "parameters": list(parameters)})

    def asked(self, question, versions, rows, how):
        """`versions`: one of these answered."""
        self.steps.append({"ask": question.sql, "parameters": question.parameters, "kind": question.kind,
                           "versions": versions, "rows": [list(row) for row in rows], "how": how})

    def hand_in(self):
        if not any("ask" in step for step in self.steps):
            return self.drop()
        world.write_whole(self.role.world.jobs / f"{self.name}.json",
                          json.dumps({"name": self.name, "number": self.number, "steps": self.steps}))

    def drop(self):
        self.copy.unlink()


def wanted(role, share):
    """Whether a snapshot is to be compared: a share of them, as many as the replay can do."""
    if role.chance.random() >= share:
        return False
    return sum(1 for name in os.listdir(role.world.jobs) if name.endswith(".json")) < MOST_WAITING
