/* What the host of the module that looks for why calls: tempest-why.wasm. It does what
 * `tempest-sim explain` does, with trials in other modules (trial.c). One explanation a
 * module. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "apps/sim/engine/host.h"
#include "apps/sim/engine/why.h"
#include "apps/sim/shrink.h"

static struct {
    struct tp_trial trial;
    struct tp_shrink shrink;
    struct tp_explain explain;
    uint32_t before; /* choices that the run had */
    bool is_begun, is_shrunk, is_done;
} why;

/* The run once more, to begin with. */
static int32_t begin(struct tp_tape *tape)
{
    const struct tp_batch_job job = {.options = {.size = sizeof job.options}};
    int error;

    (void)tp_trial_open(&why.trial, &job);
    why.shrink.trial = why.explain.trial = &why.trial;
    why.shrink.best = tape;
    error = tp_trial_replay(&why.trial, tape, &why.shrink.outcome);
    if (error < 0)
        return engine_fail(error, "no memory to explain");
    if (why.shrink.outcome.verdict == TP_VERDICT_PASSED)
        return engine_fail(-EINVAL, "there is nothing to explain");
    why.before = tp_shrink_choices(tape);
    why.is_begun = true;
    return 0;
}

static int find_why(void)
{
    int error;

    why.shrink.until_ns = tp_host_now_ns() + TP_EXPLAIN_SHRINK_NS;
    error = tp_shrink_run(&why.shrink);
    why.is_shrunk = true;
    why.explain.tape = why.shrink.best;
    why.explain.outcome = why.shrink.outcome;
    why.explain.until_ns = tp_host_now_ns() + TP_EXPLAIN_NS;
    if (error == 0)
        error = tp_explain_run(&why.explain);
    why.is_done = true;
    return error;
}

/* Of the saved tape that is the input. */
EXPORT(int32_t, engine_explain, uint32_t tape_len)
{
    struct tp_tape *tape = NULL;
    int32_t error;

    if (why.shrink.best != NULL)
        return engine_fail(-EBUSY, "this module has explained a run already");
    if (engine_input_bytes() == NULL ||
        tp_tape_load(engine_input_bytes(), tape_len, NULL, &tape) < 0)
        return engine_fail(-EBADMSG, "this is no tape");
    error = begin(tape);
    if (error < 0)
        return error;
    return find_why() < 0 ? engine_fail(-ENOMEM, "no memory to explain") : 0;
}

/* What is known, also while it is looked for: the host is asked for a trial then. */
EXPORT(int32_t, engine_explanation, void)
{
    FILE *out = engine_open_output();

    (void)fprintf(out,
                  "{\"done\":%s,\"shrunk\":%s,\"runs\":%" PRIu64
                  ",\"choices\":%u,\"choices_before\":%u",
                  why.is_done ? "true" : "false", why.is_shrunk ? "true" : "false",
                  why.trial.runs, why.is_begun ? tp_shrink_choices(why.shrink.best) : 0,
                  why.before);
    if (why.is_done) {
        (void)fputc(',', out);
        engine_why_write(&why.explain, out);
    }
    (void)fputc('}', out);
    return engine_close_output(out);
}

/* The run that is explained, as the bytes of a saved tape. */
EXPORT(int32_t, engine_tape, void)
{
    size_t len;
    void *bytes;

    if (!why.is_done)
        return engine_fail(-EINVAL, "nothing has been explained");
    len = tp_tape_save(why.shrink.best, NULL, 0);
    bytes = malloc(len);
    if (bytes != NULL)
        (void)tp_tape_save(why.shrink.best, bytes, len);
    return engine_give(bytes, len);
}
