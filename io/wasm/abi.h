/** io/wasm/abi.h - what a module and its host say to each other: version, records, imports.
 *
 * A host is whatever instantiates the module: a few hundred lines of JavaScript (host/), or
 * anything else that can call exports and offer imports. Both sides write the version down
 * and check the other's. All records have a fixed size and little-endian fields at fixed
 * places, asserted here and in host/; pointers and lengths have 32 bits, offsets in
 * files 64.
 *
 * Order: submit() copies the record and its paths before it returns, and completes nothing;
 * the next poll() begins what was submitted, and hands over what is complete, each
 * completion once. The memory of an operation is the host's from then on until it has
 * completed.
 *
 * Reads that nothing was submitted after are told by no call: they stand on a board in the
 * module's memory (struct tp_wasm_board). The next poll() looks there, after what was
 * submitted. Who drives may look there after each tick and spare the poll.
 *
 * What the host says is not believed: WasmIo checks every field (flight.c, results.c). What
 * the module says is not believed by the hosts either: a pointer out of its memory gives
 * -EFAULT.
 */
#ifndef TEMPEST_IO_WASM_ABI_H
#define TEMPEST_IO_WASM_ABI_H

#include "../io.h"

/** Changes whenever one of these records or numbers does. */
#define TP_WASM_ABI_VERSION 3

/** No file. */
#define TP_WASM_NO_FD UINT32_MAX

/** The operations, by numbers of their own: the table of kinds may grow in its middle. */
enum tp_wasm_op {
    TP_WASM_OPEN = 1,        /* fd: the number that it gets; path, options */
    TP_WASM_CLOSE = 2,       /* fd */
    TP_WASM_READ = 3,        /* fd, memory, len, offset; completes with bytes */
    TP_WASM_WRITE = 4,       /* the same */
    TP_WASM_FSYNC = 5,       /* fd, flags */
    TP_WASM_FSTAT = 6,       /* fd, memory: a struct tp_statx */
    TP_WASM_TRUNCATE = 7,    /* fd, length */
    TP_WASM_FALLOCATE = 8,   /* fd, offset, length, flags */
    TP_WASM_FIND_DATA = 9,   /* fd, offset, memory: a struct tp_extent; 1 or 0 */
    TP_WASM_SET_MODE = 10,   /* fd, mode */
    TP_WASM_LIST_DIR = 11,   /* fd, memory, len: of struct tp_dir_entry; bytes */
    TP_WASM_STAT = 12,       /* path, flags, memory: a struct tp_statx */
    TP_WASM_RENAME = 13,     /* path, path2 */
    TP_WASM_REMOVE = 14,     /* path */
    TP_WASM_CREATE_DIR = 15, /* path, mode */
    TP_WASM_CREATE_DIR_ALL = 16,
    TP_WASM_REMOVE_DIR = 17,
    TP_WASM_SYNC_DIR = 18,
    TP_WASM_SYMLINK = 19,   /* path, path2: what it names */
    TP_WASM_READ_LINK = 20, /* path, memory, len; bytes */
    TP_WASM_LOCK = 21,      /* fd; -EAGAIN: another open of the file has it */
    TP_WASM_CANCEL = 22, /* length: the id of the operation to stop; 0 or -EALREADY. What is
                            stopped completes with -ECANCELED */
    TP_WASM_END = 23,    /* the Io is destroyed: close all that it left open; id 0 */
    TP_WASM_BEGIN = 24,  /* the Io is made; memory, len: its board; id 0 */
    TP_WASM_OPS
};

enum tp_wasm_flag {
    TP_WASM_DATA_ONLY = 1, /* fsync */
    TP_WASM_NO_FOLLOW = 2, /* stat */
    TP_WASM_IN_DIR = 4,    /* path is one name in the directory fd (open: fd2) */
    TP_WASM_KEEP_SIZE = 8, /* fallocate */
};

enum tp_wasm_open_option {
    TP_WASM_OPEN_READ = 1,
    TP_WASM_OPEN_WRITE = 2,
    TP_WASM_OPEN_CREATE = 4,
    TP_WASM_OPEN_CREATE_NEW = 8,
    TP_WASM_OPEN_TRUNCATE = 16,
    TP_WASM_OPEN_DIRECT = 32,
    TP_WASM_OPEN_DSYNC = 64,
};

/** An operation, as submit() is given it. */
struct tp_wasm_request {
    uint64_t id;    /* comes back with the completion; 0: nobody waits for one */
    uint32_t op;    /* enum tp_wasm_op */
    uint32_t flags; /* enum tp_wasm_flag */
    uint32_t fd;    /* a number that the module chose, at its open */
    uint32_t fd2;   /* with TP_WASM_IN_DIR: rename: of path2; open: the directory */
    uint32_t memory, len;
    uint64_t offset; /* at most 2^63-1, as is length */
    uint64_t length;
    uint32_t path, path_len; /* bytes, no NUL */
    uint32_t path2, path2_len;
    uint32_t mode;
    uint32_t options; /* enum tp_wasm_open_option */
};

/** A completion, as poll() fills it in. */
struct tp_wasm_completion {
    uint64_t id;
    int32_t value;     /* a count, or the negative of an errno of wasi-libc */
    uint32_t reserved; /* 0 */
};

/** A read on the board. */
struct tp_wasm_read {
    uint64_t id;
    uint64_t offset; /* as in a request */
    uint32_t fd, memory, len;
    int32_t value; /* the host's: what it completed with; or TP_WASM_TAKEN */
};

/** The host has made an operation of it, which a poll() completes. */
#define TP_WASM_TAKEN INT32_MIN

#define TP_WASM_READS 64

/** Where an Io puts its reads; it stays where it is from TP_WASM_BEGIN to TP_WASM_END. The
 * host does reads[done] to reads[count - 1], in this order, sets their `value`, and then
 * `done`. The module starts again at the front when it has seen the values of all. */
struct tp_wasm_board {
    uint32_t count; /* the module's */
    uint32_t done;  /* the host's; 0 when the module starts again */
    /* The host's: not 0 while it looks here after each tick, before it does anything else.
     * Then a poll that would tell it of nothing but these reads is left out. */
    uint32_t watched;
    uint32_t reserved;
    struct tp_wasm_read reads[TP_WASM_READS];
};

_Static_assert(sizeof(struct tp_wasm_request) == 72, "a request has 72 bytes");
_Static_assert(offsetof(struct tp_wasm_request, memory) == 24, "as host/abi.mjs has it");
_Static_assert(offsetof(struct tp_wasm_request, offset) == 32, "as host/abi.mjs has it");
_Static_assert(offsetof(struct tp_wasm_request, path) == 48, "as host/abi.mjs has it");
_Static_assert(offsetof(struct tp_wasm_request, options) == 68, "as host/abi.mjs has it");
_Static_assert(sizeof(struct tp_wasm_completion) == 16, "a completion has 16 bytes");
_Static_assert(sizeof(struct tp_wasm_read) == 32, "a read has 32 bytes");
_Static_assert(offsetof(struct tp_wasm_read, fd) == 16, "as host/board.mjs has it");
_Static_assert(offsetof(struct tp_wasm_read, value) == 28, "as host/board.mjs has it");
_Static_assert(offsetof(struct tp_wasm_board, watched) == 8, "as host/board.mjs has it");
_Static_assert(offsetof(struct tp_wasm_board, reads) == 16, "as host/board.mjs has it");

/* These go to the host as they are. */
_Static_assert(sizeof(struct tp_statx) == 80, "a statx has 80 bytes");
_Static_assert(offsetof(struct tp_statx, modified_ns) == 32, "as host/abi.mjs has it");
_Static_assert(offsetof(struct tp_statx, direct_align) == 52, "as host/abi.mjs has it");
_Static_assert(sizeof(struct tp_extent) == 16, "an extent has 16 bytes");
_Static_assert(sizeof(struct tp_dir_entry) == 8, "an entry begins with 8 bytes");

#define TP_WASM_IMPORT(name) \
    __attribute__((__import_module__("tempest_host"), __import_name__(#name)))

/* The host's functions. `io` tells the Ios of a module apart. */

/** The host's version in the upper 16 bits, below it 1 << enum tp_wasm_op of what it can.
 */
TP_WASM_IMPORT(features) uint64_t tp_wasm_host_features(uint32_t version);
TP_WASM_IMPORT(submit)
void tp_wasm_host_submit(const void *io, const struct tp_wasm_request *request);
/** How many completions it wrote. */
TP_WASM_IMPORT(poll)
uint32_t tp_wasm_host_poll(const void *io, struct tp_wasm_completion *ret_completions,
                           uint32_t completions_max);
TP_WASM_IMPORT(monotonic) uint64_t tp_wasm_host_monotonic(void);
TP_WASM_IMPORT(real) uint64_t tp_wasm_host_real(void);
TP_WASM_IMPORT(entropy) void tp_wasm_host_entropy(void *ret_bytes, uint32_t len_bytes);
/** A line, without a newline; level as in enum tp_log_level. */
TP_WASM_IMPORT(log)
void tp_wasm_host_log_line(uint32_t level, const char *text, uint32_t len_bytes);

#endif
