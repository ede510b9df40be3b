#include "apps/kv/sim/oracle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "io/hash.h"

void kv_oracle_init(struct kv_oracle *oracle)
{
    memset(oracle, 0, sizeof *oracle);
    for (uint32_t i = 0; i < KV_OWNERS_MAX; i++)
        oracle->owners[i].certain = true;
}

void kv_oracle_violate_at(struct kv_oracle *oracle, const char *file, uint32_t line,
                          const char *format, ...)
{
    va_list arguments;

    if (kv_oracle_is_broken(oracle))
        return;
    oracle->file = file;
    oracle->line = line;
    va_start(arguments, format);
    (void)vsnprintf(oracle->violation, sizeof oracle->violation, format, arguments);
    va_end(arguments);
}

/* ------------------------------------------------------------------ versions */

static struct kv_version *version_at(struct kv_oracle_key *key, uint32_t number)
{
    tp_assert(number < key->count);
    return &key->versions[(key->first + number) % KV_VERSIONS];
}

static uint64_t hash_of(struct kv_slice value)
{
    return tp_hash(value.bytes, value.len, 0);
}

static void add_version(struct kv_oracle_key *key, const struct kv_version *version)
{
    /* A step that changes a key twice is seen after the second time only. */
    if (key->count > 0 && version_at(key, key->count - 1)->step == version->step)
        key->count--;
    if (key->count == KV_VERSIONS) {
        key->first = (key->first + 1) % KV_VERSIONS;
        key->count--;
        key->forgetful = true;
    }
    key->count++;
    *version_at(key, key->count - 1) = *version;
}

/* Forgets what steps behind `step` did. */
static void cut_versions(struct kv_oracle_key *key, uint64_t step)
{
    while (key->count > 0 && version_at(key, key->count - 1)->step > step)
        key->count--;
}

/* What the key was after a step; false: that is forgotten. */
static bool find_version(struct kv_oracle_key *key, uint64_t step,
                         struct kv_version *ret_version)
{
    for (uint32_t i = key->count; i-- > 0;) {
        *ret_version = *version_at(key, i);
        if (ret_version->step <= step)
            return true;
    }
    *ret_version = (struct kv_version){.step = 0};
    return !key->forgetful;
}

/* Whether the clock has ever been behind that since the version was sent: the server may
 * have found that it has expired at any time. */
static bool may_have_expired(const struct kv_oracle *oracle,
                             const struct kv_version *version, const struct kv_sight *sight)
{
    return version->expire_ms != 0 &&
           (sight->before_ms > version->expire_ms ||
            kv_clock_latest(&oracle->clock, version->epoch) > version->expire_ms);
}

static bool matches(const struct kv_oracle *oracle, const struct kv_version *version,
                    const struct kv_sight *sight)
{
    bool seen = sight->value.bytes != NULL;
    bool was_gone = version->gone != 0 && sight->moment >= version->gone;

    if (version->vague)
        return !seen || !was_gone;
    if (!version->there)
        return !seen;
    if (!seen)
        return may_have_expired(oracle, version, sight);
    return (version->expire_ms == 0 || sight->after_ms <= version->expire_ms) &&
           !was_gone && version->len == sight->value.len &&
           version->hash == hash_of(sight->value);
}

/* ------------------------------------------------------------------ steps */

static struct kv_owner *owner_of(struct kv_oracle *oracle, uint32_t owner)
{
    tp_assert(owner < KV_OWNERS_MAX);
    return &oracle->owners[owner];
}

uint64_t kv_oracle_step(struct kv_oracle *oracle, uint32_t owner)
{
    struct kv_owner *o = owner_of(oracle, owner);

    tp_assert(o->certain && o->sent - o->acked < KV_UNKNOWN_MAX);
    return ++o->sent;
}

void kv_oracle_put(struct kv_oracle *oracle, uint32_t owner, uint32_t key,
                   struct kv_slice value, int64_t expire_ms)
{
    struct kv_owner *o = owner_of(oracle, owner);
    struct kv_oracle_key *k = &o->keys[key];
    struct kv_version version = {
        .step = o->sent,
        .there = true,
        .len = value.len,
        .expire_ms = expire_ms,
        .epoch = oracle->clock.boot,
    };

    tp_assert(key < KV_KEYS && o->certain && value.len <= KV_VALUE_MAX);
    if (value.len > 0)
        memmove(k->bytes, value.bytes, value.len);
    k->len = value.len;
    version.hash = hash_of(kv_slice_of(k->bytes, k->len));
    add_version(k, &version);
}

void kv_oracle_remove(struct kv_oracle *oracle, uint32_t owner, uint32_t key)
{
    struct kv_owner *o = owner_of(oracle, owner);
    struct kv_version version = {.step = o->sent};

    tp_assert(key < KV_KEYS && o->certain);
    o->keys[key].len = 0;
    add_version(&o->keys[key], &version);
}

struct kv_slice kv_oracle_value(const struct kv_oracle *oracle, uint32_t owner,
                                uint32_t key)
{
    const struct kv_oracle_key *k = &oracle->owners[owner].keys[key];
    uint32_t last = (k->first + k->count - 1) % KV_VERSIONS;

    if (k->count == 0 || !k->versions[last].there)
        return kv_slice_of(NULL, 0);
    return kv_slice_of(k->bytes, k->len);
}

int64_t kv_oracle_expiry(const struct kv_oracle *oracle, uint32_t owner, uint32_t key,
                         uint32_t *ret_epoch)
{
    const struct kv_oracle_key *k = &oracle->owners[owner].keys[key];
    const struct kv_version *last = &k->versions[(k->first + k->count - 1) % KV_VERSIONS];

    *ret_epoch = k->count == 0 ? 0 : last->epoch;
    if (k->count == 0 || last->gone != 0)
        return 0;
    return last->vague ? KV_EXPIRED_MS : last->expire_ms;
}

void kv_oracle_ack(struct kv_oracle *oracle, uint32_t owner, uint64_t step)
{
    struct kv_owner *o = owner_of(oracle, owner);

    tp_assert(step <= o->sent);
    if (step > o->acked)
        o->acked = step;
    oracle->stats.steps_acked++;
}

void kv_oracle_refuse(struct kv_oracle *oracle, uint32_t owner, uint64_t step)
{
    struct kv_owner *o = owner_of(oracle, owner);

    tp_assert(step == o->sent);
    if (o->acked >= step)
        kv_oracle_violate(oracle, "step %" PRIu64 " of %u was refused and is there", step,
                          owner);
    for (uint32_t i = 0; i < KV_KEYS; i++)
        cut_versions(&o->keys[i], step - 1);
    o->sent = step - 1;
    o->certain = false;
    oracle->stats.steps_refused++;
}

void kv_oracle_doubt(struct kv_oracle *oracle, uint32_t owner)
{
    struct kv_owner *o = owner_of(oracle, owner);

    o->certain = false;
}

/* ------------------------------------------------------------------ sights */

uint64_t kv_oracle_floor(const struct kv_oracle *oracle, uint32_t owner)
{
    return oracle->owners[owner].acked;
}

enum { SHOWN_MAX = 24 }; /* bytes of a value in a message */

/* The beginning of a value, with what cannot be printed as \xNN. */
static const char *show(struct kv_slice value, char memory[SHOWN_MAX * 4 + 1])
{
    uint32_t len = value.len < SHOWN_MAX ? value.len : SHOWN_MAX, at = 0;

    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = value.bytes[i];
        bool plain = byte >= ' ' && byte < 0x7f && byte != '\\';

        at += (uint32_t)snprintf(memory + at, 5, plain ? "%c" : "\\x%02x", byte);
    }
    memory[at] = '\0';
    return memory;
}

static void violate_sight(struct kv_oracle *oracle, uint32_t owner, uint32_t key,
                          uint64_t floor, uint64_t ceiling, const struct kv_sight *sight)
{
    char memory[SHOWN_MAX * 4 + 1];

    if (sight->value.bytes == NULL)
        kv_oracle_violate(oracle,
                          "key %u of %u is not there, though steps %" PRIu64 " to %" PRIu64
                          " all leave it",
                          key, owner, floor, ceiling);
    else
        kv_oracle_violate(oracle,
                          "key %u of %u is '%s' (%u bytes), which none of the steps "
                          "%" PRIu64 " to %" PRIu64 " leaves it",
                          key, owner, show(sight->value, memory), sight->value.len, floor,
                          ceiling);
}

/* Who asks from now on must not see it again: that it has expired, or whatever took it
 * away, was shown. */
static void note_gone(struct kv_oracle *oracle, struct kv_oracle_key *key, uint64_t step,
                      const struct kv_sight *sight)
{
    for (uint32_t i = 0; i < key->count; i++) {
        struct kv_version *version = version_at(key, i);

        if (version->step == step && (version->there || version->vague) &&
            version->gone == 0 && sight->value.bytes == NULL && !sight->unlogged)
            version->gone = ++oracle->moment;
    }
}

void kv_oracle_see(struct kv_oracle *oracle, uint32_t owner, uint32_t key, uint64_t floor,
                   uint64_t ceiling, const struct kv_sight *sight)
{
    struct kv_owner *o = owner_of(oracle, owner);
    struct kv_oracle_key *k = &o->keys[key];
    struct kv_version version;

    tp_assert(key < KV_KEYS);
    oracle->stats.reads++;
    oracle->stats.reads_of_others += ceiling == UINT64_MAX ? 1 : 0;
    if (ceiling > o->sent)
        ceiling = o->sent;
    if (!find_version(k, floor, &version))
        return;
    if (matches(oracle, &version, sight)) {
        note_gone(oracle, k, version.step, sight);
        return;
    }
    for (uint32_t i = 0; i < k->count; i++) {
        version = *version_at(k, i);
        if (version.step <= floor || version.step > ceiling ||
            !matches(oracle, &version, sight))
            continue;
        /* What was shown must be there from now on. */
        if (version.step > o->acked)
            o->acked = version.step;
        note_gone(oracle, k, version.step, sight);
        return;
    }
    violate_sight(oracle, owner, key, floor, ceiling, sight);
}

/* Whether all is as it was after a step. */
static bool is_as_after(struct kv_oracle *oracle, struct kv_owner *o, uint64_t step,
                        const struct kv_sight sights[KV_KEYS])
{
    for (uint32_t i = 0; i < KV_KEYS; i++) {
        struct kv_version version;

        if (!find_version(&o->keys[i], step, &version))
            continue; /* too long ago to know */
        if (!matches(oracle, &version, &sights[i]))
            return false;
    }
    return true;
}

/* A key that was not there may have expired after any of the steps that were possible. If
 * the log was not told of that, what comes back with the clock may be what any of them has
 * left: the last one that was acknowledged, or one behind it. */
static void note_vague(struct kv_oracle_key *key, uint64_t acked,
                       const struct kv_sight *sight)
{
    struct kv_version *last = key->count == 0 ? NULL : version_at(key, key->count - 1);
    bool mortal = false;

    if (sight->value.bytes != NULL || !sight->unlogged || last == NULL ||
        last->step <= acked)
        return;
    for (uint32_t i = key->count; i-- > 0;) {
        const struct kv_version *version = version_at(key, i);

        mortal =
            mortal || (version->gone == 0 && (version->vague || version->expire_ms != 0));
        if (version->step <= acked)
            break;
    }
    last->vague = last->vague || mortal;
}

/* The owner goes on from a step: the keys hold what was seen. */
static void go_on_from(struct kv_oracle *oracle, struct kv_owner *o, uint64_t step,
                       const struct kv_sight sights[KV_KEYS])
{
    for (uint32_t i = 0; i < KV_KEYS; i++) {
        struct kv_oracle_key *k = &o->keys[i];
        const struct kv_slice *value = &sights[i].value;

        cut_versions(k, step);
        note_vague(k, o->acked, &sights[i]);
        if (k->count > 0)
            note_gone(oracle, k, version_at(k, k->count - 1)->step, &sights[i]);
        /* One that has expired since keeps its bytes: it is not there, whoever looks. */
        if (value->bytes == NULL)
            continue;
        k->len = value->len;
        if (value->len > 0)
            memcpy(k->bytes, value->bytes, value->len);
    }
    o->sent = o->acked = step;
    o->certain = true;
}

void kv_oracle_resolve(struct kv_oracle *oracle, uint32_t owner,
                       const struct kv_sight sights[KV_KEYS])
{
    struct kv_owner *o = owner_of(oracle, owner);

    oracle->stats.resolved++;
    for (uint64_t step = o->sent + 1; step-- > o->acked;) {
        if (!is_as_after(oracle, o, step, sights))
            continue;
        oracle->stats.survived += step - o->acked;
        oracle->stats.steps_unknown += o->sent - o->acked;
        go_on_from(oracle, o, step, sights);
        return;
    }
    for (uint32_t i = 0; i < KV_KEYS; i++)
        kv_oracle_see(oracle, owner, i, o->acked, o->sent, &sights[i]);
    kv_oracle_violate(oracle,
                      "the keys of %u are each as after some step from %" PRIu64
                      " to %" PRIu64 ", but not all after the same",
                      owner, o->acked, o->sent);
}

/* ------------------------------------------------------------------ counters */

uint64_t kv_oracle_increment(struct kv_oracle *oracle, uint32_t counter)
{
    struct kv_counter *c = &oracle->counters[counter];

    tp_assert(counter < KV_COUNTERS);
    c->possible++;
    return c->seen;
}

void kv_oracle_incremented(struct kv_oracle *oracle, uint32_t counter, uint64_t above,
                           int64_t number)
{
    struct kv_counter *c = &oracle->counters[counter];
    uint64_t n = (uint64_t)number;

    oracle->stats.counts++;
    if (number <= 0 || n <= above || n > c->possible) {
        kv_oracle_violate(oracle,
                          "counter %u was incremented to %" PRId64 ": not above %" PRIu64
                          ", or above %" PRIu64,
                          counter, number, above, c->possible);
        return;
    }
    if (n < KV_COUNT_MAX && (c->given[n / 8] & (1U << n % 8)) != 0)
        kv_oracle_violate(oracle, "counter %u was incremented to %" PRId64 " twice",
                          counter, number);
    if (n < KV_COUNT_MAX)
        c->given[n / 8] |= (uint8_t)(1U << n % 8);
    if (n > c->seen)
        c->seen = n;
}

void kv_oracle_see_counter(struct kv_oracle *oracle, uint32_t counter, uint64_t at_least,
                           int64_t number)
{
    struct kv_counter *c = &oracle->counters[counter];

    oracle->stats.counts++;
    if (number < 0 || (uint64_t)number < at_least || (uint64_t)number > c->possible)
        kv_oracle_violate(oracle,
                          "counter %u is %" PRId64 ": below %" PRIu64 ", or above %" PRIu64,
                          counter, number, at_least, c->possible);
    else if ((uint64_t)number > c->seen)
        c->seen = (uint64_t)number;
}
