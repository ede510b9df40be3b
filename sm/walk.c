#include "sm/walk.h"

#include <errno.h>

#include "runtime/await.h"

enum state {
    AT_ROOT, /* nothing has been opened */
    INSIDE,  /* in the innermost open level */
    LEAVING, /* that level has been left, and is closed by the next step */
    AT_END,
};

void tp_walk_init(struct tp_walk *walk, struct tp_place root, struct tp_walk_level *levels,
                  uint32_t levels_max, char *path, uint32_t path_bytes)
{
    struct tp_walk fresh = {.root = root,
                            .levels = levels,
                            .levels_max = levels_max,
                            .path = path,
                            .path_bytes = path_bytes};

    tp_assert(levels != NULL && levels_max > 0);
    tp_assert(path != NULL && path_bytes > 0);
    path[0] = '\0';
    *walk = fresh;
}

/* ------------------------------------------------------------------ what is told */

static struct tp_walk_level *top(const struct tp_walk *walk)
{
    tp_assert(walk->depth > 0);
    return &walk->levels[walk->depth - 1];
}

/* The name of an open directory: the entry of the level above that led to it. */
static const char *name_of_top(const struct tp_walk *walk)
{
    return walk->depth == 1 ? "" : tp_dir_entry_name(walk->levels[walk->depth - 2].at);
}

static enum tp_step tell(struct tp_walk *walk, struct tp_walk_entry entry)
{
    entry.path = walk->path;
    walk->entry = entry;
    return tp_end(&walk->machine, 1);
}

/* ENTER or LEAVE of the innermost level, or an error of it. */
static enum tp_step tell_top(struct tp_walk *walk, enum tp_walk_event event, int32_t error)
{
    struct tp_walk_entry entry = {.name = name_of_top(walk),
                                  .event = (uint32_t)event,
                                  .kind = TP_FILE_DIRECTORY,
                                  .depth = walk->depth - 1,
                                  .error = error,
                                  .failed_kind = error < 0 ? TP_LIST_DIR : TP_NOP,
                                  .dir = top(walk)->fd};

    if (walk->depth > 1)
        entry.parent = walk->levels[walk->depth - 2].fd;
    walk->path[top(walk)->path_len] = '\0';
    return tell(walk, entry);
}

/* The next entry of the innermost level, which thereby has been told; or an error of it. */
static enum tp_step tell_entry(struct tp_walk *walk, const struct tp_dir_entry *found,
                               uint32_t kind, int32_t error, enum tp_kind failed_kind)
{
    struct tp_walk_entry entry = {.name = tp_dir_entry_name(found),
                                  .event = error < 0 ? TP_WALK_ERROR : TP_WALK_ENTRY,
                                  .kind = kind,
                                  .depth = walk->depth,
                                  .error = error,
                                  .failed_kind = error < 0 ? (uint32_t)failed_kind : TP_NOP,
                                  .parent = top(walk)->fd};

    top(walk)->at = found;
    return tell(walk, entry);
}

/* The root could not be opened, or is no directory. */
static enum tp_step tell_no_root(struct tp_walk *walk, int32_t error,
                                 enum tp_kind failed_kind)
{
    struct tp_walk_entry entry = {.name = "",
                                  .event = TP_WALK_ERROR,
                                  .error = error,
                                  .failed_kind = (uint32_t)failed_kind};

    walk->state = AT_END;
    return tell(walk, entry);
}

/* ------------------------------------------------------------------ levels and path */

static void push(struct tp_walk *walk, struct tp_fd fd, uint32_t path_len)
{
    struct tp_walk_level *level = &walk->levels[walk->depth];

    tp_assert(walk->depth < walk->levels_max);
    level->fd = fd;
    level->buf = tp_buf_empty(level->bytes, sizeof level->bytes);
    level->at = NULL;
    level->path_len = path_len;
    level->listed = level->kept = false;
    walk->depth++;
    walk->state = INSIDE;
}

static void pop(struct tp_ctx *cx, struct tp_walk *walk)
{
    struct tp_walk_level *level = top(walk);

    if (!level->kept)
        tp_detach(cx, (tp_close)(cx, level->fd));
    walk->depth--;
}

/* Makes walk->path that of an entry of the innermost level. False if it does not fit. */
static bool set_path(struct tp_walk *walk, const struct tp_dir_entry *found)
{
    uint32_t at = top(walk)->path_len;
    uint32_t slash = at > 0 ? 1 : 0;

    walk->path[at] = '\0';
    if (walk->path_bytes - at <= slash + found->name_len)
        return false;
    if (slash > 0)
        walk->path[at] = '/';
    memcpy(walk->path + at + slash, tp_dir_entry_name(found), found->name_len);
    walk->path[at + slash + found->name_len] = '\0';
    return true;
}

static const struct tp_dir_entry *next_entry(const struct tp_walk *walk)
{
    return tp_dir_next(&top(walk)->buf, top(walk)->at);
}

/* ------------------------------------------------------------------ operations */

static struct tp_op open_root(struct tp_ctx *cx, struct tp_walk *walk)
{
    struct tp_open_options options = {.read = true};

    return tp_place_open(cx, walk->root, options);
}

static struct tp_op open_entry(struct tp_ctx *cx, struct tp_walk *walk)
{
    struct tp_open_options options = {.read = true};

    return tp_open_in(cx, top(walk)->fd, tp_dir_entry_name(next_entry(walk)), options);
}

static struct tp_op stat_entry(struct tp_ctx *cx, struct tp_walk *walk)
{
    return tp_stat_in(cx, top(walk)->fd, tp_dir_entry_name(next_entry(walk)), &walk->statx);
}

static struct tp_op list_more(struct tp_ctx *cx, struct tp_walk *walk)
{
    top(walk)->at = NULL;
    return tp_list_dir(cx, top(walk)->fd, &top(walk)->buf);
}

/* ------------------------------------------------------------------ the machines */

/* Opens the root, and enters it. */
static enum tp_step root_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_walk *walk = tp_container_of(machine, struct tp_walk, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_place_is_open(walk->root)) {
        push(walk, walk->root.fd, 0);
        top(walk)->kept = true;
    } else {
        TP_AWAIT(cx, open_root(cx, walk), &result);
        if (result.value == -ECANCELED)
            return tp_end(machine, result.value);
        if (result.value < 0)
            return tell_no_root(walk, result.value, TP_OPEN);
        push(walk, tp_into_fd(cx, result), 0);
    }
    TP_AWAIT(cx, tp_fstat(cx, top(walk)->fd, &walk->statx), &result);
    if (result.value >= 0 && walk->statx.kind == TP_FILE_DIRECTORY)
        return tell_top(walk, TP_WALK_ENTER, 0);
    pop(cx, walk);
    walk->state = AT_ROOT;
    if (result.value == -ECANCELED)
        return tp_end(machine, result.value);
    return tell_no_root(walk, result.value < 0 ? result.value : -ENOTDIR, TP_FSTAT);
    TP_END(cx);
}

/* Tells what comes next in the innermost level. */
static enum tp_step inside_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_walk *walk = tp_container_of(machine, struct tp_walk, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (!top(walk)->listed && next_entry(walk) == NULL) {
        TP_AWAIT(cx, list_more(cx, walk), &result);
        if (result.value == -ECANCELED)
            return tp_end(machine, result.value);
        top(walk)->listed = result.value <= 0;
        if (result.value < 0)
            return tell_top(walk, TP_WALK_ERROR, result.value);
    }
    if (top(walk)->listed) {
        walk->state = LEAVING;
        return tell_top(walk, TP_WALK_LEAVE, 0);
    }

    walk->statx.kind = next_entry(walk)->kind;
    if (!set_path(walk, next_entry(walk)))
        return tell_entry(walk, next_entry(walk), walk->statx.kind, -ENAMETOOLONG, TP_NOP);
    if (walk->statx.kind == TP_FILE_OTHER) {
        TP_AWAIT(cx, stat_entry(cx, walk), &result);
        if (result.value == -ECANCELED)
            return tp_end(machine, result.value);
        if (result.value < 0)
            return tell_entry(walk, next_entry(walk), TP_FILE_OTHER, result.value, TP_STAT);
    }
    if (walk->statx.kind != TP_FILE_DIRECTORY)
        return tell_entry(walk, next_entry(walk), walk->statx.kind, 0, TP_NOP);
    if (walk->depth == walk->levels_max)
        return tell_entry(walk, next_entry(walk), TP_FILE_DIRECTORY, -EMLINK, TP_NOP);

    TP_AWAIT(cx, open_entry(cx, walk), &result);
    if (result.value == -ECANCELED)
        return tp_end(machine, result.value);
    if (result.value < 0)
        return tell_entry(walk, next_entry(walk), TP_FILE_DIRECTORY, result.value, TP_OPEN);
    top(walk)->at = next_entry(walk);
    push(walk, tp_into_fd(cx, result), (uint32_t)strlen(walk->path));
    return tell_top(walk, TP_WALK_ENTER, 0);
    TP_END(cx);
}

static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    return tp_end(machine, 0);
}

/* ------------------------------------------------------------------ for the caller */

struct tp_op(tp_walk_next)(struct tp_ctx *cx, struct tp_walk *walk)
{
    static tp_tick_fn *const ticks[] = {
        [AT_ROOT] = root_tick, [INSIDE] = inside_tick, [AT_END] = end_tick};

    tp_assert(!tp_machine_alive(&walk->machine));
    if (walk->state == LEAVING) {
        pop(cx, walk);
        walk->state = walk->depth > 0 ? INSIDE : AT_END;
    }
    return (tp_start)(cx, &walk->machine, ticks[walk->state], "walk");
}

void tp_walk_skip(struct tp_walk *walk)
{
    tp_assert(walk->entry.event == TP_WALK_ENTER && walk->state == INSIDE);
    top(walk)->listed = true;
}

void tp_walk_keep(struct tp_walk *walk)
{
    tp_assert(walk->entry.event == TP_WALK_ENTER || walk->entry.event == TP_WALK_LEAVE);
    top(walk)->kept = true;
}

void(tp_walk_stop)(struct tp_ctx *cx, struct tp_walk *walk)
{
    tp_assert(!tp_machine_alive(&walk->machine));
    while (walk->depth > 0)
        pop(cx, walk);
    walk->state = AT_END;
}
