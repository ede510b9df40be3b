/* The files of a journal are a stranger's bytes. Whatever was done to them, a recovery
 * ends, and reads no byte that is not there (run under AddressSanitizer); without a forged
 * sum it gives back nothing but what was appended; and one single change never loses a
 * record silently. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/log/layout.h"

enum { SEGMENT_BYTES = 32768 };

static struct world sound, world;
static struct layout layout;
static uint64_t state;

static uint32_t draw(uint32_t bound)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(XXH3_64bits(&state, sizeof state) % bound);
}

static void set_up(void)
{
    struct workload work = world_work(1);

    work.appenders = 2;
    work.records = 12;
    state = 1;
    world_init(&sound, NULL, 1);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert(eq(i32, world_boot(&sound, &work), 0));
    cr_assert(eq(str, sound.oracle.violation, ""));
    layout_read(&sound, 1, &layout);
}

static void tear_down(void)
{
    world_deinit(&sound);
}

static uint64_t any_segment(void)
{
    return layout.lowest + draw(layout.segment_count);
}

static uint64_t any_block(void)
{
    return (uint64_t)draw(SEGMENT_BYTES / TP_JOURNAL_BLOCK) * TP_JOURNAL_BLOCK;
}

/* ------------------------------------------------------------------ changes */

/* What an earlier change has removed or cut reads as zeros, and is not written. */
static void peek(uint64_t segment, uint64_t offset, void *ret_bytes, uint32_t len)
{
    memset(ret_bytes, 0, len);
    (void)tp_disk_read_at(world.disk, world_segment(segment), offset, ret_bytes, len);
}

static void poke(uint64_t segment, uint64_t offset, const void *bytes, uint32_t len)
{
    (void)tp_disk_write_at(world.disk, world_segment(segment), offset, bytes, len);
}

static void flip_bit(void)
{
    uint64_t segment = any_segment(), offset = draw(SEGMENT_BYTES);
    uint8_t byte;

    peek(segment, offset, &byte, 1);
    byte ^= (uint8_t)(1 << draw(8));
    poke(segment, offset, &byte, 1);
}

static void scribble(void)
{
    uint8_t bytes[600];
    uint64_t segment = any_segment(), offset = draw(SEGMENT_BYTES - sizeof bytes);
    uint32_t len = 1 + draw(sizeof bytes - 1);

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)draw(256);
    poke(segment, offset, bytes, len);
}

static void fill_block(void)
{
    uint8_t block[TP_JOURNAL_BLOCK];

    memset(block, draw(2) == 0 ? 0 : 0xff, sizeof block);
    poke(any_segment(), any_block(), block, sizeof block);
}

static void copy_block(void)
{
    uint8_t block[TP_JOURNAL_BLOCK];

    peek(any_segment(), any_block(), block, sizeof block);
    poke(any_segment(), any_block(), block, sizeof block);
}

static void resize(void)
{
    (void)tp_disk_set_size(world.disk, world_segment(any_segment()),
                           draw(2) == 0 ? draw(2 * SEGMENT_BYTES) : any_block());
}

static void remove_segment(void)
{
    (void)tp_disk_remove(world.disk, world_segment(any_segment()));
}

/* Sets some bytes of a header to what they should not be, and makes the sum right again:
 * only the checks of the values are left to notice. */
static void forge(void)
{
    static uint8_t bytes[SEGMENT_BYTES];
    static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff};
    uint64_t segment = any_segment(), offset = any_block(), sum;
    uint32_t len = TP_JOURNAL_BLOCK, at = 16 + draw(90);

    peek(segment, 0, bytes, sizeof bytes);
    for (uint32_t i = 1 + draw(8); i > 0 && at < 120; i--)
        bytes[offset + at++] = values[draw(sizeof values)];
    if (offset != 0)
        len = tp_journal_padded((uint32_t)bytes[offset + 20] | (uint32_t)bytes[offset + 21]
                                                                   << 8);
    if (len < TP_JOURNAL_BLOCK || offset + len > sizeof bytes)
        len = TP_JOURNAL_BLOCK;
    sum = XXH3_64bits(bytes + offset + 8, len - 8);
    memcpy(bytes + offset, &sum, sizeof sum);
    poke(segment, offset, bytes + offset, TP_JOURNAL_BLOCK);
}

/* ------------------------------------------------------------------ tests */

typedef void change_fn(void);

static change_fn *const changes[] = {flip_bit, scribble, fill_block, copy_block,
                                     resize,   scribble, flip_bit,   remove_segment};

enum { CHANGES = sizeof changes / sizeof changes[0] };

static void boot(void)
{
    struct workload work = world_work(3);

    work.appenders = 0;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
}

/* The record that is last in the log, and was told to be durable, may be lost with the last
 * segment, whose absence nothing tells. */
Test(log_mutations, one_change_is_noticed_or_does_no_harm, .init = set_up,
     .fini = tear_down)
{
    uint32_t refused = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        change_fn *change = changes[draw(CHANGES - 1)];

        world_clone(&sound, &world);
        change();
        boot();
        cr_assert(eq(str, world.oracle.violation, ""), "change %u", i);
        refused += world.run.end_result < 0 ? 1 : 0;
        if (world.run.end_result == -EIO)
            cr_assert(lt(u64, 0, world.run.journal.problem.segment));
        world_deinit(&world);
    }
    cr_assert(lt(u32, 100, refused));
    cr_assert(lt(u32, refused, 950));
}

Test(log_mutations, many_changes_never_invent_a_record, .init = set_up, .fini = tear_down)
{
    for (uint32_t i = 0; i < 1500; i++) {
        world_clone(&sound, &world);
        world.oracle.durable = 0; /* with the mark destroyed, a tail may look torn */
        for (uint32_t n = 2 + draw(6); n > 0; n--)
            changes[draw(CHANGES)]();
        boot();
        cr_assert(eq(str, world.oracle.violation, ""), "round %u", i);
        world_deinit(&world);
    }
}

Test(log_mutations, forged_sums_do_not_lead_astray, .init = set_up, .fini = tear_down)
{
    uint32_t opened = 0;

    for (uint32_t i = 0; i < 2000; i++) {
        world_clone(&sound, &world);
        for (uint32_t n = 1 + draw(3); n > 0; n--)
            forge();
        if (draw(4) == 0)
            changes[draw(CHANGES)]();
        boot();
        opened += world.run.end_result == 0 ? 1 : 0;
        world_deinit(&world);
    }
    cr_assert(lt(u32, 0, opened));
}
