/* For programs that link SQLite and libpersonalize.a themselves: makes every connection opened
 * afterwards know the extension, by
 *   sqlite3_auto_extension((void (*)(void))sqlite3_personalize_init)
 * Plain C. Link with: -lpersonalize -lpersonalize_engine -lsqlite3 -llmdb -lcsv -lstdc++ -lm
 * -lpthread */
#ifndef SQLITE_PERSONALIZE_H
#define SQLITE_PERSONALIZE_H

#include <sqlite3.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3_api_routines;
int sqlite3_personalize_init(sqlite3 *db, char **error_message,
                             const struct sqlite3_api_routines *api);

#ifdef __cplusplus
}
#endif

#endif
