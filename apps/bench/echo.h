/** apps/bench/echo.h - the servers of `echo`: what a client sends goes back to it.
 *
 * Each runs in a process of its own, in one thread. It listens on 127.0.0.1, at any port,
 * tells which, serves as many connections as it was told to, and returns when the last has
 * ended: 0, or what went wrong.
 *
 * All have the same: TCP_NODELAY, the system's socket buffers, receives of up to
 * BENCH_ECHO_BUF_BYTES. None loses order: of one connection one send is under way at a
 * time, and what a full socket does not take waits for it.
 */
#ifndef TEMPEST_APPS_BENCH_ECHO_H
#define TEMPEST_APPS_BENCH_ECHO_H

#include "bench.h"
#include "runtime/machine.h"

enum { BENCH_ECHO_BUF_BYTES = 4096, BENCH_ECHO_EVENTS = 512 };

/** What a server is told. */
struct bench_echo {
    const struct bench_options *options;
    uint32_t connections;
    uint32_t buf_count; /* receive buffers, where they are a ring's: a power of two */
    int ready_fd;       /* where it tells its port */
};

/** A socket that listens, does not block, and hands TCP_NODELAY down; its port has been
 * told. A fd or -errno. */
int bench_echo_listen(const struct bench_echo *echo);

/** Tells the port. 0 or -errno. */
int bench_echo_tell(const struct bench_echo *echo, uint16_t port);

/** echo_epoll.c: edge-triggered, one receive and one send for what a client sent. */
int bench_echo_epoll(const struct bench_echo *echo);

/** echo_uring.c: multishot accept and receive, a ring of buffers, direct descriptors. */
int bench_echo_uring(const struct bench_echo *echo);

/** echo_tempest.c: machines; a receive buffer is sent from where it lies. */
int bench_echo_tempest(const struct bench_echo *echo);

/** echo_connection.c: sm's listener and connections. */
int bench_echo_connection(const struct bench_echo *echo);

/** echo_tempest.c: runs a server that is a machine. 0, its result, or -errno. */
int bench_echo_run(const struct bench_echo *echo, struct tp_machine *machine,
                   tp_tick_fn *tick);

#ifdef BENCH_LIBUV
/** echo_uv.c: libuv's streams. */
int bench_echo_uv(const struct bench_echo *echo);
#endif

#endif
