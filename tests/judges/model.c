#include "model.h"

#include <stdio.h>

#include "io/virtual/virtual.h"
#include "programs.h"

#define PATIENCE_NS UINT64_C(60000000000)

struct model {
    struct tp_disk *disk;
    struct tp_tape *tape;
    struct conformance c;
    struct script script;
    uint64_t inodes[OBJECTS_MAX]; /* the simulated disk's, by object */
    const struct history *history;
    struct seen *seen;
    uint64_t wall_ns; /* since the start */
};

uint32_t model_profile(const char *name)
{
    uint32_t profile = 0;

    while (profile < TP_DISK_PROFILES && strcmp(tp_disk_profile_name(profile), name) != 0)
        profile++;
    return profile;
}

/* ------------------------------------------------------------------ at work */

static void start(struct model *model, const struct model_options *options, bool back)
{
    struct tp_disk_config disk_config = {.size = sizeof disk_config,
                                         .profile = options->profile,
                                         .writeback_one_in = 4,
                                         .writeback_off = !back};
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .ops_max = 64,
                                          .completions_max = 64,
                                          .fds_max = 512,
                                          .buf_count = 1};
    char path[8];

    tp_assert(tp_disk_create(&disk_config, &model->disk) == 0);
    for (uint32_t program = 0; program < PROGRAMS; program++) {
        (void)snprintf(path, sizeof path, "/w%u", program);
        tp_assert(tp_disk_make_dir(model->disk, path, 0755) == 0);
    }
    tp_assert(tp_tape_from_seed(options->seed, false, NULL, &model->tape) == 0);
    config.disk = model->disk;
    config.tape = model->tape;
    tp_assert(tp_virtual_io_create(&config, &model->c.io) == 0);
    tp_virtual_io_freeze_wall(model->c.io, true);
    model->c.backend = "virtual";
    model->c.program = "judges";
    model->c.patience_ns = PATIENCE_NS;
    script_init(&model->script, &model->c);
}

/* The number by which what was made is known again. */
static void note_inode(struct model *model, const struct act *act, uint32_t index)
{
    const struct history *h = model->history;
    struct tp_statx statx;
    char path[PATH_BYTES + 8];

    (void)snprintf(path, sizeof path, "/w%u/%s", act->program, act->path);
    tp_assert(tp_disk_stat(model->disk, path, false, &statx) == 0);
    for (uint32_t object = 1 + PROGRAMS; object < h->object_count; object++) {
        if (h->objects[object].made == index)
            model->inodes[object] = statx.inode;
    }
}

/* It is as late as it really was: times of files depend on that. */
static void set_wall(struct model *model, uint64_t at_ns)
{
    tp_virtual_io_step_wall(model->c.io, (int64_t)(at_ns - model->wall_ns));
    model->wall_ns = at_ns;
}

/* False: an operation had another result than on the real file system. */
static bool do_acts(struct model *model, uint32_t cut, char ret_why[512])
{
    const struct history *h = model->history;

    for (uint32_t i = 0; i < h->act_count; i++) {
        const struct act *act = &h->acts[i];
        int32_t value;

        if (act->ended > cut)
            break;
        if (act->kind == ACT_WRITE_BACK || act->kind == ACT_COMMIT)
            continue;
        set_wall(model, act->at_ns);
        value = act_do(&model->script, act);
        if (value != act->value && (value >= 0 || act->value >= 0)) {
            char line[96];

            act_print(act, line, sizeof line);
            (void)snprintf(ret_why, 512, "%s: really %d, simulated %d", line, act->value,
                           value);
            return false;
        }
        if (value >= 0 &&
            (act->kind == ACT_OPEN || act->kind == ACT_EMPTY || act->kind == ACT_MKDIR))
            note_inode(model, act, i);
    }
    return true;
}

/* ------------------------------------------------------------------ what is left */

static uint64_t real_inode(const struct model *model, uint64_t inode)
{
    for (uint32_t object = model->history->object_count; object > 1 + PROGRAMS; object--) {
        if (model->inodes[object - 1] == inode)
            return model->history->objects[object - 1].inode;
    }
    return 0;
}

/* The entry of the directory that a path is in, and its last name. */
static uint32_t parent_of(const struct seen *seen, const char *path, const char **ret_name)
{
    uint32_t parent = 0;

    for (;;) {
        size_t len = strcspn(path, "/");
        uint32_t i = 1;

        *ret_name = path;
        if (path[len] == '\0')
            return parent;
        while (seen->entries[i].parent != parent ||
               strncmp(seen->entries[i].name, path, len) != 0 ||
               seen->entries[i].name[len] != '\0')
            i++;
        parent = i;
        path += len + 1;
    }
}

static int32_t see_entry(void *context, const char *path, const struct tp_statx *statx)
{
    struct model *model = context;
    struct seen *seen = model->seen;
    struct seen_entry *entry = &seen->entries[seen->count];
    char absolute[2 * PATH_BYTES];
    const char *name;

    tp_assert(seen->count < SEEN_ENTRIES_MAX && statx->size <= FILE_BYTES_MAX);
    entry->parent = parent_of(seen, path, &name);
    (void)snprintf(entry->name, sizeof entry->name, "%.31s", name);
    entry->inode = real_inode(model, statx->inode);
    entry->is_dir = statx->kind == TP_FILE_DIRECTORY;
    entry->size = entry->is_dir ? 0 : (uint32_t)statx->size;
    seen->count++;
    (void)snprintf(absolute, sizeof absolute, "/%.40s", path);
    if (!entry->is_dir)
        tp_assert(tp_disk_read_at(model->disk, absolute, 0, entry->bytes, FILE_BYTES_MAX) ==
                  (int64_t)entry->size);
    return 0;
}

static void cut_power(struct model *model, bool least)
{
    script_deinit(&model->script);
    tp_io_destroy(model->c.io);
    tp_tape_set_harsh(model->tape, least);
    tp_disk_power_cut(model->disk, model->tape, 0);
    model->seen->count = 1;
    model->seen->trouble[0] = '\0';
    tp_assert(tp_disk_walk(model->disk, "/", see_entry, model) == 0);
}

/* ------------------------------------------------------------------ both */

static bool run_one(const struct model_options *options, const struct judge_rules *rules,
                    struct model *model, uint32_t cut, bool least, char ret_why[512])
{
    struct judge_tally ignored = {0};
    bool same;

    start(model, options, !least);
    same = do_acts(model, cut, ret_why);
    cut_power(model, least);
    if (same && least)
        same = judge_least(rules, model->history, model->seen, cut, ret_why);
    else if (same)
        same = judge(rules, model->history, model->seen, cut, &ignored, ret_why);
    tp_disk_destroy(model->disk);
    tp_tape_destroy(model->tape);
    return same;
}

bool model_agrees(const struct model_options *options, const struct judge_rules *rules,
                  const struct history *history, uint32_t cut, struct seen *seen,
                  char ret_why[512])
{
    static struct model model;
    static const struct model empty;

    for (uint32_t least = 0; least < 2; least++) {
        model = empty;
        model.history = history;
        model.seen = seen;
        if (!run_one(options, rules, &model, cut, least == 1, ret_why))
            return false;
    }
    return true;
}
