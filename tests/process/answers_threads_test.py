"""Threads of one process, each with a connection of its own: they share models and stores."""
import threading
import unittest

import answers_test
import personalize_test as support


class AnswersThreads(answers_test.Trained):
    def in_threads(self, *bodies):
        """Runs the bodies at once; each is given a connection."""
        errors = []

        def run(body):
            try:
                database = support.connect(self.path, timeout=60, isolation_level=None)
                body(database)
                database.close()
            except Exception as error:  # told to the test
                errors.append(error)

        threads = [threading.Thread(target=run, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    def test_threads_that_open_the_models_at_once_get_the_same_answers(self):
        answers = [[] for _ in range(4)]

        def asking(place):
            def body(database):
                for n in range(40):
                    for version in ("net/1", "fast/1", "pairs/1"):
                        answers[place].append(self.ask(database, f"u{n % answers_test.USERS}", version))
            return body

        self.in_threads(*[asking(place) for place in range(4)])
        self.assertEqual(answers[1:], answers[:1] * 3)

    def test_threads_ask_while_others_insert_and_train(self):
        def asking(database):
            for n in range(150):
                self.assertEqual(len(self.ask(database, f"u{n % answers_test.USERS}")), 20)
            database.execute("SELECT count(*) FROM batch_recommend(5, 'net/1')").fetchall()

        def inserting(database):
            for n in range(150):
                database.execute("INSERT INTO interactions(user_id, item_id, timestamp) VALUES (?, ?, ?)",
                                 (f"u{n % 7}", f"i{n % 11}", 1_700_000_000 + n))

        def training(database):
            database.execute("SELECT personalize_train('fast', '{\"evaluation\":\"none\"}')").fetchall()

        self.in_threads(asking, asking, inserting, training)
        database = support.connect(self.path)
        for user in ("u0", "u20"):
            self.assertEqual(self.ask(database, user), self.ask_afresh(self.path, user))


if __name__ == "__main__":
    unittest.main()
