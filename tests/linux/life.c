/** tests/linux/life.c - creation, refusal and the end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/any_io.h"
#include "tests/linux/support.h"

int any_io_create(struct tp_io **ret_io)
{
    return tp_linux_io_create(NULL, ret_io);
}

/* ------------------------------------------------------------------ creation */

Test(create, refuses_a_config_out_of_range)
{
    static const struct tp_linux_io_config configs[] = {
        {.size = 12},
        {.size = UINT32_MAX},
        {.ops_max = TP_LINUX_NONE},
        {.ops_max = 1U << 30},
        {.cq_entries = 1U << 20},
        {.completions_max = TP_LINUX_NONE},
        {.fds_max = 1U << 30},
        {.files_max = 1U << 20},
        {.workers_max = TP_LINUX_NONE},
        {.workers_max = 1000},
        {.buf_count = 1, .buf_size = TP_LINUX_NONE},
    };
    struct tp_io *io = NULL;

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++)
        cr_assert(eq(int, tp_linux_io_create(&configs[i], &io), -EINVAL), "config %zu", i);
    cr_assert(io == NULL, "written on success only");
}

Test(create, takes_its_own_size)
{
    const struct tp_linux_io_config config = {.size = sizeof config};

    tp_linux_io_destroy(make_io(&config));
    tp_linux_io_destroy(NULL);
}

Test(create, many_in_one_thread)
{
    struct tp_io *ios[20];
    const uint32_t fds = count_fds();

    for (uint32_t i = 0; i < 20; i++) {
        ios[i] = make_io(NULL);
        tp_io_nop(ios[i], 1);
    }
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(zero(i32, wait_for(ios[i], 1)));
    for (uint32_t i = 0; i < 20; i++)
        tp_io_destroy(ios[i]);
    cr_assert(eq(u32, count_fds(), fds));
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

/* EINVAL is what a kernel says that knows not even the oldest flags. */
static const struct {
    uint32_t call;
    int error;
} refusals[] = {{SYS_io_uring_setup, EPERM},    {SYS_io_uring_setup, ENOSYS},
                {SYS_io_uring_setup, ENOMEM},   {SYS_io_uring_setup, EMFILE},
                {SYS_io_uring_setup, EINVAL},   {SYS_io_uring_enter, EPERM},
                {SYS_io_uring_register, EPERM}, {SYS_io_uring_enter, ENOSYS}};

/* What a container does: a system call fails. */
static int create_under_seccomp(int refusal)
{
    const int error = refusals[refusal].error;
    char heard[4096] = "";
    const struct tp_log log = {hear, heard};
    const struct tp_linux_io_config config = {.log = &log};
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusals[refusal].call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    const int expected = error == EINVAL ? -EOPNOTSUPP : -error;
    struct tp_io *io;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 77;
    if (tp_linux_io_create(&config, &io) != expected)
        return 1;
    return strstr(heard, tp_linux_io_refusal(expected)) != NULL ? 0 : 2;
}

static int status_of(int (*function)(int argument), int argument)
{
    int status;
    bool exited;
    const pid_t child = fork();

    if (child == 0)
        _exit(function(argument));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    exited = WIFEXITED(status);
    cr_assert(exited);
    return WEXITSTATUS(status);
}

Test(create, says_what_was_refused_and_what_to_do)
{
    for (int i = 0; i < (int)(sizeof refusals / sizeof refusals[0]); i++) {
        const int status = status_of(create_under_seccomp, i);

        if (status == 77)
            cr_skip_test("no seccomp here");
        cr_assert(zero(int, status), "call %u: %s", refusals[i].call,
                  tp_errno_name(refusals[i].error));
    }
    cr_assert(strstr(tp_linux_io_refusal(-EPERM), "io_uring_disabled") != NULL);
    cr_assert(strstr(tp_linux_io_refusal(-ENOMEM), "RLIMIT_MEMLOCK") != NULL);
    cr_assert(strstr(tp_linux_io_refusal(-EOPNOTSUPP), "6.1") != NULL);
}

/* ------------------------------------------------------------------ the end */

Test(destroy, stops_what_is_in_flight_and_closes_what_is_open)
{
    const struct tp_linux_io_config config = {
        .sq_entries = 8, .cq_entries = 8, .drain_ms_max = 5000};
    const struct tp_open_options blocks = {.write = true, .create = true};
    const uint32_t fds = count_fds(), threads = count_threads();
    static char bytes[8];
    static struct tp_buf bufs[8];
    struct tp_io *io = make_io(&config);
    char path[256], fifo_path[256], other[256];
    struct tp_fd fifo, file;
    int writer;

    scratch_name(path, "file");
    scratch_name(fifo_path, "fifo");
    scratch_name(other, "other");
    fifo = open_fifo(io, fifo_path, &writer);
    (void)unlink(other);
    cr_assert(zero(int, mkfifo(other, 0600)));
    file = open_file(io, path);
    (void)open_file(io, path);         /* stays open */
    tp_io_open(io, 50, other, blocks); /* waits on a kernel worker */
    for (uint64_t i = 0; i < 7; i++) { /* wait for bytes */
        bufs[i] = tp_buf_empty(&bytes[i], 1);
        tp_io_read_at(io, 1 + i, fifo, &bufs[i], 0);
    }
    tp_io_poll(io);
    for (uint64_t i = 0; i < 30; i++)
        tp_io_fsync(io, 100 + i, file, 0); /* wait for room */
    tp_io_close(io, 200, file);            /* behind them */
    tp_io_set_mode(io, 201, fifo, 0600);   /* on its way to a thread */
    tp_io_destroy(io);
    (void)close(writer);
    cr_assert(eq(u32, count_fds(), fds));
    for (int i = 0; i < 100 && count_threads() > threads; i++)
        sleep_ms(10); /* kernel workers go by themselves */
    cr_assert(eq(u32, count_threads(), threads));
    (void)unlink(path);
    (void)unlink(fifo_path);
    (void)unlink(other);
}

/* A close that a thread has done is not done again: its number may be somebody else's by
 * then. */
Test(destroy, does_not_close_twice_what_a_thread_has_closed)
{
    const struct tp_linux_io_config config = {.kinds_off = UINT64_MAX};
    const uint32_t fds = count_fds();
    struct tp_io *io = make_io(&config);
    char path[256];
    struct tp_fd fd;
    int stranger;

    scratch_name(path, "file");
    fd = open_file(io, path);
    tp_io_close(io, 1, fd);
    tp_io_poll(io);
    sleep_ms(30);
    stranger = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(eq(u32, (uint32_t)stranger, fd.number));
    tp_io_destroy(io);
    cr_assert(eq(int, fcntl(stranger, F_GETFD), FD_CLOEXEC));
    (void)close(stranger);
    cr_assert(eq(u32, count_fds(), fds));
    (void)unlink(path);
}

static void note(void *context, enum tp_log_level level, const char *message,
                 const struct tp_log_field *fields, uint32_t count)
{
    (void)message, (void)fields, (void)count;
    if (level == TP_LOG_ERROR)
        (*(int *)context)++;
}

/* A thread that cannot be stopped: its memory is leaked, not freed under it. */
Test(destroy, gives_up_in_time_and_frees_nothing)
{
    static struct tp_io *io; /* still reachable: a leak on purpose */
    int errors = 0;
    const struct tp_log log = {note, &errors};
    const struct tp_linux_io_config config = {
        .drain_ms_max = 50, .kinds_off = UINT64_C(1) << TP_OPEN, .log = &log};
    const struct tp_open_options options = {.read = true};
    char path[256];
    int writer;

    scratch_name(path, "fifo");
    (void)unlink(path);
    cr_assert(zero(int, mkfifo(path, 0600)));
    io = make_io(&config);
    tp_io_open(io, 1, path, options);
    tp_io_poll(io);
    sleep_ms(30);
    tp_io_destroy(io);
    cr_assert(eq(int, errors, 1));
    writer = open(path, O_WRONLY | O_CLOEXEC);
    sleep_ms(30);
    (void)close(writer);
    (void)unlink(path);
}
