"""The arrows between the folders (doc/architecture.md), read off the #include lines, and what else holds of
every source file."""
import pathlib
import re
import subprocess
import unittest

import personalize_test as support

# Folder of the engine -> the other folders of the engine it may include from.
MAY_INCLUDE = {
    "": set(),
    "math": set(),
    "dataset": {"store", "math"},
    "store": {"math"},
    "recipes": {"dataset", "store", "math"},
    "training": {"recipes", "dataset", "store", "math"},
    "serving": {"training", "recipes", "dataset", "store", "math"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
# A home folder or a checkout on somebody's machine.
MACHINE_PATH = re.compile(r"(?<![\w.})/-])/(home|root|work|Users)/")


def sources(*folders):
    for folder in folders:
        for path in sorted((support.SOURCE / folder).rglob("*")):
            if path.suffix in (".h", ".cc", ".c"):
                yield path.relative_to(support.SOURCE), path.read_text()


class Layers(unittest.TestCase):
    def assert_none(self, findings):
        self.assertEqual(list(findings), [])

    def test_the_engine_knows_no_sqlite(self):
        self.assert_none(f"{path} includes {name}" for path, text in sources("engine", "tests/engine")
                         for name in INCLUDE.findall(text) if "sqlite" in name or name.startswith("extension/"))

    def test_lmdb_is_included_in_the_store_alone(self):
        self.assert_none(str(path) for path, text in sources("engine", "extension")
                         if "lmdb.h" in INCLUDE.findall(text) and path.parts[:2] != ("engine", "store"))

    def test_sqlite_is_included_in_one_header_and_the_public_one(self):
        self.assert_none(f"{path} includes {name}" for path, text in sources("extension")
                         for name in INCLUDE.findall(text) if name in ("sqlite3.h", "sqlite3ext.h")
                         and str(path) not in ("extension/sqlite_api.h", "extension/personalize.h"))

    def test_the_folders_of_the_engine_point_one_way(self):
        for path, text in sources("engine"):
            folder = path.parts[1] if len(path.parts) > 2 else ""
            for name in INCLUDE.findall(text):
                parts = pathlib.PurePath(name).parts
                if parts[0] == "engine" and len(parts) > 2 and parts[1] != folder:
                    with self.subTest(path=str(path), includes=name):
                        self.assertIn(parts[1], MAY_INCLUDE[folder])

    def test_no_file_names_a_place_on_somebodys_machine(self):
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=support.SOURCE, capture_output=True, text=True)
        if listed.returncode != 0:
            self.skipTest("not a git checkout")
        for name in filter(None, listed.stdout.split("\0")):
            path = support.SOURCE / name
            if path.is_file() and path.suffix not in (".xz", ".png"):
                with self.subTest(file=name):
                    self.assertIsNone(MACHINE_PATH.search(path.read_text(errors="replace")))


if __name__ == "__main__":
    unittest.main()
