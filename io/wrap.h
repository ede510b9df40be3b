/** io/wrap.h - an Io over another: to count, trace, record or inject, in a page.
 *
 * A wrapper is a backend of its own whose functions default to the ones below, which pass
 * everything on; write only those that differ, most often submit():
 *
 *     static void submit(struct tp_io *io, const struct tp_request *request)
 *     {
 *         if (request->kind == TP_READ && is_the_chosen_one(io))
 *             tp_io_complete_later(io, request->handle, -EIO);
 *         else
 *             tp_io_wrap_submit(io, request);
 *     }
 *
 * To look at completions, or change their values, call tp_io_wrap_poll() and
 * tp_io_wrap_park() and then walk what they appended to tp_io_completions(io).
 *
 * Wrapper and wrapped share one table of fds, one pool of registered buffers and one list
 * of loans, so arguments are checked once and a fd means the same to both. While it is
 * wrapped, only the wrapper uses the inner one. Destroying the wrapper destroys both. The
 * limits of the inner one hold: operations are bounded by its ops_max.
 */
#ifndef TEMPEST_IO_WRAP_H
#define TEMPEST_IO_WRAP_H

#include "io.h"

struct tp_io_wrap {
    struct tp_io
        io; /* first in the wrapper's own struct, which a tp_io_wrap in turn begins */
    struct tp_io *inner;
    void (*free_memory)(struct tp_io_wrap *wrap); /* called last by destroy; or NULL */
};

TP_BEGIN_DECLS

/** Makes a wrapper over `inner`. 0, or -ENOMEM; then `inner` is untouched. */
TP_EXPORT int tp_io_wrap_init(struct tp_io_wrap *wrap, const struct tp_io_backend *backend,
                              struct tp_io *inner);

/* The functions of a wrapper that changes nothing. */
TP_EXPORT void tp_io_wrap_submit(struct tp_io *io, const struct tp_request *request);
TP_EXPORT void tp_io_wrap_poll(struct tp_io *io);
TP_EXPORT void tp_io_wrap_park(struct tp_io *io, uint64_t deadline_ns);
TP_EXPORT uint32_t tp_io_wrap_unsubmitted(const struct tp_io *io);
TP_EXPORT int tp_io_wrap_pollable(const struct tp_io *io);
TP_EXPORT void tp_io_wrap_wake(struct tp_io *io);
TP_EXPORT uint64_t tp_io_wrap_clock(struct tp_io *io, enum tp_clock clock);
TP_EXPORT void tp_io_wrap_random(struct tp_io *io, void *ret_bytes, size_t len_bytes);
TP_EXPORT void tp_io_wrap_destroy(struct tp_io *io);

TP_END_DECLS

/** The table of a wrapper named `text` that changes submit() only. */
#define TP_IO_WRAP_BACKEND(text, submit_function)                                        \
    {                                                                                    \
        text, submit_function, tp_io_wrap_poll, tp_io_wrap_park, tp_io_wrap_unsubmitted, \
            tp_io_wrap_pollable, tp_io_wrap_wake, tp_io_wrap_clock, tp_io_wrap_random,   \
            tp_io_wrap_destroy                                                           \
    }

#endif
