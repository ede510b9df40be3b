/** tests/sm/harness.h - runs a scenario of machines in every way in which it can go wrong.
 *
 * A scenario prepares files, starts a machine, and says afterwards what must hold. The
 * harness runs it on LinuxIo (in a scratch directory) and on VirtualIo:
 *
 *     plainly;
 *     with transfers cut short;
 *     with the n-th operation failing, for every n, with several errnos;
 *     with a cancel while the n-th operation is in flight, for every n, at once and some
 *     iterations later;
 *     on VirtualIo, with a power cut after the n-th event, for every n, and when the run is
 * over, with several seeds and profiles of disks.
 *
 * After each run it checks what holds for all: the machine has ended, nothing is in flight,
 * no fd is open, no registered buffer is taken, no temporary is left over (but after a
 * power cut, or where the removal itself was made to fail).
 *
 * Faults enter at one door, the backend's submit(), so they are the same for every backend.
 * A failure prints the scenario, the world and the fault, and aborts. No test framework is
 * used.
 */
#ifndef TESTS_SM_HARNESS_H
#define TESTS_SM_HARNESS_H

#include <stdlib.h>

#include "runtime/tempest.h"

enum harness_world { ON_LINUX, ON_VIRTUAL, WORLDS };

enum { HARNESS_SHORTS_MAX = 128 };

/** How a run ended. */
enum harness_end {
    ENDED,     /* nothing was done to it */
    FAILED,    /* an operation was made to fail */
    CANCELLED, /* the machine was cancelled */
    CUT,       /* the power was cut; `io` is a new one on what survived */
};

/** What is done to a run; all zero: nothing. */
struct harness_fault {
    uint64_t fail_at; /* the number of the operation, from 1; 0: none */
    int32_t fail_with;
    uint32_t short_one_in; /* one transfer in so many is cut short; 0: none */
    uint64_t cancel_at;    /* as fail_at; so many iterations later as seed % 4 says */
    uint64_t cut_at;       /* the number of the event, from 1; 0: never */
    bool lose_fsyncs;      /* reported as done, and not done */
    bool lose_dsyncs;      /* files opened with dsync are written as any others */
    uint64_t seed;
};

struct harness {
    enum harness_world world;
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    struct tp_disk *disk;      /* ON_VIRTUAL */
    struct tp_machine *target; /* what a cancel is for */
    char root[256];            /* a path in which the scenario works */
    char text[1024];           /* four paths */
    uint32_t text_next;
    struct harness_fault fault;
    const char *name;
    uint64_t operations; /* begun in the run, cancels not counted */
    uint64_t chance;     /* state of the harness's own random stream */
    uint64_t lied_to;    /* the handle of the close that is to report an error */
    uint64_t shorts[HARNESS_SHORTS_MAX]; /* the handles of transfers that are to come out
                                            short */
    uint32_t short_count;
    uint32_t failed_kind; /* of the operation that was made to fail */
    uint32_t complaints;  /* of the library, to its log */
    bool armed, fired;
    struct tp_io_backend backend; /* with submit(), poll() and park() replaced */
    const struct tp_io_backend *inner;
    struct tp_machine canceller;
    uint64_t patience; /* iterations that the canceller still lets pass */
};

struct scenario {
    const char *name;
    void (*prepare)(struct harness *h); /* makes files; durable ones. NULL: nothing to do */
    struct tp_machine *(*start)(struct harness *h);
    /** What must hold, with the result of the machine (0 after a cut). */
    void (*check)(struct harness *h, enum harness_end end, int32_t result);
    uint32_t cut_seeds; /* runs for each event of the power-cut sweep; 0: one for each
                           profile of disks */
    bool no_cut;        /* nothing durable is promised: no power cuts */
};

/** Runs the scenario in all ways, in one world. */
void harness_sweep(const struct scenario *scenario, enum harness_world world);

/** Only its power cuts, each in a run with this fault (whose cut_at and seed do not count).
 */
void harness_sweep_cuts(const struct scenario *scenario, struct harness_fault fault);

/** One run. Whether the fault had its occasion: false when the machine was done before. */
bool harness_run(const struct scenario *scenario, enum harness_world world,
                 struct harness_fault fault);

/** Whether LinuxIo can be had; where not, its tests are to be skipped. */
bool harness_has_linux(void);

/* ------------------------------------------------------------------ for tests without a
 * scenario */

/** An empty root, an Io, a scheduler. */
void harness_open(struct harness *h, const char *name, enum harness_world world,
                  uint64_t seed);

/** Runs until everything has ended, which must happen. */
void harness_finish(struct harness *h);

/** Checks that nothing was left over, and takes all down. */
void harness_close(struct harness *h);

/* ------------------------------------------------------------------ files, outside of a
 * run */

/** `name` below the root; valid until the next call but three. */
const char *harness_path(struct harness *h, const char *name);

/** Makes or replaces a file, durably. */
void harness_put(struct harness *h, const char *name, const void *bytes, uint32_t len);
void harness_put_dir(struct harness *h, const char *name);
void harness_put_link(struct harness *h, const char *name, const char *target);

/** Its bytes (at most `capacity`) and their number; -ENOENT, ... */
int32_t harness_get(struct harness *h, const char *name, void *ret_bytes,
                    uint32_t capacity);

/** Whether a file holds exactly these bytes. */
bool harness_holds(struct harness *h, const char *name, const void *bytes, uint32_t len);
bool harness_exists(struct harness *h, const char *name);
struct tp_statx harness_stat(struct harness *h, const char *name);

/** Entries of a directory whose names are those of temporaries. */
uint32_t harness_temporaries(struct harness *h, const char *name);

/** A fd for a run; closed by harness_close_fd(). */
struct tp_fd harness_open_fd(struct harness *h, const char *name,
                             struct tp_open_options options);
void harness_close_fd(struct harness *h, struct tp_fd fd);

/** `len` bytes that depend on `seed` only. */
void harness_fill(void *ret_bytes, uint32_t len, uint64_t seed);

/** Aborts with the run's description unless `condition` holds. */
#define expect(h, condition) \
    ((condition) ? (void)0 : harness_fail(h, __FILE__, __LINE__, #condition))
_Noreturn void harness_fail(const struct harness *h, const char *file, int line,
                            const char *what);

#endif
