#include "conformance.h"

#include <stdio.h>

#include "script.h"

static const struct conformance_program *const lists[] = {
    conformance_open,       conformance_open_in,       conformance_read_write,
    conformance_direct,     conformance_sizes,         conformance_rename,
    conformance_remove,     conformance_directories,   conformance_list_dir,
    conformance_links,      conformance_attributes,    conformance_sync,
    conformance_lock,       conformance_cancel,        conformance_buffers,
    conformance_handles,    conformance_flight,        conformance_helpers,
    conformance_arguments,  conformance_net_listen,    conformance_net_connect,
    conformance_net_accept, conformance_net_recv,      conformance_net_recv_many,
    conformance_net_send,   conformance_net_send_bufs, conformance_net_close,
    conformance_net_kinds,  conformance_net_datagrams, conformance_services,
};

const struct conformance_program *conformance_program_at(uint32_t index)
{
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (const struct conformance_program *p = lists[list]; p->name != NULL; p++) {
            if (index-- == 0)
                return p;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ one program */

/* Every operation has completed once, and every completion was claimed. */
static void expect_quiescent(struct conformance *c,
                             const struct conformance_program *program)
{
    uint64_t deadline_ns = tp_io_now_ns(c->io) + c->patience_ns;

    tp_io_poll(c->io);
    while (tp_io_in_flight(c->io) > 0 && tp_io_now_ns(c->io) < deadline_ns)
        tp_io_park(c->io, deadline_ns);
    if (tp_io_in_flight(c->io) > 0)
        fail(c, program->file, program->line, "%u operations are still in flight",
             tp_io_in_flight(c->io));
    if (tp_io_completions(c->io)->live > 0)
        fail(c, program->file, program->line, "%u completions that nobody waits for",
             tp_io_completions(c->io)->live);
    tp_completions_clear(tp_io_completions(c->io));
}

bool conformance_run(struct conformance *c, const struct conformance_program *program,
                     const char *root)
{
    tp_assert((program->script == NULL) != (program->body == NULL));
    c->program = program->name;
    c->variant = program->variant;
    (void)snprintf(c->dir, sizeof c->dir, "%s/%s", root, program->name);
    (void)snprintf(c->near, sizeof c->near, "%s", c->inside ? program->name : c->dir);
    if (!EXPECT(c, run(c, tp_request_create_dir_all(c->dir)), 0))
        return false;
    if (program->script != NULL)
        script_run(c, program->script, program->file, program->line);
    else
        program->body(c);
    expect_quiescent(c, program);
    EXPECT(c, conformance_remove_tree(c, c->dir), 0);
    if (c->skipped != NULL)
        c->failures = 0;
    return c->failures == 0;
}
