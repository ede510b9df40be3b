/** io/virtual/virtual.h - VirtualIo: the Io interface over a disk in memory, in virtual
 * time.
 *
 * The same machines, the same operations, another main(). Time passes only in poll and
 * park: a park jumps to the next event. Every latency, every order of completion and every
 * fault is a draw from a tape (tape.h), so a run is a function of its seed, and its trace
 * hash says whether two runs were the same one.
 *
 *     struct tp_virtual_io_config config = {.size = sizeof config, .seed = 4711};
 *     tp_virtual_io_create(&config, &io);
 *     ... a scheduler, machines, tp_scheduler_run() ...
 *     tp_virtual_io_destroy(io);
 *
 * An operation takes effect at once, all of it, at a time drawn between the poll that took
 * it and its completion; so operations in flight together race. Its results and its errnos
 * are those of Linux on ext4 for root with umask 022; paths begin at the root of the disk.
 *
 * Crash. tp_virtual_io_cut_at() ends the world at an event, tp_virtual_io_power_cut() and
 * tp_virtual_io_kill() end it now and decide what becomes of the operations in flight. From
 * then on the Io is dead: it delivers nothing, and only tp_virtual_io_destroy() is left.
 * The disk, if it is one of your own (tp_disk_create()), goes into the next Io, as after a
 * reboot.
 *
 * Ownership: tape and disk given in the config stay yours, and must outlive the Io.
 */
#ifndef TEMPEST_IO_VIRTUAL_VIRTUAL_H
#define TEMPEST_IO_VIRTUAL_VIRTUAL_H

#include "../io.h"

#include "disk.h"
#include "tape.h"

/** How long an operation takes: `base_ns`, and a random part that is exponential with a
 * mean of `spread_ns`. In millionths: one operation in so many takes no time at all, one in
 * so many takes `tail_factor` times the random part. */
struct tp_virtual_latency {
    uint32_t base_ns;
    uint32_t spread_ns;
    uint32_t zero_ppm;
    uint32_t tail_ppm;
    uint32_t tail_factor;
};

/** What goes wrong; all zero: nothing. Cancel and nop never fail, and a close that fails
 * has closed all the same. A failed fsync leaves its pages clean and not durable, as Linux
 * does. */
struct tp_virtual_faults {
    uint64_t fail_nth;  /* the n-th operation from now on fails, 1 is the next; 0: none */
    uint16_t fail_kind; /* count only operations of this kind; TP_NOP: of all kinds */
    uint16_t reserved;
    int32_t fail_errno;  /* positive, as EIO; 0: EIO */
    uint32_t error_ppm;  /* in millionths of operations: -EIO ... */
    uint32_t eintr_ppm;  /* reads, writes, opens: -EINTR ... */
    uint32_t eagain_ppm; /* reads and writes: -EAGAIN ... */
    uint32_t short_ppm;  /* reads and writes: fewer bytes than could be */
};

enum tp_virtual_switch { TP_VIRTUAL_DEFAULT, TP_VIRTUAL_ON, TP_VIRTUAL_OFF };

/** All zero gives the defaults, which are after the semicolons. */
struct tp_virtual_io_config {
    uint32_t size; /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t node; /* number in the world: which streams of the tape are drawn from */
    uint64_t seed; /* for a tape of the Io's own; ignored when `tape` is given */
    struct tp_tape *tape; /* the choices; one from `seed`, not recorded */
    struct tp_disk *disk; /* what to work on; an empty one of the Io's own, with 1 GiB */
    uint32_t ops_max;     /* operations in flight; 16384 */
    uint32_t completions_max; /* completions that one poll can deliver; 8192 */
    uint32_t fds_max;         /* open files, past which an open gives -EMFILE; 4096 */
    uint32_t queue_max;    /* operations with the world at a time, the others wait; 4096 */
    uint32_t buf_count;    /* registered buffers; 32 */
    uint32_t buf_size;     /* bytes of each, rounded up to the block size; 65536 */
    uint32_t poll_cost_ns; /* what a poll takes, so that time passes in a busy loop; 1000 */
    bool instant;          /* everything takes no time, in random order */
    uint8_t checks; /* enum tp_virtual_switch: fill memory lent to be read into, compare
                       memory lent to be written from; on in checked builds */
    uint8_t trace;  /* enum tp_virtual_switch: keep the trace hash; on */
    uint8_t reserved;
    struct tp_virtual_latency latency; /* 20 us, spread 30 us, some zero, a rare tail */
    struct tp_virtual_latency
        sync_latency; /* of syncs and O_DSYNC writes; 300 us, 300 us */
    struct tp_virtual_faults faults;
    uint64_t wall_ns; /* wall clock at the start; 2020-01-01 00:00 UTC */
    const struct tp_allocator *allocator;
    const struct tp_log *log;
};

TP_BEGIN_DECLS

/** NULL config: the defaults. 0, -EINVAL (an impossible size), or -ENOMEM. */
TP_EXPORT int tp_virtual_io_create(const struct tp_virtual_io_config *config,
                                   struct tp_io **ret_io);

/** tp_io_destroy() by another name: what is in flight takes effect, open files are closed,
 * and all is freed. A dead one is freed as it is. NULL is fine. */
TP_EXPORT void tp_virtual_io_destroy(struct tp_io *io);

/** The disk and the tape it works with. */
TP_EXPORT struct tp_disk *tp_virtual_io_disk(struct tp_io *io);
TP_EXPORT struct tp_tape *tp_virtual_io_tape(struct tp_io *io);

/** Operations that the world has taken, cancels not counted: the n of a sweep over
 * failures. */
TP_EXPORT uint64_t tp_virtual_io_operations(const struct tp_io *io);

/** Events so far (an operation takes effect, an operation completes): the n of a sweep over
 * cuts. */
TP_EXPORT uint64_t tp_virtual_io_events(const struct tp_io *io);

/** The hash over all completions so far: virtual time, node, kind, handle, arguments,
 * result and payload of each. */
TP_EXPORT uint64_t tp_virtual_io_trace_hash(const struct tp_io *io);

/** Replaces the faults. */
TP_EXPORT void tp_virtual_io_set_faults(struct tp_io *io,
                                        const struct tp_virtual_faults *faults);

/** Stops the world when `event` events (as tp_virtual_io_events() counts them) have
 * happened; at once if they have. The Io is dead then: end it by a power cut or a kill, or
 * destroy it, and what was in flight has not happened. 0: never. */
TP_EXPORT void tp_virtual_io_cut_at(struct tp_io *io, uint64_t event);

/** Whether the world has stopped, or ended by a cut or a kill. A host's loop ends when it
 * has. */
TP_EXPORT bool tp_virtual_io_is_dead(const struct tp_io *io);

/** The power goes: rule R2 for operations in flight, then tp_disk_power_cut(). All loans
 * end. */
TP_EXPORT void tp_virtual_io_power_cut(struct tp_io *io);

/** The process dies: rule R1 for operations in flight; its files are closed. All loans end.
 */
TP_EXPORT void tp_virtual_io_kill(struct tp_io *io);

TP_END_DECLS

#endif
