/** tests/conformance/conformance.h - what every backend must do, as small programs.
 *
 * A program is a row in a table: a script (script.h), or a C function where a script cannot
 * say it (many operations in flight, handles, buffers). It runs on a fresh Io, in an empty
 * directory of its own, and reaches the world through that Io only: no system call, no test
 * framework, no thread, so that a program runs wherever a backend does.
 *
 * A failed expectation is reported and counted, and the program goes on: whatever follows
 * must survive it (a fd that could not be opened is tp_fd_none(), which gives -EBADF).
 */
#ifndef TEMPEST_TESTS_CONFORMANCE_CONFORMANCE_H
#define TEMPEST_TESTS_CONFORMANCE_CONFORMANCE_H

#include "io/io.h"

#include <errno.h>

/* What await() gives when nothing came within the patience: no errno, and no count. */
#define NOTHING_CAME INT32_MIN

enum {
    PATHS = 8,              /* results of at() that stay valid together */
    DIR_MAX = 1024,         /* bytes of a program's directory */
    REGISTERED_COUNT = 8,   /* registered buffers of each Io */
    REGISTERED_SIZE = 65536 /* bytes each */
};

/** A running program. */
struct conformance {
    struct tp_io *io;
    const char *program, *backend;
    char dir[DIR_MAX];  /* its own directory, absolute, without a slash at the end */
    char near[DIR_MAX]; /* the same as short as it can be said, for paths of sockets */
    bool inside;        /* the process is in the directory that the program's is in */
    uint32_t variant;   /* of the row, for a body that several rows share */
    struct tp_completion early; /* claimed by waits() before its time; handle 0: none */
    char paths[PATHS][DIR_MAX + TP_PATH_MAX + 8];
    uint32_t path_next;
    uint32_t failures;
    uint64_t handle;      /* the last one that submit() gave */
    uint64_t patience_ns; /* how long await() waits, on the Io's own clock */
    const char *skipped;  /* the kind of operation that this backend lacks; or NULL */
    bool quiet;           /* count failures, print nothing */
    bool in_vain;         /* something that was awaited never came */
};

struct conformance_program {
    const char *name;
    const char *file;
    int line;
    const char *script; /* or NULL: */
    void (*body)(struct conformance *c);
    uint32_t variant; /* for the body: which of several rows it is */
};

#define SCRIPT(name, text)                      \
    {                                           \
        name, __FILE__, __LINE__, text, NULL, 0 \
    }
#define PROGRAM(function)                                \
    {                                                    \
#function, __FILE__, __LINE__, NULL, function, 0 \
    }
#define VARIANT(function, name, number)                                \
    {                                                                  \
#function "_" name, __FILE__, __LINE__, NULL, function, number \
    }

/** The programs by subject; each list ends with a row without a name. */
extern const struct conformance_program conformance_open[], conformance_open_in[],
    conformance_read_write[], conformance_direct[], conformance_sizes[],
    conformance_rename[], conformance_remove[], conformance_directories[],
    conformance_list_dir[], conformance_links[], conformance_attributes[],
    conformance_sync[], conformance_lock[], conformance_cancel[], conformance_buffers[],
    conformance_handles[], conformance_flight[], conformance_helpers[],
    conformance_arguments[], conformance_net_listen[], conformance_net_connect[],
    conformance_net_accept[], conformance_net_recv[], conformance_net_recv_many[],
    conformance_net_send[], conformance_net_send_bufs[], conformance_net_close[],
    conformance_net_kinds[], conformance_net_datagrams[], conformance_services[];

/** A backend that takes part. */
struct conformance_backend {
    const char *name;
    /** Makes an Io with REGISTERED_COUNT buffers of REGISTERED_SIZE; NULL and a reason if
     * it cannot run here. */
    struct tp_io *(*create)(const struct conformance_backend *backend,
                            const char **ret_reason);
    const char *root;      /* where programs get their directories; NULL: --dir */
    uint64_t features_off; /* of the backend's own, to run its fallbacks; or a seed */
};

/** Ends with a row without a name. */
extern const struct conformance_backend conformance_backends[];

/* ------------------------------------------------------------------ running programs */

/** The i-th of all programs, in a fixed order; NULL after the last. */
const struct conformance_program *conformance_program_at(uint32_t index);

/** Runs one program on `c->io`, in a directory that it makes under `root` and removes; the
 * rest of `c` is zero but for what the caller chose. True if it passed or was skipped. */
bool conformance_run(struct conformance *c, const struct conformance_program *program,
                     const char *root);

/** Removes `path` and what is in it, through the Io. The first error, or 0. */
int32_t conformance_remove_tree(struct conformance *c, const char *path);

/* ------------------------------------------------------------------ for the programs */

/** The path of `name` in the program's directory; valid for the next PATHS - 1 calls. */
const char *at(struct conformance *c, const char *name);

/** Hands in an operation under a new handle, which it returns. */
uint64_t submit(struct conformance *c, struct tp_request request);

/** Waits for the completion of `handle` and claims it: its value, or NOTHING_CAME. */
int32_t await(struct conformance *c, uint64_t handle);

/** Waits for the next completion of `handle`, which may say that more will follow. False
 * if nothing came. */
bool await_next(struct conformance *c, uint64_t handle,
                struct tp_completion *ret_completion);

/** Expects that it waits for something: false, and a failure, if it completes by itself.
 * Whatever came, await() gives it. */
bool waits(struct conformance *c, uint64_t handle);

/** Lets what is under way arrive. */
void let_arrive(struct conformance *c);

/** submit() and await(). */
int32_t run(struct conformance *c, struct tp_request request);

/** Opens, expecting success. `letters`: r read, w write, c create, n create_new, t
 * truncate, d direct, s dsync. tp_fd_none() if it failed. */
struct tp_fd open_file(struct conformance *c, const char *path, const char *letters);
struct tp_open_options open_options(const char *letters);

/** Closes, expecting success. */
void close_file(struct conformance *c, struct tp_fd fd);

/** Makes a file of `size` bytes, expecting success: byte i is pattern_at(i). */
void make_file(struct conformance *c, const char *path, uint32_t size_bytes);
uint8_t pattern_at(uint64_t offset);
void pattern_fill(uint8_t *memory, uint32_t len_bytes, uint64_t offset);
bool pattern_is(const uint8_t *memory, uint32_t len_bytes, uint64_t offset);

/** Memory aligned to the block size, zeroed; give it back with drop(). */
uint8_t *take(struct conformance *c, uint32_t size_bytes);
void drop(struct conformance *c, uint8_t *memory, uint32_t size_bytes);

/** Whether this backend lacks `kind`; if so, the program counts as skipped from here on. */
bool lacks(struct conformance *c, uint32_t kind);

/** Counts and prints a failure. */
TP_PRINTF(4, 5)
void fail(struct conformance *c, const char *file, int line, const char *format, ...);

/** Writes what a value says: an errno's name, a number, or "nothing". */
void name_value(int32_t value, char *ret_text, size_t size_bytes);

struct value_set {
    const int32_t *values;
    uint32_t count;
};
bool expect_one_of(struct conformance *c, const char *file, int line, const char *what,
                   int32_t value, struct value_set set);

/** The value is one of those that follow. */
#define EXPECT(c, value, ...)                                                            \
    expect_one_of((c), __FILE__, __LINE__, #value, (value),                              \
                  (struct value_set){(const int32_t[]){__VA_ARGS__},                     \
                                     (uint32_t)(sizeof((const int32_t[]){__VA_ARGS__}) / \
                                                sizeof(int32_t))})

/** The condition holds. */
#define EXPECT_THAT(c, condition) \
    ((condition) ? true : (fail((c), __FILE__, __LINE__, "not so: %s", #condition), false))

#endif
