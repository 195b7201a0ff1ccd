"""The reports of examples/reports, on a small shop that their own setup.sql prepares, against the same figures
computed here from what the questions answer; and the plots."""
import collections
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import personalize_test as support

REPORTS = support.SOURCE / "examples" / "reports"
DAY = 86_400
LAST = 1_700_000_000
COUNTRIES = ["Norway"] * 50 + ["Chile"] * 40 + ["Kenya"] * 7 + ["Oman"] * 3
PRODUCTS = 60


def make_shop(path):
    """Customers, products and orders as examples/shop.sql has them."""
    database = support.connect(path)
    database.executescript("""
        CREATE TABLE customers(id INTEGER PRIMARY KEY, country TEXT NOT NULL);
        CREATE TABLE products(id TEXT PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL, stock INTEGER NOT NULL);
        CREATE TABLE orders(id INTEGER PRIMARY KEY, invoice TEXT NOT NULL, customer_id INTEGER NOT NULL,
          product_id TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL, ordered_at INTEGER NOT NULL);""")
    choose = random.Random(4)
    database.executemany("INSERT INTO customers VALUES (?, ?)", enumerate(COUNTRIES, 1))
    database.executemany("INSERT INTO products VALUES (?, ?, 1.5, 9)",
                         [(f"p{n}", f"product {n}") for n in range(PRODUCTS + 5)])  # five that nobody buys
    orders = []
    for customer, country in enumerate(COUNTRIES, 1):
        for order in range(6):
            # A third comes in the last week.
            days = choose.uniform(0, 6) if order == 5 and customer % 3 == 0 else choose.uniform(8, 90)
            at = LAST - int(days * DAY)
            first = int(PRODUCTS * choose.random() ** 2)
            orders += [(f"o{customer}-{order}", customer, f"p{(first + step * 7) % PRODUCTS}", 1, 1.5, at)
                       for step in range(choose.randint(1, 5))]
    orders.append(("last", 1, "p0", 1, 1.5, LAST))
    orders.sort(key=lambda order: order[-1])
    database.executemany("INSERT INTO orders(invoice, customer_id, product_id, quantity, price, ordered_at) "
                         "VALUES (?, ?, ?, ?, ?, ?)", orders)
    database.commit()
    database.close()


def gini(numbers):
    """Half the mean difference of all pairs, relative to the mean."""
    differences = sum(abs(a - b) for a in numbers for b in numbers)
    return differences / (2 * len(numbers) * sum(numbers))


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="personalize-reports-")
        cls.addClassCleanup(cls.folder.cleanup)
        folder = pathlib.Path(cls.folder.name)
        (folder / "build").mkdir()
        os.symlink(support.EXTENSION, folder / "build" / "personalize.so")
        cls.path = str(folder / "shop.db")
        make_shop(cls.path)
        code, printed = support.shell((REPORTS / "setup.sql").read_text(), cls.path, load=False, cwd=folder)
        assert (code, printed) == (0, "popular/1\nchain/1\nshop/1\n"), printed
        cls.database = support.connect(cls.path, isolation_level=None)
        cls.addClassCleanup(cls.database.close)
        # What the campaign's users would be shown, and what happened.
        cls.lists = collections.defaultdict(list)
        for user, item in cls.database.execute("SELECT user_id, item_id FROM batch_recommend(10, 'shop/1') ORDER BY user_id, rank"):
            cls.lists[user].append(item)
        cls.events = cls.database.execute("SELECT user_id, item_id, recommendation_id FROM shop_events").fetchall()

    def report(self, name):
        return self.database.execute((REPORTS / f"{name}.sql").read_text()).fetchall()

    def test_top_picks_are_what_most_of_a_segment_have_in_their_list(self):
        country_of = {str(customer): country for customer, country in enumerate(COUNTRIES, 1)}
        everywhere = collections.Counter(item for items in self.lists.values() for item in items)
        expected = []
        for country in ("Norway", "Chile", "Kenya"):  # Oman has three
            users = [user for user in self.lists if country_of[user] == country]
            counts = collections.Counter(item for user in users for item in self.lists[user])
            best = sorted(counts, key=lambda item: (-counts[item], item))[:3]
            for place, item in enumerate(best, 1):
                share = counts[item] / len(users)
                lift = share / (everywhere[item] / len(self.lists))
                expected.append((country, len(users), place, f"product {item[1:]}", round(100 * share, 1), round(lift, 2)))
        self.assertEqual(self.report("top_picks"), expected)

    def test_coverage_compares_the_lists_with_the_events(self):
        catalogue = [f"p{number}" for number in range(PRODUCTS + 5)]
        users = collections.defaultdict(set)
        for user, item, _ in self.events:
            users[item].add(user)
        by_popularity = sorted(catalogue, key=lambda item: (-len(users[item]), item))
        rank = {item: place for place, item in enumerate(by_popularity, 1)}
        columns = []
        for counts in (collections.Counter(item for items in self.lists.values() for item in items),
                       collections.Counter(item for _, item, _ in self.events)):
            everything = sum(counts.values())

            def share(part):
                best = [item for item in catalogue if rank[item] <= part * len(catalogue)]
                return round(100 * sum(counts[item] for item in best) / everything, 1) if best else None
            columns.append([round(100 * len(counts) / len(catalogue), 1), share(0.01), share(0.1),
                            round(sum(rank[item] * count for item, count in counts.items()) / everything, 1),
                            round(gini([counts[item] for item in catalogue]), 3)])
        self.assertEqual([row[1:] for row in self.report("coverage")], list(zip(*columns)))

    def test_taken_counts_by_place_what_was_bought_of_what_was_shown(self):
        visits = dict(self.database.execute("SELECT recommendation_id, customer_id FROM visits"))
        self.assertGreater(len(visits), 20)
        self.database.execute("BEGIN")
        self.database.execute("DELETE FROM shop_events WHERE timestamp >= ?", (LAST - 7 * DAY,))
        # The lists of then: asked again as if the week had not been.
        shown = {number: [row[0] for row in self.database.execute(
            "SELECT item_id FROM recommend(?, 10) WHERE version = 'shop/1' ORDER BY rank", (customer,))]
            for number, customer in visits.items()}
        self.database.execute("ROLLBACK")
        bought = {(number, item) for _, item, number in self.events if number is not None}
        expected = []
        for place in range(10):
            taken = sum((number, items[place]) in bought for number, items in shown.items())
            expected.append((place + 1, len(shown), taken, round(100 * taken / len(shown), 1)))
        followed = sum(any((number, item) in bought for item in items) for number, items in shown.items())
        self.assertGreater(followed, 0)
        expected.append(("lists of which something was taken", len(shown), followed, round(100 * followed / len(shown), 1)))
        self.assertEqual(self.report("taken"), expected)

    def test_versions_stand_side_by_side_with_their_baselines(self):
        figures = {(version, seen, metric, k): row for version, seen, metric, k, *row in self.database.execute(
            "SELECT version, seen, metric, k, value, standard_error, baseline, markov FROM personalize_metrics")}
        rows = self.report("versions")
        self.assertEqual(sorted((row[0], row[2]) for row in rows),
                         sorted((version, seen) for version in ("chain/1", "popular/1", "shop/1") for seen in ("included", "excluded")))
        for version, _, seen, ndcg, error, popularity, markov, precision, mrr, coverage, _ in rows:
            best = figures[version, seen, "normalized_discounted_cumulative_gain", 10]
            self.assertEqual((ndcg, error, popularity, markov), tuple(round(figure, 4) for figure in best))
            self.assertEqual(precision, round(figures[version, seen, "precision", 10][0], 4))
            self.assertEqual(mrr, round(figures[version, seen, "mean_reciprocal_rank", 25][0], 4))
            self.assertEqual(coverage, round(figures[version, seen, "coverage", None][0], 3))

    def test_usage_has_a_row_for_each_campaign_and_each_solutions_training(self):
        rows = self.report("usage")
        visits = self.database.execute("SELECT count(*) FROM visits").fetchone()[0]
        self.assertEqual(sum(row[2] for row in rows if row[1] == "home"), visits)
        self.assertEqual({row[1] for row in rows if row[5] is not None}, {"training of chain", "training of popular", "training of shop"})
        for day, *_ in rows:
            self.assertRegex(day, r"^\d{4}-\d\d-\d\d$")

    def test_each_report_says_what_it_answers(self):
        for path in REPORTS.glob("*.sql"):
            self.assertTrue(path.read_text().startswith("-- "), path)
        named = re.search(r"^for report in (.*); do$", (REPORTS / "run").read_text(), re.MULTILINE)[1].split()
        self.assertEqual(sorted(named), sorted(path.stem for path in REPORTS.glob("*.sql") if path.stem != "setup"))

    def test_the_plots_have_a_line_and_a_bar_for_each_version(self):
        environment = dict(support.host_environment(), PERSONALIZE_EXTENSION=support.EXTENSION,
                           MPLCONFIGDIR=self.folder.name)
        done = subprocess.run(["/usr/bin/python3", str(REPORTS / "plot.py"), self.path, self.folder.name],
                              capture_output=True, text=True, timeout=120, env=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        epochs = self.database.execute("SELECT count(*) FROM personalize_training_log WHERE version = 'shop/1' "
                                       "AND stage = 'fit' AND loss IS NOT NULL").fetchone()[0]
        # A bar for each version; a line, with a marker for each epoch, for the one whose recipe has epochs.
        for name, of, versions in (("training", "loss of ", ["shop/1"]), ("metrics", "NDCG@10 of ", ["chain/1", "popular/1", "shop/1"])):
            root = xml.etree.ElementTree.parse(pathlib.Path(self.folder.name) / f"{name}.svg").getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            ours = {element.get("id"): element for element in root.iter() if (element.get("id") or "").startswith(of)}
            self.assertEqual(sorted(ours), [of + version for version in versions])
            if name == "training":
                markers = ours["loss of shop/1"].iter("{http://www.w3.org/2000/svg}use")
                self.assertEqual(len(list(markers)), epochs)


if __name__ == "__main__":
    unittest.main()
