/** io/mark.h - marks: places and conditions that a search should come across.
 *
 *     tp_reached("the log's tail was cut off");
 *     tp_sometimes(count > 1, "two clients share a sync");
 *
 * The simulator counts them over all its runs and names those that never held: what no run
 * comes across is not tested, however many are green. A mark costs one addition, in any
 * program; -DTP_NO_MARKS takes them out. Marks of one name are one. C only.
 */
#ifndef TEMPEST_IO_MARK_H
#define TEMPEST_IO_MARK_H

#include "base.h"

struct tp_mark {
    const char *name;
    const char *file;
    uint32_t line;
    uint32_t count; /* how often it held; wraps */
};

#if defined(TP_NO_MARKS) || defined(__cplusplus)
#define tp_reached(name)         ((void)0)
#define tp_sometimes(cond, name) ((void)(cond))
#else

/* The linker puts the pointers of a program's marks side by side, so that they can be
 * listed without being reached. Two threads may lose a count to each other: a mark says
 * whether, not how often. */
#define tp_reached(name)                                                                \
    do {                                                                                \
        static struct tp_mark mark_ = {name, __FILE__, __LINE__, 0};                    \
        static struct tp_mark *at_ __attribute__((section("tp_marks"), used)) = &mark_; \
        (void)at_;                                                                      \
        __atomic_store_n(&mark_.count,                                                  \
                         __atomic_load_n(&mark_.count, __ATOMIC_RELAXED) + 1,           \
                         __ATOMIC_RELAXED);                                             \
    } while (0)

#define tp_sometimes(cond, name) \
    do {                         \
        if (cond)                \
            tp_reached(name);    \
    } while (0)
#endif

#endif
