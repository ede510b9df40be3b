/** io/request.h - one operation, written down; a constructor for each kind.
 *
 * tp_io_submit() and tp_submit() take any of these, so a constructor is the only place that
 * knows which field means what. Paths are copied by the submission; every other pointer is
 * on loan until the completion is claimed. A length is at most TP_LEN_MAX for one
 * operation, as Linux caps it (read(2)); longer ones are shortened and come back as a short
 * count.
 *
 * Names: a function that takes a path resolves it as the system does, following symbolic
 * links. One whose name ends in `_in` takes an open directory and *one name* in it (no '/';
 * otherwise -EINVAL) and never follows a symbolic link of that name (open: -ELOOP).
 *
 * Path contract: the same file is always named by the same path. A backend need not
 * normalise, so "./a" and "a" may be two files; absolute canonical paths are the safe
 * habit.
 */
#ifndef TEMPEST_IO_REQUEST_H
#define TEMPEST_IO_REQUEST_H

#include "address.h"
#include "buf.h"
#include "fd.h"
#include "kind.h"

#include <string.h>

#define TP_LEN_MAX UINT32_C(0x7ffff000) /* bytes that one read or write moves at most */
#define TP_PATH_MAX \
    UINT32_C(4096) /* bytes of a path, its NUL included; else -ENAMETOOLONG */
#define TP_NAME_MAX UINT32_C(255) /* bytes of one name, without its NUL */

/** How to open. At least one of read and write; the last five but direct need write. */
struct tp_open_options {
    bool read;
    bool write;
    bool create;     /* make it (mode 0666 less the umask) if it is missing */
    bool create_new; /* make it; -EEXIST if it, or a symbolic link of its name, is there */
    bool truncate;   /* empty it */
    bool direct;     /* O_DIRECT: addresses, lengths and offsets aligned, no page cache */
    bool dsync;      /* O_DSYNC: a write completes when its data and the size it needs are
                        durable */
};

/** Why these options conflict, in words; NULL if they do not. Such an open gives -EINVAL.
 */
TP_BEGIN_DECLS
TP_EXPORT const char *tp_open_options_conflict(struct tp_open_options options);
TP_END_DECLS

enum tp_file_kind { TP_FILE_OTHER, TP_FILE_REGULAR, TP_FILE_DIRECTORY, TP_FILE_SYMLINK };

/** What is known of a file (statx(2)). Filled by the operation; lent until it is claimed.
 */
struct tp_statx {
    uint64_t size;      /* bytes */
    uint64_t allocated; /* bytes of storage used; less than size where there are holes */
    uint64_t inode, device; /* together they name the file on this machine */
    int64_t modified_ns;    /* wall clock, since 1970 */
    uint32_t kind;          /* enum tp_file_kind */
    uint32_t mode;          /* permission bits, 07777 */
    uint32_t links;
    uint32_t direct_align; /* offset and length alignment for direct I/O; 0: not possible */
    uint32_t direct_memory_align; /* address alignment for direct I/O; 0: not possible */
    uint32_t reserved[5];
};

/** A run of data in a file: what find_data found. */
struct tp_extent {
    uint64_t start, end; /* bytes; end is where the next hole begins (or the file ends) */
};

/** One entry of a directory, as list_dir packs them into a buffer; walk with tp_dir_next().
 */
struct tp_dir_entry {
    uint16_t record_len; /* bytes to the next entry, a multiple of 8 */
    uint16_t name_len;   /* bytes of the name that follows, without its NUL */
    uint32_t kind;       /* enum tp_file_kind; TP_FILE_OTHER may also mean "ask stat" */
};

/** The name of an entry: any bytes but '/' and NUL, NUL-terminated. */
static inline const char *tp_dir_entry_name(const struct tp_dir_entry *entry)
{
    return (const char *)(entry + 1);
}

/** The entry after `previous` (NULL: the first) in what list_dir filled; NULL at the end.
 */
static inline const struct tp_dir_entry *tp_dir_next(const struct tp_buf *buf,
                                                     const struct tp_dir_entry *previous)
{
    const uint8_t *at =
        previous == NULL ? buf->data : (const uint8_t *)previous + previous->record_len;
    return at >= buf->data + buf->len ? NULL
                                      : (const struct tp_dir_entry *)(const void *)at;
}

enum tp_datagram_flag {
    TP_TRUNCATED = 1, /* longer than the memory for it: what did not fit is gone (MSG_TRUNC
                         among the flags that recvmsg(2) returns) */
};

/** What is known of a datagram. Filled by recv_from; lent until it is claimed. */
struct tp_datagram {
    struct tp_address from; /* who has sent it, and where an answer goes */
    uint32_t flags;         /* enum tp_datagram_flag */
    uint32_t reserved;
};

enum tp_request_flag {
    TP_DATA_ONLY = 1,   /* fsync: the data and what is needed to read it (fdatasync) */
    TP_NO_FOLLOW = 2,   /* stat: a symbolic link itself, not what it names */
    TP_IN_DIR = 4,      /* `fd` is an open directory and `path` one name in it */
    TP_KEEP_SIZE = 8,   /* fallocate: the size stays */
    TP_SHUT_READ = 16,  /* shutdown: nothing more is received */
    TP_SHUT_WRITE = 32, /* shutdown: nothing more is sent; the peer reads its end (FIN) */
    TP_PEER = 64,       /* socket_address: of the other end */
};

/** What is set on a socket; all zero is the system's defaults. */
struct tp_socket_options {
    uint32_t recv_buffer_bytes; /* SO_RCVBUF; 0: as it is */
    uint32_t send_buffer_bytes; /* SO_SNDBUF; 0: as it is */
    uint16_t keep_alive_s;      /* probes after so much silence (TCP); 0: none */
    uint16_t backlog;           /* listen: connections not yet accepted; 0: 4096 */
    bool no_delay;              /* small segments go at once (TCP_NODELAY) */
    bool reuse_port;            /* listen, bind: others may share the port (SO_REUSEPORT) */
    bool v6_only;               /* listen, bind: an IPv6 socket knows nothing of IPv4 */
    bool reserved;
};

/** Signals, as a set; the same on every system. */
enum tp_signal {
    TP_SIGNAL_HUP = 1,
    TP_SIGNAL_INT = 2,
    TP_SIGNAL_TERM = 4,
    TP_SIGNAL_USR1 = 8,
    TP_SIGNAL_USR2 = 16,
};

struct tp_request {
    uint64_t handle; /* 1 to 2^56-1, unique among those in flight; the top 8 bits are the
                        backend's */
    uint16_t kind;   /* enum tp_kind */
    uint16_t flags;  /* enum tp_request_flag */
    uint32_t len;    /* bytes lent, wanted or written, by kind */
    struct tp_fd fd; /* the file, or the directory that `path` is in (TP_IN_DIR) */
    union {
        void *memory;     /* of the loan, where one buffer or struct is lent */
        const char *path; /* open, rename, remove, ..._dir, symlink */
        uint64_t target;  /* cancel: the handle to stop */
        uint64_t length;  /* truncate, fallocate: bytes */
        const struct tp_address *address; /* listen, connect, bind */
        const struct tp_buf *bufs;        /* send_bufs: `len` of them */
        int32_t (*work)(void *context);   /* offload */
        uint64_t signals;                 /* signal: a set of enum tp_signal */
    } a;
    union {
        uint64_t offset;  /* read, write, fallocate, find_data: bytes */
        const char *path; /* stat, read_link: the path; rename: to; symlink: target;
                             resolve: the name */
        struct tp_open_options options;   /* open */
        uint32_t mode;                    /* set_mode, create_dir */
        struct tp_socket_options socket;  /* listen, connect, bind, set_socket */
        const struct tp_address *address; /* send_to */
        struct tp_datagram *datagram;     /* recv_from */
        void *context;                    /* offload */
    } b;
    struct tp_fd to_dir; /* rename with TP_IN_DIR: the directory of the new name */
    struct tp_buf *buf;  /* whose `len` the claim sets; NULL where no tp_buf is lent */
};

static inline struct tp_request tp_request_of_(uint16_t kind)
{
    struct tp_request r;

    memset(&r, 0, sizeof r);
    r.kind = kind;
    return r;
}

/** The path that a kind with TP_TAKES_PATH is about. */
static inline const char *tp_request_path(const struct tp_request *request)
{
    return (tp_kind_info[request->kind].traits & TP_PATH_IN_B) != 0 ? request->b.path
                                                                    : request->a.path;
}

/** The address that a kind with TP_TAKES_ADDRESS is about. */
static inline const struct tp_address *tp_request_address(const struct tp_request *request)
{
    return (tp_kind_info[request->kind].traits & TP_ADDRESS_IN_B) != 0 ? request->b.address
                                                                       : request->a.address;
}

/** Does nothing and completes with 0. */
static inline struct tp_request tp_request_nop(void)
{
    return tp_request_of_(TP_NOP);
}

/** Opens a file or (read only) a directory. Result: a fd, through tp_into_fd(); or -errno.
 */
static inline struct tp_request tp_request_open(const char *path,
                                                struct tp_open_options options)
{
    struct tp_request r = tp_request_of_(TP_OPEN);

    r.a.path = path;
    r.b.options = options;
    return r;
}

/** Opens `name` in `dir`; a symbolic link of that name gives -ELOOP. */
static inline struct tp_request tp_request_open_in(struct tp_fd dir, const char *name,
                                                   struct tp_open_options options)
{
    struct tp_request r = tp_request_open(name, options);

    r.flags = TP_IN_DIR;
    r.fd = dir;
    return r;
}

/** Closes; the fd is gone from submission on, whatever the result (-EIO, -ENOSPC, -EDQUOT).
 */
static inline struct tp_request tp_request_close(struct tp_fd fd)
{
    struct tp_request r = tp_request_of_(TP_CLOSE);

    r.fd = fd;
    return r;
}

/** Reads up to buf->capacity bytes at `offset` into buf->data. Result: bytes, 0 at the end
 * of the file; short counts are normal. The claim sets buf->len. */
static inline struct tp_request tp_request_read_at(struct tp_fd fd, struct tp_buf *buf,
                                                   uint64_t offset)
{
    struct tp_request r = tp_request_of_(TP_READ);

    r.len = buf->capacity;
    r.fd = fd;
    r.a.memory = buf->data;
    r.b.offset = offset;
    r.buf = buf;
    return r;
}

/** Writes buf->len bytes of buf->data at `offset`. Result: bytes, perhaps fewer. */
static inline struct tp_request tp_request_write_at(struct tp_fd fd, struct tp_buf *buf,
                                                    uint64_t offset)
{
    struct tp_request r = tp_request_of_(TP_WRITE);

    r.len = buf->len;
    r.fd = fd;
    r.a.memory = buf->data;
    r.b.offset = offset;
    r.buf = buf;
    return r;
}

/** Makes a file's completed writes durable (fsync(2)); of a directory, its names. `flags`:
 * 0 or TP_DATA_ONLY. Writes still in flight are not covered. After an error the data count
 * as lost: a second fsync that gives 0 says nothing about them. */
static inline struct tp_request tp_request_fsync(struct tp_fd fd, uint16_t flags)
{
    struct tp_request r = tp_request_of_(TP_FSYNC);

    r.flags = flags;
    r.fd = fd;
    return r;
}

/** Fills `ret_statx`, which is lent until the claim. */
static inline struct tp_request tp_request_fstat(struct tp_fd fd,
                                                 struct tp_statx *ret_statx)
{
    struct tp_request r = tp_request_of_(TP_FSTAT);

    r.len = (uint32_t)sizeof *ret_statx;
    r.fd = fd;
    r.a.memory = ret_statx;
    return r;
}

/** The same by path. */
static inline struct tp_request tp_request_stat(const char *path,
                                                struct tp_statx *ret_statx)
{
    struct tp_request r = tp_request_of_(TP_STAT);

    r.len = (uint32_t)sizeof *ret_statx;
    r.a.memory = ret_statx;
    r.b.path = path;
    return r;
}

/** The same, of a symbolic link itself. */
static inline struct tp_request tp_request_lstat(const char *path,
                                                 struct tp_statx *ret_statx)
{
    struct tp_request r = tp_request_stat(path, ret_statx);

    r.flags = TP_NO_FOLLOW;
    return r;
}

/** Status of one name in a directory; a symbolic link is not followed. */
static inline struct tp_request tp_request_stat_in(struct tp_fd dir, const char *name,
                                                   struct tp_statx *ret_statx)
{
    struct tp_request r = tp_request_lstat(name, ret_statx);

    r.flags |= TP_IN_DIR;
    r.fd = dir;
    return r;
}

/** Sets the size; new bytes are zeros (ftruncate(2)). */
static inline struct tp_request tp_request_truncate(struct tp_fd fd, uint64_t length_bytes)
{
    struct tp_request r = tp_request_of_(TP_TRUNCATE);

    r.fd = fd;
    r.a.length = length_bytes;
    return r;
}

/** Reserves storage for a range (fallocate(2)), growing the size unless `flags` has
 * TP_KEEP_SIZE. -EINVAL for a length of 0. Reserved is not prewritten: see
 * docs/performance.md. */
static inline struct tp_request tp_request_fallocate(struct tp_fd fd, uint64_t offset,
                                                     uint64_t length_bytes, uint16_t flags)
{
    struct tp_request r = tp_request_of_(TP_FALLOCATE);

    r.flags = flags;
    r.fd = fd;
    r.a.length = length_bytes;
    r.b.offset = offset;
    return r;
}

/** Finds the first run of data that ends after `offset` (lseek(2), SEEK_DATA and
 * SEEK_HOLE). Result: 1 and `ret_extent` (starting at `offset` or later), or 0: only a hole
 * is left. What was written is in such a run. So may be what was not: the rest of its
 * block; and on btrfs a block of a hole, if the file ended within it before it grew. */
static inline struct tp_request tp_request_find_data(struct tp_fd fd, uint64_t offset,
                                                     struct tp_extent *ret_extent)
{
    struct tp_request r = tp_request_of_(TP_FIND_DATA);

    r.len = (uint32_t)sizeof *ret_extent;
    r.fd = fd;
    r.a.memory = ret_extent;
    r.b.offset = offset;
    return r;
}

/** Sets the permission bits (07777), umask not applied (fchmod(2)). */
static inline struct tp_request tp_request_set_mode(struct tp_fd fd, uint32_t mode)
{
    struct tp_request r = tp_request_of_(TP_SET_MODE);

    r.fd = fd;
    r.b.mode = mode;
    return r;
}

/** Takes the lock of the file or directory, which one open of it at a time can have
 * (flock(2), exclusive, never waiting). Result: 0, also when this open has it already;
 * -EAGAIN: another one has it, of this process or not. It is given back when the fd has
 * been closed and nothing is in flight on it any more, and when the process has ended,
 * which may be a moment after its successor has started: try again for a while. A lock
 * keeps nobody from reading, writing, renaming or removing the file. */
static inline struct tp_request tp_request_lock(struct tp_fd fd)
{
    struct tp_request r = tp_request_of_(TP_LOCK);

    r.fd = fd;
    return r;
}

/** The next entries of an open directory, packed into `buf` (see tp_dir_entry), in no
 * particular order, without those for itself ("." and ".."). Result: bytes, 0 at the end,
 * -EINVAL if `buf` is too small for one entry (sizeof(struct tp_dir_entry) + TP_NAME_MAX +
 * 8 always suffices; the memory must be aligned to 8). The position belongs to the fd; open
 * again to start over. */
static inline struct tp_request tp_request_list_dir(struct tp_fd dir, struct tp_buf *buf)
{
    struct tp_request r = tp_request_of_(TP_LIST_DIR);

    r.len = buf->capacity;
    r.fd = dir;
    r.a.memory = buf->data;
    r.buf = buf;
    return r;
}

/** Renames, replacing what `to` names (rename(2)). Atomic in itself; durable only after the
 * directories are synced. */
static inline struct tp_request tp_request_rename(const char *from, const char *to)
{
    struct tp_request r = tp_request_of_(TP_RENAME);

    r.a.path = from;
    r.b.path = to;
    return r;
}

/** The same, from a name in one directory to a name in another. */
static inline struct tp_request tp_request_rename_in(struct tp_fd dir, const char *name,
                                                     struct tp_fd to_dir,
                                                     const char *to_name)
{
    struct tp_request r = tp_request_rename(name, to_name);

    r.flags = TP_IN_DIR;
    r.fd = dir;
    r.to_dir = to_dir;
    return r;
}

/** Kinds whose whole argument is one path, or one name in a directory. */
static inline struct tp_request tp_request_path_(uint16_t kind, const char *path)
{
    struct tp_request r = tp_request_of_(kind);

    r.a.path = path;
    return r;
}

static inline struct tp_request tp_request_name_(uint16_t kind, struct tp_fd dir,
                                                 const char *name)
{
    struct tp_request r = tp_request_path_(kind, name);

    r.flags = TP_IN_DIR;
    r.fd = dir;
    return r;
}

/** Removes a name that is not a directory's (unlink(2); -EISDIR). An open file lives on. */
static inline struct tp_request tp_request_remove(const char *path)
{
    return tp_request_path_(TP_REMOVE, path);
}

/** The same, of one name in a directory. */
static inline struct tp_request tp_request_remove_in(struct tp_fd dir, const char *name)
{
    return tp_request_name_(TP_REMOVE, dir, name);
}

/** Makes a directory, mode less the umask (mkdir(2)). */
static inline struct tp_request tp_request_create_dir(const char *path, uint32_t mode)
{
    struct tp_request r = tp_request_path_(TP_CREATE_DIR, path);

    r.b.mode = mode;
    return r;
}

/** The same, as one name in a directory. */
static inline struct tp_request tp_request_create_dir_in(struct tp_fd dir, const char *name,
                                                         uint32_t mode)
{
    struct tp_request r = tp_request_name_(TP_CREATE_DIR, dir, name);

    r.b.mode = mode;
    return r;
}

/** Makes a directory and those above it that are missing, mode 0777 less the umask; 0 if it
 * is there already, -ENOTDIR or -EEXIST if something else is in the way. */
static inline struct tp_request tp_request_create_dir_all(const char *path)
{
    return tp_request_path_(TP_CREATE_DIR_ALL, path);
}

/** Removes an empty directory (rmdir(2); -ENOTEMPTY, -ENOTDIR). */
static inline struct tp_request tp_request_remove_dir(const char *path)
{
    return tp_request_path_(TP_REMOVE_DIR, path);
}

/** The same, of one name in a directory. */
static inline struct tp_request tp_request_remove_dir_in(struct tp_fd dir, const char *name)
{
    return tp_request_name_(TP_REMOVE_DIR, dir, name);
}

/** Makes the names in a directory durable: open, fsync, close in one. -ENOTDIR. */
static inline struct tp_request tp_request_sync_dir(const char *path)
{
    return tp_request_path_(TP_SYNC_DIR, path);
}

/** Makes a symbolic link called `path` that names `target` (symlink(2)). */
static inline struct tp_request tp_request_symlink(const char *path, const char *target)
{
    struct tp_request r = tp_request_path_(TP_SYMLINK, path);

    r.b.path = target;
    return r;
}

/** The same, as one name in a directory. */
static inline struct tp_request tp_request_symlink_in(struct tp_fd dir, const char *name,
                                                      const char *target)
{
    struct tp_request r = tp_request_name_(TP_SYMLINK, dir, name);

    r.b.path = target;
    return r;
}

/** What a symbolic link names, without a NUL (readlink(2)). Result: bytes; a target longer
 * than the buffer is cut; -EINVAL if it is no symbolic link. */
static inline struct tp_request tp_request_read_link(const char *path, struct tp_buf *buf)
{
    struct tp_request r = tp_request_of_(TP_READ_LINK);

    r.len = buf->capacity;
    r.a.memory = buf->data;
    r.b.path = path;
    r.buf = buf;
    return r;
}

/** The same, of one name in a directory. */
static inline struct tp_request tp_request_read_link_in(struct tp_fd dir, const char *name,
                                                        struct tp_buf *buf)
{
    struct tp_request r = tp_request_read_link(name, buf);

    r.flags = TP_IN_DIR;
    r.fd = dir;
    return r;
}

/** Asks the operation `target` to stop. Result: 0 if it was found (it may succeed all the
 * same), -ENOENT if not, -EALREADY if it can no longer be stopped. The target completes by
 * itself, with -ECANCELED if it was stopped. With handle 0 nobody waits for the outcome: no
 * completion. */
static inline struct tp_request tp_request_cancel(uint64_t target)
{
    struct tp_request r = tp_request_of_(TP_CANCEL);

    r.a.target = target;
    return r;
}

#endif
