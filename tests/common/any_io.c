#include "any_io.h"

#include <criterion/criterion.h>
#include <time.h>

struct tp_io *any_io_make(void)
{
    struct tp_io *io = NULL;
    const int error = any_io_create(&io);

    cr_assert(error == 0, "%s", tp_errno_name(error));
    return io;
}

void sleep_ms(uint32_t ms)
{
    const struct timespec time = {0, (long)ms * 1000000};

    (void)nanosleep(&time, NULL);
}

void *wake_later(void *io)
{
    sleep_ms(20);
    tp_io_wake(io);
    return NULL;
}
