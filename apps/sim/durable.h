/** apps/sim/durable.h - a durability oracle: what was acknowledged must be there after a
 * crash, what was not may be, and nothing else.
 *
 * Keys and values are numbers; of longer ones a hash will do. The value 0 is nothing: the
 * key was never written, or was removed. The program under test says what it does, a reader
 * says what it found:
 *
 *     write = tp_durable_begin(&oracle, key, value);   // from now on it may be there
 *     ... the service says that it is done ...
 *     tp_durable_acknowledge(&oracle, write);          // from now on it must be
 *     ... a crash, and what comes after it ...
 *     tp_durable_crash(&oracle);
 *     verdict = tp_durable_observe(&oracle, key, found);
 *
 * A write that was answered by an error, or not at all, may be there or not. Two that were
 * under way at once may be in either order. What a reader has seen after a crash was shown
 * to somebody: from then on it must be there too, and what it did not see is gone for ever.
 *
 * Ownership: the writes are the caller's memory, and may be in a scenario's state. Nothing
 * is allocated. What can no longer matter is forgotten, so there are at most as many as
 * keys and writes that nobody has acknowledged.
 */
#ifndef TEMPEST_APPS_SIM_DURABLE_H
#define TEMPEST_APPS_SIM_DURABLE_H

#include "../../io/base.h"

/** A write that may or must be there. */
struct tp_durable_write {
    uint64_t key, value;
    uint64_t begun;   /* moment */
    uint64_t settled; /* moment from which it is complete or will never be; 0: under way */
    uint32_t boot;    /* in which it began */
    bool acknowledged;
    bool used;
};

struct tp_durable {
    struct tp_durable_write *writes;
    uint32_t capacity;
    uint32_t boot;
    uint64_t moment; /* counts what was said */
};

enum tp_durable_verdict {
    TP_DURABLE_FINE,
    TP_DURABLE_LOST,  /* instead of what must be there: nothing, or something else */
    TP_DURABLE_ALIEN, /* nothing had to be there, and what is there nobody wrote */
};

TP_BEGIN_DECLS

/** The oracle of an empty store. */
TP_EXPORT void tp_durable_init(struct tp_durable *durable, struct tp_durable_write *writes,
                               uint32_t capacity);

/** A write begins; `value` 0 removes. Result: its number, for tp_durable_acknowledge() in
 * the same boot, or -ENOSPC. */
TP_EXPORT int32_t tp_durable_begin(struct tp_durable *durable, uint64_t key,
                                   uint64_t value);

/** It was acknowledged. */
TP_EXPORT void tp_durable_acknowledge(struct tp_durable *durable, int32_t write);

/** The service died: nothing is under way any more. */
TP_EXPORT void tp_durable_crash(struct tp_durable *durable);

/** A reader found this; nothing is under way that it could be early for. */
TP_EXPORT enum tp_durable_verdict tp_durable_observe(struct tp_durable *durable,
                                                     uint64_t key, uint64_t value);

/** "fine", "lost", "alien". */
TP_EXPORT const char *tp_durable_verdict_name(enum tp_durable_verdict verdict);

TP_END_DECLS

#endif
