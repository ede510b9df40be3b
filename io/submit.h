/** io/submit.h - the way of a request into its backend: one for Io alone, one for the
 * runtime.
 *
 * Inline, since every operation goes through it once: what nearly all of them pass is
 * checked here, and what only some kinds need in tp_io_pass_checked().
 */
#ifndef TEMPEST_IO_SUBMIT_H
#define TEMPEST_IO_SUBMIT_H

#include "fd_table.h"
#include "io.h"
#include "loans.h"

/** io.c: tp_io_pass() for the requests that are seldom: handle 0, and those with arguments
 * that are no good transfer. Stops the program when the handle is a bad one or there is no
 * room. */
void tp_io_pass_rare(struct tp_io *io, const struct tp_request *request, uint32_t traits);

static inline void tp_io_begin_loan(struct tp_io *io, const struct tp_request *request)
{
#ifdef TP_CHECKED
    tp_loans_begin(io->loans, request);
#else
    (void)io, (void)request;
#endif
}

/** Whether it is a transfer with which nothing is wrong that can be seen before the backend
 * looks. */
static inline bool tp_io_is_good_transfer(const struct tp_io *io,
                                          const struct tp_request *request)
{
    const uint32_t transfers =
        1U << TP_READ | 1U << TP_WRITE | 1U << TP_RECV | 1U << TP_SEND;

    _Static_assert(TP_SEND < 32, "transfers has a bit for each");
    return request->kind < 32 && (transfers >> request->kind & 1) != 0 &&
           tp_fd_table_holds(io->fds, request->fd) && request->a.memory != NULL &&
           request->b.offset <= INT64_MAX && request->len <= TP_LEN_MAX;
}

/** tp_io_submit() for a request whose kind was looked at: one that a backend sees, with
 * `traits`. */
static inline void tp_io_pass(struct tp_io *io, const struct tp_request *request,
                              uint32_t traits)
{
    const uint32_t with_arguments = TP_TAKES_FD | TP_TAKES_PATH | TP_LENDS_IN |
                                    TP_LENDS_OUT | TP_TAKES_ADDRESS | TP_TAKES_OTHER;

    if (__builtin_expect(request->handle - 1 >= TP_HANDLE_MAX, 0) ||
        __builtin_expect(io->in_flight >= io->ops_max, 0) ||
        ((traits & with_arguments) != 0 && !tp_io_is_good_transfer(io, request))) {
        tp_io_pass_rare(io, request, traits);
        return;
    }
    io->stats.submitted[request->kind]++;
    io->in_flight++;
    if ((traits & with_arguments) != 0)
        tp_io_begin_loan(io, request);
    io->backend->submit(io, request);
}

#endif
