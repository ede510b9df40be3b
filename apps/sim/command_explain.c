/* explain: what was missing, and where. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/shrink.h"

#define SHRINK_NS  UINT64_C(20000000000)
#define EXPLAIN_NS UINT64_C(30000000000)

static const char *kind_of(const struct tp_explain *explain)
{
    switch (explain->how) {
    case TP_EXPLAINED_NOT:
        return "none";
    case TP_EXPLAINED_BARRIER:
    case TP_EXPLAINED_TWO:
        return explain->ghosts[0].names ? "sync_dir" : "fsync";
    case TP_EXPLAINED_ERROR:
        return "error";
    case TP_EXPLAINED_CHOICE:
        return "choice";
    }
    tp_unreachable();
}

static void tell_json(const struct tp_sim_arguments *arguments,
                      const struct tp_explain *explain, uint32_t choices)
{
    const struct tp_record *after = &explain->after[0];
    const char *slash = after->file == NULL ? NULL : strrchr(after->file, '/');
    const char *file = slash != NULL ? slash + 1 : after->file == NULL ? "" : after->file;

    (void)printf("{\"scenario\": \"%s\", \"verdict\": \"%s\", \"explained\": %s, "
                 "\"kind\": \"%s\", \"barriers\": %u, \"file\": \"%s\", \"line\": %u, "
                 "\"operation\": \"%s\", \"path\": \"%s\", \"choices\": %u, \"runs\": "
                 "%" PRIu64 "}\n",
                 arguments->scenario->name, tp_verdict_name(explain->outcome.verdict),
                 explain->how == TP_EXPLAINED_NOT ? "false" : "true", kind_of(explain),
                 explain->ghost_count, file, after->line, tp_kind_info[after->op].name,
                 after->text, choices, explain->runs);
}

/* A smaller run is explained sooner, and in fewer words. */
int tp_command_find_why(struct tp_explain *explain, struct tp_tape **tape)
{
    struct tp_shrink shrink = {.trial = explain->trial,
                               .best = *tape,
                               .outcome = explain->outcome,
                               .until_ns = tp_host_now_ns() + SHRINK_NS};
    int error = tp_shrink_run(&shrink);

    *tape = shrink.best;
    explain->tape = shrink.best;
    explain->outcome = shrink.outcome;
    explain->until_ns = tp_host_now_ns() + EXPLAIN_NS;
    return error == 0 ? tp_explain_run(explain) : error;
}

int tp_command_explain(const struct tp_sim_arguments *arguments)
{
    struct tp_trial trial;
    struct tp_explain explain = {.trial = &trial};
    struct tp_tape *tape = NULL;
    int error;

    if (!tp_command_try(arguments, &trial, &explain.outcome, &tape))
        return APP_EXIT_FAILED;
    if (explain.outcome.verdict == TP_VERDICT_PASSED) {
        app_say("it passes: there is nothing to explain");
        tp_tape_destroy(tape);
        tp_trial_close(&trial);
        return APP_EXIT_FAILED;
    }
    error = tp_command_find_why(&explain, &tape);
    if (error < 0)
        app_say("it ended early: %s (%s)", tp_errno_name(error), strerror(-error));
    if (arguments->json)
        tell_json(arguments, &explain, tp_shrink_choices(tape));
    else
        tp_explain_print(&explain, stdout);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return error < 0 ? APP_EXIT_FAILED : APP_EXIT_DONE;
}
