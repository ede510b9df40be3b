/** tests/kv/resp.c - requests, however they are split, and what is wrong with them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/kv/number.h"
#include "apps/kv/resp.h"

enum { STREAM_MAX = 80000 };

static const struct kv_resp_limits limits = {KV_RESP_ARGS_MAX, 1 << 20, false};

/* ------------------------------------------------------------------ a stream as text */

struct text {
    char bytes[4096];
    size_t len;
};

static void put(struct text *text, const void *bytes, size_t len)
{
    cr_assert_lt(text->len + len, sizeof text->bytes);
    if (len > 0)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

/* "(SET)(a)(1) " for a request; a long argument as its length. */
static void put_request(struct text *text, const struct kv_resp *resp)
{
    char length[32];

    for (uint32_t i = 0; i < resp->argc; i++) {
        put(text, "(", 1);
        if (resp->argv[i].len > 200)
            put(text, length,
                (size_t)snprintf(length, sizeof length, "%u bytes", resp->argv[i].len));
        else
            put(text, resp->argv[i].bytes, resp->argv[i].len);
        put(text, ")", 1);
    }
    put(text, " ", 1);
}

/* How the bytes of a stream come: the first part's length, and that of all others. */
struct pieces {
    uint32_t first, each;
};

/* A connection: memory that what was used leaves from the front. */
struct connection {
    struct kv_slice stream;
    uint32_t begin, end; /* what of the stream has come and was not used */
    struct kv_resp resp;
    uint8_t (*copies)[STREAM_MAX]; /* two, by turns */
    uint32_t turn;
};

static uint8_t copies[2][STREAM_MAX];

static void receive(struct connection *connection, uint32_t len)
{
    uint32_t left = connection->stream.len - connection->end;

    cr_assert(kv_resp_wanted(&connection->resp) > connection->end - connection->begin);
    connection->end += len < left ? len : left;
}

/* Every call finds the bytes elsewhere than the one before. */
static enum kv_resp_status read_on(struct connection *connection, struct text *text)
{
    uint32_t len = connection->end - connection->begin;
    struct kv_resp *resp = &connection->resp;
    uint8_t *copy = connection->copies[connection->turn ^= 1];
    enum kv_resp_status status;

    memset(connection->copies[connection->turn ^ 1], '!', len);
    memcpy(copy, connection->stream.bytes + connection->begin, len);
    status = kv_resp_read(resp, copy, len);
    if (status == KV_RESP_WRONG) {
        put(text, resp->error, strlen(resp->error));
    } else if (status == KV_RESP_REQUEST) {
        put_request(text, resp);
        connection->begin += resp->used;
        kv_resp_next(resp);
    }
    return status;
}

static void read_stream(struct kv_slice stream, struct pieces pieces,
                        const struct kv_resp_limits *given, struct text *ret_text)
{
    struct connection connection = {.stream = stream, .copies = copies};
    enum kv_resp_status status = KV_RESP_MORE;

    ret_text->len = 0;
    put(ret_text, "", 0);
    kv_resp_init(&connection.resp, given);
    receive(&connection, pieces.first);
    while (status != KV_RESP_WRONG) {
        status = read_on(&connection, ret_text);
        if (status == KV_RESP_MORE && connection.end == stream.len)
            break;
        if (status == KV_RESP_MORE)
            receive(&connection, pieces.each);
    }
    kv_resp_deinit(&connection.resp);
}

static void expect_same(struct kv_slice stream, struct pieces pieces,
                        const struct kv_resp_limits *given, const char *expected)
{
    struct text text;

    read_stream(stream, pieces, given, &text);
    cr_assert_str_eq(text.bytes, expected, "in pieces of %u and %u", pieces.first,
                     pieces.each);
}

/* The same whole, byte by byte, in two at any place, in pieces of any size up to 70. */
static const char *reads_as(struct kv_slice stream, const struct kv_resp_limits *given)
{
    static struct text whole;
    uint32_t step = stream.len < 2000 ? 1 : stream.len / 50;

    read_stream(stream, (struct pieces){stream.len, 1}, given, &whole);
    for (uint32_t at = 1; at < stream.len; at += step)
        expect_same(stream, (struct pieces){at, stream.len}, given, whole.bytes);
    for (uint32_t each = step; each < 70 * step; each += step)
        expect_same(stream, (struct pieces){each, each}, given, whole.bytes);
    return whole.bytes;
}

#define READ(text) reads_as(kv_slice_of(text, sizeof(text) - 1), &limits)

/* ------------------------------------------------------------------ arrays */

Test(resp, arrays_are_requests)
{
    cr_assert_str_eq(READ("*1\r\n$4\r\nPING\r\n"), "(PING) ");
    cr_assert_str_eq(READ("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n"),
                     "(SET)(a)() (PING) ");
    cr_assert_str_eq(READ("*2\r\n$3\r\nGET\r\n$6\r\na\r\nb\r\n\r\n"), "(GET)(a\r\nb\r\n) ");
}

Test(resp, arrays_of_nothing_are_nothing)
{
    cr_assert_str_eq(READ("*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n"), "   (PING) ");
}

Test(resp, what_ends_an_argument_is_not_looked_at)
{
    cr_assert_str_eq(READ("*1\r\n$4\r\nPINGxx*1\rx$4\r\nPING\r\n"), "(PING) (PING) ");
}

Test(resp, incomplete_is_neither_request_nor_error)
{
    cr_assert_str_eq(READ("*1"), "");
    cr_assert_str_eq(READ("*1\r"), "");
    cr_assert_str_eq(READ("*2\r\n$4\r\nPING\r\n$1\r\na\r"), "");
}

#define ERR(text) "Protocol error: " text

Test(resp, arrays_that_are_wrong_are_told)
{
    static const char *const counts[] = {
        "*\r\n",   "*a\r\n", "*01\r\n",      "*1 \r\n",  "*+1\r\n",
        "*-0\r\n", "*-\r\n", "*1048577\r\n", "*1\n\r\n", "*9223372036854775808\r\n",
        "*1$4\r\n"};
    static const char *const lengths[] = {
        "$\r\n",   "$-1\r\n",      "$x\r\n",  "$04\r\n",
        "$ 4\r\n", "$1048577\r\n", "$4$\r\n", "$18446744073709551620\r\n"};
    char stream[64];

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        cr_assert_str_eq(reads_as(kv_slice_text(counts[i]), &limits),
                         ERR("invalid multibulk length"), "%s", counts[i]);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        (void)snprintf(stream, sizeof stream, "*1\r\n%s", lengths[i]);
        cr_assert_str_eq(reads_as(kv_slice_text(stream), &limits),
                         ERR("invalid bulk length"), "%s", lengths[i]);
    }
}

Test(resp, an_argument_of_another_type_is_told)
{
    cr_assert_str_eq(READ("*1\r\nPING\r\n"), ERR("expected '$', got 'P'"));
    cr_assert_str_eq(READ("*1\r\n*1\r\n$4\r\nPING\r\n"), ERR("expected '$', got '*'"));
    cr_assert_str_eq(READ("*1\r\n\r\n"), ERR("expected '$', got ' '"));
    cr_assert_str_eq(READ("*1\r\n\nx\r\n"), ERR("expected '$', got ' '"));
    cr_assert_str_eq(READ("*2\r\n$1\r\nx\r\n:1\r\n"), ERR("expected '$', got ':'"));
}

/* A stream of `len` bytes that are all `byte`, behind a beginning, before an end. */
static struct kv_slice long_stream(const char *begin, char byte, uint32_t len,
                                   const char *end)
{
    static char stream[STREAM_MAX];
    uint32_t at = 0;

    cr_assert_lt(len + 100, sizeof stream);
    while (*begin != '\0')
        stream[at++] = *begin++;
    memset(stream + at, byte, len);
    at += len;
    while (*end != '\0')
        stream[at++] = *end++;
    return kv_slice_of(stream, at);
}

Test(resp, headers_and_lines_have_a_limit)
{
    uint32_t max = KV_RESP_LINE_MAX;

    cr_assert_str_eq(reads_as(long_stream("*", '1', max - 1, "\r\n"), &limits),
                     ERR("invalid multibulk length"));
    cr_assert_str_eq(reads_as(long_stream("*", '1', max, "\r\n"), &limits),
                     ERR("too big mbulk count string"));
    cr_assert_str_eq(reads_as(long_stream("*1\r\n$", '1', max - 1, "\r\n"), &limits),
                     ERR("invalid bulk length"));
    cr_assert_str_eq(reads_as(long_stream("*1\r\n$", '1', max, "\r\n"), &limits),
                     ERR("too big bulk count string"));
    cr_assert_str_eq(reads_as(long_stream("", 'p', max, "\n"), &limits), "(65536 bytes) ");
    cr_assert_str_eq(reads_as(long_stream("", 'p', max + 1, "\n"), &limits),
                     ERR("too big inline request"));
}

Test(resp, a_nul_hides_the_end_of_its_line)
{
    cr_assert_str_eq(READ("PING\0\r\nPING\r\n"), "");
    cr_assert_str_eq(READ("*1\0\r\n$4\r\nPING\r\n"), "");
    cr_assert_str_eq(reads_as(long_stream("", '\0', KV_RESP_LINE_MAX + 1, ""), &limits),
                     ERR("too big inline request"));
}

Test(resp, limits_are_the_callers)
{
    struct kv_resp_limits few = {2, 3, false}, stranger = {100, 1 << 20, true};

    cr_assert_str_eq(reads_as(kv_slice_text("*2\r\n$3\r\nGET\r\n$3\r\nabc\r\n"), &few),
                     "(GET)(abc) ");
    cr_assert_str_eq(reads_as(kv_slice_text("*3\r\n"), &few),
                     ERR("invalid multibulk length"));
    cr_assert_str_eq(reads_as(kv_slice_text("*1\r\n$4\r\n"), &few),
                     ERR("invalid bulk length"));
    cr_assert_str_eq(reads_as(kv_slice_text("*10\r\n$16384\r\n"), &stranger), "");
    cr_assert_str_eq(reads_as(kv_slice_text("*11\r\n"), &stranger),
                     ERR("unauthenticated multibulk length"));
    cr_assert_str_eq(reads_as(kv_slice_text("*1\r\n$16385\r\n"), &stranger),
                     ERR("unauthenticated bulk length"));
}

/* 20,000 arguments of a byte and one of 500,000. */
static struct kv_slice large_request(void)
{
    static char stream[1 << 20];
    uint32_t len = (uint32_t)snprintf(stream, sizeof stream, "*20001\r\n");

    for (int i = 0; i < 20000; i++)
        len += (uint32_t)snprintf(stream + len, sizeof stream - len, "$1\r\nx\r\n");
    len += (uint32_t)snprintf(stream + len, sizeof stream - len, "$500000\r\n");
    memset(stream + len, 'y', 500002);
    return kv_slice_of(stream, len + 500002);
}

static void expect_large(struct kv_slice stream, uint32_t each)
{
    struct kv_resp resp;
    uint32_t end = 0;
    enum kv_resp_status status = KV_RESP_MORE;

    kv_resp_init(&resp, &limits);
    while (status == KV_RESP_MORE) {
        end = end + each < stream.len ? end + each : stream.len;
        status = kv_resp_read(&resp, stream.bytes, end);
    }
    cr_assert_eq(status, KV_RESP_REQUEST);
    cr_assert_eq(resp.argc, 20001);
    cr_assert_eq(resp.argv[20000].len, 500000);
    cr_assert_eq(resp.argv[19999].bytes[0], 'x');
    cr_assert_eq(resp.used, stream.len);
    kv_resp_next(&resp);
    cr_assert_eq(resp.argv_capacity, 0, "a large request leaves its memory");
    kv_resp_deinit(&resp);
}

Test(resp, large_arguments_and_many_of_them)
{
    struct kv_slice stream = large_request();

    for (uint32_t each = 1000; each < stream.len; each *= 7)
        expect_large(stream, each);
}

/* ------------------------------------------------------------------ lines of words */

Test(resp, lines_are_split_into_words)
{
    cr_assert_str_eq(READ("PING\r\nping\n"), "(PING) (ping) ");
    cr_assert_str_eq(READ("  SET\ta   1 \r\n"), "(SET)(a)(1) ");
    cr_assert_str_eq(READ("\r\n\n  \n\vPING\r\r\n"), "   (PING) ");
    cr_assert_str_eq(READ("PING\vx \vy\fz\r\n"), "(PING\vx)(y\fz) ");
}

Test(resp, quotes_are_understood)
{
    cr_assert_str_eq(READ("a \"b c\" 'd e' \"\" ''\r\n"), "(a)(b c)(d e)()() ");
    cr_assert_str_eq(READ("\"\\n\\r\\t\\b\\a\\\\\\\"\\q\\x4a\\x4A\\x4\\xzz\"\n"),
                     "(\n\r\t\b\a\\\"qJJx4xzz) ");
    cr_assert_str_eq(READ("'\\n\\'\\\\\"'\n"), "(\\n'\\\\\") ");
    cr_assert_str_eq(READ("a\"b\" c'd'\n"), "(ab)(cd) ");
    cr_assert_str_eq(READ("\"a\rb\"\n"), "(a\rb) ");
}

Test(resp, quotes_that_do_not_fit_are_told)
{
    static const char *const lines[] = {"\"a\n",    "'a\n",      "\"a\"b\n", "'a'b\n",
                                        "a\"\n",    "\"a\\\"\n", "'a\\'\n",  "\"\\\n",
                                        "'a''b'\n", "\"a\"'b'\n"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert_str_eq(reads_as(kv_slice_text(lines[i]), &limits),
                         ERR("unbalanced quotes in request"), "%s", lines[i]);
}

/* ------------------------------------------------------------------ numbers */

Test(number, is_read_in_one_form_only)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "00",
                                        "01",
                                        "-0",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1a",
                                        "0x1",
                                        "--1",
                                        "1.0",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "18446744073709551616",
                                        "99999999999999999999",
                                        "123456789012345678901"};
    static const int64_t right[] = {0,
                                    1,
                                    -1,
                                    9,
                                    10,
                                    -10,
                                    1234567890123,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_MAX - 1,
                                    INT64_MIN + 1};
    char text[KV_NUMBER_BYTES + 1];
    int64_t number;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_not(kv_number_parse(kv_slice_text(wrong[i]), &number), "%s", wrong[i]);
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        text[kv_number_print(right[i], text)] = '\0';
        cr_assert(kv_number_parse(kv_slice_text(text), &number), "%s", text);
        cr_assert_eq(number, right[i]);
    }
}
