/** apps/kv/expiry_argument.h - an argument that says when a key expires, in all its forms.
 */
#ifndef TEMPEST_APPS_KV_EXPIRY_ARGUMENT_H
#define TEMPEST_APPS_KV_EXPIRY_ARGUMENT_H

#include "apps/kv/call.h"

struct kv_expiry_argument {
    bool seconds;  /* else milliseconds */
    bool relative; /* from now on, else since 1970 */
    bool positive; /* zero and less are refused */
};

/** Reads argument `index` as the time since 1970 in milliseconds, which may be in the past,
 * and even negative. False: it is none, or too far away, which has been replied. */
bool kv_expiry_argument(struct kv_call *call, uint32_t index,
                        struct kv_expiry_argument argument, int64_t *ret_expire_ms);

#endif
