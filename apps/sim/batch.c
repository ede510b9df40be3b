#include "apps/sim/batch.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/virtual/hash.h"

#define SECOND UINT64_C(1000000000)

uint64_t tp_host_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* ------------------------------------------------------------------ in the child */

static uint32_t mark_count(const struct tp_mark_list *marks)
{
    size_t count = (size_t)(marks->end - marks->first);

    return count < TP_BATCH_MARKS ? (uint32_t)count : TP_BATCH_MARKS;
}

static void note_marks(const struct tp_batch_job *job, struct tp_batch *batch)
{
    for (uint32_t i = 0; i < mark_count(&job->marks); i++) {
        if (job->marks.first[i]->count > 0)
            atomic_store_explicit(&batch->marks[i], 1, memory_order_relaxed);
    }
}

void tp_batch_run(const struct tp_batch_job *job, struct tp_batch *batch, int said_fd)
{
    struct tp_sim_options options = job->options;

    for (uint32_t i = 0; i < batch->count && atomic_load(&batch->quit) == 0; i++) {
        struct tp_seed_result *result = &batch->results[i];
        uint64_t began_ns = tp_host_now_ns();

        if (ftruncate(said_fd, 0) < 0 || lseek(said_fd, 0, SEEK_SET) < 0)
            return;
        result->seed = options.seed = batch->first + i;
        atomic_store(&batch->begun, i + 1);
        tp_sim_run(job->scenario, &options, &result->outcome);
        result->wall_ns = tp_host_now_ns() - began_ns;
        note_marks(job, batch);
        atomic_store(&batch->done, i + 1);
    }
}

/* ------------------------------------------------------------------ in the parent */

/* The line of `said` that begins where `needle` is found, or the line around it. */
static bool find_line(const char *said, const char *needle, char *ret_line,
                      size_t size_bytes)
{
    const char *at = strstr(said, needle);
    size_t len;

    if (at == NULL)
        return false;
    while (at > said && at[-1] != '\n')
        at--;
    len = strcspn(at, "\n");
    len = len < size_bytes ? len : size_bytes - 1;
    memcpy(ret_line, at, len);
    ret_line[len] = '\0';
    return true;
}

/* Two reports are of one kind if they differ in numbers only: addresses, counts, ids. The
 * line of the source that comes first in a stop is part of what it says. */
static uint64_t kind_of(enum tp_verdict verdict, const char *line)
{
    char text[256];
    size_t len = 0;

    for (const char *at = line; *at != '\0' && len < sizeof text; at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        bool is_hex = len > 0 && text[len - 1] == '#' && *at >= 'a' && *at <= 'f';

        if (is_digit || is_hex) {
            if (len == 0 || text[len - 1] != '#')
                text[len++] = '#';
        } else {
            text[len++] = *at;
        }
    }
    return tp_hash(text, len, (uint64_t)verdict) | 1;
}

static bool judge_by_words(const char *said, struct tp_sim_outcome *outcome)
{
    static const struct {
        const char *needle, *better; /* a line that says more, where there is one */
        enum tp_verdict verdict;
    } signs[] = {
        {"AddressSanitizer:", "SUMMARY: ", TP_VERDICT_SANITIZER},
        {"ThreadSanitizer:", "SUMMARY: ", TP_VERDICT_SANITIZER},
        {"MemorySanitizer:", "SUMMARY: ", TP_VERDICT_SANITIZER},
        {"runtime error:", NULL, TP_VERDICT_SANITIZER},
        {"tempest: ", NULL, TP_VERDICT_STOPPED},
        {"Assertion ", NULL, TP_VERDICT_STOPPED},
    };

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!find_line(said, signs[i].needle, outcome->message, sizeof outcome->message))
            continue;
        if (signs[i].better != NULL)
            (void)find_line(said, signs[i].better, outcome->message,
                            sizeof outcome->message);
        outcome->verdict = (uint32_t)signs[i].verdict;
        return true;
    }
    return false;
}

void tp_batch_judge(int status, bool hung, int said_fd, struct tp_sim_outcome *ret_outcome)
{
    char said[TP_BATCH_SAID];
    ssize_t len = pread(said_fd, said, sizeof said - 1, 0);

    memset(ret_outcome, 0, sizeof *ret_outcome);
    said[len > 0 ? len : 0] = '\0';
    if (hung) {
        ret_outcome->verdict = TP_VERDICT_HANG;
        (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                       "it did not end in the time that a seed has");
    } else if (!judge_by_words(said, ret_outcome)) {
        ret_outcome->verdict = TP_VERDICT_CRASHED;
        if (WIFSIGNALED(status))
            (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                           "the process died: %s", strsignal(WTERMSIG(status)));
        else
            (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                           "the process ended by itself, with status %d",
                           WEXITSTATUS(status));
    }
    ret_outcome->kind =
        kind_of((enum tp_verdict)ret_outcome->verdict, ret_outcome->message);
}
