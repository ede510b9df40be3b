/* The power goes, or the process dies, at any event: what was acknowledged comes back, and
 * nothing else ever does. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/log/world.h"

static struct world world, recovered;

static void check(struct world *w, uint64_t seed, uint64_t event, uint64_t event_after)
{
    cr_assert(eq(str, w->oracle.violation, ""),
              "seed %llu, cut at event %llu, then at event %llu of the recovery",
              (unsigned long long)seed, (unsigned long long)event,
              (unsigned long long)event_after);
}

/* A boot to the end: it opens, all that must be there is, and it serves. What it has seen
 * is there after a power cut, too. */
static void boot_whole(struct world *w, uint64_t seed, uint64_t event, uint64_t event_after)
{
    struct workload work = world_work(seed + 500);

    work.records = 2;
    cr_assert(eq(i32, world_boot(w, &work), 0));
    check(w, seed, event, event_after);
    cr_assert(eq(i32, w->run.end_result, 0),
              "seed %llu, cut at event %llu, then at event %llu: %s",
              (unsigned long long)seed, (unsigned long long)event,
              (unsigned long long)event_after, w->run.journal.problem.what);
    world_power_cut(w);
}

/* Cuts a boot that recovers at every `step`-th event of it. */
static void sweep_recovery(uint64_t seed, uint64_t event, uint64_t step)
{
    struct workload work = world_work(seed + 200);

    work.records = 1;
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

/* Cuts a run at every `step`-th event, and each recovery at every `recovery_step`-th (0:
 * not). */
static void sweep(uint64_t seed, const struct tp_disk_config *config, enum world_end end,
                  uint64_t step, uint64_t recovery_step)
{
    struct workload work = world_work(seed);

    work.reserve = seed % 3 == 0;
    work.config.gather = seed % 5 < 2;
    work.batch = (uint32_t)(seed % 4);
    work.trim_every = seed % 2 == 0 ? 5 : 0;
    for (uint64_t event = 1 + seed % step;; event += step) {
        int32_t result;

        world_init(&world, config, seed);
        world.end = end;
        if (seed % 2 == 1) /* half of them with a log that is there already */
            cr_assert(eq(i32, world_boot(&world, &work), 0));
        world.cut_at = event;
        world.seed += event * 104729; /* other survivors for every cut */
        result = world_boot(&world, &work);
        check(&world, seed, event, 0);
        if (recovery_step != 0)
            sweep_recovery(seed, event, recovery_step);
        boot_whole(&world, seed, event, 0);
        boot_whole(&world, seed, event, 0);
        world_deinit(&world);
        if (result == 0)
            break;
        cr_assert(eq(i32, result, -ESHUTDOWN));
    }
}

/* A log that is only looked at, whatever state it is in, gives what it holds, takes
 * nothing, and is left as it was. */
Test(log_crash, a_look_at_what_a_power_cut_left_changes_nothing)
{
    for (uint64_t event = 1;; event += 3) {
        struct workload work = world_work(event), look = world_work(event);
        uint64_t before;
        int32_t result;

        world_init(&world, NULL, event);
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        world.cut_at = event;
        result = world_boot(&world, &work);
        check(&world, event, event, 0);
        world_clone(&world, &recovered);
        before = tp_disk_hash(recovered.disk);
        look.config.read_only = 1;
        cr_assert(eq(i32, world_boot(&recovered, &look), 0));
        check(&recovered, event, event, 0);
        cr_assert(eq(i32, recovered.run.end_result, 0));
        cr_assert(eq(i32, recovered.run.append_error, -EROFS));
        cr_assert(eq(u64, tp_disk_hash(recovered.disk), before));
        cr_assert(eq(u64, recovered.run.replayed, tp_journal_lsn(&recovered.run.journal)));
        world_deinit(&recovered);
        boot_whole(&world, event, event, 0);
        world_deinit(&world);
        if (result == 0)
            break;
    }
}

Test(log_crash, power_cut_at_any_event_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        sweep(seed, NULL, WORLD_POWER_CUT, 1, 0);
}

Test(log_crash, power_cut_at_any_event_loses_nothing_on_any_profile)
{
    for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
        struct tp_disk_config config = {
            .size = sizeof config, .profile = profile, .writeback_one_in = 4};

        for (uint64_t seed = 1; seed <= 2; seed++)
            sweep(seed + 10 * profile, &config, WORLD_POWER_CUT, 3, 0);
    }
}

Test(log_crash, power_cut_at_any_event_of_the_recovery_too_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 2; seed++)
        sweep(seed, NULL, WORLD_POWER_CUT, 7, 5);
}

Test(log_crash, kill_at_any_event_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        sweep(seed, NULL, WORLD_KILL, 1, 0);
}

Test(log_crash, kill_at_any_event_of_the_recovery_too_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 2; seed++)
        sweep(seed, NULL, WORLD_KILL, 7, 5);
}

/* Cuts the last boot of a log, at whose end many segments go at once. */
static void sweep_trim(uint64_t seed)
{
    struct workload work = world_work(seed);
    struct tp_disk_config config = {.size = sizeof config, .writeback_off = true};
    uint64_t events;

    work.appenders = 1;
    work.records = 40;
    work.trim_every = 5;
    work.trim_late = true;
    work.idle_ns = 20000000;
    world_init(&world, &config, seed);
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(lt(u64, 4, world.run.journal.stats.segments_trimmed));
    events = world.events;
    world_deinit(&world);
    for (uint64_t event = events - 150; event < events; event++) {
        world_init(&world, &config, seed);
        world.cut_at = event;
        cr_assert(eq(i32, world_boot(&world, &work), -ESHUTDOWN));
        boot_whole(&world, seed, event, 0);
        world_deinit(&world);
    }
}

Test(log_crash, power_cut_at_any_event_of_a_trim_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        sweep_trim(seed);
}

/* A life of many boots, each of which ends by a cut, a kill or well, as the seed has it. */
Test(log_crash, many_in_a_row_lose_nothing)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        world_init(&world, NULL, seed);
        for (uint64_t boot = 0; boot < 12; boot++) {
            struct workload work = world_work(seed * 100 + boot);
            uint64_t choice = (seed * 12 + boot) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

            work.trim_every = seed % 2 == 0 ? 6 : 0;
            world.cut_at = choice % 4 == 0 ? 0 : 1 + (choice >> 2) % 400;
            world.end = (choice >> 16) % 2 == 0 ? WORLD_POWER_CUT : WORLD_KILL;
            world.seed = seed * 1000 + boot;
            (void)world_boot(&world, &work);
            check(&world, seed, boot, 0);
        }
        boot_whole(&world, seed, 0, 0);
        world_deinit(&world);
    }
}
