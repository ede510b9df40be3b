#include "differential.h"

#include <stdio.h>
#include <sys/stat.h>

#include "io/linux/linux.h"
#include "io/virtual/virtual.h"
#include "io/wrap.h"

#define PATIENCE_NS UINT64_C(60000000000)
enum { FLIGHT_MAX = 64, FILES_MAX = 512, PATH_BYTES = 256, LEVELS_MAX = 24, BLOCK = 4096 };

/* ------------------------------------------------------------------ the two sides */

static struct side *side_create(const char *backend, struct tp_io *io)
{
    struct side *side = tp_alloc(NULL, sizeof *side, 64);

    tp_assert(side != NULL);
    side->c.io = io;
    side->c.backend = backend;
    side->c.program = "differential";
    side->c.patience_ns = PATIENCE_NS;
    return side;
}

static void side_destroy(struct side *side)
{
    if (side == NULL)
        return;
    tp_io_destroy(side->c.io);
    tp_free(NULL, side, sizeof *side, 64);
}

/* The lie of the self-test, always the same: whoever removes a directory as if it were a
 * file hears EPERM. */
static void lie(struct tp_io *io)
{
    for (uint32_t i = 0; i < io->completions.count; i++) {
        if (io->completions.items[i].value == -EISDIR)
            io->completions.items[i].value = -EPERM;
    }
}

static void wrong_poll(struct tp_io *io)
{
    tp_io_wrap_poll(io);
    lie(io);
}

static void wrong_park(struct tp_io *io, uint64_t deadline_ns)
{
    tp_io_wrap_park(io, deadline_ns);
    lie(io);
}

static void wrong_free(struct tp_io_wrap *wrap)
{
    tp_free(NULL, wrap, sizeof *wrap, 64);
}

static struct tp_io *wrong_create(struct tp_io *inner)
{
    static const struct tp_io_backend backend = {
        "wrong",           tp_io_wrap_submit,      wrong_poll,
        wrong_park,        tp_io_wrap_unsubmitted, tp_io_wrap_pollable,
        tp_io_wrap_wake,   tp_io_wrap_clock,       tp_io_wrap_random,
        tp_io_wrap_destroy};
    struct tp_io_wrap *wrap = tp_alloc(NULL, sizeof *wrap, 64);

    tp_assert(wrap != NULL && tp_io_wrap_init(wrap, &backend, inner) == 0);
    wrap->free_memory = wrong_free;
    return &wrap->io;
}

/* A world of its own for every run: nothing of the one before is left in it. */
static struct side *virtual_create(const struct pair *pair, uint64_t seed)
{
    struct tp_virtual_io_config config = {
        .size = sizeof config,
        .seed = seed,
        .ops_max = FLIGHT_MAX,
        .completions_max = FLIGHT_MAX,
        .fds_max = FILES_MAX,
        .buf_count = 1,
    };
    struct tp_io *io;

    tp_assert(tp_virtual_io_create(&config, &io) == 0);
    return side_create("virtual", pair->wrong ? wrong_create(io) : io);
}

bool pair_init(struct pair *pair, const char *root, bool wrong)
{
    struct tp_linux_io_config config = {
        .size = sizeof config, .ops_max = FLIGHT_MAX, .fds_max = FILES_MAX, .buf_count = 1};
    static const struct pair empty;
    struct tp_io *io;
    int error;

    (void)umask(022); /* as the virtual disk has it */
    *pair = empty;
    pair->root = root;
    pair->wrong = wrong;
    error = tp_linux_io_create(&config, &io);
    if (error < 0) {
        pair->refusal = tp_linux_io_refusal(error);
        return false;
    }
    pair->linux_side = side_create("linux", io);
    return true;
}

void pair_deinit(struct pair *pair)
{
    side_destroy(pair->linux_side);
}

/* ------------------------------------------------------------------ one step */

/* What the kernel may choose between: two names for "not empty"; and whether reading
 * nothing from a directory is an error (it is to pread(2), not to io_uring). */
static int32_t canonical(const struct step *step, int32_t value)
{
    if (value == -EEXIST && strncmp(step->words[0], "rename", 6) == 0)
        return -ENOTEMPTY;
    if (value == -EISDIR && strcmp(step->words[0], "read") == 0 &&
        strcmp(step->words[3], "0") == 0)
        return 0;
    return value;
}

static bool is_same(const struct step *step, const struct outcome *a,
                    const struct outcome *b)
{
    if (a->value != b->value)
        return canonical(step, a->value) == canonical(step, b->value);
    return strcmp(a->seen, b->seen) == 0;
}

static void describe(const struct outcome *outcome, char *ret_text, size_t size_bytes)
{
    if (outcome->value < 0 && outcome->value != NOTHING_CAME)
        (void)snprintf(ret_text, size_bytes, "%s", tp_errno_name(outcome->value));
    else if (outcome->value == NOTHING_CAME)
        (void)snprintf(ret_text, size_bytes, "nothing");
    else if (outcome->seen[0] == '\0' || strlen(outcome->seen) > 200)
        (void)snprintf(ret_text, size_bytes, "%d", outcome->value);
    else
        (void)snprintf(ret_text, size_bytes, "%d %s", outcome->value, outcome->seen);
}

/* Long data differ somewhere in the middle: show where. */
static void describe_both(const struct pair *pair, struct difference *ret_difference)
{
    const struct side *sides[2] = {pair->linux_side, pair->virtual_side};
    uint32_t len = sides[0]->outcome.len, at_byte = 0;

    for (uint32_t i = 0; i < 2; i++) {
        describe(&sides[i]->outcome, ret_difference->sides[i],
                 sizeof ret_difference->sides[i] - 64);
        len = sides[i]->outcome.len < len ? sides[i]->outcome.len : len;
    }
    if (sides[0]->outcome.as != SEEN_DATA || sides[1]->outcome.as != SEEN_DATA)
        return;
    while (at_byte < len && sides[0]->script.in[at_byte] == sides[1]->script.in[at_byte])
        at_byte++;
    for (uint32_t i = 0; i < 2 && at_byte < len; i++) {
        char *text = ret_difference->sides[i];

        (void)snprintf(text + strlen(text), 64, " (byte %u: %02x)", at_byte,
                       sides[i]->script.in[at_byte]);
    }
}

/* fstat of the slot that a step is about; false: it fails. */
static bool look(struct side *side, const struct step *step, struct tp_statx *ret_statx)
{
    struct outcome outcome;
    struct step fstat = *step;

    fstat.words[0] = "fstat";
    fstat.count = 2;
    if (step_do(&side->script, &fstat, &outcome) < 0 || outcome.value != 0)
        return false;
    *ret_statx = side->script.statx;
    return true;
}

/* Notes in which block a file was made to end, if it ends within it. */
static void note_end(struct pair *pair, const struct step *step)
{
    struct tp_statx statx;

    if (strcmp(step->words[0], "truncate") != 0 || pair->linux_side->outcome.value != 0 ||
        !look(pair->linux_side, step, &statx) || statx.size % BLOCK == 0)
        return;
    tp_assert(pair->end_count < OPS_MAX);
    pair->ends[pair->end_count].inode = statx.inode;
    pair->ends[pair->end_count].block = statx.size / BLOCK;
    pair->end_count++;
}

static bool has_ended(const struct pair *pair, uint64_t inode, uint64_t block)
{
    for (uint32_t i = 0; i < pair->end_count; i++) {
        if (pair->ends[i].inode == inode && pair->ends[i].block == block)
            return true;
    }
    return false;
}

static bool has_data(struct side *side, const struct step *step, uint64_t block)
{
    struct outcome outcome;
    struct step find = *step;
    unsigned long long at = block * BLOCK;
    char offset[24];

    (void)snprintf(offset, sizeof offset, "%llu", at);
    find.words[2] = offset;
    return step_do(&side->script, &find, &outcome) == 0 && outcome.value == 1 &&
           side->script.extent.start == at;
}

/* Whether the run of data that Linux found is the virtual one but for blocks of a hole in
 * which the file was made to end: as it grows from there, btrfs writes zeros to the end of
 * such a block, and it is data then. */
static bool finds_more(struct pair *pair, const struct step *step)
{
    struct side *l = pair->linux_side, *v = pair->virtual_side;
    struct tp_extent found = l->script.extent;
    struct tp_statx statx;

    if (l->outcome.value != 1 || v->outcome.value < 0 || !look(l, step, &statx))
        return false;
    if (v->outcome.value == 1 && v->script.extent.start < found.start)
        return false;
    for (uint64_t block = found.start / BLOCK; block * BLOCK < found.end; block++) {
        if (!has_data(v, step, block) && !has_ended(pair, statx.inode, block))
            return false;
    }
    return found.end % BLOCK != 0 || !has_data(v, step, found.end / BLOCK);
}

/* Where the data of a directory lie is a question without a meaning; where those of a file
 * lie, one with several answers. */
static bool may_differ(struct pair *pair, const struct step *step)
{
    struct tp_statx statx;

    if (strcmp(step->words[0], "find_data") != 0)
        return false;
    return finds_more(pair, step) ||
           (look(pair->linux_side, step, &statx) && statx.kind == TP_FILE_DIRECTORY);
}

/* Does a step on both and compares. -EINVAL: it makes no sense. */
static int32_t do_step(struct pair *pair, const char *line, uint32_t number,
                       struct difference *ret_difference)
{
    struct side *l = pair->linux_side, *v = pair->virtual_side;
    struct step step;

    if (step_parse(line, &step) < 0 || step_do(&l->script, &step, &l->outcome) < 0 ||
        step_do(&v->script, &step, &v->outcome) < 0)
        return -EINVAL;
    pair->steps++;
    pair->successes += l->outcome.value >= 0;
    if (pair->record != NULL && number < OPS_MAX)
        describe(&l->outcome, pair->record[number], RECORD_MAX);
    note_end(pair, &step);
    if ((is_same(&step, &l->outcome, &v->outcome) || may_differ(pair, &step)) &&
        l->c.failures == 0 && v->c.failures == 0)
        return 0;
    ret_difference->found = true;
    ret_difference->step = number;
    (void)snprintf(ret_difference->line, sizeof ret_difference->line, "%s", line);
    describe_both(pair, ret_difference);
    return 0;
}

/* ------------------------------------------------------------------ the tree left behind
 */

/* One of the names that `names` saw, which are separated by spaces. */
static size_t name_len(const char *names)
{
    return strcspn(names, " ");
}

/* Compares what is at `path`: its kind, and its content or target. True: a directory. */
static bool compare_entry(struct pair *pair, const char *path, uint32_t number,
                          struct difference *ret_difference)
{
    char line[PATH_BYTES + 16];
    const char *seen = pair->linux_side->outcome.seen;

    (void)snprintf(line, sizeof line, "lstat %s", path);
    (void)do_step(pair, line, number, ret_difference);
    if (ret_difference->found)
        return false;
    if (strncmp(seen, "directory", 9) == 0)
        return true;
    (void)snprintf(line, sizeof line, "%s %s",
                   strncmp(seen, "symlink", 7) == 0 ? "read_link" : "content", path);
    (void)do_step(pair, line, number, ret_difference);
    return false;
}

/* Walks the tree of the real side; if the names are the same on both, so is the walk. */
static void compare_tree(struct pair *pair, const char *path, uint32_t level,
                         uint32_t number, struct difference *ret_difference)
{
    char line[PATH_BYTES + 16], names[SEEN_MAX];
    const char *name = names;

    (void)snprintf(line, sizeof line, "names %s", path);
    (void)do_step(pair, line, number, ret_difference);
    (void)snprintf(names, sizeof names, "%s", pair->linux_side->outcome.seen);
    while (*name != '\0' && !ret_difference->found && level < LEVELS_MAX) {
        size_t len = name_len(name);
        char child[PATH_BYTES];

        if (strlen(path) + len + 2 > sizeof child)
            return;
        (void)snprintf(child, sizeof child, "%s/%.*s", path, (int)len, name);
        if (compare_entry(pair, child, number, ret_difference))
            compare_tree(pair, child, level + 1, number, ret_difference);
        name += len + (name[len] == ' ');
    }
}

/* ------------------------------------------------------------------ a program */

static void begin(struct side *side, const char *root, uint64_t run_number)
{
    struct conformance *c = &side->c;

    c->failures = 0;
    c->quiet = true;
    (void)snprintf(c->dir, sizeof c->dir, "%s/%llu", root, (unsigned long long)run_number);
    EXPECT(c, run(c, tp_request_create_dir_all(c->dir)), 0);
    script_init(&side->script, c);
}

int32_t pair_run(struct pair *pair, const struct program *program,
                 struct difference *ret_difference)
{
    int32_t error = 0;

    ret_difference->found = false;
    pair->virtual_side = virtual_create(pair, program->seed);
    pair->runs++;
    pair->end_count = 0;
    begin(pair->linux_side, pair->root, pair->runs);
    begin(pair->virtual_side, pair->root, pair->runs); /* so that links are as long */
    for (uint32_t i = 0; i < program->count && error == 0 && !ret_difference->found; i++)
        error = do_step(pair, program->lines[i], i, ret_difference);
    if (error == 0 && !ret_difference->found)
        compare_tree(pair, ".", 0, program->count, ret_difference);
    script_deinit(&pair->linux_side->script);
    script_deinit(&pair->virtual_side->script);
    pair->linux_side->c.quiet = false;
    EXPECT(&pair->linux_side->c,
           conformance_remove_tree(&pair->linux_side->c, pair->linux_side->c.dir), 0);
    side_destroy(pair->virtual_side);
    pair->virtual_side = NULL;
    return error;
}
