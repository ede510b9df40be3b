/* children.c - reads three files at once, with a child for each; the first failure ends
 * them all.
 *
 * The paths are the arguments. Each child is a ready-made machine of sm/; the group joins
 * them.
 */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/sm/group.h>
#include <tempest/sm/read_file.h>
#include <tempest/tempest.h>

enum { FILES = 3 };

struct reader {
    struct tp_machine machine;
    char **paths;
    struct tp_group group;
    struct tp_group_item items[FILES];
    struct tp_read_file reads[FILES];
    struct tp_buf texts[FILES];
    char bytes[FILES][4096];
};

static struct tp_op start(struct tp_ctx *cx, struct reader *r, int i)
{
    r->texts[i] = tp_buf_empty(r->bytes[i], sizeof r->bytes[i]);
    return tp_read_file_start(cx, &r->reads[i], tp_place_path(r->paths[i]), &r->texts[i]);
}

static enum tp_step reader_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = tp_container_of(machine, struct reader, machine);

    TP_BEGIN(cx);
    tp_group_init(&r->group, r->items, FILES, TP_GROUP_FAIL_FAST);
    for (int i = 0; i < FILES; i++)
        tp_group_add(&r->group, start(cx, r, i));
    TP_AWAIT_UNTIL(cx, tp_group_joined(cx, &r->group));
    return tp_end(machine, r->group.error);
    TP_END(cx);
}

static void report(const struct reader *r)
{
    if (r->machine.result < 0) {
        printf("%s: %s\n", r->paths[r->group.first_failed],
               tp_errno_name(r->machine.result));
        return;
    }
    for (int i = 0; i < FILES; i++)
        printf("%s: %u bytes\n", r->paths[i], (unsigned)r->texts[i].len);
}

int main(int argc, char **argv)
{
    static struct reader reader;
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int error;

    if (argc != 1 + FILES)
        return fprintf(stderr, "usage: children FILE FILE FILE\n"), 2;
    error = tp_auto_io_create(NULL, &io);
    if (error < 0)
        return fprintf(stderr, "children: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 64);
    tp_assert(scheduler != NULL);
    reader.paths = argv + 1;
    tp_spawn(scheduler, &reader.machine, reader_tick, "reader");
    tp_scheduler_run(scheduler);
    report(&reader);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return reader.machine.result < 0;
}
