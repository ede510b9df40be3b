#include "vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "io/virtual/random.h"

enum { REGIONS_MAX = 64, PATH_BYTES = 256, SECTOR_BYTES = 4096 };

/* An open file; SQLite allocates it and looks at its first member. */
struct file {
    sqlite3_file base;
    struct tp_fd fd;
    int lock;
    bool syncs_dir; /* a journal whose name is not durable yet */
    bool is_temporary;
    char path[PATH_BYTES];
    void *regions[REGIONS_MAX]; /* the index of a write-ahead log: memory of one process */
};

static struct tp_io *io;
static struct tp_rng rng;
static uint32_t temporaries;

/* What operations are lent: SQLite's own memory is used again when a call has failed, and
 * an operation that the power cut left in flight still has what it was lent. */
static uint8_t lent[65536];
static struct tp_statx statx;
static bool is_dead;
static uint32_t lapses;

/* Runs an operation to its end. -ESHUTDOWN: the Io is dead, or has just died. */
static int32_t run_one(struct tp_request request)
{
    int32_t value = is_dead ? -ESHUTDOWN : tp_io_block_on(io, request);

    is_dead = is_dead || value == -ESHUTDOWN;
    return value;
}

static struct file *of(sqlite3_file *file)
{
    return (struct file *)(void *)file;
}

/* ------------------------------------------------------------------ bytes */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int file_read(sqlite3_file *file, void *memory, int len, sqlite3_int64 offset)
{
    uint32_t done = 0;

    while (done < (uint32_t)len) {
        struct tp_buf buf = tp_buf_empty(lent, least((uint32_t)len - done, sizeof lent));
        int32_t value =
            run_one(tp_request_read_at(of(file)->fd, &buf, (uint64_t)offset + done));

        if (value < 0)
            return SQLITE_IOERR_READ;
        if (value == 0)
            break;
        memcpy((uint8_t *)memory + done, lent, (size_t)value);
        done += (uint32_t)value;
    }
    memset((uint8_t *)memory + done, 0, (uint32_t)len - done);
    return done == (uint32_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *memory, int len, sqlite3_int64 offset)
{
    uint32_t done = 0;

    while (done < (uint32_t)len && !is_dead) {
        struct tp_buf buf = tp_buf_full(lent, least((uint32_t)len - done, sizeof lent));
        int32_t value;

        memcpy(lent, (const uint8_t *)memory + done, buf.len);
        value = run_one(tp_request_write_at(of(file)->fd, &buf, (uint64_t)offset + done));
        if (value == -ENOSPC)
            return SQLITE_FULL;
        if (value <= 0)
            return SQLITE_IOERR_WRITE;
        done += (uint32_t)value;
    }
    return is_dead ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int32_t value = run_one(tp_request_truncate(of(file)->fd, (uint64_t)size));

    return value == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

/* The directory of a path, as a string of its own. */
static void dir_of(const char *path, char ret_dir[PATH_BYTES])
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] != '/')
        len--;
    memcpy(ret_dir, path, len);
    ret_dir[len] = '\0';
}

static int32_t sync_dir(const char *dir)
{
    return (lapses & VFS_FORGETS_DIRS) != 0 ? 0 : run_one(tp_request_sync_dir(dir));
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct file *f = of(file);
    uint16_t data_only = (flags & SQLITE_SYNC_DATAONLY) != 0 ? TP_DATA_ONLY : 0;
    char dir[PATH_BYTES];

    if (run_one(tp_request_fsync(f->fd, data_only)) < 0)
        return SQLITE_IOERR_FSYNC;
    if (!f->syncs_dir)
        return SQLITE_OK;
    dir_of(f->path, dir);
    if (sync_dir(dir) < 0)
        return SQLITE_IOERR_DIR_FSYNC;
    f->syncs_dir = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    if (run_one(tp_request_fstat(of(file)->fd, &statx)) < 0)
        return SQLITE_IOERR_FSTAT;
    *ret_size = (sqlite3_int64)statx.size;
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ locks, the WAL's index
 */

/* One connection: there is nobody to keep out. */
static int file_lock(sqlite3_file *file, int level)
{
    of(file)->lock = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *file, int *ret_is_reserved)
{
    *ret_is_reserved = of(file)->lock >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    (void)file;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR_BYTES;
}

/* What the unix VFS says by default: bytes beside those written are not hurt. */
static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return (lapses & VFS_TEARS) != 0 ? 0 : SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shm_map(sqlite3_file *file, int region, int size, int extends,
                   void volatile **ret_memory)
{
    struct file *f = of(file);

    if (region >= REGIONS_MAX)
        return SQLITE_IOERR_SHMSIZE;
    if (f->regions[region] == NULL && extends != 0) {
        f->regions[region] = sqlite3_malloc(size);
        if (f->regions[region] == NULL)
            return SQLITE_NOMEM;
        memset(f->regions[region], 0, (size_t)size);
    }
    *ret_memory = f->regions[region];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    (void)file;
    (void)first;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static int shm_unmap(sqlite3_file *file, int is_deleted)
{
    (void)is_deleted;
    for (uint32_t region = 0; region < REGIONS_MAX; region++) {
        sqlite3_free(of(file)->regions[region]);
        of(file)->regions[region] = NULL;
    }
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ files and names */

static int file_close(sqlite3_file *file)
{
    struct file *f = of(file);

    (void)shm_unmap(file, 1);
    (void)run_one(tp_request_close(f->fd));
    if (f->is_temporary)
        (void)run_one(tp_request_remove(f->path));
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    const int journals =
        SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    struct tp_open_options options = {.read = true};
    struct file *f = of(file);
    int32_t value;

    (void)vfs;
    memset(f, 0, sizeof *f);
    options.write = (flags & SQLITE_OPEN_READWRITE) != 0;
    options.create = (flags & SQLITE_OPEN_CREATE) != 0;
    options.create_new = options.create && (flags & SQLITE_OPEN_EXCLUSIVE) != 0;
    f->is_temporary = path == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (path == NULL)
        sqlite3_snprintf(PATH_BYTES, f->path, "/temporary-%u", ++temporaries);
    else
        sqlite3_snprintf(PATH_BYTES, f->path, "%s", path);
    value = run_one(tp_request_open(f->path, options));
    if (value < 0)
        return SQLITE_CANTOPEN;
    f->fd = tp_io_into_fd(io, value);
    f->syncs_dir = options.create && (flags & journals) != 0;
    f->base.pMethods = &methods;
    if (ret_flags != NULL)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_dir)
{
    int32_t value = run_one(tp_request_remove(path));
    char dir[PATH_BYTES];

    (void)vfs;
    if (value == -ENOENT)
        return SQLITE_IOERR_DELETE_NOENT;
    if (value < 0)
        return SQLITE_IOERR_DELETE;
    dir_of(path, dir);
    if (syncs_dir != 0 && sync_dir(dir) < 0)
        return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret_is_there)
{
    int32_t value = run_one(tp_request_stat(path, &statx));

    (void)vfs;
    if (value < 0 && value != -ENOENT)
        return SQLITE_IOERR_ACCESS;
    /* As the unix VFS: an empty file is none, where only its existence is asked for. */
    *ret_is_there = value == 0 && (flags != SQLITE_ACCESS_EXISTS || statx.size > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *ret_path)
{
    (void)vfs;
    sqlite3_snprintf(size, ret_path, "%s%s", path[0] == '/' ? "" : "/", path);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int len, char *ret_bytes)
{
    (void)vfs;
    for (int i = 0; i < len; i++)
        ret_bytes[i] = (char)(tp_rng_next(&rng) >> 56);
    return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_milliseconds)
{
    (void)vfs;
    *ret_milliseconds = INT64_C(210866760000000); /* one moment, in Julian days */
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int len, char *ret_text)
{
    (void)vfs;
    (void)len;
    (void)ret_text;
    return 0;
}

void vfs_use(struct tp_io *use, uint64_t seed, uint32_t flags)
{
    io = use;
    lapses = flags;
    is_dead = false;
    rng = tp_rng_make(seed, 0);
    sqlite3_randomness(0, NULL); /* its generator starts anew, from ours */
}

int vfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct file),
        .mxPathname = PATH_BYTES - 1,
        .zName = VFS_NAME,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTimeInt64 = vfs_time,
        .xGetLastError = vfs_last_error,
    };

    return sqlite3_vfs_register(&vfs, 1); /* the default: chance comes from that one */
}
