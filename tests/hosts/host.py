"""Python's sqlite3 as a host (run.py): numbers bind as INTEGER."""
import sqlite3
import sys

extension, setup, questions = sys.argv[1:]
connection = sqlite3.connect("test.db", isolation_level=None)
connection.enable_load_extension(True)
connection.load_extension(extension)
connection.executescript(open(setup).read())
for line in open(questions).read().splitlines():
    sql, *values = line.split("\t")
    try:
        for row in connection.execute(sql, [int(value) for value in values]):
            print("|".join("" if value is None else str(value) for value in row))
    except sqlite3.Error as error:
        print(error)
