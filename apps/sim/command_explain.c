/* explain: what was missing, and where. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/shrink.h"
#include "apps/sim/text.h"

#define SHRINK_NS  UINT64_C(30000000000)
#define EXPLAIN_NS UINT64_C(30000000000)

static void tell_json(const struct tp_sim_arguments *arguments,
                      const struct tp_explain *explain, uint32_t choices)
{
    const struct tp_record *at = tp_explain_site(explain);

    (void)printf("{\"scenario\": ");
    tp_text_json(arguments->scenario->name, stdout);
    (void)printf(", \"verdict\": \"%s\", \"explained\": %s, \"kind\": \"%s\", "
                 "\"barriers\": %u, \"file\": ",
                 tp_verdict_name(explain->outcome.verdict),
                 explain->how == TP_EXPLAINED_NOT ? "false" : "true",
                 tp_explain_kind(explain), explain->barrier_count);
    tp_text_json(at->file == NULL ? "" : tp_text_base(at->file), stdout);
    (void)printf(", \"line\": %u, \"operation\": \"%s\", \"path\": ", at->line,
                 tp_kind_info[at->op].name);
    tp_text_json(at->text, stdout);
    (void)printf(", \"choices\": %u, \"runs\": %" PRIu64 "}\n", choices, explain->runs);
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
