#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/linux/linux.h"
#include "tests/log/workload.h"

static struct oracle oracle;
static struct run run;
static char directory[4096];
static struct tp_io *io;

static void set_up(void)
{
    char name[] = "log-XXXXXX";
    int error = tp_linux_io_create(NULL, &io);

    if (error < 0)
        cr_skip_test("%s", tp_linux_io_refusal(error));
    cr_assert(ne(ptr, mkdtemp(name), NULL));
    cr_assert(ne(ptr, realpath(name, directory), NULL));
    oracle_reset(&oracle);
}

static void tear_down(void)
{
    char command[sizeof directory + 16];

    tp_io_destroy(io);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    cr_assert(eq(int, system(command), 0));
}

static struct workload small_work(void)
{
    struct workload work = {.config = {.group_bytes = 16384,
                                       .segment_bytes = 65536,
                                       .path = directory,
                                       .idle_mark_ns = TP_NEVER},
                            .seed = 1,
                            .appenders = 4,
                            .records = 20,
                            .len_max = 3000};

    return work;
}

static void boot(struct workload work)
{
    cr_assert(eq(i32, run_boot(&run, io, &work, &oracle, NULL), 0));
    cr_assert(eq(str, oracle.violation, ""));
    cr_assert(eq(i32, run.end_result, 0));
    cr_assert(eq(i32, run.append_error, 0));
}

Test(log_linux, gives_back_what_was_appended, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct workload work = small_work();

        work.seed = seed;
        boot(work);
        cr_assert(eq(u64, oracle.appended, seed * 80));
    }
}
