/** apps/kv/sim/answer.h - reads replies, a token at a time, however they are split.
 *
 * A token is a status, an error, a number, a string, a null, or the head of an array (whose
 * elements are the tokens that follow). What no server may send is KV_ANSWER_WRONG.
 */
#ifndef TEMPEST_APPS_KV_SIM_ANSWER_H
#define TEMPEST_APPS_KV_SIM_ANSWER_H

#include "apps/kv/slice.h"

enum kv_answer_kind {
    KV_ANSWER_MORE,   /* the token is not complete */
    KV_ANSWER_STATUS, /* text */
    KV_ANSWER_ERROR,  /* text */
    KV_ANSWER_NUMBER,
    KV_ANSWER_STRING, /* text: bytes never NULL */
    KV_ANSWER_NULL,
    KV_ANSWER_ARRAY, /* number: how many elements; of a map, twice its pairs */
    KV_ANSWER_WRONG,
};

struct kv_answer {
    enum kv_answer_kind kind;
    struct kv_slice text;
    int64_t number;
    uint32_t used; /* bytes of the token */
};

/** The token that begins with `bytes`. */
struct kv_answer kv_answer_read(const uint8_t *bytes, uint32_t len);

#endif
