#!/usr/bin/python3
"""The same SQL in several hosts must give the same answers, to the letter.

Every host runs setup.sql in an empty folder on the file test.db, then the lines of questions.txt: SQL, and
after tabs the numbers to bind, as that host binds numbers by itself (Python: INTEGER, Node: REAL, Perl:
TEXT). It prints rows as values joined by |, and what it prints must be answers.expected.

usage: run.py [--update] HOST        HOST: python, node (better-sqlite3), c (static library), perl, tcl, php
"""
import argparse
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import personalize_test as support  # noqa: E402

SKIPPED = 77


def node_modules():
    """Installs better-sqlite3 once (a minute: it compiles its own SQLite)."""
    folder = support.WORK / "node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    stamp = folder / "installed.json"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.copy(HERE / "package.json", folder / "package.json")
        # Its prebuilt binary comes from outside the registry; the headers of the installed node do as well.
        environment = {**os.environ, "npm_config_nodedir": "/usr"}
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, env=environment,
                       check=True)
        stamp.write_text(wanted)
    return str(folder / "node_modules")


def command_of(host, folder):
    """Command and additional environment of a host, or (None, why it can't run here)."""
    extension = support.EXTENSION
    arguments = [extension, str(HERE / "setup.sql"), str(HERE / "questions.txt")]
    if host == "python":
        return ["/usr/bin/python3", str(HERE / "host.py"), *arguments], {}
    if host == "c":
        program = pathlib.Path(os.environ.get("PERSONALIZE_BUILD", support.SOURCE / "build")) / "c_host"
        return [str(program), *arguments], {"LD_PRELOAD": "", "ASAN_OPTIONS": "detect_leaks=1"}
    interpreter = {"node": "node", "perl": "perl", "tcl": "tclsh", "php": "php"}[host]
    if not shutil.which(interpreter):
        return None, f"needs {interpreter}"
    if host == "node":
        if not shutil.which("npm"):
            return None, "needs npm, to install better-sqlite3"
        return ["node", str(HERE / "host.js"), *arguments], {"NODE_PATH": node_modules()}
    if host == "php":
        if os.environ.get("PERSONALIZE_PRELOAD"):
            return None, "PHP loads its own modules in a way (RTLD_DEEPBIND) that sanitizers refuse"
        options = ["-d", "sqlite3.extension_dir=" + os.path.dirname(extension)]
        return ["php", *options, str(HERE / "host.php"), *arguments], {}
    return [interpreter, str(HERE / f"host.{host}"), *arguments], {}


def main():
    parser = argparse.ArgumentParser(description="run the hosts' SQL in one host")
    parser.add_argument("--update", action="store_true", help="write answers.expected from what is printed")
    parser.add_argument("host", choices=["python", "node", "c", "perl", "tcl", "php"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="personalize-host-") as folder:
        command, environment = command_of(arguments.host, folder)
        if command is None:
            print(f"skipped: {environment}")
            return SKIPPED
        done = subprocess.run(command, cwd=folder, env={**support.host_environment(), **environment},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280)
    printed = done.stdout.decode(errors="backslashreplace")
    expected = HERE / "answers.expected"
    if arguments.update and done.returncode == 0:
        expected.write_text(printed)
    wanted = expected.read_text()
    if printed == wanted and done.returncode == 0:
        return 0
    print("".join(difflib.unified_diff(wanted.splitlines(True), printed.splitlines(True), "answers.expected",
                                       f"printed by {arguments.host} (code {done.returncode})")))
    return 1


if __name__ == "__main__":
    sys.exit(main())
