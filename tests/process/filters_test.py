"""Random filters beside what SQL says of the same rows: the first k of all answers that pass."""
import json
import random
import tempfile
import unittest

import personalize_test as support

GENRES = ("Comedy", "Drama", "Horror", "War")
ITEMS, USERS = 120, 25


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Condition:
    """A condition of the filter language, and the same in SQL over the table `item` (a row) or `event` (any of the
    user's)."""

    def __init__(self, chooser, dataset):
        self.parameters = {}
        self.dataset = dataset
        if dataset == "Items":
            kind = chooser.choice(("genre", "price", "parameter", "sale", "title"))
            if kind == "genre":
                values = chooser.sample(GENRES, chooser.randint(1, 3))
                negated = chooser.random() < 0.3
                self.text = f"Items.GENRE {'NOT ' if negated else ''}IN ({', '.join(json.dumps(v) for v in values)})"
                among = " OR ".join(f"'|' || coalesce(genre, '') || '|' LIKE '%|{v}|%'" for v in values)
                self.sql = f"{'NOT ' if negated else ''}({among})"
            elif kind == "title":
                self.text, self.sql = 'Items.TITLE IN ("title 1|2")', "title = 'title 1|2'"
            elif kind == "sale":
                self.text, self.sql = "Items.ON_SALE = true", "coalesce(on_sale, 0) = 1"
            else:
                price = chooser.randint(1, 20)
                sign = chooser.choice(("<", "<=", ">", ">=", "="))
                name = f"P{chooser.randint(1, 1000000)}"
                if kind == "parameter":
                    self.parameters[name] = price
                self.text = f"Items.PRICE {sign} {'$' + name if kind == 'parameter' else price}"
                self.sql = f"coalesce(price {sign} {price}, 0)"
        elif chooser.random() < 0.5:
            types = chooser.sample(("click", "buy", "like"), chooser.randint(1, 2))
            self.text = "Interactions.EVENT_TYPE IN (" + ", ".join(json.dumps(t.upper()) for t in types) + ")"
            self.sql = "event_type IN (" + ", ".join(quoted(t) for t in types) + ")"
        else:
            value = chooser.randint(1, 5)
            self.text, self.sql = f"Interactions.EVENT_VALUE > {value}", f"coalesce(event_value > {value}, 0)"


class Clause:
    def __init__(self, chooser):
        dataset = chooser.choice(("Items", "Items", "Interactions"))
        groups = [[Condition(chooser, dataset) for _ in range(chooser.randint(1, 2))] for _ in range(chooser.randint(1, 2))]
        self.include = chooser.random() < 0.5
        self.text = f"{'INCLUDE' if self.include else 'EXCLUDE'} ItemID WHERE " + " OR ".join(
            " AND ".join(c.text for c in group) for group in groups)
        self.parameters = {name: value for group in groups for c in group for name, value in c.parameters.items()}
        where = " OR ".join("(" + " AND ".join(c.sql for c in group) + ")" for group in groups)
        self.age = chooser.randint(10, 60) if chooser.random() < 0.3 else None
        if self.age is not None:
            self.text += f" IF CurrentUser.AGE > {self.age}"
        self.where, self.of_events = where, dataset == "Interactions"

    def items(self, connection, user):
        """The ids that pass, or None: the clause does not apply to the user."""
        if self.age is not None:
            age = connection.execute("SELECT age FROM users WHERE user_id = ?", (user,)).fetchone()
            if age is None or age[0] is None or age[0] <= self.age:
                return None
        if self.of_events:
            return {item for item, in connection.execute(f"SELECT item_id FROM interactions WHERE user_id = ? AND ({self.where})",
                                                         (user,))}
        return {item for item, in connection.execute(f"SELECT item_id FROM items WHERE {self.where}")}


class Filters(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.connection = support.connect(f"{folder.name}/filters.db", isolation_level=None)
        self.addCleanup(self.connection.close)
        self.chooser = random.Random(5)

    def fill(self, declarations):
        connection, chooser = self.connection, self.chooser
        for sql in declarations:
            connection.execute(sql)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO items(item_id, genre, price, on_sale, title) VALUES (?, ?, ?, ?, ?)",
                               [(f"i{i}", "|".join(chooser.sample(GENRES, chooser.randint(1, 2))) if i % 7 else None,
                                 chooser.randint(1, 20) if i % 5 else None, i % 2 if i % 3 else None,
                                 f"title {i % 4}|2") for i in range(ITEMS) if i % 11])
        connection.executemany("INSERT INTO users(user_id, age) VALUES (?, ?)",
                               [(f"u{u}", chooser.randint(5, 70) if u % 4 else None) for u in range(USERS - 3)])
        connection.executemany(
            "INSERT INTO interactions(user_id, item_id, event_type, event_value, timestamp) VALUES (?, ?, ?, ?, ?)",
            [(f"u{chooser.randrange(USERS)}", f"i{int(ITEMS * chooser.random() ** 2)}", chooser.choice(("click", "buy", "like")),
              chooser.choice((None, 1, 2, 3, 4, 5, 6)), 1000 + n) for n in range(1500)])
        connection.execute("COMMIT")
        connection.execute("INSERT INTO personalize_solutions(name, recipe) VALUES ('chain', 'markov')")
        connection.execute("SELECT personalize_train('chain', '{\"evaluation\": \"none\"}')")

    def expected(self, user, clauses, k):
        listed = [row for row in self.connection.execute("SELECT item_id, score FROM recommend(?, 100000) ORDER BY rank", (user,))]
        included, excluded = None, set()
        for clause in clauses:
            items = clause.items(self.connection, user)
            if items is None:
                continue
            if clause.include:
                included = (included or set()) | items
            else:
                excluded |= items
        return [row for row in listed if (included is None or row[0] in included) and row[0] not in excluded][:k]

    def check(self, rounds):
        some = 0
        for _ in range(rounds):
            clauses = [Clause(self.chooser) for _ in range(self.chooser.randint(1, 3))]
            text = " | ".join(clause.text for clause in clauses)
            values = json.dumps({name: value for clause in clauses for name, value in clause.parameters.items()})
            user, k = f"u{self.chooser.randrange(USERS + 1)}", self.chooser.randint(1, 12)
            expected = self.expected(user, clauses, k)
            answer = self.connection.execute(
                "SELECT item_id, score FROM recommend(?, ?) WHERE filter = ? AND filter_values = ? ORDER BY rank",
                (user, k, text, values)).fetchall()
            self.assertEqual([item for item, _ in answer], [item for item, _ in expected], (user, k, text, values))
            for (_, one), (_, other) in zip(answer, expected):
                self.assertAlmostEqual(one, other)
            some += 0 < len(answer)
        self.assertGreater(some, rounds // 2)

    def change(self):
        """Rows of every kind, so that what was kept of them is old."""
        chooser = self.chooser
        self.connection.execute("UPDATE items SET price = ? WHERE item_id = ?", (chooser.randint(1, 20), f"i{chooser.randrange(ITEMS)}"))
        self.connection.execute("DELETE FROM items WHERE item_id = ?", (f"i{chooser.randrange(ITEMS)}",))
        self.connection.execute("INSERT INTO interactions(user_id, item_id, event_type, timestamp) VALUES (?, ?, 'buy', 9000)",
                                (f"u{chooser.randrange(USERS)}", f"i{chooser.randrange(ITEMS)}"))

    def test_lists_are_the_first_k_of_all_answers_that_pass(self):
        self.fill(("CREATE VIRTUAL TABLE interactions USING personalize_interactions",
                   "CREATE VIRTUAL TABLE items USING personalize_items(genre string categorical, price float, on_sale boolean, title string)",
                   "CREATE VIRTUAL TABLE users USING personalize_users(age int)"))
        for _ in range(8):
            self.check(12)
            self.change()

    def test_business_tables_are_seen_as_they_are(self):
        self.fill(("CREATE TABLE product(id TEXT PRIMARY KEY, kind TEXT, price REAL, sale INTEGER, name TEXT)",
                   "CREATE VIRTUAL TABLE interactions USING personalize_interactions",
                   "CREATE VIRTUAL TABLE stock USING personalize_items(content='product', item_id='id', genre string categorical, "
                   "genre='kind', price float, on_sale boolean, on_sale='sale', title string, title='name')",
                   "CREATE VIEW items AS SELECT id AS item_id, kind AS genre, price, sale AS on_sale, name AS title FROM product",
                   "CREATE TRIGGER add_item INSTEAD OF INSERT ON items BEGIN "
                   "INSERT INTO product VALUES (new.item_id, new.genre, new.price, new.on_sale, new.title); END",
                   "CREATE VIRTUAL TABLE users USING personalize_users(age int)"))
        for _ in range(5):
            self.check(10)
            self.connection.execute("UPDATE product SET price = ? WHERE id = ?",
                                    (self.chooser.randint(1, 20), f"i{self.chooser.randrange(ITEMS)}"))
            self.check(10)
            self.connection.execute("BEGIN")
            self.connection.execute("SAVEPOINT before")
            self.connection.execute("UPDATE product SET price = price + 3")
            self.check(5)
            self.connection.execute("ROLLBACK TO before")
            self.check(5)
            self.connection.execute("ROLLBACK")


if __name__ == "__main__":
    unittest.main()
