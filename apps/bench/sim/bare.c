#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/bench/sim/sim.h"
#include "io/virtual/random.h"

/* The least that any simulator does for an event: the first of a binary heap of 1,000 is
 * taken out, and the one that it leads to is put in; perhaps a page is copied. It tells how
 * fast this machine is, which differs by more than twice between hosts. */

enum { PENDING = 1000, PAGE = 4096, PAGES = 256, LATER_NS = 1 << 20 };

struct event {
    uint64_t at_ns, order;
};

struct bare {
    struct event heap[PENDING];
    uint32_t count;
    uint64_t order;
    struct tp_rng rng;
    uint8_t page[PAGE];
    uint8_t *pages;
};

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void push(struct bare *b, uint64_t at_ns)
{
    struct event event = {at_ns, b->order++};
    uint32_t at = b->count++;

    while (at > 0 && is_before(&event, &b->heap[(at - 1) / 2])) {
        b->heap[at] = b->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    b->heap[at] = event;
}

static struct event pop(struct bare *b)
{
    struct event first = b->heap[0];
    struct event last = b->heap[--b->count];
    uint32_t at = 0;

    for (uint32_t child = 1; child < b->count; child = 2 * at + 1) {
        child += child + 1 < b->count && is_before(&b->heap[child + 1], &b->heap[child]);
        if (is_before(&last, &b->heap[child]))
            break;
        b->heap[at] = b->heap[child];
        at = child;
    }
    b->heap[at] = last;
    return first;
}

static int bare_run(void *state, uint64_t operations)
{
    struct bare *b = state;

    for (uint64_t i = 0; i < operations; i++)
        push(b, pop(b).at_ns + tp_rng_next(&b->rng) % LATER_NS);
    return 0;
}

static int bare_copy_run(void *state, uint64_t operations)
{
    struct bare *b = state;

    for (uint64_t i = 0; i < operations; i++) {
        uint64_t drawn = tp_rng_next(&b->rng);

        push(b, pop(b).at_ns + drawn % LATER_NS);
        memcpy(b->pages + (drawn >> 32) % PAGES * PAGE, b->page, PAGE);
    }
    return 0;
}

static void bare_close(void *state)
{
    struct bare *b = state;

    free(b->pages);
    free(b);
}

static int bare_open(const struct bench_setting *setting, void **ret_state)
{
    struct bare *b = calloc(1, sizeof *b);

    (void)setting;
    if (b == NULL)
        return -ENOMEM;
    b->pages = calloc(PAGES, PAGE);
    if (b->pages == NULL) {
        bare_close(b);
        return -ENOMEM;
    }
    b->rng = (struct tp_rng){1};
    while (b->count < PENDING)
        push(b, tp_rng_next(&b->rng) % LATER_NS);
    *ret_state = b;
    return 0;
}

static const struct bench_hooks hooks = {.sample = bench_sim_sample};

const struct bench_contestant bench_sim_bare = {"bare",   NULL,       0,     bare_open,
                                                bare_run, bare_close, &hooks};
const struct bench_contestant bench_sim_bare_copy = {
    "bare-copy", "bare", 0, bare_open, bare_copy_run, bare_close, &hooks};
