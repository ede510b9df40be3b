/** INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT: values that are numbers. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/decimal.h"
#include "apps/kv/number.h"

/* Adds to the number, which is 0 if the key is not there; what expires goes on to. */
static void add(struct kv_call *call, int64_t difference)
{
    struct kv_slice key = call->argv[1];
    struct kv_view view;
    char digits[KV_NUMBER_BYTES];
    int64_t number = 0;

    if (kv_call_get(call, key, &view) && !kv_number_parse(view.value, &number)) {
        kv_call_not_an_integer(call);
        return;
    }
    if (!kv_number_add(number, difference, &number)) {
        kv_reply_error(call->reply, "ERR increment or decrement would overflow");
        return;
    }
    kv_call_set(call, key, kv_slice_of(digits, kv_number_print(number, digits)),
                view.expire_ms);
    kv_reply_integer(call->reply, number);
}

void kv_cmd_incr(struct kv_call *call)
{
    add(call, 1);
}

void kv_cmd_decr(struct kv_call *call)
{
    add(call, -1);
}

void kv_cmd_incrby(struct kv_call *call)
{
    int64_t difference;

    if (kv_call_integer(call, 2, &difference))
        add(call, difference);
}

void kv_cmd_decrby(struct kv_call *call)
{
    int64_t difference;

    if (!kv_call_integer(call, 2, &difference))
        return;
    if (difference == INT64_MIN) {
        kv_reply_error(call->reply, "ERR decrement would overflow");
        return;
    }
    add(call, -difference);
}

void kv_cmd_incrbyfloat(struct kv_call *call)
{
    static const uint8_t zero[] = {'0'};
    struct kv_slice key = call->argv[1], sum;
    struct kv_view view;
    struct kv_decimal number, difference;
    char digits[KV_DECIMAL_BYTES];
    uint32_t len;

    if (!kv_call_get(call, key, &view))
        view.value = kv_slice_of(zero, sizeof zero);
    if (!kv_decimal_parse(view.value, &number) ||
        !kv_decimal_parse(call->argv[2], &difference)) {
        kv_reply_error(call->reply, "ERR value is not a valid float");
        return;
    }
    if (!kv_decimal_add(&number, &difference, digits, &len)) {
        kv_reply_error(call->reply, "ERR increment would produce NaN or Infinity");
        return;
    }
    sum = kv_slice_of(digits, len);
    kv_call_set(call, key, sum, view.expire_ms);
    kv_reply_bulk(call->reply, sum);
}
