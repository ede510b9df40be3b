#include "apps/sim/words.h"

#include <inttypes.h>
#include <string.h>

static const char *const concern_names[TP_CONCERNS] = {
    [TP_CONCERN_SEED] = "seed",           [TP_CONCERN_LATENCY] = "latency",
    [TP_CONCERN_FAULT] = "fault",         [TP_CONCERN_CANCEL] = "cancel",
    [TP_CONCERN_WRITEBACK] = "writeback", [TP_CONCERN_CRASH] = "crash",
    [TP_CONCERN_WORKLOAD] = "workload",   [TP_CONCERN_NETWORK] = "network",
    [TP_CONCERN_EVENT] = "event",
};

/* Of draws from one index to another on a stream, all alike. */
static void print_alike(uint32_t stream, uint64_t from, uint64_t to,
                        const struct tp_draw_entry *entry, FILE *out)
{
    const struct tp_draw_info *info = &tp_draw_info[entry->kind];
    uint32_t number = stream / TP_CONCERNS;
    char who[24] = "the run", upto[32] = "";

    if (number > 0)
        (void)snprintf(who, sizeof who, "node %u", number - 1);
    if (to > from)
        (void)snprintf(upto, sizeof upto, " to %" PRIu64, to + 1);
    (void)fprintf(out,
                  "  %s, %s %" PRIu64 "%s: %s is %" PRIu64 " of 0..%" PRIu64 "%s\n"
                  "      (0: %s)\n",
                  who, concern_names[stream % TP_CONCERNS], from + 1, upto, info->name,
                  entry->value, entry->bound - 1, to > from ? ", each" : "", info->mapping);
}

void tp_words_choice(uint32_t stream, uint64_t index, const struct tp_draw_entry *entry,
                     FILE *out)
{
    print_alike(stream, index, index, entry, out);
}

/* The last of those behind an index that are like it. */
static uint64_t last_alike(const struct tp_tape *tape, uint32_t stream, uint64_t index)
{
    struct tp_draw_entry entry = tp_tape_entry(tape, stream, index);

    for (; index + 1 < tp_tape_count(tape, stream); index++) {
        struct tp_draw_entry next = tp_tape_entry(tape, stream, index + 1);

        if (next.kind != entry.kind || next.value != entry.value ||
            next.bound != entry.bound)
            break;
    }
    return index;
}

void tp_words_print(const struct tp_tape *tape, FILE *out)
{
    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);
            uint64_t last;

            if (entry.value == 0 || entry.kind == TP_DRAW_SEED)
                continue;
            last = last_alike(tape, stream, i);
            print_alike(stream, i, last, &entry, out);
            i = last;
        }
    }
}

/* ------------------------------------------------------------------ as a test */

/* An identifier made of a scenario's name. */
static void print_name(const char *name, FILE *out)
{
    for (const char *at = name; *at != '\0'; at++) {
        bool is_word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                       (*at >= '0' && *at <= '9');

        (void)fputc(is_word ? *at : '_', out);
    }
}

static void print_choices(const struct tp_tape *tape, FILE *out)
{
    bool any = false;

    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

            if (entry.value == 0)
                continue;
            (void)fprintf(out, "        {%u, %" PRIu64 ", %" PRIu64 "}, /* %s */\n", stream,
                          i, entry.value, tp_draw_info[entry.kind].name);
            any = true;
        }
    }
    if (!any)
        (void)fputs("        {0, 0, 0},\n", out);
}

void tp_words_test(const struct tp_tape *tape, const struct tp_scenario *scenario,
                   const struct tp_sim_options *options,
                   const struct tp_sim_outcome *outcome, FILE *out)
{
    (void)fprintf(out, "/* It failed like this: %s */\nstatic void test_",
                  strstr(outcome->message, "*/") == NULL
                      ? outcome->message
                      : tp_verdict_name(outcome->verdict));
    print_name(scenario->name, out);
    (void)fputs("(const struct tp_scenario *scenario)\n{\n"
                "    /* Stream, index, value; all other choices are 0. */\n"
                "    static const struct tp_sim_choice choices[] = {\n",
                out);
    print_choices(tape, out);
    (void)fprintf(out,
                  "    };\n"
                  "    struct tp_sim_options options = {.profile = %u, .families_on = "
                  "%#x, .families_off = %#x};\n"
                  "    struct tp_sim_outcome outcome;\n\n"
                  "    tp_sim_run_choices(scenario, &options, choices,\n"
                  "                       sizeof choices / sizeof *choices, &outcome);\n"
                  "    tp_assert(outcome.verdict == TP_VERDICT_PASSED);\n}\n",
                  options->profile, options->families_on, options->families_off);
}
