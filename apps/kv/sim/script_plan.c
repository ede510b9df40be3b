/* What a client does, by chance: steps that change its keys, and looks at its own and at
 * those of others. Each is written as a request, done to the oracle's copy, and what the
 * answer must be is noted. */
#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/number.h"
#include "apps/kv/sim/script_internal.h"

enum {
    GAP_MAX = 20,        /* zeros that a SETRANGE leaves */
    TRANSACTION_MAX = 4, /* commands in one */
    LIFE_MS_MAX = 60,    /* of the key that expires */
    LONG_ONE_IN = 24,    /* values of up to KV_VALUE_MAX */
    SHORT_MAX = 80,
};

static struct kv_slice tip(const struct kv_script *script, uint32_t key)
{
    return kv_oracle_value(script->oracle, script->owner, key);
}

/* A value that nobody else ever writes, with its origin in front. */
static struct kv_slice new_value(struct kv_script *script, uint32_t place)
{
    uint8_t *bytes = script->value[place];
    uint64_t number = kv_script_random(script);
    uint32_t len = kv_script_below(
        script, kv_script_chance(script, LONG_ONE_IN) ? KV_VALUE_MAX / 2 : SHORT_MAX);
    uint32_t head = (uint32_t)snprintf((char *)bytes, 48, "%" PRIu32 ":%" PRIx64 ":",
                                       script->owner, number);

    for (uint32_t i = head; i < len; i++)
        bytes[i] = (uint8_t)(number >> (i % 8 * 8)) ^ (uint8_t)i;
    return kv_slice_of(bytes, len < head ? head : len);
}

static struct kv_expect *expect_ok(struct kv_script *script)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_STATUS);

    expect->text = "OK";
    return expect;
}

static struct kv_expect *expect_number(struct kv_script *script, int64_t number)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_NUMBER);

    expect->number = number;
    return expect;
}

/* A key of one's own as it is now. */
static struct kv_expect *expect_tip(struct kv_script *script, uint32_t key, uint64_t step)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_VALUE);

    expect->key = key;
    expect->floor = expect->ceiling = step;
    return expect;
}

static uint64_t now_of(const struct kv_script *script)
{
    return script->oracle->owners[script->owner].sent;
}

/* ------------------------------------------------------------------ changes
 *
 * Each is a part of the step that has begun: its request is written, its effect noted. What
 * it gives is expected by expect_change(), which may be later, in a transaction. */

struct change {
    enum { SET, APPEND, SETRANGE, DEL, GETSET, SETNX, INCRBY, RENAME } kind;
    uint32_t key;
    int64_t number;  /* that it replies */
    uint64_t before; /* GETSET: the step whose value it replies */
};

static void put(struct kv_script *script, uint32_t key, struct kv_slice value)
{
    kv_oracle_put(script->oracle, script->owner, key, value, 0);
}

static void change_set(struct kv_script *script, uint32_t key, const char *command)
{
    struct kv_slice value = new_value(script, 0);

    kv_script_begin(script, 3);
    kv_script_word(script, command);
    kv_script_word(script, kv_script_key(key));
    kv_script_argument(script, value);
    put(script, key, value);
}

static void change_append(struct kv_script *script, struct change *change)
{
    struct kv_slice old = tip(script, change->key), more = new_value(script, 0);
    uint8_t *whole = script->value[1];

    if (old.len + more.len > KV_VALUE_MAX) {
        change->kind = SET;
        change_set(script, change->key, "SET");
        return;
    }
    kv_script_begin(script, 3);
    kv_script_word(script, "APPEND");
    kv_script_word(script, kv_script_key(change->key));
    kv_script_argument(script, more);
    if (old.len > 0)
        memcpy(whole, old.bytes, old.len);
    memcpy(whole + old.len, more.bytes, more.len);
    put(script, change->key, kv_slice_of(whole, old.len + more.len));
    change->number = old.len + more.len;
}

static void change_setrange(struct kv_script *script, struct change *change)
{
    struct kv_slice old = tip(script, change->key), more = new_value(script, 0);
    uint32_t offset = kv_script_below(script, old.len + GAP_MAX);
    uint32_t end = offset + more.len, len = end > old.len ? end : old.len;
    uint8_t *whole = script->value[1];

    if (len > KV_VALUE_MAX) {
        change->kind = SET;
        change_set(script, change->key, "SET");
        return;
    }
    kv_script_begin(script, 4);
    kv_script_word(script, "SETRANGE");
    kv_script_word(script, kv_script_key(change->key));
    kv_script_number(script, offset);
    kv_script_argument(script, more);
    memset(whole, 0, len);
    if (old.len > 0)
        memcpy(whole, old.bytes, old.len);
    memcpy(whole + offset, more.bytes, more.len);
    put(script, change->key, kv_slice_of(whole, len));
    change->number = len;
}

static void change_del(struct kv_script *script, struct change *change)
{
    kv_script_begin(script, 2);
    kv_script_word(script, kv_script_chance(script, 2) ? "DEL" : "UNLINK");
    kv_script_word(script, kv_script_key(change->key));
    change->number = tip(script, change->key).bytes != NULL;
    if (change->number == 1)
        kv_oracle_remove(script->oracle, script->owner, change->key);
}

static void change_setnx(struct kv_script *script, struct change *change)
{
    struct kv_slice value = new_value(script, 0);

    kv_script_begin(script, 3);
    kv_script_word(script, "SETNX");
    kv_script_word(script, kv_script_key(change->key));
    kv_script_argument(script, value);
    change->number = tip(script, change->key).bytes == NULL;
    if (change->number == 1)
        put(script, change->key, value);
}

static void change_incrby(struct kv_script *script, struct change *change)
{
    struct kv_slice old = tip(script, KV_KEY_NUMBER);
    int64_t by = (int64_t)kv_script_below(script, 1000) - 300, number = 0;
    char text[KV_NUMBER_BYTES];
    bool is_number = old.bytes == NULL || kv_number_parse(old, &number);

    tp_assert(is_number);
    change->key = KV_KEY_NUMBER;
    kv_script_begin(script, 3);
    kv_script_word(script, "INCRBY");
    kv_script_word(script, kv_script_key(KV_KEY_NUMBER));
    kv_script_number(script, by);
    change->number = number + by;
    put(script, KV_KEY_NUMBER, kv_slice_of(text, kv_number_print(change->number, text)));
}

/* The value goes to the key behind; there is one. */
static void change_rename(struct kv_script *script, struct change *change)
{
    uint32_t to = (change->key + 1) % KV_KEY_NUMBER;

    if (tip(script, change->key).bytes == NULL) {
        change->kind = SET;
        change_set(script, change->key, "SET");
        return;
    }
    kv_script_begin(script, 3);
    kv_script_word(script, "RENAME");
    kv_script_word(script, kv_script_key(change->key));
    kv_script_word(script, kv_script_key(to));
    put(script, to, tip(script, change->key));
    kv_oracle_remove(script->oracle, script->owner, change->key);
}

/* GETSET in a transaction would show what an earlier command of it left, which is nothing
 * that the oracle keeps: there is none in them. */
static struct change make_change(struct kv_script *script, bool in_transaction)
{
    struct change change = {.kind = kv_script_below(script, RENAME + 1),
                            .key = kv_script_below(script, KV_KEY_NUMBER),
                            .before = now_of(script) - 1};

    if (in_transaction && change.kind == GETSET)
        change.kind = SET;
    switch (change.kind) {
    case SET:
        change_set(script, change.key, "SET");
        break;
    case APPEND:
        change_append(script, &change);
        break;
    case SETRANGE:
        change_setrange(script, &change);
        break;
    case DEL:
        change_del(script, &change);
        break;
    case GETSET:
        change_set(script, change.key, "GETSET");
        break;
    case SETNX:
        change_setnx(script, &change);
        break;
    case INCRBY:
        change_incrby(script, &change);
        break;
    case RENAME:
        change_rename(script, &change);
        break;
    }
    return change;
}

static struct kv_expect *expect_change(struct kv_script *script,
                                       const struct change *change)
{
    switch (change->kind) {
    case SET:
    case RENAME:
        return expect_ok(script);
    case GETSET:
        return expect_tip(script, change->key, change->before);
    case APPEND:
    case SETRANGE:
    case DEL:
    case SETNX:
    case INCRBY:
        return expect_number(script, change->number);
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ steps */

/* The reply that ends with `expect` acknowledges the step; what it waited for is over. */
static void acknowledge(struct kv_script *script, struct kv_expect *expect, uint64_t step)
{
    expect->step = step;
    script->steps_open++;
    script->steps_left--;
}

static void plan_change(struct kv_script *script)
{
    uint64_t step = kv_oracle_step(script->oracle, script->owner);
    struct change change = make_change(script, false);

    acknowledge(script, expect_change(script, &change), step);
}

static void plan_mset(struct kv_script *script)
{
    uint64_t step = kv_oracle_step(script->oracle, script->owner);

    kv_script_begin(script, 5);
    kv_script_word(script, "MSET");
    for (uint32_t key = 0; key < 2; key++) {
        struct kv_slice value = new_value(script, 0);

        kv_script_word(script, kv_script_key(key));
        kv_script_argument(script, value);
        put(script, key, value);
    }
    acknowledge(script, expect_ok(script), step);
}

static void plan_mortal(struct kv_script *script)
{
    uint64_t step = kv_oracle_step(script->oracle, script->owner);
    int64_t expire_ms =
        script->oracle->clock.now_ms + 1 + kv_script_below(script, LIFE_MS_MAX);
    struct kv_slice value = new_value(script, 0);

    kv_script_begin(script, 5);
    kv_script_word(script, "SET");
    kv_script_word(script, kv_script_key(KV_KEY_MORTAL));
    kv_script_argument(script, value);
    kv_script_word(script, "PXAT");
    kv_script_number(script, expire_ms);
    kv_oracle_put(script->oracle, script->owner, KV_KEY_MORTAL, value, expire_ms);
    acknowledge(script, expect_ok(script), step);
}

static void plan_flush(struct kv_script *script)
{
    uint64_t step = kv_oracle_step(script->oracle, script->owner);

    kv_script_begin(script, 1);
    kv_script_word(script, "FLUSHDB");
    for (uint32_t key = 0; key < KV_KEYS; key++)
        kv_oracle_remove(script->oracle, script->owner, key);
    acknowledge(script, expect_ok(script), step);
}

static void plan_transaction(struct kv_script *script)
{
    uint64_t step = kv_oracle_step(script->oracle, script->owner);
    uint32_t count = 1 + kv_script_below(script, TRANSACTION_MAX);
    struct change changes[TRANSACTION_MAX];
    struct kv_expect *last;

    if (kv_script_chance(script, 2)) { /* nobody else changes it, so it breaks nothing */
        kv_script_begin(script, 2);
        kv_script_word(script, "WATCH");
        kv_script_word(script, kv_script_key(0));
        (void)expect_ok(script);
    }
    kv_script_begin(script, 1);
    kv_script_word(script, "MULTI");
    (void)expect_ok(script);
    for (uint32_t i = 0; i < count; i++) {
        changes[i] = make_change(script, true);
        kv_script_expect(script, KV_EXPECT_STATUS)->text = "QUEUED";
    }
    kv_script_begin(script, 1);
    kv_script_word(script, "EXEC");
    kv_script_expect_array(script, count);
    for (uint32_t i = 0; i + 1 < count; i++)
        expect_change(script, &changes[i])->ends = false;
    last = expect_change(script, &changes[count - 1]);
    acknowledge(script, last, step);
}

/* ------------------------------------------------------------------ looks */

static void plan_get(struct kv_script *script)
{
    uint32_t key = kv_script_below(script, KV_KEYS);

    kv_script_begin(script, 2);
    kv_script_word(script, "GET");
    kv_script_word(script, kv_script_key(key));
    (void)expect_tip(script, key, now_of(script));
}

static void plan_size(struct kv_script *script)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_SIZE);

    kv_script_begin(script, 1);
    kv_script_word(script, "DBSIZE");
    for (uint32_t key = 0; key < KV_KEY_MORTAL; key++)
        expect->number += tip(script, key).bytes != NULL;
    expect->expire_ms =
        kv_oracle_expiry(script->oracle, script->owner, KV_KEY_MORTAL, &expect->epoch);
}

static void plan_get_of_other(struct kv_script *script)
{
    uint32_t other = kv_script_below(script, script->owners);
    struct kv_expect *expect;

    kv_script_select(script, other);
    kv_script_begin(script, 2);
    kv_script_word(script, "GET");
    expect = kv_script_expect(script, KV_EXPECT_VALUE);
    expect->owner = other;
    expect->key = kv_script_below(script, KV_KEYS);
    expect->floor =
        other == script->owner ? now_of(script) : kv_oracle_floor(script->oracle, other);
    expect->ceiling = other == script->owner ? expect->floor : UINT64_MAX;
    kv_script_word(script, kv_script_key(expect->key));
    kv_script_select(script, script->owner);
}

static void plan_counter(struct kv_script *script)
{
    uint32_t counter = kv_script_below(script, KV_COUNTERS);
    bool increments = !kv_script_chance(script, 3);
    struct kv_expect *expect;
    char name[2] = {(char)('a' + (char)counter), '\0'};

    kv_script_select(script, KV_COUNTERS_DB);
    kv_script_begin(script, 2);
    kv_script_word(script, increments ? "INCR" : "GET");
    kv_script_word(script, name);
    expect = kv_script_expect(script, increments ? KV_EXPECT_COUNT : KV_EXPECT_COUNTER);
    expect->key = counter;
    expect->floor = increments ? kv_oracle_increment(script->oracle, counter)
                               : script->oracle->counters[counter].seen;
    kv_script_select(script, script->owner);
}

void kv_script_plan(struct kv_script *script)
{
    uint32_t choice = kv_script_below(script, 100);

    if (choice < 40)
        plan_change(script);
    else if (choice < 45)
        plan_mset(script);
    else if (choice < 52)
        plan_mortal(script);
    else if (choice < 53)
        plan_flush(script);
    else if (choice < 62)
        plan_transaction(script);
    else if (choice < 74)
        plan_get(script);
    else if (choice < 78)
        plan_size(script);
    else if (choice < 86)
        plan_get_of_other(script);
    else if (choice < 93 || script->race == NULL || script->racer.stage != KV_RACER_IDLE)
        plan_counter(script);
    else
        kv_script_race(script);
}
