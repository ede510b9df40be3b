/** apps/sim/act.h - what somebody outside does to a run: a click in the playground, a
 * script.
 *
 * An act befalls the world between two events, and is kept on the run's tape, so that a
 * replay does the same at the same event. On the tape it is four choices on a stream of
 * the run's own: after which event, what, to whom, for how long; 0 is that nobody does
 * anything more. Only a record has acts: a seed draws none.
 *
 * Whoever acts in a phase that has a deadline gives the program its whole time anew.
 */
#ifndef TEMPEST_APPS_SIM_ACT_H
#define TEMPEST_APPS_SIM_ACT_H

#include "sim.h"

/* What can be done. The third column is how long it lasts unless that is said, in
 * milliseconds; the last is what is told.
 *
 *   act              name      ms    in words */
#define TP_ACT_TABLE(X)                                                       \
    X(TP_ACT_NONE, "none", 0, "nothing")                                      \
    X(TP_ACT_POWER, "power", 100, "somebody cuts its power")                  \
    X(TP_ACT_KILL, "kill", 100, "somebody kills its process")                 \
    X(TP_ACT_PAUSE, "pause", 1000, "somebody stops it")                       \
    X(TP_ACT_RESUME, "resume", 0, "somebody lets it go on")                   \
    X(TP_ACT_CUT, "cut", 1000, "somebody cuts a link")                        \
    X(TP_ACT_PART, "part", 1000, "somebody parts two nodes")                  \
    X(TP_ACT_MEND, "mend", 0, "somebody joins two nodes again")               \
    X(TP_ACT_HEAL, "heal", 0, "somebody mends all links")                     \
    X(TP_ACT_SYNC, "sync", 0, "somebody sees to it that its next sync fails") \
    X(TP_ACT_FILL, "fill", 0, "somebody fills its disk")                      \
    X(TP_ACT_ROOM, "room", 0, "somebody makes room on its disk")              \
    X(TP_ACT_START, "start", 0, "somebody starts it")                         \
    X(TP_ACT_HARSH, "harsh", 100,                                             \
      "somebody cuts its power, and only what is durable is left")

enum tp_act_kind {
#define TP_ACT_ENUM(act, name, ms, words) act,
    TP_ACT_TABLE(TP_ACT_ENUM)
#undef TP_ACT_ENUM
        TP_ACTS
};

struct tp_act_info {
    const char *name;  /* "power" */
    const char *words; /* "somebody cuts its power" */
    uint64_t span_ns;
};

struct tp_act {
    uint64_t event;   /* after so many of the world's */
    uint64_t span_ns; /* 0: as the table says */
    uint32_t kind;    /* enum tp_act_kind */
    uint32_t node;    /* to whom; of a link: from where */
    uint32_t other;   /* of a link: to where; else 0 */
    uint32_t reserved;
};

/** Indexed by enum tp_act_kind. */
extern const struct tp_act_info tp_act_info[TP_ACTS];

/** Does it now, and notes it on the tape, which must record or replay; `act->event` is
 * ignored. 0; -EINVAL (no such act or node), -EPERM (the node is spared), -ENOTCONN (it is
 * down, or was never up), -EBUSY (the run is over, or has not begun). */
int32_t tp_act_now(struct tp_sim *sim, const struct tp_act *act);

/** Those of a tape: how many it has, and one of them. */
uint32_t tp_act_count(const struct tp_tape *tape);
struct tp_act tp_act_of(const struct tp_tape *tape, uint32_t index, uint32_t node_count);

/* ------------------------------------------------------------------ for run.c, chaos.c */

/** Reads the first act of the tape; after setup. */
void tp_act_begin(struct tp_sim *sim);

/** Does what the tape has for this event. */
void tp_act_replay(struct tp_sim *sim);

/** Whether somebody has cut the link. */
bool tp_act_is_cut(const struct tp_sim *sim, uint32_t from, uint32_t to);

/** A cut has lasted long enough. */
void tp_act_due(struct tp_sim *sim, uint32_t link);

/** Somebody has repaired everything: links, disks. */
void tp_act_heal(struct tp_sim *sim);

/** Frees what it keeps. */
void tp_act_end(struct tp_sim *sim);

#endif
