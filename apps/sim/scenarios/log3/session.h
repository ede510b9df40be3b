/** apps/sim/scenarios/log3/session.h - a connection that somebody has made to a node: a
 * peer who says what it has to say, or a client who asks, one question at a time.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_SESSION_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_SESSION_H

#include "apps/sim/scenarios/log3/server.h"

struct log3_session {
    struct tp_client client;           /* sm/service.h: its machine and connection */
    struct log3_session *next, **link; /* in the server's list, while it waits */
    struct log3_message message;
    struct log3_message question; /* that it waits for the answer to */
    uint64_t term, round, index;  /* of a read: what must be confirmed, and applied */
    int32_t rc;
};

/** Its machine. */
enum tp_step log3_session_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** Answers those who wait, if their answers are there. */
void log3_sessions_answer(struct log3_server *server);

#endif
