/** tests/common/expect_stop.h - death tests: runs a function in a child and checks its
 * report. */
#ifndef TESTS_COMMON_EXPECT_STOP_H
#define TESTS_COMMON_EXPECT_STOP_H

#include <stdbool.h>
#include <stddef.h>

/** Whether `function(argument)` aborts (or a sanitizer ends it) with a report on standard
 * error in which each of the texts (a NULL ends them) occurs; if not, `ret_report` says
 * what came. */
bool stops_with(void (*function)(void *argument), void *argument, char *ret_report,
                size_t size, const char *const *texts);

/* For Criterion: fails the test with the report that came. */
#define expect_stop(function, argument, ...)                                            \
    do {                                                                                \
        static char report_[16384];                                                     \
        const char *const texts_[] = {__VA_ARGS__, NULL};                               \
        cr_assert(stops_with(function, argument, report_, sizeof report_, texts_),      \
                  "expected a stop that says \"%s\" ...; what came was: %s", texts_[0], \
                  report_);                                                             \
    } while (0)

#endif
