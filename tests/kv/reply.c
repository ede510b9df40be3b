/** tests/kv/reply.c - replies, in both versions of the protocol. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/kv/reply.h"

static struct kv_reply reply;

static void begin(uint8_t version)
{
    kv_reply_deinit(&reply);
    reply = (struct kv_reply){.version = version, .limit = 1 << 20};
}

static const char *text(void)
{
    static char copy[1024];

    cr_assert_lt(reply.len, sizeof copy);
    cr_assert_not(reply.overflown);
    memcpy(copy, reply.bytes, reply.len);
    copy[reply.len] = '\0';
    return copy;
}

static void end(void)
{
    kv_reply_deinit(&reply);
}

TestSuite(reply, .fini = end);

static void write_every_kind(void)
{
    kv_reply_ok(&reply);
    kv_reply_integer(&reply, INT64_MIN);
    kv_reply_text(&reply, "a\r\nb");
    kv_reply_text(&reply, "");
    kv_reply_bulk_integer(&reply, -12);
    kv_reply_verbatim(&reply, kv_slice_text("hello"));
    kv_reply_null(&reply);
    kv_reply_null_array(&reply);
    kv_reply_array(&reply, 0);
    kv_reply_map(&reply, 2);
    kv_reply_set(&reply, 3);
}

Test(reply, every_kind_in_resp2)
{
    begin(KV_RESP2);
    write_every_kind();
    cr_assert_str_eq(text(),
                     "+OK\r\n:-9223372036854775808\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"
                     "$3\r\n-12\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n*4\r\n*3\r\n");
}

Test(reply, every_kind_in_resp3)
{
    begin(KV_RESP3);
    write_every_kind();
    cr_assert_str_eq(text(),
                     "+OK\r\n:-9223372036854775808\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"
                     "$3\r\n-12\r\n=9\r\ntxt:hello\r\n_\r\n_\r\n*0\r\n%2\r\n~3\r\n");
}

Test(reply, an_error_is_one_line)
{
    begin(KV_RESP2);
    kv_reply_error(&reply, "ERR a\r\nb\nc\r\n\n");
    kv_reply_errorf(&reply, "ERR %s %d", "x", 7);
    kv_reply_error_about(&reply, "ERR '", kv_slice_of("a\nb\0c", 5), "'\n");
    kv_reply_error_about(&reply, "ERR ", kv_slice_of("a\r\0c", 4), "");
    cr_assert_str_eq(text(), "-ERR a  b c\r\n-ERR x 7\r\n-ERR 'a b'\r\n-ERR a\r\n");
    cr_assert(kv_reply_is_error(&reply, 13));
    cr_assert_not(kv_reply_is_error(&reply, 14));
    cr_assert_not(kv_reply_is_error(&reply, reply.len));
}

Test(reply, a_length_may_come_behind_its_values)
{
    for (uint32_t count = 0; count < 3; count++) {
        char expected[64];
        uint32_t values, end_of_values;

        begin(KV_RESP2);
        kv_reply_integer(&reply, 7);
        values = reply.len;
        for (uint32_t i = 0; i < count; i++)
            kv_reply_integer(&reply, i);
        end_of_values = reply.len;
        kv_reply_array(&reply, count);
        kv_reply_bring_forward(&reply, values, end_of_values);
        kv_reply_ok(&reply);
        (void)snprintf(expected, sizeof expected, ":7\r\n*%u\r\n%.*s+OK\r\n", count,
                       (int)count * 4, ":0\r\n:1\r\n:2\r\n");
        cr_assert_str_eq(text(), expected);
    }
}

Test(reply, past_the_limit_nothing_is_added)
{
    begin(KV_RESP2);
    reply.limit = 16;
    kv_reply_ok(&reply);
    kv_reply_text(&reply, "12345");
    cr_assert_eq(reply.len, 16);
    cr_assert_not(reply.overflown);
    kv_reply_ok(&reply);
    cr_assert(reply.overflown);
    kv_reply_bring_forward(&reply, 0, 5);
    kv_reply_error(&reply, "ERR\n");
    cr_assert_eq(reply.len, 16);
}
