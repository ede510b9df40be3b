/* How long runs take natively, for pace.mjs: it asks for one after the other while it does
 * the same in the module, so that both have the same machine. A question is a line on
 * standard input: how (`run`, as tempest-sim does it, or `engine`, as a page does), a
 * scenario, and the first and the last seed. The answer is microseconds of the processor,
 * events, and the trace of each seed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/sim/engine/engine.h"

enum { LINE_BYTES = 128, SEEDS_MAX = 1000, EVENTS_A_CALL = 5000 };

static struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
static uint32_t scenario_count;
static uint64_t traces[SEEDS_MAX];

static uint64_t processor_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static const struct tp_scenario *find(const char *name)
{
    for (uint32_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    return NULL;
}

/* What the module's exports lead to. Without memory there is no trace, and that is noticed.
 */
static void run_engine(const struct tp_scenario *scenario,
                       const struct tp_sim_options *options,
                       struct tp_sim_outcome *ret_outcome)
{
    static struct engine engine;

    memset(ret_outcome, 0, sizeof *ret_outcome);
    if (engine_begin(&engine, scenario, options, NULL) < 0)
        return;
    while (!engine.over)
        (void)engine_go(&engine, EVENTS_A_CALL, UINT64_MAX);
    *ret_outcome = engine.outcome;
    ret_outcome->events = engine.events;
    engine_end(&engine);
}

static void answer(bool as_engine, const struct tp_scenario *scenario, uint64_t first,
                   uint64_t last)
{
    uint64_t began = processor_us(), events = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        struct tp_sim_options options = {.size = sizeof options, .seed = seed};
        struct tp_sim_outcome outcome;

        if (as_engine)
            run_engine(scenario, &options, &outcome);
        else
            tp_sim_run(scenario, &options, &outcome);
        traces[seed - first] = outcome.trace;
        events += outcome.events;
    }
    (void)printf("%" PRIu64 " %" PRIu64, processor_us() - began, events);
    for (uint64_t i = 0; i <= last - first; i++)
        (void)printf(" %016" PRIx64, traces[i]);
    (void)printf("\n");
    (void)fflush(stdout);
}

/* The next word of a line; of one that has too few, an empty one. */
static const char *next_word(char **rest)
{
    const char *word = strtok_r(NULL, " \n", rest);

    return word == NULL ? "" : word;
}

int main(void)
{
    char line[LINE_BYTES];

    scenario_count = sim_scenarios(scenarios);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest;
        const char *how = strtok_r(line, " \n", &rest);
        const struct tp_scenario *scenario = find(next_word(&rest));
        uint64_t first = strtoull(next_word(&rest), NULL, 10);
        uint64_t last = strtoull(next_word(&rest), NULL, 10);

        if (how == NULL || scenario == NULL || first > last || last - first >= SEEDS_MAX)
            return 2;
        answer(strcmp(how, "engine") == 0, scenario, first, last);
    }
    return 0;
}
