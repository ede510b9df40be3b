/** EXPIRE, TTL, PERSIST and their kin. */
#include "apps/kv/commands.h"
#include "apps/kv/expiry_argument.h"
#include "apps/kv/number.h"

enum { MS_PER_SECOND = 1000 };

bool kv_expiry_argument(struct kv_call *call, uint32_t index,
                        struct kv_expiry_argument argument, int64_t *ret_expire_ms)
{
    int64_t time;

    if (!kv_call_integer(call, index, &time))
        return false;
    if ((argument.positive && time <= 0) ||
        (argument.seconds && !kv_number_multiply(time, MS_PER_SECOND, &time)) ||
        (argument.relative && !kv_number_add(time, call->engine->now_ms, &time))) {
        kv_call_expiry_error(call);
        return false;
    }
    *ret_expire_ms = time;
    return true;
}

/* ------------------------------------------------------------------ EXPIRE */

enum condition { NX = 1 << 0, XX = 1 << 1, GT = 1 << 2, LT = 1 << 3 };

static bool read_conditions(struct kv_call *call, uint32_t *ret_conditions)
{
    uint32_t given = 0;

    for (uint32_t i = 3; i < call->argc; i++) {
        if (kv_call_is(call, i, "nx")) {
            given |= NX;
        } else if (kv_call_is(call, i, "xx")) {
            given |= XX;
        } else if (kv_call_is(call, i, "gt")) {
            given |= GT;
        } else if (kv_call_is(call, i, "lt")) {
            given |= LT;
        } else {
            kv_reply_error_about(call->reply, "ERR Unsupported option ", call->argv[i], "");
            return false;
        }
    }
    *ret_conditions = given;
    if ((given & NX) && (given & (XX | GT | LT))) {
        kv_reply_error(call->reply, "ERR NX and XX, GT or LT options at the same time are "
                                    "not compatible");
        return false;
    }
    if ((given & GT) && (given & LT)) {
        kv_reply_error(call->reply,
                       "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/* A key that never expires does so later than any that does. */
static bool holds(uint32_t conditions, int64_t old_ms, int64_t new_ms)
{
    if ((conditions & NX) && old_ms != 0)
        return false;
    if ((conditions & XX) && old_ms == 0)
        return false;
    if ((conditions & GT) && (old_ms == 0 || new_ms <= old_ms))
        return false;
    return !(conditions & LT) || old_ms == 0 || new_ms < old_ms;
}

static void expire(struct kv_call *call, struct kv_expiry_argument argument)
{
    struct kv_slice key = call->argv[1];
    struct kv_effect effect;
    struct kv_view view;
    uint32_t conditions;
    int64_t expire_ms;

    if (!read_conditions(call, &conditions) ||
        !kv_expiry_argument(call, 2, argument, &expire_ms))
        return;
    if (!kv_call_get(call, key, &view) || !holds(conditions, view.expire_ms, expire_ms)) {
        kv_reply_integer(call->reply, 0);
        return;
    }
    if (expire_ms <= call->engine->now_ms) {
        kv_call_delete(call, key);
    } else {
        effect = kv_effect_expire(call->session->db, key, expire_ms);
        kv_call_apply(call, &effect);
    }
    kv_reply_integer(call->reply, 1);
}

void kv_cmd_expire(struct kv_call *call)
{
    expire(call, (struct kv_expiry_argument){.seconds = true, .relative = true});
}

void kv_cmd_pexpire(struct kv_call *call)
{
    expire(call, (struct kv_expiry_argument){.relative = true});
}

void kv_cmd_expireat(struct kv_call *call)
{
    expire(call, (struct kv_expiry_argument){.seconds = true});
}

void kv_cmd_pexpireat(struct kv_call *call)
{
    expire(call, (struct kv_expiry_argument){.seconds = false});
}

void kv_cmd_persist(struct kv_call *call)
{
    struct kv_slice key = call->argv[1];
    struct kv_view view;
    bool expires = kv_call_get(call, key, &view) && view.expire_ms != 0;

    if (expires) {
        struct kv_effect effect = kv_effect_expire(call->session->db, key, 0);

        kv_call_apply(call, &effect);
    }
    kv_reply_integer(call->reply, expires ? 1 : 0);
}

/* ------------------------------------------------------------------ TTL */

enum { NEVER_EXPIRES = -1, NO_KEY = -2 };

/* The time of its expiry, from `since_ms` on; seconds are rounded. */
static void reply_expiry(struct kv_call *call, int64_t since_ms, bool seconds)
{
    struct kv_view view;
    int64_t time;

    if (!kv_call_read(call, call->argv[1], &view)) {
        time = NO_KEY;
    } else if (view.expire_ms == 0) {
        time = NEVER_EXPIRES;
    } else {
        time = view.expire_ms - since_ms;
        if (seconds)
            time = time / MS_PER_SECOND + (time % MS_PER_SECOND >= MS_PER_SECOND / 2);
    }
    kv_reply_integer(call->reply, time);
}

void kv_cmd_ttl(struct kv_call *call)
{
    reply_expiry(call, call->engine->now_ms, true);
}

void kv_cmd_pttl(struct kv_call *call)
{
    reply_expiry(call, call->engine->now_ms, false);
}

void kv_cmd_expiretime(struct kv_call *call)
{
    reply_expiry(call, 0, true);
}

void kv_cmd_pexpiretime(struct kv_call *call)
{
    reply_expiry(call, 0, false);
}
