#include "script_internal.h"

#include <stdio.h>

/* ------------------------------------------------------------------ arguments */

static uint32_t slot_of(struct script *script, const char *word)
{
    if (word[0] >= 'A' && word[0] <= 'Z' && word[1] == '\0')
        return (uint32_t)(word[0] - 'A');
    script->broken = true;
    return 0;
}

static struct tp_fd fd_of(struct script *script, const char *word)
{
    return script->slots[slot_of(script, word)];
}

static uint64_t number_of(struct script *script, const char *word)
{
    uint64_t number = 0;

    if (parse_number(word, &number) < 0)
        script->broken = true;
    return number;
}

/* `prefix`, a slash, and what the word says; the word alone when prefix is NULL. */
static const char *joined(struct script *script, const char *prefix, const char *word)
{
    struct conformance *c = script->c;
    char *path = c->paths[c->path_next++ % PATHS];
    size_t used = 0;
    int32_t len;

    if (prefix != NULL)
        used = (size_t)snprintf(path, sizeof c->paths[0], "%s/", prefix);
    len =
        parse_data(word, (uint8_t *)path + used, (uint32_t)(sizeof c->paths[0] - used - 1));
    if (len < 0) {
        script->broken = true;
        len = 0;
    }
    path[used + (size_t)len] = '\0';
    return path;
}

const char *path_of(struct script *script, const char *word)
{
    if (word[0] == '@')
        return joined(script, NULL, word + 1);
    return joined(script, script->c->dir, word);
}

static const char *name_of(struct script *script, const char *word)
{
    return joined(script, NULL, word[0] == '@' ? word + 1 : word);
}

static const char *target_of(struct script *script, const char *word)
{
    if (word[0] == '%')
        return joined(script, script->c->dir, word + 1);
    return name_of(script, word);
}

struct tp_buf *room_of(struct script *script, uint8_t *memory, uint64_t len)
{
    if (len > MEMORY_MAX) {
        script->broken = true;
        len = 0;
    }
    memset(memory, 0xee, (size_t)len);
    script->buf = tp_buf_empty(memory, (uint32_t)len);
    return &script->buf;
}

struct tp_buf *data_of(struct script *script, uint8_t *memory, const char *word)
{
    int32_t len = parse_data(word, memory, MEMORY_MAX);

    if (len < 0)
        script->broken = true;
    script->buf = tp_buf_full(memory, len < 0 ? 0 : (uint32_t)len);
    return &script->buf;
}

/* ------------------------------------------------------------------ steps of one operation
 */

#define BUILD(name)                                                               \
    static struct tp_request build_##name(struct script *s, const char *const *w, \
                                          uint32_t n)
#define UNUSED (void)s, (void)w, (void)n

BUILD(nop)
{
    UNUSED;
    return tp_request_nop();
}

BUILD(open)
{
    UNUSED;
    s->opening = slot_of(s, w[1]);
    return tp_request_open(path_of(s, w[2]), open_options(w[3]));
}

BUILD(open_in)
{
    UNUSED;
    s->opening = slot_of(s, w[1]);
    return tp_request_open_in(fd_of(s, w[2]), name_of(s, w[3]), open_options(w[4]));
}

BUILD(close)
{
    UNUSED;
    s->open[slot_of(s, w[1])] = false;
    return tp_request_close(fd_of(s, w[1]));
}

BUILD(read)
{
    UNUSED;
    return tp_request_read_at(fd_of(s, w[1]), room_of(s, s->in, number_of(s, w[3])),
                              number_of(s, w[2]));
}

BUILD(read_skew)
{
    UNUSED;
    return tp_request_read_at(fd_of(s, w[1]), room_of(s, s->in + 1, number_of(s, w[3])),
                              number_of(s, w[2]));
}

BUILD(write)
{
    UNUSED;
    return tp_request_write_at(fd_of(s, w[1]), data_of(s, s->out, w[3]),
                               number_of(s, w[2]));
}

BUILD(write_skew)
{
    UNUSED;
    return tp_request_write_at(fd_of(s, w[1]), data_of(s, s->out + 1, w[3]),
                               number_of(s, w[2]));
}

BUILD(fsync)
{
    UNUSED;
    return tp_request_fsync(fd_of(s, w[1]), 0);
}

BUILD(fdatasync)
{
    UNUSED;
    return tp_request_fsync(fd_of(s, w[1]), TP_DATA_ONLY);
}

BUILD(truncate)
{
    UNUSED;
    return tp_request_truncate(fd_of(s, w[1]), number_of(s, w[2]));
}

BUILD(fallocate)
{
    if (n == 5 && strcmp(w[4], "keep") != 0)
        s->broken = true;
    return tp_request_fallocate(fd_of(s, w[1]), number_of(s, w[2]), number_of(s, w[3]),
                                n == 5 ? TP_KEEP_SIZE : 0);
}

BUILD(find_data)
{
    UNUSED;
    return tp_request_find_data(fd_of(s, w[1]), number_of(s, w[2]), &s->extent);
}

BUILD(set_mode)
{
    UNUSED;
    return tp_request_set_mode(fd_of(s, w[1]), (uint32_t)number_of(s, w[2]));
}

BUILD(lock)
{
    UNUSED;
    return tp_request_lock(fd_of(s, w[1]));
}

BUILD(fstat)
{
    UNUSED;
    return tp_request_fstat(fd_of(s, w[1]), &s->statx);
}

BUILD(stat)
{
    UNUSED;
    return tp_request_stat(path_of(s, w[1]), &s->statx);
}

BUILD(lstat)
{
    UNUSED;
    return tp_request_lstat(path_of(s, w[1]), &s->statx);
}

BUILD(stat_in)
{
    UNUSED;
    return tp_request_stat_in(fd_of(s, w[1]), name_of(s, w[2]), &s->statx);
}

BUILD(rename)
{
    UNUSED;
    return tp_request_rename(path_of(s, w[1]), path_of(s, w[2]));
}

BUILD(rename_in)
{
    UNUSED;
    return tp_request_rename_in(fd_of(s, w[1]), name_of(s, w[2]), fd_of(s, w[3]),
                                name_of(s, w[4]));
}

BUILD(remove)
{
    UNUSED;
    return tp_request_remove(path_of(s, w[1]));
}

BUILD(remove_in)
{
    UNUSED;
    return tp_request_remove_in(fd_of(s, w[1]), name_of(s, w[2]));
}

BUILD(mkdir)
{
    return tp_request_create_dir(path_of(s, w[1]),
                                 n == 3 ? (uint32_t)number_of(s, w[2]) : 0777);
}

BUILD(mkdir_in)
{
    return tp_request_create_dir_in(fd_of(s, w[1]), name_of(s, w[2]),
                                    n == 4 ? (uint32_t)number_of(s, w[3]) : 0777);
}

BUILD(mkdir_all)
{
    UNUSED;
    return tp_request_create_dir_all(path_of(s, w[1]));
}

BUILD(rmdir)
{
    UNUSED;
    return tp_request_remove_dir(path_of(s, w[1]));
}

BUILD(rmdir_in)
{
    UNUSED;
    return tp_request_remove_dir_in(fd_of(s, w[1]), name_of(s, w[2]));
}

BUILD(sync_dir)
{
    UNUSED;
    return tp_request_sync_dir(path_of(s, w[1]));
}

BUILD(symlink)
{
    UNUSED;
    return tp_request_symlink(path_of(s, w[1]), target_of(s, w[2]));
}

BUILD(symlink_in)
{
    UNUSED;
    return tp_request_symlink_in(fd_of(s, w[1]), name_of(s, w[2]), target_of(s, w[3]));
}

BUILD(read_link)
{
    return tp_request_read_link(
        path_of(s, w[1]), room_of(s, s->in, n == 3 ? number_of(s, w[2]) : TP_PATH_MAX));
}

BUILD(read_link_in)
{
    return tp_request_read_link_in(
        fd_of(s, w[1]), name_of(s, w[2]),
        room_of(s, s->in, n == 4 ? number_of(s, w[3]) : TP_PATH_MAX));
}

/* ------------------------------------------------------------------ the table */

struct verb {
    const char *name;
    uint32_t words_min, words_max; /* the verb itself included */
    struct tp_request (*build)(struct script *script, const char *const *words,
                               uint32_t count);
};

static const struct verb verbs[] = {
    {"nop", 1, 1, build_nop},
    {"open", 4, 4, build_open},
    {"open_in", 5, 5, build_open_in},
    {"close", 2, 2, build_close},
    {"read", 4, 4, build_read},
    {"read_skew", 4, 4, build_read_skew},
    {"write", 4, 4, build_write},
    {"write_skew", 4, 4, build_write_skew},
    {"fsync", 2, 2, build_fsync},
    {"fdatasync", 2, 2, build_fdatasync},
    {"truncate", 3, 3, build_truncate},
    {"fallocate", 4, 5, build_fallocate},
    {"find_data", 3, 3, build_find_data},
    {"set_mode", 3, 3, build_set_mode},
    {"lock", 2, 2, build_lock},
    {"fstat", 2, 2, build_fstat},
    {"stat", 2, 2, build_stat},
    {"lstat", 2, 2, build_lstat},
    {"stat_in", 3, 3, build_stat_in},
    {"rename", 3, 3, build_rename},
    {"rename_in", 5, 5, build_rename_in},
    {"remove", 2, 2, build_remove},
    {"remove_in", 3, 3, build_remove_in},
    {"mkdir", 2, 3, build_mkdir},
    {"mkdir_in", 3, 4, build_mkdir_in},
    {"mkdir_all", 2, 2, build_mkdir_all},
    {"rmdir", 2, 2, build_rmdir},
    {"rmdir_in", 3, 3, build_rmdir_in},
    {"sync_dir", 2, 2, build_sync_dir},
    {"symlink", 3, 3, build_symlink},
    {"symlink_in", 4, 4, build_symlink_in},
    {"read_link", 2, 3, build_read_link},
    {"read_link_in", 3, 4, build_read_link_in},
};

int32_t verb_build(struct script *script, const struct step *step,
                   struct tp_request *ret_request)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (step->count < verbs[i].words_min || step->count > verbs[i].words_max ||
            strcmp(step->words[0], verbs[i].name) != 0)
            continue;
        *ret_request = verbs[i].build(script, step->words, step->count);
        return script->broken ? -EINVAL : 0;
    }
    return -EINVAL;
}
