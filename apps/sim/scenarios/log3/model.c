#include "apps/sim/scenarios/log3/model.h"

#include <inttypes.h>

#include "apps/sim/scenarios/log3/entry.h"

static enum tp_model_answer give(uint64_t length, struct tp_model_state *ret_state)
{
    if (ret_state->size_bytes < LOG3_MODEL_BYTES)
        return TP_MODEL_NO_ROOM;
    (void)log3_put(ret_state->bytes, length, LOG3_MODEL_BYTES);
    ret_state->len_bytes = LOG3_MODEL_BYTES;
    return TP_MODEL_YES;
}

static uint64_t number_of(const uint8_t *bytes, uint32_t len)
{
    struct log3_reader reader = log3_reader_of(bytes, len);

    return log3_read(&reader, LOG3_MODEL_BYTES);
}

static enum tp_model_answer begin(struct tp_value initial, struct tp_model_state *ret_state)
{
    (void)initial;
    return give(0, ret_state);
}

static enum tp_model_answer step(const struct tp_history_op *op, bool known,
                                 const uint8_t *bytes, uint32_t len_bytes,
                                 struct tp_model_state *ret_state)
{
    uint64_t length = number_of(bytes, len_bytes);

    if (op->call.kind == TP_HISTORY_APPEND)
        length++;
    if (known && number_of(op->result.bytes, op->result.len_bytes) != length)
        return TP_MODEL_NO;
    return give(length, ret_state);
}

static void print(const uint8_t *bytes, uint32_t len_bytes, FILE *stream)
{
    (void)fprintf(stream, "%" PRIu64 " appends", number_of(bytes, len_bytes));
}

const struct tp_model log3_model = {
    .name = "log", .begin = begin, .step = step, .print = print};
