#include "memory_internal.h"

#include <sys/mman.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

void *tp_posix_reserve(size_t size_bytes)
{
    void *memory;

    tp_assert(size_bytes > 0);
    memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void tp_posix_unreserve(void *memory, size_t size_bytes)
{
    if (memory != NULL)
        tp_assert(munmap(memory, size_bytes) == 0);
}

void tp_posix_mark_written(const void *memory, int32_t len_bytes)
{
#ifdef VALGRIND_MAKE_MEM_DEFINED
    if (len_bytes > 0)
        (void)VALGRIND_MAKE_MEM_DEFINED(memory, (size_t)len_bytes);
#else
    (void)memory, (void)len_bytes;
#endif
}

/* Volatile, so that no compiler makes a memcpy() of it, which AddressSanitizer would check.
 */
__attribute__((no_sanitize("address"))) void tp_posix_store(void *lent, const void *from,
                                                            size_t len_bytes)
{
    volatile uint8_t *to = lent;
    const volatile uint8_t *source = from;
    size_t at = 0;

    if (((uintptr_t)lent | (uintptr_t)from) % sizeof(uint64_t) == 0) {
        volatile uint64_t *to_words = lent;
        const volatile uint64_t *words = from;

        for (; at + sizeof(uint64_t) <= len_bytes; at += sizeof(uint64_t))
            to_words[at / sizeof(uint64_t)] = words[at / sizeof(uint64_t)];
    }
    for (; at < len_bytes; at++)
        to[at] = source[at];
}
