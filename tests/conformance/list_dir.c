/* Listing directories: every entry once, whatever the size of the buffer. */
#include "conformance.h"

#include <stdio.h>

enum { ENTRY_MAX = sizeof(struct tp_dir_entry) + TP_NAME_MAX + 8, MANY = 5000 };

/* Lists on until the end; returns how many entries came, or an errno. `seen`, if given,
 * counts the names "f<number>" by number. */
static int32_t list_all(struct conformance *c, struct tp_fd dir, uint32_t capacity,
                        uint8_t *seen)
{
    uint64_t memory[8192];
    struct tp_buf buf = tp_buf_empty(memory, capacity);
    int32_t value, count = 0;

    tp_assert(capacity <= sizeof memory);
    while ((value = run(c, tp_request_list_dir(dir, &buf))) > 0) {
        const struct tp_dir_entry *entry = NULL;

        if (!EXPECT_THAT(c, value <= (int32_t)capacity && value % 8 == 0))
            return -EPROTO;
        buf.len = (uint32_t)value;
        while ((entry = tp_dir_next(&buf, entry)) != NULL) {
            const char *name = tp_dir_entry_name(entry);
            uint32_t number = MANY;

            if (!EXPECT_THAT(c, entry->record_len >= sizeof *entry + entry->name_len + 1u &&
                                    entry->record_len % 8 == 0 &&
                                    strlen(name) == entry->name_len))
                return -EPROTO;
            if (seen != NULL && sscanf(name, "f%u", &number) == 1 && number < MANY)
                seen[number]++;
            count++;
        }
    }
    return value < 0 ? value : count;
}

static struct tp_fd open_dir(struct conformance *c, const char *name)
{
    return open_file(c, at(c, name), "r");
}

/* A directory "d" of `count` empty files "f<number>". */
static struct tp_fd make_dir(struct conformance *c, uint32_t count)
{
    char name[32];

    EXPECT(c, run(c, tp_request_create_dir(at(c, "d"), 0777)), 0);
    for (uint32_t i = 0; i < count; i++) {
        int32_t value;

        (void)snprintf(name, sizeof name, "d/f%u", i);
        value = run(c, tp_request_open(at(c, name), open_options("wc")));
        if (!EXPECT_THAT(c, value >= 0))
            break;
        EXPECT(c, run(c, tp_request_close(tp_io_into_fd(c->io, value))), 0);
    }
    return open_dir(c, "d");
}

static void expect_each_once(struct conformance *c, const uint8_t *seen, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!EXPECT_THAT(c, seen[i] == 1))
            return;
    }
}

static void list_dir_of_5000(struct conformance *c)
{
    static uint8_t seen[MANY];
    struct tp_fd dir = make_dir(c, MANY);

    memset(seen, 0, sizeof seen);
    EXPECT(c, list_all(c, dir, 4096, seen), MANY);
    expect_each_once(c, seen, MANY);
    close_file(c, dir);
    dir = open_dir(c, "d");
    memset(seen, 0, sizeof seen);
    EXPECT(c, list_all(c, dir, 65536, seen), MANY);
    expect_each_once(c, seen, MANY);
    close_file(c, dir);
}

static void list_dir_with_the_smallest_buffer(struct conformance *c)
{
    uint8_t seen[100] = {0};
    struct tp_fd dir = make_dir(c, 100);

    EXPECT(c, list_all(c, dir, ENTRY_MAX, seen), 100);
    expect_each_once(c, seen, 100);
    close_file(c, dir);
}

/* Buffers of changing size share one position. */
static void list_dir_with_changing_buffers(struct conformance *c)
{
    uint64_t memory[512];
    uint32_t count = 0, round = 0;
    struct tp_fd dir = make_dir(c, 300);
    int32_t value;

    do {
        struct tp_buf buf =
            tp_buf_empty(memory, round++ % 2 == 0 ? ENTRY_MAX : (uint32_t)sizeof memory);
        const struct tp_dir_entry *entry = NULL;

        value = run(c, tp_request_list_dir(dir, &buf));
        buf.len = value > 0 ? (uint32_t)value : 0;
        while ((entry = tp_dir_next(&buf, entry)) != NULL)
            count++;
    } while (value > 0);
    EXPECT(c, value, 0);
    EXPECT_THAT(c, count == 300);
    close_file(c, dir);
}

/* An entry that did not fit is not lost: a larger buffer gets it. */
static void list_dir_buffer_too_small(struct conformance *c)
{
    uint64_t memory[2];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    char name[300] = "d/";
    struct tp_fd dir;

    EXPECT(c, run(c, tp_request_create_dir(at(c, "d"), 0777)), 0);
    memset(name + 2, 'x', 255);
    name[257] = '\0';
    make_file(c, at(c, name), 1);
    dir = open_dir(c, "d");
    EXPECT(c, run(c, tp_request_list_dir(dir, &buf)), -EINVAL);
    buf = tp_buf_empty(memory, 0);
    EXPECT(c, run(c, tp_request_list_dir(dir, &buf)), -EINVAL);
    EXPECT(c, list_all(c, dir, ENTRY_MAX, NULL), 1);
    close_file(c, dir);
}

static void list_dir_ends_for_good(struct conformance *c)
{
    struct tp_fd dir = make_dir(c, 3);

    EXPECT(c, list_all(c, dir, 4096, NULL), 3);
    EXPECT(c, list_all(c, dir, 4096, NULL), 0);
    EXPECT(c, list_all(c, dir, 4096, NULL), 0);
    close_file(c, dir);
}

static void list_dir_positions_are_apart(struct conformance *c)
{
    struct tp_fd first = make_dir(c, 20), second = open_dir(c, "d");

    EXPECT(c, list_all(c, first, ENTRY_MAX, NULL), 20);
    EXPECT(c, list_all(c, second, 4096, NULL), 20);
    close_file(c, first);
    close_file(c, second);
}

static void list_dir_kinds(struct conformance *c)
{
    uint64_t memory[512];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    const struct tp_dir_entry *entry = NULL;
    uint32_t found = 0;
    struct tp_fd dir;
    int32_t value;

    make_file(c, at(c, "file"), 1);
    EXPECT(c, run(c, tp_request_create_dir(at(c, "dir"), 0777)), 0);
    EXPECT(c, run(c, tp_request_symlink(at(c, "link"), "file")), 0);
    dir = open_dir(c, ".");
    value = run(c, tp_request_list_dir(dir, &buf));
    EXPECT_THAT(c, value > 0);
    buf.len = value > 0 ? (uint32_t)value : 0;
    while ((entry = tp_dir_next(&buf, entry)) != NULL) {
        const char *name = tp_dir_entry_name(entry);
        uint32_t kind = name[0] == 'f'   ? TP_FILE_REGULAR
                        : name[0] == 'd' ? TP_FILE_DIRECTORY
                                         : TP_FILE_SYMLINK;

        EXPECT_THAT(c, entry->kind == kind || entry->kind == TP_FILE_OTHER);
        found++;
    }
    EXPECT_THAT(c, found == 3);
    close_file(c, dir);
}

static void list_dir_memory_unaligned(struct conformance *c)
{
    uint64_t memory[512];
    struct tp_buf buf = tp_buf_empty((uint8_t *)memory + 4, 2048);
    struct tp_fd dir = make_dir(c, 1);

    EXPECT(c, run(c, tp_request_list_dir(dir, &buf)), -EINVAL);
    close_file(c, dir);
}

/* What stays throughout is seen once; what comes and goes meanwhile, once or not at all. */
static void list_dir_while_it_changes(struct conformance *c)
{
    enum { COUNT = 400 };
    uint8_t seen[MANY] = {0};
    struct tp_fd dir = make_dir(c, COUNT);
    uint64_t memory[(ENTRY_MAX + 7) / 8];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    char name[32];
    int32_t value = run(c, tp_request_list_dir(dir, &buf));
    const struct tp_dir_entry *entry = NULL;

    buf.len = value > 0 ? (uint32_t)value : 0;
    while ((entry = tp_dir_next(&buf, entry)) != NULL) {
        uint32_t number;

        if (sscanf(tp_dir_entry_name(entry), "f%u", &number) == 1 && number < MANY)
            seen[number]++;
    }
    for (uint32_t i = 1; i < COUNT; i += 2) {
        (void)snprintf(name, sizeof name, "f%u", i);
        EXPECT(c, run(c, tp_request_remove_in(dir, name)), 0);
    }
    EXPECT_THAT(c, list_all(c, dir, 1024, seen) >= 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (!EXPECT_THAT(c, i % 2 == 0 ? seen[i] == 1 : seen[i] <= 1))
            break;
    }
    close_file(c, dir);
}

const struct conformance_program conformance_list_dir[] = {
    SCRIPT("list_dir_empty", "mkdir d; names d = 0"),
    SCRIPT("list_dir_one", "mkdir d; file d/a x; names d = 1 a"),
    SCRIPT("list_dir_all_kinds",
           "mkdir d; file d/a x; mkdir d/b; symlink d/c nowhere; names d = 3 a b c"),
    SCRIPT("list_dir_hidden_names",
           "mkdir d; file d/.a x; file d/... y; file d/..b z; names d = 3 ... ..b .a"),
    SCRIPT("list_dir_longest_names",
           "mkdir d; file d/x*255 1; file d/y*255 2; names d = 2 x*255 y*255"),
    SCRIPT("list_dir_after_changes",
           "mkdir d; file d/a x; file d/b y; rename d/a d/c; remove d/b; names d = 1 c; "
           "mkdir d/e; names d = 2 c e"),
    SCRIPT("list_dir_through_link", "mkdir d; file d/a x; symlink l d; names l = 1 a"),
    SCRIPT("list_dir_of_a_file", "file a x; names a = ENOTDIR"),
    SCRIPT("list_dir_missing", "names d = ENOENT"),
    SCRIPT("list_dir_is_not_recursive",
           "mkdir d; mkdir d/e; file d/e/a x; names d = 1 e; names . = 1 d"),
    PROGRAM(list_dir_of_5000),
    PROGRAM(list_dir_with_the_smallest_buffer),
    PROGRAM(list_dir_with_changing_buffers),
    PROGRAM(list_dir_buffer_too_small),
    PROGRAM(list_dir_ends_for_good),
    PROGRAM(list_dir_positions_are_apart),
    PROGRAM(list_dir_kinds),
    PROGRAM(list_dir_memory_unaligned),
    PROGRAM(list_dir_while_it_changes),
    {0},
};
