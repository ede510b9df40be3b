/** io/wasm/system.h - what stands in for the system in a module: lines, and a heap.
 *
 * wasi-libc asks a system for files, a clock and memory. A module of ours asks its host
 * for one thing, to take a line of text; so what it prints goes there, and the heap lies
 * between its static data and the end of its memory, whose size never changes.
 */
#ifndef TEMPEST_IO_WASM_SYSTEM_H
#define TEMPEST_IO_WASM_SYSTEM_H

#include <stdint.h>

/** Bytes of memory, from 0, that were ever in use: the stack, static data, the heap up to
 * its highest block. All above is zero. */
uint32_t tp_wasm_memory_used(void);

#endif
