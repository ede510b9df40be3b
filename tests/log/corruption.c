/* What is wrong with the files of a journal is refused, with file and offset, unless it can
 * be nothing but a torn tail; and that is gone for good. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/log/layout.h"

static struct world sound, world;
static struct layout layout;
static uint8_t block[TP_JOURNAL_BLOCK];

/* A log over several segments that was closed, so that a mark is its last group. */
static void set_up(void)
{
    struct workload work = world_work(1);

    work.appenders = 2;
    work.records = 20;
    world_init(&sound, NULL, 1);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert(eq(i32, world_boot(&sound, &work), 0));
    cr_assert(eq(str, sound.oracle.violation, ""));
    layout_read(&sound, 1, &layout);
    cr_assert(lt(u32, 6, layout.segment_count));
    cr_assert(lt(u32, 40, layout.group_count));
}

static void tear_down(void)
{
    world_deinit(&sound);
}

static const struct tp_journal_group *last_group(void)
{
    return &layout.groups[layout.group_count - 1];
}

static void begin(void)
{
    world_clone(&sound, &world);
}

static void boot(void)
{
    struct workload work = world_work(7);

    work.appenders = 1;
    work.records = 3;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(str, world.oracle.violation, ""));
}

/* The log is refused with that error, at that place. */
static void refused(int32_t error, uint64_t segment, uint64_t offset)
{
    char text[256], place[64];

    boot();
    cr_assert(eq(i32, world.run.end_result, error), "segment %u offset %u",
              (unsigned)segment, (unsigned)offset);
    cr_assert(not(world.run.opened));
    cr_assert(eq(u64, world.run.journal.problem.segment, segment));
    cr_assert(eq(u64, world.run.journal.problem.offset, offset));
    tp_journal_problem_print(&world.run.journal, text, sizeof text);
    cr_assert(ne(ptr, strstr(text, world_segment(segment)), NULL), "%s", text);
    (void)snprintf(place, sizeof place, "offset %u:", (unsigned)offset);
    cr_assert(ne(ptr, strstr(text, place), NULL), "%s", text);
    world_deinit(&world);
}

static void opens(void)
{
    boot();
    cr_assert(eq(i32, world.run.end_result, 0), "%s", world.run.journal.problem.what);
    world_deinit(&world);
}

static void flip(uint64_t segment, uint64_t offset, uint8_t bits)
{
    uint8_t byte;

    world_read(&world, segment, offset, &byte, 1);
    byte ^= bits;
    world_write(&world, segment, offset, &byte, 1);
}

Test(log_corruption, of_any_group_is_refused_at_its_place, .init = set_up,
     .fini = tear_down)
{
    for (uint32_t i = 0; i + 1 < layout.group_count; i++) {
        const struct tp_journal_group *group = &layout.groups[i];
        uint32_t padded = tp_journal_padded(group->len);

        for (uint32_t part = 0; part < 5; part++) {
            begin();
            flip(group->segment, group->offset + (uint64_t)(padded - 1) * part / 4,
                 (uint8_t)(1 << i % 8));
            refused(-EBADMSG, group->segment, group->offset);
        }
    }
}

Test(log_corruption, of_a_whole_group_that_became_zeros_is_refused, .init = set_up,
     .fini = tear_down)
{
    static const uint8_t zeros[3 * TP_JOURNAL_BLOCK];

    for (uint32_t i = 0; i + 1 < layout.group_count; i++) {
        const struct tp_journal_group *group = &layout.groups[i];

        begin();
        world_write(&world, group->segment, group->offset, zeros,
                    tp_journal_padded(group->len));
        boot();
        cr_assert(eq(i32, world.run.end_result, -EBADMSG), "group %u", i);
        cr_assert(eq(u64, world.run.journal.problem.segment, group->segment), "group %u",
                  i);
        cr_assert(eq(u64, world.run.journal.problem.offset, group->offset), "group %u", i);
        world_deinit(&world);
    }
}

/* The mark tells that what is before it was durable; nothing tells the same of the mark. */
Test(log_corruption, of_the_last_mark_loses_nothing, .init = set_up, .fini = tear_down)
{
    cr_assert(eq(u32, last_group()->count, 0));
    begin();
    flip(last_group()->segment, last_group()->offset + 20, 1);
    opens();
}

/* The stated limit: without a mark behind it, rot in the last group looks like a torn tail.
 */
Test(log_corruption, of_the_last_group_and_the_mark_is_taken_for_a_torn_tail,
     .init = set_up, .fini = tear_down)
{
    const struct tp_journal_group *group = &layout.groups[layout.group_count - 2];

    begin();
    flip(last_group()->segment, last_group()->offset + 20, 1);
    flip(group->segment, group->offset + 90, 1);
    world.oracle.durable = group->first_lsn - 1;
    opens();
}

Test(log_corruption, of_a_header_is_refused, .init = set_up, .fini = tear_down)
{
    for (uint64_t number = 1; number <= layout.highest; number++) {
        for (uint32_t at = 0; at < TP_JOURNAL_BLOCK; at += 409) {
            begin();
            flip(number, at, 4);
            refused(-EBADMSG, number, 0);
        }
    }
}

Test(log_corruption, an_unknown_version_is_refused, .init = set_up, .fini = tear_down)
{
    begin();
    flip(2, 16, 2);
    refused(-EPROTONOSUPPORT, 2, 0);
}

Test(log_corruption, a_missing_segment_is_refused, .init = set_up, .fini = tear_down)
{
    for (uint64_t number = 1; number < layout.highest; number++) {
        begin();
        cr_assert(eq(i32, tp_disk_remove(world.disk, world_segment(number)), 0));
        boot();
        cr_assert(eq(i32, world.run.end_result, -ENODATA), "segment %u", (unsigned)number);
        world_deinit(&world);
    }
}

Test(log_corruption, a_segment_of_another_size_is_refused, .init = set_up,
     .fini = tear_down)
{
    static const uint64_t sizes[] = {0, 1, 4095, 4096, 32767, 28672, 32769, 65536};

    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        begin();
        cr_assert(eq(i32, tp_disk_set_size(world.disk, world_segment(3), sizes[i]), 0));
        refused(-EBADMSG, 3, 0);
    }
}

Test(log_corruption, a_segment_under_a_wrong_name_is_refused, .init = set_up,
     .fini = tear_down)
{
    begin();
    for (uint64_t at = 0; at < 32768; at += TP_JOURNAL_BLOCK) {
        world_read(&world, 2, at, block, sizeof block);
        world_write(&world, 4, at, block, sizeof block);
    }
    refused(-EBADMSG, 4, 0);
}

Test(log_corruption, a_directory_in_the_place_of_a_segment_is_refused, .init = set_up,
     .fini = tear_down)
{
    begin();
    cr_assert(eq(i32, tp_disk_remove(world.disk, world_segment(2)), 0));
    cr_assert(eq(i32, tp_disk_make_dir(world.disk, world_segment(2), 0755), 0));
    boot();
    cr_assert(lt(i32, world.run.end_result, 0));
    cr_assert(eq(u64, world.run.journal.problem.segment, 2));
    world_deinit(&world);
}

Test(log_corruption, a_misplaced_group_is_not_taken, .init = set_up, .fini = tear_down)
{
    for (uint32_t i = 0; i + 2 < layout.group_count; i++) {
        const struct tp_journal_group *to = &layout.groups[i], *from = to + 1;

        begin();
        world_read(&world, from->segment, from->offset, block, sizeof block);
        world_write(&world, to->segment, to->offset, block, sizeof block);
        boot();
        cr_assert(eq(i32, world.run.end_result, -EBADMSG));
        cr_assert(eq(u64, world.run.journal.problem.offset, to->offset));
        world_deinit(&world);
    }
}

Test(log_corruption, other_files_do_not_matter, .init = set_up, .fini = tear_down)
{
    static const char *const names[] = {
        "/log/spare.tmp", "/log/0000000000000000.log", "/log/00000000000000FF.log",
        "/log/lock",      "/log/0000000000000009.lo",  "/log/00000000000000099.log"};

    begin();
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert(eq(i32, tp_disk_write_file(world.disk, names[i], "x", 1), 0));
    opens();
}

Test(log_corruption, larger_groups_than_the_buffers_are_refused)
{
    struct workload work = world_work(1);

    world_init(&world, NULL, 1);
    work.config.group_bytes = 65536;
    work.config.segment_bytes = 1 << 20;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(i32, world.run.end_result, 0));
    refused(-EFBIG, 1, 0);
}

Test(log_corruption, smaller_sizes_than_now_are_read, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    begin();
    work.config.group_bytes = 65536;
    work.config.segment_bytes = 1 << 20;
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        cr_assert(eq(str, world.oracle.violation, ""));
        cr_assert(eq(i32, world.run.end_result, 0));
    }
    world_deinit(&world);
}

/* ------------------------------------------------------------------ torn tails */

/* A log whose last boot was cut short after its last group, without a mark. */
static void set_up_torn(void)
{
    struct workload work = world_work(1);

    work.appenders = 1;
    work.records = 10;
    work.len_max = 6000;
    world_init(&sound, NULL, 1);
    cr_assert(eq(i32, world_boot(&sound, &work), 0));
    layout_read(&sound, 1, &layout);
    cr_assert(eq(u32, last_group()->count, 0));
    world_clone(&sound, &world);
    memset(block, 0, sizeof block);
    world_write(&world, last_group()->segment, last_group()->offset, block, sizeof block);
    world_deinit(&sound);
    sound = world;
    layout.group_count--;
}

/* Whatever of an unacknowledged group is on the disk: it is not taken, the rest is, and
 * what was not taken never comes back, even if all of it lands later. */
Test(log_torn_tail, is_discarded_for_good, .init = set_up_torn, .fini = tear_down)
{
    const struct tp_journal_group *group = last_group();
    uint32_t padded = tp_journal_padded(group->len);
    static uint8_t whole[2 * TP_JOURNAL_BLOCK], torn[2 * TP_JOURNAL_BLOCK];

    cr_assert(le(u32, padded, sizeof whole));
    for (uint32_t cut = 0; cut < padded; cut += 512) {
        for (uint32_t end = 0; end < 2; end++) {
            uint32_t from = end == 0 ? cut : 0, to = end == 0 ? padded : cut + 512;

            world_read(&sound, group->segment, group->offset, whole, padded);
            memcpy(torn, whole, padded);
            memset(torn + from, 0, to - from);
            if (memcmp(torn, whole, padded) == 0)
                continue; /* zeros took the place of zeros */
            begin();
            world.oracle.durable = group->first_lsn - 1;
            world_write(&world, group->segment, group->offset, torn, padded);
            boot();
            cr_assert(eq(i32, world.run.end_result, 0));
            cr_assert(eq(u64, world.run.journal.recovery.end.lsn, group->first_lsn - 1));
            world_write(&world, group->segment, group->offset, whole, padded);
            boot();
            cr_assert(eq(i32, world.run.end_result, 0));
            world_deinit(&world);
        }
    }
}

/* Once a later log names the end, rot in what is before it is no torn tail any more. */
Test(log_torn_tail, is_none_below_the_end_that_the_next_log_names, .init = set_up_torn,
     .fini = tear_down)
{
    const struct tp_journal_group *group = last_group();

    begin();
    boot();
    cr_assert(eq(i32, world.run.end_result, 0));
    flip(group->segment, group->offset + group->len - 1, 1);
    refused(-EBADMSG, group->segment, group->offset);
}

Test(log_torn_tail, is_told, .init = set_up_torn, .fini = tear_down)
{
    struct tp_journal_halt torn;

    begin();
    boot();
    cr_assert(eq(u64, tp_journal_torn(&world.run.journal).segment, 0));
    world_deinit(&world);
    begin();
    flip(last_group()->segment, last_group()->offset + 100, 1);
    world.oracle.durable = last_group()->first_lsn - 1;
    boot();
    torn = tp_journal_torn(&world.run.journal);
    cr_assert(eq(u64, torn.segment, last_group()->segment));
    cr_assert(eq(u64, torn.offset, last_group()->offset));
    world_deinit(&world);
}
