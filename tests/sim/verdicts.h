/** tests/sim/verdicts.h - what the scenarios of verdicts.c and verdicts_promises.c share.
 */
#ifndef TESTS_SIM_VERDICTS_H
#define TESTS_SIM_VERDICTS_H

#include "apps/sim/sim.h"

struct worker {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_buf buf;
    struct tp_fd fd, other;
    char bytes[16];
    uint32_t rounds;
    struct tp_op sync, write;
    struct tp_statx statx;
};

static inline struct worker *worker_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct worker, machine);
}

/* verdicts_promises.c: their state is a uint32_t, what was promised so far. */
enum tp_step hurries(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step names_in_a_hurry(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step overtakes(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step tells_early(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step believes(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step tells_of_two(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step syncs_none_of_many(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step hurries_with_two(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step writes_something_else(struct tp_machine *machine, struct tp_ctx *cx);
enum tp_step notices_late(struct tp_machine *machine, struct tp_ctx *cx);
void check_late(struct tp_sim *sim);
void boot_keeper(struct tp_node *node);
bool keeper_is_done(struct tp_sim *sim);

#endif
