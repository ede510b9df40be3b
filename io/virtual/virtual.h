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
 * reboot. In a shared world only this Io is dead; the others go on.
 *
 * Network. An Io is a host of a network (net.h): its own, where it is alone and reaches
 * itself by 127.0.0.1 and ::1, or one that several Ios attach to, all in one world
 * (world.h). A Unix socket's path is a name on the Io's disk. Work handed to a thread
 * (offload) runs in line, when the operation takes effect.
 *
 * Ownership: tape, disk, network and world given in the config stay yours, and must outlive
 * the Io.
 */
#ifndef TEMPEST_IO_VIRTUAL_VIRTUAL_H
#define TEMPEST_IO_VIRTUAL_VIRTUAL_H

#include "../io.h"

#include "disk.h"
#include "faults.h"
#include "net.h"
#include "tape.h"
#include "world.h"

/** What happens to an operation. */
enum tp_virtual_stage {
    TP_VIRTUAL_BEGUN,     /* a poll has handed it to the world */
    TP_VIRTUAL_EFFECT,    /* it has taken effect, with this result */
    TP_VIRTUAL_COMPLETED, /* its completion waits for a poll */
};

struct tp_virtual_moment {
    uint32_t stage;                   /* enum tp_virtual_stage */
    int32_t result;                   /* from the effect on */
    const struct tp_request *request; /* but for its paths, which are these: */
    const char *path, *to_path;       /* NULL: none */
    uint32_t inode;    /* of the file or directory that it is on by its fd; 0: none */
    uint32_t to_inode; /* of the directory that its second name is in; 0: none */
};

/** A host's eyes: told what happens when it happens. It draws nothing, changes nothing, and
 * calls nothing of the Io. Either function may be NULL. */
struct tp_virtual_watch {
    void (*ready)(void *context); /* a poll has something to do */
    void (*moment)(void *context, const struct tp_virtual_moment *moment);
    void *context;
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
    uint8_t checks;   /* enum tp_virtual_switch: fill memory lent to be read into, and stop
                         the program when memory on loan was changed; on in checked builds */
    uint8_t trace;    /* enum tp_virtual_switch: keep the trace hash; on */
    uint8_t overlaps; /* enum tp_virtual_switch: stop the program when two writes that
                         overlap are in flight together, and name both; off */
    struct tp_virtual_latency latency; /* 20 us, spread 30 us, some zero, a rare tail */
    struct tp_virtual_latency
        sync_latency; /* of syncs and O_DSYNC writes; 300 us, 300 us */
    struct tp_virtual_faults faults;
    uint64_t wall_ns; /* wall clock when the world began; 2020-01-01 00:00 UTC */
    const struct tp_allocator *allocator;
    const struct tp_log *log;
    struct tp_world *world; /* one that others share; one of the Io's own. See world.h for
                               who advances its time. Must be that of `net` */
    struct tp_net *net;     /* the network to attach to; one of the Io's own */
    const struct tp_net_config
        *net_config; /* for a network of the Io's own; the defaults. Its tape is the Io's */
    const struct tp_address *addresses;       /* of this host, besides loopback; none */
    uint32_t address_count;                   /* at most TP_NET_ADDRESSES_MAX */
    uint32_t recv_buf_count;                  /* receive buffers; 256 */
    uint32_t recv_buf_size;                   /* bytes of each; 16384 */
    struct tp_virtual_latency socket_latency; /* of operations on sockets, apart from what
                                                 the network takes; 2 us, spread 3 us */
    const struct tp_virtual_watch *watch;     /* none; must outlive the Io */
    /* Whether these bytes of a file may be damaged (faults.h says by what); NULL: any may.
       `path` is one of the file's names, "" when it has none. Draws nothing, changes
       nothing. */
    bool (*may_fault)(void *context, uint32_t node, const char *path, uint64_t offset,
                      uint64_t len_bytes);
    void *may_fault_context;
    uint32_t landing_max; /* a write of a process that was killed may land before any of so
                             many operations of its successor; 16 */
    uint32_t reserved;
};

TP_BEGIN_DECLS

/** NULL config: the defaults. 0, -EINVAL (an impossible size; another world than the
 * network's), -EADDRINUSE (another Io has an address), -ENOSPC (the network has no room for
 * a host), or -ENOMEM. */
TP_EXPORT int tp_virtual_io_create(const struct tp_virtual_io_config *config,
                                   struct tp_io **ret_io);

/** tp_io_destroy() by another name: what is in flight takes effect, open files are closed,
 * and all is freed. A dead one is freed as it is. NULL is fine. */
TP_EXPORT void tp_virtual_io_destroy(struct tp_io *io);

/** The disk, the tape, the network and the world it works with. A network of its own is
 * made when it is first needed; NULL if that was never the case before a crash. */
TP_EXPORT struct tp_disk *tp_virtual_io_disk(struct tp_io *io);
TP_EXPORT struct tp_tape *tp_virtual_io_tape(struct tp_io *io);
TP_EXPORT struct tp_net *tp_virtual_io_net(struct tp_io *io);
TP_EXPORT struct tp_world *tp_virtual_io_world(struct tp_io *io);

/** Its number among the hosts of the network; 0 after a crash. */
TP_EXPORT uint32_t tp_virtual_io_host(struct tp_io *io);

/** A signal (one of enum tp_signal) comes to the process: now, or at a time. It stays
 * pending until the program asks for it. */
TP_EXPORT void tp_virtual_io_signal(struct tp_io *io, uint32_t signal);
TP_EXPORT void tp_virtual_io_signal_at(struct tp_io *io, uint32_t signal, uint64_t at_ns);

/* ------------------------------------------------------------------ clocks
 *
 * They follow the world's time until told otherwise. The monotonic one never goes back. */

/** Both clocks gain so many ns in each ms of the world, or lose them: up to 1000. */
TP_EXPORT void tp_virtual_io_drift(struct tp_io *io, int32_t ns_per_ms);

/** The wall clock steps, in either direction. */
TP_EXPORT void tp_virtual_io_step_wall(struct tp_io *io, int64_t delta_ns);

/** The wall clock stands still, or goes on from where it stands. */
TP_EXPORT void tp_virtual_io_freeze_wall(struct tp_io *io, bool frozen);

/** Both clocks jump ahead, as after a sleep of the machine. */
TP_EXPORT void tp_virtual_io_jump(struct tp_io *io, uint64_t delta_ns);

/** When, in the world's time, the monotonic clock will show `at_ns`; now, if it has. */
TP_EXPORT uint64_t tp_virtual_io_world_ns(const struct tp_io *io, uint64_t at_ns);

/* ------------------------------------------------------------------ counts and ends */

/** Operations that the world has taken, cancels not counted: the n of a sweep over
 * failures. */
TP_EXPORT uint64_t tp_virtual_io_operations(const struct tp_io *io);

/** Events of the world so far (an operation takes effect, an operation completes, a packet
 * arrives): the n of a sweep over cuts. */
TP_EXPORT uint64_t tp_virtual_io_events(const struct tp_io *io);

/** The hash over all completions so far: virtual time, node, kind, handle, arguments,
 * result and payload of each. */
TP_EXPORT uint64_t tp_virtual_io_trace_hash(const struct tp_io *io);

/** Replaces the faults. A stall (a throttling) that is under way ends when its rate
 * becomes 0; what was damaged stays damaged, and a hung operation hangs. */
TP_EXPORT void tp_virtual_io_set_faults(struct tp_io *io,
                                        const struct tp_virtual_faults *faults);

/** Replaces the latencies of operations, and of syncs; possible ones (asserted). */
TP_EXPORT void tp_virtual_io_set_latency(struct tp_io *io,
                                         const struct tp_virtual_latency *latency,
                                         const struct tp_virtual_latency *sync_latency);

/** The next sync of a file or directory fails, as one of TP_FAULT_SYNC_ERROR: once, and
 * whatever the faults are. */
TP_EXPORT void tp_virtual_io_fail_sync(struct tp_io *io);

/** How often a family of faults has fired, since the Io was created. */
TP_EXPORT uint64_t tp_virtual_io_faults_fired(const struct tp_io *io, enum tp_fault fault);

/** Stops the world when `event` events (as tp_virtual_io_events() counts them) have
 * happened; at once if they have. A shared world stands still until this Io was ended by a
 * power cut or a kill. The Io is dead then: end it by a power cut or a kill, or
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
