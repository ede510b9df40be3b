/** tests/virtual/media.c - R9: what the media do to data that were acknowledged, and the
 * device's cache that is lost alone. */
#include "fixture.h"

enum { PAGE = 4096, PAGES = 8, SECTOR = 512, ALWAYS = 1000000, SEEDS = 40 };

static struct fixture f;
static uint8_t before[PAGES * PAGE], after[PAGES * PAGE];

static void set_up(void)
{
    f.disk_config.writeback_off = true;
}

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(media, .init = set_up, .fini = tear_down);

static void set_faults(struct tp_virtual_faults faults)
{
    tp_virtual_io_set_faults(f.io, &faults);
}

static const struct tp_virtual_faults none;

/* A durable file of which every sector is unlike any other, and in `before` what it holds.
 */
static struct tp_fd start(uint64_t seed)
{
    f_free(&f);
    f_boot(&f, seed);
    for (uint32_t i = 0; i < sizeof before; i++)
        before[i] = (uint8_t)(i / SECTOR * 3 + i % 7);
    cr_assert(eq(i32, tp_disk_write_file(f.disk, "/f", before, sizeof before), 0));
    return f_open(&f, "/f", F_RW);
}

/* What a program reads, into `after`. */
static int32_t read_all(struct tp_fd fd)
{
    struct tp_buf buf = tp_buf_empty(after, sizeof after);

    return f_do(&f, tp_request_read_at(fd, &buf, 0));
}

/* Differing bits between the two, and where the first is. */
static uint32_t bits_off(uint32_t *ret_at)
{
    uint32_t bits = 0;

    for (uint32_t i = sizeof before; i-- > 0;) {
        uint8_t off = before[i] ^ after[i];

        bits += (uint32_t)__builtin_popcount(off);
        if (off != 0)
            *ret_at = i;
    }
    return bits;
}

/* Ends the Io, cuts the power and boots again on the same disk. */
static struct tp_fd reboot(uint64_t seed)
{
    struct tp_tape *tape;

    f_halt(&f);
    cr_assert(eq(int, tp_tape_from_seed(seed, false, NULL, &tape), 0));
    tp_disk_power_cut(f.disk, tape, 0);
    tp_disk_check(f.disk);
    tp_tape_destroy(tape);
    f_boot(&f, seed);
    return f_open(&f, "/f", F_RW);
}

/* Sectors that differ between the two, as a mask of the file's. */
static uint64_t sectors_off(void)
{
    uint64_t off = 0;

    for (size_t sector = 0; sector < sizeof before / SECTOR; sector++) {
        if (memcmp(before + sector * SECTOR, after + sector * SECTOR, SECTOR) != 0)
            off |= UINT64_C(1) << sector;
    }
    return off;
}

/* ------------------------------------------------------------------ read faults */

Test(media, one_bit_flips_and_stays_flipped)
{
    uint32_t first_page = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);
        uint32_t at = 0, again = 0;

        set_faults((struct tp_virtual_faults){.bit_flip_ppm = ALWAYS});
        cr_assert(eq(i32, read_all(fd), sizeof after));
        set_faults(none);
        cr_assert(eq(u32, bits_off(&at), 1));
        cr_assert(eq(i32, read_all(fd), sizeof after)); /* read again: the same */
        cr_assert(eq(u32, bits_off(&again), 1));
        cr_assert(eq(u32, again, at));
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(u32, bits_off(&again), 1));
        cr_assert(eq(u32, again, at));
        first_page += at < PAGE;
    }
    cr_assert(first_page > 0 && first_page < SEEDS / 2, "%u", first_page);
}

/* Reads fail on it, also after a reboot, until it is rewritten; all else can be read. */
Test(media, a_sector_is_unreadable_until_it_is_rewritten)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);
        uint64_t bad = UINT64_MAX;
        struct tp_buf buf;

        set_faults((struct tp_virtual_faults){.unreadable_ppm = ALWAYS});
        (void)read_all(fd);
        cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_UNREADABLE), 1));
        set_faults(none);
        for (uint32_t round = 0; round < 2; round++) {
            for (uint64_t page = 0; page < PAGES; page++) {
                int32_t value;

                buf = tp_buf_empty(after, PAGE);
                value = f_do(&f, tp_request_read_at(fd, &buf, page * PAGE));
                cr_assert(value == PAGE || value == -EIO);
                cr_assert(value == PAGE || bad == UINT64_MAX || bad == page);
                bad = value == -EIO ? page : bad;
            }
            cr_assert(ne(u64, bad, UINT64_MAX));
            fd = round == 0 ? reboot(seed) : fd;
        }
        cr_assert(eq(i32, read_all(fd), bad == 0 ? -EIO : (int32_t)bad * PAGE));
        cr_assert(
            eq(i32, f_write(&f, fd, 'B', 10, bad * PAGE + 5), -EIO)); /* reads first */
        cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, bad * PAGE + 5)), -EIO));
        cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, bad * PAGE), PAGE));
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
    }
}

/* Rewritten, and not synced: after a power cut it has the new content, or is as unreadable
 * as it was. */
Test(media, a_rewritten_sector_can_be_read_if_the_new_content_survived)
{
    uint32_t kept = 0, lost = 0;

    for (uint64_t seed = 0; seed < 3 * SEEDS; seed++) {
        struct tp_buf buf = tp_buf_empty(after, PAGE);
        struct tp_fd fd = start(seed);
        int32_t value;

        set_faults((struct tp_virtual_faults){.unreadable_ppm = ALWAYS});
        cr_assert(eq(i32, f_do(&f, tp_request_read_at(fd, &buf, 0)), -EIO));
        set_faults(none);
        cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
        fd = reboot(seed);
        buf = tp_buf_empty(after, PAGE);
        value = f_do(&f, tp_request_read_at(fd, &buf, 0));
        cr_assert(value == PAGE || value == -EIO);
        kept += value == PAGE && after[0] == 'B' && after[PAGE - 1] == 'B';
        lost += value == -EIO;
    }
    cr_assert(kept > 10 && lost > 10, "%u and %u", kept, lost);
}

/* Past the page cache only the sectors themselves are lost. */
Test(media, direct_reads_lose_the_bad_sectors_alone)
{
    uint32_t most = 0, least = UINT32_MAX;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_open_options options = F_RW;
        struct tp_fd fd = start(seed);
        uint32_t bad = 0;

        set_faults((struct tp_virtual_faults){.unreadable_ppm = ALWAYS});
        (void)read_all(fd);
        set_faults(none);
        options.direct = true;
        fd = f_open(&f, "/f", options);
        for (uint64_t at = 0; at < sizeof before; at += SECTOR) {
            _Alignas(SECTOR) uint8_t sector[SECTOR];
            struct tp_buf buf = tp_buf_empty(sector, SECTOR);
            int32_t value = f_do(&f, tp_request_read_at(fd, &buf, at));

            cr_assert(value == -EIO || memcmp(sector, before + at, SECTOR) == 0);
            bad += value == -EIO;
        }
        most = bad > most ? bad : most;
        least = bad < least ? bad : least;
    }
    cr_assert(eq(u32, least, 1));
    cr_assert(eq(u32, most, 8));
}

/* The wrong page is read, again and again; the media are whole. */
Test(media, a_misdirected_read_shows_another_page_until_it_is_evicted)
{
    uint32_t fired = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);
        uint64_t off;

        set_faults((struct tp_virtual_faults){.misread_ppm = ALWAYS});
        cr_assert(eq(i32, read_all(fd), sizeof after));
        set_faults(none);
        off = sectors_off();
        fired += off != 0;
        cr_assert(
            eq(int, off != 0, tp_virtual_io_faults_fired(f.io, TP_FAULT_MISREAD) == 1));
        if (off != 0) { /* eight sectors in a row, which are another page's */
            size_t page = (size_t)__builtin_ctzll(off) / 8;
            bool found = false;

            cr_assert(eq(u64, off, UINT64_C(0xff) << (8 * page)));
            for (size_t other = 0; other < PAGES; other++)
                found =
                    found || memcmp(after + page * PAGE, before + other * PAGE, PAGE) == 0;
            cr_assert(found);
        }
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(u64, sectors_off(), off));
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(u64, sectors_off(), 0));
    }
    cr_assert(fired > SEEDS / 2);
}

/* ------------------------------------------------------------------ write faults */

/* Writes pages 2 and 3 anew and syncs them, under one of the write faults. */
static struct tp_fd rewrite(uint64_t seed, struct tp_virtual_faults faults)
{
    struct tp_fd fd = start(seed);

    memset(before + 2 * PAGE, 'N', 2 * PAGE); /* what the program may expect */
    cr_assert(eq(i32, f_write(&f, fd, 'N', 2 * PAGE, 2 * PAGE), 2 * PAGE));
    set_faults(faults);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    set_faults(none);
    cr_assert(eq(i32, read_all(fd), sizeof after)); /* memory does not know */
    return fd;
}

Test(media, a_write_is_acknowledged_and_lost)
{
    uint64_t seen = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd =
            rewrite(seed, (struct tp_virtual_faults){.lost_write_ppm = ALWAYS});
        uint64_t off;

        cr_assert(eq(u64, sectors_off(), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0)); /* and never told */
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        off = sectors_off();
        cr_assert(off == UINT64_C(0xff) << 16 || off == UINT64_C(0xff) << 24);
        seen |= off;
    }
    cr_assert(eq(u64, seen, UINT64_C(0xffff) << 16));
}

Test(media, one_sector_of_a_write_stays_stale)
{
    uint64_t seen = 0;

    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
        struct tp_fd fd = rewrite(seed, (struct tp_virtual_faults){.stale_ppm = ALWAYS});
        uint64_t off;

        cr_assert(eq(u64, sectors_off(), 0));
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        off = sectors_off();
        cr_assert(off != 0 && (off & (off - 1)) == 0);
        seen |= off;
    }
    cr_assert(eq(u64, seen, UINT64_C(0xffff) << 16));
}

/* It lands on another page, which was durable, and its own place keeps the old. */
Test(media, a_misdirected_write_hurts_two_places)
{
    uint32_t fired = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = rewrite(seed, (struct tp_virtual_faults){.miswrite_ppm = ALWAYS});
        uint64_t off;

        if (tp_virtual_io_faults_fired(f.io, TP_FAULT_MISWRITE) == 0) {
            cr_assert(eq(u64, sectors_off(), 0));
            continue;
        }
        fired++;
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        off = sectors_off();
        cr_assert(eq(int, __builtin_popcountll(off), 16));
        cr_assert(ne(u64, off & (UINT64_C(0xffff) << 16), 0));
        cr_assert(ne(u64, off & ~(UINT64_C(0xffff) << 16), 0));
        for (size_t page = 0; page < PAGES; page++) {
            if (page / 2 != 1 && ((off >> (8 * page)) & 1) != 0)
                cr_assert(eq(u8, after[page * PAGE], 'N'));
        }
    }
    cr_assert(fired > SEEDS / 4, "%u", fired);
}

/* ------------------------------------------------------------------ another file */

/* A durable neighbour of the file above, all of one letter, that the swarm may hit. */
static struct tp_fd start_with_neighbour(uint64_t seed)
{
    struct tp_fd fd = start(seed);

    f_put_durable(&f, "/g", 'G', 2 * PAGE);
    return fd;
}

static uint32_t neighbour_off(void)
{
    return (f_letter(f.disk, "/g", 0, PAGE) != 'G') +
           (f_letter(f.disk, "/g", PAGE, PAGE) != 'G');
}

/* What is read is another file's; neither of the two is hurt on the media. */
Test(media, a_misdirected_read_shows_a_page_of_another_file)
{
    uint32_t foreign = 0, own = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start_with_neighbour(seed);
        uint64_t off;

        set_faults((struct tp_virtual_faults){.misread_ppm = ALWAYS});
        cr_assert(eq(i32, read_all(fd), sizeof after));
        set_faults(none);
        off = sectors_off();
        if (off != 0) {
            size_t page = (size_t)__builtin_ctzll(off) / 8;
            bool is_foreign = after[page * PAGE] == 'G' && after[page * PAGE + 1] == 'G';

            foreign += is_foreign;
            own += !is_foreign;
        }
        cr_assert(eq(u32, neighbour_off(), 0));
        fd = reboot(seed);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(u64, sectors_off(), 0));
    }
    cr_assert(foreign > SEEDS / 4 && own > SEEDS / 8, "%u and %u", foreign, own);
}

/* The page lands on another file's, whose reader sees it at once and after the reboot. */
Test(media, a_misdirected_write_hurts_another_file)
{
    uint32_t foreign = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start_with_neighbour(seed);
        uint64_t off;

        memset(before, 'N', PAGE);
        cr_assert(eq(i32, f_write(&f, fd, 'N', PAGE, 0), PAGE));
        set_faults((struct tp_virtual_faults){.miswrite_ppm = ALWAYS});
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
        set_faults(none);
        if (neighbour_off() == 0)
            continue;
        foreign++;
        cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_MISWRITE), 1));
        fd = reboot(seed);
        cr_assert(eq(u32, neighbour_off(), 1));
        cr_assert(f_letter(f.disk, "/g", 0, PAGE) == 'N' ||
                  f_letter(f.disk, "/g", PAGE, PAGE) == 'N');
        cr_assert(eq(i32, read_all(fd), sizeof after));
        off = sectors_off();
        cr_assert(eq(u64, off, 0xff)); /* its own place keeps the old */
    }
    cr_assert(foreign > SEEDS / 4, "%u", foreign);
}

/* A page that lands in the middle of a last page is cut there, as long as the file is. */
Test(media, a_misdirected_write_does_not_show_past_the_end_of_its_victim)
{
    uint32_t foreign = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);

        f_put_durable(&f, "/g", 'G', 100);
        cr_assert(eq(i32, f_write(&f, fd, 'N', PAGE, 0), PAGE));
        set_faults((struct tp_virtual_faults){.miswrite_ppm = ALWAYS});
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
        set_faults(none);
        tp_disk_check(f.disk);
        foreign += f_letter(f.disk, "/g", 0, 100) == 'N';
        cr_assert(eq(u64, f_size(f.disk, "/g"), 100));
        (void)reboot(seed);
        cr_assert(eq(i32, tp_disk_set_size(f.disk, "/g", 200), 0));
        cr_assert(eq(chr, f_letter(f.disk, "/g", 100, 100), 0));
    }
    cr_assert(foreign > SEEDS / 4, "%u", foreign);
}

/* ------------------------------------------------------------------ the budget */

static bool spares_the_second_half(void *context, uint32_t node, const char *path,
                                   uint64_t offset, uint64_t len_bytes)
{
    uint32_t *calls = context;

    (*calls)++;
    cr_assert(eq(u32, node, 0));
    cr_assert(eq(str, (char *)(uintptr_t)path, "/d/f"));
    return offset + len_bytes <= PAGES / 2 * PAGE;
}

Test(media, the_program_says_what_may_be_damaged)
{
    const uint64_t second_half = ~(UINT64_MAX >> (sizeof before / SECTOR / 2));
    uint32_t calls = 0, hurt = 0;

    f.config.may_fault = spares_the_second_half;
    f.config.may_fault_context = &calls;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);

        cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/d", 0755)), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_rename("/f", "/d/f")), 0));
        set_faults(
            (struct tp_virtual_faults){.bit_flip_ppm = 400000, .misread_ppm = 600000});
        cr_assert(eq(i32, read_all(fd), sizeof after));
        hurt += sectors_off() != 0;
        cr_assert(eq(u64, sectors_off() & second_half, 0));
    }
    cr_assert(calls >= SEEDS / 2 && hurt > 5 && hurt < SEEDS, "%u of %u", hurt, calls);
}

/* May be damaged: the file itself, but no other. */
static bool spares_the_neighbour(void *context, uint32_t node, const char *path,
                                 uint64_t offset, uint64_t len_bytes)
{
    uint32_t *asked = context;

    (void)node;
    (void)offset;
    (void)len_bytes;
    *asked += strcmp(path, "/g") == 0;
    return strcmp(path, "/f") == 0;
}

/* A misdirected write asks about the file that it lands on, too. */
Test(media, a_file_that_is_spared_is_not_hit_by_a_write_to_another)
{
    uint32_t asked = 0;
    uint64_t fired = 0;

    f.config.may_fault = spares_the_neighbour;
    f.config.may_fault_context = &asked;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start_with_neighbour(seed);

        cr_assert(eq(i32, f_write(&f, fd, 'N', 2 * PAGE, 0), 2 * PAGE));
        set_faults((struct tp_virtual_faults){.miswrite_ppm = ALWAYS});
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
        fired += tp_virtual_io_faults_fired(f.io, TP_FAULT_MISWRITE);
        (void)reboot(seed);
        cr_assert(eq(u32, neighbour_off(), 0));
    }
    cr_assert(asked > SEEDS / 4 && fired > SEEDS / 8, "%u, %llu", asked,
              (unsigned long long)fired);
}

static bool knows_no_name(void *context, uint32_t node, const char *path, uint64_t offset,
                          uint64_t len_bytes)
{
    (void)node;
    (void)offset;
    (void)len_bytes;
    *(bool *)context = path[0] == '\0';
    return false;
}

Test(media, a_file_that_was_removed_is_asked_about_without_a_name)
{
    bool is_nameless = false;
    struct tp_fd fd;

    f.config.may_fault = knows_no_name;
    f.config.may_fault_context = &is_nameless;
    fd = start(1);
    cr_assert(eq(i32, f_do(&f, tp_request_remove("/f")), 0));
    set_faults((struct tp_virtual_faults){.bit_flip_ppm = ALWAYS});
    cr_assert(eq(i32, read_all(fd), sizeof after));
    cr_assert(is_nameless);
    cr_assert(eq(u64, sectors_off(), 0));
    cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_BIT_FLIP), 0));
}

/* ------------------------------------------------------------------ the device alone */

/* Direct writes that were acknowledged are gone with the device's cache, one by one, while
 * the program runs on; a later sync says 0. With a cache that survives, nothing is. */
Test(media, a_reset_of_the_bus_loses_what_only_the_device_had)
{
    static const uint32_t profiles[] = {TP_DISK_PARANOID, TP_DISK_DIRECT, TP_DISK_NVME_PLP};

    for (uint32_t i = 0; i < 3; i++) {
        uint32_t gone = 0, kept = 0;

        f.disk_config.profile = profiles[i];
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct tp_open_options options = F_RW;
            struct tp_fd fd = start(seed);
            uint64_t fired;

            options.direct = profiles[i] != TP_DISK_DIRECT; /* there all are */
            fd = f_open(&f, "/f", options);
            cr_assert(eq(i32, f_write(&f, fd, 'N', PAGE, PAGE), PAGE));
            set_faults((struct tp_virtual_faults){.cache_loss_ppm = ALWAYS});
            cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
            set_faults(none);
            fired = tp_virtual_io_faults_fired(f.io, TP_FAULT_CACHE_LOSS);
            fd = f_open(&f, "/f", F_RW);
            cr_assert(eq(i32, read_all(fd), sizeof after));
            cr_assert(eq(int, after[PAGE] == 'N', fired == 0));
            fd = reboot(seed);
            cr_assert(eq(i32, read_all(fd), sizeof after));
            cr_assert(eq(int, after[PAGE] == 'N', fired == 0));
            gone += fired != 0;
            kept += fired == 0;
        }
        cr_assert(kept > 0);
        cr_assert(eq(int, gone > 0, profiles[i] != TP_DISK_NVME_PLP));
    }
}

/* What went through the page cache, memory still has: only an eviction or a cut shows it.
 */
Test(media, memory_survives_a_reset_of_the_bus)
{
    uint32_t lost = 0;

    f.disk_config.writeback_off = false;
    f.disk_config.writeback_one_in = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_fd fd = start(seed);

        cr_assert(
            eq(i32, f_write(&f, fd, 'N', PAGE, PAGE), PAGE)); /* and down to the device */
        lost += tp_disk_lose_cache(f.disk, f.tape, 0);
        cr_assert(eq(i32, read_all(fd), sizeof after));
        cr_assert(eq(u8, after[PAGE], 'N'));
        tp_disk_check(f.disk);
    }
    cr_assert(lost > 5 && lost < SEEDS, "%u", lost);
}
