/* What a scenario asks the run: draws, failures, questions. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "apps/sim/text.h"
#include "io/hash.h"

enum { COMMANDS_MEAN = 24, COMMANDS_LATE_MAX = 4, NOTE_PROMISE = 48 };

void *tp_sim_state(struct tp_sim *sim)
{
    if (sim->scenario->state_bytes == 0)
        tp_stopf(__FILE__, __LINE__,
                 "scenario %s: tp_sim_state() was called, and its state_bytes is 0",
                 sim->scenario->name);
    return sim->state;
}

const struct tp_scenario *tp_sim_scenario(const struct tp_sim *sim)
{
    return sim->scenario;
}

const void *tp_sim_context(const struct tp_sim *sim)
{
    return sim->scenario->context;
}

enum tp_sim_phase tp_sim_phase(const struct tp_sim *sim)
{
    return sim->phase;
}

uint64_t tp_sim_now_ns(const struct tp_sim *sim)
{
    return tp_world_now_ns(sim->world);
}

uint64_t tp_sim_events(const struct tp_sim *sim)
{
    return tp_world_events(sim->world);
}

uint32_t tp_sim_families(const struct tp_sim *sim)
{
    return sim->swarm.on;
}

bool tp_sim_was_touched(const struct tp_sim *sim)
{
    return sim->touched;
}

uint64_t tp_sim_draw(struct tp_sim *sim, uint64_t bound)
{
    return tp_tape_draw(sim->tape, tp_stream(0, TP_CONCERN_WORKLOAD), TP_DRAW_WORKLOAD,
                        bound);
}

void tp_sim_fail_at(struct tp_sim *sim, const char *file, uint32_t line, const char *format,
                    ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tp_sim_conclude(sim, TP_VERDICT_FAILED, tp_text_base(file), line, "%s:%u: %s",
                    tp_text_base(file), line, text);
}

bool tp_sim_failed(const struct tp_sim *sim)
{
    return sim->over && sim->outcome->verdict != TP_VERDICT_PASSED;
}

struct tp_net *tp_sim_net(struct tp_sim *sim)
{
    return sim->net;
}

/* ------------------------------------------------------------------ nodes */

struct tp_sim *tp_node_sim(const struct tp_node *node)
{
    return node->sim;
}

uint32_t tp_node_index(const struct tp_node *node)
{
    return node->index;
}

uint32_t tp_node_role(const struct tp_node *node)
{
    return node->config.role;
}

const char *tp_node_name(const struct tp_node *node)
{
    return node->config.name != NULL ? node->config.name : node->name;
}

uint32_t tp_node_boots(const struct tp_node *node)
{
    return node->boots;
}

uint32_t tp_node_version(const struct tp_node *node)
{
    return node->version;
}

struct tp_scheduler *tp_node_scheduler(const struct tp_node *node)
{
    return node->scheduler;
}

struct tp_io *tp_node_io(const struct tp_node *node)
{
    return node->io;
}

struct tp_disk *tp_node_disk(const struct tp_node *node)
{
    return node->disk;
}

struct tp_address tp_node_address(const struct tp_node *node, uint16_t port)
{
    struct tp_address address = node->address;

    address.port = port;
    return address;
}

bool tp_node_is_up(const struct tp_node *node)
{
    return node->io != NULL;
}

bool tp_node_has_finished(const struct tp_node *node)
{
    return node->finished;
}

uint64_t tp_node_draw(struct tp_node *node, uint64_t bound)
{
    return tp_tape_draw(node->sim->tape, tp_stream(node->number, TP_CONCERN_WORKLOAD),
                        TP_DRAW_WORKLOAD, bound);
}

/* After the chaos there are a few more, so that something is done in a world that is well;
 * a workload that is used up says no. */
bool tp_node_more(struct tp_node *node)
{
    uint32_t mean = node->sim->scenario->commands;

    if (node->sim->phase >= TP_PHASE_RECOVERY)
        return false;
    if (node->sim->phase == TP_PHASE_LIVENESS && node->commands_late++ == COMMANDS_LATE_MAX)
        node->no_more = true;
    if (!node->no_more)
        node->no_more = tp_node_draw(node, mean == 0 ? COMMANDS_MEAN : mean) == 0;
    node->commands += !node->no_more;
    return !node->no_more;
}

void tp_node_promised(struct tp_node *node, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tp_sim_note(node->sim, NOTE_PROMISE, node->number, tp_hash(text, strlen(text), 0));
    tp_sim_tell(node->sim, TP_FACT_PROMISE, 0, node, text);
}

/* ------------------------------------------------------------------ names */

const char *tp_family_name(uint32_t family)
{
    static const char *const names[TP_FAMILIES] = {
#define NAME(family, name, fair) [family] = (name),
        TP_FAMILY_TABLE(NAME)
#undef NAME
    };

    return family < TP_FAMILIES ? names[family] : NULL;
}

const char *tp_phase_name(uint32_t phase)
{
    static const char *const names[TP_PHASES] = {"setup",    "warm-up",  "chaos",
                                                 "liveness", "recovery", "check"};

    return phase < TP_PHASES ? names[phase] : NULL;
}

const char *tp_verdict_name(uint32_t verdict)
{
    static const char *const names[TP_VERDICTS] = {
        "passed",    "failed",  "deadlock", "liveness", "stopped",
        "sanitizer", "crashed", "hang",     "diverged", "empty"};

    return verdict < TP_VERDICTS ? names[verdict] : NULL;
}
