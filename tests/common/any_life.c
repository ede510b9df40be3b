/** tests/common/any_life.c - misuse is reported, and an end right after a start leaves
 * nothing. */
#include <pthread.h>
#include <unistd.h>

#include "any_io.h"
#include "expect_stop.h"
#include "tests/linux/support.h"

static void use(void *argument)
{
    tp_io_nop(argument, 1);
    tp_io_poll(argument);
}

static void destroy(void *argument)
{
    tp_io_destroy(argument);
}

Test(misuse, in_a_child_is_reported)
{
    struct tp_io *io = any_io_make();

    expect_stop(use, io, "fork", "create it after");
    expect_stop(destroy, io, "fork");
    use(io);
    cr_assert(zero(i32, wait_for(io, 1)), "the parent goes on");
    tp_io_destroy(io);
}

static void *poll_elsewhere(void *argument)
{
    tp_io_poll(argument);
    return NULL;
}

static void use_from_a_thread(void *argument)
{
    struct tp_io *io = NULL;
    pthread_t thread;

    (void)argument;
    if (any_io_create(&io) != 0 || pthread_create(&thread, NULL, poll_elsewhere, io) != 0)
        return;
    (void)pthread_join(thread, NULL);
}

Test(misuse, by_another_thread_is_reported)
{
    expect_stop(use_from_a_thread, NULL, "thread", "tp_io_wake");
}

Test(destroy, right_after_submission_without_a_poll)
{
    const uint32_t fds = count_fds();
    const struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_io *io = any_io_make();
    char path[256];

    scratch_name(path, "file");
    for (uint64_t i = 1; i <= 20; i++)
        tp_io_open(io, i, path, options);
    tp_io_set_mode(io, 100, open_file(io, path), 0600);
    tp_io_destroy(io);
    cr_assert(eq(u32, count_fds(), fds));
    (void)unlink(path);
}
