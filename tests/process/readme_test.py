"""The SQL blocks of README.md run as they are written, in order, in one sqlite3 shell, in a folder that holds
what a reader would have: build/personalize.so, CSV files, and the tables of an application."""
import csv
import os
import pathlib
import random
import re
import tempfile
import unittest

import personalize_test as support

BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
USERS, ITEMS, EVENTS_OF_A_USER = 100, 200, 25

BUSINESS = """
CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER);
INSERT INTO products WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  SELECT i, 'product ' || i, i % 20 + 0.95, i % 3 FROM n;
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, country TEXT);
INSERT INTO customers VALUES (1, 'Ada', 'UK'), (2, 'Grace', 'US'), (42, 'Edsger', 'NL');
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER, product_id INTEGER, quantity INTEGER,
                    ordered_at INTEGER, status TEXT);
CREATE INDEX orders_of_customer ON orders(customer_id, ordered_at);
INSERT INTO orders(customer_id, product_id, quantity, ordered_at, status)
  SELECT c.id, (p.id * 7 + c.id * 13) % 200 + 1, 1, 1700000000 + p.id * 60, 'purchase'
    FROM customers c, products p WHERE p.id <= 60;
"""


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_folder(folder):
    (folder / "build").mkdir()
    os.symlink(support.EXTENSION, folder / "build" / "personalize.so")
    choose = random.Random(1)
    events = [(user, (user * 3 + place + choose.randrange(20)) % ITEMS + 1, "click", choose.randint(1, 5),
               1_700_000_000 + user * 1000 + place * 60)
              for user in range(1, USERS + 1) for place in range(EVENTS_OF_A_USER)]
    write_csv(folder / "interactions.csv", ["USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP"], events)
    write_csv(folder / "users.csv", ["USER_ID", "AGE", "GENDER", "OCCUPATION"],
              [(user, 20 + user % 50, "MF"[user % 2], ["artist", "doctor"][user % 2]) for user in range(1, USERS + 1)])
    write_csv(folder / "items.csv", ["ITEM_ID", "TITLE", "GENRES"],
              [(item, f"Title {item}", "Drama|Comedy" if item % 2 else "Action") for item in range(1, ITEMS + 1)])


class Readme(unittest.TestCase):
    def test_its_sql_runs_from_top_to_bottom(self):
        blocks = BLOCK.findall((support.SOURCE / "README.md").read_text())
        self.assertGreater(len(blocks), 1)
        with tempfile.TemporaryDirectory(prefix="personalize-readme-") as folder:
            write_folder(pathlib.Path(folder))
            code, printed = support.shell(BUSINESS + "\n".join(blocks), "shop.db", load=False, cwd=folder,
                                          timeout=550)
        errors = [line for line in printed.splitlines() if re.match(r"(Parse |Runtime )?[Ee]rror", line)]
        self.assertEqual((code, errors), (0, []), printed[-4000:])


if __name__ == "__main__":
    unittest.main()
