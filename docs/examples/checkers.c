/* checkers.c - what judges what clients were told: docs/checkers.md. */
#include <stdio.h>
#include <tempest/apps/sim/durable.h>
#include <tempest/apps/sim/linear.h>

/* Client 0 writes and is told that it is done; only then client 1 reads, and sees nothing.
 */
static int record(struct tp_history *history)
{
    const struct tp_value x = tp_value_text("x"), one = tp_value_text("1"), nil = {0};
    const struct tp_history_call put = {.kind = TP_HISTORY_PUT, .key = x, .value = one};
    const struct tp_history_call get = {.kind = TP_HISTORY_GET, .key = x};

    if (tp_history_invoke(history, 0, 1, &put) < 0 ||               /* it asks */
        tp_history_return(history, 0, 2, TP_HISTORY_OK, nil) < 0 || /* it is told */
        tp_history_invoke(history, 1, 3, &get) < 0)
        return -1;
    return tp_history_return(history, 1, 4, TP_HISTORY_OK, nil);
}

static int check_history(void)
{
    struct tp_history *history;
    struct tp_linear_report report;

    if (tp_history_create(NULL, &history) < 0)
        return -1;
    if (record(history) < 0) {
        tp_history_destroy(history);
        return -1;
    }
    tp_linear_check(history, &tp_model_kv, NULL, &report);
    tp_linear_print(&report, history, &tp_model_kv, stdout);
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
    return 0;
}

/* A write is acknowledged; what a reader finds after the crash is judged. */
static enum tp_durable_verdict judge(uint64_t found)
{
    struct tp_durable_write writes[8];
    struct tp_durable oracle;
    int32_t write;

    tp_durable_init(&oracle, writes, 8);
    write = tp_durable_begin(&oracle, 1, 100); /* it may be there */
    tp_durable_acknowledge(&oracle, write);    /* it must be */
    tp_durable_crash(&oracle);
    return tp_durable_observe(&oracle, 1, found);
}

int main(void)
{
    if (check_history() < 0)
        return 1;
    printf("after the crash 100 is %s\n", tp_durable_verdict_name(judge(100)));
    printf("after the crash nothing is %s\n", tp_durable_verdict_name(judge(0)));
    printf("after the crash 7 is %s\n", tp_durable_verdict_name(judge(7)));
    return 0;
}
