/* A node: boots, ticks, exits, dies, and boots again on its disk. */
#include <stdio.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "io/hash.h"
#include "io/virtual/disk_internal.h"

enum {
    BUSY_MAX = 64,         /* ticks at one moment; then time goes on */
    BUSY_NS = 1000,        /* by so much */
    RESTART_NS = 10000000, /* after the first exit; doubled for each, up to 128 times */
    NOTE_BOOT = 16,
    NOTE_END,
};

struct tp_block {
    struct tp_block *next;
    size_t size_bytes;
};
#define BLOCK_HEAD 64

static struct tp_node *of_index(const struct tp_sim *sim, uint32_t index)
{
    tp_assert(index < sim->node_count);
    return sim->nodes[index];
}

/* ------------------------------------------------------------------ what the Io tells */

static void became_ready(void *context)
{
    tp_node_make_ready(context);
}

static void saw(void *context, const struct tp_virtual_moment *moment)
{
    tp_watch_moment(context, moment);
    tp_chaos_moment(context, moment);
}

void tp_node_make_ready(struct tp_node *node)
{
    struct tp_sim *sim = node->sim;

    if (node->paused) {
        node->wanted = true;
        return;
    }
    if (node->ready)
        return;
    node->ready = true;
    node->next_ready = NULL;
    if (sim->ready_last != NULL)
        sim->ready_last->next_ready = node;
    else
        sim->ready_first = node;
    sim->ready_last = node;
}

/* ------------------------------------------------------------------ life */

struct tp_node *tp_node_create(struct tp_sim *sim, const struct tp_node_config *config)
{
    struct tp_node *node = tp_alloc(&sim->memory.allocator, sizeof *node, 64);
    struct tp_disk_config disk;

    if (node == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a node");
    node->sim = sim;
    node->index = sim->node_count;
    node->number = node->index + 1;
    if (config != NULL)
        node->config = *config;
    (void)snprintf(node->name, sizeof node->name, "node %u", node->index);
    node->watch = (struct tp_virtual_watch){became_ready, saw, node};
    node->address = tp_address_ipv4(10, (uint8_t)(node->number >> 16),
                                    (uint8_t)(node->number >> 8), (uint8_t)node->number, 0);
    node->timer_ns = node->start_ns = node->resume_ns = TP_NEVER;
    disk = node->config.disk;
    disk.allocator = &sim->memory.allocator;
    disk.profile = sim->options.profile > 0 ? sim->options.profile - 1
                                            : (uint32_t)sim->scenario->profile;
    if (tp_disk_create(&disk, &node->disk) < 0)
        tp_stop(__FILE__, __LINE__, "a disk of a node cannot be made");
    sim->unfinished++;
    return node;
}

static void free_memory(struct tp_node *node)
{
    while (node->memory != NULL) {
        struct tp_block *memory = node->memory;

        node->memory = memory->next;
        tp_free(&node->sim->memory.allocator, memory, memory->size_bytes, 64);
    }
    node->parts = NULL;
}

void tp_node_destroy(struct tp_node *node)
{
    tp_assert(node->io == NULL);
    tp_disk_destroy(node->disk);
    tp_disk_destroy(node->snapshot);
    tp_free(&node->sim->memory.allocator, node, sizeof *node, 64);
}

static void set_finished(struct tp_node *node, bool finished)
{
    if (node->finished == finished)
        return;
    node->finished = finished;
    node->sim->unfinished += finished ? UINT32_MAX : 1;
}

static bool may_fault(void *context, uint32_t number, const char *path, uint64_t offset,
                      uint64_t len_bytes)
{
    struct tp_node *node = context;
    struct tp_sim *sim = node->sim;

    (void)number;
    return sim->scenario->may_fault == NULL ||
           sim->scenario->may_fault(sim, node, path, offset, len_bytes);
}

/* A node does not have the memory for thousands of connections, unless it says so. */
static void create_io(struct tp_node *node)
{
    struct tp_virtual_io_config config = node->config.io;

#define DEFAULT(field, value) config.field = config.field == 0 ? (value) : config.field
    DEFAULT(ops_max, 4096);
    DEFAULT(completions_max, 1024);
    DEFAULT(fds_max, 1024);
    DEFAULT(buf_count, 8);
    DEFAULT(recv_buf_count, 64);
#undef DEFAULT
    config.size = sizeof config;
    config.node = node->number;
    config.tape = node->sim->tape;
    config.disk = node->disk;
    config.net = node->sim->net;
    config.world = NULL; /* that of the network */
    config.addresses = &node->address;
    config.address_count = 1;
    config.watch = &node->watch;
    config.may_fault = may_fault;
    config.may_fault_context = node;
    config.allocator = &node->sim->memory.allocator;
    if (tp_virtual_io_create(&config, &node->io) < 0)
        tp_stop(__FILE__, __LINE__, "a node's Io cannot be made: is its config possible?");
}

/* A computer's clocks are as wrong after a boot as before. */
static void set_clocks(struct tp_node *node)
{
    if (node->drift != 0)
        tp_virtual_io_drift(node->io, node->drift);
    if (node->wall_ns != 0)
        tp_virtual_io_step_wall(node->io, node->wall_ns);
}

void tp_node_boot(struct tp_node *node)
{
    struct tp_sim *sim = node->sim;
    struct tp_scheduler_config config = {.size = sizeof config,
                                         .ops_max = node->config.ops_max,
                                         .machines_max = node->config.machines_max,
                                         .allocator = &sim->memory.allocator};
    void (*boot)(struct tp_node *) =
        node->config.boot != NULL ? node->config.boot : sim->scenario->boot;

    if (node->io != NULL)
        return;
    tp_assert(boot != NULL && node->memory == NULL);
    node->start_ns = node->timer_ns = TP_NEVER;
    set_finished(node, false);
    create_io(node);
    tp_watch_boot(node);
    set_clocks(node);
    config.ops_max = config.ops_max == 0 ? 1024 : config.ops_max;
    config.machines_max = config.machines_max == 0 ? 1024 : config.machines_max;
    if (tp_scheduler_create_with(node->io, &config, &node->scheduler) < 0)
        tp_stop(__FILE__, __LINE__, "a node's scheduler cannot be made");
    node->host = tp_virtual_io_host(node->io);
    tp_sim_note(sim, NOTE_BOOT, node->number, node->boots);
    tp_sim_tell(sim, TP_FACT_BOOT, node->boots, node, NULL);
    tp_swarm_apply(node);
    boot(node);
    sim->spawned |= tp_scheduler_stats(node->scheduler)->machines_started > 0;
    node->boots++;
    tp_node_make_ready(node);
}

static void lose_power_while_down(struct tp_node *node)
{
    tp_disk_power_cut(node->disk, node->sim->tape, node->number);
    node->needs_power = false;
}

/* The process is gone, and its memory. */
static void end_process(struct tp_node *node, bool power)
{
    uint64_t words[2];

    node->sim->outcome->operations += tp_virtual_io_operations(node->io);
    tp_swarm_count(node);
    node->needs_power = !power && tp_swarm_needs_power_cut(node);
    tp_scheduler_crash(node->scheduler);
    node->scheduler = NULL;
    if (power)
        tp_virtual_io_power_cut(node->io);
    else
        tp_virtual_io_kill(node->io);
    words[0] = node->trace;
    words[1] = tp_virtual_io_trace_hash(node->io);
    node->trace = tp_hash_words(words, 2, 0);
    tp_virtual_io_destroy(node->io);
    node->io = NULL;
    node->paused = node->wanted = false;
    node->resume_ns = TP_NEVER;
    free_memory(node);
}

static void replace_disk(struct tp_node *node, bool wipe)
{
    struct tp_disk_config config = node->disk->config;
    struct tp_disk *disk = NULL;

    if (wipe ? tp_disk_create(&config, &disk) < 0
             : tp_disk_clone(node->snapshot, &disk) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for another disk");
    tp_disk_destroy(node->disk);
    node->disk = disk;
}

static void end_with(struct tp_node *node, enum tp_end how, const char *words)
{
    bool power = how >= TP_END_POWER && how <= TP_END_WIPE;
    /* To the program it is a kill. */
    enum tp_end kind = how == TP_END_OVER ? TP_END_KILL : how;

    if (node->io == NULL && !power)
        return;
    tp_sim_note(node->sim, NOTE_END, node->number, (uint64_t)kind);
    tp_sim_tell(node->sim, TP_FACT_END, (uint32_t)how, node, words);
    if (node->io != NULL)
        end_process(node, power);
    else
        lose_power_while_down(node);
    if (power && how >= TP_END_ROLLBACK)
        replace_disk(node, how == TP_END_WIPE);
}

void tp_node_end(struct tp_node *node, enum tp_end how)
{
    end_with(node, how, NULL);
}

/* ------------------------------------------------------------------ ticking */

/* Its machines have ended: with the work done, or to be tried again. */
static void exited(struct tp_node *node)
{
    const struct tp_machine *failed = NULL;
    char words[128];

    for (const struct tp_part *part = node->parts; part != NULL; part = part->next)
        failed = part->machine->result < 0 ? part->machine : failed;
    if (failed == NULL) {
        tp_node_end(node, TP_END_EXIT);
        set_finished(node, true);
        return;
    }
    (void)snprintf(words, sizeof words, "%s ended with %s", failed->name,
                   tp_errno_name(failed->result));
    end_with(node, TP_END_EXIT, words);
    tp_node_start(node, (uint64_t)RESTART_NS << (node->exits < 7 ? node->exits : 7));
    node->exits++;
}

/* Sees to it that the node ticks when its next timer is due. */
static void arm_timer(struct tp_node *node)
{
    int64_t timeout_ns = tp_scheduler_timeout_ns(node->scheduler);
    uint64_t at_ns;

    if (timeout_ns < 0)
        return;
    if (timeout_ns == 0) {
        tp_node_make_ready(node);
        return;
    }
    at_ns = node->io->backend->clock(node->io, TP_CLOCK_MONOTONIC) + (uint64_t)timeout_ns;
    at_ns = tp_virtual_io_world_ns(node->io, at_ns);
    if (at_ns >= node->timer_ns && node->timer_ns != TP_NEVER)
        return; /* the event that is set looks again */
    node->timer_ns = at_ns;
    tp_sim_at(node->sim, at_ns, TP_DUE_TIMER, node->index);
}

/* A loop that never waits must not stop the time. */
static bool is_busy_for_long(struct tp_node *node)
{
    uint64_t now_ns = tp_world_now_ns(node->sim->world);

    if (node->busy_ns != now_ns) {
        node->busy_ns = now_ns;
        node->busy = 0;
    }
    return ++node->busy > BUSY_MAX;
}

static void stuck(struct tp_node *node)
{
    char census[384];

    tp_scheduler_census(node->scheduler, census, sizeof census);
    tp_sim_conclude(node->sim, TP_VERDICT_DEADLOCK, NULL, 0,
                    "%s: machines wait and nothing can wake them: %s", tp_node_name(node),
                    census);
}

void tp_node_tick(struct tp_node *node)
{
    switch (tp_scheduler_tick(node->scheduler)) {
    case TP_PROGRESS:
        if (!is_busy_for_long(node)) {
            tp_node_make_ready(node);
            return;
        }
        node->timer_ns = tp_world_now_ns(node->sim->world) + BUSY_NS;
        tp_sim_at(node->sim, node->timer_ns, TP_DUE_TIMER, node->index);
        return;
    case TP_WAIT_IO:
    case TP_WAIT_TIMER:
    case TP_WAIT_WAKE:
        arm_timer(node);
        return;
    case TP_STUCK:
        stuck(node);
        return;
    case TP_FINISHED:
        exited(node);
        return;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ our events */

void tp_node_resume(struct tp_node *node)
{
    if (!node->paused)
        return;
    node->paused = false;
    node->resume_ns = TP_NEVER;
    if (node->wanted)
        tp_node_make_ready(node);
    node->wanted = false;
}

void tp_node_due(struct tp_node *node, enum tp_sim_due due)
{
    uint64_t now_ns = tp_world_now_ns(node->sim->world);

    switch (due) {
    case TP_DUE_TIMER:
        if (now_ns != node->timer_ns)
            return; /* an earlier one was set since, or the node has died */
        node->timer_ns = TP_NEVER;
        if (node->io != NULL)
            tp_node_make_ready(node);
        return;
    case TP_DUE_START:
        if (now_ns == node->start_ns)
            tp_node_boot(node);
        return;
    case TP_DUE_RESUME:
        if (now_ns == node->resume_ns)
            tp_node_resume(node);
        return;
    case TP_DUE_HEAL:
    case TP_DUE_MEND:
        break;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ questions and orders
 */

struct tp_node *tp_sim_add_node(struct tp_sim *sim, const struct tp_node_config *config)
{
    struct tp_node **nodes = sim->nodes;
    uint32_t capacity = sim->node_capacity == 0 ? 8 : sim->node_capacity * 2;

    tp_assert(sim->phase == TP_PHASE_SETUP && sim->node_count + 1 < TP_TAPE_NODES_MAX);
    tp_assert(config == NULL || config->size == 0 || config->size == sizeof *config);
    if (sim->node_count == sim->node_capacity) {
        nodes = tp_alloc(NULL, capacity * sizeof(struct tp_node *), 16);
        if (nodes == NULL)
            tp_stop(__FILE__, __LINE__, "the host has no memory for nodes");
        if (sim->node_count > 0)
            memcpy(nodes, sim->nodes, sim->node_count * sizeof(struct tp_node *));
        tp_free(NULL, sim->nodes, sim->node_capacity * sizeof(struct tp_node *), 16);
        sim->nodes = nodes;
        sim->node_capacity = capacity;
    }
    nodes[sim->node_count] = tp_node_create(sim, config);
    return nodes[sim->node_count++];
}

uint32_t tp_sim_nodes(const struct tp_sim *sim)
{
    return sim->node_count;
}

struct tp_node *tp_sim_node(const struct tp_sim *sim, uint32_t index)
{
    return of_index(sim, index);
}

void *tp_node_new(struct tp_node *node, size_t size_bytes)
{
    struct tp_block *memory =
        tp_alloc(&node->sim->memory.allocator, BLOCK_HEAD + size_bytes, 64);

    tp_assert(node->io != NULL);
    if (memory == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a node's process");
    memory->size_bytes = BLOCK_HEAD + size_bytes;
    memory->next = node->memory;
    node->memory = memory;
    return (char *)memory + BLOCK_HEAD;
}

void tp_node_spawn(struct tp_node *node, struct tp_machine *machine, tp_tick_fn *tick,
                   const char *name)
{
    struct tp_part *part = tp_node_new(node, sizeof *part);

    part->machine = machine;
    part->next = node->parts;
    node->parts = part;
    tp_spawn(node->scheduler, machine, tick, name);
    tp_node_make_ready(node);
}

static void ask(struct tp_node *node, enum tp_end how)
{
    if (node->pending < (uint8_t)how)
        node->pending = (uint8_t)how;
    node->sim->pending = true;
}

void tp_node_kill(struct tp_node *node)
{
    ask(node, TP_END_KILL);
}

void tp_node_power_cut(struct tp_node *node)
{
    ask(node, TP_END_POWER);
}

void tp_node_rollback(struct tp_node *node)
{
    if (node->snapshot == NULL)
        tp_stopf(__FILE__, __LINE__,
                 "the disk of %s cannot be as it was: tp_node_snapshot() was never called",
                 tp_node_name(node));
    ask(node, TP_END_ROLLBACK);
}

void tp_node_wipe(struct tp_node *node)
{
    ask(node, TP_END_WIPE);
}

void tp_node_start(struct tp_node *node, uint64_t delay_ns)
{
    node->start_ns = tp_sim_moment(node->sim, delay_ns);
    tp_sim_at(node->sim, node->start_ns, TP_DUE_START, node->index);
}

void tp_node_stand_still(struct tp_node *node, uint64_t duration_ns)
{
    if (node->io == NULL)
        return;
    node->wanted = node->wanted || node->ready;
    node->paused = true;
    node->resume_ns = tp_sim_moment(node->sim, duration_ns);
    tp_sim_at(node->sim, node->resume_ns, TP_DUE_RESUME, node->index);
}

void tp_node_pause(struct tp_node *node, uint64_t duration_ns)
{
    if (node->io != NULL)
        tp_sim_tell(node->sim, TP_FACT_EVENT, 0, node, "it stands still");
    tp_node_stand_still(node, duration_ns);
}

void tp_node_snapshot(struct tp_node *node)
{
    if (node->io != NULL)
        tp_stopf(
            __FILE__, __LINE__,
            "tp_node_snapshot() while %s is up: a disk is copied when nobody is at work",
            tp_node_name(node));
    tp_disk_destroy(node->snapshot);
    node->snapshot = NULL;
    if (tp_disk_clone(node->disk, &node->snapshot) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a snapshot");
}

void tp_node_set_version(struct tp_node *node, uint32_t version)
{
    tp_assert(version == 0 || version < node->config.versions);
    node->version = version;
}
