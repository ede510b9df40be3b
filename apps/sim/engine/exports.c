/* What the host of the module calls. Strings go in by engine_input(), out by
 * engine_output(); an error is a negative number, and its sentence is the output. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/engine/engine.h"
#include "apps/sim/engine/why.h"
#include "apps/sim/manner.h"
#include "io/wasm/system.h"

/* Declares a function under the name that the host calls it by, and begins its definition.
 */
#define EXPORT_AS(exported, type, name, ...)                               \
    __attribute__((__export_name__(#exported), __visibility__("default"))) \
    type name(__VA_ARGS__);                                                \
    type name(__VA_ARGS__)
#define EXPORT(type, name, ...) EXPORT_AS(name, type, name, __VA_ARGS__)

enum { INPUT_MAX = 1 << 24, TEXT_MAX = 1024, PAGE_BYTES = 4096, PAGES_MAX = 32768 };

static struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
static uint32_t scenario_count;
static struct engine engine;
static char *input, *output;
static size_t output_bytes;

/* ------------------------------------------------------------------ strings */

/* Where the output of this call goes; it begins empty. */
static FILE *open_output(void)
{
    FILE *out;

    free(output);
    output = NULL;
    out = open_memstream(&output, &output_bytes);
    if (out == NULL)
        tp_stop(__FILE__, __LINE__, "no memory for what is to be said");
    return out;
}

static int32_t close_output(FILE *out)
{
    if (fclose(out) != 0 || output_bytes > INT32_MAX)
        tp_stop(__FILE__, __LINE__, "no memory for what is to be said");
    return (int32_t)output_bytes;
}

static int32_t fail(int32_t error, const char *sentence)
{
    FILE *out = open_output();

    (void)fputs(sentence, out);
    (void)close_output(out);
    return tp_errno_number(error);
}

static const struct tp_scenario *find(const char *name)
{
    scenario_count = scenario_count == 0 ? sim_scenarios(scenarios) : scenario_count;
    for (uint32_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------ the host's calls */

EXPORT(int32_t, engine_abi, void)
{
    return ENGINE_ABI;
}

EXPORT(uint32_t, engine_used, void)
{
    return tp_wasm_memory_used();
}

static bool is_zero(const uint64_t *words)
{
    for (uint32_t i = 0; i < PAGE_BYTES / sizeof *words; i += 8) {
        if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] |
             words[i + 5] | words[i + 6] | words[i + 7]) != 0)
            return false;
    }
    return true;
}

/* A bit for each page of 4 KiB of the memory in use: whether there is anything but zeros in
 * it. The first page has an address that C takes for no address; it counts as touched. */
EXPORT(const uint8_t *, engine_touched, void)
{
    static uint8_t touched[PAGES_MAX / 8];
    uint32_t count = (tp_wasm_memory_used() + PAGE_BYTES - 1) / PAGE_BYTES;

    tp_assert(count <= PAGES_MAX);
    memset(touched, 0, sizeof touched);
    touched[0] = 1;
    for (uint32_t i = 1; i < count; i++) {
        if (!is_zero((const uint64_t *)((uintptr_t)i * PAGE_BYTES)))
            touched[i / 8] |= (uint8_t)(1U << i % 8);
    }
    return touched;
}

EXPORT(char *, engine_input, uint32_t len_bytes)
{
    free(input);
    input = len_bytes > INPUT_MAX ? NULL : malloc((size_t)len_bytes + 1);
    return input;
}

EXPORT(const char *, engine_output, void)
{
    return output;
}

EXPORT(uint32_t, engine_output_bytes, void)
{
    return (uint32_t)output_bytes;
}

EXPORT(int32_t, engine_list, void)
{
    FILE *out = open_output();

    (void)find("");
    engine_write_list(scenarios, scenario_count, out);
    return close_output(out);
}

/* "scenario\nprofile\nfaults", from the input. */
static int32_t read_manner(uint32_t text_len, const struct tp_scenario **ret_scenario,
                           struct tp_sim_options *ret_options)
{
    char text[TEXT_MAX], *profile, *faults;

    if (input == NULL || text_len >= TEXT_MAX)
        return fail(-EINVAL, "the text is too long, or missing");
    memcpy(text, input, text_len);
    text[text_len] = '\0';
    profile = strchr(text, '\n');
    faults = profile == NULL ? NULL : strchr(profile + 1, '\n');
    if (faults == NULL)
        return fail(-EINVAL, "the text is not scenario, profile and faults, a line each");
    *profile++ = '\0';
    *faults++ = '\0';
    *ret_scenario = find(text);
    if (*ret_scenario == NULL)
        return fail(-ENOENT, "there is no such scenario");
    if (profile[0] != '\0' && !tp_manner_profile(profile, ret_options))
        return fail(-EINVAL, "there is no such profile");
    if (tp_manner_faults(faults, ret_options) != NULL)
        return fail(-EINVAL, "the faults are not +NAME or -NAME of families");
    return 0;
}

static int32_t begin(const struct tp_scenario *scenario,
                     const struct tp_sim_options *options, struct tp_tape *tape)
{
    if (engine_begin(&engine, scenario, options, tape) < 0)
        return fail(-ENOMEM, "no memory for a run");
    return 0;
}

EXPORT(int32_t, engine_open, uint32_t text_len, uint64_t seed)
{
    struct tp_sim_options options = {.size = sizeof options, .seed = seed};
    const struct tp_scenario *scenario;
    int32_t error = read_manner(text_len, &scenario, &options);

    return error < 0 ? error : begin(scenario, &options, NULL);
}

/* A tape from the input, and what its label says; no scenario: it has none. */
static int32_t read_tape(uint32_t at, uint32_t len, struct tp_tape **ret_tape,
                         const struct tp_scenario **ret_scenario,
                         struct tp_sim_options *ret_options)
{
    char name[TP_TAPE_LABEL_BYTES];

    if (tp_tape_load(input + at, len, NULL, ret_tape) < 0)
        return fail(-EBADMSG, "this is no tape");
    *ret_scenario = NULL;
    if (tp_manner_read_label(*ret_tape, name, ret_options)) {
        *ret_scenario = find(name);
        if (name[0] == '\0' || *ret_scenario != NULL)
            return 0;
    }
    tp_tape_destroy(*ret_tape);
    return fail(-ENOENT, "its label says what is not known here");
}

/* In the manner of its label, unless another one is given; of no other scenario. */
static int32_t take_label(uint32_t text_len, const struct tp_scenario *of_tape,
                          const struct tp_sim_options *labelled,
                          const struct tp_scenario **ret_scenario,
                          struct tp_sim_options *ret_options)
{
    int32_t error = read_manner(text_len, ret_scenario, ret_options);

    if (error < 0 || of_tape == NULL)
        return error;
    if (*ret_scenario != of_tape)
        return fail(-EINVAL, "this tape is of another scenario");
    if (ret_options->profile == 0)
        ret_options->profile = labelled->profile;
    if ((ret_options->families_on | ret_options->families_off) == 0) {
        ret_options->families_on = labelled->families_on;
        ret_options->families_off = labelled->families_off;
    }
    return 0;
}

EXPORT(int32_t, engine_open_tape, uint32_t text_len, uint32_t tape_len)
{
    struct tp_sim_options options = {.size = sizeof options}, labelled = {.size = 0};
    const struct tp_scenario *scenario, *of_tape;
    struct tp_tape *tape;
    int32_t error;

    if (input == NULL || text_len >= TEXT_MAX || tape_len > INPUT_MAX)
        return fail(-EINVAL, "the text or the tape is too long, or missing");
    error = read_tape(text_len, tape_len, &tape, &of_tape, &labelled);
    if (error < 0)
        return error;
    error = take_label(text_len, of_tape, &labelled, &scenario, &options);
    if (error < 0) {
        tp_tape_destroy(tape);
        return error;
    }
    return begin(scenario, &options, tape);
}

/* What a tape says of itself, before it is opened. */
EXPORT(int32_t, engine_label, uint32_t tape_len)
{
    struct tp_sim_options options = {.size = 0};
    const struct tp_scenario *scenario;
    struct tp_tape *tape;
    FILE *out;
    int32_t error;

    if (input == NULL || tape_len > INPUT_MAX)
        return fail(-EINVAL, "the tape is too long, or missing");
    error = read_tape(0, tape_len, &tape, &scenario, &options);
    if (error < 0)
        return error;
    tp_tape_destroy(tape);
    out = open_output();
    engine_write_manner(scenario == NULL ? "" : scenario->name, &options, out);
    return close_output(out);
}

EXPORT(void, engine_close, void)
{
    engine_end(&engine);
}

EXPORT(int32_t, engine_step, uint32_t events, uint64_t until_ns)
{
    if (engine.scenario == NULL)
        return fail(-EBADF, "no run is open");
    return (int32_t)engine_go(&engine, events > INT32_MAX ? INT32_MAX : events, until_ns);
}

EXPORT(int32_t, engine_step_node, uint32_t node, uint32_t events)
{
    if (engine.scenario == NULL || node >= engine.node_count || node >= ENGINE_NODES)
        return fail(-EINVAL, "there is no such node");
    return (int32_t)engine_go_to(&engine, node, events > INT32_MAX ? INT32_MAX : events);
}

/* "tempest: ../a/b.c:12: why", as tp_stop() says it: from the file's name on. */
static const char *words_of(const char *said)
{
    static const char by[] = "tempest: ";
    const char *words = strncmp(said, by, strlen(by)) == 0 ? said + strlen(by) : said;

    for (const char *at = words; *at != '\0' && *at != ':' && *at != ' '; at++)
        words = *at == '/' ? at + 1 : words;
    return words;
}

/* In a copy of the memory of an instance that has trapped; the text is what it said. */
EXPORT_AS(engine_stopped, int32_t, engine_has_stopped, uint32_t text_len)
{
    char text[TEXT_MAX];

    if (engine.scenario == NULL || engine.over)
        return fail(-EBADF, "no run is going on");
    if (input == NULL || text_len >= TEXT_MAX)
        return fail(-EINVAL, "the text is too long, or missing");
    memcpy(text, input, text_len);
    text[text_len] = '\0';
    engine_stopped(&engine, words_of(text));
    return 0;
}

EXPORT(int32_t, engine_over, void)
{
    return engine.over;
}

EXPORT(int32_t, engine_state, void)
{
    FILE *out;

    if (engine.scenario == NULL)
        return fail(-EBADF, "no run is open");
    out = open_output();
    engine_write_state(&engine, out);
    return close_output(out);
}

static int32_t write_ring(const struct engine_ring *ring, uint64_t from)
{
    FILE *out;

    if (engine.scenario == NULL)
        return fail(-EBADF, "no run is open");
    out = open_output();
    engine_facts_write(ring, from, out);
    return close_output(out);
}

EXPORT(int32_t, engine_facts, uint64_t from)
{
    return write_ring(&engine.facts.all, from);
}

EXPORT(int32_t, engine_marks, uint64_t from)
{
    return write_ring(&engine.facts.marks, from);
}

/* ------------------------------------------------------------------ acts, tapes */

EXPORT_AS(engine_act, int32_t, engine_act_now, uint32_t kind, uint32_t node, uint32_t other,
          uint64_t span_ns)
{
    struct tp_act act = {.kind = kind, .node = node, .other = other, .span_ns = span_ns};
    int32_t error = engine.scenario == NULL ? -EBADF : engine_act(&engine, &act);

    switch (error) {
    case 0:
        return 0;
    case -EBADF:
        return fail(error, "no run is open");
    case -EBUSY:
        return fail(error, "the run is over");
    case -EINVAL:
        return fail(error, "there is no such act, or no such node");
    case -EPERM:
        return fail(error, "this node is part of the test and is spared");
    case -ENOTCONN:
        return fail(error, "the node is down");
    default:
        return fail(error, "no memory for the tape");
    }
}

EXPORT(int32_t, engine_tape, void)
{
    size_t len;

    if (engine.scenario == NULL)
        return fail(-EBADF, "no run is open");
    len = tp_tape_save(engine.tape, NULL, 0);
    free(output);
    output = malloc(len);
    if (output == NULL || len > INT32_MAX)
        tp_stop(__FILE__, __LINE__, "no memory for a tape");
    output_bytes = tp_tape_save(engine.tape, output, len);
    return (int32_t)len;
}

/* ------------------------------------------------------------------ why */

EXPORT(int32_t, engine_explain_begin, void)
{
    if (!engine.over || engine.outcome.verdict == TP_VERDICT_PASSED)
        return fail(-EINVAL, "there is nothing to explain");
    engine_why_end(engine.why);
    engine.why = engine_why_begin(&engine);
    return engine.why == NULL ? fail(-ENOMEM, "no memory to explain") : 0;
}

EXPORT(int32_t, engine_explain_step, void)
{
    if (engine.why == NULL)
        return fail(-EINVAL, "nothing is being explained");
    return engine_why_step(engine.why);
}

EXPORT(int32_t, engine_explain_keeps, void)
{
    return engine.why != NULL && engine_why_keeps(engine.why);
}

EXPORT(int32_t, engine_explain_trapped, void)
{
    if (engine.why == NULL)
        return fail(-EINVAL, "nothing is being explained");
    engine_why_trapped(engine.why);
    return 0;
}

EXPORT(int32_t, engine_explanation, void)
{
    FILE *out;

    if (engine.why == NULL)
        return fail(-EINVAL, "nothing is being explained");
    out = open_output();
    engine_why_write(engine.why, out);
    return close_output(out);
}
