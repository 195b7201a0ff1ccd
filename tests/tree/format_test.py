"""Every C and C++ file is as clang-format (.clang-format) leaves it."""
import shutil
import subprocess
import unittest

import personalize_test as support


class Format(unittest.TestCase):
    @unittest.skipUnless(shutil.which("clang-format"), "needs clang-format")
    def test_clang_format_would_change_nothing(self):
        files = [str(path) for folder in ("engine", "extension", "tests", "bench", "examples")
                 for path in sorted((support.SOURCE / folder).rglob("*"))
                 if path.suffix in (".h", ".cc", ".c") and "work" not in path.parts[len(support.SOURCE.parts):]]
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])


if __name__ == "__main__":
    unittest.main()
