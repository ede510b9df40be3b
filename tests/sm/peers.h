/** tests/sm/peers.h - clients of every kind, good and bad, and the service that they test.
 *
 * The service answers each line "x" with "<x>", and a line that is too long with an end.
 * Each peer is a machine on the same Io as the service. Whatever happens to it, what it has
 * read must be the beginning of what it is due (`wrong` otherwise); a peer that did all
 * that it wanted is `content`.
 */
#ifndef TESTS_SM_PEERS_H
#define TESTS_SM_PEERS_H

#include "sm/service.h"

enum peer_manner {
    POLITE,    /* asks, reads, asks ... */
    PIPELINER, /* asks everything at once, while it reads */
    TRICKLER,  /* sends byte by byte, then ends its output and reads */
    SLOW,      /* the same in one piece, and reads a few bytes at a time */
    MUTE,      /* asks and asks, and never reads; goes after a while */
    RESETTER,  /* asks, and goes without having read */
    GARBAGE,   /* sends a line that is too long, without an end */
    IDLER,     /* says nothing, and waits for the end that it gets */
    VISITOR,   /* comes and goes */
    PEER_MANNERS,
};

enum { LINE_BYTES_MAX = 256, PEER_BYTES = 2048 };

struct peer {
    struct tp_machine machine;
    struct tp_address address;
    enum peer_manner manner;
    uint32_t lines;    /* that it asks */
    uint64_t seed;     /* of what they say */
    uint64_t pause_ns; /* of SLOW, between reads; of MUTE, before it goes */
    bool content, wrong;
    int32_t error;    /* what its connection came to */
    uint64_t left_ns; /* when it went */

    uint64_t asked_at, due_at; /* positions: of the next byte to send, to read */
    uint32_t due_line, due_offset;
    struct tp_fd fd;
    struct tp_op send_op, recv_op;
    struct tp_buf out, in;
    uint8_t out_bytes[PEER_BYTES], in_bytes[PEER_BYTES];
    uint32_t line; /* the next one to be sent */
};

/** Starts it as a child; it ends with 0 whatever happens. */
struct tp_op peer_start(struct tp_ctx *cx, struct peer *peer, enum peer_manner manner,
                        const struct tp_address *address, uint32_t lines, uint64_t seed);

/** The service's clients. */
tp_tick_fn peers_client_tick;

/** The answer to a line. */
void peers_answer(struct tp_connection *connection, const uint8_t *line, int32_t len);

#endif
