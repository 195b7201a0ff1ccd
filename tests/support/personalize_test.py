"""What the tests that run outside C++ share: where the extension and the data are, and how a host is
started so that a sanitizer build works in it.

Environment (ctest sets it, cmake/tests.cmake):
  PERSONALIZE_EXTENSION  the built personalize.so
  PERSONALIZE_PRELOAD    what LD_PRELOAD must hold in a program that loads it (sanitizer builds)
"""
import fcntl
import lzma
import os
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WORK = SOURCE / "tests" / "work"
SHARED = SOURCE.parent / "shared" / "data"
EXTENSION = os.path.abspath(os.environ.get("PERSONALIZE_EXTENSION", SOURCE / "build" / "personalize.so"))
NO_SHARED_DATA = "needs ../shared/data (the MovieLens data, which may not be shipped)"


def connect(path=":memory:", **options):
    """A connection with the extension loaded."""
    connection = sqlite3.connect(path, **options)
    connection.enable_load_extension(True)
    connection.load_extension(EXTENSION)
    connection.enable_load_extension(False)
    return connection


def host_environment():
    """The environment for a program that loads the extension."""
    environment = dict(os.environ)
    if environment.get("PERSONALIZE_PRELOAD"):
        environment["LD_PRELOAD"] = environment["PERSONALIZE_PRELOAD"]
    return environment


def shell(sql, database=":memory:", load=True, cwd=None, timeout=280):
    """Runs the plain sqlite3 shell over `sql`; returns (exit code, stdout and stderr as they came)."""
    command = ["sqlite3", "-batch", "-init", "/dev/null"]
    if load:
        command += ["-cmd", ".load " + EXTENSION]
    done = subprocess.run(command + [str(database)], input=sql.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=cwd, env=host_environment(), timeout=timeout)
    return done.returncode, done.stdout.decode(errors="backslashreplace")


def shared_data():
    """The unpacked folder of ../shared/data, or None where there is none. Unpacks once."""
    if not SHARED.is_dir():
        return None
    target = WORK / "data"
    target.mkdir(parents=True, exist_ok=True)
    with open(target / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for source in sorted(p for p in SHARED.rglob("*") if p.is_file()):
            relative = source.relative_to(SHARED)
            packed = source.suffix == ".xz"
            unpacked = target / (relative.with_suffix("") if packed else relative)
            if unpacked.exists() and unpacked.stat().st_mtime >= source.stat().st_mtime:
                continue
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            part = unpacked.with_name(unpacked.name + ".part")
            with (lzma.open if packed else open)(source, "rb") as packed_file, open(part, "wb") as out:
                shutil.copyfileobj(packed_file, out)
            os.replace(part, unpacked)
    return target


def require_shared_data():
    """As shared_data(), for a unittest: skips the test where there is none."""
    data = shared_data()
    if data is None:
        raise unittest.SkipTest(NO_SHARED_DATA)
    return data
