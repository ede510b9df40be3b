#include "conformance.h"

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
    if (value == -EACCES) /* closed to its own maker: it can only be empty */
        return run(c, tp_request_remove_dir_in(dir, name));
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
