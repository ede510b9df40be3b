/** tests/copy/text.c - command lines, quoting, quantities and paths of the programs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/copy/dir.h"
#include "apps/copy/options.h"
#include "apps/copy/split.h"

/* ------------------------------------------------------------------ options */

static const struct app_option table[] = {
    {"all", 'a', false}, {"size", 's', true}, {"bare", 'b', false}, {"long", 0, true}};

/* What a command line reads as: "a s=5 (x)". */
static const char *read_as(const char *line)
{
    static char text[256], words[256], *argv[32];
    int argc = 1;
    struct app_args args;
    int option;
    size_t used = 0;

    app_say_to(NULL);
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *at = words; argc < 32 && *at != '\0'; argc++) {
        argv[argc] = at;
        at += strcspn(at, " ");
        if (*at == ' ')
            *at++ = '\0';
    }
    argv[0] = words;
    text[0] = '\0';
    args = app_args_of(argc, argv, table, 4);
    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        if (option == APP_ARGS_WRONG)
            return "wrong";
        if (option == APP_ARGS_OPERAND)
            used += (size_t)snprintf(text + used, sizeof text - used, "(%s) ", args.value);
        else
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s ",
                                     table[option].name, args.value == NULL ? "" : "=",
                                     args.value == NULL ? "" : args.value);
    }
    return text;
}

Test(args, are_read_in_all_their_forms)
{
    cr_assert_str_eq(read_as("x --all y"), "(x) all (y) ");
    cr_assert_str_eq(read_as("--size=5 --size 6 -s7 -s 8"), "size=5 size=6 size=7 size=8 ");
    cr_assert_str_eq(read_as("-ab -abs9 -ba"), "all bare all bare size=9 bare all ");
    cr_assert_str_eq(read_as("-a -- -b --all --"), "all (-b) (--all) (--) ");
    cr_assert_str_eq(read_as("- --size -"), "(-) size=- ");
    cr_assert_str_eq(read_as("--size= --long=a=b"), "size= long=a=b ");
    cr_assert_str_eq(read_as(""), "");
}

Test(args, that_are_wrong_are_refused)
{
    static const char *const lines[] = {"--al",   "--allx", "-c",      "-ac",
                                        "--size", "-s",     "--all=1", "--=1"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert_str_eq(read_as(lines[i]), "wrong", "%s", lines[i]);
}

static bool number(const char *value, bool suffixes, uint64_t *ret_number)
{
    char program[] = "x";
    char *argv[] = {program, NULL};
    struct app_args args = app_args_of(1, argv, table, 4);

    app_say_to(NULL);
    args.value = value;
    return app_args_number(&args, 1, suffixes, 1, UINT64_MAX, ret_number);
}

Test(args, numbers_have_suffixes_and_bounds)
{
    static const char *const wrong[] = {"",
                                        "0",
                                        "x",
                                        "1x",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1KB",
                                        "1.5",
                                        "18446744073709551616",
                                        "99999999999999999999",
                                        "18014398509481984K"};
    uint64_t value;

    cr_assert(number("1", false, &value) && value == 1);
    cr_assert(number("64K", true, &value) && value == 65536);
    cr_assert(number("2m", true, &value) && value == 2097152);
    cr_assert(number("1G", true, &value) && value == 1073741824);
    cr_assert(number("18446744073709551615", false, &value) && value == UINT64_MAX);
    cr_assert(!number("1K", false, &value));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert(!number(wrong[i], true, &value), "'%s'", wrong[i]);
}

static enum copy_todo parse(struct copy_options *options, int argc,
                            const char *const *words)
{
    char text[16][64], *argv[16];

    app_say_to(NULL);
    for (int i = 0; i < argc; i++) {
        (void)snprintf(text[i], sizeof text[i], "%s", words[i]);
        argv[i] = text[i];
    }
    return copy_options_parse(argc, argv, options);
}

Test(options, that_contradict_each_other_are_refused)
{
    static const char *const lines[][6] = {
        {"x", NULL},
        {"x", "a", NULL},
        {"x", "a", "b", "--block=5000", NULL},
        {"x", "a", "b", "--block=0", NULL},
        {"x", "a", "b", "--depth=65", NULL},
        {"x", "a", "b", "--jobs=0", NULL},
        {"x", "a", "b", "--io=windows", NULL},
        {"x", "a", "b", "--seed=1", NULL},
        {"x", "a", "b", "--no-sync", NULL},
        {"x", "a", "b", "--power-cuts=3", "--verify", NULL},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct copy_options options;
        int argc = 0;

        while (lines[i][argc] != NULL)
            argc++;
        cr_assert_eq(parse(&options, argc, lines[i]), COPY_USAGE, "line %zu", i);
        copy_options_deinit(&options);
    }
}

/* ------------------------------------------------------------------ text */

static const char *quoted(const char *path)
{
    static char text[256];

    return app_quote(path, text, sizeof text);
}

Test(quote, makes_one_printable_line_of_any_name)
{
    cr_assert_str_eq(quoted("a b/c"), "'a b/c'");
    cr_assert_str_eq(quoted("gr\xc3\xbc\xc3\x9f"), "'gr\xc3\xbc\xc3\x9f'");
    cr_assert_str_eq(quoted("a\nb"), "$'a\\nb'");
    cr_assert_str_eq(quoted("it's"), "$'it\\'s'");
    cr_assert_str_eq(quoted("back\\slash"), "$'back\\\\slash'");
    cr_assert_str_eq(quoted("\x1b[31m"), "$'\\033[31m'");
    cr_assert_str_eq(quoted("\xff\xc3"), "$'\\377\\303'");
    cr_assert_str_eq(quoted("\xc0\xaf"), "$'\\300\\257'");          /* overlong */
    cr_assert_str_eq(quoted("\xed\xa0\x80"), "$'\\355\\240\\200'"); /* a surrogate */
    cr_assert_str_eq(quoted("\xc2\x9b"), "$'\\302\\233'"); /* a control character */
    cr_assert_str_eq(quoted(""), "''");
}

Test(quote, is_cut_where_there_is_no_room)
{
    char text[10];

    cr_assert_str_eq(app_quote("abcdefghijklm", text, sizeof text), "'abcdefg'");
    cr_assert_str_eq(app_quote("a\n\n\n\n\n\n", text, sizeof text), "$'a\\n\\n'");
}

static const char *bytes(uint64_t amount)
{
    static char text[APP_TEXT_BYTES];

    return app_bytes(amount, text, sizeof text);
}

Test(quantities, are_short)
{
    char text[APP_TEXT_BYTES];

    cr_assert_str_eq(bytes(0), "0 B");
    cr_assert_str_eq(bytes(1023), "1023 B");
    cr_assert_str_eq(bytes(1024), "1.0 KiB");
    cr_assert_str_eq(bytes(1536), "1.5 KiB");
    cr_assert_str_eq(bytes(1024 * 1024 - 1), "1023 KiB");
    cr_assert_str_eq(bytes(UINT64_MAX), "15.9 EiB");
    cr_assert_str_eq(app_count(0, text, sizeof text), "0");
    cr_assert_str_eq(app_count(999, text, sizeof text), "999");
    cr_assert_str_eq(app_count(1000, text, sizeof text), "1,000");
    cr_assert_str_eq(app_count(UINT64_MAX, text, sizeof text),
                     "18,446,744,073,709,551,615");
    cr_assert_str_eq(app_duration(0, text, sizeof text), "0 ms");
    cr_assert_str_eq(app_duration(UINT64_C(1250000000), text, sizeof text), "1.25 s");
    cr_assert_str_eq(app_duration(UINT64_C(65000000000), text, sizeof text), "1:05");
    cr_assert_str_eq(app_duration(UINT64_C(3723000000000), text, sizeof text), "1:02:03");
}

/* ------------------------------------------------------------------ paths */

Test(split, finds_directory_and_name)
{
    static const struct {
        const char *path, *parent, *name;
        bool itself, slash;
    } cases[] = {{"a", "", "a", false, false},       {"a/", "", "a", false, true},
                 {"/a", "/", "a", false, false},     {"/", "/", "", true, false},
                 {"//", "/", "", true, true},        {"a/b", "a", "b", false, false},
                 {"a//b//", "a", "b", false, true},  {".", "", "", true, false},
                 {"a/.", "a", "", true, false},      {"../..", "..", "", true, false},
                 {"a/...", "a", "...", false, false}};
    struct copy_split split;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(copy_split(cases[i].path, &split), 0);
        cr_assert_str_eq(split.parent, cases[i].parent, "parent of %s", cases[i].path);
        cr_assert_str_eq(split.name, cases[i].name, "name of %s", cases[i].path);
        cr_assert_eq(split.itself, cases[i].itself, "%s", cases[i].path);
        cr_assert_eq(split.slash, cases[i].slash, "%s", cases[i].path);
    }
    cr_assert_eq(copy_split("", &split), -ENOENT);
}

Test(path, is_built_from_the_names_upwards_and_cut_in_front)
{
    static struct copy_dir dirs[3];
    char text[TP_NAME_MAX + 10], name[TP_NAME_MAX + 1];

    dirs[0].name[COPY_SOURCE] = "/";
    dirs[0].name[COPY_TARGET] = "";
    dirs[1].parent = &dirs[0];
    dirs[1].name[COPY_SOURCE] = dirs[1].name[COPY_TARGET] = "one";
    dirs[2].parent = &dirs[1];
    dirs[2].name[COPY_SOURCE] = dirs[2].name[COPY_TARGET] = "two";
    cr_assert_str_eq(copy_path(&dirs[2], "f", COPY_SOURCE, text, sizeof text),
                     "/one/two/f");
    cr_assert_str_eq(copy_path(&dirs[2], NULL, COPY_TARGET, text, sizeof text), "one/two");
    cr_assert_str_eq(copy_path(NULL, "f", COPY_SOURCE, text, sizeof text), "f");
    memset(name, 'n', TP_NAME_MAX);
    name[TP_NAME_MAX] = '\0';
    cr_assert(
        strncmp(copy_path(&dirs[2], name, COPY_SOURCE, text, sizeof text), "...", 3) == 0);
}
