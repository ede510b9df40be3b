/** apps/kv/reply.h - writes replies, in RESP2 or RESP3, one behind the other.
 *
 * A reply is what kv_reply_*() add between two commands: one value, or an array, map or set
 * announced by its length and followed by its values. What RESP2 lacks it gets the old way:
 * a map is an array of twice the length, a set an array, a null an empty bulk string or
 * array, a verbatim text a bulk string.
 *
 * An error is one line: line ends within become spaces, those at its end go.
 *
 * Limit: past `limit` bytes nothing is added and `overflown` is set; what there is must not
 * be sent then.
 */
#ifndef TEMPEST_APPS_KV_REPLY_H
#define TEMPEST_APPS_KV_REPLY_H

#include "apps/kv/slice.h"
#include "io/base.h"

enum { KV_RESP2 = 2, KV_RESP3 = 3 };

/** Zero but for `version` and `limit` is an empty one. The bytes are for whoever sends them
 * to look at; `len` may be set to 0 when they are sent, or back to what it was. */
struct kv_reply {
    uint8_t *bytes;
    uint32_t len, capacity;
    uint32_t limit;  /* of `len` */
    uint8_t version; /* KV_RESP2 or KV_RESP3 */
    bool overflown;
};

/** Gives the memory back; version and limit stay. */
void kv_reply_deinit(struct kv_reply *reply);

/** "+OK", with any text. */
void kv_reply_status(struct kv_reply *reply, const char *text);
TP_PRINTF(2, 3) void kv_reply_statusf(struct kv_reply *reply, const char *format, ...);
void kv_reply_ok(struct kv_reply *reply);

/** "-ERR what went wrong"; the text begins with the code. */
void kv_reply_error(struct kv_reply *reply, const char *text);
/** The text may have 1 KiB; more is cut off. */
TP_PRINTF(2, 3) void kv_reply_errorf(struct kv_reply *reply, const char *format, ...);

/** An error with a word of the client's own in it, up to its first NUL. */
void kv_reply_error_about(struct kv_reply *reply, const char *before, struct kv_slice word,
                          const char *after);

void kv_reply_integer(struct kv_reply *reply, int64_t number);
void kv_reply_bulk(struct kv_reply *reply, struct kv_slice bytes);
void kv_reply_text(struct kv_reply *reply, const char *text);
/** A number as a bulk string. */
void kv_reply_bulk_integer(struct kv_reply *reply, int64_t number);
/** Text for a person to read. */
void kv_reply_verbatim(struct kv_reply *reply, struct kv_slice text);

void kv_reply_null(struct kv_reply *reply);
void kv_reply_null_array(struct kv_reply *reply);

/** `count` values follow; of a map `count` pairs. */
void kv_reply_array(struct kv_reply *reply, uint32_t count);
void kv_reply_map(struct kv_reply *reply, uint32_t count);
void kv_reply_set(struct kv_reply *reply, uint32_t count);

/** What was added since `len` was `from`, which is short, goes before what was added since
 * it was `begin`: the length of an array whose values had to come first to be counted. */
enum { KV_REPLY_FORWARD_MAX = 128 };
void kv_reply_bring_forward(struct kv_reply *reply, uint32_t begin, uint32_t from);

/** Whether what was added since `len` was `begin` is an error. */
static inline bool kv_reply_is_error(const struct kv_reply *reply, uint32_t begin)
{
    return reply->len > begin && reply->bytes[begin] == '-';
}

#endif
