/** tests/planted/planted.h - bugs that are planted into copies of sources: planted.cmake.
 */
#ifndef TESTS_PLANTED_PLANTED_H
#define TESTS_PLANTED_PLANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "planted_names.h"

struct tp_scenario;

enum tp_planted {
    TP_PLANTED_NOTHING,
#define TP_PLANTED_ENUM(id, name) TP_PLANTED_##id,
    TP_PLANTED_TABLE(TP_PLANTED_ENUM)
#undef TP_PLANTED_ENUM
};

/** The one that is lived with. */
extern enum tp_planted tp_planted_bug;

/** Whether this one is. */
#define PLANTED(id) (tp_planted_bug == TP_PLANTED_##id)

/** What is run; each program has one. */
extern const struct tp_scenario *tp_planted_scenario(void);

#endif
