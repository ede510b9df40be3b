#include "history.h"

#include <stdlib.h>
#include <string.h>

struct history *history_create(void)
{
    struct history *history = calloc(1, sizeof *history);

    tp_assert(history != NULL);
    history->bytes = malloc((size_t)VERSIONS_MAX * FILE_BYTES_MAX);
    tp_assert(history->bytes != NULL);
    for (uint32_t i = 0; i < VERSIONS_MAX; i++)
        history->versions[i].bytes = history->bytes + (size_t)i * FILE_BYTES_MAX;
    history_clear(history, 0);
    return history;
}

void history_destroy(struct history *history)
{
    free(history->bytes);
    free(history);
}

void history_clear(struct history *history, uint64_t now_ns)
{
    history->clock_ns = 0;
    history->now_ns = now_ns;
    history->act_count = 0;
    history->version_count = 0;
    history->place_count = 1;
    history->name_op_count = 0;
    history->sync_count = 0;
    history->object_count = 1 + PROGRAMS;
    memset(history->slots, 0, sizeof history->slots);
    for (uint32_t program = 0; program < PROGRAMS; program++) {
        struct object *object = &history->objects[1 + program];

        memset(object, 0, sizeof *object);
        object->is_dir = true;
        object->program = program;
    }
}

bool history_has_room(const struct history *history)
{
    return history->act_count < ACTS_MAX && history->object_count < OBJECTS_MAX &&
           history->version_count + 2 < VERSIONS_MAX &&
           history->place_count + 2 < OBJECTS_MAX;
}

/* ------------------------------------------------------------------ names */

uint32_t history_place(const struct history *history, uint32_t dir, const char *name)
{
    for (uint32_t i = 1; i < history->place_count; i++) {
        if (history->places[i].dir == dir && strcmp(history->places[i].name, name) == 0)
            return i;
    }
    return 0;
}

static uint32_t place_make(struct history *history, uint32_t dir, const char *name)
{
    uint32_t place = history_place(history, dir, name);
    size_t len = strlen(name);

    if (place != 0)
        return place;
    place = history->place_count++;
    tp_assert(place < OBJECTS_MAX && len < sizeof history->places[place].name);
    history->places[place].dir = dir;
    memcpy(history->places[place].name, name, len + 1);
    history->live[place] = 0;
    return place;
}

/* The directory that the last name of a path is in, and that name ("" for "."). 0: there is
 * no such directory. */
static uint32_t walk(const struct history *history, uint32_t program, const char *path,
                     char ret_name[PATH_BYTES])
{
    uint32_t dir = 1 + program;

    if (strcmp(path, ".") == 0)
        path = "";
    for (;;) {
        size_t len = strcspn(path, "/");

        tp_assert(len < PATH_BYTES);
        memcpy(ret_name, path, len);
        ret_name[len] = '\0';
        if (path[len] == '\0')
            return dir;
        dir = history->live[history_place(history, dir, ret_name)];
        if (dir == 0 || !history->objects[dir].is_dir)
            return 0;
        path += len + 1;
    }
}

uint32_t history_find(const struct history *history, uint32_t program, const char *path)
{
    char name[PATH_BYTES];
    uint32_t dir = walk(history, program, path, name);

    if (dir == 0 || name[0] == '\0')
        return dir;
    return history->live[history_place(history, dir, name)];
}

/* One operation on names; a path of NULL: none. */
static void change_names(struct history *history, uint32_t index, const char *from,
                         const char *to, uint32_t object)
{
    uint32_t program = history->acts[index].program;
    struct name_op *op = &history->name_ops[history->name_op_count++];
    char name[PATH_BYTES];
    uint32_t dir;

    memset(op, 0, sizeof *op);
    op->act = index;
    op->program = program;
    op->object = object;
    op->moves_dir = from != NULL && to != NULL && history->objects[object].is_dir;
    if (from != NULL) {
        dir = walk(history, program, from, name);
        op->from = place_make(history, dir, name);
        history->live[op->from] = 0;
        history->objects[dir].changed = history->objects[dir].touched = index + 1;
    }
    if (to != NULL) {
        dir = walk(history, program, to, name);
        op->to = place_make(history, dir, name);
        history->live[op->to] = object;
        history->objects[dir].changed = history->objects[dir].touched = index + 1;
    }
    history->objects[object].changed = history->objects[object].touched = index + 1;
}

/* ------------------------------------------------------------------ files */

uint32_t history_last_version(const struct history *history, uint32_t object)
{
    for (uint32_t i = history->version_count; i > 0; i--) {
        if (history->versions[i - 1].object == object)
            return i - 1;
    }
    return VERSIONS_MAX;
}

/* The next version of a file, with the content of the last. */
static struct version *version_make(struct history *history, uint32_t index,
                                    uint32_t object)
{
    uint32_t last = history_last_version(history, object);
    struct version *version = &history->versions[history->version_count++];

    version->object = object;
    version->act = index;
    version->size = 0;
    version->blocks = 0;
    memset(version->bytes, 0, FILE_BYTES_MAX);
    if (last != VERSIONS_MAX) {
        version->size = history->versions[last].size;
        version->blocks = history->versions[last].blocks;
        memcpy(version->bytes, history->versions[last].bytes, FILE_BYTES_MAX);
    }
    history->objects[object].touched = index + 1;
    history->objects[object].versions++;
    return version;
}

/* The first `bytes` of a file, as a mask of blocks; one that is touched counts. */
static uint32_t blocks_to(uint32_t bytes)
{
    return (1U << ((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES)) - 1;
}

/* What a change does to the file apart from its data: `certain`, or because its time moves,
 * which it need not within a tick of a clock that nobody sees. Of many, one upon the other,
 * one moved it that is no older than the last before the tick. */
static void change(struct history *history, uint32_t index, uint32_t object, bool certain)
{
    struct object *o = &history->objects[object];
    uint64_t at_ns = history->acts[index].at_ns;
    uint32_t least = 0;

    if (certain || at_ns - o->written_ns >= TICK_NS)
        least = index + 1;
    else if (at_ns - o->tick_ns >= TICK_NS)
        least = o->tick;
    o->changed = least > o->changed ? least : o->changed;
    o->written_ns = at_ns;
    if (at_ns - o->tick_ns < TICK_NS)
        return;
    o->tick_ns = at_ns;
    o->tick = index + 1;
}

static void resize(struct history *history, uint32_t index, uint32_t object, uint32_t size)
{
    struct version *version = version_make(history, index, object);

    tp_assert(size <= FILE_BYTES_MAX);
    if (size < version->size)
        memset(version->bytes + size, 0, version->size - size);
    version->size = size;
    version->blocks &= blocks_to(size);
    change(history, index, object, true);
}

static void write_bytes(struct history *history, uint32_t index, uint32_t object,
                        const struct act *act)
{
    struct version *version = version_make(history, index, object);
    uint32_t end = act->offset + (uint32_t)act->value;
    uint32_t blocks = blocks_to(end) & ~blocks_to(act->offset / BLOCK_BYTES * BLOCK_BYTES);

    tp_assert(end <= FILE_BYTES_MAX);
    change(history, index, object, end > version->size || (blocks & ~version->blocks) != 0);
    version->blocks |= blocks;
    memset(version->bytes + act->offset, act->letter, (size_t)act->value);
    version->size = end > version->size ? end : version->size;
}

static uint32_t object_make(struct history *history, uint32_t index, bool is_dir)
{
    uint32_t number = history->object_count++;
    struct object *object = &history->objects[number];

    memset(object, 0, sizeof *object);
    object->is_dir = is_dir;
    object->program = history->acts[index].program;
    object->made = index;
    object->written_ns = history->acts[index].at_ns;
    object->tick_ns = object->written_ns;
    if (!is_dir)
        (void)version_make(history, index, number);
    return number;
}

static void open_file(struct history *history, uint32_t index)
{
    const struct act *act = &history->acts[index];
    uint32_t object = history_find(history, act->program, act->path);

    if (object == 0) {
        object = object_make(history, index, false);
        change_names(history, index, NULL, act->path, object);
    } else if (act->kind == ACT_EMPTY) {
        resize(history, index, object, 0);
    }
    history->slots[act->slot] = object;
}

static void note_sync(struct history *history, uint32_t index, uint32_t object)
{
    struct sync *sync = &history->syncs[history->sync_count++];

    sync->act = index;
    sync->object = object;
    sync->data_only = history->acts[index].kind == ACT_FDATASYNC;
    sync->named = false;
    for (uint32_t place = 1; place < history->place_count; place++)
        sync->named = sync->named || history->live[place] == object;
    sync->changed = history->objects[object].changed;
    sync->touched = history->objects[object].touched;
    sync->version = history_last_version(history, object);
}

/* ------------------------------------------------------------------ acts */

/* What lies between two changes for certain: not how long they took themselves. */
static void pass_time(struct history *history, uint64_t now_ns, bool counts)
{
    tp_assert(now_ns >= history->now_ns);
    if (counts)
        history->clock_ns += now_ns - history->now_ns;
    history->now_ns = now_ns;
}

static bool is_change(const struct act *act)
{
    return act->kind <= ACT_TRUNCATE;
}

uint32_t history_begin(struct history *history, const struct act *act, uint32_t position,
                       uint64_t now_ns)
{
    uint32_t index = history->act_count++;

    tp_assert(index < ACTS_MAX);
    pass_time(history, now_ns, true);
    history->acts[index] = *act;
    history->acts[index].at_ns = history->clock_ns;
    history->acts[index].begun = position;
    history->acts[index].ended = UINT32_MAX;
    return index;
}

static void apply(struct history *history, uint32_t index)
{
    const struct act *act = &history->acts[index];
    uint32_t object;

    switch ((enum act_kind)act->kind) {
    case ACT_OPEN:
    case ACT_EMPTY:
        open_file(history, index);
        break;
    case ACT_WRITE:
        write_bytes(history, index, history->slots[act->slot], act);
        break;
    case ACT_TRUNCATE:
        resize(history, index, history->slots[act->slot], act->len);
        break;
    case ACT_FSYNC:
    case ACT_FDATASYNC:
        note_sync(history, index, history->slots[act->slot]);
        break;
    case ACT_SYNC_DIR:
        note_sync(history, index, history_find(history, act->program, act->path));
        break;
    case ACT_RENAME:
        object = history_find(history, act->program, act->path);
        if (object != history_find(history, act->program, act->to))
            change_names(history, index, act->path, act->to, object);
        break;
    case ACT_REMOVE:
    case ACT_RMDIR:
        object = history_find(history, act->program, act->path);
        change_names(history, index, act->path, NULL, object);
        break;
    case ACT_MKDIR:
        object = object_make(history, index, true);
        change_names(history, index, NULL, act->path, object);
        break;
    case ACT_WRITE_BACK:
    case ACT_COMMIT:
    case ACT_KINDS:
        break;
    }
}

void history_end(struct history *history, uint32_t act, int32_t value, uint32_t position,
                 uint64_t now_ns)
{
    pass_time(history, now_ns, !is_change(&history->acts[act]));
    history->acts[act].value = value;
    history->acts[act].ended = position;
    if (value >= 0)
        apply(history, act);
    else if (history->acts[act].kind == ACT_OPEN || history->acts[act].kind == ACT_EMPTY)
        history->slots[history->acts[act].slot] = 0;
}
