/* A C program that links SQLite and libpersonalize.a as a host (run.py): nothing is loaded at run
 * time, every connection opened after sqlite3_auto_extension knows the extension. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension/personalize.h"

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (fread(text, 1, (size_t)size, file) != (size_t)size) exit(1);
  text[size] = '\0';
  fclose(file);
  return text;
}

static void ask(sqlite3 *connection, char *line) {
  char *rest = NULL;
  const char *sql = strtok_r(line, "\t", &rest);
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
  int place = 0;
  for (const char *value; code == SQLITE_OK && (value = strtok_r(NULL, "\t", &rest)) != NULL;)
    code = sqlite3_bind_int(statement, ++place, atoi(value));
  if (code == SQLITE_OK) {
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const unsigned char *text = sqlite3_column_text(statement, column);
        printf("%s%s", column == 0 ? "" : "|", text == NULL ? "" : (const char *)text);
      }
      printf("\n");
    }
  }
  if (code != SQLITE_DONE) printf("%s\n", sqlite3_errmsg(connection));
  sqlite3_finalize(statement);
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  sqlite3_auto_extension((void (*)(void))sqlite3_personalize_init);
  sqlite3 *connection = NULL;
  if (sqlite3_open("test.db", &connection) != SQLITE_OK) return 1;
  char *setup = read_file(arguments[2]);
  char *message = NULL;
  if (sqlite3_exec(connection, setup, NULL, NULL, &message) != SQLITE_OK) {
    printf("setup: %s\n", message);
    return 1;
  }
  free(setup);
  char *questions = read_file(arguments[3]);
  char *rest = NULL;
  for (char *line = strtok_r(questions, "\n", &rest); line != NULL;
       line = strtok_r(NULL, "\n", &rest))
    ask(connection, line);
  free(questions);
  return sqlite3_close(connection);
}
