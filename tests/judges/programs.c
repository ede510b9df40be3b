#include "programs.h"

#include <stdio.h>

static uint32_t below(struct programs *programs, uint32_t bound)
{
    return (uint32_t)tp_rng_below(&programs->rng, bound);
}

struct programs programs_make(uint64_t seed)
{
    static const uint32_t syncs[] = {4, 12, 30};
    static const uint32_t backs[] = {0, 4, 12};
    struct programs programs = {.rng = tp_rng_make(seed, 1)};

    programs.sync_percent = syncs[below(&programs, 3)];
    programs.back_percent = backs[below(&programs, 3)];
    return programs;
}

/* ------------------------------------------------------------------ arguments */

static void choose_file(struct programs *programs, char ret_path[PATH_BYTES])
{
    static const char *const dirs[] = {"", "", "", "", "p/", "p/", "q/", "p/q/"};
    const char *dir = dirs[below(programs, 8)];
    char name = (char)('a' + below(programs, 4));

    (void)snprintf(ret_path, PATH_BYTES, "%s%c", dir, name);
}

static const char *choose_dir(struct programs *programs)
{
    static const char *const dirs[] = {"p", "p", "q", "q", "p/q", "q/p"};

    return dirs[below(programs, 6)];
}

/* An offset or a length: around the edges, or anywhere. */
static uint32_t choose_number(struct programs *programs, uint32_t max)
{
    static const uint32_t edges[] = {512, 4096, 4608, 8192, 12288, 16384};
    uint32_t number;

    switch (below(programs, 4)) {
    case 0:
        number = 0;
        break;
    case 1:
        number = edges[below(programs, 6)];
        number += below(programs, 5);
        number -= 2;
        break;
    case 2:
        number = edges[below(programs, 6)];
        break;
    default:
        number = below(programs, max);
        break;
    }
    return number < max ? number : max;
}

static void choose_bytes(struct programs *programs, struct act *act)
{
    act->offset = choose_number(programs, FILE_BYTES_MAX - 1);
    act->len = choose_number(programs, 9000);
    if (below(programs, 4) == 0) { /* in place, mostly */
        act->offset = 0;
        act->len = 0;
    }
    if (act->len == 0)
        act->len = 1 + below(programs, 100);
    if (act->len > FILE_BYTES_MAX - act->offset)
        act->len = FILE_BYTES_MAX - act->offset;
    act->letter = (char)((below(programs, 2) == 0 ? 'a' : 'A') + (int)below(programs, 26));
}

/* ------------------------------------------------------------------ acts */

static void choose_sync(struct programs *programs, struct act *act)
{
    static const char *const dirs[] = {".", ".", ".", "p", "q", "p/q"};
    uint32_t draw = below(programs, 10);

    act->kind = draw < 4 ? ACT_FSYNC : draw < 7 ? ACT_FDATASYNC : ACT_SYNC_DIR;
    (void)snprintf(act->path, PATH_BYTES, "%s", dirs[below(programs, 6)]);
}

static void choose_rename(struct programs *programs, struct act *act)
{
    act->kind = ACT_RENAME;
    if (below(programs, 5) == 0) {
        (void)snprintf(act->path, PATH_BYTES, "%s", choose_dir(programs));
        (void)snprintf(act->to, PATH_BYTES, "%s", choose_dir(programs));
    } else {
        choose_file(programs, act->path);
        choose_file(programs, act->to);
    }
}

static void choose_change(struct programs *programs, struct act *act)
{
    uint32_t draw = below(programs, 100);

    if (draw < 25) {
        act->kind = below(programs, 8) == 0 ? ACT_EMPTY : ACT_OPEN;
        choose_file(programs, act->path);
    } else if (draw < 58) {
        act->kind = ACT_WRITE;
        choose_bytes(programs, act);
    } else if (draw < 66) {
        act->kind = ACT_TRUNCATE;
        act->len = choose_number(programs, FILE_BYTES_MAX);
    } else if (draw < 82) {
        choose_rename(programs, act);
    } else if (draw < 89) {
        act->kind = ACT_REMOVE;
        choose_file(programs, act->path);
    } else {
        act->kind = draw < 97 ? ACT_MKDIR : ACT_RMDIR;
        (void)snprintf(act->path, PATH_BYTES, "%s", choose_dir(programs));
    }
}

struct act programs_next(struct programs *programs)
{
    struct act act = {0};
    uint32_t draw = below(programs, 100);

    act.program = below(programs, PROGRAMS);
    act.slot = act.program * SLOTS_EACH + below(programs, SLOTS_EACH);
    if (draw < programs->sync_percent) {
        choose_sync(programs, &act);
    } else if (draw < programs->sync_percent + programs->back_percent) {
        act.kind = below(programs, 4) == 0 ? ACT_COMMIT : ACT_WRITE_BACK;
        choose_file(programs, act.path);
    } else {
        choose_change(programs, &act);
    }
    return act;
}

/* ------------------------------------------------------------------ doing them */

void act_print(const struct act *act, char *ret_text, size_t size_bytes)
{
    char slot = (char)('A' + act->slot);
    uint32_t w = act->program;

    switch ((enum act_kind)act->kind) {
    case ACT_OPEN:
    case ACT_EMPTY:
        (void)snprintf(ret_text, size_bytes, "open %c w%u/%s %s", slot, w, act->path,
                       act->kind == ACT_OPEN ? "rwc" : "rwct");
        break;
    case ACT_WRITE:
        (void)snprintf(ret_text, size_bytes, "write %c %u %c*%u", slot, act->offset,
                       act->letter, act->len);
        break;
    case ACT_TRUNCATE:
        (void)snprintf(ret_text, size_bytes, "truncate %c %u", slot, act->len);
        break;
    case ACT_FSYNC:
    case ACT_FDATASYNC:
        (void)snprintf(ret_text, size_bytes, "%s %c",
                       act->kind == ACT_FSYNC ? "fsync" : "fdatasync", slot);
        break;
    case ACT_RENAME:
        (void)snprintf(ret_text, size_bytes, "rename w%u/%s w%u/%s", w, act->path, w,
                       act->to);
        break;
    case ACT_REMOVE:
    case ACT_MKDIR:
    case ACT_RMDIR:
    case ACT_SYNC_DIR:
    case ACT_WRITE_BACK:
    case ACT_COMMIT: {
        static const char *const verbs[ACT_KINDS] = {
            [ACT_REMOVE] = "remove",     [ACT_MKDIR] = "mkdir",
            [ACT_RMDIR] = "rmdir",       [ACT_SYNC_DIR] = "sync_dir",
            [ACT_WRITE_BACK] = "(back)", [ACT_COMMIT] = "(commit)"};

        (void)snprintf(ret_text, size_bytes, "%s w%u/%s", verbs[act->kind], w, act->path);
        break;
    }
    case ACT_KINDS:
        tp_unreachable();
    }
}

static int32_t step_value(struct script *script, const char *line)
{
    struct outcome outcome;
    struct step step;

    if (step_parse(line, &step) < 0 || step_do(script, &step, &outcome) < 0)
        tp_stopf(__FILE__, __LINE__, "this is no step: %s", line);
    return outcome.value;
}

int32_t act_do(struct script *script, const struct act *act)
{
    char line[2 * PATH_BYTES + 32];

    if (act->kind == ACT_OPEN || act->kind == ACT_EMPTY) {
        (void)snprintf(line, sizeof line, "close %c", (char)('A' + act->slot));
        (void)step_value(script, line); /* -EBADF if it is not open */
    }
    act_print(act, line, sizeof line);
    return step_value(script, line);
}
