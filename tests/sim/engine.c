/* The engine, natively: what a page is told is valid whatever the moment, and looking
 * changes nothing. Under the sanitizers here; as a module in tests/wasm/engine.mjs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/engine/attempt.h"
#include "apps/sim/engine/engine.h"
#include "apps/sim/engine/why.h"

static const struct tp_scenario *scenario_of(const char *name)
{
    static struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
    uint32_t count = sim_scenarios(scenarios);

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    cr_fatal("no such scenario");
}

/* Brackets that close in their order, outside of strings: what is cut off, or has a comma
 * too many before its end, is found. */
static bool is_whole(const char *text)
{
    char open[64];
    uint32_t depth = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"') {
            for (at++; *at != '"'; at += *at == '\\' ? 2 : 1) {
                if (*at == '\0')
                    return false;
            }
        } else if (*at == '{' || *at == '[') {
            if (depth == sizeof open)
                return false;
            open[depth++] = *at;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0 || open[--depth] != (*at == '}' ? '{' : '[') || at[-1] == ',')
                return false;
        }
    }
    return depth == 0 && text[0] != '\0';
}

static void look(struct engine *engine)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    cr_assert(out != NULL);
    engine_write_state(engine, out);
    cr_assert(eq(int, fclose(out), 0));
    cr_assert(is_whole(text), "%s", text);
    free(text);
    text = NULL;
    out = open_memstream(&text, &bytes);
    cr_assert(out != NULL);
    engine_facts_write(&engine->facts.all, 0, out);
    cr_assert(eq(int, fclose(out), 0));
    cr_assert(is_whole(text), "%s", text);
    free(text);
}

static void begin(struct engine *engine, const char *name, uint64_t seed)
{
    struct tp_sim_options options = {.seed = seed};

    cr_assert(eq(int, engine_begin(engine, scenario_of(name), &options, NULL), 0));
}

Test(engine, can_be_looked_at_after_every_event)
{
    static const char *const names[] = {"tally-broken", "zoo-13", "zoo-04"};

    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tp_sim_options options = {.seed = 4};
        struct tp_sim_outcome plain;
        struct engine engine = {0};

        tp_sim_run(scenario_of(names[i]), &options, &plain);
        begin(&engine, names[i], 4);
        while (!engine.over) {
            look(&engine);
            (void)engine_go(&engine, 1, TP_NEVER);
        }
        look(&engine);
        cr_assert(eq(u64, engine.outcome.trace, plain.trace));
        cr_assert(eq(u64, engine.events, plain.events));
        engine_end(&engine);
    }
}

/* Whatever is done to it, at any moment. */
Test(engine, bears_every_act_at_every_event)
{
    for (uint32_t kind = 1; kind < TP_ACTS; kind++) {
        struct engine engine = {0};

        begin(&engine, "zoo-13-twin", kind);
        for (uint32_t i = 0; !engine.over; i++) {
            struct tp_act act = {.kind = kind, .node = i % 3, .other = (i + 1) % 3};

            if (i < 60) {
                (void)engine_act(&engine, &act);
                look(&engine);
            }
            (void)engine_go(&engine, 1 + i / 60 * 10, TP_NEVER);
        }
        cr_assert(lt(u32, 20, tp_act_count(engine.tape)));
        engine_end(&engine);
    }
}

static void go_to_the_end(struct engine *engine)
{
    while (!engine->over)
        (void)engine_go(engine, 100, TP_NEVER);
}

/* Until it is over; then why. */
static char *explain(struct engine *engine)
{
    struct tp_batch_job job = {.scenario = engine->scenario, .options = engine->options};
    struct tp_explain explain = {.until_ns = TP_NEVER};
    struct tp_tape *tape = NULL;
    struct tp_trial trial;
    char *text = NULL;
    size_t bytes;
    FILE *out;

    go_to_the_end(engine);
    cr_assert(eq(u32, engine->outcome.verdict, TP_VERDICT_FAILED));
    job.options.watch = NULL;
    cr_assert(eq(int, tp_trial_open(&trial, &job), 0));
    cr_assert(eq(int, tp_tape_copy(engine->tape, NULL, &tape), 0));
    explain.trial = &trial;
    explain.tape = tape;
    explain.outcome = engine->outcome;
    cr_assert(eq(int, tp_explain_run(&explain), 0));
    out = open_memstream(&text, &bytes);
    cr_assert(out != NULL);
    (void)fputc('{', out);
    engine_why_write(&explain, out);
    (void)fputc('}', out);
    cr_assert(eq(int, fclose(out), 0));
    cr_assert(is_whole(text), "%s", text);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return text;
}

Test(engine, says_why)
{
    struct tp_act harsh = {.kind = TP_ACT_HARSH};
    struct tp_sim_options options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1,
                                     .seed = 1};
    struct engine engine = {0};
    char *text;

    cr_assert(eq(int, engine_begin(&engine, scenario_of("zoo-03"), &options, NULL), 0));
    (void)engine_go(&engine, 30, TP_NEVER);
    cr_assert(eq(i32, engine_act(&engine, &harsh), 0));
    text = explain(&engine);
    cr_assert(strstr(text, "\"kind\":\"sync_dir\"") != NULL, "%s", text);
    free(text);
    engine_end(&engine);
}

/* Which heal only together: the data and the names of all that was copied. */
Test(engine, says_why_of_many)
{
    struct tp_sim_options options = {.families_off = ((UINT32_C(1) << TP_FAMILIES) - 1) &
                                                     ~(UINT32_C(1) << TP_FAMILY_POWER),
                                     .seed = 1};
    struct engine engine = {0};
    char *text;

    for (;; options.seed++) {
        struct tp_sim_outcome outcome;

        cr_assert(lt(u64, options.seed, 50));
        tp_sim_run(scenario_of("copy-unsynced"), &options, &outcome);
        if (outcome.verdict == TP_VERDICT_FAILED)
            break;
    }
    cr_assert(
        eq(int, engine_begin(&engine, scenario_of("copy-unsynced"), &options, NULL), 0));
    text = explain(&engine);
    cr_assert(strstr(text, " barriers are missing, and without any of them it fails") !=
                  NULL,
              "%s", text);
    cr_assert(strstr(text, "\"names\":true,\"times\":") != NULL, "%s", text);
    cr_assert(strstr(text, "\"names\":false,\"times\":") != NULL, "%s", text);
    free(text);
    engine_end(&engine);
}

Test(engine, every_seed_has_something_to_do)
{
    struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
    uint32_t count = sim_scenarios(scenarios);

    for (uint32_t i = 0; i < count; i++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct tp_sim_options options = {.seed = seed};
            struct tp_sim_outcome outcome;

            tp_sim_run(&scenarios[i], &options, &outcome);
            cr_assert(lt(u64, 0, outcome.operations), "%s, seed %u", scenarios[i].name,
                      (unsigned)seed);
        }
    }
}

/* ------------------------------------------------------------------ trials of a module */

/* The answer to an order, whose members are as given. */
static struct engine_parcel attempt(struct engine_attempt *attempt,
                                    const struct engine *engine, struct engine_order order)
{
    struct tp_sim_options options = {.size = sizeof options};
    struct engine_parcel parcel = {0}, answer = {0};

    engine_parcel_put(&parcel, &order, sizeof order);
    engine_parcel_put_tape(&parcel, engine->tape);
    cr_assert(engine_attempt_begin(attempt, engine->scenario, &options, &parcel));
    while (engine_attempt_go(attempt, 50))
        ;
    engine_attempt_end(attempt, "", &answer);
    free(parcel.bytes);
    return answer;
}

Test(engine, attempts_what_a_parcel_says_and_answers_with_what_was_drawn)
{
    struct engine_attempt one = {.tape = NULL};
    struct engine engine = {0};
    struct engine_parcel answer;
    struct engine_answer head;
    struct tp_tape *tape = NULL;

    begin(&engine, "zoo-03", 1);
    go_to_the_end(&engine);
    answer = attempt(
        &one, &engine,
        (struct engine_order){.records = 4096, .all_stages = true, .compares = true});
    cr_assert(engine_parcel_take(&answer, &head, sizeof head));
    cr_assert(eq(u64, head.outcome.trace, engine.outcome.trace));
    cr_assert(eq(u64, head.outcome.kind, engine.outcome.kind));
    cr_assert(lt(u32, 100, head.record_count));
    cr_assert(lt(u32, 0, head.file_count));
    cr_assert(engine_parcel_take_tape(&answer, &tape));
    tp_tape_set_label(tape, tp_tape_label(engine.tape));
    cr_assert(eq(u64, tp_tape_save(tape, NULL, 0), tp_tape_save(engine.tape, NULL, 0)));
    tp_tape_destroy(tape);
    free(answer.bytes);

    answer = attempt(&one, &engine, (struct engine_order){.notes_moments = true});
    cr_assert(engine_parcel_take(&answer, &head, sizeof head));
    cr_assert(lt(u32, 10, head.moment_count));
    free(answer.bytes);

    answer = attempt(&one, &engine, (struct engine_order){.events_max = 20});
    cr_assert(engine_parcel_take(&answer, &head, sizeof head));
    cr_assert(eq(u32, head.outcome.verdict, TP_VERDICT_PASSED));
    free(answer.bytes);
    engine_attempt_forget(&one);
    engine_end(&engine);
}
