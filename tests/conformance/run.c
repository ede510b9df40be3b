#include "conformance.h"

#include <stdio.h>

#include "script.h"

static const struct conformance_program *const lists[] = {
    conformance_open,   conformance_open_in,     conformance_read_write,
    conformance_direct, conformance_sizes,       conformance_rename,
    conformance_remove, conformance_directories, conformance_list_dir,
    conformance_links,  conformance_attributes,  conformance_sync,
    conformance_cancel, conformance_buffers,     conformance_handles,
    conformance_flight, conformance_helpers,     conformance_arguments,
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

/* ------------------------------------------------------------------ cleaning up */

static int32_t remove_inside(struct conformance *c, struct tp_fd dir);

/* Looks before it removes, so that nothing here fails but what should not. */
static int32_t remove_entry(struct conformance *c, struct tp_fd dir,
                            const struct tp_dir_entry *entry)
{
    const char *name = tp_dir_entry_name(entry);
    struct tp_statx statx;
    int32_t value = run(c, tp_request_stat_in(dir, name, &statx));

    if (value < 0)
        return value;
    if (statx.kind != TP_FILE_DIRECTORY)
        return run(c, tp_request_remove_in(dir, name));
    value = run(c, tp_request_open_in(dir, name, open_options("r")));
    if (value < 0)
        return value;
    value = remove_inside(c, tp_io_into_fd(c->io, value));
    return value < 0 ? value : run(c, tp_request_remove_dir_in(dir, name));
}

/* Empties the directory and closes it. What is removed while a directory is being listed
 * may or may not move the rest, so it is listed from the start until nothing is left. */
static int32_t remove_inside(struct conformance *c, struct tp_fd dir)
{
    uint64_t memory[512];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    int32_t value, error = 0;

    while ((value = run(c, tp_request_list_dir(dir, &buf))) > 0 && error == 0) {
        const struct tp_dir_entry *entry = NULL;

        buf.len = (uint32_t)value;
        while (error == 0 && (entry = tp_dir_next(&buf, entry)) != NULL)
            error = remove_entry(c, dir, entry);
    }
    if (value < 0)
        error = value;
    value = run(c, tp_request_close(dir));
    return error < 0 ? error : value;
}

int32_t conformance_remove_tree(struct conformance *c, const char *path)
{
    int32_t value, error;

    do {
        value = run(c, tp_request_open(path, open_options("r")));
        if (value < 0)
            return value;
        error = remove_inside(c, tp_io_into_fd(c->io, value));
        value = run(c, tp_request_remove_dir(path));
    } while (error == 0 && value == -ENOTEMPTY);
    return error < 0 ? error : value;
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
    (void)snprintf(c->dir, sizeof c->dir, "%s/%s", root, program->name);
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
