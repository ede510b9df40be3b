/** tests/sqlite/workload.h - transactions by seed, and what the database holds after each.
 *
 * Transaction n changes a few rows and sets the one row of `meta` to n, so what a database
 * shows after a crash says how many transactions survived; replaying as many gives what
 * every row must be.
 */
#ifndef TESTS_SQLITE_WORKLOAD_H
#define TESTS_SQLITE_WORKLOAD_H

#include <sqlite3.h>

#include "io/virtual/random.h"

enum { WORKLOAD_ROWS = 40 };

/** What the tables hold. Start it with workload_start(). */
struct workload {
    struct tp_rng rng;
    uint32_t transactions;           /* so far */
    uint32_t version[WORKLOAD_ROWS]; /* of each row; 0: there is none */
};

void workload_start(struct workload *w, uint64_t seed);

/** Makes the tables, empty. SQLITE_OK, or SQLite's error. */
int workload_create(sqlite3 *db);

/** The next transaction, in the model and (`db` not NULL) in the database. SQLITE_OK if the
 * database has acknowledged it, or the first error. */
int workload_step(struct workload *w, sqlite3 *db);

/** Looks at a database that was recovered: integrity, and every row. Returns how many
 * transactions it shows, or -1 (with the reason in `ret_why`) when it is none that any
 * number of at most `begun` transactions could leave. */
int workload_check(sqlite3 *db, uint64_t seed, uint32_t begun, char *ret_why, int size);

#endif
