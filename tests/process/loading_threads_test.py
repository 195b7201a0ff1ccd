"""Several connections in threads of one host."""
import threading
import unittest

import personalize_test as support


class Threads(unittest.TestCase):
    def test_the_extension_loads_into_connections_of_several_threads_at_once(self):
        answers = []

        def open_and_ask():
            for _ in range(20):
                connection = support.connect()
                answers.append(connection.execute("SELECT personalize_version()").fetchone()[0])
                connection.close()

        threads = [threading.Thread(target=open_and_ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 80)
        self.assertEqual(len(set(answers)), 1)


if __name__ == "__main__":
    unittest.main()
