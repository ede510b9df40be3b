/** tests/kv/fixture.h - an engine whose log is a few numbers, and whose host does nothing.
 *
 * Every record is checked as it comes, and, when `replica` is there, applied to a second
 * store, which must then hold what the first one holds.
 */
#ifndef TEMPEST_TESTS_KV_FIXTURE_H
#define TEMPEST_TESTS_KV_FIXTURE_H

#include "apps/kv/execute.h"

enum { FIXTURE_RECORD_MAX = (8 << 20) - 64 };

struct fixture {
    struct kv_store *store;
    struct kv_store *replica; /* NULL: none */
    struct kv_engine engine;
    uint64_t lsn;          /* of the last record */
    uint32_t reserved;     /* bytes; 0: nothing is */
    uint64_t reservations; /* granted */
    uint32_t spare;        /* bytes that the last record had reserved and did not need */
    uint32_t refuse_in;    /* so many reservations are granted before one is refused ... */
    bool refuse_on;        /* ... and all that follow, else that one only */
    int32_t refusal;       /* with this error; 0: none is */
    int32_t refusal_next;  /* the one after it is, too, with this error; 0: it is granted */
    int32_t failure;       /* what the log has failed with */
    int32_t snapshot;      /* what beginning a snapshot answers */
    uint32_t snapshots, snapshots_scheduled;
};

/** What an engine is made with; all zero is fine. */
struct fixture_config {
    const char *password;
    uint32_t record_max; /* 0: FIXTURE_RECORD_MAX */
    bool with_replica;
    const struct tp_allocator *allocator;        /* of the store */
    const struct tp_allocator *record_allocator; /* of the record in the making */
};

void fixture_init(struct fixture *fixture, const struct fixture_config *config);
void fixture_deinit(struct fixture *fixture);

/** Whether both stores hold the same: keys, values, expiries, LSNs. */
bool fixture_replica_agrees(const struct fixture *fixture);

/** A hash of all that the store holds, whatever the order. */
uint64_t fixture_digest(const struct kv_store *store);

#endif
