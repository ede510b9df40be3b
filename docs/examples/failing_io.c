/* failing_io.c - a backend in a page: holds another Io, passes everything on, and makes
 * every second read fail. The program reads the head of a file three times through it. */
#include <errno.h>
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/io/wrap.h>

struct failing_io {
    struct tp_io_wrap wrap;
    uint32_t reads;
};

static void submit(struct tp_io *io, const struct tp_request *request)
{
    struct failing_io *f = tp_container_of(io, struct failing_io, wrap.io);

    if (request->kind == TP_READ && ++f->reads % 2 == 0)
        tp_io_complete_later(io, request->handle, -EIO);
    else
        tp_io_wrap_submit(io, request);
}

static const struct tp_io_backend backend = TP_IO_WRAP_BACKEND("failing", submit);

int main(int argc, char **argv)
{
    struct tp_open_options options = {.read = true};
    struct failing_io failing = {.reads = 0};
    struct tp_io *io;
    struct tp_fd fd;
    char bytes[16];
    struct tp_buf buf = tp_buf_empty(bytes, sizeof bytes);
    int32_t value = tp_auto_io_create(NULL, &io);

    if (value < 0)
        return fprintf(stderr, "failing_io: %s\n", tp_auto_io_refusal(value)), 1;
    value = tp_io_wrap_init(&failing.wrap, &backend, io);
    if (value < 0)
        return fprintf(stderr, "failing_io: %s\n", tp_errno_name(value)), 1;
    io = &failing.wrap.io;

    value =
        tp_io_block_on(io, tp_request_open(argc > 1 ? argv[1] : "/etc/hostname", options));
    if (value < 0)
        return fprintf(stderr, "failing_io: %s\n", tp_errno_name(value)), 1;
    fd = tp_io_into_fd(io, value);
    for (int i = 0; i < 3; i++) {
        value = tp_io_block_on(io, tp_request_read_at(fd, &buf, 0));
        printf("read %d: %s\n", i + 1, value < 0 ? tp_errno_name(value) : "data");
    }
    (void)tp_io_block_on(io, tp_request_close(fd));
    tp_io_destroy(io);
    return 0;
}
