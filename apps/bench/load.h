/** apps/bench/load.h - the client of the echo servers, the same for all: many connections,
 * each with a burst of messages on its way and the next when all of them are back.
 *
 * Each message holds its connection and its number, and every byte that comes back is
 * compared with what was sent: a server that loses, doubles, swaps or changes anything is
 * an error, not a fast one.
 *
 * Errors: -EILSEQ (other bytes came back), -ENODATA (the server closed), -ETIMEDOUT
 * (nothing came for as long as was agreed), or those of the sockets.
 */
#ifndef TEMPEST_APPS_BENCH_LOAD_H
#define TEMPEST_APPS_BENCH_LOAD_H

#include "apps/bench/histogram.h"

enum { BENCH_MESSAGE_BYTES = 64 };

struct bench_load;

/** What it does. */
struct bench_load_plan {
    uint16_t port; /* of 127.0.0.1 */
    uint32_t connections;
    uint32_t depth;      /* messages of a burst */
    int32_t patience_ms; /* how long nothing may come */
};

/** Connects all. 0 or -errno. */
int bench_load_open(const struct bench_load_plan *plan, struct bench_load **ret_load);

/** Sends `messages`, and waits until all are back. */
int bench_load_run(struct bench_load *load, uint64_t messages);

/** The latencies of the last run: from a burst's first byte sent to a message's last byte
 * received. */
const struct bench_histogram *bench_load_latencies(const struct bench_load *load);

/** Ends every connection in order: the server must close each, and send nothing more. */
int bench_load_finish(struct bench_load *load);

/** NULL is fine. */
void bench_load_close(struct bench_load *load);

#endif
