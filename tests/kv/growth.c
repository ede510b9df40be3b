/* The hash table grows without a pause: no request takes much longer than others while
 * millions of keys come.
 *
 *     growth KEYS
 *
 * Time is the processor's, so that a busy machine changes nothing. A table that moved all
 * its keys at once would take a second at 4,194,304. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/kv/fixture.h"

enum { WORST = 5, WORK_EVERY = 100, WORK_STEPS = 200, LIMIT_US = 50000 };

struct sample {
    uint64_t ns, keys;
};

static struct fixture fixture;

static uint64_t cpu_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Keeps the worst ones, the very worst first. */
static void note(struct sample worst[WORST], struct sample sample)
{
    for (uint32_t i = 0; i < WORST; i++) {
        if (sample.ns > worst[i].ns) {
            struct sample other = worst[i];

            worst[i] = sample;
            sample = other;
        }
    }
}

static void print(const char *what, const struct sample worst[WORST])
{
    (void)printf("%s", what);
    for (uint32_t i = 0; i < WORST; i++)
        (void)printf("%s %" PRIu64 " us (with %" PRIu64 " keys)", i == 0 ? ":" : ",",
                     worst[i].ns / 1000, worst[i].keys);
    (void)printf("\n");
}

static void set(struct kv_session *session, struct kv_reply *reply, uint64_t number)
{
    char key[32];
    int len = snprintf(key, sizeof key, "key:%" PRIu64, number);
    struct kv_slice argv[] = {kv_slice_text("SET"),
                              kv_slice_of((const uint8_t *)key, (uint32_t)len),
                              kv_slice_text("a value of thirty-two characters")};
    struct kv_result result;

    reply->len = 0;
    kv_execute(&fixture.engine, session, argv, 3, reply, &result);
    tp_assert(result.outcome == KV_DONE && reply->len == 5);
}

int main(int argc, char **argv)
{
    uint64_t keys = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, before, total = 0;
    struct sample requests[WORST] = {{0}}, work[WORST] = {{0}};
    struct kv_session session;
    struct kv_reply reply = {.len = 0};

    if (keys == 0)
        return 2;
    fixture_init(&fixture, &(struct fixture_config){.password = NULL});
    kv_session_open(&fixture.engine, &session);
    for (uint64_t number = 0; number < keys; number++) {
        before = cpu_ns();
        set(&session, &reply, number);
        before = cpu_ns() - before;
        total += before;
        note(requests, (struct sample){before, number});
        if (number % WORK_EVERY != 0)
            continue;
        before = cpu_ns();
        (void)kv_store_work(fixture.store, WORK_STEPS);
        note(work, (struct sample){cpu_ns() - before, number});
    }
    tp_assert(kv_store_count(fixture.store, 0) == keys);
    (void)printf("%" PRIu64 " requests, %" PRIu64 " ns each\n", keys, total / keys);
    print("worst requests", requests);
    print("worst tidying between two", work);
    kv_session_close(&fixture.engine, &session);
    kv_reply_deinit(&reply);
    fixture_deinit(&fixture);
    return requests[0].ns < (uint64_t)LIMIT_US * 1000 &&
                   work[0].ns < (uint64_t)LIMIT_US * 1000
               ? 0
               : 1;
}
