/** io/loans.h - the list of loans, kept in checked builds (TP_CHECKED): law 2 made visible.
 *
 * A loan begins when an operation that lends memory is submitted and ends when its
 * completion is claimed. In between: in loans (the world writes) are exclusive: one that
 * overlaps any other loan stops the program. Under AddressSanitizer their whole granules
 * are poisoned. out loans (the world reads) may overlap each other; a checksum taken at
 * submission is compared at the claim. free() of lent memory is reported, where
 * AddressSanitizer offers the hook.
 *
 * A backend that itself writes into lent memory (one in memory, not the kernel) does so
 * between tp_loans_open() and tp_loans_close(). In builds without TP_CHECKED all of this is
 * nothing.
 */
#ifndef TEMPEST_IO_LOANS_H
#define TEMPEST_IO_LOANS_H

#include "io.h"

#ifdef TP_CHECKED

/** NULL when there is no memory. */
struct tp_loans *tp_loans_create(struct tp_io *io, uint32_t loans_max);
void tp_loans_destroy(struct tp_loans *loans);

/** Notes the memory that `request` lends, if it does. */
void tp_loans_begin(struct tp_loans *loans, const struct tp_request *request);

/** Ends the loan under `handle`; nothing happens when there is none. */
void tp_loans_end(struct tp_loans *loans, uint64_t handle);

/** Whose description goes into the reports: the wrapper's, once there is one. */
void tp_loans_set_io(struct tp_loans *loans, struct tp_io *io);

/** Ends all without looking at the memory: the world they were lent to is gone. */
void tp_loans_forget(struct tp_loans *loans);

/** Exported for backends outside the library; in builds without checks they do nothing. */
TP_EXPORT void tp_loans_open(struct tp_io *io, uint64_t handle);
TP_EXPORT void tp_loans_close(struct tp_io *io, uint64_t handle);

#else

static inline void tp_loans_open(struct tp_io *io, uint64_t handle)
{
    (void)io, (void)handle;
}

static inline void tp_loans_close(struct tp_io *io, uint64_t handle)
{
    (void)io, (void)handle;
}

#endif

#endif
