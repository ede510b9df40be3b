/* The tape of a trial, after it. */
#include "apps/sim/trial.h"

void tp_trial_trim(struct tp_tape *tape)
{
    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        uint64_t asked = tp_tape_asked(tape, stream), count = tp_tape_count(tape, stream);

        if (asked < count)
            tp_tape_delete(tape, stream, asked, count - asked);
    }
}

int tp_trial_take(const struct tp_trial *trial, struct tp_tape *tape,
                  const struct tp_tape *drawn)
{
    int error = 0;

    for (uint32_t stream = 0; stream < tp_tape_streams(drawn) && error == 0; stream++) {
        uint64_t have = tp_tape_count(drawn, stream), count = tp_tape_count(tape, stream);

        if (have < count)
            tp_tape_delete(tape, stream, have, count - have);
        for (uint64_t i = trial->realigns ? 0 : count; i < have && error == 0; i++)
            error = tp_tape_put(tape, stream, i, tp_tape_entry(drawn, stream, i));
    }
    return error;
}
