/* A program outside the project that runs a machine in the simulated world; C, and C++ as
 * simulated.cpp includes it. */
#include <stdio.h>
#include <string.h>
#include <tempest/io/virtual/virtual.h>
#include <tempest/sim.h>
#include <tempest/tempest.h>

/* Writes a few bytes to a new file, step by step. */
struct note {
    struct tp_machine machine;
    struct tp_op op;
    struct tp_fd fd;
    struct tp_buf buf;
    int state;
};

static enum tp_step note_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct note *note = (struct note *)(void *)machine;
    struct tp_open_options options;
    struct tp_result result;

    if (note->state > 0 && !tp_get_cqe(cx, note->op, &result))
        return TP_WAIT;
    if (note->state > 0 && result.value < 0)
        return tp_end(machine, result.value);
    switch (note->state++) {
    case 0:
        memset(&options, 0, sizeof(options));
        options.write = options.create = true;
        note->op = tp_open(cx, "/note", options);
        return TP_WAIT;
    case 1:
        note->fd = tp_into_fd(cx, result);
        note->buf = tp_buf_full("hello", 5);
        note->op = tp_write_at(cx, note->fd, &note->buf, 0);
        return TP_WAIT;
    case 2:
        note->op = tp_close(cx, note->fd);
        return TP_WAIT;
    default:
        return tp_end(machine, 5);
    }
}

/* The same machine as a scenario: what a node starts at each boot. */
static void boot(struct tp_node *node)
{
    struct note *note = (struct note *)tp_node_new(node, sizeof(struct note));

    tp_node_spawn(node, &note->machine, note_tick, "note");
}

static int simulate(void)
{
    struct tp_scenario scenario;
    struct tp_sim_outcome outcome;

    memset(&scenario, 0, sizeof(scenario));
    scenario.name = "note";
    scenario.boot = boot;
    tp_sim_run(&scenario, NULL, &outcome);
    return outcome.verdict == TP_VERDICT_PASSED && outcome.operations > 0;
}

/* What a program that simulates itself calls. */
static int list(char *name)
{
    char word[] = "list";
    char *words[] = {name, word, NULL};
    struct tp_scenario scenario;

    memset(&scenario, 0, sizeof(scenario));
    scenario.name = "note";
    scenario.boot = boot;
    return tp_sim_main(2, words, &scenario, 1) == 0;
}

int main(int argc, char **argv)
{
    struct note note;
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    int status;

    memset(&note, 0, sizeof(note));
    if (tp_virtual_io_create(NULL, &io) != 0)
        return 1;
    scheduler = tp_scheduler_create(io, 0);
    if (scheduler == NULL)
        return 1;
    tp_spawn(scheduler, &note.machine, note_tick, "note");
    status = tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_virtual_io_destroy(io);
    if (argc < 1 || !simulate() || !list(argv[0]))
        return 1;
    return status == 0 && note.machine.result == 5 && printf("written\n") > 0 ? 0 : 1;
}
