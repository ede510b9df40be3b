/* What a client asks of the keys that everybody changes, and what comes of it. */
#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/sim/script_internal.h"

enum { VALUE_BYTES = 32 };

static struct tp_value name_of(uint32_t key)
{
    return tp_value_text(key == 0 ? "left" : "right");
}

static void word(struct kv_script *script, struct tp_value value)
{
    kv_script_argument(script, kv_slice_of(value.bytes, value.len_bytes));
}

/* A value that nobody else ever gives. */
static struct tp_value new_value(struct kv_script *script, char text[VALUE_BYTES])
{
    (void)snprintf(text, VALUE_BYTES, "%" PRIu32 ".%" PRIu64 " ", script->owner,
                   ++script->race->values);
    return tp_value_text(text);
}

static void invoke(struct kv_script *script, enum tp_history_kind kind,
                   struct tp_value value)
{
    struct kv_race *race = script->race;
    struct tp_history_call call = {.kind = kind,
                                   .key = name_of(script->racer.key),
                                   .expected = script->racer.expected,
                                   .value = value};
    int error = tp_history_invoke(race->history, script->owner, race->now_ns, &call);

    tp_assert(error == 0);
}

static void conclude(struct kv_script *script, enum tp_history_outcome outcome,
                     struct tp_value result)
{
    struct kv_race *race = script->race;
    int error =
        tp_history_return(race->history, script->owner, race->now_ns, outcome, result);

    tp_assert(error == 0);
}

static struct kv_expect *expect_ok(struct kv_script *script)
{
    struct kv_expect *expect = kv_script_expect(script, KV_EXPECT_STATUS);

    expect->text = "OK";
    return expect;
}

/* ------------------------------------------------------------------ asking */

static void ask_get(struct kv_script *script)
{
    kv_script_begin(script, 2);
    kv_script_word(script, "GET");
    word(script, name_of(script->racer.key));
    (void)kv_script_expect(script, KV_EXPECT_RACE);
    invoke(script, TP_HISTORY_GET, (struct tp_value){0});
}

static void ask_put(struct kv_script *script, const char *command,
                    enum tp_history_kind kind)
{
    char text[VALUE_BYTES];
    struct tp_value value = new_value(script, text);

    kv_script_begin(script, 3);
    kv_script_word(script, command);
    word(script, name_of(script->racer.key));
    word(script, value);
    (void)kv_script_expect(script, KV_EXPECT_RACE);
    invoke(script, kind, value);
}

static void ask_del(struct kv_script *script)
{
    kv_script_begin(script, 2);
    kv_script_word(script, "DEL");
    word(script, name_of(script->racer.key));
    (void)kv_script_expect(script, KV_EXPECT_RACE);
    invoke(script, TP_HISTORY_PUT, (struct tp_value){0});
}

static void ask_watch(struct kv_script *script)
{
    kv_script_begin(script, 2);
    kv_script_word(script, "WATCH");
    word(script, name_of(script->racer.key));
    (void)expect_ok(script);
    ask_get(script);
}

static void ask(struct kv_script *script, uint32_t kind, uint32_t key)
{
    struct kv_racer *racer = &script->racer;

    tp_assert(racer->stage == KV_RACER_IDLE);
    racer->kind = kind;
    racer->key = key;
    racer->expected = (struct tp_value){0};
    racer->stage = racer->kind == KV_RACE_CAS ? KV_RACER_WATCHING : KV_RACER_ASKED;
    kv_script_select(script, KV_RACE_DB);
    switch (racer->kind) {
    case KV_RACE_GET:
        ask_get(script);
        break;
    case KV_RACE_SET:
        ask_put(script, "SET", TP_HISTORY_PUT);
        break;
    case KV_RACE_APPEND:
        ask_put(script, "APPEND", TP_HISTORY_APPEND);
        break;
    case KV_RACE_DEL:
        ask_del(script);
        break;
    case KV_RACE_CAS:
        ask_watch(script);
        return; /* nothing else is asked before it is decided */
    }
    kv_script_select(script, script->owner);
}

void kv_script_race(struct kv_script *script)
{
    uint32_t kind = kv_script_below(script, KV_RACE_CAS + 1);

    ask(script, kind, kv_script_below(script, KV_RACE_KEYS));
}

void kv_script_race_look(struct kv_script *script)
{
    tp_assert(script->racer.looks_left > 0);
    script->racer.looks_left--;
    ask(script, KV_RACE_GET, script->racer.looks_left);
}

/* The change, if nobody else has changed it in between: to something new, or to nothing. */
void kv_script_race_on(struct kv_script *script)
{
    bool removes = kv_script_chance(script, 3);
    char text[VALUE_BYTES];
    struct tp_value value = {0};

    kv_script_begin(script, 1);
    kv_script_word(script, "MULTI");
    (void)expect_ok(script);
    kv_script_begin(script, removes ? 2 : 3);
    kv_script_word(script, removes ? "DEL" : "SET");
    word(script, name_of(script->racer.key));
    if (!removes) {
        value = new_value(script, text);
        word(script, value);
    }
    kv_script_expect(script, KV_EXPECT_STATUS)->text = "QUEUED";
    kv_script_begin(script, 1);
    kv_script_word(script, "EXEC");
    (void)kv_script_expect(script, KV_EXPECT_RACE);
    invoke(script, TP_HISTORY_CAS, value);
    script->racer.stage = KV_RACER_DECIDING;
    kv_script_select(script, script->owner);
}

/* ------------------------------------------------------------------ answers */

bool kv_script_race_is_fine(const struct kv_script *script, const struct kv_answer *answer)
{
    const struct kv_racer *racer = &script->racer;
    bool is_value = answer->kind == KV_ANSWER_STRING || answer->kind == KV_ANSWER_NULL;

    if (racer->stage == KV_RACER_DECIDING)
        return answer->kind == KV_ANSWER_NULL ||
               (answer->kind == KV_ANSWER_ARRAY && answer->number == 1);
    switch (racer->kind) {
    case KV_RACE_GET:
    case KV_RACE_CAS:
        return is_value;
    case KV_RACE_SET:
        return answer->kind == KV_ANSWER_STATUS;
    case KV_RACE_APPEND:
    case KV_RACE_DEL:
        return answer->kind == KV_ANSWER_NUMBER;
    }
    tp_unreachable();
}

/* What EXEC gave: nothing, as the key was touched; else the reply of its one command, which
 * comes next, before all that is expected, and says nothing more. */
static void take_decision(struct kv_script *script, const struct kv_answer *answer)
{
    if (answer->kind == KV_ANSWER_NULL) {
        conclude(script, TP_HISTORY_FAILED, (struct tp_value){0});
        return;
    }
    conclude(script, TP_HISTORY_OK, tp_value_bool(true));
    script->first = (script->first + KV_EXPECTS_MAX - 1) % KV_EXPECTS_MAX;
    script->count++;
    script->expects[script->first] =
        (struct kv_expect){.kind = KV_EXPECT_ANY, .number = 1, .ends = true};
}

void kv_script_race_take(struct kv_script *script, const struct kv_answer *answer)
{
    struct kv_racer *racer = &script->racer;
    struct tp_value result = {0};

    if (racer->stage == KV_RACER_DECIDING) {
        take_decision(script, answer);
        racer->stage = KV_RACER_IDLE;
        return;
    }
    if (answer->kind == KV_ANSWER_STRING)
        result = tp_value_bytes(answer->text.bytes, answer->text.len);
    conclude(script, TP_HISTORY_OK, result);
    if (racer->stage == KV_RACER_WATCHING) {
        uint32_t last = tp_history_ops(script->race->history);

        /* Its own operation is the newest one of this client. */
        while (tp_history_op(script->race->history, --last)->client != script->owner)
            tp_assert(last > 0);
        racer->expected = tp_history_op(script->race->history, last)->result;
        racer->stage = KV_RACER_READY;
        return;
    }
    racer->stage = KV_RACER_IDLE;
}

void kv_script_race_fail(struct kv_script *script, bool refused)
{
    struct kv_racer *racer = &script->racer;

    if (racer->stage != KV_RACER_IDLE && racer->stage != KV_RACER_READY)
        conclude(script, refused ? TP_HISTORY_FAILED : TP_HISTORY_UNKNOWN,
                 (struct tp_value){0});
    racer->stage = KV_RACER_IDLE;
    racer->looks_left = 0;
}
