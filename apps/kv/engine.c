#include "apps/kv/engine.h"

#include "apps/kv/change.h"

void kv_engine_init(struct kv_engine *engine, const struct kv_engine_config *config)
{
    tp_assert(config->password.len <= KV_PASSWORD_MAX);
    *engine = (struct kv_engine){
        .store = config->store,
        .log = *config->log,
        .host = *config->host,
        .config = *config->config,
        .random = config->seed,
        .password_len = config->password.len,
        .allocator = config->allocator == NULL ? "libc" : config->allocator,
    };
    kv_record_init(&engine->change.record, config->record_allocator, config->record_max);
    kv_watches_init(&engine->watches, config->secret);
    if (config->password.len > 0)
        memcpy(engine->password, config->password.bytes, config->password.len);
}

void kv_engine_deinit(struct kv_engine *engine)
{
    tp_assert(engine->first == NULL && !engine->change.open);
    kv_record_deinit(&engine->change.record);
    kv_watches_deinit(&engine->watches);
}

void kv_engine_set_clock(struct kv_engine *engine, int64_t wall_us, int64_t clock_ms)
{
    int64_t wall_ms = wall_us / 1000;

    tp_assert(clock_ms >= engine->clock_ms);
    if (engine->started_ms == 0)
        engine->started_ms = clock_ms;
    engine->wall_us = wall_us;
    engine->clock_ms = clock_ms;
    if (wall_ms > engine->now_ms)
        engine->now_ms = wall_ms;
}

/* A database that is emptied is told of without its keys: who empties it sees to that, as
 * long as it is known which of them were there. */
void kv_engine_changed(void *context, uint32_t db, struct kv_slice key)
{
    struct kv_engine *engine = context;

    if (key.bytes != NULL)
        kv_watches_touch(&engine->watches, db, key);
}

int32_t kv_engine_expire(struct kv_engine *engine, uint32_t limit)
{
    struct kv_view view;
    uint32_t db, count = 0;

    while (count < limit &&
           kv_store_next_expired(engine->store, engine->now_ms, &db, &view)) {
        struct kv_effect effect = kv_effect_del(db, view.key);
        int32_t error = kv_change_single(engine, &effect);

        if (error < 0)
            return error;
        engine->stats.expired++;
        count++;
    }
    return (int32_t)count;
}

uint64_t kv_engine_memory(const struct kv_engine *engine)
{
    struct kv_store_memory memory;

    kv_store_memory(engine->store, &memory);
    tp_assert(memory.dead <= memory.total);
    return memory.total - memory.dead;
}

bool kv_engine_is_full(const struct kv_engine *engine)
{
    uint64_t max = engine->config.memory_max;

    return (max > 0 && kv_engine_memory(engine) > max) || kv_store_is_short(engine->store);
}

/* SplitMix64. */
uint64_t kv_engine_random(struct kv_engine *engine)
{
    uint64_t mixed = engine->random += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

bool kv_engine_password_is(const struct kv_engine *engine, struct kv_slice password)
{
    uint8_t given[KV_PASSWORD_MAX] = {0};
    uint32_t difference = password.len ^ engine->password_len;

    if (password.len > 0)
        memcpy(given, password.bytes,
               password.len < sizeof given ? password.len : sizeof given);
    for (uint32_t i = 0; i < sizeof given; i++)
        difference |= (uint32_t)(given[i] ^ engine->password[i]);
    return difference == 0;
}
