/** apps/kv/resp.h - reads requests: arrays of bulk strings, or lines of words.
 *
 *     struct kv_resp resp = {0};
 *
 *     kv_resp_init(&resp, &limits);
 *     switch (kv_resp_read(&resp, bytes, len)) {       all that has come of this request
 *     case KV_RESP_MORE: ...                           call again when more has come
 *     case KV_RESP_REQUEST: resp.argc, resp.argv       may be none: nothing to answer
 *     case KV_RESP_WRONG: resp.error                   say it, and close
 *     }
 *     kv_resp_next(&resp);                             drop resp.used bytes, then the next
 *
 * Every call gets the bytes of the request from its first on; they may lie elsewhere than
 * in the call before. A byte is looked at once, however the request is split, and the
 * outcome does not depend on the split.
 *
 * Ownership: arguments lie in the bytes given, those of a line in memory of the reader;
 * both stay until kv_resp_next() and as long as the bytes do.
 *
 * Limits: see struct kv_resp_limits; a header or a line of words may have 64 KiB. The
 * texts of errors are those of Redis 7.0.
 */
#ifndef TEMPEST_APPS_KV_RESP_H
#define TEMPEST_APPS_KV_RESP_H

#include "apps/kv/slice.h"

enum {
    KV_RESP_LINE_MAX = 64 << 10, /* a line of words, or a header */
    KV_RESP_ARGS_MAX = 1 << 20,  /* whatever the limits say */
    KV_RESP_ERROR_BYTES = 64,    /* of the longest text of an error */
};

struct kv_resp_limits {
    uint32_t args_max;     /* arguments of a request, its name among them */
    uint32_t argument_max; /* bytes of one */
    bool stranger;         /* who has not said the password: a few short arguments */
};

enum kv_resp_status { KV_RESP_MORE, KV_RESP_REQUEST, KV_RESP_WRONG };

enum kv_resp_state {
    KV_RESP_BEGIN,
    KV_RESP_LINE,     /* of words */
    KV_RESP_COUNT,    /* the header of the array */
    KV_RESP_LENGTH,   /* the header of an argument */
    KV_RESP_ARGUMENT, /* its bytes */
};

/** Where an argument lies in the request. */
struct kv_resp_span {
    uint32_t offset, len;
};

struct kv_resp {
    struct kv_slice *argv; /* of a request */
    uint32_t argc;
    uint32_t used; /* bytes of the request, when it is complete */
    char error[KV_RESP_ERROR_BYTES];

    struct kv_resp_limits limits; /* may be changed between requests */
    enum kv_resp_state state;
    uint32_t seen;    /* bytes that had come at the last call */
    uint32_t at;      /* what is before has been understood */
    uint32_t scanned; /* no end of a line is before */
    uint32_t missing; /* arguments, the one being read among them */
    struct kv_resp_span *spans;
    uint8_t *words; /* of a line, without their quotes */
    uint32_t argv_capacity, span_capacity, words_capacity;
};

/** Nothing has come yet. No memory is taken before a request needs it. */
void kv_resp_init(struct kv_resp *resp, const struct kv_resp_limits *limits);

/** Gives its memory back. */
void kv_resp_deinit(struct kv_resp *resp);

/** Reads on: `bytes` holds the `len` bytes that have come since the request began. After
 * KV_RESP_WRONG nothing more can be read. */
enum kv_resp_status kv_resp_read(struct kv_resp *resp, const uint8_t *bytes, uint32_t len);

/** The request was dealt with: the next begins behind its `used` bytes. Memory that an
 * unusually large one took is given back. */
void kv_resp_next(struct kv_resp *resp);

/** After KV_RESP_MORE: bytes that the request has at least, to make room for at once. */
uint64_t kv_resp_wanted(const struct kv_resp *resp);

#endif
