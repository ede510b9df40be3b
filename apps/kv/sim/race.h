/** apps/kv/sim/race.h - keys that everybody changes, and the history of who asked for what.
 *
 * Nobody owns them: any client reads, sets, extends or removes them, or changes one only if
 * it is still what it was when it was read (WATCH). What all of them were told must be
 * linearizable, which the history says (apps/sim/history.h). A client asks for one of these
 * at a time, whatever else it has under way.
 */
#ifndef TEMPEST_APPS_KV_SIM_RACE_H
#define TEMPEST_APPS_KV_SIM_RACE_H

#include "apps/sim/history.h"

enum {
    KV_RACE_DB = 14,
    KV_RACE_KEYS = 2,
};

/** What all clients share. The history is the caller's. */
struct kv_race {
    struct tp_history *history;
    uint64_t now_ns; /* of the world */
    uint64_t values; /* given out: no two are equal */
};

/** Where one client is. */
struct kv_racer {
    enum {
        KV_RACER_IDLE,
        KV_RACER_ASKED,
        KV_RACER_WATCHING, /* it has asked what is there */
        KV_RACER_READY,    /* it knows, and is to change it */
        KV_RACER_DECIDING, /* it has asked for the change */
    } stage;
    enum { KV_RACE_GET, KV_RACE_SET, KV_RACE_APPEND, KV_RACE_DEL, KV_RACE_CAS } kind;
    uint32_t key;
    uint32_t looks_left;      /* at the end of a connection, one at each key */
    struct tp_value expected; /* that was read; the history's */
};

#endif
