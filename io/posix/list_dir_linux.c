#include "system_internal.h"

#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"

#define CHUNK_BYTES 32768U

/* An entry as getdents64(2) gives it. */
struct raw_entry {
    uint64_t inode;
    int64_t next_position;
    uint16_t record_len;
    uint8_t type;
    char name[];
};

/* Entries in our form on their way to the lent memory. */
struct packed {
    uint32_t used, capacity;
    uint64_t bytes[CHUNK_BYTES / 8];
};

static enum tp_file_kind kind_of(uint8_t type)
{
    switch (type) {
    case DT_REG:
        return TP_FILE_REGULAR;
    case DT_DIR:
        return TP_FILE_DIRECTORY;
    case DT_LNK:
        return TP_FILE_SYMLINK;
    default:
        return TP_FILE_OTHER;
    }
}

/* False if the entry does not fit. */
static bool pack(struct packed *packed, const struct raw_entry *raw)
{
    const size_t name_len = strlen(raw->name);
    const uint32_t len =
        (uint32_t)(sizeof(struct tp_dir_entry) + name_len + 1 + 7) & ~UINT32_C(7);
    struct tp_dir_entry entry = {(uint16_t)len, (uint16_t)name_len, kind_of(raw->type)};
    uint8_t *at = (uint8_t *)packed->bytes + packed->used;

    if (len > packed->capacity - packed->used)
        return false;
    memset(at + len - 8, 0, 8); /* the NUL, and no old bytes behind it */
    memcpy(at, &entry, sizeof entry);
    memcpy(at + sizeof entry, raw->name, name_len);
    packed->used += len;
    return true;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Packs the entries of one chunk. What does not fit is left for the next operation, by
 * moving the directory's position back to it: `position` is that of the first entry here.
 */
static int32_t pack_chunk(struct packed *packed, int fd, const uint8_t *chunk, uint32_t len,
                          off_t position)
{
    for (uint32_t at = 0; at < len;) {
        const struct raw_entry *raw = (const struct raw_entry *)(const void *)(chunk + at);

        tp_assert(raw->record_len > 0 && raw->record_len <= len - at);
        if (!is_dot(raw->name) && !pack(packed, raw)) {
            if (lseek(fd, position, SEEK_SET) < 0)
                return -errno;
            return packed->used > 0 ? (int32_t)packed->used : -EINVAL;
        }
        position = (off_t)raw->next_position;
        at += raw->record_len;
    }
    return (int32_t)packed->used;
}

int32_t tp_posix_list_dir(const struct tp_request *request)
{
    const int fd = (int)request->fd.number;
    uint64_t chunk[CHUNK_BYTES / 8];
    struct packed packed;
    int32_t result;
    uint32_t ask;

    /* The kernel's entries are at most twice as long as ours. */
    ask = request->len < CHUNK_BYTES / 2 ? request->len * 2 : CHUNK_BYTES;
    if (ask < 1024)
        ask = 1024;
    packed.used = 0;
    packed.capacity = request->len < CHUNK_BYTES ? request->len : CHUNK_BYTES;
    do {
        off_t position = lseek(fd, 0, SEEK_CUR);
        long len = syscall(SYS_getdents64, fd, chunk, ask);

        if (position < 0 || len < 0)
            return -errno;
        if (len == 0)
            return 0;
        result = pack_chunk(&packed, fd, (const uint8_t *)chunk, (uint32_t)len, position);
    } while (result == 0); /* there were only "." and ".." */
    if (result > 0)
        tp_posix_store(request->a.memory, packed.bytes, (uint32_t)result);
    return result;
}
