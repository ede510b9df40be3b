/** apps/kv/sim/oracle.h - what a server must hold, as its clients know it.
 *
 * Every client owns a database, which it alone changes, and changes in numbered steps. So
 * what is in it is always what it was after some step: the last one that was acknowledged,
 * or a later one that was sent. A crash may leave any of these; what it leaves is asked for
 * by reading all keys at once, and from then on it is certain again. A step of several keys
 * is seen whole or not at all.
 *
 * Everybody reads everything. What a reader was shown is as good as acknowledged, whoever
 * wrote it: it must survive, too. A key that was shown to have expired stays gone, wherever
 * the clock goes. Some counters belong to nobody; whoever increments one
 * gets a number that nobody got before, and above all that were seen before it asked.
 *
 * The first thing that is wrong is kept in `violation`. Pure: no clock, no chance, no Io.
 */
#ifndef TEMPEST_APPS_KV_SIM_ORACLE_H
#define TEMPEST_APPS_KV_SIM_ORACLE_H

#include "apps/kv/sim/clock.h"
#include "apps/kv/slice.h"
#include "io/base.h"

enum {
    KV_OWNERS_MAX = 12,  /* databases with an owner: 0 and up */
    KV_COUNTERS_DB = 15, /* of the counters */
    KV_COUNTERS = 3,
    KV_KEYS = 6,           /* of one owner */
    KV_VERSIONS = 64,      /* of a key that are remembered */
    KV_VALUE_MAX = 8192,   /* bytes */
    KV_COUNT_MAX = 65536,  /* of one counter */
    KV_UNKNOWN_MAX = 4096, /* steps that may be sent and not acknowledged */
    KV_EXPIRED_MS = 1,     /* the expiry of what has expired, whatever the clock shows */
};

/** What a key held from one step on. */
struct kv_version {
    uint64_t step;
    uint64_t hash;
    int64_t expire_ms; /* 0: never */
    uint64_t gone;     /* the moment from which nobody may see it any more; 0: not yet */
    uint32_t epoch;    /* of the clock, from which it may have been found to have expired */
    uint32_t len;
    bool there;
    bool vague; /* it, or the one before: it was not seen which of them has expired */
};

struct kv_oracle_key {
    struct kv_version versions[KV_VERSIONS]; /* a ring */
    uint32_t first, count;
    bool forgetful;              /* there were more versions, older ones */
    uint32_t len;                /* of the bytes of the last version */
    uint8_t bytes[KV_VALUE_MAX]; /* these */
};

struct kv_owner {
    struct kv_oracle_key keys[KV_KEYS];
    uint64_t acked; /* step: all up to it must be there */
    uint64_t sent;  /* step: none behind it can be */
    bool certain;   /* it is what it was after `sent`, or will be */
};

struct kv_counter {
    uint64_t seen;     /* the highest number that anybody was shown */
    uint64_t possible; /* increments sent, ever */
    uint8_t given[KV_COUNT_MAX / 8];
};

/** How much was checked, to see that it was. */
struct kv_oracle_stats {
    uint64_t steps_acked, steps_refused, steps_unknown;
    uint64_t reads, reads_of_others, counts, resolved, survived; /* steps without an ack */
};

struct kv_oracle {
    struct kv_owner owners[KV_OWNERS_MAX];
    struct kv_counter counters[KV_COUNTERS];
    struct kv_clock clock;  /* the server's */
    uint64_t moment;        /* counts what was seen to have expired */
    uint32_t unlogged_boot; /* the last server whose log was not told of an expiry */
    uint32_t refusing_boot; /* the last one that had a reason to refuse writes */
    struct kv_oracle_stats stats;
    const char *file; /* where a violation was found */
    uint32_t line;
    char violation[320]; /* "": none */
};

/** What a client was shown of a key, and what the server's clock showed in the meantime:
 * not less than `after_ms`, not more than `before_ms`. */
struct kv_sight {
    struct kv_slice value; /* bytes NULL: it is not there */
    int64_t after_ms, before_ms;
    uint64_t moment; /* of the oracle, when it was asked for */
    bool unlogged;   /* that it has expired may be known to nobody but who saw it */
};

/** Nobody has done anything: every database is empty. */
void kv_oracle_init(struct kv_oracle *oracle);

/** Notes a violation; the first one stays. */
TP_PRINTF(4, 5)
void kv_oracle_violate_at(struct kv_oracle *oracle, const char *file, uint32_t line,
                          const char *format, ...);
#define kv_oracle_violate(oracle, ...) \
    kv_oracle_violate_at(oracle, __FILE__, __LINE__, __VA_ARGS__)

/** Whether one was found. */
static inline bool kv_oracle_is_broken(const struct kv_oracle *oracle)
{
    return oracle->violation[0] != '\0';
}

/* ------------------------------------------------------------------ steps */

/** A step begins, the last one that was sent from now on. Its number. */
uint64_t kv_oracle_step(struct kv_oracle *oracle, uint32_t owner);

/** ... and with it a key gets a value; or is gone. The value may be made of the old one's
 * bytes. */
void kv_oracle_put(struct kv_oracle *oracle, uint32_t owner, uint32_t key,
                   struct kv_slice value, int64_t expire_ms);
void kv_oracle_remove(struct kv_oracle *oracle, uint32_t owner, uint32_t key);

/** What the key holds after all steps that were sent; NULL bytes: nothing, as far as it is
 * up to steps. */
struct kv_slice kv_oracle_value(const struct kv_oracle *oracle, uint32_t owner,
                                uint32_t key);
/** ... until when it may be there, and from which epoch of the clock on it may have
 * expired. 0: it never expires, or nobody sees it any more. KV_EXPIRED_MS: nobody knows
 * whether steps have left one that has expired, which a log that takes nothing was not told
 * of. */
int64_t kv_oracle_expiry(const struct kv_oracle *oracle, uint32_t owner, uint32_t key,
                         uint32_t *ret_epoch);

/** A step was acknowledged, and so were all before. */
void kv_oracle_ack(struct kv_oracle *oracle, uint32_t owner, uint64_t step);

/** The step, which is the last one sent and not acknowledged, did not happen. The owner is
 * not certain until it has looked. */
void kv_oracle_refuse(struct kv_oracle *oracle, uint32_t owner, uint64_t step);

/** Nobody knows which of the steps that were sent will be there. */
void kv_oracle_doubt(struct kv_oracle *oracle, uint32_t owner);

/* ------------------------------------------------------------------ sights */

/** The lowest step that a read sent now may show. */
uint64_t kv_oracle_floor(const struct kv_oracle *oracle, uint32_t owner);

/** A key was seen as of a step from `floor` to `ceiling`; UINT64_MAX: the last one sent. */
void kv_oracle_see(struct kv_oracle *oracle, uint32_t owner, uint32_t key, uint64_t floor,
                   uint64_t ceiling, const struct kv_sight *sight);

/** All keys of a doubtful owner were seen at one moment: it is certain again. */
void kv_oracle_resolve(struct kv_oracle *oracle, uint32_t owner,
                       const struct kv_sight sights[KV_KEYS]);

/* ------------------------------------------------------------------ counters */

/** An increment is sent. What its reply must be above. */
uint64_t kv_oracle_increment(struct kv_oracle *oracle, uint32_t counter);

/** ... and its reply came. */
void kv_oracle_incremented(struct kv_oracle *oracle, uint32_t counter, uint64_t above,
                           int64_t number);

/** The counter was read; when that was sent, `at_least` had been seen. */
void kv_oracle_see_counter(struct kv_oracle *oracle, uint32_t counter, uint64_t at_least,
                           int64_t number);

#endif
