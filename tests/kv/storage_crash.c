/* The power goes, or the process dies, at any event, while records are appended and
 * snapshots taken: what was acknowledged comes back, and nothing else ever does. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/kv/world.h"

static struct world world, recovered;

static void check(struct world *w, uint64_t seed, uint64_t event, uint64_t event_after)
{
    cr_assert(eq(str, w->oracle.violation, ""),
              "seed %llu, cut at event %llu, then at event %llu of the recovery",
              (unsigned long long)seed, (unsigned long long)event,
              (unsigned long long)event_after);
}

/* A boot to its end: all that must be there is, and it serves. */
static void boot_whole(struct world *w, uint64_t seed, uint64_t event, uint64_t event_after)
{
    struct work work = world_work(seed + 500);

    work.records = 2;
    cr_assert(eq(i32, world_boot(w, &work), 0));
    check(w, seed, event, event_after);
    cr_assert(eq(i32, w->service.result, 0),
              "seed %llu, cut at event %llu, then at event %llu: %s",
              (unsigned long long)seed, (unsigned long long)event,
              (unsigned long long)event_after, w->service.storage.problem);
    world_power_cut(w);
}

/* Cuts a boot that recovers at every `step`-th event of it. */
static void sweep_recovery(uint64_t seed, uint64_t event, uint64_t step)
{
    struct work work = world_work(seed + 200);

    work.records = 2;
    work.save_every = 1;
    for (uint64_t after = 1 + event % step;; after += step) {
        int32_t result;

        world_clone(&world, &recovered);
        recovered.cut_at = after;
        recovered.seed += after * 7919;
        result = world_boot(&recovered, &work);
        check(&recovered, seed, event, after);
        boot_whole(&recovered, seed, event, after);
        boot_whole(&recovered, seed, event, after);
        world_deinit(&recovered);
        if (result == 0)
            break;
    }
}

struct sweep {
    const struct tp_disk_config *config;
    enum world_end end;
    uint64_t step, recovery_step; /* 0: recoveries are not cut */
};

static void sweep(uint64_t seed, const struct sweep *how)
{
    struct work work = world_work(seed);
    uint64_t saves = 0, overlapped = 0;

    work.save_every = 3 + (uint32_t)(seed % 5);
    work.save_last = seed % 2 == 0;
    for (uint64_t event = 1 + seed % how->step;; event += how->step) {
        int32_t result;

        world_init(&world, how->config, seed);
        world.end = how->end;
        if (seed % 2 == 1) /* half of them with something there already */
            cr_assert(eq(i32, world_boot(&world, &work), 0));
        world.cut_at = event;
        world.seed += event * 104729; /* other survivors for every cut */
        result = world_boot(&world, &work);
        check(&world, seed, event, 0);
        saves = world.service.storage.saves.done;
        overlapped += world.service.overlapped;
        if (how->recovery_step != 0)
            sweep_recovery(seed, event, how->recovery_step);
        boot_whole(&world, seed, event, 0);
        boot_whole(&world, seed, event, 0);
        world_deinit(&world);
        if (result == 0)
            break;
        cr_assert(eq(i32, result, -ESHUTDOWN));
    }
    cr_assert(ge(u64, saves, 1), "there were snapshots to be cut");
    cr_assert(ge(u64, overlapped, 1), "records were appended while they were written");
}

Test(kv_storage_crash, power_cut_at_any_event_loses_nothing, .timeout = 600)
{
    const struct sweep how = {NULL, WORLD_POWER_CUT, 3, 0};

    for (uint64_t seed = 1; seed <= 12; seed++)
        sweep(seed, &how);
}

Test(kv_storage_crash, kill_at_any_event_loses_nothing, .timeout = 600)
{
    const struct sweep how = {NULL, WORLD_KILL, 3, 0};

    for (uint64_t seed = 21; seed <= 26; seed++)
        sweep(seed, &how);
}

Test(kv_storage_crash, power_cut_in_a_recovery_loses_nothing, .timeout = 600)
{
    const struct sweep how = {NULL, WORLD_POWER_CUT, 41, 9};

    for (uint64_t seed = 41; seed <= 44; seed++)
        sweep(seed, &how);
}

Test(kv_storage_crash, no_disk_loses_anything, .timeout = 600)
{
    for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
        const struct tp_disk_config config = {
            .size = sizeof config, .profile = profile, .writeback_one_in = 4};
        const struct sweep how = {&config, WORLD_POWER_CUT, 7, 0};

        for (uint64_t seed = 61; seed <= 62; seed++)
            sweep(seed + UINT64_C(10) * profile, &how);
    }
}

/* To look at what a power cut has left changes nothing, and finds what a start would. */
Test(kv_storage_crash, a_look_changes_nothing)
{
    for (uint64_t event = 1;; event += 11) {
        struct work work = world_work(event), look = world_work(event);
        uint64_t before;
        int32_t result;

        world_init(&world, NULL, event);
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        world.cut_at = event;
        result = world_boot(&world, &work);
        check(&world, event, event, 0);
        world_clone(&world, &recovered);
        before = tp_disk_hash(recovered.disk);
        look.read_only = true;
        cr_assert(eq(i32, world_boot(&recovered, &look), 0));
        check(&recovered, event, event, 0);
        cr_assert(eq(i32, recovered.service.result, 0), "%s",
                  recovered.service.storage.problem);
        cr_assert(eq(u64, tp_disk_hash(recovered.disk), before));
        world_deinit(&recovered);
        boot_whole(&world, event, event, 0);
        world_deinit(&world);
        if (result == 0)
            break;
    }
}

/* The same seed is the same run, crashes included. */
Test(kv_storage_crash, repeats_by_its_seed)
{
    uint64_t traces[2];

    for (uint32_t round = 0; round < 2; round++) {
        struct work work = world_work(7);

        world_init(&world, NULL, 7);
        world.cut_at = 300;
        (void)world_boot(&world, &work);
        (void)world_boot(&world, &work);
        check(&world, 7, 300, 0);
        traces[round] = world.trace;
        world_deinit(&world);
    }
    cr_assert(eq(u64, traces[0], traces[1]));
}
