/** tests/sim/explained.h - a seed that fails, and why. */
#ifndef TESTS_SIM_EXPLAINED_H
#define TESTS_SIM_EXPLAINED_H

#include "apps/sim/explain.h"

/** Which seed that fails is looked for. */
struct s_wanted {
    uint32_t families;     /* that are on; all others are off */
    uint64_t after, seeds; /* the lowest above `after`, up to `seeds` */
    const char *message;   /* stands in what is said; NULL: anything does */
    bool is_uncut;         /* before the power of all is cut at the end */
};

/** Explains it, until there is an end. The seed; 0: none is like that. */
uint64_t s_explain(const struct tp_scenario *scenario, const struct s_wanted *wanted,
                   struct tp_explain *ret_explain);

#endif
