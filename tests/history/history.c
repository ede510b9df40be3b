/** tests/history/history.c - recording, and the text form, which may hold anything. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/history.h"
#include "apps/sim/history_check.h"
#include "io/virtual/random.h"
#include "tests/history/generate.h"

#define HEAD "tempest-history 1\n"

static const struct tp_value nil = {NULL, 0, false};

static struct tp_history *create(const struct tp_history_config *config)
{
    struct tp_history *history;

    cr_assert(eq(int, tp_history_create(config, &history), 0));
    return history;
}

static struct tp_history_call put(const char *value)
{
    return (struct tp_history_call){
        .kind = TP_HISTORY_PUT, .key = tp_value_text("x"), .value = tp_value_text(value)};
}

Test(history, a_client_has_one_operation_at_a_time)
{
    struct tp_history *history = create(NULL);
    struct tp_history_call call = put("1");

    cr_assert(eq(int, tp_history_return(history, 0, 1, TP_HISTORY_OK, nil), -EINVAL));
    cr_assert(eq(int, tp_history_invoke(history, 0, 1, &call), 0));
    cr_assert(eq(int, tp_history_invoke(history, 0, 2, &call), -EBUSY));
    cr_assert(eq(int, tp_history_invoke(history, 1, 2, &call), 0));
    cr_assert(eq(int, tp_history_return(history, 0, 3, TP_HISTORY_UNKNOWN, nil), 0));
    cr_assert(eq(int, tp_history_invoke(history, 0, 3, &call), 0));
    cr_assert(eq(int, tp_history_invoke(history, 2, 2, &call), -EINVAL), "time goes back");
    cr_assert(eq(int, tp_history_return(history, 1, 2, TP_HISTORY_OK, nil), -EINVAL));
    cr_assert(eq(u32, tp_history_ops(history), 3));
    cr_assert(eq(u32, tp_history_events(history), 4));
    cr_assert(eq(u32, tp_history_op(history, 1)->returned, TP_HISTORY_NO_EVENT));
    cr_assert(eq(u32, tp_history_op(history, 0)->returned, 2));
    tp_history_destroy(history);
}

Test(history, what_is_recorded_is_a_copy)
{
    struct tp_history *history = create(NULL);
    char value[] = "abc";
    struct tp_history_call call = put(value);

    cr_assert(eq(int, tp_history_invoke(history, 0, 1, &call), 0));
    memset(value, 'z', sizeof value - 1);
    cr_assert(tp_value_equal(tp_history_op(history, 0)->call.value, tp_value_text("abc")));
    tp_history_destroy(history);
}

Test(history, its_bounds_are_errors)
{
    struct tp_history_config config = {
        .clients_max = 2, .ops_max = 1, .memory_bytes = 1 << 20};
    struct tp_history *history = create(&config);
    struct tp_history_call call = put("1");

    cr_assert(eq(int, tp_history_invoke(history, 2, 1, &call), -EINVAL));
    cr_assert(eq(int, tp_history_invoke(history, 0, 1, &call), 0));
    cr_assert(eq(int, tp_history_invoke(history, 1, 1, &call), -ENOSPC));
    tp_history_destroy(history);
    config = (struct tp_history_config){.memory_bytes = 1 << 17};
    history = create(&config);
    for (uint32_t i = 0; i < 100000; i++) {
        char text[32];
        int error;

        (void)snprintf(text, sizeof text, "value %u", i);
        call = put(text);
        error = tp_history_invoke(history, i, i, &call);
        if (error == 0)
            continue;
        cr_assert(eq(int, error, -ENOMEM));
        cr_assert(lt(u32, 100, tp_history_ops(history)), "as far as memory goes");
        tp_history_destroy(history);
        return;
    }
    cr_fatal("the bound was never reached");
}

/* ------------------------------------------------------------------ as a text */

static char *text_of(const struct tp_history *history, size_t *ret_len)
{
    char *text;
    FILE *stream = open_memstream(&text, ret_len);

    cr_assert(eq(int, tp_history_write(history, stream), 0));
    (void)fclose(stream);
    return text;
}

static void expect_same(const struct tp_history *a, const struct tp_history *b)
{
    cr_assert(eq(u32, tp_history_events(a), tp_history_events(b)));
    cr_assert(tp_value_equal(tp_history_initial(a), tp_history_initial(b)));
    for (uint32_t i = 0; i < tp_history_ops(a); i++) {
        const struct tp_history_op *left = tp_history_op(a, i);
        const struct tp_history_op *right = tp_history_op(b, i);

        cr_assert(eq(u32, left->client, right->client));
        cr_assert(eq(u32, left->invoked, right->invoked));
        cr_assert(eq(u32, left->returned, right->returned));
        cr_assert(eq(u64, left->invoke_ns, right->invoke_ns));
        cr_assert(eq(int, (int)left->outcome, (int)right->outcome));
        cr_assert(eq(int, (int)left->call.kind, (int)right->call.kind));
        cr_assert(tp_value_equal(left->call.key, right->call.key));
        cr_assert(tp_value_equal(left->call.value, right->call.value));
    }
}

Test(history, what_is_written_is_read_again)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct generate how = {
            .seed = seed, .clients = 5, .operations = 60, .keys = 3, .unknown_one_in = 9};
        struct tp_history_error error;
        struct tp_history *again;
        bool planted;
        struct tp_history *history = generate(&how, &planted);
        size_t len, len_again;
        char *text = text_of(history, &len);
        char *text_again;

        cr_assert(eq(int, tp_history_read(NULL, text, len, &again, &error), 0));
        expect_same(history, again);
        text_again = text_of(again, &len_again);
        cr_assert(eq(sz, len, len_again));
        cr_assert(eq(int, memcmp(text, text_again, len), 0));
        free(text);
        free(text_again);
        tp_history_destroy(history);
        tp_history_destroy(again);
    }
}

Test(history, values_may_hold_any_bytes)
{
    struct tp_history *history = create(NULL);
    struct tp_history *again;
    struct tp_history_error error;
    struct tp_history_call call = {.kind = TP_HISTORY_CAS, .key = tp_value_text("")};
    uint8_t bytes[256];
    size_t len;
    char *text;

    for (uint32_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    call.value = tp_value_bytes(bytes, sizeof bytes);
    cr_assert(eq(int, tp_history_set_initial(history, tp_value_text("nil")), 0));
    cr_assert(eq(int, tp_history_invoke(history, 7, 1, &call), 0));
    text = text_of(history, &len);
    cr_assert(eq(int, tp_history_read(NULL, text, len, &again, &error), 0));
    expect_same(history, again);
    cr_assert(not(tp_history_op(again, 0)->call.expected.is_some));
    free(text);
    tp_history_destroy(history);
    tp_history_destroy(again);
}

Test(history, writing_that_fails_says_so)
{
    struct tp_history *history = create(NULL);
    FILE *full = fopen("/dev/full", "w");

    if (full == NULL)
        cr_skip("no /dev/full");
    cr_assert(eq(int, tp_history_write(history, full), -EIO));
    (void)fclose(full);
    tp_history_destroy(history);
}

static void expect_error(const char *text, uint32_t line, const char *what)
{
    struct tp_history_config config = {.clients_max = 10, .ops_max = 2};
    struct tp_history *history;
    struct tp_history_error error;

    cr_assert(
        eq(int, tp_history_read(&config, text, strlen(text), &history, &error), -EINVAL),
        "%s", text);
    cr_assert(eq(u32, error.line, line), "%s: %s", text, error.what);
    cr_assert(ne(ptr, strstr(error.what, what), NULL), "%s: %s", text, error.what);
}

Test(history, what_is_wrong_with_a_text_is_named_with_its_line)
{
    expect_error("", 1, "does not begin");
    expect_error("tempest-history 12\n", 1, "a number is missing");
    expect_error(HEAD "\n# a comment\nhello\n", 4, "a number is missing");
    expect_error(HEAD "1 x\n", 2, "a number is missing");
    expect_error(HEAD "99999999999999999999 0 invoke get \"x\"", 2, "too large");
    expect_error(HEAD "1 10 invoke get \"x\"\n", 2, "client's number is too large");
    expect_error(HEAD "1 4294967297 invoke get \"x\"\n", 2, "client's number is too large");
    expect_error(HEAD "1 0 ok\n", 2, "no operation that could return");
    expect_error(HEAD "1 0 invoke get \"x\"\n2 0 maybe\n", 3, "an event other than");
    expect_error(HEAD "1 0 invoke put \"x\" \"1\"\n2 0 invoke get \"x\"\n", 3,
                 "has not returned");
    expect_error(HEAD "2 0 invoke get \"x\"\n1 0 ok nil\n", 3, "time goes back");
    expect_error(HEAD "1 0 invoke take \"x\"\n", 2, "an operation other than");
    expect_error(HEAD "1 0 invoke getx \"x\"\n", 2, "an operation other than");
    expect_error(HEAD "1 0 invoke get x\n", 2, "a value in quotes");
    expect_error(HEAD "1 0 invoke get \"x\n", 2, "does not end with a quote");
    expect_error(HEAD "1 0 invoke get \"\\y\"\n", 2, "an escape");
    expect_error(HEAD "1 0 invoke get \"\\xg0\"\n", 2, "an escape");
    expect_error(HEAD "1 0 invoke get \"\\x4", 2, "an escape");
    expect_error(HEAD "1 0 invoke get \"x\\", 2, "an escape");
    expect_error(HEAD "1 0 invoke get \"x\" \"y\"\n", 2, "more on the line");
    expect_error(HEAD "1 0 invoke put \"x\"\n", 2, "a value in quotes");
    expect_error(HEAD "1 0 invoke get \"x\"\n2 0 ok\n", 3, "a value in quotes");
    expect_error(HEAD "1 0 invoke cas \"x\" nil nil\n2 0 ok nil\n", 3, "true or false");
    expect_error(HEAD "initial x\n", 2, "a value in quotes");
    expect_error(HEAD "1 0 invoke get \"x\"\n1 1 invoke get \"x\"\n1 2 invoke get \"x\"\n",
                 4, "more operations than may be");
}

Test(history, hostile_bytes_are_refused_or_read_but_never_more)
{
    struct generate how = {
        .seed = 1, .clients = 4, .operations = 20, .keys = 2, .unknown_one_in = 9};
    struct tp_rng rng = tp_rng_make(4711, 0);
    bool planted;
    struct tp_history *history = generate(&how, &planted);
    size_t len;
    char *text = text_of(history, &len);
    uint32_t refused = 0;

    for (uint32_t round = 0; round < 4000; round++) {
        size_t used = tp_rng_below(&rng, 4) == 0 ? (size_t)tp_rng_below(&rng, len) : len;
        char *copy = malloc(used + 1); /* its own, so that a sanitizer sees its end */
        struct tp_history_config config = {.memory_bytes =
                                               round % 3 == 0 ? round * 16 + 1 : 0};
        struct tp_history *again;
        struct tp_history_error error;
        int result;

        memcpy(copy, text, used);
        for (uint64_t i = tp_rng_below(&rng, 4); i > 0 && used > 0; i--)
            copy[tp_rng_below(&rng, used)] = (char)tp_rng_next(&rng);
        result = tp_history_read(&config, copy, used, &again, &error);
        if (result == 0)
            tp_history_destroy(again);
        else
            cr_assert(result == -EINVAL || result == -ENOMEM);
        cr_assert(result == 0 || error.what != NULL);
        refused += result != 0;
        free(copy);
    }
    cr_assert(lt(u32, 500, refused));
    cr_assert(lt(u32, refused, 3900));
    free(text);
    tp_history_destroy(history);
}

/* ------------------------------------------------------------------ files */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert(ne(ptr, file, NULL));
    (void)fputs(text, file);
    (void)fclose(file);
}

Test(history, files_are_checked_and_what_cannot_be_read_is_said)
{
    const char *paths[] = {"good.history", "bad.history", "broken.history", "no/such"};
    char *out_text, *err_text;
    size_t out_len, err_len;
    uint32_t unread;
    FILE *out = open_memstream(&out_text, &out_len);
    FILE *err = open_memstream(&err_text, &err_len);

    write_file(paths[0], HEAD "1 0 invoke get \"x\"\n2 0 ok nil\n");
    write_file(paths[1], HEAD "1 0 invoke get \"x\"\n2 0 ok \"1\"\n");
    write_file(paths[2], HEAD "1 0 invoke get x\n");
    cr_assert(eq(u32, tp_history_check_files(paths, 4, out, err, &unread), 3));
    cr_assert(eq(u32, unread, 2));
    (void)fclose(out);
    (void)fclose(err);
    cr_assert(ne(ptr, strstr(out_text, "good.history: linearizable: 1 operations"), NULL));
    cr_assert(ne(ptr, strstr(out_text, "bad.history: not linearizable"), NULL));
    cr_assert(ne(ptr, strstr(err_text, "broken.history:2: a value in quotes"), NULL));
    cr_assert(ne(ptr, strstr(err_text, "no/such: ENOENT"), NULL));
    free(out_text);
    free(err_text);
    for (uint32_t i = 0; i < 3; i++)
        (void)remove(paths[i]);
}
