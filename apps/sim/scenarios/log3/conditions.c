#include "apps/sim/scenarios/log3/conditions.h"

#define MILLISECOND_NS UINT64_C(1000000)

/* One of these, of which the first is the mildest. */
#define PICK(sim, table) (table)[tp_sim_draw(sim, sizeof(table) / sizeof *(table))]

static const struct log3_conditions usual = {
    .count_every = {16, 16},
    .patience_ns = 1000 * MILLISECOND_NS,
    .retry_ns = 100 * MILLISECOND_NS,
    .sync_ms = {1, 1, 1},
};

void log3_conditions_draw(struct tp_sim *sim, bool varies,
                          struct log3_conditions *ret_conditions)
{
    static const uint32_t forget_after[] = {LOG3_ENTRIES_MAX / 2, 64, 16, 5};
    static const uint32_t count_every[LOG3_CLIENTS][4] = {{16, 16, 4, 2}, {16, 4, 2, 1}};
    static const uint32_t patience_ms[] = {1000, 1000, 500, 300};
    static const uint32_t retry_ms[] = {100, 100, 25, 10};
    static const uint32_t sync_ms[] = {1, 1, 8, 40};
    static const uint32_t distance_ms[] = {0, 0, 2, 8};
    static const uint32_t strikes[] = {0, 0, 4, 12};
    struct log3_conditions *conditions = ret_conditions;

    *conditions = usual;
    conditions->forget_after = PICK(sim, forget_after);
    if (!varies)
        return;
    for (uint32_t i = 0; i < LOG3_CLIENTS; i++)
        conditions->count_every[i] = PICK(sim, count_every[i]);
    conditions->patience_ns = PICK(sim, patience_ms) * MILLISECOND_NS;
    conditions->retry_ns = PICK(sim, retry_ms) * MILLISECOND_NS;
    conditions->strikes = PICK(sim, strikes);
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        conditions->sync_ms[i] = PICK(sim, sync_ms);
        conditions->distance_ms[i] = PICK(sim, distance_ms);
    }
    tp_assert(conditions->strikes < LOG3_STRIKE_ODDS);
}

uint32_t log3_distance_ms(const struct log3_conditions *conditions, uint32_t node)
{
    return node < LOG3_NODES ? conditions->distance_ms[node] : 0;
}

struct tp_virtual_latency log3_latency(uint32_t base_ms)
{
    struct tp_virtual_latency latency = {.base_ns = 800000,
                                         .spread_ns = 200000,
                                         .zero_ppm = 5000,
                                         .tail_ppm = 1000,
                                         .tail_factor = 20};

    latency.base_ns *= base_ms;
    latency.spread_ns *= base_ms;
    return latency;
}
