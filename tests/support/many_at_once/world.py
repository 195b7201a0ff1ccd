"""The database that many use at once, the folders around it, and how each of them reports."""
import collections
import json
import os
import pathlib
import random
import sqlite3
import threading
import time
import traceback

import personalize_test as support

USERS, NEW_USERS, ITEMS, NEW_ITEMS, EVENTS = 40, 25, 50, 150, 1500
ITEMS_OF_MORE = 100  # of one user
FIRST_TIME = 1_700_000_000
GENRES = ("Drama", "Comedy", "Crime", "Comedy|Crime", "Drama|Crime")

# Of each recipe with state, of one that places new items by metadata, and of two that only count.
TINY = '{"epochs": 1, "hidden_dimension": 32, "embedding_dimension": 16}'
SOLUTIONS = {"net": ("hrnn", TINY), "fresh": ("user-personalization", TINY), "fast": ("markov", None),
             "pairs": ("sims", None)}
WITH_STATES = ("net", "fresh")
OPTIONS = '{"evaluation": "none", "threads": 1}'
# 'first' serves a version that must outlive all others: who holds a snapshot asks it.
CAMPAIGNS = {"home": "net/latest", "new": "fresh/latest", "more": "pairs/latest", "first": "net/1"}

SCHEMA = """
CREATE VIRTUAL TABLE interactions USING personalize_interactions;
CREATE VIRTUAL TABLE users USING personalize_users(AGE int);
CREATE VIRTUAL TABLE items USING personalize_items(GENRES string categorical);
-- n goes up in every transaction that writes: who reads the same n twice has seen the same database.
CREATE TABLE snapshot(n INTEGER NOT NULL);
INSERT INTO snapshot VALUES (0);
CREATE TABLE inbox(user_id TEXT, item_id TEXT, timestamp INTEGER);
CREATE TRIGGER inbox_insert AFTER INSERT ON inbox BEGIN
  UPDATE snapshot SET n = n + 1;
  INSERT INTO interactions(user_id, item_id, event_type, timestamp)
    VALUES (new.user_id, new.item_id, 'view', new.timestamp);
  DELETE FROM inbox;
END;
INSERT INTO personalize_filters(name, dataset_group, expression) VALUES
  ('unseen', 'default', 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'),
  ('genre', 'default', 'INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)');
"""


class World:
    """Where everything lies. `folder` is empty when the run begins. `more_items`: that many items more, each in
    one event: models of many are searched in another way."""

    def __init__(self, folder, journal, more_items=0):
        self.folder = pathlib.Path(folder)
        self.journal = journal
        self.more_items = more_items
        self.path = str(self.folder / "shop.db")
        self.store = self.folder / "shop.db.personalize"
        self.archive = self.folder / "archive"    # by version: models.mdb as it was when that was made
        self.jobs = self.folder / "jobs"
        self.failures = self.folder / "failures"
        self.counts = self.folder / "counts"
        self.stop_file = self.folder / "stop"

    def make(self, seed):
        for folder in (self.archive, self.jobs, self.failures, self.counts):
            folder.mkdir()
        connection = self.open()
        connection.execute(f"PRAGMA journal_mode = {self.journal}")
        connection.executescript(SCHEMA)
        chance = random.Random(seed)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO items VALUES (?, ?)",
                               [(f"i{n}", chance.choice(GENRES)) for n in range(ITEMS)])
        # Half of the new items have a row before they have an event.
        connection.executemany("INSERT INTO items VALUES (?, ?)",
                               [(f"x{n}", chance.choice(GENRES)) for n in range(0, NEW_ITEMS, 2)])
        connection.executemany("INSERT INTO users VALUES (?, ?)", [(f"u{n}", 20 + n) for n in range(USERS)])
        place = [chance.randrange(ITEMS) for _ in range(USERS)]
        for n in range(EVENTS):
            user = chance.randrange(USERS)
            place[user] = (place[user] + 1 + user % 3 + chance.randrange(2)) % ITEMS
            connection.execute("INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES (?, ?, ?, ?)",
                               (f"u{user}", f"i{place[user]}", chance.choice(("view", "buy")), FIRST_TIME + n * 600))
        connection.executemany("INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES (?, ?, 'buy', ?)",
                               [(f"all{n // ITEMS_OF_MORE}", f"more{n}", FIRST_TIME + n) for n in range(self.more_items)])
        connection.execute("COMMIT")
        for name, (recipe, hyperparameters) in SOLUTIONS.items():
            connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) VALUES (?, ?, ?)",
                               (name, recipe, hyperparameters))
            connection.execute("SELECT personalize_train(?, ?)", (name, OPTIONS)).fetchall()
            self.archive_version(f"{name}/1")
        for name, version in CAMPAIGNS.items():
            connection.execute("INSERT INTO personalize_campaigns(name, version, min_provisioned_tps) "
                               "VALUES (?, ?, 1000000)", (name, version))
        connection.close()

    def open(self, path=None):
        connection = support.connect(path or self.path, isolation_level=None, timeout=20, check_same_thread=False)
        # A power cut is not among the things that happen here.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def archive_folder(self, version):
        return self.archive / version.replace("/", "-")

    def archive_version(self, version):
        """Keeps models.mdb as it is now, for replays that name `version`. Nobody else may be writing it."""
        making = self.archive / "making"
        store = making / "copy.db.personalize"
        store.mkdir(parents=True)
        (store / "models.mdb").write_bytes((self.store / "models.mdb").read_bytes())
        making.rename(self.archive_folder(version))

    def stopped(self):
        return self.stop_file.exists()


def is_busy(error):
    """SQLITE_BUSY in any of its forms: what an application waits for and asks again."""
    return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) & 0xff == 5


def one(connection, sql, *values):
    return connection.execute(sql, values).fetchone()[0]


def write_whole(path, text):
    """A file that is there whole or not at all."""
    part = pathlib.Path(f"{path}.part")
    part.write_text(text)
    os.replace(part, path)


class Role:
    """One connection of one process: what its thread does again and again until the run is over."""

    PATIENCE = 20_000  # milliseconds that a statement waits for a lock
    PAUSE = 0.02  # seconds between two turns, on average; at random, so that all meet all

    def __init__(self, world, name, seed):
        self.world = world
        self.name = name
        self.chance = random.Random(f"{seed} {name}")
        self.counts = collections.Counter()
        self.made = 0
        self.second_connection = None

    def once(self):
        raise NotImplementedError

    def second(self):
        """Another connection of this role's own."""
        if self.second_connection is None:
            self.second_connection = self.world.open()
        return self.second_connection

    def run(self):
        try:
            self.connection = self.world.open()
            self.connection.execute(f"PRAGMA busy_timeout = {self.PATIENCE}")
            while not self.world.stopped():
                try:
                    self.once()
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
                    self.counts["busy"] += 1
                    if self.connection.in_transaction:
                        self.connection.execute("ROLLBACK")
                self.tell_counts()
                time.sleep(self.chance.expovariate(1 / self.PAUSE))
            self.connection.close()
            if self.second_connection is not None:
                self.second_connection.close()
        except BaseException:  # told to the test
            write_whole(self.world.failures / f"{self.name}.txt", f"{self.name}\n{traceback.format_exc()}")
        self.tell_counts()

    def tell_counts(self):
        write_whole(self.world.counts / f"{self.name}.json", json.dumps(self.counts))

    def expect(self, holds, what, *details):
        if not holds:
            raise AssertionError(f"{what}: {details}")


def run_roles(roles):
    threads = [threading.Thread(target=role.run) for role in roles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
