/* What a client is answered, and whether it may be. */
#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/number.h"
#include "apps/kv/sim/script_internal.h"

enum { SHOWN_MAX = 60 };

static struct kv_expect *front(struct kv_script *script)
{
    tp_assert(script->count > 0);
    return &script->expects[script->first];
}

static void pop(struct kv_script *script)
{
    if (front(script)->step != 0) {
        tp_assert(script->steps_open > 0);
        script->steps_open--;
    }
    script->first = (script->first + 1) % KV_EXPECTS_MAX;
    script->count--;
}

static void violate(struct kv_script *script, const struct kv_answer *answer)
{
    static const char *const kinds[] = {"",         "a status", "an error", "a number",
                                        "a string", "nothing",  "an array", "no reply"};
    static const char *const wanted[] = {"a status", "a number", "a value",   "a size",
                                         "an array", "a count",  "a counter", "anything",
                                         "an id",    "a list",   "a value",   "a race"};
    uint32_t len = answer->text.len < SHOWN_MAX ? answer->text.len : SHOWN_MAX;

    kv_oracle_violate(script->oracle,
                      "client %u was answered %s (%" PRId64 ", '%.*s') in place of %s "
                      "(%" PRId64 ", '%s')",
                      script->owner, kinds[answer->kind], answer->number, (int)len,
                      len == 0 ? "" : (const char *)answer->text.bytes,
                      wanted[front(script)->kind], front(script)->number,
                      front(script)->text == NULL ? "" : front(script)->text);
}

/* ------------------------------------------------------------------ errors */

static bool says(const struct kv_answer *answer, const char *what)
{
    return memmem(answer->text.bytes, answer->text.len, what, strlen(what)) != NULL;
}

/* An error in place of a reply. The log may refuse what is new, or may have failed, so that
 * nobody knows of what was under way, if something has given it a reason to; no other error
 * is in order. */
static void take_error(struct kv_script *script, const struct kv_answer *answer)
{
    bool refused =
        says(answer, "Nothing was changed") || says(answer, "Writes are refused");
    uint64_t step = 0;

    if (script->stage == KV_SCRIPT_ID && says(answer, "max number of clients")) {
        script->stage = KV_SCRIPT_STUCK;
        return;
    }
    if (!says(answer, "MISCONF") || (!refused && !says(answer, "unknown")) ||
        script->boot > script->oracle->refusing_boot) {
        violate(script, answer);
        return;
    }
    while (!front(script)->ends)
        pop(script);
    step = front(script)->step;
    if (front(script)->kind == KV_EXPECT_RACE)
        kv_script_race_fail(script, refused);
    pop(script);
    /* After a failure of the log all that was sent is refused, from some step on. */
    if (refused && step != 0 && step == script->oracle->owners[script->owner].sent)
        kv_oracle_refuse(script->oracle, script->owner, step);
    else
        kv_oracle_doubt(script->oracle, script->owner);
    script->stage = KV_SCRIPT_STUCK;
}

/* ------------------------------------------------------------------ replies */

static struct kv_sight sight_of(const struct kv_script *script,
                                const struct kv_expect *expect,
                                const struct kv_answer *answer)
{
    const struct kv_clock *clock = &script->oracle->clock;
    struct kv_sight sight = {
        .after_ms = kv_clock_earliest(clock, expect->asked_epoch, expect->asked_ms),
        .before_ms = kv_clock_latest(clock, expect->asked_epoch),
        .moment = expect->asked_moment,
        .unlogged = script->boot <= script->oracle->unlogged_boot,
    };

    if (answer->kind == KV_ANSWER_STRING)
        sight.value = answer->text;
    return sight;
}

/* A value to resolve a doubt by is kept until all are there. */
static void keep_found(struct kv_script *script, const struct kv_expect *expect,
                       const struct kv_answer *answer)
{
    struct kv_sight sight = sight_of(script, expect, answer);

    if (sight.value.len > KV_VALUE_MAX) {
        kv_oracle_violate(script->oracle, "key %u of %u has %u bytes", expect->key,
                          script->owner, sight.value.len);
        return;
    }
    if (sight.value.bytes != NULL) {
        memcpy(script->found_bytes[expect->key], sight.value.bytes, sight.value.len);
        sight.value.bytes = script->found_bytes[expect->key];
    }
    script->found[expect->key] = sight;
    if (!expect->ends)
        return;
    /* All were read at one moment, somewhere between the question and the last answer. */
    for (uint32_t i = 0; i < KV_KEYS; i++) {
        script->found[i].after_ms = sight.after_ms;
        script->found[i].before_ms = sight.before_ms;
    }
    kv_oracle_resolve(script->oracle, script->owner, script->found);
    script->stage = KV_SCRIPT_RUN;
    script->racer.looks_left = script->race == NULL ? 0 : KV_RACE_KEYS;
}

static void take_list(struct kv_script *script, const struct kv_answer *answer)
{
    char line[KV_NUMBER_BYTES + 8];

    (void)snprintf(line, sizeof line, "id=%" PRId64 " ", script->id);
    if (!says(answer, line))
        kv_oracle_violate(script->oracle, "client %" PRId64 " is not in the list",
                          script->id);
    (void)snprintf(line, sizeof line, "id=%" PRId64 " ", script->old_id);
    if (says(answer, line)) {
        script->pausing = true;
        return;
    }
    script->old_id = 0;
    script->stage = KV_SCRIPT_RESOLVE;
}

static void take_id(struct kv_script *script, int64_t id)
{
    script->id = id;
    script->stage = script->old_id != 0 ? KV_SCRIPT_LIST : KV_SCRIPT_RESOLVE;
}

/* A number of keys, of which one may have expired between question and answer. */
static bool is_size(const struct kv_script *script, const struct kv_expect *expect,
                    int64_t size)
{
    if (expect->expire_ms == 0)
        return size == expect->number;
    /* That it has expired may not be noticed: then it counts on. */
    return size == expect->number + 1 ||
           (size == expect->number &&
            kv_clock_latest(&script->oracle->clock, expect->epoch) > expect->expire_ms);
}

/* Whether the answer is of a kind that is expected, and says what it may. */
static bool is_fine(const struct kv_script *script, const struct kv_expect *expect,
                    const struct kv_answer *answer)
{
    bool is_value = answer->kind == KV_ANSWER_STRING || answer->kind == KV_ANSWER_NULL;

    switch (expect->kind) {
    case KV_EXPECT_STATUS:
        return answer->kind == KV_ANSWER_STATUS &&
               kv_slice_equal(answer->text, kv_slice_text(expect->text));
    case KV_EXPECT_NUMBER:
        return answer->kind == KV_ANSWER_NUMBER && answer->number == expect->number;
    case KV_EXPECT_ARRAY:
        return answer->kind == KV_ANSWER_ARRAY && answer->number == expect->number;
    case KV_EXPECT_SIZE:
        return answer->kind == KV_ANSWER_NUMBER && is_size(script, expect, answer->number);
    case KV_EXPECT_COUNT:
    case KV_EXPECT_ID:
        return answer->kind == KV_ANSWER_NUMBER && answer->number > 0;
    case KV_EXPECT_LIST:
        return answer->kind == KV_ANSWER_STRING;
    case KV_EXPECT_VALUE:
    case KV_EXPECT_COUNTER:
    case KV_EXPECT_FOUND:
        return is_value;
    case KV_EXPECT_ANY:
        return true;
    case KV_EXPECT_RACE:
        return kv_script_race_is_fine(script, answer);
    }
    tp_unreachable();
}

/* A counter that was never incremented is not there. */
static int64_t counter_of(const struct kv_answer *answer)
{
    int64_t number = 0;

    if (answer->kind == KV_ANSWER_STRING && !kv_number_parse(answer->text, &number))
        number = -1;
    return number;
}

/* Takes what an answer of the right kind says. */
static void take(struct kv_script *script, const struct kv_expect *expect,
                 const struct kv_answer *answer)
{
    struct kv_oracle *oracle = script->oracle;
    struct kv_sight sight = sight_of(script, expect, answer);

    if (expect->kind == KV_EXPECT_VALUE)
        kv_oracle_see(oracle, expect->owner, expect->key, expect->floor, expect->ceiling,
                      &sight);
    else if (expect->kind == KV_EXPECT_COUNT)
        kv_oracle_incremented(oracle, expect->key, expect->floor, answer->number);
    else if (expect->kind == KV_EXPECT_COUNTER)
        kv_oracle_see_counter(oracle, expect->key, expect->floor, counter_of(answer));
    else if (expect->kind == KV_EXPECT_FOUND)
        keep_found(script, expect, answer);
    else if (expect->kind == KV_EXPECT_ID)
        take_id(script, answer->number);
    else if (expect->kind == KV_EXPECT_LIST)
        take_list(script, answer);
    else if (expect->kind == KV_EXPECT_RACE)
        kv_script_race_take(script, answer);
    if (expect->step != 0)
        kv_oracle_ack(oracle, script->owner, expect->step);
}

void kv_script_answer(struct kv_script *script, const struct kv_answer *answer,
                      int64_t now_ms)
{
    struct kv_expect expect;

    kv_clock_see(&script->oracle->clock, now_ms);
    if (script->stage == KV_SCRIPT_STUCK || kv_oracle_is_broken(script->oracle))
        return;
    if (script->count == 0) {
        kv_oracle_violate(script->oracle, "client %u was answered what it did not ask",
                          script->owner);
        return;
    }
    if (answer->kind == KV_ANSWER_ERROR) {
        take_error(script, answer);
        return;
    }
    if (front(script)->kind == KV_EXPECT_ANY) {
        front(script)->number += answer->kind == KV_ANSWER_ARRAY ? answer->number : 0;
        if (--front(script)->number == 0)
            pop(script);
        return;
    }
    expect = *front(script);
    if (!is_fine(script, &expect, answer)) {
        violate(script, answer);
        return;
    }
    pop(script);
    take(script, &expect, answer);
}
