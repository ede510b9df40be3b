/** apps/kv/sim/script.h - what a client asks for, by chance, and what it must be answered.
 *
 *     kv_script_connected(&script);
 *     while (... and kv_script_wants(&script, now_ms)) kv_script_ask(&script, now_ms);
 *     send script.request, of script.request_len bytes
 *     kv_script_answer(&script, &answer, now_ms);       each token that comes back
 *     kv_script_disconnected(&script);                  whyever
 *
 * After a connection has ended without an answer to everything, the next one waits until
 * the server has forgotten the old one (CLIENT LIST), and then reads what is there: so the
 * oracle knows again where it stands. Times are of the wall clock that the server has.
 *
 * Pure: the choices depend on the seed and on the answers. The bytes of a request may be
 * sent in any pieces.
 */
#ifndef TEMPEST_APPS_KV_SIM_SCRIPT_H
#define TEMPEST_APPS_KV_SIM_SCRIPT_H

#include "apps/kv/sim/answer.h"
#include "apps/kv/sim/oracle.h"
#include "apps/kv/sim/race.h"

enum {
    KV_EXPECTS_MAX = 256,
    KV_EXPECTS_ASK = 16, /* at most, of one call of kv_script_ask() */
};

/** Where a connection is. */
enum kv_script_stage {
    KV_SCRIPT_AWAY,
    KV_SCRIPT_ID,      /* asks who it is */
    KV_SCRIPT_LIST,    /* asks whether its predecessor is still there */
    KV_SCRIPT_RESOLVE, /* reads what it left */
    KV_SCRIPT_RUN,
    KV_SCRIPT_STUCK, /* after an error nothing is asked until it is connected again */
};

enum kv_expect_kind {
    KV_EXPECT_STATUS,  /* `text` */
    KV_EXPECT_NUMBER,  /* `number` */
    KV_EXPECT_VALUE,   /* of a key, as of a step from `floor` to `ceiling` */
    KV_EXPECT_SIZE,    /* `number` keys, and one more until `expire_ms` */
    KV_EXPECT_ARRAY,   /* of `number` */
    KV_EXPECT_COUNT,   /* a counter was incremented to above `floor` */
    KV_EXPECT_COUNTER, /* a counter is at least `floor` */
    KV_EXPECT_ANY,     /* `number` tokens, and the elements of those that are arrays */
    KV_EXPECT_ID,
    KV_EXPECT_LIST,
    KV_EXPECT_FOUND, /* a key, to resolve a doubt */
    KV_EXPECT_RACE,  /* what a race is about: see race.h */
};

/** One token of a reply. */
struct kv_expect {
    enum kv_expect_kind kind;
    uint32_t owner, key; /* or the counter */
    bool ends;           /* it is the last token of its reply */
    uint64_t step;       /* that the reply acknowledges; 0: none */
    uint64_t floor, ceiling;
    int64_t number, expire_ms;
    uint32_t epoch, asked_epoch; /* of the clock: of `expire_ms`, of the question */
    int64_t asked_ms;
    uint64_t asked_moment; /* of the oracle */
    const char *text;
};

struct kv_script {
    struct kv_oracle *oracle;
    uint32_t owner;
    uint32_t owners; /* how many there are, to look at others */
    bool one_by_one; /* a step is not begun before the last one was answered, because it
                        may be refused */
    uint64_t random;
    /* Where choices come from, below a bound, 0 the mildest; NULL: from `random`. */
    uint64_t (*choose)(void *context, uint64_t bound);
    void *context;
    struct kv_race *race; /* keys that everybody changes; NULL: there are none */
    struct kv_racer racer;
    enum kv_script_stage stage;
    bool pausing; /* a little time is to pass before the next question */
    uint64_t steps_left;
    int64_t id, old_id;  /* as CLIENT ID says; 0: not known */
    uint32_t boot;       /* of the server, that these are of: who connects counts */
    uint32_t steps_open; /* of expects, those with a step */

    uint8_t *request;
    uint32_t request_len, request_capacity;
    struct kv_expect expects[KV_EXPECTS_MAX]; /* a ring */
    uint32_t first, count;

    struct kv_sight found[KV_KEYS];
    uint8_t found_bytes[KV_KEYS][KV_VALUE_MAX];
    uint8_t value[2][KV_VALUE_MAX]; /* of the request in the making */
};

/** A client that has yet to connect, for `steps` steps. */
void kv_script_init(struct kv_script *script, struct kv_oracle *oracle, uint32_t owner,
                    uint64_t seed, uint64_t steps);
void kv_script_deinit(struct kv_script *script);

/** A connection is there. */
void kv_script_connected(struct kv_script *script);

/** The connection has ended: what was not answered never will be. */
void kv_script_disconnected(struct kv_script *script);

/** Whether it has something to ask now, with at most `depth` answers outstanding. */
bool kv_script_wants(const struct kv_script *script, uint32_t depth);

/** Adds one question, or a few that belong together, to the request. */
void kv_script_ask(struct kv_script *script, int64_t now_ms);

/** Whether all was asked and answered. */
bool kv_script_done(const struct kv_script *script);

/** Takes one token of an answer. What it must not be is told to the oracle. */
void kv_script_answer(struct kv_script *script, const struct kv_answer *answer,
                      int64_t now_ms);

#endif
