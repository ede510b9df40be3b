/* The run as a whole, and the list of what can be run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/engine/engine.h"
#include "apps/sim/manner.h"
#include "apps/sim/text.h"
#include "apps/sim/zoo/zoo.h"

static const char *bool_of(bool value)
{
    return value ? "true" : "false";
}

static void write_text(const char *name, const char *text, FILE *out)
{
    (void)fprintf(out, "\"%s\":", name);
    tp_text_json(text, out);
}

static void write_families(uint32_t set, FILE *out)
{
    bool first = true;

    (void)fputs("\"families\":[", out);
    for (uint32_t i = 0; i < TP_FAMILIES; i++) {
        if ((set & TP_FAMILY_BIT(i)) == 0)
            continue;
        (void)fprintf(out, "%s\"%s\"", first ? "" : ",", tp_family_name(i));
        first = false;
    }
    (void)fputc(']', out);
}

/* ------------------------------------------------------------------ the state */

/* "" where it is the scenario's own. */
static const char *profile_of(const struct tp_sim_options *options)
{
    return options->profile == 0 ? "" : tp_disk_profile_name(options->profile - 1);
}

void engine_write_manner(const char *scenario, const struct tp_sim_options *options,
                         bool is_of_seed, FILE *out)
{
    char faults[TP_MANNER_BYTES], seed[32] = "";

    if (is_of_seed)
        (void)snprintf(seed, sizeof seed, "%" PRIu64, options->seed);

    (void)fputc('{', out);
    write_text("scenario", scenario, out);
    (void)fputc(',', out);
    write_text("profile", profile_of(options), out);
    (void)fputc(',', out);
    write_text("faults", tp_manner_faults_text(options, faults), out);
    (void)fputc(',', out);
    write_text("seed", seed, out);
    (void)fputc('}', out);
}

/* What gives the same run natively. */
static void write_command(const struct engine *engine, FILE *out)
{
    bool by_tape = engine->from_tape || tp_act_count(engine->tape) > 0;
    const char *profile = profile_of(&engine->options);
    char text[256 + TP_MANNER_BYTES], faults[TP_MANNER_BYTES], seed[32];

    (void)snprintf(seed, sizeof seed, "%" PRIu64, engine->options.seed);
    (void)tp_manner_faults_text(&engine->options, faults);
    (void)snprintf(text, sizeof text, "tempest-sim replay %s --%s %s%s%s%s%s",
                   engine->scenario->name, by_tape ? "tape" : "seed",
                   by_tape ? "FILE" : seed, profile[0] == '\0' ? "" : " --profile ",
                   profile, faults[0] == '\0' ? "" : " --faults=", faults);
    write_text("command", text, out);
}

static void write_verdict(const struct engine *engine, FILE *out)
{
    const struct tp_sim_outcome *outcome = &engine->outcome;

    (void)fputs("\"verdict\":", out);
    if (engine->over)
        tp_text_json(tp_verdict_name(outcome->verdict), out);
    else
        (void)fputs("null", out);
    (void)fputc(',', out);
    write_text("message", outcome->message, out);
}

static void write_acts(const struct engine *engine, FILE *out)
{
    uint64_t done =
        tp_tape_replays(engine->tape) && engine->sim != NULL
            ? engine->sim->act.kind == TP_ACT_NONE ? UINT32_MAX : engine->sim->act.event
            : UINT32_MAX;

    (void)fputs("\"acts\":[", out);
    for (uint32_t i = 0; i < tp_act_count(engine->tape); i++) {
        struct tp_act act = tp_act_of(engine->tape, i, engine->node_count);

        if (act.kind == TP_ACT_NONE)
            break;
        (void)fprintf(out,
                      "%s{\"event\":%" PRIu64 ",\"kind\":%u,\"name\":\"%s\",\"node\":%u,"
                      "\"other\":%u,\"span_ns\":%" PRIu64 ",\"done\":%s}",
                      i == 0 ? "" : ",", act.event, act.kind, tp_act_info[act.kind].name,
                      act.node, act.other,
                      act.span_ns == 0 ? tp_act_info[act.kind].span_ns : act.span_ns,
                      bool_of(act.event < done));
    }
    (void)fputc(']', out);
}

static void write_progress(const struct engine *engine, FILE *out)
{
    const struct tp_sim *sim = engine->sim;
    bool runs = sim != NULL && !engine->over;
    uint64_t next_ns = runs ? tp_world_next_ns(sim->world) : TP_NEVER;
    uint64_t operations = engine->outcome.operations;

    for (uint32_t i = 0; runs && i < sim->node_count; i++) {
        if (sim->nodes[i]->io != NULL)
            operations += tp_virtual_io_operations(sim->nodes[i]->io);
    }
    (void)fprintf(out,
                  "\"phase\":\"%s\",\"now_ns\":%" PRIu64 ",\"events\":%" PRIu64
                  ",\"operations\":%" PRIu64 ",\"trace\":\"%016" PRIx64
                  "\",\"over\":%s,\"next_ns\":",
                  tp_phase_name(runs ? (uint32_t)sim->phase : engine->phase),
                  runs ? tp_sim_now_ns(sim) : engine->now_ns,
                  runs ? tp_sim_events(sim) : engine->events, operations,
                  runs ? tp_sim_trace(sim) : engine->outcome.trace, bool_of(engine->over));
    if (next_ns == TP_NEVER)
        (void)fputs("null", out);
    else
        (void)fprintf(out, "%" PRIu64, next_ns);
}

void engine_write_state(struct engine *engine, FILE *out)
{
    (void)fputc('{', out);
    write_progress(engine, out);
    (void)fputc(',', out);
    write_verdict(engine, out);
    (void)fputc(',', out);
    write_command(engine, out);
    (void)fputc(',', out);
    write_families(engine->drawn, out);
    (void)fputc(',', out);
    write_acts(engine, out);
    (void)fputc(',', out);
    if (engine->picture != NULL)
        (void)fwrite(engine->picture, 1, engine->picture_bytes, out);
    else
        engine_write_picture(engine->sim, &engine->facts, out);
    (void)fputc('}', out);
}

/* ------------------------------------------------------------------ what can be run */

/* How many nodes it has is known once it has been set up. */
static uint32_t nodes_of(const struct tp_scenario *scenario)
{
    struct tp_sim_outcome outcome;
    struct tp_sim *sim;
    uint32_t count;

    if (scenario->setup == NULL)
        return scenario->nodes == 0 ? 1 : scenario->nodes;
    sim = tp_sim_create(scenario, NULL, &outcome);
    count = tp_sim_nodes(sim);
    tp_sim_destroy(sim);
    return count;
}

/* The programs of the project are known by their names. */
static const char *group_of(const struct tp_scenario *scenario)
{
    static const char *const groups[] = {"kv", "copy", "log"};

    for (uint32_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strncmp(scenario->name, groups[i], strlen(groups[i])) == 0)
            return groups[i];
    }
    return "own";
}

static void write_scenario(const struct tp_scenario *scenario, FILE *out)
{
    const char *twin = "", *group = group_of(scenario);
    uint32_t zoo = 0;
    bool is_twin = false;

    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        const char *names[] = {zoo_bugs[i].bug->name, zoo_bugs[i].twin->name};

        for (uint32_t k = 0; k < 2; k++) {
            if (strcmp(names[k], scenario->name) != 0)
                continue;
            zoo = zoo_bugs[i].number;
            group = "zoo";
            is_twin = k == 1;
            twin = names[1 - k];
        }
    }
    (void)fputc('{', out);
    write_text("name", scenario->name, out);
    (void)fputc(',', out);
    write_text("summary", scenario->summary == NULL ? "" : scenario->summary, out);
    (void)fprintf(out, ",\"nodes\":%u,\"group\":\"%s\",\"zoo\":%u,\"is_twin\":%s,",
                  nodes_of(scenario), group, zoo, bool_of(is_twin));
    write_text("twin", twin, out);
    (void)fputc(',', out);
    write_families(tp_swarm_families(scenario), out);
    (void)fputc(',', out);
    write_text("profile", tp_disk_profile_name(scenario->profile), out);
    (void)fputc('}', out);
}

static void write_profiles(FILE *out)
{
    (void)fputs("\"profiles\":[", out);
    for (uint32_t i = 0; i < TP_DISK_PROFILES; i++)
        (void)fprintf(out, "%s{\"name\":\"%s\",\"summary\":\"%s\"}", i == 0 ? "" : ",",
                      tp_disk_profile_name(i), tp_manner_profile_summary(i));
    (void)fputc(']', out);
}

void engine_write_list(const struct tp_scenario *scenarios, uint32_t count, FILE *out)
{
    (void)fputc('{', out);
    write_profiles(out);
    (void)fputs(",\"acts\":[", out);
    for (uint32_t i = 1; i < TP_ACTS; i++)
        (void)fprintf(out, "%s{\"kind\":%u,\"name\":\"%s\",\"span_ns\":%" PRIu64 "}",
                      i == 1 ? "" : ",", i, tp_act_info[i].name, tp_act_info[i].span_ns);
    (void)fputs("],\"scenarios\":[", out);
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        write_scenario(&scenarios[i], out);
    }
    (void)fputs("]}", out);
}
