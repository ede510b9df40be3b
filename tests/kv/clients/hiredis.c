/* hiredis as it comes: formatted commands, binary arguments, pipelines, transactions,
 * errors, AUTH, and RESP3 where it speaks it. Started by serve.sh. */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/base.h"

enum { PIPELINE = 5000 };

static redisContext *open_on(const char *name)
{
    const struct timeval patience = {.tv_sec = 60};
    const char *port = getenv(name);
    redisContext *context;

    tp_assert(port != NULL);
    context = redisConnectWithTimeout("127.0.0.1", (int)strtol(port, NULL, 10), patience);
    tp_assert(context != NULL && context->err == 0);
    tp_assert(redisSetTimeout(context, patience) == REDIS_OK);
    return context;
}

/* One reply must be of that type, and say that, if it is text. */
static void check(redisReply *reply, int type, const char *text)
{
    if (reply == NULL || reply->type != type ||
        (text != NULL && strcmp(reply->str, text) != 0))
        tp_stopf(__FILE__, __LINE__, "wanted type %d, %s; got type %d, %s", type,
                 text == NULL ? "-" : text, reply == NULL ? -1 : reply->type,
                 reply == NULL || reply->str == NULL ? "-" : reply->str);
    freeReplyObject(reply);
}

static void check_number(redisReply *reply, long long number)
{
    tp_assert(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
    tp_assert(reply->integer == number);
    freeReplyObject(reply);
}

static void basics(redisContext *c)
{
    static const char binary[] = "a\0b\r\n\xff";
    redisReply *reply;

    check(redisCommand(c, "PING"), REDIS_REPLY_STATUS, "PONG");
    check(redisCommand(c, "SET %s %s EX %d", "greeting", "hello world", 100),
          REDIS_REPLY_STATUS, "OK");
    check(redisCommand(c, "GET greeting"), REDIS_REPLY_STRING, "hello world");
    check(redisCommand(c, "GET nobody"), REDIS_REPLY_NIL, NULL);
    check_number(redisCommand(c, "TTL greeting"), 100);
    check_number(redisCommand(c, "INCRBY n %lld", 1LL << 60), 1LL << 60);
    check(redisCommand(c, "SET %b %b", binary, sizeof binary, binary, sizeof binary),
          REDIS_REPLY_STATUS, "OK");
    reply = redisCommand(c, "GET %b", binary, sizeof binary);
    tp_assert(reply != NULL && reply->len == sizeof binary);
    tp_assert(memcmp(reply->str, binary, sizeof binary) == 0);
    freeReplyObject(reply);
    reply = redisCommand(c, "MGET greeting nobody n");
    tp_assert(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3);
    tp_assert(reply->element[1]->type == REDIS_REPLY_NIL);
    freeReplyObject(reply);
}

static void errors(redisContext *c)
{
    check(redisCommand(c, "INCR greeting"), REDIS_REPLY_ERROR,
          "ERR value is not an integer or out of range");
    check(redisCommand(c, "GET"), REDIS_REPLY_ERROR,
          "ERR wrong number of arguments for 'get' command");
    check(redisCommand(c, "LPUSH a b"), REDIS_REPLY_ERROR,
          "ERR unknown command 'LPUSH', with args beginning with: 'a' 'b' ");
    check(redisCommand(c, "PING"), REDIS_REPLY_STATUS, "PONG");
}

/* All is sent before the first reply is read. */
static void pipeline(redisContext *c)
{
    for (int i = 0; i < PIPELINE; i++)
        tp_assert(redisAppendCommand(c, "INCR counter") == REDIS_OK);
    for (int i = 0; i < PIPELINE; i++) {
        void *reply = NULL;

        tp_assert(redisGetReply(c, &reply) == REDIS_OK);
        check_number(reply, i + 1);
    }
}

static void transaction(redisContext *c)
{
    redisContext *other = open_on("KV_PORT");
    redisReply *reply;

    check(redisCommand(c, "WATCH counter"), REDIS_REPLY_STATUS, "OK");
    check(redisCommand(c, "MULTI"), REDIS_REPLY_STATUS, "OK");
    check(redisCommand(c, "INCR counter"), REDIS_REPLY_STATUS, "QUEUED");
    check(redisCommand(c, "GET greeting"), REDIS_REPLY_STATUS, "QUEUED");
    reply = redisCommand(c, "EXEC");
    tp_assert(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);
    tp_assert(reply->element[0]->integer == PIPELINE + 1);
    tp_assert(strcmp(reply->element[1]->str, "hello world") == 0);
    freeReplyObject(reply);
    check(redisCommand(c, "WATCH counter"), REDIS_REPLY_STATUS, "OK");
    check_number(redisCommand(other, "INCR counter"), PIPELINE + 2);
    check(redisCommand(c, "MULTI"), REDIS_REPLY_STATUS, "OK");
    check(redisCommand(c, "SET counter 0"), REDIS_REPLY_STATUS, "QUEUED");
    check(redisCommand(c, "EXEC"), REDIS_REPLY_NIL, NULL);
    check(redisCommand(c, "GET counter"), REDIS_REPLY_STRING, "5002");
    redisFree(other);
}

static void password(void)
{
    redisContext *c = open_on("KV_SECRET_PORT");

    check(redisCommand(c, "GET a"), REDIS_REPLY_ERROR, "NOAUTH Authentication required.");
    check(redisCommand(c, "AUTH wrong"), REDIS_REPLY_ERROR,
          "WRONGPASS invalid username-password pair or user is disabled.");
    check(redisCommand(c, "AUTH %s", "open sesame"), REDIS_REPLY_STATUS, "OK");
    check(redisCommand(c, "SET a 1"), REDIS_REPLY_STATUS, "OK");
    redisFree(c);
}

/* Its reader knows the new types since 1.0. */
static void resp3(redisContext *c)
{
#if HIREDIS_MAJOR >= 1
    check(redisCommand(c, "HELLO 3"), REDIS_REPLY_MAP, NULL);
    check(redisCommand(c, "GET nobody"), REDIS_REPLY_NIL, NULL);
    check(redisCommand(c, "HELLO 2"), REDIS_REPLY_ARRAY, NULL);
#else
    check(redisCommand(c, "HELLO 2"), REDIS_REPLY_ARRAY, NULL);
    (void)printf("RESP3 is left out: hiredis %d.%d does not speak it\n", HIREDIS_MAJOR,
                 HIREDIS_MINOR);
#endif
}

int main(void)
{
    redisContext *c = open_on("KV_PORT");

    basics(c);
    errors(c);
    pipeline(c);
    transaction(c);
    resp3(c);
    check(redisCommand(c, "QUIT"), REDIS_REPLY_STATUS, "OK");
    redisFree(c);
    password();
    (void)printf("hiredis %d.%d.%d: it works\n", HIREDIS_MAJOR, HIREDIS_MINOR,
                 HIREDIS_PATCH);
    return 0;
}
