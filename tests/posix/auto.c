/** tests/posix/auto.c - io_uring, or else PosixIo: which it is, and that it says so.
 *
 * Run again where io_uring is forbidden, with REFUSED=1 in the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/auto/auto.h"
#include "io/linux/linux_internal.h"
#include "tests/linux/support.h"

enum { TEXT_MAX = 8192 };

static void hear(void *context, enum tp_log_level level, const char *message,
                 const struct tp_log_field *fields, uint32_t count)
{
    char *heard = context;

    if (level < TP_LOG_WARNING)
        return;
    (void)strncat(heard, message, 1000);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)strncat(heard, fields[i].text, 1000);
    }
}

Test(io_auto, takes_the_best_that_is_allowed_and_says_which)
{
    const bool refused = getenv("REFUSED") != NULL;
    char heard[TEXT_MAX] = "", text[TEXT_MAX];
    const struct tp_log log = {hear, heard};
    const struct tp_auto_io_config config = {
        .size = sizeof config, .ops_max = 77, .buf_count = TP_AUTO_NONE, .log = &log};
    struct tp_io *io;

    cr_assert(zero(int, tp_auto_io_create(&config, &io)));
    if (!refused && tp_io_caps(io)->refused != 0)
        cr_skip_test("io_uring is refused: %s",
                     tp_linux_io_refusal(tp_io_caps(io)->refused));
    tp_io_caps_print(io, text, sizeof text);
    cr_assert(eq(int, tp_io_caps(io)->refused, refused ? -EPERM : 0));
    cr_assert(eq(str, (char *)(uintptr_t)io->backend->name,
                 (char *)(uintptr_t)(refused ? "posix" : "linux")));
    cr_assert(eq(int, strstr(text, "refused: EPERM") != NULL, refused));
    cr_assert(eq(int, strstr(heard, "seccomp") != NULL, refused), "the log: %s", heard);
    cr_assert(eq(u32, io->ops_max, 77), "the config reaches the backend");
    cr_assert(tp_io_acquire_buf(io) == NULL, "none at all");
    tp_io_nop(io, 1);
    cr_assert(zero(i32, wait_for(io, 1)));
    tp_io_destroy(io);
}

Test(io_auto, has_defaults)
{
    struct tp_io *io;

    cr_assert(zero(int, tp_auto_io_create(NULL, &io)));
    cr_assert(eq(u32, io->ops_max, 65536));
    tp_io_destroy(io);
}

Test(io_auto, takes_the_one_that_was_asked_for)
{
    const bool refused = getenv("REFUSED") != NULL;
    struct tp_auto_io_config config = {.only = TP_AUTO_ONLY_POSIX};
    struct tp_io *io = NULL;
    int error;

    cr_assert(zero(int, tp_auto_io_create(&config, &io)));
    cr_assert(eq(str, (char *)(uintptr_t)io->backend->name, "posix"));
    cr_assert(zero(int, tp_io_caps(io)->refused), "io_uring was not asked for");
    tp_io_destroy(io);
    io = NULL;
    config.only = TP_AUTO_ONLY_LINUX;
    error = tp_auto_io_create(&config, &io);
    if (!refused && error < 0)
        cr_skip_test("io_uring is refused: %s", tp_linux_io_refusal(error));
    cr_assert(eq(int, error, refused ? -EPERM : 0));
    cr_assert(eq(int, io == NULL, refused), "nothing stands in for it");
    tp_io_destroy(io);
}

Test(io_auto, refuses_what_neither_can_do)
{
    static const struct tp_auto_io_config configs[] = {
        {.size = 12},
        {.ops_max = TP_AUTO_NONE},
        {.workers_max = 1000},
        {.only = TP_AUTO_ONLY_POSIX + 1},
    };
    struct tp_io *io = NULL;

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++)
        cr_assert(eq(int, tp_auto_io_create(&configs[i], &io), -EINVAL), "config %zu", i);
    cr_assert(io == NULL, "written on success only");
    cr_assert(strstr(tp_auto_io_refusal(-EMFILE), "RLIMIT_NOFILE") != NULL);
}

Test(io_auto, gives_back_all_that_it_tried)
{
    const uint32_t fds = count_fds();
    struct tp_io *io;

    for (uint32_t i = 0; i < 5; i++) {
        cr_assert(zero(int, tp_auto_io_create(NULL, &io)));
        tp_io_destroy(io);
    }
    cr_assert(eq(u32, count_fds(), fds));
}

/* The sysctl is the machine's, so what it would say is asked for directly. */
Test(refusal, tells_the_sysctl_from_a_profile)
{
    cr_assert(strstr(tp_linux_forbidden('1'), "io_uring_disabled, which is 1") != NULL);
    cr_assert(strstr(tp_linux_forbidden('2'), "io_uring_disabled, which is 2") != NULL);
    cr_assert(strstr(tp_linux_forbidden('0'), "seccomp") != NULL);
    cr_assert(strchr("012", tp_linux_sysctl()) != NULL);
    cr_assert(tp_linux_io_refusal(-EPERM) == tp_linux_forbidden(tp_linux_sysctl()));
}
