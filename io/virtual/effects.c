/* What each kind of operation does, at the moment at which it takes effect. */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"
#include "io/loans.h"

int64_t tp_effect_wall_ns(const struct tp_virtual *v)
{
    return (int64_t)tp_clock_wall_ns(v);
}

static struct tp_vfile *file_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file);
}

static uint32_t kind_of(const struct tp_virtual *v, const struct tp_vfile *file)
{
    return tp_inode_at(v->disk, file->inode)->kind;
}

static const char *path_of(const struct tp_virtual *v, const struct tp_flight *f,
                           uint32_t which)
{
    return tp_texts_at(&v->texts, f->path[which]);
}

static bool is_in_dir(const struct tp_flight *f)
{
    return (f->request.flags & TP_IN_DIR) != 0;
}

/* The directory from which the path starts. */
static uint32_t start_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return is_in_dir(f) ? file_of(v, f)->inode : TP_ROOT;
}

void tp_effect_give(struct tp_virtual *v, const struct tp_flight *f, const void *bytes,
                    size_t len)
{
    tp_loans_open(&v->io, f->request.handle);
    memcpy(f->request.a.memory, bytes, len);
    tp_loans_close(&v->io, f->request.handle);
}

/* ------------------------------------------------------------------ data */

static bool is_misaligned(const struct tp_virtual *v, const struct tp_flight *f)
{
    uint64_t all = f->request.b.offset | f->request.len | (uintptr_t)f->request.a.memory;

    return all % v->disk->config.sector_bytes != 0;
}

/* The bytes to move: all, or what a fault or a cancel lets through. */
static uint32_t len_of(const struct tp_flight *f)
{
    return f->limit != 0 ? f->limit : f->request.len;
}

static int32_t effect_read(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    uint64_t offset = f->request.b.offset;
    uint64_t done, len;

    if (!file->read)
        return -EBADF;
    if (kind_of(v, file) == TP_FILE_DIRECTORY)
        return -EISDIR;
    if (f->request.len > INT64_MAX - offset)
        return -EINVAL;
    if (f->request.len == 0 || offset >= tp_inode_at(v->disk, file->inode)->size)
        return 0;
    if (file->direct && is_misaligned(v, f))
        return -EINVAL;
    len = len_of(f);
    if (v->disk->bad_slots != 0)
        len = tp_damage_readable(v->disk, file->inode, offset, len, file->direct);
    if (len == 0)
        return -EIO;
    tp_loans_open(&v->io, f->request.handle);
    done = tp_data_read(v->disk, file->inode, offset, f->request.a.memory, len);
    tp_loans_close(&v->io, f->request.handle);
    if (v->traces)
        f->payload = tp_data_hash(v->disk, file->inode, offset, done);
    return (int32_t)done;
}

int32_t tp_effect_write_check(const struct tp_virtual *v, const struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);

    if (!file->write)
        return -EBADF;
    if (f->request.len > INT64_MAX - f->request.b.offset)
        return -EINVAL;
    return file->direct && f->request.len > 0 && is_misaligned(v, f) ? -EINVAL : 0;
}

static int32_t effect_write(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    uint64_t offset = f->request.b.offset;
    uint64_t len = len_of(f);
    int64_t done = tp_effect_write_check(v, f);

    if (done < 0)
        return (int32_t)done;
    if (v->disk->bad_slots != 0 && len > 0 && !file->direct) {
        len = tp_damage_writable(v->disk, file->inode, offset, len);
        if (len == 0)
            return -EIO;
    }
    done =
        tp_data_write(v->disk, file->inode, offset, f->request.a.memory, len, file->direct);
    if (done <= 0)
        return (int32_t)done;
    if (v->traces)
        f->payload = tp_data_hash(v->disk, file->inode, offset, (uint64_t)done);
    tp_inode_modified(v->disk, file->inode, tp_effect_wall_ns(v));
    if (file->dsync)
        tp_media_sync_range(v->disk, file->inode, offset, (uint64_t)done);
    tp_media_writeback(v->disk, file->inode, v->tape, v->config.node);
    return (int32_t)done;
}

static int32_t effect_truncate(struct tp_virtual *v, const struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    int32_t error;

    if (!file->write)
        return -EINVAL;
    if (v->disk->bad_slots != 0 && f->request.a.length % TP_PAGE_BYTES != 0 &&
        tp_damage_writable(v->disk, file->inode, f->request.a.length, 1) == 0)
        return -EIO; /* the page that the end comes to lie in is written in part */
    error = tp_data_truncate(v->disk, file->inode, f->request.a.length);
    if (error == 0)
        tp_inode_modified(v->disk, file->inode, tp_effect_wall_ns(v));
    return error;
}

static int32_t effect_fallocate(struct tp_virtual *v, const struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    int32_t error;

    if (!file->write)
        return -EBADF;
    error = tp_data_fallocate(v->disk, file->inode, f->request.b.offset,
                              f->request.a.length, (f->request.flags & TP_KEEP_SIZE) != 0);
    if (error == 0)
        tp_inode_modified(v->disk, file->inode, tp_effect_wall_ns(v));
    return error;
}

static int32_t effect_find_data(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    struct tp_extent extent;
    uint64_t words[2];
    int32_t found;

    if (kind_of(v, file) != TP_FILE_REGULAR)
        return -EINVAL;
    found = tp_data_find(v->disk, file->inode, f->request.b.offset, &extent);
    if (found == 0)
        return 0;
    words[0] = extent.start;
    words[1] = extent.end;
    f->payload = tp_hash_words(words, 2, 0);
    tp_effect_give(v, f, &extent, sizeof extent);
    return 1;
}

static int32_t effect_set_mode(struct tp_virtual *v, const struct tp_flight *f)
{
    tp_inode_at(v->disk, file_of(v, f)->inode)->mode = f->request.b.mode & 07777;
    return 0;
}

static int32_t stat_inode(struct tp_virtual *v, struct tp_flight *f, uint32_t inode)
{
    struct tp_statx statx;

    tp_inode_stat(v->disk, inode, &statx);
    f->payload = tp_trace_statx(&statx);
    tp_effect_give(v, f, &statx, sizeof statx);
    return 0;
}

/* ------------------------------------------------------------------ directories */

/* Packs entries from the position of the description on; the position moves past them. */
static int32_t pack_entries(struct tp_virtual *v, struct tp_flight *f,
                            struct tp_vfile *file)
{
    uint8_t *to = f->request.a.memory;
    uint32_t used = 0;
    uint32_t entry;

    while ((entry = tp_names_next(v->disk, TP_IN_MEMORY, file->inode, file->cookie,
                                  file->hint)) != 0) {
        const struct tp_entry *e = tp_entry_at(v->disk, TP_IN_MEMORY, entry);
        const char *name = tp_texts_at(&v->disk->texts, e->name);
        uint32_t len = ((uint32_t)sizeof(struct tp_dir_entry) + e->name_len + 1 + 7) & ~7U;
        struct tp_dir_entry head = {(uint16_t)len, (uint16_t)e->name_len,
                                    tp_inode_kind(v->disk, e->inode)};

        if (len > f->request.len - used)
            return used > 0 ? (int32_t)used : -EINVAL;
        memset(to + used, 0, len);
        memcpy(to + used, &head, sizeof head);
        memcpy(to + used + sizeof head, name, e->name_len);
        f->payload = tp_hash(name, e->name_len, f->payload ^ head.kind);
        used += len;
        file->cookie = e->cookie;
        file->hint = entry;
    }
    return (int32_t)used;
}

static int32_t effect_list_dir(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_vfile *file = file_of(v, f);
    int32_t result;

    if (kind_of(v, file) != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    if (tp_inode_is_dead(v->disk, file->inode))
        return -ENOENT;
    tp_loans_open(&v->io, f->request.handle);
    result = pack_entries(v, f, file);
    tp_loans_close(&v->io, f->request.handle);
    return result;
}

static int32_t effect_read_link(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_inode *link;
    uint32_t len;
    int64_t inode;

    if (f->request.len == 0)
        return -EINVAL;
    inode = tp_path_find(v->disk, start_of(v, f), path_of(v, f, 0), TP_WALK_NO_FOLLOW);
    if (inode < 0)
        return (int32_t)inode;
    link = tp_inode_at(v->disk, (uint32_t)inode);
    if (link->kind != TP_FILE_SYMLINK)
        return -EINVAL;
    len = link->size < f->request.len ? (uint32_t)link->size : f->request.len;
    f->payload = tp_hash(tp_texts_at(&v->disk->texts, link->target), len, 0);
    tp_effect_give(v, f, tp_texts_at(&v->disk->texts, link->target), len);
    return (int32_t)len;
}

static int32_t effect_stat(struct tp_virtual *v, struct tp_flight *f)
{
    bool follows = (f->request.flags & (TP_NO_FOLLOW | TP_IN_DIR)) == 0;
    int64_t inode = tp_path_find(v->disk, start_of(v, f), path_of(v, f, 0),
                                 follows ? TP_WALK_FOLLOW : TP_WALK_NO_FOLLOW);

    return inode < 0 ? (int32_t)inode : stat_inode(v, f, (uint32_t)inode);
}

static int32_t effect_sync_dir(struct tp_virtual *v, const struct tp_flight *f)
{
    int64_t inode = tp_path_find(v->disk, TP_ROOT, path_of(v, f, 0), TP_WALK_FOLLOW);

    if (inode < 0)
        return (int32_t)inode;
    if (tp_inode_at(v->disk, (uint32_t)inode)->kind != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    tp_media_sync(v->disk, (uint32_t)inode, false);
    return 0;
}

/* ------------------------------------------------------------------ names */

static int32_t effect_open(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t number = tp_files_lowest(v);
    int64_t inode;

    if (number == UINT32_MAX)
        return -EMFILE;
    inode = tp_tree_open(v->disk, start_of(v, f), path_of(v, f, 0), f->request.b.options,
                         is_in_dir(f), tp_effect_wall_ns(v));
    if (inode < 0)
        return (int32_t)inode;
    tp_files_open(v, number, (uint32_t)inode, f->request.b.options);
    return (int32_t)number;
}

static int32_t effect_rename(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t to_start = is_in_dir(f) ? tp_vfile_at(v, f->to_file)->inode : TP_ROOT;

    if (is_in_dir(f) && tp_vfile_at(v, f->to_file)->is_socket)
        return -ENOTDIR;
    return tp_tree_rename(v->disk, start_of(v, f), path_of(v, f, 0), to_start,
                          path_of(v, f, 1), tp_effect_wall_ns(v));
}

static int32_t effect_name(struct tp_virtual *v, const struct tp_flight *f)
{
    struct tp_disk *disk = v->disk;
    uint32_t start = start_of(v, f);
    const char *path = path_of(v, f, 0);

    switch (f->request.kind) {
    case TP_OPEN:
        return effect_open(v, f);
    case TP_RENAME:
        return effect_rename(v, f);
    case TP_REMOVE:
        return tp_tree_remove(disk, start, path, tp_effect_wall_ns(v));
    case TP_CREATE_DIR:
        return tp_tree_make_dir(disk, start, path, f->request.b.mode, tp_effect_wall_ns(v));
    case TP_CREATE_DIR_ALL:
        return tp_tree_make_dir_all(disk, path, tp_effect_wall_ns(v));
    case TP_REMOVE_DIR:
        return tp_tree_remove_dir(disk, start, path, tp_effect_wall_ns(v));
    case TP_SYMLINK:
        return tp_tree_symlink(disk, start, path, path_of(v, f, 1), tp_effect_wall_ns(v));
    default:
        tp_unreachable();
    }
}

/* The same, and perhaps some of the names go down to the media. */
static int32_t effect_name_logged(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t result = effect_name(v, f);

    tp_name_log_writeback(v->disk, v->tape, v->config.node);
    return result;
}

static int32_t effect_fsync(struct tp_virtual *v, const struct tp_flight *f)
{
    struct tp_vfile *file = file_of(v, f);

    if (!tp_media_syncs_in_vain(v->disk, file->inode))
        tp_media_sync(v->disk, file->inode, (f->request.flags & TP_DATA_ONLY) != 0);
    return tp_inode_error(v->disk, file->inode, &file->error_since);
}

/* ------------------------------------------------------------------ all */

static int32_t effect_close(struct tp_virtual *v, const struct tp_flight *f)
{
    tp_files_close(v, f->number);
    return 0;
}

static int32_t effect_of_kind(struct tp_virtual *v, struct tp_flight *f)
{
    switch ((enum tp_kind)f->request.kind) {
    case TP_NOP:
        return 0;
    case TP_CLOSE:
        return effect_close(v, f);
    case TP_READ:
        return effect_read(v, f);
    case TP_WRITE:
        return effect_write(v, f);
    case TP_FSYNC:
        return effect_fsync(v, f);
    case TP_FSTAT:
        return stat_inode(v, f, file_of(v, f)->inode);
    case TP_TRUNCATE:
        return effect_truncate(v, f);
    case TP_FALLOCATE:
        return effect_fallocate(v, f);
    case TP_FIND_DATA:
        return effect_find_data(v, f);
    case TP_SET_MODE:
        return effect_set_mode(v, f);
    case TP_LIST_DIR:
        return effect_list_dir(v, f);
    case TP_LOCK:
        return tp_inode_lock(v->disk, file_of(v, f)->inode, &file_of(v, f)->lock);
    case TP_STAT:
        return effect_stat(v, f);
    case TP_SYNC_DIR:
        return effect_sync_dir(v, f);
    case TP_READ_LINK:
        return effect_read_link(v, f);
    case TP_CANCEL:
        return tp_cancel_effect(v, f->request.a.target);
    case TP_OPEN:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR:
    case TP_CREATE_DIR_ALL:
    case TP_REMOVE_DIR:
    case TP_SYMLINK:
        return effect_name_logged(v, f);
    case TP_LISTEN:
    case TP_CONNECT:
    case TP_ACCEPT:
    case TP_RECV:
    case TP_SEND:
    case TP_SEND_BUFS:
    case TP_SHUTDOWN:
    case TP_SET_SOCKET:
    case TP_SOCKET_ADDRESS:
        return tp_socket_effect(v, f);
    case TP_RESOLVE:
    case TP_OFFLOAD:
    case TP_SIGNAL:
        return tp_service_effect(v, f);
    case TP_BIND:
    case TP_SEND_TO:
    case TP_RECV_FROM:
        return tp_datagram_effect(v, f);
    case TP_ACCEPT_MANY: /* see waits.c */
    case TP_RECV_MANY:
    case TP_TIMER:
    case TP_CHILD:
    case TP_KINDS:
        break;
    }
    return -EOPNOTSUPP;
}

int32_t tp_effect_plain(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t refused;

    if (f->file != 0 && file_of(v, f)->is_socket && f->request.kind < TP_LISTEN &&
        f->request.kind != TP_CLOSE)
        return tp_socket_as_file(v, f);
    if (v->disk->journal != TP_JOURNAL_FINE && tp_disk_refuses(v, f, &refused))
        return refused;
    return effect_of_kind(v, f);
}

/* What an operation does although it fails. */
static void effect_failed(struct tp_virtual *v, struct tp_flight *f)
{
    if (f->request.kind == TP_CLOSE) {
        tp_files_close(v, f->number);
    } else if (f->request.kind == TP_FSYNC && f->fail != -ECANCELED && f->fail != -EINTR &&
               !file_of(v, f)->is_socket) {
        struct tp_vfile *file = file_of(v, f);

        tp_media_sync_failed(v->disk, file->inode);
        tp_inode_fail(v->disk, file->inode, f->fail);
        (void)tp_inode_error(v->disk, file->inode, &file->error_since);
    } else {
        tp_socket_effect_failed(v, f);
    }
}

/* A read past the page cache shows what was lost on its way down, however long ago. */
static bool sees_loss(const struct tp_virtual *v, const struct tp_flight *f)
{
    return f->request.kind == TP_READ && f->file != 0 && !file_of(v, f)->is_socket &&
           tp_fault_is_direct(v, f) && tp_inode_at(v->disk, file_of(v, f)->inode)->diverged;
}

int32_t tp_effect(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t result;

    if (v->checks)
        tp_flight_check_loan(v, f);
    tp_fault_try(v, f);
    if (f->fail == 0 && (v->disk_faults || sees_loss(v, f)) && tp_disk_fault(v, f, &result))
        return result;
    if (f->fail == 0)
        return tp_effect_plain(v, f);
    effect_failed(v, f);
    return f->fail;
}
