/* The same on real files: boots in a row, and a real process that is killed while it
 * appends and takes snapshots. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/linux/linux.h"
#include "tests/kv/service.h"

static char home[256], top[200];

static void set_up(void)
{
    (void)snprintf(top, sizeof top, "kv-storage-%d", (int)getpid());
    (void)snprintf(home, sizeof home, "%s/data", top);
}

/* Removes what a directory holds, and it. */
static void clear(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    char name[600];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' && entry->d_name[1] != 't')
            continue;
        if (unlink(name) != 0)
            clear(name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(path);
}

static void tear_down(void)
{
    clear(top);
}

static struct work linux_work(uint64_t seed)
{
    struct work work = {.seed = seed,
                        .path = home,
                        .records = 60,
                        .keys = 40,
                        .dbs = 3,
                        .len_max = 1000,
                        .flush_every = 100,
                        .wait_one_in = 4,
                        .pause_ns = 100000,
                        .save_every = 10};

    return work;
}

static void crash(struct tp_io *io)
{
    (void)io;
    cr_assert(false, "the scheduler failed");
}

static void boot(struct oracle *oracle, const struct work *work)
{
    static struct service service;
    struct tp_io *io;
    int error = tp_linux_io_create(NULL, &io);

    if (error < 0)
        cr_skip_test("no io_uring: %s", tp_linux_io_refusal(error));
    cr_assert(eq(i32, service_boot(&service, io, work, oracle, crash), 0));
    cr_assert(eq(str, oracle->violation, ""));
    cr_assert(eq(i32, service.result, 0), "%s", service.storage.problem);
    service_deinit(&service);
    tp_io_destroy(io);
}

Test(kv_storage_linux, gives_back_what_was_kept, .init = set_up, .fini = tear_down)
{
    struct oracle oracle;

    oracle_init(&oracle);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct work work = linux_work(seed);

        work.save_last = seed % 2 == 0;
        boot(&oracle, &work);
    }
    cr_assert(eq(u64, oracle.count, 360));
    cr_assert(lt(u64, 5, oracle.saved));
    oracle_deinit(&oracle);
}

/* ------------------------------------------------------------------ killed */

/* What the killed one has acknowledged, in memory that outlives it. */
struct shared {
    volatile uint64_t acked;
};

/* Appends until it is killed, from a seed that the parent knows. */
static void run_until_killed(struct shared *shared, struct oracle *oracle, struct work work)
{
    static struct service service;
    struct tp_io *io;

    work.records = 1000000;
    work.acked = &shared->acked;
    if (tp_linux_io_create(NULL, &io) == 0)
        (void)service_boot(&service, io, &work, oracle, crash);
    _exit(1);
}

/* Kills it some time after it has acknowledged the first record. */
static void kill_some_time(pid_t child, const struct shared *shared, uint64_t acked,
                           uint64_t *state)
{
    struct timespec moment = {0, 1000000};
    int status;

    for (uint32_t i = 0; i < 20000 && shared->acked == acked; i++)
        (void)nanosleep(&moment, NULL);
    moment.tv_nsec = (int64_t)model_draw(state, 60000000);
    (void)nanosleep(&moment, NULL);
    cr_assert(eq(int, kill(child, SIGKILL), 0));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    if (!WIFSIGNALED(status))
        cr_fatal("it ended by itself");
}

Test(kv_storage_linux, loses_nothing_when_it_is_killed, .init = set_up, .fini = tear_down,
     .timeout = 240)
{
    struct shared *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct oracle oracle;
    uint64_t state = 1;
    struct work first = linux_work(1);

    if (shared == MAP_FAILED)
        cr_fatal("no memory to share");
    oracle_init(&oracle);
    boot(&oracle, &first);
    for (uint64_t round = 2; round <= 8; round++) {
        struct work work = linux_work(round), look = linux_work(round);
        pid_t child;

        shared->acked = oracle.acked;
        child = fork();
        if (child == 0)
            run_until_killed(shared, &oracle, work);
        kill_some_time(child, shared, oracle.acked, &state);
        /* It drew the same records as a run here would, so they can be drawn again. */
        oracle_redraw(&oracle, &work, 20000);
        oracle.acked = shared->acked;
        look.records = 0;
        boot(&oracle, &look);
        cr_assert(ge(u64, oracle.count, shared->acked));
    }
    cr_assert(lt(u64, 100, oracle.count));
    oracle_deinit(&oracle);
    (void)munmap(shared, 4096);
}
