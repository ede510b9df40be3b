#include "apps/sim/moments.h"

#include "apps/sim/sim_internal.h"

size_t tp_moments_size_bytes(uint32_t streams)
{
    return (size_t)TP_MOMENTS_MAX * streams * 2 * sizeof(uint64_t);
}

uint64_t tp_moments_asked(const struct tp_moments *moments, uint32_t at, uint32_t stream)
{
    tp_assert(at < moments->count && stream < moments->streams);
    return moments->asked[(size_t)at * moments->streams + stream];
}

uint64_t tp_moments_begun(const struct tp_moments *moments, uint32_t at, uint32_t stream)
{
    tp_assert(at < moments->count && stream < moments->streams);
    return moments->begun[(size_t)at * moments->streams + stream];
}

/* Whether the node has drawn of its workload since the last moment; the first one is when
 * anything is done at all. */
static bool is_new(const struct tp_moments *moments, const struct tp_sim *sim,
                   uint32_t stream)
{
    if (stream >= moments->streams || moments->count == TP_MOMENTS_MAX)
        return false;
    return moments->count == 0 || tp_tape_asked(sim->tape, stream) >
                                      tp_moments_asked(moments, moments->count - 1, stream);
}

static void note(void *context, const struct tp_fact *fact)
{
    struct tp_moments *moments = context;
    const struct tp_sim *sim;
    size_t at;

    if (fact->kind != TP_FACT_OPERATION || fact->moment->stage != TP_VIRTUAL_BEGUN)
        return;
    sim = fact->node->sim;
    if (!is_new(moments, sim, tp_stream(fact->node->number, TP_CONCERN_WORKLOAD)))
        return;
    at = (size_t)moments->count++ * moments->streams;
    for (uint32_t stream = 0; stream < moments->streams; stream++) {
        uint32_t number = stream / TP_CONCERNS;

        moments->asked[at + stream] = tp_tape_asked(sim->tape, stream);
        if (number == 0)
            moments->begun[at + stream] = sim->begun;
        else if (number <= sim->node_count)
            moments->begun[at + stream] = sim->nodes[number - 1]->begun;
    }
}

void tp_moments_init(struct tp_moments *moments, void *memory, uint32_t streams)
{
    uint64_t *numbers = memory;

    tp_assert(streams > 0);
    moments->watch = (struct tp_sim_watch){note, moments};
    moments->streams = streams;
    moments->count = 0;
    moments->asked = numbers;
    moments->begun = numbers + (size_t)TP_MOMENTS_MAX * streams;
}
