"""What `cmake --install` leaves is enough for a C program of somebody else."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import personalize_test as support

PROGRAM = """
#include <personalize.h>
#include <stdio.h>
int main(void) {
  sqlite3 *connection;
  sqlite3_stmt *statement;
  sqlite3_auto_extension((void (*)(void))sqlite3_personalize_init);
  if (sqlite3_open(":memory:", &connection) != SQLITE_OK) return 1;
  if (sqlite3_prepare_v2(connection, "SELECT personalize_version()", -1, &statement, NULL) != SQLITE_OK) return 2;
  if (sqlite3_step(statement) != SQLITE_ROW) return 3;
  puts((const char *)sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  return sqlite3_close(connection);
}
"""
# As extension/personalize.h tells.
LIBRARIES = ["-lpersonalize", "-lpersonalize_engine", "-lsqlite3", "-llmdb", "-lcsv", "-lstdc++", "-lm", "-lpthread"]


class Install(unittest.TestCase):
    def test_a_c_program_links_what_is_installed_and_the_shell_loads_it(self):
        build = os.environ.get("PERSONALIZE_BUILD", str(support.SOURCE / "build"))
        with tempfile.TemporaryDirectory(prefix="personalize-install-") as folder:
            prefix = pathlib.Path(folder)
            subprocess.run(["cmake", "--install", build, "--prefix", folder], check=True, capture_output=True)
            archive = next(prefix.rglob("libpersonalize.a"))
            (prefix / "program.c").write_text(PROGRAM)
            subprocess.run(["cc", "-Wall", "-Werror", "-I", str(prefix / "include"), str(prefix / "program.c"),
                            "-o", str(prefix / "program"), "-L", str(archive.parent), *LIBRARIES], check=True)
            linked = subprocess.run([str(prefix / "program")], check=True, capture_output=True, text=True).stdout
            loadable = next(prefix.rglob("sqlite3/personalize.so"))
            loaded = subprocess.run(["sqlite3", "-batch", "-init", "/dev/null", "-cmd", f".load {loadable}",
                                     ":memory:", "SELECT personalize_version()"],
                                    check=True, capture_output=True, text=True).stdout
        self.assertEqual(linked, loaded)
        self.assertRegex(linked, r"^v\d")


if __name__ == "__main__":
    unittest.main()
