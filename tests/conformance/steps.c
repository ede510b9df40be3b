#include "script_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ what was seen */

static void see_data(struct script *script, const uint8_t *bytes, int32_t len,
                     struct outcome *ret_outcome)
{
    if (bytes != script->in)
        memmove(script->in, bytes, (size_t)len);
    ret_outcome->as = SEEN_DATA;
    ret_outcome->len = (uint32_t)len;
    print_data(script->in, (uint32_t)len, ret_outcome->seen, sizeof ret_outcome->seen);
}

/* The program's directory differs between backends: it reads as '%'. */
static void see_target(struct script *script, int32_t len, struct outcome *ret_outcome)
{
    size_t dir_len = strlen(script->c->dir) + 1;

    if ((size_t)len > dir_len && script->in[dir_len - 1] == '/' &&
        memcmp(script->in, script->c->dir, dir_len - 1) == 0) {
        script->in[dir_len - 1] = '%';
        see_data(script, script->in + dir_len - 1, len - (int32_t)dir_len + 1, ret_outcome);
    } else {
        see_data(script, script->in, len, ret_outcome);
    }
}

/* The size of a directory and its links differ between file systems. */
static void see_statx(const struct tp_statx *statx, struct outcome *ret_outcome)
{
    static const char *const kinds[] = {"other", "file", "directory", "symlink"};
    const char *kind = statx->kind < 4 ? kinds[statx->kind] : "?";

    ret_outcome->as = SEEN_WORDS;
    if (statx->kind == TP_FILE_DIRECTORY)
        (void)snprintf(ret_outcome->seen, sizeof ret_outcome->seen, "%s mode:%o", kind,
                       statx->mode);
    else
        (void)snprintf(ret_outcome->seen, sizeof ret_outcome->seen,
                       "%s size:%llu mode:%o links:%u", kind,
                       (unsigned long long)statx->size, statx->mode, statx->links);
}

static void see(struct script *script, const struct tp_request *request,
                struct outcome *ret_outcome)
{
    int32_t value = ret_outcome->value;

    if (request->kind == TP_READ && value <= (int32_t)script->buf.capacity)
        see_data(script, script->buf.data, value, ret_outcome);
    if (request->kind == TP_READ_LINK && value <= (int32_t)script->buf.capacity)
        see_target(script, value, ret_outcome);
    if (request->kind == TP_STAT || request->kind == TP_FSTAT)
        see_statx(&script->statx, ret_outcome);
    if (request->kind == TP_FIND_DATA && value == 1) {
        ret_outcome->as = SEEN_TEXT;
        (void)snprintf(ret_outcome->seen, sizeof ret_outcome->seen, "%llu-%llu",
                       (unsigned long long)script->extent.start,
                       (unsigned long long)script->extent.end);
    }
    if (request->kind == TP_OPEN) {
        script->slots[script->opening] = tp_io_into_fd(script->c->io, value);
        script->open[script->opening] = true;
        ret_outcome->value = 0; /* the number is nobody's business */
    }
}

/* Reads and writes may come short: go on until they are complete or stop moving. */
static int32_t run_whole(struct script *script, struct tp_request request)
{
    struct conformance *c = script->c;
    int32_t value = run(c, request);
    int32_t total = value;

    if (request.kind != TP_READ && request.kind != TP_WRITE)
        return value;
    while (value > 0 && (uint32_t)value < request.len) {
        request.a.memory = (uint8_t *)request.a.memory + value;
        request.b.offset += (uint32_t)value;
        request.len -= (uint32_t)value;
        value = run(c, request);
        if (value > 0)
            total += value;
    }
    return total;
}

/* ------------------------------------------------------------------ steps of several */

static int32_t do_file(struct script *script, const char *const *words,
                       struct outcome *ret_outcome)
{
    struct conformance *c = script->c;
    struct tp_buf *buf = data_of(script, script->out, words[2]);
    int32_t value = run(c, tp_request_open(path_of(script, words[1]), open_options("wct")));
    struct tp_fd fd;

    ret_outcome->wanted = (int32_t)buf->len;
    if (value < 0)
        return value;
    fd = tp_io_into_fd(c->io, value);
    value = run_whole(script, tp_request_write_at(fd, buf, 0));
    EXPECT(c, run(c, tp_request_close(fd)), 0);
    return value;
}

static int32_t do_content(struct script *script, const char *const *words,
                          struct outcome *ret_outcome)
{
    struct conformance *c = script->c;
    int32_t value = run(c, tp_request_open(path_of(script, words[1]), open_options("r")));
    struct tp_fd fd;

    if (value < 0)
        return value;
    fd = tp_io_into_fd(c->io, value);
    value = run_whole(script,
                      tp_request_read_at(fd, room_of(script, script->in, MEMORY_MAX), 0));
    EXPECT(c, run(c, tp_request_close(fd)), 0);
    if (value >= 0)
        see_data(script, script->in, value, ret_outcome);
    return value;
}

static int32_t do_same(struct script *script, const char *const *words,
                       struct outcome *ret_outcome)
{
    struct tp_statx first;
    int32_t value = run(script->c, tp_request_lstat(path_of(script, words[1]), &first));

    (void)ret_outcome;
    if (value >= 0)
        value = run(script->c, tp_request_lstat(path_of(script, words[2]), &script->statx));
    if (value < 0)
        return value;
    return first.inode == script->statx.inode && first.device == script->statx.device;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void see_names(const char **names, uint32_t count, struct outcome *ret_outcome)
{
    char name[256 + 64];
    size_t used = 0;

    qsort(names, count, sizeof *names, compare_names);
    ret_outcome->as = SEEN_TEXT;
    for (uint32_t i = 0; i < count && used < sizeof ret_outcome->seen; i++) {
        print_data((const uint8_t *)names[i], (uint32_t)strlen(names[i]), name,
                   sizeof name);
        used += (size_t)snprintf(ret_outcome->seen + used, sizeof ret_outcome->seen - used,
                                 "%s%s", i == 0 ? "" : " ", name);
    }
}

static int32_t do_names(struct script *script, const char *const *words,
                        struct outcome *ret_outcome)
{
    enum { NAMES_MAX = 1024 };
    struct conformance *c = script->c;
    const char *names[NAMES_MAX];
    uint32_t count = 0, used = 0;
    int32_t value = run(c, tp_request_open(path_of(script, words[1]), open_options("r")));
    struct tp_fd dir;

    if (value < 0)
        return value;
    dir = tp_io_into_fd(c->io, value);
    while ((value = run(c, tp_request_list_dir(dir, room_of(script, script->in, 65536)))) >
           0) {
        const struct tp_dir_entry *entry = NULL;

        script->buf.len = (uint32_t)value;
        while ((entry = tp_dir_next(&script->buf, entry)) != NULL && count < NAMES_MAX) {
            names[count] = (const char *)script->out + used;
            memcpy(script->out + used, tp_dir_entry_name(entry), entry->name_len + 1u);
            used += entry->name_len + 1u;
            count++;
        }
    }
    EXPECT(c, run(c, tp_request_close(dir)), 0);
    if (value < 0)
        return value;
    see_names(names, count, ret_outcome);
    return (int32_t)count;
}

/* ------------------------------------------------------------------ steps */

struct several {
    const char *name;
    uint32_t words; /* the verb itself included */
    int32_t (*act)(struct script *script, const char *const *words,
                   struct outcome *ret_outcome);
};

static const struct several severals[] = {
    {"file", 3, do_file},
    {"content", 2, do_content},
    {"names", 2, do_names},
    {"same", 3, do_same},
};

static int32_t do_one(struct script *script, const struct step *step,
                      struct outcome *ret_outcome)
{
    struct tp_request request;

    if (verb_build(script, step, &request) < 0)
        return -EINVAL;
    if (request.kind == TP_OPEN) {
        if (script->open[script->opening])
            return -EINVAL;
        script->slots[script->opening] = tp_fd_none();
    }
    if (request.kind == TP_WRITE)
        ret_outcome->wanted = (int32_t)request.len;
    ret_outcome->value = run_whole(script, request);
    if (ret_outcome->value >= 0)
        see(script, &request, ret_outcome);
    return 0;
}

int32_t step_do(struct script *script, const struct step *step, struct outcome *ret_outcome)
{
    ret_outcome->wanted = -1;
    ret_outcome->as = SEEN_NOTHING;
    ret_outcome->len = 0;
    ret_outcome->seen[0] = '\0';
    script->broken = false;
    if (step->count == 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof severals / sizeof severals[0]; i++) {
        if (strcmp(step->words[0], severals[i].name) != 0)
            continue;
        if (step->count != severals[i].words)
            return -EINVAL;
        ret_outcome->value = severals[i].act(script, step->words, ret_outcome);
        return script->broken ? -EINVAL : 0;
    }
    return do_one(script, step, ret_outcome);
}
