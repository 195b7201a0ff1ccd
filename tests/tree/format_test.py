"""Every C and C++ file is as clang-format (.clang-format) leaves it."""
import shutil
import subprocess
import unittest

import personalize_test as support


def formatted(paths):
    return subprocess.run(["clang-format", *map(str, paths)], check=True, capture_output=True).stdout


class Format(unittest.TestCase):
    @unittest.skipUnless(shutil.which("clang-format"), "needs clang-format")
    def test_clang_format_would_change_nothing(self):
        paths = [path for folder in ("engine", "extension", "tests", "bench")
                 for path in sorted((support.SOURCE / folder).rglob("*.*"))
                 if path.suffix in (".h", ".cc", ".c") and not path.is_relative_to(support.WORK)]
        # All in one process first; --dry-run complains about changes that change nothing.
        if formatted(paths) != b"".join(path.read_bytes() for path in paths):
            changed = [str(path.relative_to(support.SOURCE)) for path in paths
                       if formatted([path]) != path.read_bytes()]
            self.fail("run clang-format -i " + " ".join(changed))


if __name__ == "__main__":
    unittest.main()
