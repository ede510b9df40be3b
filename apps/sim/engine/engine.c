#include "apps/sim/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/manner.h"

static int make_tape(struct engine *engine, struct tp_tape *tape)
{
    engine->from_tape = tape != NULL;
    engine->tape = tape;
    return tape != NULL
               ? 0
               : tp_tape_from_seed(engine->options.seed, true, NULL, &engine->tape);
}

int engine_begin(struct engine *engine, const struct tp_scenario *scenario,
                 const struct tp_sim_options *options, struct tp_tape *tape)
{
    engine_end(engine);
    engine->options = *options;
    if (engine_facts_init(&engine->facts) < 0 || make_tape(engine, tape) < 0) {
        engine_facts_deinit(&engine->facts);
        tp_tape_destroy(tape);
        engine->tape = NULL;
        return -ENOMEM;
    }
    tp_manner_label(engine->tape, scenario, options);
    engine->options.tape = engine->tape;
    engine->options.watch = &engine->facts.watch;
    engine->scenario = scenario;
    engine->sim = tp_sim_create(scenario, &engine->options, &engine->outcome);
    engine->facts.sim = engine->sim;
    engine->node_count = tp_sim_nodes(engine->sim);
    engine->drawn = engine->sim->swarm.on;
    tp_sim_begin(engine->sim);
    return 0;
}

void engine_end(struct engine *engine)
{
    if (engine->sim != NULL)
        tp_sim_destroy(engine->sim);
    tp_tape_destroy(engine->tape);
    engine_facts_deinit(&engine->facts);
    free(engine->picture);
    memset(engine, 0, sizeof *engine);
}

/* What there is to see is kept. */
static void keep_picture(struct engine *engine)
{
    FILE *out = open_memstream(&engine->picture, &engine->picture_bytes);

    if (out == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a picture");
    engine_write_picture(engine->sim, &engine->facts, out);
    if (fclose(out) != 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a picture");
    engine->events = tp_sim_events(engine->sim);
    engine->now_ns = tp_sim_now_ns(engine->sim);
}

/* Only now the tape has all that its seed draws. */
static void end(struct engine *engine)
{
    if (!engine->from_tape)
        tp_manner_label_seed(engine->tape, engine->scenario, &engine->options);
    engine->phase = engine->outcome.phase;
    engine->over = true;
}

/* The verdict stands: the run is taken down. */
static void conclude(struct engine *engine)
{
    keep_picture(engine);
    (void)tp_sim_advance(engine->sim);
    tp_sim_finish(engine->sim);
    end(engine);
}

void engine_stopped(struct engine *engine, const char *said)
{
    uint64_t trace = tp_sim_trace(engine->sim);

    tp_assert(!engine->over);
    engine->sim->over = false; /* whatever it was about to say */
    tp_sim_conclude(engine->sim, TP_VERDICT_STOPPED, NULL, 0, "%s", said);
    keep_picture(engine);
    engine->events = engine->steps + 1; /* the one that it is in the midst of */
    engine->outcome.trace = trace;
    end(engine);
}

/* One event. False: there was none, since the run is over. */
static bool go_on(struct engine *engine)
{
    bool went = !engine->sim->over && tp_sim_advance(engine->sim);

    engine->steps += went;
    if (!went || engine->sim->over)
        conclude(engine);
    return went;
}

uint32_t engine_go(struct engine *engine, uint32_t events, uint64_t until_ns)
{
    uint32_t done = 0;

    while (done < events && !engine->over) {
        uint64_t next_ns = tp_world_next_ns(engine->sim->world);

        if (next_ns != TP_NEVER && next_ns > until_ns)
            break;
        done += go_on(engine) ? 1 : 0;
    }
    return done;
}

uint32_t engine_go_to(struct engine *engine, uint32_t node, uint32_t events)
{
    uint64_t told = engine->facts.told[node % ENGINE_NODES];
    uint32_t done = 0;

    while (done < events && !engine->over &&
           engine->facts.told[node % ENGINE_NODES] == told)
        done += go_on(engine) ? 1 : 0;
    return done;
}

int32_t engine_act(struct engine *engine, const struct tp_act *act)
{
    if (engine->over)
        return -EBUSY;
    return tp_act_now(engine->sim, act);
}
