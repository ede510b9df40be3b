/** tests/history/linear.c - the checker: known small histories, every order tried beside
 * it, planted errors, bounds, and what it prints. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/linear.h"
#include "io/virtual/random.h"
#include "tests/history/brute.h"
#include "tests/history/generate.h"

static struct tp_history *read_text(const char *text)
{
    struct tp_history *history;
    struct tp_history_error error;

    if (tp_history_read(NULL, text, strlen(text), &history, &error) < 0)
        cr_fatal("line %u: %s", error.line, error.what);
    return history;
}

static enum tp_linear_verdict verdict_of(const struct tp_history *history,
                                         const struct tp_linear_config *config)
{
    struct tp_linear_report report;

    tp_linear_check(history, &tp_model_kv, config, &report);
    tp_linear_report_deinit(&report);
    return report.verdict;
}

static bool is_linearizable(const char *events)
{
    char text[2048];
    struct tp_history *history;
    enum tp_linear_verdict verdict;

    (void)snprintf(text, sizeof text, "tempest-history 1\n%s", events);
    history = read_text(text);
    verdict = verdict_of(history, NULL);
    cr_assert(ne(int, (int)verdict, TP_LINEAR_UNDECIDED));
    tp_history_destroy(history);
    return verdict == TP_LINEAR_YES;
}

Test(linear, an_empty_history_is_linearizable)
{
    cr_assert(is_linearizable(""));
}

Test(linear, a_read_sees_the_last_complete_write_or_one_under_way)
{
    cr_assert(is_linearizable("1 0 invoke put \"x\" \"1\"\n2 0 ok\n"
                              "3 1 invoke get \"x\"\n4 1 ok \"1\"\n"));
    cr_assert(not(is_linearizable("1 0 invoke put \"x\" \"1\"\n2 0 ok\n"
                                  "3 1 invoke get \"x\"\n4 1 ok nil\n")));
    cr_assert(
        is_linearizable("1 0 invoke put \"x\" \"1\"\n3 1 invoke get \"x\"\n"
                        "4 1 ok \"1\"\n5 1 invoke get \"x\"\n6 1 ok \"1\"\n7 0 ok\n"));
    cr_assert(
        not(is_linearizable("1 0 invoke put \"x\" \"1\"\n3 1 invoke get \"x\"\n"
                            "4 1 ok \"1\"\n5 1 invoke get \"x\"\n6 1 ok nil\n7 0 ok\n")));
}

Test(linear, the_order_of_lines_counts_also_at_one_time)
{
    cr_assert(not(is_linearizable("1 0 invoke put \"x\" \"1\"\n1 0 ok\n"
                                  "1 1 invoke get \"x\"\n1 1 ok nil\n")));
}

Test(linear, an_unknown_outcome_may_come_at_any_later_time_or_never)
{
    const char *put = "1 0 invoke put \"x\" \"1\"\n2 0 unknown\n";
    char text[512];

    (void)snprintf(text, sizeof text, "%s3 1 invoke get \"x\"\n4 1 ok nil\n", put);
    cr_assert(is_linearizable(text));
    (void)snprintf(
        text, sizeof text,
        "%s3 1 invoke get \"x\"\n4 1 ok nil\n5 1 invoke get \"x\"\n6 1 ok \"1\"\n", put);
    cr_assert(is_linearizable(text));
    (void)snprintf(
        text, sizeof text,
        "%s3 1 invoke get \"x\"\n4 1 ok \"1\"\n5 1 invoke get \"x\"\n6 1 ok nil\n", put);
    cr_assert(not(is_linearizable(text)), "it cannot have been undone");
    cr_assert(not(is_linearizable("1 1 invoke get \"x\"\n2 1 ok \"1\"\n"
                                  "3 0 invoke put \"x\" \"1\"\n4 0 unknown\n")),
              "nor come before it was asked for");
}

Test(linear, what_failed_took_no_effect)
{
    cr_assert(not(is_linearizable("1 0 invoke put \"x\" \"1\"\n2 0 failed\n"
                                  "3 1 invoke get \"x\"\n4 1 ok \"1\"\n")));
}

Test(linear, a_cas_that_changed_something_found_what_it_expected)
{
    cr_assert(is_linearizable("1 0 invoke cas \"x\" nil \"1\"\n2 0 ok true\n"
                              "3 1 invoke cas \"x\" \"2\" \"3\"\n4 1 ok false\n"
                              "5 1 invoke put \"x\" nil\n6 1 ok\n"
                              "7 1 invoke get \"x\"\n8 1 ok nil\n"));
    cr_assert(not(is_linearizable("1 0 invoke cas \"x\" nil \"1\"\n2 0 ok true\n"
                                  "3 1 invoke cas \"x\" \"1\" \"3\"\n4 1 ok false\n")));
}

Test(linear, appends_of_one_key_say_nothing_of_another)
{
    cr_assert(is_linearizable("initial \"\"\n1 0 invoke append \"x\" \"a\"\n"
                              "1 1 invoke append \"x\" \"b\"\n2 0 ok\n3 1 ok\n"
                              "4 0 invoke get \"x\"\n4 1 invoke get \"y\"\n"
                              "5 0 ok \"ba\"\n6 1 ok \"\"\n"));
    cr_assert(not(is_linearizable("initial \"\"\n1 0 invoke append \"x\" \"a\"\n"
                                  "1 1 invoke append \"x\" \"b\"\n2 0 ok\n3 1 ok\n"
                                  "4 0 invoke get \"x\"\n4 1 invoke get \"x\"\n"
                                  "5 0 ok \"ba\"\n6 1 ok \"ab\"\n")));
}

/* ------------------------------------------------------------------ every order beside it
 */

struct any {
    struct tp_history *history;
    struct tp_rng rng;
    bool busy[3];
    enum tp_history_kind kinds[3];
};

static struct tp_value any_value(struct any *any, uint32_t nil_one_in)
{
    static const char *const values[] = {"a", "b", ""};

    if (tp_rng_below(&any->rng, nil_one_in) == 0)
        return (struct tp_value){NULL, 0, false};
    return tp_value_text(values[tp_rng_below(&any->rng, 3)]);
}

static void invoke_any(struct any *any, uint32_t client, uint64_t time)
{
    struct tp_history_call call = {.key = tp_value_text("x")};

    call.kind = (enum tp_history_kind)tp_rng_below(&any->rng, TP_HISTORY_KINDS);
    call.expected = any_value(any, 4);
    call.value = any_value(any, 8);
    cr_assert(eq(int, tp_history_invoke(any->history, client, time, &call), 0));
    any->kinds[client] = call.kind;
    any->busy[client] = true;
}

static void return_any(struct any *any, uint32_t client, uint64_t time)
{
    uint64_t what = tp_rng_below(&any->rng, 8);
    enum tp_history_outcome outcome = what < 2    ? TP_HISTORY_UNKNOWN
                                      : what == 2 ? TP_HISTORY_FAILED
                                                  : TP_HISTORY_OK;
    struct tp_value value = any_value(any, 4);

    if (any->kinds[client] == TP_HISTORY_CAS)
        value = tp_value_bool(tp_rng_below(&any->rng, 2) == 0);
    cr_assert(eq(int, tp_history_return(any->history, client, time, outcome, value), 0));
    any->busy[client] = false;
}

/* A few operations by a few clients, with any results: most histories are impossible. */
static struct tp_history *any_history(uint64_t seed)
{
    struct any any = {.rng = tp_rng_make(seed, 3)};
    uint64_t left = 2 + tp_rng_below(&any.rng, 6);

    cr_assert(eq(int, tp_history_create(NULL, &any.history), 0));
    for (uint64_t time = 1; left > 0 || any.busy[0] || any.busy[1] || any.busy[2]; time++) {
        uint32_t client = (uint32_t)tp_rng_below(&any.rng, 3);

        if (any.busy[client]) {
            return_any(&any, client, time);
        } else if (left > 0) {
            invoke_any(&any, client, time);
            left--;
        }
    }
    return any.history;
}

/* The prefix that is shown fails, and none that is shorter does. */
static void check_prefix(const struct tp_history *history,
                         const struct tp_linear_report *report, uint64_t seed)
{
    cr_assert(report->is_shortest);
    cr_assert(not(brute_is_linearizable(history, report->event_last + 1)), "seed %llu",
              (unsigned long long)seed);
    cr_assert(brute_is_linearizable(history, report->event_last), "seed %llu",
              (unsigned long long)seed);
}

Test(linear, it_says_what_trying_every_order_says)
{
    uint32_t counts[2] = {0, 0};

    for (uint64_t seed = 0; seed < 6000; seed++) {
        struct tp_history *history = any_history(seed);
        struct tp_linear_report report;
        bool expected = brute_is_linearizable(history, UINT32_MAX - 1);

        tp_linear_check(history, &tp_model_kv, NULL, &report);
        cr_assert(eq(int, (int)report.verdict, expected ? TP_LINEAR_YES : TP_LINEAR_NO),
                  "seed %llu", (unsigned long long)seed);
        if (!expected)
            check_prefix(history, &report, seed);
        counts[expected]++;
        tp_linear_report_deinit(&report);
        tp_history_destroy(history);
    }
    cr_assert(lt(u32, 500, counts[0]), "both happen often");
    cr_assert(lt(u32, 500, counts[1]));
}

/* ------------------------------------------------------------------ planted errors */

Test(linear, what_a_working_service_answered_is_linearizable)
{
    for (uint64_t seed = 0; seed < 80; seed++) {
        struct generate how = {.seed = seed,
                               .clients = 2 + (uint32_t)(seed % 10),
                               .operations = 300,
                               .keys = 1 + (uint32_t)(seed % 3),
                               .unknown_one_in = seed % 2 == 0 ? 0 : 12};
        bool planted;
        struct tp_history *history = generate(&how, &planted);

        cr_assert(not(planted));
        cr_assert(eq(int, (int)verdict_of(history, NULL), TP_LINEAR_YES), "seed %llu",
                  (unsigned long long)seed);
        tp_history_destroy(history);
    }
}

static void find_planted(enum wrong wrong)
{
    uint32_t count = 0;

    for (uint64_t seed = 0; seed < 80; seed++) {
        struct generate how = {.seed = seed,
                               .clients = 2 + (uint32_t)(seed % 8),
                               .operations = 200,
                               .keys = 1 + (uint32_t)(seed % 3),
                               .unknown_one_in = seed % 2 == 0 ? 0 : 40,
                               .wrong = wrong};
        bool planted;
        struct tp_history *history = generate(&how, &planted);

        if (planted || wrong != WRONG_LOST_WRITE) /* a cas may tell of the loss as well */
            cr_assert(eq(int, (int)verdict_of(history, NULL),
                         planted ? TP_LINEAR_NO : TP_LINEAR_YES),
                      "seed %llu", (unsigned long long)seed);
        count += planted;
        tp_history_destroy(history);
    }
    cr_assert(lt(u32, 40, count), "it was planted in %u of 80", count);
}

Test(linear, a_stale_read_is_found)
{
    find_planted(WRONG_STALE_READ);
}

Test(linear, a_lost_write_is_found)
{
    find_planted(WRONG_LOST_WRITE);
}

Test(linear, a_read_of_what_nobody_wrote_is_found)
{
    find_planted(WRONG_UNWRITTEN);
}

Test(linear, reads_that_go_back_are_found)
{
    find_planted(WRONG_REORDERED);
}

Test(linear, a_cas_that_pretends_is_found)
{
    find_planted(WRONG_CAS);
}

/* ------------------------------------------------------------------ bounds */

/* Writes of many clients at once, and a read that none of them explains. */
static struct tp_history *hard_history(uint32_t clients)
{
    struct tp_history *history;
    struct tp_value nil = {NULL, 0, false};
    struct tp_history_call call = {.kind = TP_HISTORY_APPEND, .key = tp_value_text("x")};
    char text[16];

    cr_assert(eq(int, tp_history_create(NULL, &history), 0));
    for (uint32_t i = 0; i < clients; i++) {
        (void)snprintf(text, sizeof text, "<%u>", i);
        call.value = tp_value_text(text);
        cr_assert(eq(int, tp_history_invoke(history, i, 1, &call), 0));
    }
    for (uint32_t i = 0; i < clients; i++)
        cr_assert(eq(int, tp_history_return(history, i, 2, TP_HISTORY_OK, nil), 0));
    call.kind = TP_HISTORY_GET;
    cr_assert(eq(int, tp_history_invoke(history, 0, 3, &call), 0));
    cr_assert(
        eq(int, tp_history_return(history, 0, 4, TP_HISTORY_OK, tp_value_text("?")), 0));
    return history;
}

static bool stop_at_once(void *context)
{
    ++*(uint32_t *)context;
    return true;
}

Test(linear, past_a_bound_it_says_that_it_does_not_know)
{
    struct tp_history *history = hard_history(20);
    uint32_t asked = 0;
    const struct tp_linear_config configs[] = {
        {.steps_max = 1000},     {.memory_bytes = 1 << 20, .state_bytes_max = 1024},
        {.state_bytes_max = 30}, {.stop = stop_at_once, .context = &asked},
        {.memory_bytes = 64},
    };
    static const char *const bounds[] = {"steps", "memory", "state size", "time", "memory"};

    for (uint32_t i = 0; i < 5; i++) {
        struct tp_linear_report report;

        tp_linear_check(history, &tp_model_kv, &configs[i], &report);
        cr_assert(eq(int, (int)report.verdict, TP_LINEAR_UNDECIDED));
        cr_assert(eq(str, (char *)(uintptr_t)report.bound, (char *)(uintptr_t)bounds[i]));
        tp_linear_report_deinit(&report);
    }
    cr_assert(eq(u32, asked, 1));
    tp_history_destroy(history);
}

Test(linear, one_key_without_an_answer_hides_no_error_of_another)
{
    struct tp_history *history = hard_history(20);
    struct tp_history_call call = {.kind = TP_HISTORY_GET, .key = tp_value_text("y")};
    struct tp_linear_config config = {.steps_max = 20000, .state_bytes_max = 40};
    struct tp_linear_report report;

    cr_assert(eq(int, tp_history_invoke(history, 1, 5, &call), 0));
    cr_assert(
        eq(int, tp_history_return(history, 1, 6, TP_HISTORY_OK, tp_value_text("1")), 0));
    tp_linear_check(history, &tp_model_kv, &config, &report);
    cr_assert(eq(int, (int)report.verdict, TP_LINEAR_NO));
    cr_assert(tp_value_equal(report.key, tp_value_text("y")));
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
}

Test(linear, it_gives_up_wherever_memory_ends_and_leaks_none)
{
    struct generate how = {.seed = 5,
                           .clients = 6,
                           .operations = 60,
                           .keys = 2,
                           .unknown_one_in = 20,
                           .wrong = WRONG_STALE_READ};
    bool planted;
    struct tp_history *history = generate(&how, &planted);
    uint32_t undecided = 0;

    cr_assert(planted);
    for (uint64_t bytes = 1; bytes < 1 << 21; bytes += 4999) {
        struct tp_linear_config config = {.memory_bytes = bytes, .state_bytes_max = 64};

        undecided += verdict_of(history, &config) == TP_LINEAR_UNDECIDED;
    }
    cr_assert(lt(u32, 20, undecided));
    cr_assert(eq(int, (int)verdict_of(history, NULL), TP_LINEAR_NO));
    tp_history_destroy(history);
}

/* A bound may be reached anywhere while the shortest prefix is looked for: what is shown
 * then is longer, and ends with an answer all the same. */
Test(linear, it_shows_an_answer_wherever_steps_end)
{
    struct tp_history *history = read_text(
        "tempest-history 1\n1 0 invoke put \"x\" \"1\"\n2 1 invoke put \"x\" \"2\"\n"
        "3 2 invoke get \"x\"\n4 2 ok \"3\"\n5 2 invoke append \"x\" \"4\"\n"
        "6 3 invoke append \"x\" \"5\"\n7 4 invoke append \"x\" \"6\"\n"
        "8 5 invoke append \"x\" \"7\"\n9 0 ok\n10 1 ok\n11 2 ok\n12 3 ok\n");
    uint32_t shown = 0, longer = 0;

    for (uint64_t steps = 1; steps <= 3000; steps++) {
        struct tp_linear_config config = {.steps_max = steps};
        struct tp_linear_report report;

        tp_linear_check(history, &tp_model_kv, &config, &report);
        cr_assert(ne(int, (int)report.verdict, TP_LINEAR_YES));
        if (report.verdict == TP_LINEAR_NO) {
            cr_assert(tp_history_event(history, report.event_last).is_return);
            if (report.is_shortest)
                cr_assert(eq(u64, report.event_last, 3));
            shown++;
            longer += !report.is_shortest;
        }
        tp_linear_report_deinit(&report);
    }
    cr_assert(lt(u32, 0, longer));
    cr_assert(lt(u32, longer, shown));
    tp_history_destroy(history);
}

Test(linear, a_long_history_takes_few_steps)
{
    struct generate how = {
        .seed = 9, .clients = 8, .operations = 100000, .keys = 8, .unknown_one_in = 5000};
    struct tp_linear_report report;
    bool planted;
    struct tp_history *history = generate(&how, &planted);

    tp_linear_check(history, &tp_model_kv, NULL, &report);
    cr_assert(eq(int, (int)report.verdict, TP_LINEAR_YES));
    cr_assert(lt(u64, report.steps, UINT64_C(10000000)));
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
}

/* ------------------------------------------------------------------ what is printed */

Test(linear, what_fails_is_shown_as_a_time_line)
{
    struct tp_history *history = read_text(
        "tempest-history 1\n1 0 invoke put \"x\" \"1\"\n2 0 ok\n"
        "3 0 invoke put \"x\" \"2\"\n4 2 invoke put \"x\" \"3\"\n4 0 ok\n"
        "5 1 invoke get \"x\"\n6 1 ok \"1\"\n7 1 invoke get \"x\"\n8 1 ok \"2\"\n");
    static const char expected[] =
        "not linearizable: 5 operations, 1 keys, 28 steps\n"
        "  key \"x\", up to event 6, the shortest prefix that fails:\n"
        "  operation client  time, an event a column\n"
        "        0      0  [==]              put \"1\"\n"
        "        1      0      [====]        put \"2\"\n"
        "        2      2        [========>  put \"3\" -> ?\n"
        "        3      1            [==]    get -> \"1\"   <- nothing explains this\n"
        "  the longest order that works before it: 0 1 2; the state is then \"3\"\n";
    struct tp_linear_report report;
    char *text;
    size_t len;
    FILE *stream = open_memstream(&text, &len);

    tp_linear_check(history, &tp_model_kv, NULL, &report);
    tp_linear_print(&report, history, &tp_model_kv, stream);
    (void)fclose(stream);
    cr_assert(eq(str, text, (char *)(uintptr_t)expected));
    free(text);
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
}

Test(linear, only_the_end_of_a_long_one_is_shown)
{
    struct generate how = {.seed = 3, .clients = 5, .operations = 500, .keys = 1};
    struct tp_history_call call = {.kind = TP_HISTORY_GET, .key = tp_value_text("k0")};
    bool planted;
    struct tp_history *history = generate(&how, &planted);
    struct tp_linear_report report;
    char *text;
    size_t len, lines = 0;
    FILE *stream = open_memstream(&text, &len);

    cr_assert(eq(int, tp_history_invoke(history, 9, 99999, &call), 0));
    cr_assert(eq(
        int, tp_history_return(history, 9, 99999, TP_HISTORY_OK, tp_value_text("?")), 0));
    tp_linear_check(history, &tp_model_kv, NULL, &report);
    tp_linear_print(&report, history, &tp_model_kv, stream);
    (void)fclose(stream);
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    cr_assert(eq(sz, lines, 17), "%s", text);
    cr_assert(ne(ptr, strstr(text, "before these)"), NULL));
    cr_assert(ne(ptr, strstr(text, "get -> \"?\"   <- nothing explains this"), NULL));
    free(text);
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
}
