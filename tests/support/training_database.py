"""A small database to train on, for process tests."""
import time

import personalize_test as support

# Takes minutes: for tests that stop it.
LONG = '{"epochs": 1000}'

# Long enough for any machine, far below what 'slow' takes.
PATIENCE = 60


def make(path, users=60, events=3000, journal="DELETE", **options):
    """A database file with interactions and the solutions quick (markov) and slow (hrnn, for
    minutes). Gives a connection in autocommit mode."""
    connection = support.connect(path, isolation_level=None, timeout=60, **options)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
    connection.execute(
        """INSERT INTO interactions(user_id, item_id, timestamp)
           WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
           SELECT i % ?2, (i * 7 + i / ?2 * 3) % 101, 1700000000 + i FROM n""", (events, users))
    connection.execute("INSERT INTO personalize_solutions(name, recipe) VALUES ('quick', 'markov')")
    connection.execute("INSERT INTO personalize_solutions(name, recipe, hyperparameters) "
                       "VALUES ('slow', 'hrnn', ?1)", (LONG,))
    return connection


def open_again(path, **options):
    return support.connect(path, isolation_level=None, timeout=60, **options)


def one(connection, sql, *values):
    return connection.execute(sql, values).fetchone()[0]


def wait_for(condition):
    """Gives what `condition` gives as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError("nothing came within a minute")
        time.sleep(0.02)
    return result
