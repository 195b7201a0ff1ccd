"""What the built extension shows to the program that loads it."""
import os
import subprocess
import unittest

import personalize_test as support


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class SharedObject(unittest.TestCase):
    def test_exports_the_entry_point_alone(self):
        symbols = [line.split()[-1] for line in output("nm", "-D", "--defined-only", support.EXTENSION).splitlines()]
        self.assertEqual(symbols, ["sqlite3_personalize_init"])

    def test_needs_only_lmdb_and_the_c_library(self):
        needed = {line.split("[")[1].rstrip("]") for line in output("readelf", "-d", support.EXTENSION).splitlines()
                  if "(NEEDED)" in line}
        # The loader belongs to the C library.
        self.assertLessEqual(needed, {"liblmdb.so.0", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"})

    def test_is_under_3000000_bytes(self):
        self.assertLess(os.path.getsize(support.EXTENSION), 3_000_000)


if __name__ == "__main__":
    unittest.main()
