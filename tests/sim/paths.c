/* What a watcher is told an operation is about: the path that its file has at that moment,
 * while directories above it are renamed, replaced and removed, and other files take its
 * number. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "apps/sim/record.h"
#include "apps/sim/sim.h"
#include "try.h"

enum { RECORDS = 4096, FILES = 40 };

struct namer {
    struct tp_machine machine;
    struct tp_fd fd;
    struct tp_buf buf;
    uint32_t at;
    char path[160];
};

static const struct tp_open_options writing = {.write = true, .create = true};

/* Writes the next letter, by which its record is known. */
#define WRITE()                                        \
    do {                                               \
        n->buf = tp_buf_full("x", 1);                  \
        TRY(tp_write_at(cx, n->fd, &n->buf, n->at++)); \
    } while (0)

static enum tp_step namer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct namer *n = tp_container_of(machine, struct namer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TRY(tp_create_dir(cx, "/a", 0755));
    TRY(tp_create_dir(cx, "/a/b", 0755));
    TRY(tp_open(cx, "/a/b/file", writing));
    n->fd = tp_into_fd(cx, result);
    WRITE(); /* 0: /a/b/file */
    WRITE(); /* 1: the same */
    TRY(tp_rename(cx, "/a", "/c"));
    WRITE(); /* 2: /c/b/file */
    TRY(tp_rename(cx, "/c/b/file", "/short"));
    WRITE(); /* 3: /short */
    TRY(tp_remove(cx, "/short"));
    WRITE(); /* 4: none */
    TRY(tp_close(cx, n->fd));
    TRY(tp_open(cx, "/short",
                writing)); /* its number may be that of the one that is gone */
    n->fd = tp_into_fd(cx, result);
    WRITE(); /* 5: /short */
    memset(n->path, 'n', sizeof n->path);
    n->path[0] = '/';
    n->path[150] = '\0';
    TRY(tp_rename(cx, "/short", n->path));
    WRITE(); /* 6: too long for a record */
    TRY(tp_rename(cx, n->path, "/short"));
    WRITE(); /* 7: /short */
    TRY(tp_close(cx, n->fd));
    /* More files than paths are kept, in turn. */
    for (n->at = 100; n->at < 100 + 3 * FILES;) {
        (void)snprintf(n->path, sizeof n->path, "/f%u", n->at % FILES);
        TRY(tp_open(cx, n->path, writing));
        n->fd = tp_into_fd(cx, result);
        WRITE();
        TRY(tp_close(cx, n->fd));
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Booted once more for the recovery, it finds its work done. */
static enum tp_step idle_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    return tp_end(machine, 0);
}

static void boot(struct tp_node *node)
{
    struct namer *n = tp_node_new(node, sizeof *n);
    uint32_t *boots = tp_sim_state(tp_node_sim(node));

    tp_node_spawn(node, &n->machine, (*boots)++ == 0 ? namer_tick : idle_tick, "namer");
}

static const struct tp_record *write_at(const struct tp_recorder *recorder, uint64_t offset)
{
    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind == TP_FACT_OPERATION && record->op == TP_WRITE &&
            record->offset == offset)
            return record;
    }
    cr_fatal("there was no write at %llu", (unsigned long long)offset);
}

static void expect_text(const struct tp_recorder *recorder, uint64_t offset,
                        const char *expected)
{
    const char *text = write_at(recorder, offset)->text;

    cr_assert(strcmp(text, expected) == 0, "write at %llu: %s, expected %s",
              (unsigned long long)offset, text, expected);
}

Test(paths, a_moment_has_the_path_that_its_file_has_then)
{
    static const struct tp_scenario scenario = {
        .name = "namer", .boot = boot, .state_bytes = sizeof(uint32_t)};
    static const char *const expected[] = {"/a/b/file", "/a/b/file", "/c/b/file", "/short",
                                           "",          "/short",    "",          "/short"};
    static struct tp_record records[RECORDS];
    struct tp_recorder recorder;
    struct tp_sim_options options = {
        .size = sizeof options, .seed = 1, .families_off = (1U << TP_FAMILIES) - 1};
    struct tp_sim_outcome outcome;
    char path[16];

    tp_recorder_init(&recorder, records, RECORDS);
    options.watch = &recorder.watch;
    tp_sim_run(&scenario, &options, &outcome);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    cr_assert(zero(u64, recorder.dropped));
    for (uint32_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        expect_text(&recorder, i, expected[i]);
    for (uint32_t i = 100; i < 100 + 3 * FILES; i++) {
        (void)snprintf(path, sizeof path, "/f%u", i % FILES);
        expect_text(&recorder, i, path);
    }
}
