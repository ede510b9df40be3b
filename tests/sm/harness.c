#include "tests/sm/harness.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/buf_pool.h"
#include "io/fd_table.h"
#include "io/linux/linux.h"
#include "io/recv_pool.h"
#include "io/virtual/disk.h"
#include "io/virtual/virtual.h"
#include "tests/sm/harness_internal.h"

static const char *const world_names[] = {"linux", "virtual"};

void harness_fail(const struct harness *h, const char *file, int line, const char *what)
{
    const struct harness_fault *fault = &h->fault;

    (void)fprintf(
        stderr,
        "%s:%d: %s on %s: does not hold: %s\n"
        "    fail_at %d with %s (%s), short one in %u, cancel_at %d, cut_at %d, seed %d; "
        "operations begun: %d\n",
        file, line, h->name, world_names[h->world], what, (int)fault->fail_at,
        tp_errno_name(fault->fail_with), tp_kind_info[h->failed_kind].name,
        fault->short_one_in, (int)fault->cancel_at, (int)fault->cut_at, (int)fault->seed,
        (int)h->operations);
    abort();
}

/* ------------------------------------------------------------------ taking up and down */

static void complain(void *context, enum tp_log_level level, const char *message,
                     const struct tp_log_field *fields, uint32_t count)
{
    struct harness *h = context;

    if (level < TP_LOG_WARNING)
        return;
    h->complaints++;
    if (h->fired)
        return; /* it is right to complain */
    (void)fprintf(stderr, "%s: the library says: %s", h->name, message);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            (void)fprintf(stderr, " %s=%s", fields[i].name, fields[i].text);
        else
            (void)fprintf(stderr, " %s=%d", fields[i].name, (int)fields[i].number);
    }
    (void)fputc('\n', stderr);
}

static void create_linux(struct harness *h)
{
    struct tp_log log = {complain, h};
    struct tp_linux_io_config config = {.sq_entries = 64,
                                        .cq_entries = 128,
                                        .ops_max = 1024,
                                        .fds_max = 1024,
                                        .buf_count = 4,
                                        .buf_size = 8192,
                                        .workers_max = 2,
                                        .recv_buf_count = 16,
                                        .recv_buf_size = 1024,
                                        .log = &log};

    expect(h, tp_linux_io_create(&config, &h->io) == 0);
}

/* A VirtualIo on the disk, which outlives it. */
static void create_virtual(struct harness *h, uint64_t seed)
{
    struct tp_log log = {complain, h};
    struct tp_virtual_io_config config = {.seed = seed,
                                          .disk = h->disk,
                                          .ops_max = 1024,
                                          .fds_max = 1024,
                                          .buf_count = 4,
                                          .buf_size = 8192,
                                          .recv_buf_count = 16,
                                          .recv_buf_size = 1024,
                                          .log = &log};

    expect(h, tp_virtual_io_create(&config, &h->io) == 0);
}

bool harness_has_linux(void)
{
    struct tp_io *io;

    if (tp_linux_io_create(NULL, &io) != 0)
        return false;
    tp_linux_io_destroy(io);
    return true;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

/* With what is in it; a link goes, not what it names. */
static void remove_tree(struct harness *h)
{
    if (nftw(h->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        expect(h, errno == ENOENT);
}

void harness_open(struct harness *h, const char *name, enum harness_world world,
                  uint64_t seed)
{
    struct tp_scheduler_config config = {
        .ops_max = 1024, .machines_max = 256, .seed = seed + 1};

    memset(h, 0, sizeof *h);
    h->name = name;
    h->world = world;
    h->fault.seed = seed;
    h->chance = seed;
    if (world == ON_LINUX) {
        char here[128];
        expect(h, getcwd(here, sizeof here) != NULL);
        (void)umask(022); /* as VirtualIo has it */
        (void)snprintf(h->root, sizeof h->root, "%s/scratch-%d", here, (int)getpid());
        remove_tree(h);
        expect(h, mkdir(h->root, 0755) == 0);
        create_linux(h);
    } else {
        (void)snprintf(h->root, sizeof h->root, "/work");
        struct tp_disk_config disk = {.profile = (uint32_t)(seed % TP_DISK_PROFILES)};
        expect(h, tp_disk_create(&disk, &h->disk) == 0);
        expect(h, tp_disk_make_dir(h->disk, "/work", 0755) == 0);
        create_virtual(h, seed);
    }
    config.log.write = complain;
    config.log.context = h;
    harness_patch(h);
    expect(h, tp_scheduler_create_with(h->io, &config, &h->scheduler) == 0);
}

void harness_close(struct harness *h)
{
    expect(h, h->io->fds->open_count == 0);
    expect(h, h->io->bufs == NULL || h->io->bufs->taken == 0);
    expect(h, h->io->recv_bufs == NULL || h->io->recv_bufs->with_user == 0);
    expect(h, tp_io_in_flight(h->io) == 0);
    harness_unpatch(h);
    tp_scheduler_destroy(h->scheduler);
    tp_io_destroy(h->io);
    expect(h, h->complaints == 0 || h->fired);
    if (h->world == ON_LINUX)
        remove_tree(h);
    if (h->disk != NULL) {
        tp_disk_check(h->disk);
        tp_disk_destroy(h->disk);
    }
}

/* The power fails: what was running is gone, and a new Io starts on what the disk has kept.
 */
static void cut(struct harness *h)
{
    struct tp_scheduler_config config = {.ops_max = 1024, .machines_max = 256, .seed = 1};

    tp_scheduler_crash(h->scheduler);
    harness_unpatch(h);
    tp_virtual_io_power_cut(h->io);
    tp_io_destroy(h->io);
    h->complaints = 0; /* fds were open, of course */
    create_virtual(h, h->fault.seed);
    harness_patch(h);
    expect(h, tp_scheduler_create_with(h->io, &config, &h->scheduler) == 0);
}

/* ------------------------------------------------------------------ running */

void harness_finish(struct harness *h)
{
    int rc;

    h->armed = true;
    rc = tp_scheduler_run(h->scheduler);
    h->armed = false;
    if (rc != 0 && !(rc == -ESHUTDOWN && h->fault.cut_at != 0)) {
        static char census[8192];
        tp_scheduler_census(h->scheduler, census, sizeof census);
        (void)fputs(census, stderr);
        harness_fail(h, __FILE__, __LINE__, "the run ends");
    }
}

static enum harness_end end_of(const struct harness *h)
{
    if (!h->fired)
        return ENDED;
    if (h->fault.fail_at != 0)
        return FAILED;
    return h->fault.cancel_at != 0 ? CANCELLED : ENDED;
}

bool harness_run(const struct scenario *scenario, enum harness_world world,
                 struct harness_fault fault)
{
    static struct harness h; /* a machine of the scenario may hold its address */
    enum harness_end end;
    bool fired;

    harness_open(&h, scenario->name, world, fault.seed);
    if (scenario->prepare != NULL)
        scenario->prepare(&h);
    h.fault = fault;
    h.target = scenario->start(&h);
    harness_spawn_canceller(&h);
    if (fault.cut_at != 0)
        tp_virtual_io_cut_at(h.io, tp_virtual_io_events(h.io) + fault.cut_at);
    harness_finish(&h);
    end = end_of(&h);
    if (fault.cut_at != 0) { /* when the run was over before, it is cut now */
        end = CUT;
        h.fired = tp_virtual_io_is_dead(h.io);
        cut(&h);
    }
    scenario->check(&h, end, end == CUT ? 0 : h.target->result);
    if (end == ENDED || end == CANCELLED || (end == FAILED && h.failed_kind != TP_REMOVE))
        expect(&h, harness_temporaries(&h, "") == 0);
    fired = h.fired;
    harness_close(&h);
    return fired;
}

void harness_sweep_cuts(const struct scenario *scenario, struct harness_fault fault)
{
    uint64_t seeds = scenario->cut_seeds == 0 ? TP_DISK_PROFILES : scenario->cut_seeds;

    for (fault.seed = 0; fault.seed < seeds; fault.seed++) {
        fault.cut_at = 1;
        while (harness_run(scenario, ON_VIRTUAL, fault))
            fault.cut_at++;
    }
}

void harness_sweep(const struct scenario *scenario, enum harness_world world)
{
    static const int32_t errors[] = {-EIO, -ENOSPC, -EINTR};
    struct harness_fault fault = {0};
    uint64_t errors_tried = world == ON_LINUX ? 1 : sizeof errors / sizeof errors[0];
    uint64_t cancel_seeds =
        world == ON_LINUX ? 1 : 2; /* on Linux, it is time that varies */

    (void)harness_run(scenario, world, fault);
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct harness_fault shorts = {.short_one_in = 2 + (uint32_t)seed % 2,
                                       .seed = seed};
        (void)harness_run(scenario, world, shorts);
    }
    for (uint64_t i = 0; i < errors_tried; i++) {
        struct harness_fault fails = {.fail_at = 1, .fail_with = errors[i], .seed = i};
        for (; harness_run(scenario, world, fails); fails.fail_at++)
            ;
    }
    for (uint64_t seed = 0; seed < cancel_seeds; seed++) {
        struct harness_fault cancels = {.cancel_at = 1, .seed = seed};
        for (; harness_run(scenario, world, cancels); cancels.cancel_at++)
            ;
    }
    if (world != ON_VIRTUAL || scenario->no_cut)
        return;
    harness_sweep_cuts(scenario, fault);
}
