/* tests/sim/shadow.c - what is read is held against what was written. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/shadow.h"

enum { NODE = 1, LEN = 8 };

static const uint8_t zeros[LEN], olds[LEN] = "old old", news[LEN] = "new new";

static void put(struct tp_shadow *shadow, const char *path, uint64_t offset,
                const uint8_t *bytes, uint32_t writer)
{
    const struct tp_shadow_part part = {
        .node = NODE, .len = LEN, .path = path, .offset = offset};

    tp_shadow_write(shadow, &part, bytes, writer == 7 ? olds : zeros, writer);
}

static struct tp_shadow *make(void)
{
    struct tp_shadow *shadow = calloc(1, tp_shadow_size_bytes());

    cr_assert_not_null(shadow);
    put(shadow, "/a", 100, news, 7);
    return shadow;
}

static struct tp_shadow_found look_at(const struct tp_shadow *shadow, const char *path,
                                      uint32_t node, uint64_t offset, const uint8_t *bytes)
{
    const struct tp_shadow_part part = {
        .node = node, .len = LEN, .path = path, .offset = offset};
    struct tp_shadow_found found = {.differs = 0};

    tp_shadow_compare(shadow, &part, bytes, &found);
    return found;
}

static struct tp_shadow_found look(const struct tp_shadow *shadow, const char *path,
                                   const uint8_t *bytes)
{
    return look_at(shadow, path, NODE, 100, bytes);
}

Test(shadow, says_what_is_there_instead)
{
    static const struct {
        const uint8_t *bytes;
        enum tp_shadow_way way;
        uint32_t differs;
    } cases[] = {{zeros, TP_SHADOW_ZERO, 7},
                 {olds, TP_SHADOW_BEFORE, 6},
                 {NULL, TP_SHADOW_MISSING, LEN},
                 {(const uint8_t *)"nEw new", TP_SHADOW_OTHER, 1}};
    struct tp_shadow *shadow = make();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tp_shadow_found found = look(shadow, "/a", cases[i].bytes);

        cr_assert(eq(u32, found.differs, cases[i].differs));
        cr_assert(eq(u32, found.writer, 7));
        cr_assert(eq(int, (int)tp_shadow_way(&found), (int)cases[i].way));
    }
    cr_assert(eq(u64, look(shadow, "/a", (const uint8_t *)"nEw new").at, 101));
    free(shadow);
}

Test(shadow, says_nothing_of_what_is_as_written_or_nobodys)
{
    struct tp_shadow *shadow = make();
    struct tp_shadow_found found = look(shadow, "/a", news);

    cr_assert(eq(u32, found.differs, 0));
    cr_assert(eq(u32, found.latest, 7));
    cr_assert(zero(u32, look(shadow, "/b", zeros).differs));
    cr_assert(zero(u32, look_at(shadow, "/a", NODE + 1, 100, zeros).differs));
    cr_assert(zero(u32, look_at(shadow, "/a", NODE, 200, zeros).differs));
    cr_assert(zero(u32, look_at(shadow, "/a", NODE, 100 + 4096, zeros).differs));
    free(shadow);
}

Test(shadow, the_first_write_in_the_file_counts)
{
    struct tp_shadow *shadow = make();
    struct tp_shadow_found found;

    put(shadow, "/a", 104, (const uint8_t *)"and more", 9);
    found = look(shadow, "/a", zeros);
    cr_assert(eq(u32, found.writer, 7));
    cr_assert(eq(u32, found.differs, 4));
    cr_assert(eq(u32, found.latest, 9));
    free(shadow);
}

Test(shadow, follows_sizes_and_names)
{
    struct tp_shadow *shadow = make();
    struct tp_shadow_found found;

    tp_shadow_cut(shadow, NODE, "/a", 103);
    cr_assert(eq(u32, look(shadow, "/a", zeros).differs, 3));
    put(shadow, "/b", 100, olds, 8);
    tp_shadow_rename(shadow, NODE, "/b", "/a");
    cr_assert(zero(u32, look(shadow, "/b", zeros).latest));
    found = look(shadow, "/a", (const uint8_t *)"new\0\0\0\0");
    cr_assert(eq(u32, found.writer, 8), "what had the name is what was there before");
    tp_shadow_remove(shadow, NODE, "/a");
    cr_assert(zero(u32, look(shadow, "/a", zeros).differs));
    put(shadow, "/dir/c", 100, news, 9);
    tp_shadow_remove(shadow, NODE, "/di");
    cr_assert(eq(u32, look(shadow, "/dir/c", zeros).writer, 9));
    tp_shadow_rename(shadow, NODE, "/dir", "/other");
    cr_assert(zero(u32, look(shadow, "/dir/c", zeros).differs));
    free(shadow);
}

Test(shadow, forgets_all_that_a_node_has)
{
    struct tp_shadow *shadow = make();
    const struct tp_shadow_part others = {
        .node = NODE + 1, .len = LEN, .path = "/a", .offset = 100};

    put(shadow, "/dir/c", 100, news, 9);
    tp_shadow_write(shadow, &others, news, zeros, 10);
    tp_shadow_remove_all(shadow, NODE);
    cr_assert(zero(u32, look(shadow, "/a", zeros).differs));
    cr_assert(zero(u32, look(shadow, "/dir/c", zeros).differs));
    cr_assert(eq(u32, look_at(shadow, "/a", NODE + 1, 100, zeros).writer, 10));
    free(shadow);
}

Test(shadow, forgets_the_writers_before_one)
{
    struct tp_shadow *shadow = make();

    put(shadow, "/a", 104, olds, 9);
    tp_shadow_forget(shadow, NODE, "/a", 9);
    cr_assert(eq(u32, look(shadow, "/a", zeros).writer, 9));
    cr_assert(eq(u32, look(shadow, "/a", zeros).differs, 4));
    tp_shadow_forget(shadow, NODE, "/a", 10);
    cr_assert(zero(u32, look(shadow, "/a", zeros).differs));
    free(shadow);
}

/* "" is what a path comes to that is too long. */
Test(shadow, forgets_a_file_whose_new_name_is_not_kept)
{
    struct tp_shadow *shadow = make();

    tp_shadow_remove(shadow, NODE, "");
    cr_assert(eq(u32, look(shadow, "/a", zeros).writer, 7));
    tp_shadow_rename(shadow, NODE, "/a", "");
    put(shadow, "/other", 5000, news, 8);
    cr_assert(zero(u32, look(shadow, "/other", zeros).differs), "these are of the other");
    free(shadow);
}

Test(shadow, forgets_what_there_is_no_room_for)
{
    struct tp_shadow *shadow = make();
    char path[128] = "/";

    for (uint64_t page = 1; page < 1000; page++)
        put(shadow, "/a", page * 4096, news, 7);
    cr_assert(zero(u32, look_at(shadow, "/a", NODE, UINT64_C(999) * 4096, zeros).differs));
    memset(path + 1, 'x', sizeof path - 2);
    put(shadow, path, 100, news, 7);
    cr_assert(zero(u32, look(shadow, path, zeros).differs));
    cr_assert(eq(u32, look(shadow, "/a", zeros).differs, 7));
    free(shadow);
}
