/* The same journal on real files: in the build directory, and where there is one, on tmpfs.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/linux/linux.h"
#include "tests/log/workload.h"

static struct oracle *oracle;
static struct run run;
static char directory[4096];
static struct tp_io *io;

static void open_io(void)
{
    /* Registered buffers of just the size of a group. */
    struct tp_linux_io_config config = {.size = sizeof config, .buf_size = 16384};
    int error = tp_linux_io_create(&config, &io);

    if (error < 0)
        cr_skip_test("%s", tp_linux_io_refusal(error));
}

static void make_directory(const char *template)
{
    (void)snprintf(directory, sizeof directory, "%s", template);
    cr_assert(ne(ptr, mkdtemp(directory), NULL));
    oracle = mmap(NULL, sizeof *oracle, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    cr_assert(ne(ptr, oracle, MAP_FAILED));
    oracle_reset(oracle);
}

static void set_up(void)
{
    char here[2048], template[4096];

    cr_assert(ne(ptr, getcwd(here, sizeof here), NULL));
    (void)snprintf(template, sizeof template, "%s/log-XXXXXX", here);
    open_io();
    make_directory(template);
}

static void tear_down(void)
{
    char command[sizeof directory + 16];

    tp_io_destroy(io);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    cr_assert(eq(int, system(command), 0));
    cr_assert(eq(int, munmap(oracle, sizeof *oracle), 0));
}

static struct workload small_work(uint64_t seed)
{
    struct workload work = {.config = {.group_bytes = 16384,
                                       .segment_bytes = 65536,
                                       .path = directory,
                                       .idle_mark_ns = 1000000},
                            .seed = seed,
                            .appenders = 4,
                            .records = 20,
                            .len_max = 3000};

    return work;
}

static void boot(const struct workload *work)
{
    cr_assert(eq(i32, run_boot(&run, io, work, oracle, NULL), 0));
    cr_assert(eq(str, oracle->violation, ""));
    cr_assert(eq(i32, run.end_result, 0), "%s", run.journal.problem.what);
    cr_assert(eq(i32, run.append_error, 0));
}

static void serve(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct workload work = small_work(seed);

        work.reserve = seed % 2 == 0;
        work.trim_every = seed == 4 ? 30 : 0;
        boot(&work);
        cr_assert(eq(u64, oracle->appended, seed * 80));
        cr_assert(lt(u64, 1, run.journal.stats.segments));
    }
}

Test(log_linux, gives_back_what_was_appended, .init = set_up, .fini = tear_down)
{
    serve();
}

Test(log_linux, works_without_direct_io, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct workload work = small_work(seed);

        work.config.buffered = 1;
        boot(&work);
        cr_assert(not(run.journal.direct));
    }
}

Test(log_linux, works_on_tmpfs, .fini = tear_down)
{
    if (access("/dev/shm", W_OK) != 0)
        cr_skip_test("no /dev/shm");
    open_io();
    make_directory("/dev/shm/tempest-log-XXXXXX");
    serve();
}

Test(log_linux, serves_64_machines_with_groups_larger_than_registered_buffers,
     .init = set_up, .fini = tear_down)
{
    struct workload work = small_work(1);

    work.appenders = 64;
    work.len_max = 200;
    work.config.group_bytes = 32768;
    work.config.segment_bytes = 1 << 20;
    boot(&work);
    cr_assert(lt(u64, run.journal.stats.groups, 64 * 20 / 2));
    boot(&work);
}

Test(log_linux, cancel_at_any_point_loses_nothing, .init = set_up, .fini = tear_down)
{
    bool finished = false;

    for (uint32_t iterations = 0; iterations < 200 && !finished; iterations += 4) {
        struct workload work = small_work(iterations);

        work.records = 2;
        cr_assert(
            eq(i32, run_boot_cancelled(&run, io, &work, oracle, iterations, &finished), 0));
        cr_assert(eq(str, oracle->violation, ""), "after %u iterations", iterations);
        cr_assert(run.ended);
        work.records = 1;
        boot(&work);
    }
}

/* A process that appends until it is killed. The oracle is in shared memory. */
static void append_for_ever(void)
{
    static struct run victim;
    struct workload work = small_work((uint64_t)getpid());
    struct tp_io *own;

    work.records = 1000000;
    work.trim_every = 50;
    work.len_max = 500;
    work.idle_ns = 500000;
    if (tp_linux_io_create(NULL, &own) == 0)
        (void)run_boot(&victim, own, &work, oracle, NULL);
    _exit(1);
}

Test(log_linux, a_killed_process_loses_nothing, .init = set_up, .fini = tear_down,
     .timeout = 120)
{
    struct workload work = small_work(1);

    work.records = 1;
    for (uint32_t round = 0; round < 15; round++) {
        uint64_t appended = oracle->appended;
        pid_t child = fork();
        int status;

        cr_assert(ge(int, child, 0));
        if (child == 0)
            append_for_ever();
        /* Killed while it opens the log, or once it has appended, however slow the machine.
         */
        for (uint32_t ms = 0; ms < 60000 && round % 2 == 0; ms++) {
            if (oracle->appended > appended)
                break;
            (void)usleep(1000);
        }
        (void)usleep(round * 3000);
        cr_assert(eq(int, kill(child, SIGKILL), 0));
        cr_assert(eq(int, waitpid(child, &status, 0), child));
        cr_assert(eq(str, oracle->violation, ""), "in the child, round %u", round);
        cr_assert(eq(int, WIFSIGNALED(status) ? 1 : 0, 1), "the child failed by itself");
        if (round % 2 == 0)
            cr_assert(lt(u64, appended, oracle->appended), "nothing happened in a minute");
        boot(&work);
        cr_assert(ge(u64, oracle->appended, appended));
    }
}
