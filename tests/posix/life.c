/** tests/posix/life.c - creation, caps, and the end of a PosixIo. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/posix/posix.h"
#include "tests/common/any_io.h"
#include "tests/linux/support.h"

int any_io_create(struct tp_io **ret_io)
{
    return tp_posix_io_create(NULL, ret_io);
}

static struct tp_io *make_posix(const struct tp_posix_io_config *config)
{
    struct tp_io *io = NULL;
    const int error = tp_posix_io_create(config, &io);

    cr_assert(error == 0, "%s: %s", tp_errno_name(error), tp_posix_io_refusal(error));
    return io;
}

/* ------------------------------------------------------------------ creation */

Test(create, refuses_a_config_out_of_range)
{
    static const struct tp_posix_io_config configs[] = {
        {.size = 12},
        {.size = UINT32_MAX},
        {.ops_max = TP_POSIX_NONE},
        {.ops_max = 1U << 30},
        {.completions_max = TP_POSIX_NONE},
        {.fds_max = 1U << 30},
        {.workers_max = TP_POSIX_NONE},
        {.workers_max = 1000},
        {.buf_count = 1, .buf_size = TP_POSIX_NONE},
        {.recv_buf_count = 1U << 20},
        {.recv_buf_count = 1, .recv_buf_size = TP_POSIX_NONE},
    };
    struct tp_io *io = NULL;

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++)
        cr_assert(eq(int, tp_posix_io_create(&configs[i], &io), -EINVAL), "config %zu", i);
    cr_assert(io == NULL, "written on success only");
}

static void hear(void *context, enum tp_log_level level, const char *message,
                 const struct tp_log_field *fields, uint32_t count)
{
    char *heard = context;

    (void)level;
    (void)strncat(heard, message, 1000);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)strncat(heard, fields[i].text, 1000);
    }
}

Test(create, says_what_was_refused_and_what_to_do)
{
    char heard[4096] = "";
    const struct tp_log log = {hear, heard};
    const struct tp_posix_io_config config = {.workers_max = 1000, .log = &log};
    struct tp_io *io;

    cr_assert(eq(int, tp_posix_io_create(&config, &io), -EINVAL));
    cr_assert(strstr(heard, tp_posix_io_refusal(-EINVAL)) != NULL);
    cr_assert(strstr(tp_posix_io_refusal(-EMFILE), "RLIMIT_NOFILE") != NULL);
}

/* Takes every number there is, but for `left`. */
static uint32_t take_fds(int fds[], uint32_t fds_max, uint32_t left)
{
    uint32_t count = 0;

    while (count < fds_max && (fds[count] = dup(0)) >= 0)
        count++;
    for (; left > 0 && count > 0; left--)
        (void)close(fds[--count]);
    return count;
}

Test(create, without_fds_gives_back_what_it_had)
{
    static int fds[1 << 16];
    uint32_t count;
    struct tp_io *io;

    for (uint32_t left = 0; left < 3; left++) { /* the wait, and both ends of the pipe */
        count = take_fds(fds, 1 << 16, left);
        if (count == 1 << 16)
            cr_skip_test("there are too many numbers to take them all");
        cr_assert(eq(int, tp_posix_io_create(NULL, &io), -EMFILE), "%u left", left);
        while (count > 0)
            (void)close(fds[--count]);
    }
    tp_posix_io_destroy(make_posix(NULL));
    tp_posix_io_destroy(NULL);
}

Test(caps, say_how_each_kind_runs)
{
    const struct tp_posix_io_config config = {.recv_buf_count = TP_POSIX_NONE};
    struct tp_io *io = make_posix(&config);
    const struct tp_io_caps *caps = tp_io_caps(io);
    char text[8192];

    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        const bool is_io = (tp_kind_info[kind].traits & TP_NOT_IO) == 0;

        cr_assert(caps->kinds[kind].why != NULL && caps->kinds[kind].why[0] != '\0');
        cr_assert(eq(int, caps->kinds[kind].how != TP_HOW_UNAVAILABLE,
                     is_io && kind != TP_RECV_MANY),
                  "%s", tp_kind_info[kind].name);
    }
    cr_assert(eq(int, caps->kinds[TP_READ].how, TP_HOW_WORKER));
    cr_assert(eq(int, caps->kinds[TP_RECV].how, TP_HOW_INLINE));
    tp_io_caps_print(io, text, sizeof text);
    cr_assert(strstr(text, "own thread") != NULL && strstr(text, "epoll") != NULL);
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ the end */

static struct tp_fd listen_here(struct tp_io *io, struct tp_address *ret_address)
{
    const struct tp_address any = tp_address_ipv4(127, 0, 0, 1, 0);
    const struct tp_socket_options options = {0};
    const int32_t value = tp_io_block_on(io, tp_request_listen(&any, options));

    cr_assert(ge(i32, value, 0));
    cr_assert(zero(i32, tp_io_block_on(io, tp_request_local_address(
                                               tp_io_into_fd(io, value), ret_address))));
    return tp_io_into_fd(io, value);
}

Test(destroy, stops_what_is_in_flight_and_closes_what_is_open)
{
    const uint32_t fds = count_fds(), threads = count_threads();
    const struct tp_socket_options options = {0};
    struct tp_io *io = make_posix(NULL);
    struct tp_address address;
    struct tp_fd listener, file, peer;
    char path[256], bytes[8];
    struct tp_buf buf = tp_buf_empty(bytes, sizeof bytes);
    int32_t value;

    scratch_name(path, "file");
    listener = listen_here(io, &address);
    file = open_file(io, path);
    (void)open_file(io, path); /* stays open */
    value = tp_io_block_on(io, tp_request_connect(&address, options));
    cr_assert(ge(i32, value, 0));
    peer = tp_io_into_fd(io, value);
    tp_io_recv(io, 1, peer, &buf); /* waits for its peer */
    tp_io_recv_many(io, 2, peer);
    tp_io_accept_many(io, 3, listener); /* has one to bring */
    tp_io_poll(io);
    for (uint64_t i = 0; i < 30; i++)
        tp_io_fsync(io, 100 + i, file, 0);
    tp_io_connect(io, 4, &address, options); /* not begun */
    tp_io_close(io, 200, file);              /* behind the syncs */
    tp_io_close(io, 201, listener);
    tp_io_destroy(io);
    cr_assert(eq(u32, count_fds(), fds));
    for (int i = 0; i < 100 && count_threads() > threads; i++)
        sleep_ms(10);
    cr_assert(eq(u32, count_threads(), threads));
    (void)unlink(path);
}

/* A close that a thread has done is not done again: its number may be somebody else's by
 * then. */
Test(destroy, does_not_close_twice_what_a_thread_has_closed)
{
    const uint32_t fds = count_fds();
    struct tp_io *io = make_posix(NULL);
    char path[256];
    struct tp_fd fd;
    int stranger;

    scratch_name(path, "file");
    fd = open_file(io, path);
    tp_io_close(io, 1, fd);
    tp_io_poll(io);
    while (fcntl((int)fd.number, F_GETFD) >= 0)
        sleep_ms(1);
    stranger = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(eq(u32, (uint32_t)stranger, fd.number));
    tp_io_destroy(io);
    cr_assert(eq(int, fcntl(stranger, F_GETFD), FD_CLOEXEC));
    (void)close(stranger);
    cr_assert(eq(u32, count_fds(), fds));
    (void)unlink(path);
}

/* Says that it has begun, and reads what does not come. */
struct reader {
    int begun, from;
};

static int32_t read_a_byte(void *context)
{
    const struct reader *reader = context;
    char byte = 'b';

    if (write(reader->begun, &byte, 1) != 1)
        return -1;
    return (int32_t)read(reader->from, &byte, 1);
}

/* A thread that cannot be stopped: its memory is leaked, not freed under it. */
Test(destroy, gives_up_in_time_and_frees_nothing)
{
    static struct tp_io *io; /* still reachable: a leak on purpose */
    static int ends[2], begun[2];
    static struct reader reader;
    char heard[4096] = "", byte;
    const struct tp_log log = {hear, heard};
    const struct tp_posix_io_config config = {.drain_ms_max = 50, .log = &log};

    cr_assert(zero(int, pipe(ends)));
    cr_assert(zero(int, pipe(begun)));
    reader = (struct reader){.begun = begun[1], .from = ends[0]};
    io = make_posix(&config);
    tp_io_offload(io, 1, read_a_byte, &reader);
    tp_io_poll(io);
    cr_assert(eq(int, (int)read(begun[0], &byte, 1), 1));
    tp_io_destroy(io);
    cr_assert(strstr(heard, "leaked") != NULL);
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    sleep_ms(30);
}
