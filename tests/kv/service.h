/** tests/kv/service.h - a machine that keeps a store on a disk, and the oracle that knows
 * what must come back.
 *
 * It loads, holds what it finds against the oracle, then appends records of effects,
 * applies them, waits for some of them, and takes snapshots meanwhile, all drawn from a
 * seed. The oracle has every record that was ever appended; what a load finds must be what
 * the records up to some LSN come to: no fewer than were acknowledged, no more than there
 * were.
 */
#ifndef TESTS_KV_SERVICE_H
#define TESTS_KV_SERVICE_H

#include "apps/kv/storage.h"
#include "runtime/scheduler.h"
#include "tests/kv/model.h"

/** A record that was appended. */
struct history_record {
    uint8_t *bytes;
    uint32_t len;
};

struct oracle {
    struct history_record *records; /* LSN 1 is at 0 */
    uint64_t count, capacity;
    uint64_t acked;     /* the last LSN that somebody was told is durable */
    uint64_t saved;     /* snapshots that were reported to be durable */
    struct model model; /* what all of them come to */
    char violation[512];
};

/** What one boot does. */
struct work {
    uint64_t seed;
    const char *path;
    uint32_t records; /* that it appends */
    uint32_t keys, dbs, len_max;
    uint32_t flush_every; /* effects; 0: none */
    uint32_t wait_one_in; /* records are waited for */
    uint32_t pause_ns;    /* up to so long after each of the others */
    uint32_t save_every;  /* records; 0: no snapshot */
    bool save_last;       /* one at the end, which is waited for */
    bool retry_full;      /* a full disk is waited for, not given up at */
    bool read_only;
    uint32_t raw_len; /* instead of effects, one record with such bytes; 0: not */
    const uint8_t *raw;
    uint64_t segment_bytes;               /* 0: small */
    uint64_t patience_ns;                 /* 0: the default */
    uint32_t cancel_after;                /* iterations of the loop; 0: never */
    const struct tp_allocator *allocator; /* of the storage; NULL: the default */
    volatile uint64_t *acked; /* where else to note what was acknowledged; NULL: nowhere */
};

struct service {
    struct tp_machine machine, worker;
    const struct work *work;
    struct oracle *oracle;
    struct kv_store *store;
    struct kv_storage storage;
    struct kv_record record;
    struct tp_waiter waiter;
    struct tp_op storage_op;
    uint64_t state, pace; /* what records are drawn from, and everything else */
    uint64_t lsn;
    uint64_t saves_noted;
    uint32_t left, until_save;
    int32_t rc;
    int32_t append_error, save_error; /* the first of each */
    int32_t result;                   /* the storage's */
    bool opened, ended;
    uint32_t full;       /* times that the disk was */
    uint64_t overlapped; /* records that were appended while entries were written */
};

void oracle_init(struct oracle *oracle);
void oracle_deinit(struct oracle *oracle);
void oracle_copy(const struct oracle *oracle, struct oracle *ret_copy);

/** Appends `count` records to the history as a boot with this work draws them, for one that
 * ran elsewhere. Which of them it came to, the next load finds. */
void oracle_redraw(struct oracle *oracle, const struct work *work, uint32_t count);

/** A boot from its start to its end; the result of tp_scheduler_run(). When that is an
 * error the machines are dropped and `crash` ends the Io's world. */
int32_t service_boot(struct service *service, struct tp_io *io, const struct work *work,
                     struct oracle *oracle, void (*crash)(struct tp_io *io));

/** Frees the store that a boot leaves for looking at. */
void service_deinit(struct service *service);

#endif
