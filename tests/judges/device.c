#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_make(const char *dir, const char *name, uint64_t size_bytes)
{
    char path[256];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 && ftruncate(fd, (off_t)size_bytes) < 0) {
        (void)close(fd);
        return -errno;
    }
    return fd < 0 ? -errno : fd;
}

/* Memory that costs nothing before it is used; NULL if there is none. */
static void *reserve(uint64_t bytes)
{
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int device_init(struct device *device, const char *dir, uint64_t size_bytes)
{
    static const struct device empty = {.base = -1, .now = -1};

    *device = empty;
    device->size_bytes = size_bytes;
    (void)pthread_mutex_init(&device->mutex, NULL);
    device->base = file_make(dir, "base", size_bytes);
    device->now = file_make(dir, "now", size_bytes);
    device->entries = reserve(DEVICE_ENTRIES_MAX * sizeof *device->entries);
    device->bytes = reserve(DEVICE_LOG_BYTES);
    if (device->base < 0 || device->now < 0)
        return device->base < 0 ? device->base : device->now;
    return device->entries == NULL || device->bytes == NULL ? -ENOMEM : 0;
}

void device_deinit(struct device *device)
{
    if (device->entries != NULL)
        (void)munmap(device->entries, DEVICE_ENTRIES_MAX * sizeof *device->entries);
    if (device->bytes != NULL)
        (void)munmap(device->bytes, (size_t)DEVICE_LOG_BYTES);
    if (device->base >= 0)
        (void)close(device->base);
    if (device->now >= 0)
        (void)close(device->now);
    (void)pthread_mutex_destroy(&device->mutex);
}

/* ------------------------------------------------------------------ files */

static int write_all(int fd, uint64_t offset, const uint8_t *bytes, uint32_t len)
{
    while (len > 0) {
        ssize_t count = pwrite(fd, bytes, len, (off_t)offset);

        if (count <= 0)
            return count == 0 ? -EIO : -errno;
        offset += (uint64_t)count;
        bytes += count;
        len -= (uint32_t)count;
    }
    return 0;
}

static int copy_run(int from, int to, uint64_t start, uint64_t end)
{
    static uint8_t piece[1 << 16];

    while (start < end) {
        uint64_t left = end - start;
        size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
        ssize_t count = pread(from, piece, len, (off_t)start);
        int error = count <= 0 ? -EIO : write_all(to, start, piece, (uint32_t)count);

        if (error < 0)
            return error;
        start += (uint64_t)count;
    }
    return 0;
}

/* Makes `to` what `from` is, holes included: few of the bytes of an image are data. */
static int copy_sparse(int from, int to, uint64_t size_bytes)
{
    uint64_t at = 0;

    if (ftruncate(to, 0) < 0 || ftruncate(to, (off_t)size_bytes) < 0)
        return -errno;
    while (at < size_bytes) {
        off_t start = lseek(from, (off_t)at, SEEK_DATA);
        off_t end;
        int error;

        if (start < 0)
            return errno == ENXIO ? 0 : -errno;
        end = lseek(from, start, SEEK_HOLE);
        if (end < 0)
            return -errno;
        error = copy_run(from, to, (uint64_t)start, (uint64_t)end);
        if (error < 0)
            return error;
        at = (uint64_t)end;
    }
    return 0;
}

/* ------------------------------------------------------------------ at work */

int device_restart(struct device *device, bool back)
{
    int error = back ? copy_sparse(device->base, device->now, device->size_bytes)
                     : copy_sparse(device->now, device->base, device->size_bytes);

    device->count = 0;
    device->used = 0;
    device->full = false;
    return error;
}

int device_read(struct device *device, uint64_t offset, uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        ssize_t count =
            pread(device->now, bytes + done, len - done, (off_t)(offset + done));

        if (count < 0)
            return -errno;
        if (count == 0)
            break;
        done += (uint32_t)count;
    }
    return (int)done;
}

static bool log_add(struct device *device, uint64_t offset, const uint8_t *bytes,
                    uint32_t len)
{
    uint64_t room = ((uint64_t)len + DEVICE_UNIT - 1) / DEVICE_UNIT * DEVICE_UNIT;
    bool fits;

    (void)pthread_mutex_lock(&device->mutex);
    fits = device->count < DEVICE_ENTRIES_MAX && device->used + room <= DEVICE_LOG_BYTES;
    if (fits) {
        struct device_entry *entry = &device->entries[device->count++];

        entry->offset = offset;
        entry->len = len;
        entry->at = (uint32_t)(device->used / DEVICE_UNIT);
        if (len > 0)
            memcpy(device->bytes + device->used, bytes, len);
        device->used += room;
    }
    device->full = device->full || !fits;
    (void)pthread_mutex_unlock(&device->mutex);
    return fits;
}

int device_write(struct device *device, uint64_t offset, const uint8_t *bytes, uint32_t len)
{
    if (offset > device->size_bytes || len > device->size_bytes - offset)
        return -EINVAL;
    if (len == 0)
        return 0;
    if (!log_add(device, offset, bytes, len))
        return -ENOSPC;
    return write_all(device->now, offset, bytes, len);
}

void device_flush(struct device *device)
{
    (void)log_add(device, 0, NULL, 0);
}

uint32_t device_position(struct device *device)
{
    uint32_t count;

    (void)pthread_mutex_lock(&device->mutex);
    count = device->count;
    (void)pthread_mutex_unlock(&device->mutex);
    return count;
}

/* ------------------------------------------------------------------ the cut */

/* The last position that a flush before `at` covers. */
static uint32_t flushed_before(const struct device *device, uint32_t at)
{
    for (uint32_t i = at; i > 0; i--) {
        if (device->entries[i - 1].len == 0)
            return i - 1;
    }
    return 0;
}

/* Some of the sectors of a write: those up to one of them, or each by itself. */
static int write_torn(const struct device *device, const struct device_entry *entry,
                      uint32_t sector_bytes, struct tp_rng *rng, int image)
{
    const uint8_t *bytes = device->bytes + (uint64_t)entry->at * DEVICE_UNIT;
    uint32_t sectors = (entry->len + sector_bytes - 1) / sector_bytes;
    bool starts = tp_rng_below(rng, 2) == 0;
    uint64_t up_to = tp_rng_below(rng, (uint64_t)sectors + 1);
    int error = 0;

    for (uint32_t sector = 0; sector < sectors && error == 0; sector++) {
        uint32_t at = sector * sector_bytes;
        uint32_t left = entry->len - at;
        bool kept = starts ? sector < up_to : tp_rng_below(rng, 2) == 0;

        if (kept)
            error = write_all(image, entry->offset + at, bytes + at,
                              left < sector_bytes ? left : sector_bytes);
    }
    return error;
}

/* Whether the device keeps a write that it may lose. */
static bool keeps(const struct device_cut *cut, uint32_t index, uint32_t first_lost,
                  struct tp_rng *rng)
{
    switch ((enum device_way)cut->way) {
    case DEVICE_ALL:
        return true;
    case DEVICE_NONE:
        return false;
    case DEVICE_FIRST:
        return index < first_lost;
    case DEVICE_EACH:
    case DEVICE_TORN:
        return tp_rng_below(rng, 2) == 0;
    case DEVICE_WAYS:
        break;
    }
    tp_unreachable();
}

int device_cut(struct device *device, uint32_t at, bool lies, struct tp_rng *rng, int image,
               struct device_cut *ret_cut)
{
    struct device_cut cut = {.at = at, .flushed = flushed_before(device, at)};
    int error = copy_sparse(device->base, image, device->size_bytes);
    uint32_t first_lost;

    tp_assert(at <= device->count);
    if (lies)
        cut.flushed = (uint32_t)tp_rng_below(rng, (uint64_t)cut.flushed + 1);
    cut.way = (uint32_t)tp_rng_below(rng, DEVICE_WAYS);
    cut.sector_bytes = tp_rng_below(rng, 2) == 0 ? 512 : 4096;
    first_lost = cut.flushed + (uint32_t)tp_rng_below(rng, (uint64_t)at - cut.flushed + 1);
    for (uint32_t i = 0; i < at && error == 0; i++) {
        const struct device_entry *entry = &device->entries[i];
        bool covered = i < cut.flushed;

        if (entry->len == 0)
            continue;
        cut.writes += !covered;
        if (covered || keeps(&cut, i, first_lost, rng)) {
            cut.kept += !covered;
            error =
                write_all(image, entry->offset,
                          device->bytes + (uint64_t)entry->at * DEVICE_UNIT, entry->len);
        } else if (cut.way == DEVICE_TORN && tp_rng_below(rng, 2) == 0 &&
                   entry->offset / 4096 * 4096 != device->whole) {
            cut.torn++;
            error = write_torn(device, entry, cut.sector_bytes, rng, image);
        }
    }
    *ret_cut = cut;
    return error;
}
