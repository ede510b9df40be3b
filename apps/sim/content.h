/** apps/sim/content.h - a file in memory. */
#ifndef TEMPEST_APPS_SIM_CONTENT_H
#define TEMPEST_APPS_SIM_CONTENT_H

#include "../../io/base.h"

/** What is larger is no tape and no history. */
#define TP_CONTENT_BYTES_MAX (UINT64_C(1) << 30)

/** Zeroed, it is empty. */
struct tp_content {
    uint8_t *bytes;
    size_t size_bytes, len_bytes;
};

/** All of a file, or of what a pipe gives. 0, -EFBIG (more than `bytes_max`), -ENOMEM, or
 * what the system says; to be freed either way. */
int tp_content_read(const char *path, uint64_t bytes_max, struct tp_content *ret_content);

/** Twice is fine. */
void tp_content_free(struct tp_content *content);

#endif
