#include "apps/kv/sim/script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/kv/grow.h"
#include "apps/kv/number.h"
#include "apps/kv/sim/script_internal.h"

void kv_script_init(struct kv_script *script, struct kv_oracle *oracle, uint32_t owner,
                    uint64_t seed, uint64_t steps)
{
    memset(script, 0, sizeof *script);
    script->oracle = oracle;
    script->owner = owner;
    script->random = seed;
    script->steps_left = steps;
    script->racer.looks_left = 0;
}

void kv_script_deinit(struct kv_script *script)
{
    free(script->request);
    script->request = NULL;
}

/* ------------------------------------------------------------------ connections */

void kv_script_connected(struct kv_script *script)
{
    script->stage = KV_SCRIPT_ID;
    script->request_len = 0;
    script->first = script->count = 0;
    script->steps_open = 0;
    script->pausing = false;
}

void kv_script_disconnected(struct kv_script *script)
{
    kv_script_race_fail(script, false);
    if (script->steps_open > 0 || script->stage == KV_SCRIPT_STUCK)
        kv_oracle_doubt(script->oracle, script->owner);
    /* One that has seen its predecessor in the list has asked for nothing itself. */
    if (script->id != 0 && script->old_id == 0)
        script->old_id = script->id;
    script->id = 0;
    script->stage = KV_SCRIPT_AWAY;
    script->request_len = 0;
    script->first = script->count = 0;
    script->steps_open = 0;
}

bool kv_script_done(const struct kv_script *script)
{
    return script->steps_left == 0 && script->count == 0 && script->racer.looks_left == 0 &&
           script->racer.stage == KV_RACER_IDLE && script->stage == KV_SCRIPT_RUN;
}

bool kv_script_wants(const struct kv_script *script, uint32_t depth)
{
    tp_assert(depth <= KV_EXPECTS_MAX - KV_EXPECTS_ASK);
    if (script->stage == KV_SCRIPT_AWAY || script->stage == KV_SCRIPT_STUCK ||
        script->pausing)
        return false;
    if (script->stage != KV_SCRIPT_RUN)
        return script->count == 0;
    if (script->racer.stage == KV_RACER_WATCHING)
        return false; /* what comes next depends on the answer */
    if (script->racer.stage == KV_RACER_READY)
        return script->count < depth;
    if (script->steps_left == 0)
        return script->racer.looks_left > 0 && script->racer.stage == KV_RACER_IDLE;
    return script->count < depth && (!script->one_by_one || script->steps_open == 0);
}

/* ------------------------------------------------------------------ asking */

static void put(struct kv_script *script, const void *bytes, uint32_t len)
{
    script->request = kv_grow(script->request, &script->request_capacity,
                              (uint64_t)script->request_len + len, 1);
    memcpy(script->request + script->request_len, bytes, len);
    script->request_len += len;
}

void kv_script_begin(struct kv_script *script, uint32_t argc)
{
    char head[KV_NUMBER_BYTES + 4];

    put(script, head, (uint32_t)snprintf(head, sizeof head, "*%" PRIu32 "\r\n", argc));
}

void kv_script_argument(struct kv_script *script, struct kv_slice argument)
{
    char head[KV_NUMBER_BYTES + 4];

    put(script, head,
        (uint32_t)snprintf(head, sizeof head, "$%" PRIu32 "\r\n", argument.len));
    if (argument.len > 0)
        put(script, argument.bytes, argument.len);
    put(script, "\r\n", 2);
}

void kv_script_word(struct kv_script *script, const char *word)
{
    kv_script_argument(script, kv_slice_text(word));
}

void kv_script_number(struct kv_script *script, int64_t number)
{
    char text[KV_NUMBER_BYTES];
    uint32_t len = kv_number_print(number, text);

    kv_script_argument(script, kv_slice_of((const uint8_t *)text, len));
}

struct kv_expect *kv_script_expect(struct kv_script *script, enum kv_expect_kind kind)
{
    struct kv_expect *expect =
        &script->expects[(script->first + script->count) % KV_EXPECTS_MAX];

    tp_assert(script->count < KV_EXPECTS_MAX);
    script->count++;
    *expect = (struct kv_expect){
        .kind = kind,
        .owner = script->owner,
        .ends = true,
        .asked_ms = script->oracle->clock.now_ms,
        .asked_epoch = script->oracle->clock.epoch,
        .asked_moment = script->oracle->moment,
    };
    return expect;
}

void kv_script_expect_array(struct kv_script *script, uint32_t count)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_ARRAY);

    expect->number = count;
    expect->ends = count == 0;
}

void kv_script_select(struct kv_script *script, uint32_t db)
{
    kv_script_begin(script, 2);
    kv_script_word(script, "SELECT");
    kv_script_number(script, db);
    kv_script_expect(script, KV_EXPECT_STATUS)->text = "OK";
}

/* Half of the connections speak the newer protocol. */
static void ask_id(struct kv_script *script)
{
    if (kv_script_chance(script, 2)) {
        kv_script_begin(script, 2);
        kv_script_word(script, "HELLO");
        kv_script_word(script, "3");
        kv_script_expect(script, KV_EXPECT_ANY)->number = 1;
    }
    kv_script_begin(script, 2);
    kv_script_word(script, "CLIENT");
    kv_script_word(script, "ID");
    (void)kv_script_expect(script, KV_EXPECT_ID);
}

static void ask_list(struct kv_script *script)
{
    kv_script_begin(script, 2);
    kv_script_word(script, "CLIENT");
    kv_script_word(script, "LIST");
    (void)kv_script_expect(script, KV_EXPECT_LIST);
}

static void ask_all(struct kv_script *script)
{
    kv_script_select(script, script->owner);
    kv_script_begin(script, KV_KEYS + 1);
    kv_script_word(script, "MGET");
    for (uint32_t i = 0; i < KV_KEYS; i++)
        kv_script_word(script, kv_script_key(i));
    kv_script_expect_array(script, KV_KEYS);
    for (uint32_t i = 0; i < KV_KEYS; i++) {
        struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_FOUND);

        expect->key = i;
        expect->ends = i + 1 == KV_KEYS;
    }
}

void kv_script_ask(struct kv_script *script, int64_t now_ms)
{
    kv_clock_see(&script->oracle->clock, now_ms);
    switch (script->stage) {
    case KV_SCRIPT_ID:
        ask_id(script);
        return;
    case KV_SCRIPT_LIST:
        ask_list(script);
        return;
    case KV_SCRIPT_RESOLVE:
        ask_all(script);
        return;
    case KV_SCRIPT_RUN:
        if (script->racer.stage == KV_RACER_READY)
            kv_script_race_on(script);
        else if (script->steps_left == 0)
            kv_script_race_look(script);
        else
            kv_script_plan(script);
        return;
    case KV_SCRIPT_AWAY:
    case KV_SCRIPT_STUCK:
        break;
    }
    tp_unreachable();
}
