/** apps/common/args.h - the command line of a program: options in any order, then operands.
 *
 *     static const struct app_option options[] = {{"block", 'b', true}, {"quiet", 'q',
 * false}}; struct app_args args = app_args_of(argc, argv, options, 2); int option;
 *
 *     while ((option = app_args_next(&args)) != APP_ARGS_END) ...
 *
 * Understood: --name, --name=value, --name value, -n, -n value, -nvalue, several letters in
 * one word; options and operands may be mixed, and after "--" everything is an operand. A
 * word "-" is an operand. Wrong usage is said on standard error; the program exits with
 * APP_EXIT_USAGE.
 */
#ifndef TEMPEST_APPS_COMMON_ARGS_H
#define TEMPEST_APPS_COMMON_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/** What every program exits with. */
enum { APP_EXIT_DONE = 0, APP_EXIT_FAILED = 1, APP_EXIT_USAGE = 2 };

struct app_option {
    const char *name;
    char letter; /* 0: none */
    bool takes_value;
};

/** What app_args_next() gives besides the index of an option. */
enum { APP_ARGS_END = -1, APP_ARGS_OPERAND = -2, APP_ARGS_WRONG = -3 };

struct app_args {
    const struct app_option *options;
    int option_count;
    int argc;
    char **argv;
    int next;            /* word to be read */
    const char *letters; /* the rest of a word of letters; NULL: none */
    bool operands_only;  /* "--" was seen */
    const char *value;   /* of the option, or the operand; NULL: the option takes none */
};

/** Reads argv from its second word on. The options stay the caller's. */
struct app_args app_args_of(int argc, char **argv, const struct app_option *options,
                            int option_count);

/** The index of the next option, APP_ARGS_OPERAND, APP_ARGS_END, or, when what is wrong has
 * been said, APP_ARGS_WRONG. `args->value` is the value or the operand. */
int app_args_next(struct app_args *args);

/** The value of the option at `index` as a whole number from `min` to `max`; with
 * `suffixes` also with K, M or G (powers of 1024). False when it is not, which has been
 * said. */
bool app_args_number(const struct app_args *args, int index, bool suffixes, uint64_t min,
                     uint64_t max, uint64_t *ret_number);

#endif
