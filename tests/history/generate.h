/** tests/history/generate.h - random histories of a register that works, or of one that
 * does not. */
#ifndef TESTS_HISTORY_GENERATE_H
#define TESTS_HISTORY_GENERATE_H

#include "apps/sim/history.h"

/** What is wrong with the service; each makes a history that no order explains. */
enum wrong {
    WRONG_NOTHING,
    WRONG_STALE_READ, /* a read gives what was surely overwritten before it began */
    WRONG_LOST_WRITE, /* a write is acknowledged, and a read after it sees what was before
                       */
    WRONG_UNWRITTEN,  /* a read gives what nobody wrote */
    WRONG_REORDERED, /* two reads, one after the other, see two writes in the other order */
    WRONG_CAS,       /* cas says that it changed what it did not find */
    WRONGS
};

struct generate {
    uint64_t seed;
    uint32_t clients, operations, keys;
    uint32_t unknown_one_in; /* operations whose outcome nobody learns; 0: none */
    enum wrong wrong;
};

/** A history that is linearizable but for `wrong`, which `*ret_planted` says was done. */
struct tp_history *generate(const struct generate *how, bool *ret_planted);

#endif
