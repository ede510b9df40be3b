/** tests/log/workload.h - machines that use a journal, and an oracle that knows what it
 * must hold.
 *
 * Every record is unique: its bytes follow from a number that is never used twice. The
 * oracle notes what was appended under which LSN, and up to which LSN it was said to be
 * durable. At every boot what the journal gives back must be, in order, exactly what was
 * appended, at least as far as it was said to be durable; what it does not give back must
 * never come back. The first thing that is wrong is kept in `violation`.
 *
 * Free of any test framework: used by tests, the sweep of power cuts, and fuzzing.
 */
#ifndef TESTS_LOG_WORKLOAD_H
#define TESTS_LOG_WORKLOAD_H

#include "runtime/tempest.h"
#include "sm/journal.h"

enum { APPENDERS_MAX = 64, ORACLE_RECORDS_MAX = 1 << 14 };

struct oracle {
    uint64_t hashes[ORACLE_RECORDS_MAX + 1]; /* by LSN */
    uint64_t appended;                       /* the last LSN */
    uint64_t durable;                        /* the last LSN that must not be lost */
    uint64_t first;                          /* the first that must be there, from 1 */
    uint64_t used;                           /* numbers of records */
    char violation[160];
};

/** What one boot does. */
struct workload {
    struct tp_journal_config config;
    uint64_t seed;
    uint32_t appenders;  /* machines that append */
    uint32_t records;    /* each */
    uint32_t batch;      /* records each appends before it waits for the last; 0: one */
    uint32_t len_max;    /* bytes of a record */
    uint32_t trim_every; /* records; 0: nothing is trimmed */
    uint32_t idle_ns;    /* what each sleeps after every batch */
    bool idle_any;       /* ... or less, by chance */
    bool trim_late;      /* only by those who have appended their last record */
    bool reserve;        /* in two steps */
    bool retry_full;     /* a full disk is waited for, not given up at */
    bool no_wait;        /* nobody waits until a record is durable */
    bool from_oldest;    /* the first record that is there is the first to be read */
};

struct appender {
    struct tp_machine machine;
    struct run *run;
    struct tp_waiter waiter;
    struct tp_op op;
    uint64_t random, lsn, number;
    uint32_t left, in_batch, len, reserved;
    int32_t rc;
    uint8_t *bytes;
};

/** One boot. */
struct run {
    struct tp_machine machine;
    const struct workload *work;
    struct oracle *oracle;
    struct tp_journal journal;
    struct tp_op end;
    struct tp_journal_record record;
    struct appender appenders[APPENDERS_MAX];
    uint32_t next;
    uint64_t first_replayed, replayed; /* the first LSN and the last one */
    int32_t rc;
    int32_t end_result;                   /* the journal's */
    int32_t append_error;                 /* the first of any appender */
    uint64_t group_end_ns, group_took_ns; /* of the last group seen */
    uint64_t iterations;                  /* of the loop, from the cancel to the end */
    uint64_t late_ns_max; /* longest from a group to the next, beyond a quarter of it */
    bool opened;
    bool ended;
    uint8_t *memory;
};

/** Forgets everything. */
void oracle_reset(struct oracle *oracle);

/** Prepares a boot; spawn `run->machine` with run_tick. */
void run_init(struct run *run, const struct workload *work, struct oracle *oracle);
void run_deinit(struct run *run);
enum tp_step run_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** A boot from its start to its end. The result of tp_scheduler_run(); when that is an
 * error the machines are dropped, `crash` ends the Io's world (NULL: it is alive), and the
 * memory is freed. */
int32_t run_boot(struct run *run, struct tp_io *io, const struct workload *work,
                 struct oracle *oracle, void (*crash)(struct tp_io *io));

/** The same, but the journal is cancelled after so many iterations of the loop;
 * `ret_finished`: it ended before that. */
int32_t run_boot_cancelled(struct run *run, struct tp_io *io, const struct workload *work,
                           struct oracle *oracle, uint32_t iterations, bool *ret_finished);

#endif
