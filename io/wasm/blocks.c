/* Blocks of memory, filled and copied by an instruction. The loops of wasi-libc were
 * compiled for engines that did not have it, and take several times as long; short blocks
 * are left to loops, since the instruction has a price of its own. */
#include <stdint.h>
#include <string.h>

enum { SHORT = 128 };

void *memset(void *to, int value, size_t len)
{
    volatile uint8_t *byte = to; /* volatile: the compiler would call memset() for it */

    if (len > SHORT)
        return __builtin_memset(to, value, len);
    for (; len >= 8 && (uintptr_t)byte % 8 == 0; len -= 8, byte += 8)
        *(volatile uint64_t *)byte = UINT64_C(0x0101010101010101) * (uint8_t)value;
    for (; len > 0; len--)
        *byte++ = (uint8_t)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    volatile uint8_t *byte = to;
    const uint8_t *source = from;

    if (len > SHORT)
        return __builtin_memcpy(to, from, len);
    for (; len >= 8 && ((uintptr_t)byte | (uintptr_t)source) % 8 == 0;
         len -= 8, byte += 8, source += 8)
        *(volatile uint64_t *)byte = *(const uint64_t *)(const void *)source;
    for (; len > 0; len--)
        *byte++ = *source++;
    return to;
}
