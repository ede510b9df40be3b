/* Nodes: whether they are up, their clocks, machines and operations. */
#include <inttypes.h>
#include <string.h>

#include "apps/sim/engine/engine.h"
#include "apps/sim/text.h"
#include "io/virtual/virtual_internal.h"
#include "runtime/scheduler_internal.h"

enum { PATH_BYTES = 512 };

static const char *bool_of(bool value)
{
    return value ? "true" : "false";
}

/* ------------------------------------------------------------------ how it is */

static const char *state_of(const struct tp_node *node)
{
    if (node->io != NULL)
        return node->paused ? "paused" : "up";
    return node->finished ? "done" : "down";
}

static const char *why_down(const struct tp_node *node, const struct engine_facts *facts)
{
    if (node->io != NULL || node->finished)
        return "";
    if (node->boots == 0)
        return "not booted";
    switch (node->index < ENGINE_NODES ? facts->last_end[node->index] : TP_END_NONE) {
    case TP_END_EXIT:
        return "exited";
    case TP_END_KILL:
        return "killed";
    case TP_END_POWER:
    case TP_END_ROLLBACK:
        return "power";
    case TP_END_WIPE:
        return "wiped";
    case TP_END_OVER:
        return "over";
    default:
        return "";
    }
}

static void write_due(const char *name, uint64_t at_ns, bool is_due, FILE *out)
{
    if (is_due && at_ns != TP_NEVER)
        (void)fprintf(out, ",\"%s\":%" PRIu64, name, at_ns);
    else
        (void)fprintf(out, ",\"%s\":null", name);
}

/* What the wall clock shows besides what the world's would. */
static void write_clock(const struct tp_node *node, FILE *out)
{
    const struct tp_virtual *v = tp_virtual_of_const(node->io);
    uint64_t right_ns = v->config.wall_ns + v->world->now_ns;
    uint64_t wall_ns = tp_clock_wall_ns(v);

    (void)fprintf(out,
                  ",\"clock\":{\"mono_ns\":%" PRIu64 ",\"wall_ns\":%" PRIu64
                  ",\"skew_ns\":%" PRId64 ",\"drift_ppm\":%d,\"frozen\":%s}",
                  tp_clock_monotonic_ns(v), wall_ns, (int64_t)(wall_ns - right_ns),
                  v->clocks.drift, bool_of(v->clocks.frozen));
}

/* ------------------------------------------------------------------ machines */

static const struct tp_machine *parent_of(const struct tp_node *node,
                                          const struct tp_machine *machine)
{
    if (machine->end_slot == 0)
        return NULL;
    return node->scheduler->slots.slots[machine->end_slot].owner;
}

static void write_machines(const struct tp_node *node, FILE *out)
{
    const struct tp_machines *machines = &node->scheduler->machines;
    uint32_t written = 0;

    (void)fputs(",\"machines\":[", out);
    for (uint32_t i = 0; i < machines->fresh && written < ENGINE_LIST_MAX; i++) {
        const struct tp_machine *machine = machines->entries[i].machine;
        uint32_t depth = 0;

        if (machine == NULL)
            continue;
        for (const struct tp_machine *up = parent_of(node, machine);
             up != NULL && depth < ENGINE_LIST_MAX; up = parent_of(node, up))
            depth++;
        (void)fputs(written++ == 0 ? "{\"name\":" : ",{\"name\":", out);
        tp_text_json(machine->name == NULL ? "" : machine->name, out);
        (void)fprintf(out, ",\"ops\":%u,\"state\":\"%s\",\"depth\":%u}", machine->ops,
                      machine->ending  ? "ends"
                      : machine->woken ? "ready"
                                       : "waits",
                      depth);
    }
    (void)fprintf(out, "],\"machines_more\":%u",
                  machines->count > written ? machines->count - written : 0);
}

/* ------------------------------------------------------------------ operations */

/* What it is on: the paths that it was given, or one that leads to its file. */
static void find_path(const struct tp_node *node, const struct tp_flight *flight,
                      char *ret_path, uint32_t size)
{
    const struct tp_virtual *v = tp_virtual_of_const(node->io);
    uint32_t inode = flight->file == 0 ? 0 : tp_vfile_at(v, flight->file)->inode;

    ret_path[0] = '\0';
    if (flight->path[0] != 0)
        (void)snprintf(ret_path, size, "%s%s%s", tp_texts_at(&v->texts, flight->path[0]),
                       flight->path[1] == 0 ? "" : " -> ",
                       flight->path[1] == 0 ? "" : tp_texts_at(&v->texts, flight->path[1]));
    else if (inode != 0)
        (void)tp_path_of(node->disk, inode, ret_path, size);
}

static void write_owner(const struct tp_node *node, uint64_t handle, FILE *out)
{
    const struct tp_slots *slots = &node->scheduler->slots;
    const struct tp_machine *owner =
        tp_slots_hold(slots, handle) ? slots->slots[tp_slot_index(handle)].owner : NULL;
    const char *file = NULL;
    uint32_t line = 0, number;

    tp_watch_site(node, handle, &file, &line, &number);
    (void)fputs(",\"file\":", out);
    tp_text_json(file == NULL ? "" : tp_text_base(file), out);
    (void)fprintf(out, ",\"line\":%u,\"machine\":", line);
    tp_text_json(owner == NULL || owner->name == NULL ? "" : owner->name, out);
}

static void write_op(const struct tp_node *node, const struct tp_flight *flight, bool first,
                     FILE *out)
{
    const struct tp_request *request = &flight->request;
    bool moves = request->kind == TP_READ || request->kind == TP_WRITE;
    bool is_due = flight->state != TP_FLIGHT_QUEUED && flight->state != TP_FLIGHT_WAITS;
    char path[PATH_BYTES];

    find_path(node, flight, path, sizeof path);
    (void)fprintf(out, "%s{\"kind\":\"%s\",\"path\":", first ? "" : ",",
                  tp_kind_info[request->kind].name);
    tp_text_json(path, out);
    (void)fprintf(out, ",\"bytes\":%u", moves ? request->len : 0);
    write_owner(node, request->handle, out);
    write_due("due_ns", flight->done_ns, is_due, out);
    (void)fputc('}', out);
}

static void write_ops(const struct tp_node *node, FILE *out)
{
    const struct tp_virtual *v = tp_virtual_of_const(node->io);
    uint32_t written = 0, more = 0;

    (void)fputs(",\"ops\":[", out);
    for (uint32_t i = 1; i < v->flights.used; i++) {
        const struct tp_flight *flight = tp_flight_at(v, i);

        if (flight->state == TP_FLIGHT_FREE || flight->shot)
            continue;
        if (written < ENGINE_LIST_MAX)
            write_op(node, flight, written++ == 0, out);
        else
            more++;
    }
    (void)fprintf(out, "],\"ops_more\":%u", more);
}

/* ------------------------------------------------------------------ all of them */

static void write_node(const struct tp_node *node, const struct engine_facts *facts,
                       FILE *out)
{
    (void)fputs("{\"name\":", out);
    tp_text_json(tp_node_name(node), out);
    (void)fprintf(out, ",\"spared\":%s,\"state\":\"%s\",\"why\":\"%s\",\"boots\":%u",
                  bool_of(node->config.spared), state_of(node), why_down(node, facts),
                  node->boots);
    write_due("boots_at_ns", node->start_ns, node->io == NULL, out);
    write_due("resumes_at_ns", node->resume_ns, node->paused, out);
    if (node->io != NULL) {
        write_clock(node, out);
        write_machines(node, out);
        write_ops(node, out);
    } else {
        (void)fputs(",\"clock\":null,\"machines\":[],\"machines_more\":0,\"ops\":[],"
                    "\"ops_more\":0",
                    out);
    }
    (void)fputs(",\"disk\":", out);
    engine_write_disk(node, out);
    (void)fputc('}', out);
}

void engine_write_picture(const struct tp_sim *sim, const struct engine_facts *facts,
                          FILE *out)
{
    engine_write_links(sim, out);
    (void)fputc(',', out);
    engine_write_messages(sim, out);
    (void)fputs(",\"nodes\":[", out);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        write_node(sim->nodes[i], facts, out);
    }
    (void)fputc(']', out);
}
