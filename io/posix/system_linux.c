/* Linux's part of system_internal.h. Libc's wrappers of the calls that write into lent
 * memory are not used: AddressSanitizer checks their arguments, and lent memory is poisoned
 * on purpose. */
#include "system_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/posix/statx_internal.h"

#define ALIVE_BYTES 4096U

_Static_assert(sizeof(long) == 8, "for 64-bit Linux");

static int32_t result_of(long value)
{
    return value < 0 ? -errno : (int32_t)value;
}

/* What has no positions (a FIFO, a terminal) is read and written as it comes, as in the
 * ring. */
int32_t tp_posix_pread(int fd, void *lent, uint32_t len_bytes, uint64_t offset)
{
    const int32_t result =
        result_of(syscall(SYS_pread64, fd, lent, (size_t)len_bytes, offset));

    return result != -ESPIPE ? result
                             : result_of(syscall(SYS_read, fd, lent, (size_t)len_bytes));
}

int32_t tp_posix_pread_cached(int fd, void *lent, uint32_t len_bytes, uint64_t offset)
{
    const struct iovec part = {lent, len_bytes};
    const int32_t result =
        result_of(syscall(SYS_preadv2, fd, &part, 1L, offset, 0L, (long)RWF_NOWAIT));

    return result == -ENOSYS || result == -ESPIPE ? -EOPNOTSUPP : result;
}

int32_t tp_posix_pwrite(int fd, const void *lent, uint32_t len_bytes, uint64_t offset)
{
    const int32_t result =
        result_of(syscall(SYS_pwrite64, fd, lent, (size_t)len_bytes, offset));

    return result != -ESPIPE ? result
                             : result_of(syscall(SYS_write, fd, lent, (size_t)len_bytes));
}

int32_t tp_posix_readlink(int dir, const char *path, void *lent, uint32_t len_bytes)
{
    return result_of(syscall(SYS_readlinkat, dir, path, lent, len_bytes));
}

int32_t tp_posix_allocate(int fd, uint64_t offset, uint64_t len_bytes, bool keep_size)
{
    return result_of(fallocate(fd, keep_size ? FALLOC_FL_KEEP_SIZE : 0, (off_t)offset,
                               (off_t)len_bytes));
}

static enum tp_file_kind file_kind(uint32_t mode)
{
    if (S_ISREG(mode))
        return TP_FILE_REGULAR;
    if (S_ISDIR(mode))
        return TP_FILE_DIRECTORY;
    return S_ISLNK(mode) ? TP_FILE_SYMLINK : TP_FILE_OTHER;
}

struct tp_statx tp_posix_statx_convert(const struct statx *from)
{
    struct tp_statx to = {
        .size = from->stx_size,
        .allocated = from->stx_blocks * 512,
        .inode = from->stx_ino,
        .device = (uint64_t)from->stx_dev_major << 32 | from->stx_dev_minor,
        .modified_ns = from->stx_mtime.tv_sec * 1000000000 + from->stx_mtime.tv_nsec,
        .kind = file_kind(from->stx_mode),
        .mode = from->stx_mode & 07777U,
        .links = from->stx_nlink,
    };

    if ((from->stx_mask & (TP_POSIX_STATX_MASK & ~0x7ffU)) != 0) {
        /* stx_dio_mem_align and stx_dio_offset_align, which older headers do not name */
        const uint8_t *bytes = (const uint8_t *)from;

        memcpy(&to.direct_memory_align, bytes + 152, sizeof to.direct_memory_align);
        memcpy(&to.direct_align, bytes + 156, sizeof to.direct_align);
    } else if (to.kind == TP_FILE_REGULAR) {
        /* The file system does not say; 4096 is what those that can do it take. */
        to.direct_memory_align = 4096;
        to.direct_align = 4096;
    }
    return to;
}

int32_t tp_posix_status(int dir, const char *path, bool follow, struct tp_statx *ret_statx)
{
    const bool by_fd = path == NULL;
    struct statx answer;
    const int32_t result = result_of(syscall(SYS_statx, dir, by_fd ? "" : path,
                                             tp_posix_statx_flags(by_fd, follow),
                                             TP_POSIX_STATX_MASK, &answer));

    if (result == 0)
        *ret_statx = tp_posix_statx_convert(&answer);
    return result;
}

int tp_posix_direct_flag(void)
{
    return O_DIRECT;
}

/* ------------------------------------------------------------------ children */

const uint8_t *tp_posix_alive_map(void)
{
    uint8_t *page =
        mmap(NULL, ALIVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    /* Not before 4.14, nor in every sandbox. */
    if (madvise(page, ALIVE_BYTES, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, ALIVE_BYTES);
        return NULL;
    }
    *page = 1;
    return page;
}

void tp_posix_alive_unmap(const uint8_t *alive)
{
    if (alive != NULL)
        (void)munmap((void *)(uintptr_t)alive, ALIVE_BYTES);
}

/* ------------------------------------------------------------------ sockets */

int tp_posix_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int32_t set_tcp(int fd, int name, int value)
{
    return setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int32_t tp_posix_keep_alive(int fd, int idle_s, int between_s, int lost)
{
    int32_t error = set_tcp(fd, TCP_KEEPIDLE, idle_s);

    if (error == 0)
        error = set_tcp(fd, TCP_KEEPINTVL, between_s);
    return error < 0 ? error : set_tcp(fd, TCP_KEEPCNT, lost);
}

int32_t tp_posix_resolve_error(int error)
{
    switch (error) {
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return -ENOENT;
    default:
        return -EAGAIN;
    }
}
