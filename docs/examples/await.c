/* await.c - the same machine as machine.c, written from top to bottom with the await
 * macros. */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/tempest.h>

struct head {
    struct tp_machine machine;
    const char *path;
    struct tp_fd fd;
    struct tp_buf block;
    char bytes[256];
};

static enum tp_step head_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct head *h = tp_container_of(machine, struct head, machine);
    struct tp_open_options options = {.read = true};
    struct tp_result result; /* set by each await: it need not survive one */

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, h->path, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    h->fd = tp_into_fd(cx, result);
    h->block = tp_buf_empty(h->bytes, sizeof h->bytes);
    TP_AWAIT(cx, tp_read_at(cx, h->fd, &h->block, 0), &result);
    fwrite(h->block.data, 1, h->block.len, stdout);
    tp_detach(cx, tp_close(cx, h->fd));
    return tp_end(machine, result.value);
    TP_END(cx);
}

int main(int argc, char **argv)
{
    struct head head = {.path = argc > 1 ? argv[1] : "/etc/hostname"};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "await: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &head.machine, head_tick, "head");
    tp_scheduler_run(scheduler);
    if (head.machine.result < 0)
        fprintf(stderr, "await: %s: %s\n", head.path, tp_errno_name(head.machine.result));
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return head.machine.result < 0;
}
