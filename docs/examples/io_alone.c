/* io_alone.c - the Io without the runtime, in a loop and with handles of one's own.
 *
 * Reads the first bytes of each file that is an argument, all of them at once. A handle is
 * any number from 1 to 2^56 - 1; here it says which file, and which step of its way.
 */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/io/io.h>

enum { FILES_MAX = 16, STEPS = 3 };
enum step { OPEN, READ, CLOSE };

struct file {
    struct tp_fd fd;
    struct tp_buf buf;
    char bytes[16];
};

static uint64_t handle_of(uint64_t file, enum step step)
{
    return 1 + file * STEPS + step;
}

/* Goes on with a file whose step has completed; the next step is submitted. */
static void advance(struct tp_io *io, struct file *file, uint64_t index, enum step step,
                    int32_t value)
{
    switch (step) {
    case OPEN:
        if (value < 0) {
            printf("%d: %s\n", (int)index, tp_errno_name(value));
            return;
        }
        file->fd = tp_io_into_fd(io, value);
        file->buf = tp_buf_empty(file->bytes, sizeof file->bytes);
        tp_io_read_at(io, handle_of(index, READ), file->fd, &file->buf, 0);
        return;
    case READ:
        printf("%d: %d bytes\n", (int)index, value);
        tp_io_close(io, handle_of(index, CLOSE), file->fd);
        return;
    case CLOSE:
        return;
    }
}

int main(int argc, char **argv)
{
    struct file files[FILES_MAX];
    uint64_t count = (uint64_t)argc - 1;
    struct tp_io *io;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "io_alone: %s\n", tp_auto_io_refusal(error)), 1;
    for (uint64_t i = 0; i < count && i < FILES_MAX; i++)
        tp_io_open(io, handle_of(i, OPEN), argv[1 + i],
                   (struct tp_open_options){.read = true});

    while (tp_io_in_flight(io) > 0) {
        tp_io_park(io, TP_NEVER);
        for (uint64_t handle = 1; handle <= count * STEPS; handle++) {
            struct tp_completion completion;
            uint64_t index = (handle - 1) / STEPS;
            if (tp_io_get_cqe(io, handle, &completion))
                advance(io, &files[index], index, (enum step)((handle - 1) % STEPS),
                        completion.value);
        }
    }
    tp_io_destroy(io);
    return 0;
}
