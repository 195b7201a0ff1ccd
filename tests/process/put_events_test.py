"""personalize_put_events among several connections, and at the border to the future."""
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import personalize_test as support


def event(**keys):
    return json.dumps({"eventType": "view", "sentAt": 1700000000, "itemId": "7", **keys})


class PutEvents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "test.db")
        self.connection = support.connect(self.path, isolation_level=None)
        self.addCleanup(self.connection.close)
        self.connection.execute("CREATE VIRTUAL TABLE interactions USING personalize_interactions")
        self.connection.execute("INSERT INTO personalize_event_trackers(name) VALUES ('web')")

    def put(self, text, connection=None):
        row = (connection or self.connection).execute(
            "SELECT personalize_put_event('web', 's', 'u', ?)", (text,)).fetchone()
        return row[0]

    def test_an_event_of_tomorrow_is_refused_and_one_of_a_fast_clock_is_taken(self):
        now = int(time.time())
        for ahead in (86_400, 3_600, 400):
            with self.assertRaisesRegex(sqlite3.OperationalError, f"sentAt is {now + ahead}, which is yet to come"):
                self.put(event(sentAt=now + ahead))
        self.assertEqual(self.put(event(sentAt=now + 200)), 1)
        self.assertEqual(self.put(event(sentAt=now)), 1)

    def test_another_connection_sees_the_events_at_once_and_adds_to_them(self):
        other = support.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        self.assertEqual(self.put(event(itemId="1")), 1)
        self.assertEqual(self.put(event(itemId="1"), other), 0)
        self.assertEqual(self.put(event(itemId="2"), other), 1)
        self.assertEqual(self.put(event(itemId="2")), 0)
        self.assertEqual(self.connection.execute("SELECT item_id FROM interactions").fetchall(), [("1",), ("2",)])

    def test_a_locked_database_is_busy_and_nothing_is_written(self):
        other = support.connect(self.path, isolation_level=None, timeout=0)
        self.addCleanup(other.close)
        self.connection.execute("BEGIN IMMEDIATE")
        with self.assertRaisesRegex(sqlite3.OperationalError, "locked"):
            self.put(event(), other)
        self.connection.execute("COMMIT")
        self.assertEqual(self.put(event(), other), 1)

    def test_processes_that_send_events_at_once_wait_for_each_other(self):
        send = ("import sys, json, personalize_test as support\n"
                "connection = support.connect(sys.argv[1], isolation_level=None, timeout=60)\n"
                "for i in range(50):\n"
                "    event = {'eventType': 'view', 'sentAt': 1700000000 + i, 'itemId': sys.argv[2]}\n"
                "    connection.execute(\"SELECT personalize_put_event('web', 's', 'u', ?)\", "
                "(json.dumps(event),)).fetchone()\n")
        for journal, expected in (("WAL", 100), ("DELETE", 200)):
            self.connection.execute(f"PRAGMA journal_mode = {journal}")
            senders = [subprocess.Popen([sys.executable, "-c", send, self.path, journal + name],
                                        stderr=subprocess.PIPE, text=True) for name in "ab"]
            self.assertEqual([sender.communicate()[1] for sender in senders], ["", ""])
            self.assertEqual(self.connection.execute("SELECT count(*) FROM interactions").fetchone(), (expected,))

    def test_ten_thousand_events_are_one_request(self):
        events = [json.loads(event(sentAt=1700000000 + i % 5000, itemId=str(i // 2500))) for i in range(10_000)]
        request = {"trackingId": "web", "sessionId": "s", "eventList": events}
        written, = self.connection.execute("SELECT personalize_put_events(?)", (json.dumps(request),)).fetchone()
        self.assertEqual(written, 10_000)
        events[-1]["itemId"] = ""
        events[0]["itemId"] = "new"
        with self.assertRaisesRegex(sqlite3.OperationalError, r"eventList\[9999\]"):
            self.connection.execute("SELECT personalize_put_events(?)", (json.dumps(request),)).fetchone()
        self.assertEqual(self.connection.execute("SELECT count(*) FROM interactions WHERE item_id = 'new'").fetchone(), (0,))

    def test_a_recommendation_id_brings_the_list_that_its_user_was_shown(self):
        self.connection.executescript("""
            INSERT INTO interactions(user_id, item_id, timestamp)
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
              SELECT 'u' || (i % 50), i % 20, i FROM n;
            INSERT INTO personalize_solutions(name, recipe) VALUES ('club', 'markov');
            SELECT personalize_train('club');""")
        shown = self.connection.execute("SELECT item_id, recommendation_id FROM recommend('u', 3)").fetchall()
        self.assertEqual(len(shown), 3)
        text = event(itemId=shown[1][0], recommendationId=shown[1][1])
        self.assertEqual(self.put(text), 1)
        self.assertEqual(self.put(text), 0)
        impression = "SELECT impression FROM interactions WHERE user_id = 'u' ORDER BY rowid DESC LIMIT 1"
        self.assertEqual(self.connection.execute(impression).fetchone(), ("|".join(item for item, _ in shown),))
        self.assertEqual(self.put(event(itemId="1", recommendationId=shown[1][1], impression=["x", "y"])), 1)
        self.assertEqual(self.connection.execute(impression).fetchone(), ("x|y",))

    def test_a_property_of_five_million_characters_is_an_ordinary_one(self):
        self.connection.execute("CREATE VIRTUAL TABLE notes USING personalize_interactions(group='notes', NOTE string)")
        self.connection.execute("INSERT INTO personalize_event_trackers VALUES ('notes', 'notes', 'N')")
        note = "ü" * 5_000_000
        self.connection.execute("SELECT personalize_put_event('N', 's', 'u', ?)", (event(properties={"note": note}),)).fetchone()
        self.assertEqual(self.connection.execute("SELECT note = ? FROM notes", (note,)).fetchone(), (1,))

    def test_what_random_damage_makes_of_a_request_is_written_whole_or_refused(self):
        good = json.dumps({"trackingId": "web", "sessionId": "s", "userId": "u", "eventList": [
            json.loads(event(eventValue=1.5, impression=["1", "2"], recommendationId="R", properties={"itemId": None})),
            json.loads(event(itemId="8", sentAt="2023-11-14T22:13:20Z", properties='{"eventValue": "3"}'))]})
        alphabet = '{}[]",:0123456789.eE+-\\ nulltrue\x00ü'
        generator = random.Random(11)
        outcomes = set()
        count = "SELECT count(*) FROM interactions"
        for _ in range(2000):
            text = list(good)
            for _ in range(generator.randint(1, 4)):
                at = generator.randrange(len(text))
                text[at:at + generator.randint(0, 3)] = generator.choices(alphabet, k=generator.randint(0, 3))
            self.connection.execute("SAVEPOINT damage")
            before, = self.connection.execute(count).fetchone()
            try:
                written, = self.connection.execute("SELECT personalize_put_events(?)", ("".join(text),)).fetchone()
            except sqlite3.OperationalError as error:
                self.assertRegex(str(error), "^(InvalidInput|ResourceNotFound)Exception: personalize_put_events: ")
                written = 0
            outcomes.add(written)
            self.assertEqual(self.connection.execute(count).fetchone(), (before + written,))
            self.connection.execute("ROLLBACK TO damage")
            self.connection.execute("RELEASE damage")
        self.assertEqual(outcomes, {0, 2})
        self.assertEqual(self.connection.execute("SELECT * FROM personalize_check").fetchall(), [])


if __name__ == "__main__":
    unittest.main()
