#include "apps/copy/sim/scenario.h"

#include <errno.h>
#include <inttypes.h>

#include "apps/copy/job.h"
#include "apps/copy/sim/tree.h"
#include "runtime/await.h"

enum {
    COMMANDS = 6, /* editions: their mean */
    JOBS = 3,
    DEPTH = 2,
    BLOCK_BYTES = 4096,
    BUFS = JOBS * DEPTH * 2, /* verifying reads both sides */
    SIZE_SHIFTS = 512,
    INODES = 2048,
    /* Every boot clears its tables; 22 operations and 15 machines were the most. */
    OPS = 64,
    MACHINES = 64,
};

struct copier;

/* One run: what is known of the copy, and the machines of the boot that is at work. */
struct life {
    uint64_t begun, done; /* editions, from 1; done: the last that was reported so */
    uint32_t size_at;
    bool is_made; /* copy and job */
    struct copy_settings settings;
    const char *source;
    struct copier *copier; /* that waits for the job */
    struct copy copy;
    struct copy_job job;
};

/* What copies, again and again: a process of its own. */
struct copier {
    struct tp_machine machine;
    struct tp_node *node;
    struct life *life;
};

static struct life *life_of(struct tp_sim *sim)
{
    return tp_sim_state(sim);
}

/* ------------------------------------------------------------------ what must hold */

static void look_at(struct tp_sim *sim, uint32_t index)
{
    const struct life *life = life_of(sim);
    const struct tp_disk *disk = tp_node_disk(tp_sim_node(sim, 0));
    const char *name = copy_tree_name(index);
    uint32_t place = 0;

    switch (copy_tree_look(disk, life->size_at, index, &place)) {
    case COPY_TREE_ABSENT:
        tp_sometimes(life->begun > 0, "a file is not there yet");
        if (life->done > 0)
            tp_sim_fail(sim, "edition %" PRIu64 " was copied, and %s is not there",
                        life->done, name);
        return;
    case COPY_TREE_TORN:
        tp_sim_fail(sim, "%s is there, and is not whole", name);
        return;
    case COPY_TREE_WHOLE:
        break;
    }
    tp_sometimes(life->begun > life->done, "a file is there before all are");
    /* An empty one is of every edition. */
    if (index > 0 && place != life->done % COPY_TREE_EDITIONS &&
        place != life->begun % COPY_TREE_EDITIONS)
        tp_sim_fail(sim, "edition %" PRIu64 " was copied, and %s is an earlier one",
                    life->done, name);
}

static void look(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < COPY_TREE_FILES; i++)
        look_at(sim, i);
}

/* ------------------------------------------------------------------ copying */

/* What the boot before has left. */
static void bury(struct life *life)
{
    if (!life->is_made)
        return;
    copy_job_deinit(&life->job);
    copy_deinit(&life->copy);
    life->is_made = false;
}

static struct copier *waiting_for(struct tp_machine *machine)
{
    struct copy_job *job = tp_container_of(machine, struct copy_job, machine);

    return tp_container_of(job, struct life, job)->copier;
}

static void job_ended(struct tp_machine *machine)
{
    tp_wake(&waiting_for(machine)->machine);
}

static void begin_copy(struct copier *copier, struct tp_ctx *cx)
{
    struct life *life = copier->life;

    bury(life);
    life->source = copy_tree_source(life->begun);
    if (copy_init(&life->copy, &life->settings) < 0 ||
        copy_job_init(&life->job, &life->copy) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a copy");
    life->is_made = true;
    life->copy.silent = true;
    life->copier = copier;
    life->job.machine.ended = job_ended;
    copy_job_spawn(&life->job, cx->scheduler);
}

/* Whether it says that all was done. */
static bool end_copy(struct copier *copier)
{
    struct life *life = copier->life;
    bool done = life->job.machine.result == 0 && life->copy.totals.errors == 0;

    tp_sometimes(!done, "a copy says that it has failed");
    if (done) {
        life->done = life->begun;
        tp_node_promised(copier->node, "edition %" PRIu64, life->done);
    }
    return done;
}

static enum tp_step copier_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copier *copier = tp_container_of(machine, struct copier, machine);
    struct life *life = copier->life;

    TP_BEGIN(cx);
    /* One at least: a seed that copies nothing shows nothing. */
    while (life->begun > life->done || tp_node_more(copier->node) || life->begun == 0) {
        if (life->begun == life->done)
            life->begun++;
        begin_copy(copier, cx);
        TP_AWAIT_UNTIL(cx, !tp_machine_alive(&life->job.machine));
        if (!end_copy(copier))
            return tp_end(machine, -EIO); /* and somebody begins it again */
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the scenario */

static void set_up(struct tp_sim *sim)
{
    struct life *life = life_of(sim);
    struct tp_node_config config = {.size = sizeof config,
                                    .name = "copier",
                                    .ops_max = OPS,
                                    .machines_max = MACHINES,
                                    .disk = {.inodes_max = INODES},
                                    .io = {.ops_max = OPS,
                                           .completions_max = OPS,
                                           .fds_max = 64,
                                           .buf_count = BUFS,
                                           .buf_size = BLOCK_BYTES}};
    struct tp_node *node;

    config.disk.writeback_one_in = tp_sim_draw(sim, 2) == 0 ? 0 : 8;
    node = tp_sim_add_node(sim, &config);
    life->size_at = (uint32_t)tp_sim_draw(sim, SIZE_SHIFTS);
    life->settings = (struct copy_settings){.sources = &life->source,
                                            .source_count = 1,
                                            .jobs = JOBS,
                                            .depth = DEPTH,
                                            .block_bytes = BLOCK_BYTES,
                                            .mode_created = UINT32_MAX,
                                            .target = COPY_TREE_TARGET,
                                            .sync = tp_sim_context(sim) == NULL,
                                            .verify = tp_sim_draw(sim, 2) == 1};
    copy_tree_put(tp_node_disk(node), life->size_at);
}

static void boot(struct tp_node *node)
{
    struct copier *copier = tp_node_new(node, sizeof *copier);

    look(tp_node_sim(node));
    copier->node = node;
    copier->life = life_of(tp_node_sim(node));
    tp_node_spawn(node, &copier->machine, copier_tick, "copier");
}

static void finish(struct tp_sim *sim)
{
    bury(life_of(sim));
}

const struct tp_scenario copy_scenario = {
    .size = sizeof(struct tp_scenario),
    .name = "copy",
    .summary = "tempest-copy --sync, killed and begun again: whole files, or none",
    .state_bytes = sizeof(struct life),
    .setup = set_up,
    .boot = boot,
    .check = look,
    .finish = finish,
    .commands = COMMANDS,
};

const struct tp_scenario copy_unsynced_scenario = {
    .size = sizeof(struct tp_scenario),
    .name = "copy-unsynced",
    .summary = "tempest-copy without --sync, killed and begun again: a bug to be found",
    .state_bytes = sizeof(struct life),
    .context = "without",
    .setup = set_up,
    .boot = boot,
    .check = look,
    .finish = finish,
    .commands = COMMANDS,
};
