/** tests/virtual/profiles.c - the table "rule x profile" of docs/simulation.md holds: what
 * it says may happen is seen to happen, and what it says may not never is. */
#include "fixture.h"

#include <stdio.h>

enum { PAGE = 4096, SECTOR = 512, ALWAYS = 1000000, SEEDS = 40 };

static struct fixture f;

static void start(uint32_t profile, uint64_t seed)
{
    f_free(&f);
    f.disk_config.profile = profile;
    f.disk_config.writeback_off = true;
    f_boot(&f, seed);
}

static void set_faults(struct tp_virtual_faults faults)
{
    tp_virtual_io_set_faults(f.io, &faults);
}

/* Whether one of many power cuts leaves what `is_seen` looks for. */
static bool some_cut(bool (*is_seen)(const struct tp_disk *disk))
{
    bool seen = false;

    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS && !seen; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        seen = is_seen(disk);
        tp_disk_destroy(disk);
    }
    return seen;
}

/* ------------------------------------------------------------------ R2 to R4 */

static bool is_old(const struct tp_disk *disk)
{
    return f_letter(disk, "/f", 0, PAGE) == 'A';
}

static bool loses_buffered(uint32_t profile)
{
    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', PAGE);
    return some_cut(is_old);
}

static bool loses_direct(uint32_t profile)
{
    struct tp_open_options options = F_RW;

    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    options.direct = true;
    cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", options), 'B', PAGE, 0), PAGE));
    return some_cut(is_old);
}

static bool is_torn(const struct tp_disk *disk)
{
    for (uint32_t at = 0; at < PAGE; at += SECTOR) {
        char letter = f_letter(disk, "/f", at, SECTOR);

        if (letter != 'A' && letter != 'B')
            return true;
    }
    return false;
}

static bool tears_sectors(uint32_t profile)
{
    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', PAGE);
    return some_cut(is_torn);
}

static bool has_size_alone(const struct tp_disk *disk)
{
    return f_size(disk, "/f") == 2 * PAGE && f_letter(disk, "/f", PAGE, PAGE) == 0;
}

static bool is_empty(const struct tp_disk *disk)
{
    return f_size(disk, "/f") == 0;
}

static bool empties_rewritten(uint32_t profile)
{
    struct tp_fd fd;

    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 0)), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
    return some_cut(is_empty);
}

static bool keeps_size_alone(uint32_t profile)
{
    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', 2 * PAGE);
    return some_cut(has_size_alone);
}

/* ------------------------------------------------------------------ R5 */

static bool has_second_alone(const struct tp_disk *disk)
{
    return f_exists(disk, "/second") && !f_exists(disk, "/first");
}

static bool reorders_names(uint32_t profile)
{
    start(profile, 1);
    f_put(&f, "/first", 'A', 1);
    f_put(&f, "/second", 'A', 1);
    return some_cut(has_second_alone);
}

static bool lacks_synced(const struct tp_disk *disk)
{
    return !f_exists(disk, "/synced");
}

static bool lacks_other(const struct tp_disk *disk)
{
    return !f_exists(disk, "/other");
}

static void sync_one_of_two(uint32_t profile)
{
    struct tp_fd fd;

    start(profile, 1);
    f_put(&f, "/other", 'A', 1);
    fd = f_open(&f, "/synced", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
}

static bool loses_name_of_synced(uint32_t profile)
{
    sync_one_of_two(profile);
    return some_cut(lacks_synced);
}

static bool loses_name_before_synced(uint32_t profile)
{
    sync_one_of_two(profile);
    return some_cut(lacks_other);
}

/* The file's last change is durable already; what came later is none of its sync's. */
static bool loses_name_after_change(uint32_t profile)
{
    struct tp_fd synced, another;

    start(profile, 1);
    synced = f_open(&f, "/synced", F_RW);
    another = f_open(&f, "/another", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(another, 0)), 0));
    f_put(&f, "/other", 'A', 1);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(synced, 0)), 0));
    return some_cut(lacks_other);
}

/* Writes in place, so long after the file's last change and each other, are synced; before
 * them /other was made. */
static bool loses_name_before_overwrite(uint32_t profile, int64_t later_ns, uint32_t writes)
{
    struct tp_fd fd;

    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    f_put(&f, "/other", 'A', 1);
    for (uint32_t i = 0; i < writes; i++) {
        tp_virtual_io_step_wall(f.io, later_ns);
        cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 0), PAGE));
    }
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    return some_cut(lacks_other);
}

/* No clock of files' times need have ticked meanwhile: nothing of the file has changed but
 * data. */
static bool loses_name_before_overwrite_at_once(uint32_t profile)
{
    return loses_name_before_overwrite(profile, 8000000, 1);
}

static bool loses_name_before_overwrite_later(uint32_t profile)
{
    return loses_name_before_overwrite(profile, 10000000, 1);
}

/* Of so many one upon the other some has changed the file. */
static bool loses_name_before_many_overwrites(uint32_t profile)
{
    return loses_name_before_overwrite(profile, 8000000, 4);
}

/* A sync of a file that was replaced meanwhile: if the power cut undoes the replacing,
 * btrfs has the file as it was before the sync. */
static bool loses_synced_without_name(uint32_t profile)
{
    struct tp_fd fd;

    start(profile, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    fd = f_open(&f, "/f", F_RW);
    f_put(&f, "/g", 'C', PAGE);
    cr_assert(eq(i32, f_do(&f, tp_request_rename("/g", "/f")), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    return some_cut(is_old);
}

static bool has_both_names(const struct tp_disk *disk)
{
    return f_exists(disk, "/x/f") && f_exists(disk, "/y/f");
}

static bool keeps_both_names(uint32_t profile)
{
    start(profile, 1);
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/x", 0755)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/y", 0755)), 0));
    f_put_durable(&f, "/x/f", 'A', 1);
    cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/x")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_rename("/x/f", "/y/f")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/y")), 0));
    return some_cut(has_both_names);
}

static bool is_gone(const struct tp_disk *disk)
{
    return !f_exists(disk, "/f");
}

static bool loses_replaced(uint32_t profile)
{
    start(profile, 1);
    f_put_durable(&f, "/f", 'A', 1);
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/x", 0755)), 0));
    f_put(&f, "/x/g", 'B', 1);
    cr_assert(eq(i32, f_do(&f, tp_request_rename("/x/g", "/f")), 0));
    return some_cut(is_gone);
}

/* ------------------------------------------------------------------ R7 to R9 */

static bool reverts_at_once(uint32_t profile)
{
    bool seen = false;

    for (uint64_t seed = 0; seed < SEEDS && !seen; seed++) {
        struct tp_fd fd;

        start(profile, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(f_do(&f, tp_request_fsync(fd, 0)) < 0);
        seen = f_letter(f.disk, "/f", 0, PAGE) == 'A';
    }
    return seen;
}

/* A request of this kind on a file, after the journal has failed; whether one of many seeds
 * has this result. */
static bool after_journal(uint32_t profile, uint16_t kind, int32_t wanted)
{
    static uint8_t memory[PAGE];
    bool seen = false;

    for (uint64_t seed = 0; seed < SEEDS && !seen; seed++) {
        struct tp_buf buf = tp_buf_empty(memory, PAGE);
        struct tp_fd fd;

        start(profile, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        fd = f_open(&f, "/f", F_RW);
        set_faults((struct tp_virtual_faults){.journal_ppm = ALWAYS});
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), -EIO));
        if (kind == TP_READ)
            seen = f_do(&f, tp_request_read_at(fd, &buf, 0)) == wanted;
        else if (kind == TP_WRITE)
            seen = f_write(&f, fd, 'B', 1, 0) == wanted;
        else
            seen = f_do(&f, tp_request_fsync(fd, 0)) == wanted;
    }
    return seen;
}

static bool refuses_writes(uint32_t profile)
{
    return after_journal(profile, TP_WRITE, -EROFS);
}

static bool syncs_in_vain(uint32_t profile)
{
    return after_journal(profile, TP_FSYNC, 0);
}

static bool refuses_reads(uint32_t profile)
{
    return after_journal(profile, TP_READ, -EIO);
}

static bool closes_with_enospc(uint32_t profile)
{
    bool seen = false;

    for (uint64_t seed = 0; seed < SEEDS && !seen; seed++) {
        struct tp_fd fd;

        start(profile, seed);
        fd = f_open(&f, "/f", F_RW);
        set_faults((struct tp_virtual_faults){.close_error_ppm = ALWAYS});
        seen = f_do(&f, tp_request_close(fd)) == -ENOSPC;
    }
    return seen;
}

static bool loses_cache_alone(uint32_t profile)
{
    bool seen = false;

    for (uint64_t seed = 0; seed < SEEDS && !seen; seed++) {
        struct tp_open_options options = F_RW;

        start(profile, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        options.direct = true;
        cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", options), 'B', PAGE, 0), PAGE));
        (void)tp_disk_lose_cache(f.disk, f.tape, 0);
        seen = f_letter(f.disk, "/f", 0, PAGE) == 'A';
    }
    return seen;
}

/* ------------------------------------------------------------------ the table */

static const struct row {
    const char *text; /* as in the first column of the page */
    bool (*happens)(uint32_t profile);
} rows[] = {
    {"R2: a buffered write without a sync is lost", loses_buffered},
    {"R2: a direct write without a sync is lost", loses_direct},
    {"R3: a sector is shorn, garbage or zeros", tears_sectors},
    {"R4: an append keeps its size without its data", keeps_size_alone},
    {"R4: a file emptied and written anew is empty", empties_rewritten},
    {"R5: a name survives, an earlier one does not", reorders_names},
    {"R5: a synced file loses its new name", loses_name_of_synced},
    {"R5: a name older than a synced file's is lost", loses_name_before_synced},
    {"R5: a name newer than a synced file's change is lost", loses_name_after_change},
    {"R5: a name older than a synced write in place is lost",
     loses_name_before_overwrite_at_once},
    {"R5: the same, 10 ms after the file's last change", loses_name_before_overwrite_later},
    {"R5: the same, of writes 8 ms apart, for 20 ms", loses_name_before_many_overwrites},
    {"R5: data synced in a file without a name are lost", loses_synced_without_name},
    {"R5: a synced new name has the old one beside it", keeps_both_names},
    {"R5: a synced name is gone, and the rename over it too", loses_replaced},
    {"R7: memory has the old at once after a failed sync", reverts_at_once},
    {"R7b: after a failed journal a write gives EROFS", refuses_writes},
    {"R7b: after a failed journal a sync gives 0", syncs_in_vain},
    {"R7b: after a failed journal a read gives EIO", refuses_reads},
    {"R8: close gives ENOSPC", closes_with_enospc},
    {"bus reset: an acknowledged direct write is lost", loses_cache_alone},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(profiles, .fini = tear_down);

/* Cuts the next cell off a row of a table, without the blanks around it. */
static char *next_cell(char **rest)
{
    char *cell = *rest + strspn(*rest, " |");
    char *end = strchr(cell, '|');

    if (end == NULL)
        return NULL;
    *rest = end + 1;
    while (end > cell && end[-1] == ' ')
        end--;
    *end = '\0';
    return cell;
}

/* The table's row for `text`, in `line`; false if the page has none. */
static bool find_row(FILE *page, const char *text, char *line, size_t size, char **ret_rest)
{
    rewind(page);
    while (fgets(line, (int)size, page) != NULL) {
        *ret_rest = line;
        if (line[0] == '|' && strcmp(next_cell(ret_rest), text) == 0)
            return true;
    }
    return false;
}

Test(profiles, each_allows_what_the_page_says_and_nothing_else)
{
    FILE *page = fopen(TP_SIMULATION_PAGE, "r");
    char line[512];
    char *rest;

    cr_assert(page != NULL, "%s", TP_SIMULATION_PAGE);
    cr_assert(find_row(page, "may it happen?", line, sizeof line, &rest));
    for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
        char quoted[64];

        (void)snprintf(quoted, sizeof quoted, "`%s`", tp_disk_profile_name(profile));
        cr_assert(eq(str, next_cell(&rest), quoted));
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        cr_assert(find_row(page, rows[row].text, line, sizeof line, &rest), "%s",
                  rows[row].text);
        for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
            const char *says = next_cell(&rest);
            bool happens = rows[row].happens(profile);

            cr_assert(says != NULL &&
                      (strcmp(says, "yes") == 0 || strcmp(says, "no") == 0));
            cr_assert(happens == (strcmp(says, "yes") == 0), "%s: %s says %s",
                      rows[row].text, tp_disk_profile_name(profile), says);
        }
    }
    (void)fclose(page);
}

/* No row of the page is without a test. */
Test(profiles, every_row_of_the_page_is_tested)
{
    FILE *page = fopen(TP_SIMULATION_PAGE, "r");
    char line[512];
    char *rest;
    uint32_t found = 0;

    cr_assert(page != NULL && find_row(page, "may it happen?", line, sizeof line, &rest));
    while (fgets(line, sizeof line, page) != NULL && line[0] == '|')
        found++;
    cr_assert(eq(u32, found, ROWS + 1)); /* and the line below the head */
    (void)fclose(page);
}
