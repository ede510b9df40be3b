/* What the host of the module calls. Strings go in by engine_input(), out by
 * engine_output(); an error is a negative number, and its sentence is the output. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/engine/attempt.h"
#include "apps/sim/engine/engine.h"
#include "apps/sim/engine/host.h"
#include "apps/sim/manner.h"
#include "io/wasm/system.h"

enum { TAPE_MAX = 1 << 24, TEXT_MAX = 1024, PAGE_BYTES = 4096, PAGES_MAX = 32768 };

static struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
static uint32_t scenario_count;
static struct engine engine;
static struct engine_attempt attempt;

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

EXPORT(int32_t, engine_list, void)
{
    FILE *out = engine_open_output();

    (void)find("");
    engine_write_list(scenarios, scenario_count, out);
    return engine_close_output(out);
}

/* "scenario\nprofile\nfaults", from the input. */
static int32_t read_manner(uint32_t text_len, const struct tp_scenario **ret_scenario,
                           struct tp_sim_options *ret_options)
{
    char text[TEXT_MAX], *profile, *faults;

    if (engine_input_bytes() == NULL || text_len >= TEXT_MAX)
        return engine_fail(-EINVAL, "the text is too long, or missing");
    memcpy(text, engine_input_bytes(), text_len);
    text[text_len] = '\0';
    profile = strchr(text, '\n');
    faults = profile == NULL ? NULL : strchr(profile + 1, '\n');
    if (faults == NULL)
        return engine_fail(-EINVAL,
                           "the text is not scenario, profile and faults, a line each");
    *profile++ = '\0';
    *faults++ = '\0';
    *ret_scenario = find(text);
    if (*ret_scenario == NULL)
        return engine_fail(-ENOENT, "there is no such scenario");
    if (profile[0] != '\0' && !tp_manner_profile(profile, ret_options))
        return engine_fail(-EINVAL, "there is no such profile");
    if (tp_manner_faults(faults, ret_options) != NULL)
        return engine_fail(-EINVAL, "the faults are not +NAME or -NAME of families");
    return 0;
}

static int32_t begin(const struct tp_scenario *scenario,
                     const struct tp_sim_options *options, struct tp_tape *tape)
{
    if (engine_begin(&engine, scenario, options, tape) < 0)
        return engine_fail(-ENOMEM, "no memory for a run");
    return 0;
}

EXPORT(int32_t, engine_open, uint32_t text_len, uint64_t seed)
{
    struct tp_sim_options options = {.size = sizeof options, .seed = seed};
    const struct tp_scenario *scenario = NULL;
    int32_t error = read_manner(text_len, &scenario, &options);

    return error < 0 ? error : begin(scenario, &options, NULL);
}

/* A tape from the input, and what its label says; no scenario: it has none. */
static int32_t read_tape(uint32_t at, uint32_t len, struct tp_tape **ret_tape,
                         const struct tp_scenario **ret_scenario,
                         struct tp_sim_options *ret_options, bool *ret_is_of_seed)
{
    char name[TP_TAPE_LABEL_BYTES];

    if (tp_tape_load(engine_input_bytes() + at, len, NULL, ret_tape) < 0)
        return engine_fail(-EBADMSG, "this is no tape");
    *ret_scenario = NULL;
    if (tp_manner_read_label(*ret_tape, name, ret_options, ret_is_of_seed)) {
        *ret_scenario = find(name);
        if (name[0] == '\0' || *ret_scenario != NULL)
            return 0;
    }
    tp_tape_destroy(*ret_tape);
    return engine_fail(-ENOENT, "its label says what is not known here");
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
        return engine_fail(-EINVAL, "this tape is of another scenario");
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
    const struct tp_scenario *scenario = NULL, *of_tape = NULL;
    struct tp_tape *tape;
    bool is_of_seed = false;
    int32_t error;

    if (engine_input_bytes() == NULL || text_len >= TEXT_MAX || tape_len > TAPE_MAX)
        return engine_fail(-EINVAL, "the text or the tape is too long, or missing");
    error = read_tape(text_len, tape_len, &tape, &of_tape, &labelled, &is_of_seed);
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
    const struct tp_scenario *scenario = NULL;
    struct tp_tape *tape;
    bool is_of_seed = false;
    FILE *out;
    int32_t error;

    if (engine_input_bytes() == NULL || tape_len > TAPE_MAX)
        return engine_fail(-EINVAL, "the tape is too long, or missing");
    error = read_tape(0, tape_len, &tape, &scenario, &options, &is_of_seed);
    if (error < 0)
        return error;
    tp_tape_destroy(tape);
    out = engine_open_output();
    engine_write_manner(scenario == NULL ? "" : scenario->name, &options, is_of_seed, out);
    return engine_close_output(out);
}

EXPORT(void, engine_close, void)
{
    engine_end(&engine);
}

EXPORT(int32_t, engine_step, uint32_t events, uint64_t until_ns)
{
    if (engine.scenario == NULL)
        return engine_fail(-EBADF, "no run is open");
    return (int32_t)engine_go(&engine, events > INT32_MAX ? INT32_MAX : events, until_ns);
}

EXPORT(int32_t, engine_step_node, uint32_t node, uint32_t events)
{
    if (engine.scenario == NULL || node >= engine.node_count || node >= ENGINE_NODES)
        return engine_fail(-EINVAL, "there is no such node");
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
        return engine_fail(-EBADF, "no run is going on");
    if (engine_input_bytes() == NULL || text_len >= TEXT_MAX)
        return engine_fail(-EINVAL, "the text is too long, or missing");
    memcpy(text, engine_input_bytes(), text_len);
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
        return engine_fail(-EBADF, "no run is open");
    out = engine_open_output();
    engine_write_state(&engine, out);
    return engine_close_output(out);
}

static int32_t write_ring(const struct engine_ring *ring, uint64_t from)
{
    FILE *out;

    if (engine.scenario == NULL)
        return engine_fail(-EBADF, "no run is open");
    out = engine_open_output();
    engine_facts_write(ring, from, out);
    return engine_close_output(out);
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
        return engine_fail(error, "no run is open");
    case -EBUSY:
        return engine_fail(error, "the run is over");
    case -EINVAL:
        return engine_fail(error, "there is no such act, or no such node");
    case -EPERM:
        return engine_fail(error, "this node is part of the test and is spared");
    case -ENOTCONN:
        return engine_fail(error, "the node is down");
    default:
        return engine_fail(error, "no memory for the tape");
    }
}

EXPORT(int32_t, engine_tape, void)
{
    size_t len;
    void *bytes;

    if (engine.scenario == NULL)
        return engine_fail(-EBADF, "no run is open");
    len = tp_tape_save(engine.tape, NULL, 0);
    bytes = malloc(len);
    if (bytes != NULL)
        (void)tp_tape_save(engine.tape, bytes, len);
    return engine_give(bytes, len);
}

/* ------------------------------------------------------------------ trials
 *
 * For the module that looks for why: parcels are in and out. */

EXPORT_AS(engine_attempt_begin, int32_t, engine_begin_attempt, uint32_t text_len,
          uint32_t order_len)
{
    struct tp_sim_options options = {.size = sizeof options};
    const struct tp_scenario *scenario = NULL;
    int32_t error = read_manner(text_len, &scenario, &options);
    struct engine_parcel order = {.len_bytes = order_len};

    if (error < 0)
        return error;
    order.bytes = engine_input_bytes() + text_len;
    return engine_attempt_begin(&attempt, scenario, &options, &order)
               ? 0
               : engine_fail(-ENOMEM, "no memory for a trial");
}

EXPORT_AS(engine_attempt_go, int32_t, engine_go_on_attempt, uint32_t events)
{
    return engine_attempt_go(&attempt, events);
}

/* Over, or else with what it said when it trapped, or `hangs`. */
EXPORT_AS(engine_attempt_end, int32_t, engine_end_attempt, uint32_t text_len, int32_t hangs)
{
    struct engine_parcel answer = {0};
    char text[TEXT_MAX];

    if (engine_input_bytes() == NULL || text_len >= TEXT_MAX || attempt.tape == NULL)
        return engine_fail(-EINVAL, "the text is too long, or there is no trial");
    memcpy(text, engine_input_bytes(), text_len);
    text[text_len] = '\0';
    engine_attempt_end(&attempt, hangs != 0 ? NULL : text, &answer);
    return engine_give(answer.bytes, answer.len_bytes);
}
