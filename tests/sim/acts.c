/* What somebody outside does to a run befalls it, and is on the tape: the bytes of a saved
 * tape give the same run again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/sim/act.h"
#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/zoo/zoo.h"

/* A run under way, with a tape that grows or replays, and how often it was told of acts. */
struct under_way {
    const struct tp_scenario *scenario;
    struct tp_tape *tape;
    struct tp_sim *sim;
    struct tp_sim_outcome outcome;
    uint32_t acts_told;
    struct tp_sim_watch watch;
};

static void note(void *context, const struct tp_fact *fact)
{
    struct under_way *run = context;

    run->acts_told +=
        fact->kind == TP_FACT_EVENT && (fact->detail & TP_EVENT_ACT) != 0 ? 1 : 0;
}

static void begin(struct under_way *run, const struct tp_scenario *scenario,
                  struct tp_tape *tape)
{
    struct tp_sim_options options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1};

    run->acts_told = 0;
    run->scenario = scenario;
    run->watch = (struct tp_sim_watch){note, run};
    run->tape = options.tape = tape;
    options.watch = &run->watch;
    run->sim = tp_sim_create(scenario, &options, &run->outcome);
}

static void begin_seed(struct under_way *run, const struct tp_scenario *scenario,
                       uint64_t seed)
{
    struct tp_tape *tape;

    cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &tape), 0));
    begin(run, scenario, tape);
}

static void go(struct under_way *run, uint32_t events)
{
    for (uint32_t i = 0; i < events && tp_sim_advance(run->sim); i++)
        ;
}

static int32_t act(struct under_way *run, enum tp_act_kind kind, uint32_t node,
                   uint32_t other)
{
    struct tp_act what = {.kind = (uint32_t)kind, .node = node, .other = other};

    return tp_act_now(run->sim, &what);
}

static struct tp_sim_outcome end(struct under_way *run)
{
    go(run, UINT32_MAX);
    tp_sim_destroy(run->sim);
    return run->outcome;
}

/* What the bytes of its tape come to; the tape goes. */
static struct tp_sim_outcome again(struct under_way *run)
{
    size_t len = tp_tape_save(run->tape, NULL, 0);
    uint8_t *bytes = malloc(len);
    struct under_way replay;
    uint32_t told = run->acts_told;
    struct tp_tape *tape;

    cr_assert(bytes != NULL);
    cr_assert(eq(sz, tp_tape_save(run->tape, bytes, len), len));
    cr_assert(eq(int, tp_tape_load(bytes, len, NULL, &tape), 0));
    begin(&replay, run->scenario, tape);
    (void)end(&replay);
    cr_assert(eq(u32, replay.acts_told, told));
    tp_tape_destroy(tape);
    free(bytes);
    return replay.outcome;
}

static const struct tp_scenario *zoo_bug(uint32_t number, bool twin)
{
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        if (zoo_bugs[i].number == number)
            return twin ? zoo_bugs[i].twin : zoo_bugs[i].bug;
    }
    cr_fatal("no such bug");
}

/* Every kind of act, in a world of three where nothing else goes wrong. */
Test(acts, are_on_the_tape)
{
    const struct tp_scenario *scenario = zoo_bug(13, true);
    struct tp_sim_outcome plain, first, second;
    struct under_way run;

    begin_seed(&run, scenario, 7);
    plain = end(&run);
    tp_tape_destroy(run.tape);
    begin_seed(&run, scenario, 7);
    go(&run, 40);
    cr_assert(eq(i32, act(&run, TP_ACT_PART, 0, 1), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_CUT, 2, 0), 0));
    go(&run, 20);
    cr_assert(eq(i32, act(&run, TP_ACT_SYNC, 1, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_FILL, 2, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_FILL, 1, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_PAUSE, 0, 0), 0));
    go(&run, 20);
    cr_assert(eq(i32, act(&run, TP_ACT_MEND, 1, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_ROOM, 2, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_RESUME, 0, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_KILL, 1, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_START, 1, 0), 0));
    go(&run, 20);
    cr_assert(eq(i32, act(&run, TP_ACT_HEAL, 0, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_POWER, 2, 0), 0));
    go(&run, 5);
    cr_assert(eq(i32, act(&run, TP_ACT_HARSH, 0, 0), 0));
    first = end(&run);
    cr_assert(eq(u32, run.acts_told, 14));
    cr_assert(eq(u32, tp_act_count(run.tape), 14));
    cr_assert(eq(u32, tp_act_of(run.tape, 1, 3).kind, TP_ACT_CUT));
    cr_assert(eq(u32, tp_act_of(run.tape, 1, 3).node, 2));
    cr_assert(eq(u64, tp_act_of(run.tape, 1, 3).event, 40));
    second = again(&run);
    cr_assert(ne(u64, first.trace, plain.trace));
    cr_assert(eq(u64, second.trace, first.trace));
    cr_assert(eq(u64, second.events, first.events));
    tp_tape_destroy(run.tape);
}

/* Who replays a tape may do something more, before or after what is on it. */
Test(acts, come_between_those_of_a_tape)
{
    struct tp_sim_outcome first, second;
    struct under_way run, more;
    struct tp_tape *tape;

    begin_seed(&run, &tally_scenario, 11);
    go(&run, 60);
    cr_assert(eq(i32, act(&run, TP_ACT_POWER, 0, 0), 0));
    (void)end(&run);
    cr_assert(eq(int, tp_tape_replay(run.tape, &tape), 0));
    tp_tape_destroy(run.tape);

    begin(&more, &tally_scenario, tape);
    go(&more, 30);
    cr_assert(eq(i32, act(&more, TP_ACT_KILL, 0, 0), 0));
    first = end(&more);
    cr_assert(eq(u32, more.acts_told, 2));
    cr_assert(eq(u32, tp_act_of(tape, 0, 1).kind, TP_ACT_KILL));
    cr_assert(eq(u32, tp_act_of(tape, 1, 1).kind, TP_ACT_POWER));
    second = again(&more);
    cr_assert(eq(u64, second.trace, first.trace));
    tp_tape_destroy(tape);
}

/* A tape that was edited may end within an act, or say that there are no more: who does
 * something then has it on the tape where a replay looks. */
Test(acts, come_before_the_end_of_a_tape)
{
    static const struct {
        uint64_t values[6];
        uint32_t count, acts;
    } tapes[] = {{{TP_ACT_FILL, 12}, 2, 2},
                 {{TP_ACT_FILL, 5}, 2, 2},
                 {{TP_ACT_FILL}, 1, 2},
                 {{TP_ACT_NONE, 0, 0, 0, 1, 1}, 6, 1}};

    for (uint32_t i = 0; i < sizeof tapes / sizeof *tapes; i++) {
        struct tp_sim_outcome first, second;
        struct under_way run;
        struct tp_tape *tape;

        cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
        for (uint32_t k = 0; k < tapes[i].count; k++) {
            struct tp_draw_entry entry = {.bound = UINT64_MAX, .value = tapes[i].values[k]};

            cr_assert(
                eq(int, tp_tape_put(tape, tp_stream(0, TP_CONCERN_CRASH), k, entry), 0));
        }
        begin(&run, &tally_scenario, tape);
        go(&run, 10);
        cr_assert(eq(i32, act(&run, TP_ACT_POWER, 0, 0), 0));
        first = end(&run);
        cr_assert(eq(u32, run.acts_told, tapes[i].acts));
        second = again(&run);
        cr_assert(eq(u64, second.trace, first.trace));
        tp_tape_destroy(tape);
    }
}

/* Whenever the power is cut so that only what is durable is left, the bug that lives by
 * that is found before long, and its repaired twin bears it. */
Test(acts, a_harsh_cut_leaves_nothing_that_is_not_durable)
{
    uint32_t failed = 0;

    for (uint32_t at = 1; at <= 120; at++) {
        for (uint32_t twin = 0; twin <= 1; twin++) {
            struct tp_sim_outcome outcome;
            struct under_way run;

            begin_seed(&run, zoo_bug(3, twin == 1), 5);
            go(&run, at);
            if (act(&run, TP_ACT_HARSH, 0, 0) < 0)
                cr_assert(lt(u32, 60, at));
            outcome = end(&run);
            failed += twin == 0 && outcome.verdict == TP_VERDICT_FAILED;
            if (twin == 1)
                cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "at %u: %s", at,
                          outcome.message);
            tp_tape_destroy(run.tape);
        }
    }
    cr_assert(lt(u32, 40, failed));
}

Test(acts, that_cannot_be_are_refused)
{
    struct under_way run;

    begin_seed(&run, &tally_scenario, 1);
    cr_assert(eq(i32, act(&run, TP_ACT_KILL, 0, 0), -EBUSY)); /* nobody has booted */
    go(&run, 10);
    cr_assert(eq(i32, act(&run, TP_ACT_NONE, 0, 0), -EINVAL));
    cr_assert(eq(i32, act(&run, TP_ACTS, 0, 0), -EINVAL));
    cr_assert(eq(i32, act(&run, TP_ACT_KILL, 1, 0), -EINVAL));
    cr_assert(eq(i32, act(&run, TP_ACT_CUT, 0, 0), -EINVAL));
    cr_assert(eq(i32, act(&run, TP_ACT_KILL, 0, 0), 0));
    cr_assert(eq(i32, act(&run, TP_ACT_SYNC, 0, 0), -ENOTCONN));
    cr_assert(eq(u32, tp_act_count(run.tape), 1));
    go(&run, UINT32_MAX);
    cr_assert(eq(i32, act(&run, TP_ACT_KILL, 0, 0), -EBUSY));
    (void)end(&run);
    tp_tape_destroy(run.tape);
}

/* A tape may also ask for what never ends. */
Test(acts, that_never_end_end_when_all_is_healed)
{
    uint32_t stream = tp_stream(0, TP_CONCERN_CRASH);
    static const uint32_t kinds[] = {TP_ACT_PAUSE, TP_ACT_PART, TP_ACT_POWER};

    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t values[] = {kinds[i], 40, 1, UINT64_MAX};
        struct under_way run;
        struct tp_tape *tape;

        cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
        for (uint32_t k = 0; k < sizeof values / sizeof *values; k++) {
            struct tp_draw_entry entry = {.bound = UINT64_MAX, .value = values[k]};

            cr_assert(eq(int, tp_tape_put(tape, stream, k, entry), 0));
        }
        begin(&run, zoo_bug(13, true), tape);
        cr_assert(eq(u32, end(&run).verdict, TP_VERDICT_PASSED), "%s: %s",
                  tp_act_info[kinds[i]].name, run.outcome.message);
        cr_assert(eq(u32, run.acts_told, 1));
        tp_tape_destroy(tape);
    }
}

/* A tape that was edited may ask for what cannot be: that is left out. */
Test(acts, of_an_edited_tape_that_cannot_be_are_left_out)
{
    uint32_t stream = tp_stream(0, TP_CONCERN_CRASH);
    uint64_t values[] = {TP_ACT_KILL, 1, 0, 0, TP_ACT_CUT, 2, 0, 0, 9999, 3, 77, 1};
    struct tp_tape *tape;
    struct under_way run;

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tp_draw_entry entry = {.bound = UINT64_MAX, .value = values[i]};

        cr_assert(eq(int, tp_tape_put(tape, stream, i, entry), 0));
    }
    begin(&run, &tally_scenario, tape);
    cr_assert(eq(u32, end(&run).verdict, TP_VERDICT_PASSED));
    cr_assert(eq(u32, run.acts_told, 2)); /* what is too large is the last: a harsh cut */
    tp_tape_destroy(tape);
}
