#include "apps/common/args.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "apps/common/say.h"
#include "io/base.h"

struct app_args app_args_of(int argc, char **argv, const struct app_option *options,
                            int option_count)
{
    struct app_args args = {.options = options,
                            .option_count = option_count,
                            .argc = argc,
                            .argv = argv,
                            .next = argc > 0 ? 1 : 0};

    tp_assert(option_count > 0 && argc >= 0);
    return args;
}

static int wrong(const char *what, const char *word)
{
    app_say("%s '%s'; --help says what there is", what, word);
    return APP_ARGS_WRONG;
}

/* The value of an option: what is attached to it, or the next word. */
static int with_value(struct app_args *args, int index, const char *attached)
{
    args->value = attached;
    if (attached == NULL && args->next < args->argc)
        args->value = args->argv[args->next++];
    if (args->value == NULL)
        return wrong("a value is missing after", args->argv[args->next - 1]);
    return index;
}

static int next_long(struct app_args *args, const char *word)
{
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);

    for (int i = 0; i < args->option_count; i++) {
        const struct app_option *option = &args->options[i];

        if (strncmp(option->name, name, len) != 0 || option->name[len] != '\0')
            continue;
        if (option->takes_value)
            return with_value(args, i, equals == NULL ? NULL : equals + 1);
        if (equals != NULL)
            return wrong("no value is taken by", word);
        return i;
    }
    return wrong("unknown option", word);
}

static int next_letter(struct app_args *args)
{
    const char *at = args->letters;

    for (int i = 0; i < args->option_count; i++) {
        if (args->options[i].letter != *at)
            continue;
        args->letters = at[1] == '\0' ? NULL : at + 1;
        if (!args->options[i].takes_value)
            return i;
        at = args->letters;
        args->letters = NULL;
        return with_value(args, i, at);
    }
    return wrong("unknown option", args->argv[args->next - 1]);
}

int app_args_next(struct app_args *args)
{
    const char *word;

    args->value = NULL;
    if (args->letters != NULL)
        return next_letter(args);
    if (args->next >= args->argc)
        return APP_ARGS_END;
    word = args->argv[args->next++];
    if (!args->operands_only && strcmp(word, "--") == 0) {
        args->operands_only = true;
        return app_args_next(args);
    }
    if (args->operands_only || word[0] != '-' || word[1] == '\0') {
        args->value = word;
        return APP_ARGS_OPERAND;
    }
    if (word[1] == '-')
        return next_long(args, word);
    args->letters = word + 1;
    return next_letter(args);
}

/* The power of 1024 that a suffix stands for, as bits; -1 if it is none. */
static int suffix_bits(const char *suffix)
{
    if (suffix[0] == '\0')
        return 0;
    if (suffix[1] != '\0')
        return -1;
    switch (suffix[0]) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return -1;
    }
}

/* A decimal number with an optional suffix; false if the text is anything else. */
static bool parse(const char *text, bool suffixes, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *at = text;
    int bits;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    bits = suffix_bits(at);
    if (at == text || bits < 0 || (bits > 0 && !suffixes) || number > UINT64_MAX >> bits)
        return false;
    *ret_number = number << bits;
    return true;
}

bool app_args_number(const struct app_args *args, int index, bool suffixes, uint64_t min,
                     uint64_t max, uint64_t *ret_number)
{
    uint64_t number;

    tp_assert(index >= 0 && index < args->option_count && args->value != NULL);
    if (!parse(args->value, suffixes, &number) || number < min || number > max) {
        app_say("--%s takes a number from %" PRIu64 " to %" PRIu64 "%s, not '%s'",
                args->options[index].name, min, max,
                suffixes ? " (K, M and G are understood)" : "", args->value);
        return false;
    }
    *ret_number = number;
    return true;
}
