/* tests/virtual/world.c - events come in their order, whatever is asked for, and whoever
 * leaves, while one of them happens: against a list that is searched. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "io/virtual/random.h"
#include "io/virtual/world_internal.h"

enum { PARTIES = 3, EVENTS = 20000, PENDING_MAX = 600, RUSH = 300 };

struct pending {
    uint64_t at_ns;
    uint32_t tie, party, number;
};

static struct model {
    struct tp_world *world;
    struct tp_rng rng;
    struct pending pending[PENDING_MAX];
    uint32_t count, asked, happened, left, most;
} model;

static uint32_t draw(uint32_t bound)
{
    return (uint32_t)tp_rng_below(&model.rng, bound);
}

static bool is_before(const struct pending *a, const struct pending *b)
{
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    return a->tie != b->tie ? a->tie < b->tie : a->number < b->number;
}

static uint32_t find_first(void)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < model.count; i++)
        first = is_before(&model.pending[i], &model.pending[first]) ? i : first;
    return first;
}

static void look(void)
{
    uint64_t next_ns = model.count == 0 ? TP_NEVER : model.pending[find_first()].at_ns;

    cr_assert(eq(u64, tp_world_next_ns(model.world), next_ns));
}

static void ask(void)
{
    struct pending event = {.at_ns = tp_world_now_ns(model.world) + draw(8),
                            .tie = draw(3),
                            .party = draw(PARTIES),
                            .number = model.asked++};

    model.pending[model.count++] = event;
    model.most = model.count > model.most ? model.count : model.most;
    tp_world_at(model.world, event.at_ns, event.tie, event.party, event.number);
    look();
}

static void due(void *context, uint32_t what);

/* Another one takes its number at once. */
static void leave(uint32_t party)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model.count; i++) {
        if (model.pending[i].party != party)
            model.pending[kept++] = model.pending[i];
    }
    model.count = kept;
    model.left++;
    tp_world_leave(model.world, party);
    look();
    cr_assert(eq(u32, tp_world_join(model.world, due, NULL), party));
}

/* Now there are many, now few, and at times none; who leaves may be whose event it is. */
static void due(void *context, uint32_t what)
{
    uint32_t first = find_first();
    bool is_rush = model.happened++ % (4 * RUSH) < RUSH;

    (void)context;
    cr_assert(eq(u32, what, model.pending[first].number));
    cr_assert(eq(u64, tp_world_now_ns(model.world), model.pending[first].at_ns));
    model.pending[first] = model.pending[--model.count];
    look();
    for (uint32_t more = draw(is_rush ? 5 : 2); more > 0 && model.count < PENDING_MAX;
         more--)
        ask();
    if (draw(150) == 0)
        leave(draw(PARTIES));
    if (draw(20) == 0)
        tp_world_fill(model.world);
    look();
}

Test(world, events_come_in_their_order)
{
    model.rng = tp_rng_make(1, 0);
    cr_assert(eq(int, tp_world_create(NULL, &model.world), 0));
    for (uint32_t i = 0; i < PARTIES; i++)
        cr_assert(eq(u32, tp_world_join(model.world, due, NULL), i));
    while (model.happened < EVENTS) {
        if (model.count == 0)
            ask();
        cr_assert(tp_world_step(model.world));
        look();
    }
    cr_assert(lt(u32, 256, model.most), "more than there was room for at first: %u",
              model.most);
    cr_assert(lt(u32, 100, model.left));
    for (uint32_t i = 0; i < PARTIES; i++)
        tp_world_leave(model.world, i);
    cr_assert(eq(u64, tp_world_next_ns(model.world), TP_NEVER));
    tp_world_destroy(model.world);
}
