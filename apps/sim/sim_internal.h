/** apps/sim/sim_internal.h - how a run is kept. Reading order of the files:
 *
 *     run.c       a run from setup to check: the loop, the phases
 *     node.c      a node boots, ticks, exits, dies
 *     swarm.c     which families are on, how strongly; switches them on and off
 *     chaos.c     what befalls nodes and links, and when
 *     act.c       what somebody outside does
 *     workload.c  draws of the scenario, failures, questions
 *     watch.c     what a watcher is told; ghost barriers
 *
 * The loop lets the world do one event at a time, then ticks the nodes for which something
 * has come: a node without events costs nothing.
 */
#ifndef TEMPEST_APPS_SIM_SIM_INTERNAL_H
#define TEMPEST_APPS_SIM_SIM_INTERNAL_H

#include "apps/sim/act.h"
#include "apps/sim/memory.h"
#include "io/virtual/world_internal.h"
#include "sim.h"

/** How a node comes to its end. */
enum tp_end {
    TP_END_NONE,
    TP_END_EXIT, /* its machines have ended */
    TP_END_KILL,
    TP_END_POWER,
    TP_END_ROLLBACK,
    TP_END_WIPE,
    TP_END_OVER, /* the run needs it no more; nothing befell it */
};

/** Our events of the world: the upper bits of `what`; the lower ones are the node. */
enum tp_sim_due {
    TP_DUE_TIMER,
    TP_DUE_START,
    TP_DUE_RESUME,
    TP_DUE_HEAL,
    TP_DUE_MEND, /* with the link, instead of a node */
};
#define TP_DUE_SHIFT 28

/** When something befalls a node, or the links: counted in operations. */
struct tp_schedule {
    uint32_t event;    /* of chaos.c; 0: nothing more */
    uint32_t aim;      /* 0: there; else what follows a sync or rename after it */
    uint64_t at;       /* operations */
    uint64_t span_ns;  /* how long it lasts, or how long the node is down */
    uint32_t argument; /* of the event's own */
    bool seen;         /* aim: the sync has completed */
    bool due;          /* now */
};

/** A machine of the process. */
struct tp_part {
    struct tp_machine *machine;
    struct tp_part *next;
};

struct tp_node {
    struct tp_sim *sim;
    uint32_t index;
    uint32_t number; /* on the tape: index plus one */
    struct tp_node_config config;
    char name[16]; /* unless the config has one */
    struct tp_virtual_watch watch;
    struct tp_address address;
    struct tp_disk *disk, *snapshot;
    struct tp_io *io; /* NULL: down */
    struct tp_scheduler *scheduler;
    struct tp_part *parts;      /* of this boot */
    struct tp_block *memory;    /* of this boot */
    struct tp_node *next_ready; /* in the list of those that have something to do */
    bool ready;                 /* in that list */
    bool paused, wanted;        /* and while it was, something came */
    bool needs_power;           /* a file system that takes no change until a power cut */
    bool finished;              /* it has exited without an error */
    bool no_more;               /* its workload has ended */
    bool is_mute, stays_mute;   /* by a ghost; and for good */
    uint8_t pending;            /* enum tp_end: what is to happen to it now */
    uint32_t boots, version;
    uint32_t commands, commands_late;
    uint32_t exits; /* in this phase: each makes the next start later */
    int32_t error;  /* with which it exits; 0: with none */
    uint32_t busy;  /* ticks at one moment */
    uint64_t busy_ns;
    uint64_t timer_ns, start_ns, resume_ns; /* events of ours; TP_NEVER: none */
    uint64_t begun, effects;                /* operations of all boots */
    uint32_t host;                          /* of the network; 0: it was never up */
    struct tp_schedule schedule;
    uint64_t room_bytes; /* of its disk, before somebody filled it; 0: nobody did */
    int64_t wall_ns;     /* what its wall clock is off, at each boot */
    int32_t drift;       /* of its clocks, ns per ms */
    uint64_t trace;
};

struct tp_swarm {
    uint32_t on;                /* families */
    uint32_t rate[TP_FAMILIES]; /* drawn: 0 the lowest */
};

enum { SIM_ASKED = 16 };

struct tp_sim {
    const struct tp_scenario *scenario;
    struct tp_sim_options options;
    struct tp_sim_outcome *outcome;
    enum tp_sim_phase phase;
    struct tp_memory memory;
    void *state;
    struct tp_tape *tape, *own_tape;
    struct tp_world *world;
    uint32_t party;
    struct tp_net *net;
    struct tp_node **nodes;
    uint32_t node_count, node_capacity;
    uint32_t unfinished; /* nodes that have not finished */
    struct tp_node *ready_first, *ready_last;
    bool pending;                /* something is, of some node or of the links */
    bool over;                   /* the verdict stands */
    bool hurting;                /* the chaos is on */
    bool runs;                   /* a phase is under way */
    bool finished;               /* the outcome is complete */
    bool touched;                /* there was an act */
    bool spawned;                /* a boot has started a machine */
    uint64_t given_ns, until_ns; /* to the phase: how long, and until when */
    struct tp_swarm swarm;
    struct tp_schedule links;
    uint64_t heal_ns;
    struct tp_act act;   /* the next one that the tape has; TP_ACT_NONE: no more */
    uint64_t act_words;  /* that it was read from: fewer where the tape ends */
    uint64_t *cut_until; /* by link: somebody has cut it until then; NULL: none ever */
    uint64_t begun;      /* operations of all nodes */
    uint64_t trace;
    /* What tp_watch_is_ready_made() said: it is asked about few files, with every moment.
     */
    struct {
        const char *file;
        bool is_ready_made;
    } asked[SIM_ASKED];
};

/* ------------------------------------------------------------------ run.c */

/** Boots everybody, if nobody has yet: the first thing that tp_sim_advance() does. */
void tp_sim_begin(struct tp_sim *sim);

/** Takes everybody down and completes the outcome; the first thing that tp_sim_destroy()
 * does. */
void tp_sim_finish(struct tp_sim *sim);

/** What the outcome's trace would be if the run ended here, as it stands. */
uint64_t tp_sim_trace(const struct tp_sim *sim);

/** One more fact for the hash of the run. */
void tp_sim_note(struct tp_sim *sim, uint32_t what, uint64_t a, uint64_t b);

/** Tells the watcher. */
void tp_sim_tell(const struct tp_sim *sim, enum tp_fact_kind kind, uint32_t detail,
                 const struct tp_node *node, const char *text);

/** The verdict, unless there is one. `file` NULL: failures of this verdict are all alike.
 */
TP_PRINTF(5, 6)
void tp_sim_conclude(struct tp_sim *sim, enum tp_verdict verdict, const char *file,
                     uint32_t line, const char *format, ...);

/** So long from now; TP_NEVER when that is past the end of time. */
uint64_t tp_sim_moment(const struct tp_sim *sim, uint64_t span_ns);

/** An event of ours at a time; none at TP_NEVER. */
void tp_sim_at(struct tp_sim *sim, uint64_t at_ns, enum tp_sim_due due, uint32_t node);

/* ------------------------------------------------------------------ node.c */

struct tp_node *tp_node_create(struct tp_sim *sim, const struct tp_node_config *config);
void tp_node_destroy(struct tp_node *node);

/** Starts it; it is down, and nothing of an earlier boot is left. */
void tp_node_boot(struct tp_node *node);

/** Ends it, whether it is up or down. */
void tp_node_end(struct tp_node *node, enum tp_end how);

/** Puts it into the list of those that tick; later, if it is paused. */
void tp_node_make_ready(struct tp_node *node);

/** One tick, and what follows from it. */
void tp_node_tick(struct tp_node *node);

/** An event of ours. */
void tp_node_due(struct tp_node *node, enum tp_sim_due due);

/** A pause that was told already. */
void tp_node_stand_still(struct tp_node *node, uint64_t duration_ns);

/** Goes on after a pause, if it is in one. */
void tp_node_resume(struct tp_node *node);

/* ------------------------------------------------------------------ swarm.c */

/** Whether a family is on in scenarios that do not ask for it. */
bool tp_swarm_is_fair(uint32_t family);

/** The families that a scenario lets come about, whatever its nodes. */
uint32_t tp_swarm_families(const struct tp_scenario *scenario);

/** Draws which families are on. */
void tp_swarm_draw(struct tp_sim *sim);

bool tp_swarm_is_on(const struct tp_sim *sim, enum tp_family family);

/** Before the first boot: how large the disk is, how wrong the clocks. */
void tp_swarm_shape(struct tp_node *node);

/** To a node that is up: its operations go wrong as the swarm says, or no longer. */
void tp_swarm_apply(struct tp_node *node);

/** To a node, up or down, when the chaos is over: somebody has cleared up its disk. */
void tp_swarm_make_room(struct tp_node *node);

/** Counts what has befallen a node in this boot, before its Io is gone. */
void tp_swarm_count(struct tp_node *node);

/** Whether it has come into a state that only a power cut ends. */
bool tp_swarm_needs_power_cut(const struct tp_node *node);

/** To the network. */
void tp_swarm_apply_net(struct tp_sim *sim);

/** Counts what the network has done. */
void tp_swarm_count_net(struct tp_sim *sim);

/** `base` doubled with every 16 that were drawn, in steps between. */
uint64_t tp_ratio(uint64_t base, uint64_t drawn);
#define TP_OCTAVES(octaves) ((octaves)*UINT64_C(16))

/* ------------------------------------------------------------------ watch.c */

/** A moment of an operation: it is told, and ghosts come when it has taken effect. */
void tp_watch_moment(struct tp_node *node, const struct tp_virtual_moment *moment);

/** Where the walk along the operation's path begins. */
uint32_t tp_watch_start_of(const struct tp_virtual_moment *moment);

/** The directory that the last name of the operation's path is in; 0: there is none. */
uint32_t tp_watch_dir_of(const struct tp_disk *disk,
                         const struct tp_virtual_moment *moment);

/** The same of its second path, where it renames. */
uint32_t tp_watch_to_dir_of(const struct tp_disk *disk,
                            const struct tp_virtual_moment *moment);

/** It boots: a ghost that made it mute is gone. Not before: what it has sent is on its way.
 */
void tp_watch_boot(struct tp_node *node);

/** Where an operation in flight was submitted, and the number of its machine; left alone if
 * that is not known. */
void tp_watch_site(const struct tp_node *node, uint64_t handle, const char **ret_file,
                   uint32_t *ret_line, uint32_t *ret_machine);

/** The next timer of a node that has not gone off, behind that of a handle (0: the first);
 * false: there is none. */
bool tp_watch_timer(const struct tp_node *node, uint64_t *handle);

/** Whether a source is one of the ready-made machines, in sm/, or what the programs of the
 * zoo have in common. */
bool tp_watch_is_ready_made(const char *file);

/* ------------------------------------------------------------------ chaos.c */

/** The chaos begins: the first events are drawn. */
void tp_chaos_begin(struct tp_sim *sim);

/** Does what is due. */
void tp_chaos_strike(struct tp_sim *sim);

/** All is healed: nodes up, links whole. */
void tp_chaos_heal(struct tp_sim *sim);

/** The latest that an event can come: so many operations after the last one. */
enum { TP_CHAOS_WITHIN = (1 << 9) - 1 };

/** An operation of a node; says whether something befalls it now. */
void tp_chaos_moment(struct tp_node *node, const struct tp_virtual_moment *moment);

/** The links heal. */
void tp_chaos_heal_links(struct tp_sim *sim);

/** Breaks and mends them as the chaos and the acts have it now. */
void tp_chaos_set_links(struct tp_sim *sim);

#endif
