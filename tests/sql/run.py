#!/usr/bin/python3
"""Golden tests in SQL: NAME.sql goes through the plain sqlite3 shell in an empty folder, on a database
file test.db with the extension loaded, and what it prints (stdout and stderr) must be NAME.expected.

In the comment lines a test begins with:
  -- needs: shared    the test reads ../shared/data; skipped where there is none
  -- load: no         the extension is not loaded first
In the SQL, and in what is expected, @DATA@ stands for the unpacked ../shared/data, @SOURCE@ for this
repository, @EXTENSION@ for the extension without its suffix, @DIR@ for the folder the test runs in.

usage: run.py [--update] TEST.sql...     --update writes what was printed into NAME.expected
"""
import argparse
import difflib
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import personalize_test as support  # noqa: E402

SKIPPED = 77


def directives(sql):
    found = {}
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        key, colon, value = line[2:].partition(":")
        if colon:
            found[key.strip()] = value.strip()
    return found


def run(test, update):
    """Returns None when the test passes, else the sentence or the difference to print, and a code."""
    sql = test.read_text()
    asked = directives(sql)
    tokens = {"@EXTENSION@": support.EXTENSION.removesuffix(".so"), "@SOURCE@": str(support.SOURCE)}
    if asked.get("needs") == "shared":
        data = support.shared_data()
        if data is None:
            return support.NO_SHARED_DATA, SKIPPED
        tokens = {"@DATA@": str(data), **tokens}
    with tempfile.TemporaryDirectory(prefix="personalize-test-") as folder:
        tokens = {"@DIR@": folder, **tokens}
        for token, value in tokens.items():
            sql = sql.replace(token, value)
        code, printed = support.shell(sql, "test.db", load=asked.get("load") != "no", cwd=folder)
    for token, value in tokens.items():
        printed = printed.replace(value, token)
    if code < 0 or code > 1:
        printed += f"(the shell ended with code {code})\n"
    expected = test.with_suffix(".expected")
    if update:
        expected.write_text(printed)
        return None, 0
    wanted = expected.read_text() if expected.exists() else ""
    if printed == wanted:
        return None, 0
    return "".join(difflib.unified_diff(wanted.splitlines(True), printed.splitlines(True),
                                        str(expected.name), "printed")), 1


def main():
    parser = argparse.ArgumentParser(description="run SQL golden tests")
    parser.add_argument("--update", action="store_true", help="write NAME.expected from what is printed")
    parser.add_argument("tests", nargs="+", type=pathlib.Path, help="NAME.sql")
    arguments = parser.parse_args()
    worst = 0
    for test in arguments.tests:
        message, code = run(test, arguments.update)
        if message:
            print(f"{test.stem}: {'skipped: ' if code == SKIPPED else ''}{message}")
        worst = code if worst in (0, SKIPPED) else worst
    return worst


if __name__ == "__main__":
    sys.exit(main())
