/** apps/kv/sim/script_internal.h - the parts of a script: asking (script.c), steps
 * (script_plan.c), answers (script_check.c).
 */
#ifndef TEMPEST_APPS_KV_SIM_SCRIPT_INTERNAL_H
#define TEMPEST_APPS_KV_SIM_SCRIPT_INTERNAL_H

#include "apps/kv/sim/script.h"

/** Key number `key` of every owner. */
static inline const char *kv_script_key(uint32_t key)
{
    static const char *const names[KV_KEYS] = {"alpha", "beta",   "gamma",
                                               "delta", "number", "mortal"};

    tp_assert(key < KV_KEYS);
    return names[key];
}

enum { KV_KEY_NUMBER = 4, KV_KEY_MORTAL = 5 }; /* one holds a number, one expires */

/** A number by chance: SplitMix64. */
static inline uint64_t kv_script_random(struct kv_script *script)
{
    uint64_t mixed = script->random += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/** A number below `bound`; true once in so many times. */
static inline uint32_t kv_script_below(struct kv_script *script, uint32_t bound)
{
    if (script->choose != NULL)
        return (uint32_t)script->choose(script->context, bound);
    return (uint32_t)(kv_script_random(script) >> 32) % bound;
}

static inline bool kv_script_chance(struct kv_script *script, uint32_t one_in)
{
    return kv_script_below(script, one_in) == one_in - 1;
}

/** Writes a request: its number of arguments, then each of them. */
void kv_script_begin(struct kv_script *script, uint32_t argc);
void kv_script_argument(struct kv_script *script, struct kv_slice argument);
void kv_script_word(struct kv_script *script, const char *word);
void kv_script_number(struct kv_script *script, int64_t number);

/** The next token that is to come: by itself a whole reply. */
struct kv_expect *kv_script_expect(struct kv_script *script, enum kv_expect_kind kind);

/** An array is to come, whose elements are expected next. */
void kv_script_expect_array(struct kv_script *script, uint32_t count);

void kv_script_select(struct kv_script *script, uint32_t db);

/** Asks for a step, or for something that is none. */
void kv_script_plan(struct kv_script *script);

/** script_race.c: asks for something of a key that everybody changes; the second half of
 * that; a last look at each of these keys. */
void kv_script_race(struct kv_script *script);
void kv_script_race_on(struct kv_script *script);
void kv_script_race_look(struct kv_script *script);

/** Whether an answer is of the kind that the race waits for. */
bool kv_script_race_is_fine(const struct kv_script *script, const struct kv_answer *answer);

/** Takes it. */
void kv_script_race_take(struct kv_script *script, const struct kv_answer *answer);

/** What was asked of such a key came to an error, or will never be answered. `refused`: it
 * took no effect. */
void kv_script_race_fail(struct kv_script *script, bool refused);

#endif
