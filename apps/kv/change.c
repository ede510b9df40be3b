#include "apps/kv/change.h"

#include <stdio.h>

#include "io/mark.h"

int32_t kv_change_open(struct kv_engine *engine, uint64_t bound)
{
    struct kv_change *change = &engine->change;
    int32_t error;

    tp_assert(!change->open);
    if (bound > change->record.len_max)
        return -EMSGSIZE;
    kv_record_clear(&change->record);
    error = kv_record_reserve(&change->record, (uint32_t)bound);
    if (error < 0)
        return error;
    error = engine->log.reserve(engine->log.context, (uint32_t)bound);
    if (error < 0)
        return error;
    change->open = true;
    change->reserved = (uint32_t)bound;
    change->lsn = engine->log.next_lsn(engine->log.context);
    tp_assert(change->lsn > kv_store_lsn(engine->store));
    return 0;
}

void kv_change_apply(struct kv_engine *engine, const struct kv_effect *effect)
{
    struct kv_change *change = &engine->change;
    int32_t error;

    tp_assert(change->open);
    tp_assert(kv_store_check(engine->store, effect) == 0);
    error = kv_record_add(&change->record, effect);
    tp_assert(error == 0 && change->record.len <= change->reserved);
    kv_store_apply(engine->store, effect, change->lsn);
}

uint64_t kv_change_close(struct kv_engine *engine)
{
    struct kv_change *change = &engine->change;
    struct kv_log *log = &engine->log;
    uint64_t lsn;

    tp_assert(change->open);
    change->open = false;
    if (change->record.len == 0) {
        log->unreserve(log->context, change->reserved);
        return 0;
    }
    lsn = log->append(log->context, change->reserved, change->record.bytes,
                      change->record.len);
    tp_assert(lsn == change->lsn);
    return lsn;
}

int32_t kv_change_single(struct kv_engine *engine, const struct kv_effect *effect)
{
    int32_t error = kv_change_open(engine, KV_RECORD_HEADER + kv_record_bytes(effect));

    if (error < 0)
        return error;
    kv_change_apply(engine, effect);
    (void)kv_change_close(engine);
    return 0;
}

const char *kv_change_why(const struct kv_engine *engine, int32_t error,
                          char memory[KV_CHANGE_WHY_BYTES])
{
    int32_t failure = engine->log.failure(engine->log.context);

    tp_assert(error < 0 && error != -EAGAIN);
    tp_sometimes(failure != 0, "a change is refused: the log has failed");
    tp_sometimes(failure == 0 && error == -ENOSPC, "a change is refused: the disk is full");
    if (error == -EMSGSIZE)
        (void)snprintf(memory, KV_CHANGE_WHY_BYTES,
                       "ERR the change is too long for the log: keys and values of one "
                       "command or transaction may have about %u bytes together",
                       engine->change.record.len_max);
    else if (error == -ENOMEM)
        (void)snprintf(memory, KV_CHANGE_WHY_BYTES,
                       "OOM command not allowed: there is no memory left");
    else if (failure != 0)
        (void)snprintf(
            memory, KV_CHANGE_WHY_BYTES,
            "MISCONF Errors writing to the log: %s. Writes are refused until the "
            "server is restarted; reads go on",
            tp_errno_name(failure));
    else if (error == -ENOSPC)
        (void)snprintf(
            memory, KV_CHANGE_WHY_BYTES,
            "MISCONF Errors writing to the log: No space left on device. Nothing was "
            "changed; reads go on, and writes will as soon as there is room");
    else /* it may pass, as a lack of files does, or be the log's last segment */
        (void)snprintf(
            memory, KV_CHANGE_WHY_BYTES,
            "MISCONF Errors writing to the log: %s. Nothing was changed; reads go "
            "on, and writes will when that has passed, or after a restart",
            tp_errno_name(error));
    return memory;
}
