/** apps/sim/sim.h - your program in a simulated world that tries to break it.
 *
 * A scenario says what is put into the world: nodes, each with a scheduler, a disk, clocks
 * and addresses of its own; what a node starts at each boot; what must hold. The simulator
 * does the rest, for as many seeds as it is given: it lets the program work, kills it, cuts
 * its power, fails its operations, parts its network, heals everything, waits for it to get
 * its work done, cuts the power of all, and looks whether what was promised is there. A
 * whole program that simulates is
 *
 *     struct oracle { uint64_t promised; };      // outlives every node
 *
 *     static void boot(struct tp_node *node)     // at each boot
 *     {
 *         struct counter *c = tp_node_new(node, sizeof *c);   // gone when the node dies
 *
 *         c->oracle = tp_sim_state(tp_node_sim(node));
 *         tp_node_spawn(node, &c->machine, counter_tick, "counter");
 *     }
 *
 *     static const struct tp_scenario scenarios[] = {
 *         {.name = "counter", .state_bytes = sizeof(struct oracle), .boot = boot}};
 *
 *     int main(int argc, char **argv)
 *     {
 *         return tp_sim_main(argc, argv, scenarios, 1);
 *     }
 *
 * where the machine recovers first, compares with the oracle, then works: while
 * tp_node_more() it draws a command (tp_node_draw()), does it, and notes in the oracle what
 * a client would have been told. What it finds wrong it says by tp_sim_fail().
 *
 * Phases. Warm-up (nothing goes wrong), chaos (what this seed's draws say), liveness (all
 * is healed and every node up: the work must get done in time), recovery (the power of all
 * was cut, every node boots once more, and must get done again); then check() has the last
 * word. tp_sim_phase() tells which.
 *
 * Processes. A node whose spawned machines have all ended is a process that has exited. If
 * one of them ended with an error, it is started again after a while, as a supervisor would
 * do; else it has done its work. So a machine that meets an error it cannot handle just
 * ends with it.
 *
 * Choices. Everything is drawn from the run's tape (io/virtual/tape.h): a run is a function
 * of scenario and seed. Nothing may depend on addresses, clocks of the host, the order of
 * an unordered walk, or on what an earlier run left in a global variable.
 *
 * Order. Everything runs in one thread. What a function here asks for that would end a node
 * (tp_node_kill() and the like) happens when the tick that is under way has ended.
 */
#ifndef TEMPEST_APPS_SIM_SIM_H
#define TEMPEST_APPS_SIM_SIM_H

#include "../../io/mark.h"
#include "../../io/virtual/virtual.h"
#include "../../runtime/tempest.h"

struct tp_sim;  /* one run of a scenario */
struct tp_node; /* a computer in it */

/** What goes wrong, family by family: a seed's swarm switches each on or off. The third
 * column: whether it is fair, that is, whether a program that keeps one copy on one disk
 * can be expected to bear it. The unfair ones are on only in scenarios that ask for them.
 *
 *   family               name         fair */
#define TP_FAMILY_TABLE(X)                                                                 \
    X(TP_FAMILY_ERROR, "error", true)         /* operations fail: EIO and the like */      \
    X(TP_FAMILY_INTERRUPT, "interrupt", true) /* EINTR and EAGAIN */                       \
    X(TP_FAMILY_SHORT, "short", true)         /* transfers of fewer bytes */               \
    X(TP_FAMILY_FULL, "full", true)           /* the disk is small, and becomes full */    \
    X(TP_FAMILY_SYNC, "sync", true)           /* syncs fail, memory forgets what failed */ \
    X(TP_FAMILY_JOURNAL, "journal", true)     /* no change more, until the power is cut */ \
    X(TP_FAMILY_CLOSE, "close", true)         /* close fails, and has closed */            \
    X(TP_FAMILY_SLOW, "slow", true)           /* other latencies, stalls, throttling */    \
    X(TP_FAMILY_KILL, "kill", true)           /* a process dies */                         \
    X(TP_FAMILY_POWER, "power", true)         /* a node's power is cut */                  \
    X(TP_FAMILY_PAUSE, "pause", true)         /* a node stands still for a while */        \
    X(TP_FAMILY_CLOCK, "clock", true)         /* offsets, drift, steps, jumps */           \
    X(TP_FAMILY_PARTITION, "partition", true) /* links break for a while */                \
    X(TP_FAMILY_CLOG, "clog", true)           /* links stand still, packets are late */    \
    X(TP_FAMILY_RESET, "reset", true)         /* connections are reset */                  \
    X(TP_FAMILY_REFUSE, "refuse", true)       /* connections refused, unanswered */        \
    X(TP_FAMILY_UPGRADE, "upgrade", true)     /* a restart with another version */         \
    X(TP_FAMILY_MEDIA, "media", false)        /* what was synced is damaged */             \
    X(TP_FAMILY_BUS, "bus", false)            /* the device's cache is lost alone */       \
    X(TP_FAMILY_HANG, "hang", false)          /* a completion never comes */               \
    X(TP_FAMILY_ROLLBACK, "rollback", false)  /* the disk as it was earlier */             \
    X(TP_FAMILY_WIPE, "wipe", false)          /* the disk is empty */

enum tp_family {
#define TP_FAMILY_ENUM(family, name, fair) family,
    TP_FAMILY_TABLE(TP_FAMILY_ENUM)
#undef TP_FAMILY_ENUM
        TP_FAMILIES
};

/** A set of families: TP_FAMILY_BIT(TP_FAMILY_WIPE) | ... */
#define TP_FAMILY_BIT(family) (UINT32_C(1) << (family))

enum tp_sim_phase {
    TP_PHASE_SETUP, /* setup() runs; no node is up */
    TP_PHASE_WARM_UP,
    TP_PHASE_CHAOS,
    TP_PHASE_LIVENESS,
    TP_PHASE_RECOVERY,
    TP_PHASE_CHECK, /* check() runs; no node is up */
    TP_PHASES
};

/** How a run ended. */
enum tp_verdict {
    TP_VERDICT_PASSED,
    TP_VERDICT_FAILED,    /* tp_sim_fail() */
    TP_VERDICT_DEADLOCK,  /* nothing can ever happen again, and work is left */
    TP_VERDICT_LIVENESS,  /* the work was not done in time though all was well */
    TP_VERDICT_STOPPED,   /* an assertion or a law: the process stopped itself */
    TP_VERDICT_SANITIZER, /* a sanitizer's report */
    TP_VERDICT_CRASHED,   /* a signal, or an exit */
    TP_VERDICT_HANG,      /* no event for too long in the host's time */
    TP_VERDICT_DIVERGED,  /* the same seed gave another trace: state outlived a run */
    TP_VERDICT_EMPTY,     /* it would have passed, but no boot started a machine */
    TP_VERDICTS
};

/** What a user writes. All zero but name and boot (or setup) is a working default. */
struct tp_scenario {
    uint32_t size;       /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t nodes;      /* plain nodes that exist before setup(); 0: 1, if there is none */
    const char *name;    /* as the command line has it */
    const char *summary; /* a line of `list` */
    size_t state_bytes;  /* of tp_sim_state(): zeroed at the start, kept to the end */
    const void *context; /* the scenario's own; see tp_sim_context() */

    /** Adds nodes, puts files on disks. NULL: `nodes` plain ones. */
    void (*setup)(struct tp_sim *sim);

    /** Spawns the machines of a node, at each boot; a node's config may name another. */
    void (*boot)(struct tp_node *node);

    /** Called whenever nodes have ticked, in every phase; fails the run if what must always
     * hold does not. NULL: none. Keep it cheap. */
    void (*invariant)(struct tp_sim *sim);

    /** Whether the work is done: ends a phase. NULL: when every node has exited without an
     * error. For nodes that serve for ever, say here when they have recovered, and when
     * clients are content. */
    bool (*done)(struct tp_sim *sim);

    /** After the recovery. Every node is down; disks can be looked at (disk.h). NULL:
     * none. */
    void (*check)(struct tp_sim *sim);

    /** Whether media may be hurt there: a replicated program keeps one good copy. NULL:
     * anywhere. */
    bool (*may_fault)(struct tp_sim *sim, struct tp_node *node, const char *path,
                      uint64_t offset, uint64_t len);

    uint32_t families_added;   /* unfair ones that it bears: TP_FAMILY_BIT() */
    uint32_t families_removed; /* that it does not bear */
    uint32_t profile;          /* enum tp_disk_profile; --profile overrides */
    uint32_t commands;         /* mean of the commands per node (tp_node_more()); 0: 24 */
    uint64_t warm_up_ns;       /* 0: none */
    uint64_t chaos_ns;         /* at most, less when the work is done; 0: 60 s */
    uint64_t liveness_ns;      /* deadline; 0: 60 s */
    uint64_t recovery_ns;      /* deadline; 0: 60 s */

    /** The run is over, however it ended, and every node is down: gives back what the
     * scenario has taken from the system. NULL: nothing. */
    void (*finish)(struct tp_sim *sim);
};

/** What a node is made of. All zero is a plain node. */
struct tp_node_config {
    uint32_t size;                      /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t role;                      /* the scenario's own number */
    const char *name;                   /* "node 0"; must live as long as the run */
    void (*boot)(struct tp_node *node); /* the scenario's */
    bool spared;                /* never hurt itself: a client that is part of the test */
    uint32_t versions;          /* programs that it may be restarted with; 0: 1 */
    uint32_t ops_max;           /* of its scheduler; 0: 1024 */
    uint32_t machines_max;      /* 0: 1024 */
    struct tp_disk_config disk; /* its profile is the run's */
    struct tp_virtual_io_config io; /* sizes and latencies; world, net, tape, disk, node,
                                       addresses, faults and watch are the simulator's */
};

TP_BEGIN_DECLS

/* ------------------------------------------------------------------ the run */

/** The state that outlives nodes: the oracle. Zeroed at the start of each run. A scenario
 * without `state_bytes` has none, and asking for it stops the program. */
TP_EXPORT void *tp_sim_state(struct tp_sim *sim);

/** The scenario that runs, and its context. */
TP_EXPORT const struct tp_scenario *tp_sim_scenario(const struct tp_sim *sim);
TP_EXPORT const void *tp_sim_context(const struct tp_sim *sim);

/** Which phase it is in. */
TP_EXPORT enum tp_sim_phase tp_sim_phase(const struct tp_sim *sim);

/** The world's time. */
TP_EXPORT uint64_t tp_sim_now_ns(const struct tp_sim *sim);

/** Which families of faults the swarm has switched on: TP_FAMILY_BIT() of each. In setup()
 * that is not known yet. */
TP_EXPORT uint32_t tp_sim_families(const struct tp_sim *sim);

/** Whether somebody outside has done something to the run (docs/simulation.md, Acts): then
 * families that are off say nothing about what the program has met. */
TP_EXPORT bool tp_sim_was_touched(const struct tp_sim *sim);

/** A choice of the scenario's own: below `bound`, 0 the mildest. In setup() it shapes the
 * run. */
TP_EXPORT uint64_t tp_sim_draw(struct tp_sim *sim, uint64_t bound);

/** Ends the run as failed, with a printf format; the first call counts. What runs at the
 * moment goes on to the end of its tick. Failures of one place in the source are of one
 * kind: tp_sim_fail() below gives the place. */
TP_EXPORT TP_PRINTF(4, 5) void tp_sim_fail_at(struct tp_sim *sim, const char *file,
                                              uint32_t line, const char *format, ...);
#define tp_sim_fail(sim, ...) tp_sim_fail_at(sim, __FILE__, __LINE__, __VA_ARGS__)

/** Whether it has failed. */
TP_EXPORT bool tp_sim_failed(const struct tp_sim *sim);

/** The network that its nodes are on. */
TP_EXPORT struct tp_net *tp_sim_net(struct tp_sim *sim);

/* ------------------------------------------------------------------ nodes */

/** Another node; in setup() only. It boots when setup() has returned. */
TP_EXPORT struct tp_node *tp_sim_add_node(struct tp_sim *sim,
                                          const struct tp_node_config *config);

/** How many there are. */
TP_EXPORT uint32_t tp_sim_nodes(const struct tp_sim *sim);
/** Node `index`, from 0, in the order in which they were added. */
TP_EXPORT struct tp_node *tp_sim_node(const struct tp_sim *sim, uint32_t index);

/** Its run, its place among the nodes, and what its config says. */
TP_EXPORT struct tp_sim *tp_node_sim(const struct tp_node *node);
TP_EXPORT uint32_t tp_node_index(const struct tp_node *node);
TP_EXPORT uint32_t tp_node_role(const struct tp_node *node);
TP_EXPORT const char *tp_node_name(const struct tp_node *node);

/** How often it has booted: 0 in the first call of its boot(), 1 in the ticks behind it. */
TP_EXPORT uint32_t tp_node_boots(const struct tp_node *node);
/** Which program it is to run, below its config's `versions`. */
TP_EXPORT uint32_t tp_node_version(const struct tp_node *node);

/** Its scheduler and Io; NULL while it is down. */
TP_EXPORT struct tp_scheduler *tp_node_scheduler(const struct tp_node *node);
TP_EXPORT struct tp_io *tp_node_io(const struct tp_node *node);
/** Its disk, which outlives it. */
TP_EXPORT struct tp_disk *tp_node_disk(const struct tp_node *node);
/** Its address (10.0.0.1 is that of node 0), with this port. */
TP_EXPORT struct tp_address tp_node_address(const struct tp_node *node, uint16_t port);

/** Memory for this boot, zeroed; gone with the process. The host having none stops it. */
TP_EXPORT void *tp_node_new(struct tp_node *node, size_t size_bytes);

/** Spawns one of the machines that make up the process (see Processes above). */
TP_EXPORT void tp_node_spawn(struct tp_node *node, struct tp_machine *machine,
                             tp_tick_fn *tick, const char *name);

/* ------------------------------------------------------------------ the workload */

/** A choice of this node's workload: below `bound`, 0 the least. */
TP_EXPORT uint64_t tp_node_draw(struct tp_node *node, uint64_t bound);

/** Whether one more command is to be done. When it has said no once it says no for ever; in
 * the recovery it always does. */
TP_EXPORT bool tp_node_more(struct tp_node *node);

/** Notes that something was promised to somebody outside, in words: the explanation of a
 * loss looks for the barrier that was missing before it. */
TP_EXPORT TP_PRINTF(2, 3) void tp_node_promised(struct tp_node *node, const char *format,
                                                ...);

/* ------------------------------------------------------------------ what befalls a node
 *
 * The simulator does all of it by itself. For scenarios that want something at a certain
 * time, and for tests. A node that is down stays down until it is started. TP_NEVER is
 * until all is healed at the end of the chaos. */

/** Whether its process runs, perhaps paused. */
TP_EXPORT bool tp_node_is_up(const struct tp_node *node);

/** Whether it has exited without an error: its work is done. */
TP_EXPORT bool tp_node_has_finished(const struct tp_node *node);

/** The process dies, or the power goes; at the end of the tick. Nothing happens to one that
 * is down. */
TP_EXPORT void tp_node_kill(struct tp_node *node);
TP_EXPORT void tp_node_power_cut(struct tp_node *node);

/** Boots it after a time. Nothing happens to one that is up then. */
TP_EXPORT void tp_node_start(struct tp_node *node, uint64_t delay_ns);

/** It stands still: what arrives for it waits. */
TP_EXPORT void tp_node_pause(struct tp_node *node, uint64_t duration_ns);

/** The two cannot reach each other for so long at least, or until all is healed at the end
 * of the chaos, whatever befalls links meanwhile (which would undo a tp_net_part()). */
TP_EXPORT void tp_node_part(struct tp_node *node, struct tp_node *other,
                            uint64_t duration_ns);

/** Its disk now becomes the one that tp_node_rollback() brings back. Of a node that is
 * down, as all are in setup(); else the program stops. */
TP_EXPORT void tp_node_snapshot(struct tp_node *node);

/** The power goes, and the disk is empty, or what the last snapshot was: without one,
 * tp_node_rollback() stops the program. */
TP_EXPORT void tp_node_wipe(struct tp_node *node);
TP_EXPORT void tp_node_rollback(struct tp_node *node);

/** What its next boot runs. */
TP_EXPORT void tp_node_set_version(struct tp_node *node, uint32_t version);

/* ------------------------------------------------------------------ one run, by itself */

/** Something that happened, as it is told to a watcher. */
enum tp_fact_kind {
    TP_FACT_PHASE,     /* detail: enum tp_sim_phase */
    TP_FACT_BOOT,      /* detail: how often it had booted before */
    TP_FACT_END,       /* detail: 1 exit, 2 kill, 3 power cut, 4 rollback, 5 wipe; text: of
                          an exit with an error, whose it is, and which */
    TP_FACT_EVENT,     /* text: what befalls the node, or the links; detail: TP_EVENT_ACT is
                          set for what somebody did (act.h) */
    TP_FACT_PROMISE,   /* text */
    TP_FACT_OPERATION, /* moment; file and line of its submission, if they are known */
    TP_FACT_VERDICT,   /* detail: enum tp_verdict; text */
};

#define TP_EVENT_ACT UINT32_C(0x100)

struct tp_fact {
    uint32_t kind; /* enum tp_fact_kind */
    uint32_t detail;
    uint64_t at_ns;
    const struct tp_node *node; /* NULL: the run */
    const char *text;
    const struct tp_virtual_moment *moment;
    const char *file;
    uint32_t line;
    uint32_t
        machine; /* whose operation it is: a number in its process, from 1; 0: nobody's */
};

/** Is told everything as it happens; must change nothing. */
struct tp_sim_watch {
    void (*fact)(void *context, const struct tp_fact *fact);
    void *context;
};

/** A barrier that the program does not make: after that many operations of the node have
 * taken effect, the data of the file that the last of them is on become durable, or the
 * names in the directory of its path, in no time and unseen. Or the node is mute from then
 * on, until it boots again, or for good: nothing that it sends arrives, nor does what is on
 * its way. For explanations. */
struct tp_ghost {
    uint32_t node;   /* its index */
    uint64_t effect; /* 1: after the first */
    bool names;      /* those in the directory; else the data of the file */
    bool to;         /* names: of the directory of its second path */
    bool mutes;      /* neither of them */
    bool stays;      /* mutes: for good */
};

/** How to run a seed. All zero: seed 0, the defaults. */
struct tp_sim_options {
    uint32_t size;         /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t families_on;  /* switched on whatever the swarm says */
    uint32_t families_off; /* switched off */
    uint32_t profile;      /* enum tp_disk_profile plus one; 0: the scenario's */
    uint64_t seed;
    struct tp_tape *tape;             /* the choices; NULL: from the seed */
    const struct tp_sim_watch *watch; /* NULL: nobody */
    const struct tp_ghost *ghosts;
    uint32_t ghost_count;
    bool ends_uncut; /* the power of all is not cut before check(): for explanations */
};

/** What a run came to. */
struct tp_sim_outcome {
    uint32_t verdict; /* enum tp_verdict */
    uint32_t phase;   /* enum tp_sim_phase in which it ended */
    uint64_t trace;   /* hash over all that happened */
    uint64_t events;
    uint64_t operations; /* completed */
    uint64_t virtual_ns;
    uint64_t kind;  /* failures of the same kind have the same; never 0 for a failure */
    uint32_t drawn; /* families that the swarm switched on */
    uint32_t reserved;
    uint64_t fired[TP_FAMILIES]; /* how often each came about */
    char message[4096];          /* one line, or a report of several */
};

/** Runs a scenario once, in this process. A stop, a crash or a hang is not caught here. */
TP_EXPORT void tp_sim_run(const struct tp_scenario *scenario,
                          const struct tp_sim_options *options,
                          struct tp_sim_outcome *ret_outcome);

/** The same, event by event, for whoever wants to look in between: between calls nothing
 * but the host happens. tp_sim_create() sets up, and no node has booted; the scenario and
 * `ret_outcome` must stay. */
TP_EXPORT struct tp_sim *tp_sim_create(const struct tp_scenario *scenario,
                                       const struct tp_sim_options *options,
                                       struct tp_sim_outcome *ret_outcome);
/** Goes on until one more event of the world has happened. False: the run is over. */
TP_EXPORT bool tp_sim_advance(struct tp_sim *sim);
/** Events so far. */
TP_EXPORT uint64_t tp_sim_events(const struct tp_sim *sim);
/** Ends it where it is: the outcome is complete, and says what was done. */
TP_EXPORT void tp_sim_destroy(struct tp_sim *sim);

/** A choice of a tape, by its place: `tempest-sim shrink --c-test` prints them. */
struct tp_sim_choice {
    uint32_t stream;
    uint64_t index;
    uint64_t value;
};

/** The same on a tape of these choices; all others are 0. The tape in the options is not
 * looked at. */
TP_EXPORT void tp_sim_run_choices(const struct tp_scenario *scenario,
                                  const struct tp_sim_options *options,
                                  const struct tp_sim_choice *choices, size_t count,
                                  struct tp_sim_outcome *ret_outcome);

/** For a fuzzer: the choices are `bytes`, and 0 when those are used up. A run that fails
 * stops the program with its message. */
TP_EXPORT void tp_sim_fuzz(const struct tp_scenario *scenario, const void *bytes,
                           size_t len_bytes);

/** Names for what is printed. */
TP_EXPORT const char *tp_family_name(uint32_t family);
TP_EXPORT const char *tp_phase_name(uint32_t phase);
TP_EXPORT const char *tp_verdict_name(uint32_t verdict);

/* ------------------------------------------------------------------ a whole program */

/** The pointers of a program's marks (io/mark.h), which its linker puts side by side. */
struct tp_mark_list {
    struct tp_mark **first, **end;
};

/** The main() of a program that simulates: list, run, ...; see docs/simulation.md. Result:
 * the exit status. Alone in the libraries it takes signals: SIGINT, SIGTERM and SIGHUP, for
 * the rest of the process; one that has come ends every later call as well. */
TP_EXPORT int tp_sim_main_with(int argc, char **argv, const struct tp_scenario *scenarios,
                               uint32_t count, struct tp_mark_list marks);

#if defined(__cplusplus)
#define TP_SIM_MARKS (tp_mark_list{nullptr, nullptr})
#elif defined(TP_NO_MARKS)
#define TP_SIM_MARKS ((struct tp_mark_list){NULL, NULL})
#else
extern struct tp_mark *__start_tp_marks[] __attribute__((weak, visibility("hidden")));
extern struct tp_mark *__stop_tp_marks[] __attribute__((weak, visibility("hidden")));
#define TP_SIM_MARKS ((struct tp_mark_list){__start_tp_marks, __stop_tp_marks})
#endif
#define tp_sim_main(argc, argv, scenarios, count) \
    tp_sim_main_with(argc, argv, scenarios, count, TP_SIM_MARKS)

TP_END_DECLS

#endif
