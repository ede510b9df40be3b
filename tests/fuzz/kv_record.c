/** tests/fuzz/kv_record.c - bytes as a record of tempest-kv's log.
 *
 * Wrong is: a part that is out of range, or outside of the bytes; a record that is not,
 * byte for byte, what its effects are written as; effects that come to something else in
 * the store than in the model.
 */
#include <stdlib.h>

#include "apps/kv/store.h"
#include "tests/fuzz/target.h"
#include "tests/kv/model.h"

enum { VALUE_MAX = 1 << 16, RECORD_MAX = 1 << 20 };

static bool is_within(struct kv_slice slice, const uint8_t *bytes, size_t len)
{
    return slice.len == 0 ||
           (slice.bytes >= bytes && slice.bytes + slice.len <= bytes + len);
}

static void check_effect(const struct kv_effect *effect, const uint8_t *bytes, size_t len)
{
    tp_assert(effect->kind >= KV_EFFECT_SET && effect->kind <= KV_EFFECT_FLUSHALL);
    tp_assert(effect->db < KV_DBS && effect->expire_ms >= 0);
    tp_assert(effect->offset <= KV_STRING_MAX - effect->value.len);
    tp_assert(is_within(effect->key, bytes, len) && is_within(effect->value, bytes, len));
}

/* What a plain list and its keys can hold. */
static bool fits_model(const struct kv_effect *effect)
{
    return effect->key.len <= MODEL_KEY_MAX && effect->offset <= VALUE_MAX;
}

static void apply(const uint8_t *bytes, size_t len)
{
    struct kv_store_config config = {.ballast_bytes = 1};
    struct kv_record_cursor cursor = kv_record_read(bytes, (uint32_t)len);
    struct kv_effect effect;
    struct kv_store *store;
    struct model model = {0};
    bool all = true;

    if (kv_store_create(&config, &store) < 0)
        abort();
    while (all && kv_record_next(&cursor, &effect) == 1) {
        all = fits_model(&effect);
        if (all) {
            kv_store_apply(store, &effect, 1);
            model_apply(&model, &effect, 1);
        }
    }
    tp_assert(model_differs(&model, store, false) == NULL);
    kv_store_destroy(store);
    model_deinit(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct kv_record_cursor cursor;
    struct kv_record again;
    struct kv_effect effect;
    int rc;

    if (len > RECORD_MAX)
        return 0;
    kv_record_init(&again, NULL, RECORD_MAX);
    cursor = kv_record_read(bytes, (uint32_t)len);
    while ((rc = kv_record_next(&cursor, &effect)) == 1) {
        check_effect(&effect, bytes, len);
        if (kv_record_add(&again, &effect) < 0)
            abort();
    }
    tp_assert(rc == kv_record_check(bytes, (uint32_t)len));
    if (rc == 0) {
        tp_assert(again.len == len && memcmp(again.bytes, bytes, len) == 0);
        apply(bytes, len);
    }
    kv_record_deinit(&again);
    return 0;
}
