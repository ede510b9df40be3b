#include "uring.h"

#include <errno.h>
#include <string.h>

static int set_up(struct io_uring *ring, uint32_t entries, uint32_t completions,
                  uint32_t flags)
{
    struct io_uring_params params;

    memset(&params, 0, sizeof params);
    params.flags = flags | (completions > 0 ? IORING_SETUP_CQSIZE : 0);
    params.cq_entries = completions;
    return io_uring_queue_init_params(entries, ring, &params);
}

int bench_uring_open(struct io_uring *ring, uint32_t entries, uint32_t completions)
{
    int result = set_up(ring, entries, completions,
                        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);

    if (result == -EINVAL)
        result = set_up(ring, entries, completions, IORING_SETUP_COOP_TASKRUN);
    if (result == -EINVAL)
        result = set_up(ring, entries, completions, 0);
    if (result < 0)
        return result;
    /* Worth a file lookup per enter; a kernel without it goes on without. */
    (void)io_uring_register_ring_fd(ring);
    return 0;
}
