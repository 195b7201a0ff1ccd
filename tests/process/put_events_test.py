"""personalize_put_events among several connections, and at the border to the future."""
import json
import os
import sqlite3
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


if __name__ == "__main__":
    unittest.main()
