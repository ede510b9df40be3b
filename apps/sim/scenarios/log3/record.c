#include "apps/sim/scenarios/log3/record.h"

_Static_assert(LOG3_RECORD_BYTES_MAX >= 16 + LOG3_STATE_BYTES, "a state fits");

uint32_t log3_record_put(uint8_t *ret_bytes, const struct log3_record *record)
{
    uint8_t *at = log3_put(ret_bytes, (uint64_t)record->kind, 1);

    if (record->kind == LOG3_RECORD_ENTRY) {
        at = log3_put(at, record->index, 8);
        at = log3_entry_put(at, &record->entry);
    } else {
        at = log3_put(at, record->term, 8);
        at = log3_put(at, record->vote, 1);
    }
    if (record->kind == LOG3_RECORD_STATE) {
        at = log3_put(at, record->keeps_tail, 1);
        at = log3_state_put(at, &record->state);
    }
    return (uint32_t)(at - ret_bytes);
}

bool log3_record_read(const uint8_t *bytes, uint32_t len, struct log3_record *ret_record)
{
    struct log3_reader reader = log3_reader_of(bytes, len);
    uint64_t kind = log3_read(&reader, 1);

    if (kind >= LOG3_RECORD_KINDS)
        return false;
    ret_record->kind = (enum log3_record_kind)kind;
    if (kind == LOG3_RECORD_ENTRY) {
        ret_record->index = log3_read(&reader, 8);
        log3_entry_read(&reader, &ret_record->entry);
        reader.failed |= ret_record->index == 0;
    } else {
        ret_record->term = log3_read(&reader, 8);
        ret_record->vote = (uint32_t)log3_read(&reader, 1);
        reader.failed |= ret_record->vote >= LOG3_NODES && ret_record->vote != LOG3_NOBODY;
    }
    if (kind == LOG3_RECORD_STATE) {
        ret_record->keeps_tail = log3_read(&reader, 1) != 0;
        log3_state_read(&reader, &ret_record->state);
    }
    return !reader.failed && reader.at == reader.end;
}
