/* machine.c - prints the head of a file: a whole program, its machine written with a
 * switch. */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/tempest.h>

struct head {
    struct tp_machine machine;
    enum { HEAD_START, HEAD_OPEN, HEAD_READ } state;
    const char *path;
    struct tp_op op;
    struct tp_fd fd;
    struct tp_buf block;
    char bytes[256];
};

static enum tp_step head_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct head *h = tp_container_of(machine, struct head, machine);
    struct tp_result result;

    if (h->state != HEAD_START && !tp_take(cx, &h->op, &result))
        return TP_WAIT;
    switch (h->state) {
    case HEAD_START:
        h->op = tp_open(cx, h->path, (struct tp_open_options){.read = true});
        h->state = HEAD_OPEN;
        return TP_WAIT;
    case HEAD_OPEN:
        if (result.value < 0)
            return tp_end(machine, result.value);
        h->fd = tp_into_fd(cx, result);
        h->block = tp_buf_empty(h->bytes, sizeof h->bytes);
        h->op = tp_read_at(cx, h->fd, &h->block, 0);
        h->state = HEAD_READ;
        return TP_WAIT;
    case HEAD_READ:
        fwrite(h->block.data, 1, h->block.len, stdout);
        tp_detach(cx, tp_close(cx, h->fd));
        return tp_end(machine, result.value);
    }
    tp_unreachable();
}

int main(int argc, char **argv)
{
    struct head head = {.path = argc > 1 ? argv[1] : "/etc/hostname"};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "machine: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &head.machine, head_tick, "head");
    tp_scheduler_run(scheduler);
    if (head.machine.result < 0)
        fprintf(stderr, "machine: %s: %s\n", head.path, tp_errno_name(head.machine.result));
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return head.machine.result < 0;
}
