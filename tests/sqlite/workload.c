#include "workload.h"

#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 8, BODY_MAX = 6000 };

void workload_start(struct workload *w, uint64_t seed)
{
    static const struct workload empty;

    *w = empty;
    w->rng = tp_rng_make(seed, 7);
}

int workload_create(sqlite3 *db)
{
    return sqlite3_exec(
        db,
        "CREATE TABLE meta(done INTEGER);"
        "INSERT INTO meta VALUES(0);"
        "CREATE TABLE t(id INTEGER PRIMARY KEY, version INTEGER, body BLOB);"
        "CREATE INDEX by_version ON t(version);",
        NULL, NULL, NULL);
}

/* The body of a version of a row: small ones mostly, some over several pages. */
static uint32_t body_of(uint32_t row, uint32_t version, uint8_t ret_body[BODY_MAX])
{
    struct tp_rng rng = tp_rng_make(row, version);
    uint64_t drawn = tp_rng_next(&rng);
    uint32_t len = 1 + (uint32_t)(drawn >> 8) % (drawn % 4 == 0 ? BODY_MAX : 300);

    for (uint32_t i = 0; i < len; i++)
        ret_body[i] = (uint8_t)(drawn >> (8 * (i % 8))) ^ (uint8_t)(i >> 3);
    return len;
}

/* Runs one statement with the values bound by its text's letters: nothing is left of it. */
static int run(sqlite3 *db, const char *sql, uint32_t id, uint32_t version,
               const uint8_t *body, uint32_t len)
{
    sqlite3_stmt *statement = NULL;
    int error = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (error != SQLITE_OK)
        return error;
    (void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    if (len > 0) {
        (void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)version);
        (void)sqlite3_bind_blob(statement, 3, body, (int)len, SQLITE_STATIC);
    }
    error = sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    return error == SQLITE_DONE ? SQLITE_OK : error;
}

/* One row changes; the database does too, while it has not failed. */
static int change(struct workload *w, sqlite3 *db)
{
    uint32_t row = (uint32_t)tp_rng_below(&w->rng, WORKLOAD_ROWS);
    bool removes = tp_rng_below(&w->rng, 5) == 0;
    uint32_t version = removes ? 0 : w->transactions * 16 + w->version[row] % 16 + 1;
    uint8_t body[BODY_MAX];

    w->version[row] = version;
    if (db == NULL)
        return SQLITE_OK;
    if (removes)
        return run(db, "DELETE FROM t WHERE id = ?", row, 0, NULL, 0);
    return run(db, "INSERT OR REPLACE INTO t VALUES(?, ?, ?)", row, version, body,
               body_of(row, version, body));
}

int workload_step(struct workload *w, sqlite3 *db)
{
    uint32_t changes = 1 + (uint32_t)tp_rng_below(&w->rng, CHANGES_MAX);
    int error = db == NULL ? SQLITE_OK : sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);

    w->transactions++;
    for (uint32_t i = 0; i < changes; i++) {
        int failed = change(w, error == SQLITE_OK ? db : NULL);

        error = error == SQLITE_OK ? failed : error;
    }
    if (db == NULL || error != SQLITE_OK)
        return error;
    error = run(db, "UPDATE meta SET done = ?", w->transactions, 0, NULL, 0);
    return error == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : error;
}

/* ------------------------------------------------------------------ looking at it */

static int integrity_row(void *context, int count, char **values, char **names)
{
    bool *is_ok = context;

    (void)names;
    *is_ok = count == 1 && strcmp(values[0], "ok") == 0;
    return 0;
}

static int meta_row(void *context, int count, char **values, char **names)
{
    int *done = context;

    (void)names;
    *done = count == 1 && values[0] != NULL ? (int)strtol(values[0], NULL, 10) : -1;
    return 0;
}

/* Whether the table holds exactly what the model does. */
static bool has_rows_of(sqlite3 *db, const struct workload *w)
{
    sqlite3_stmt *statement = NULL;
    bool same = sqlite3_prepare_v2(db, "SELECT id, version, body FROM t ORDER BY id", -1,
                                   &statement, NULL) == SQLITE_OK;
    uint32_t next = 0;
    int step = SQLITE_DONE;

    while (same && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        uint32_t id = (uint32_t)sqlite3_column_int64(statement, 0);
        uint8_t body[BODY_MAX];

        for (; next < id && next < WORKLOAD_ROWS; next++)
            same = same && w->version[next] == 0;
        same = same && id < WORKLOAD_ROWS && w->version[id] != 0 &&
               (uint32_t)sqlite3_column_int64(statement, 1) == w->version[id];
        if (!same)
            break;
        next = id + 1;
        same = (uint32_t)sqlite3_column_bytes(statement, 2) ==
                   body_of(id, w->version[id], body) &&
               memcmp(sqlite3_column_blob(statement, 2), body,
                      (size_t)sqlite3_column_bytes(statement, 2)) == 0;
    }
    for (; next < WORKLOAD_ROWS; next++)
        same = same && w->version[next] == 0;
    (void)sqlite3_finalize(statement);
    return same && step == SQLITE_DONE;
}

static int refuse(char *ret_why, int size, const char *why, const char *detail)
{
    sqlite3_snprintf(size, ret_why, "%s%s", why, detail);
    return -1;
}

int workload_check(sqlite3 *db, uint64_t seed, uint32_t begun, char *ret_why, int size)
{
    struct workload w;
    bool is_ok = false;
    int done = -1;

    if (sqlite3_exec(db, "PRAGMA integrity_check(1)", integrity_row, &is_ok, NULL) !=
        SQLITE_OK)
        return refuse(ret_why, size, "integrity_check: ", sqlite3_errmsg(db));
    if (!is_ok)
        return refuse(ret_why, size, "integrity_check does not say ok", "");
    if (sqlite3_exec(db, "SELECT done FROM meta", meta_row, &done, NULL) != SQLITE_OK)
        return refuse(ret_why, size, "meta: ", sqlite3_errmsg(db));
    if (done < 0 || (uint32_t)done > begun)
        return refuse(ret_why, size, "meta shows what was never begun", "");
    workload_start(&w, seed);
    while (w.transactions < (uint32_t)done)
        (void)workload_step(&w, NULL);
    return has_rows_of(db, &w) ? done
                               : refuse(ret_why, size, "rows are not those of meta", "");
}
