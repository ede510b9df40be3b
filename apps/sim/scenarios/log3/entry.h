/** apps/sim/scenarios/log3/entry.h - an entry of the replicated log, and the limits of
 * everything.
 *
 * A client numbers its appends 1, 2, 3, ... and has one of them open at a time; whoever
 * gets the same number again knows that it was asked before ("Raft", section 8).
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_ENTRY_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_ENTRY_H

#include "runtime/tempest.h"

enum {
    LOG3_NODES = 3,
    LOG3_CLIENTS = 2,
    LOG3_TEXT_BYTES = 256, /* that a client appends at most */
    LOG3_NOBODY = 0xff,    /* no node; and no client, of an entry that begins a term */
    LOG3_ENTRY_HEADER =
        24, /* bytes of an entry on disk and on the wire, but for the text */
    LOG3_ENTRIES_MAX = 1024, /* that a node has in memory */
    LOG3_BATCH_MAX = 16,     /* in one message */
};

struct log3_entry {
    uint64_t term; /* of the leader that took it */
    uint64_t seq;  /* the client's number of it */
    uint64_t lsn;  /* of its record in this node's journal; not sent, not stored */
    uint32_t client;
    uint32_t len;
    uint8_t text[LOG3_TEXT_BYTES];
};

/** What is left to be read; reading past the end gives zeros, and `failed`. */
struct log3_reader {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct log3_reader log3_reader_of(const uint8_t *bytes, uint32_t len)
{
    struct log3_reader reader = {bytes, len == 0 ? bytes : bytes + len, false};
    return reader;
}

/** Indexes and terms count up from 0, one at a time: no node comes near this, and sums of
 * what is below do not wrap. */
static inline bool log3_is_possible(uint64_t number)
{
    return number < UINT64_C(1) << 48;
}

/** The next number of `size` (1 to 8) bytes, little-endian. */
uint64_t log3_read(struct log3_reader *reader, uint32_t size);

/** Writes one; where the next byte goes. */
uint8_t *log3_put(uint8_t *at, uint64_t number, uint32_t size);

/** Reads an entry; one that no node can have written is a failure. */
void log3_entry_read(struct log3_reader *reader, struct log3_entry *ret_entry);

/** Writes one: LOG3_ENTRY_HEADER + entry->len bytes. Where the next byte goes. */
uint8_t *log3_entry_put(uint8_t *at, const struct log3_entry *entry);

#endif
