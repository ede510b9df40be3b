/** apps/sim/scenarios/log3/stranger.h - somebody who has found the port, and says what
 * makes no sense there.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_STRANGER_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_STRANGER_H

#include "apps/sim/scenarios/log3/entry.h"

enum { LOG3_STRANGE_BYTES = 256 };

struct log3_stranger {
    struct tp_machine machine;
    const struct tp_address *addresses; /* of the nodes, LOG3_NODES */
    uint32_t visits;                    /* that are left */
    struct tp_fd fd;
    struct tp_buf buf;
    uint8_t bytes[LOG3_STRANGE_BYTES];
};

/** Its machine; ends after its visits. */
enum tp_step log3_stranger_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
