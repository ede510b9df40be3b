/** tests/sqlite/cuts.c - SQLite, whose crash safety is known, as a judge of the simulated
 * disk. The power is cut at a random event of a run of transactions, now and then again in
 * the recovery; the database is opened once more, and must show what SQLite documents for
 * its journal mode and PRAGMA synchronous. A disk that blames FULL is wrong, and so is one
 * that lets OFF pass.
 *
 *     test-sqlite-cuts [--cuts N] [--row TEXT] [--profile NAME]
 *                                        prints the table; 1 if it does not hold
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/virtual/virtual.h"

#ifdef TP_SQLITE

#include "io/hash.h"
#include "vfs.h"
#include "workload.h"

enum { TRANSACTIONS = 10, CUTS_DEFAULT = 1000 };

#define DATABASE "/data/judge.db"

/* What SQLite promises. */
enum promise {
    KEEPS_ALL,        /* nothing acknowledged is lost, nothing is corrupt */
    KEEPS_CONSISTENT, /* the last transactions may be lost, and are; nothing is corrupt */
    MAY_LOSE,         /* the last may be lost; nothing is corrupt */
    MAY_CORRUPT,      /* documented as possible, and far rarer than with OFF */
    KEEPS_NOTHING,    /* it must be seen to lose or corrupt */
};

static const char *const promises[] = {"keeps all", "consistent, loses the last",
                                       "consistent, may lose the last",
                                       "may corrupt, rarely", "is caught"};

struct row {
    const char *journal, *synchronous;
    enum promise promise;
    bool forgets_dirs; /* a planted error in the VFS, which `paranoid` must find */
};

static const struct row rows[] = {
    {"DELETE", "EXTRA", KEEPS_ALL, false},      {"DELETE", "FULL", MAY_LOSE, false},
    {"TRUNCATE", "FULL", KEEPS_ALL, false},     {"PERSIST", "FULL", KEEPS_ALL, false},
    {"WAL", "FULL", KEEPS_ALL, false},          {"DELETE", "NORMAL", MAY_CORRUPT, false},
    {"TRUNCATE", "NORMAL", MAY_CORRUPT, false}, {"PERSIST", "NORMAL", MAY_CORRUPT, false},
    {"WAL", "NORMAL", KEEPS_CONSISTENT, false}, {"DELETE", "OFF", KEEPS_NOTHING, false},
    {"TRUNCATE", "OFF", KEEPS_NOTHING, false},  {"PERSIST", "OFF", KEEPS_NOTHING, false},
    {"WAL", "OFF", KEEPS_NOTHING, false},       {"DELETE", "EXTRA", KEEPS_NOTHING, true},
    {"PERSIST", "FULL", KEEPS_NOTHING, true},   {"WAL", "FULL", KEEPS_NOTHING, true},
};

struct tally {
    uint32_t cuts, lost, corrupt, hot; /* hot: there was something to recover from */
    char why[128];
    uint64_t seed; /* of the first that is corrupt */
};

/* One run on one disk. */
struct run {
    const struct row *row;
    uint32_t profile;
    uint64_t seed;
    struct tp_disk *disk;
    struct tp_tape *tape;
    struct tp_io *io;
    sqlite3 *db;
    struct workload workload;
    uint32_t acknowledged;
    uint64_t trace; /* of all its boots */
};

static void stop(const char *what)
{
    tp_stop(__FILE__, __LINE__, what);
}

/* ------------------------------------------------------------------ boots */

static void boot(struct run *run)
{
    struct tp_virtual_io_config config = {
        .size = sizeof config, .disk = run->disk, .tape = run->tape, .buf_count = 1};
    uint32_t flags = 0;

    config.recv_buf_count = 1;
    config.buf_size = 4096;
    if (tp_virtual_io_create(&config, &run->io) < 0)
        stop("no VirtualIo");
    if (run->row->forgets_dirs)
        flags |= VFS_FORGETS_DIRS;
    if (run->profile == TP_DISK_CONSUMER_SSD)
        flags |= VFS_TEARS;
    vfs_use(run->io, run->seed, flags);
}

static int set(sqlite3 *db, const char *pragma, const char *value)
{
    char text[64];

    sqlite3_snprintf(sizeof text, text, "PRAGMA %s=%s", pragma, value);
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

/* Opens the database as the row says. An error is one that a dying disk or a corrupt file
 * gives. */
static int open_database(struct run *run)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int error = sqlite3_open_v2(DATABASE, &run->db, flags, VFS_NAME);

    if (error == SQLITE_OK)
        error = set(run->db, "journal_mode", run->row->journal);
    if (error == SQLITE_OK)
        error = set(run->db, "synchronous", run->row->synchronous);
    if (error == SQLITE_OK)
        error = set(run->db, "cache_size", "6"); /* transactions spill */
    if (error == SQLITE_OK)
        error = set(run->db, "wal_autocheckpoint", "8");
    return error == SQLITE_OK ? set(run->db, "temp_store", "MEMORY") : error;
}

static void close_database(struct run *run)
{
    (void)sqlite3_close(run->db);
    run->db = NULL;
}

/* The Io ends, by a power cut or in order. */
static void halt(struct run *run, bool power)
{
    uint64_t words[2] = {run->trace, 0};

    close_database(run);
    if (power)
        tp_virtual_io_power_cut(run->io);
    words[1] = tp_virtual_io_trace_hash(run->io);
    run->trace = tp_hash_words(words, 2, 0);
    tp_virtual_io_destroy(run->io);
    run->io = NULL;
}

/* A database with empty tables, durable with its name: SQLite never syncs that. */
static struct tp_disk *prepare(const struct row *row, uint32_t profile)
{
    struct tp_disk_config config = {.size = sizeof config, .profile = profile};
    struct run run = {.row = row, .profile = profile};

    config.writeback_one_in = 8;
    if (tp_disk_create(&config, &run.disk) < 0 ||
        tp_tape_from_seed(0, false, NULL, &run.tape) < 0 ||
        tp_disk_make_dirs(run.disk, "/data") < 0)
        stop("no disk");
    boot(&run);
    if (open_database(&run) != SQLITE_OK || workload_create(run.db) != SQLITE_OK)
        stop(sqlite3_errmsg(run.db));
    halt(&run, false);
    (void)tp_disk_remove(run.disk, DATABASE "-journal"); /* its name is SQLite's to sync */
    tp_disk_sync(run.disk);
    tp_tape_destroy(run.tape);
    return run.disk;
}

/* ------------------------------------------------------------------ one cut */

/* Transactions until they are all done or the power is gone. */
static void work(struct run *run)
{
    workload_start(&run->workload, run->seed);
    if (open_database(run) != SQLITE_OK)
        return;
    while (run->workload.transactions < TRANSACTIONS) {
        if (workload_step(&run->workload, run->db) != SQLITE_OK)
            return;
        run->acknowledged++;
    }
}

/* How many events a run takes that nothing interrupts. */
static uint64_t events_of(const struct tp_disk *base, const struct row *row,
                          uint32_t profile, uint64_t seed)
{
    struct run run = {.row = row, .profile = profile, .seed = seed};
    uint64_t events;

    if (tp_disk_clone(base, &run.disk) < 0 ||
        tp_tape_from_seed(seed, false, NULL, &run.tape) < 0)
        stop("no memory");
    boot(&run);
    work(&run);
    events = tp_virtual_io_events(run.io);
    if (run.acknowledged != TRANSACTIONS)
        stop(sqlite3_errmsg(run.db));
    halt(&run, false);
    tp_disk_destroy(run.disk);
    tp_tape_destroy(run.tape);
    return events;
}

static bool leaves_journal(const struct tp_disk *disk)
{
    struct tp_statx statx;

    return (tp_disk_stat(disk, DATABASE "-journal", true, &statx) == 0 && statx.size > 0) ||
           (tp_disk_stat(disk, DATABASE "-wal", true, &statx) == 0 && statx.size > 0);
}

/* Opens the database after the cut; a third of the times the power goes again meanwhile. */
static void recover(struct run *run, struct tp_rng *rng, struct tally *tally)
{
    uint32_t begun = run->workload.transactions;
    char why[128] = "";
    int shown = -1;

    if (tp_rng_below(rng, 3) == 0) {
        boot(run);
        tp_virtual_io_cut_at(run->io, 1 + tp_rng_below(rng, 60));
        if (open_database(run) == SQLITE_OK)
            (void)sqlite3_exec(run->db, "SELECT * FROM meta", NULL, NULL, NULL);
        halt(run, true);
    }
    boot(run);
    if (open_database(run) == SQLITE_OK)
        shown = workload_check(run->db, run->seed, begun, why, sizeof why);
    else
        sqlite3_snprintf(sizeof why, why, "open: %s", sqlite3_errmsg(run->db));
    halt(run, false);
    tally->cuts++;
    if (shown < 0 && tally->corrupt++ == 0) {
        tally->seed = run->seed;
        memcpy(tally->why, why, sizeof why);
    }
    tally->lost += shown >= 0 && (uint32_t)shown < run->acknowledged;
}

/* Result: the hash of all that happened. */
static uint64_t cut_once(const struct tp_disk *base, const struct row *row,
                         uint32_t profile, uint64_t seed, struct tally *tally)
{
    /* Events are bounded by a run of another seed: runs are about equally long. */
    static uint64_t events;
    struct tp_rng rng = tp_rng_make(seed, 9);
    struct run run = {.row = row, .profile = profile, .seed = seed};

    if (seed % 50 == 1)
        events = events_of(base, row, profile, seed);
    if (tp_disk_clone(base, &run.disk) < 0 ||
        tp_tape_from_seed(seed, false, NULL, &run.tape) < 0)
        stop("no memory");
    boot(&run);
    tp_virtual_io_cut_at(run.io, 1 + tp_rng_below(&rng, events));
    work(&run);
    halt(&run, true);
    tally->hot += leaves_journal(run.disk);
    recover(&run, &rng, tally);
    tp_disk_check(run.disk);
    tp_disk_destroy(run.disk);
    tp_tape_destroy(run.tape);
    return run.trace;
}

/* ------------------------------------------------------------------ the table */

static bool holds(enum promise promise, const struct tally *tally)
{
    switch (promise) {
    case KEEPS_ALL:
        return tally->lost == 0 && tally->corrupt == 0;
    case KEEPS_CONSISTENT:
        return tally->lost > 0 && tally->corrupt == 0;
    case MAY_LOSE:
        return tally->corrupt == 0;
    case MAY_CORRUPT:
        return tally->corrupt * 5 <= tally->cuts;
    case KEEPS_NOTHING:
        return tally->lost + tally->corrupt > 0;
    }
    return false;
}

static bool run_row(const struct row *row, uint32_t profile, uint32_t cuts)
{
    struct tp_disk *base = prepare(row, profile);
    struct tally tally = {0, 0, 0, 0, "", 0}, again = tally;
    uint64_t first = cut_once(base, row, profile, 1, &tally);
    bool is_held;

    for (uint64_t seed = 2; seed <= cuts; seed++)
        (void)cut_once(base, row, profile, seed, &tally);
    if (cut_once(base, row, profile, 1, &again) != first)
        stop("seed 1 is another run the second time");
    tp_disk_destroy(base);
    is_held = holds(row->promise, &tally) && tally.hot > 0;
    (void)printf("%-9s %-6s%s %-9s %5u cuts  %4u lost  %4u corrupt  %4u hot  %-30s %s\n",
                 row->journal, row->synchronous, row->forgets_dirs ? "*" : " ",
                 tp_disk_profile_name(profile), tally.cuts, tally.lost, tally.corrupt,
                 tally.hot, promises[row->promise], is_held ? "holds" : "DOES NOT HOLD");
    if (tally.corrupt > 0)
        (void)printf("          seed %llu: %s\n", (unsigned long long)tally.seed,
                     tally.why);
    (void)fflush(stdout);
    return is_held;
}

static bool find_profile(const char *name, uint32_t *ret_profile)
{
    for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
        if (strcmp(tp_disk_profile_name(profile), name) == 0) {
            *ret_profile = profile;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    uint32_t cuts = CUTS_DEFAULT, profile = TP_DISK_PARANOID;
    const char *only = "";
    bool all_hold = true, found = false;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--cuts") == 0) {
            cuts = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--row") == 0) {
            only = argv[i + 1];
        } else if (i + 1 < argc && strcmp(argv[i], "--profile") == 0 &&
                   find_profile(argv[i + 1], &profile)) {
            continue;
        } else {
            (void)fprintf(stderr, "usage: %s [--cuts N] [--row TEXT] [--profile NAME]\n",
                          argv[0]);
            return 2;
        }
    }
    if (vfs_register() != SQLITE_OK)
        stop("SQLite takes no VFS");
    (void)printf("SQLite %s\n", sqlite3_libversion());
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[32];

        sqlite3_snprintf(sizeof name, name, "%s %s", rows[i].journal, rows[i].synchronous);
        if (strstr(name, only) == NULL ||
            (rows[i].forgets_dirs && profile != TP_DISK_PARANOID))
            continue;
        found = true;
        all_hold = run_row(&rows[i], profile, cuts) && all_hold;
    }
    (void)puts("*: with a VFS that forgets to sync directories");
    return all_hold && found ? 0 : 1;
}

#else

int main(void)
{
    (void)puts("skipped: SQLite (libsqlite3-dev) is not installed");
    return 77;
}

#endif
