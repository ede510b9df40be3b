/** apps/sim/scenarios/log3/message.h - what nodes and clients tell each other, as bytes.
 *
 * A message is a length (4 bytes), a head of fixed size, and a body: entries, a text or a
 * state. Nothing that arrives is believed: lengths are bounded before they are used, and
 * what does not fit exactly is no message, upon which the connection is closed.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_MESSAGE_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_MESSAGE_H

#include "apps/sim/scenarios/log3/entries.h"
#include "apps/sim/scenarios/log3/state.h"
#include "sm/connection.h"

enum log3_kind {
    /* Between nodes ("Raft", figures 2 and 13). With `pre` the first two are about a term
       that is not begun yet ("Consensus", section 9.6). */
    LOG3_ASK_VOTE, /* index, index_term: of the last entry */
    LOG3_VOTE,     /* yes: it is given */
    LOG3_ENTRIES,  /* index, index_term: of the entry before; commit; round; entries */
    LOG3_SNAPSHOT, /* round; state */
    LOG3_MATCHED,  /* answers both; yes: equal up to index; no: try from there; round */
    /* Of clients, and to them. */
    LOG3_APPEND,    /* from: the client; index: its number of it; text */
    LOG3_ASK_COUNT, /* from: the client; index: its number of the question */
    LOG3_DONE,      /* index: that number; yes: commit is the position, or the count;
                       no: not here, ask `from`, or anybody */
    LOG3_KINDS
};

struct log3_message {
    enum log3_kind kind;
    uint32_t from; /* who says it; LOG3_NOBODY: it knows of no leader */
    bool yes, pre;
    uint64_t term;
    uint64_t index, index_term;
    uint64_t commit;
    uint64_t round; /* the leader's last broadcast, which is echoed */
    uint32_t count; /* entries, or bytes of text */
    /* The body: what is to be said ... */
    const struct log3_entries *entries; /* those behind `index` */
    const struct log3_state *state;
    /* ... or the text; of a message that was read all of it, which stays for this tick. */
    const uint8_t *body;
    uint32_t body_len;
};

enum {
    LOG3_HEAD_BYTES = 48, /* behind the length */
    LOG3_BODY_BYTES_MAX = LOG3_BATCH_MAX * (LOG3_ENTRY_HEADER + LOG3_TEXT_BYTES),
    LOG3_MESSAGE_BYTES_MAX = 4 + LOG3_HEAD_BYTES + LOG3_BODY_BYTES_MAX,
};

/** Writes a message into LOG3_MESSAGE_BYTES_MAX bytes. How many it took. */
uint32_t log3_message_put(uint8_t *ret_bytes, const struct log3_message *message);

/** Reads one of `len` bytes, the length before it included. False: it is none. */
bool log3_message_read(const uint8_t *bytes, uint32_t len,
                       struct log3_message *ret_message);

/** Takes the next one from a connection: how many bytes it has, to be consumed when it is
 * done with. Else as tp_connection_peek(), or -EPROTO: what came is no message. */
int32_t log3_message_hear(struct tp_ctx *cx, struct tp_connection *connection,
                          struct log3_message *ret_message);

/** Says one; it leaves when `lsn` is durable (tp_connection_hold()), 0: at once. */
void log3_message_say(struct tp_connection *connection, const struct log3_message *message,
                      uint64_t lsn);

#endif
