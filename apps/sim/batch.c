#include "apps/sim/batch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/hash.h"

#define SECOND         UINT64_C(1000000000)
#define SAID_MAX_BYTES (UINT64_C(64) << 20) /* by one seed; it is memory */

uint64_t tp_host_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

uint32_t tp_batch_mark_count(const struct tp_mark_list *marks)
{
    size_t count = (size_t)(marks->end - marks->first);

    return count < TP_BATCH_MARKS ? (uint32_t)count : TP_BATCH_MARKS;
}

/* ------------------------------------------------------------------ in the child */

void tp_batch_become_child(int said_fd)
{
    static const struct rlimit no_core, said = {SAID_MAX_BYTES, SAID_MAX_BYTES};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setrlimit(RLIMIT_FSIZE, &said);
    if (dup2(said_fd, STDOUT_FILENO) < 0 || dup2(said_fd, STDERR_FILENO) < 0)
        _exit(127);
}

static void note_marks(const struct tp_batch_job *job, struct tp_batch *batch)
{
    for (uint32_t i = 0; i < tp_batch_mark_count(&job->marks); i++) {
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

/* All from the line on that `line` begins with, which is the last that a process says when
 * it stops itself: a report names each operation in a line of its own. What finds no room
 * is cut between lines. */
static void find_report(const char *said, const char *needle, char *line, size_t size_bytes)
{
    const char *at = strstr(said, needle);
    size_t len;

    tp_assert(at != NULL);
    while (at > said && at[-1] != '\n')
        at--;
    len = strlen(at);
    if (len >= size_bytes) {
        len = size_bytes - 1;
        while (len > 0 && at[len] != '\n')
            len--;
        if (len == 0)
            return; /* one line that is longer than the room: it stays as it was cut */
    }
    while (len > 0 && at[len - 1] == '\n')
        len--;
    memcpy(line, at, len);
    line[len] = '\0';
}

/* Two reports are of one kind if their first lines differ in numbers only: addresses,
 * counts, ids. The line of the source that comes first in a stop is part of what it says.
 */
static uint64_t kind_of(enum tp_verdict verdict, const char *line)
{
    char text[256];
    size_t len = 0;

    for (const char *at = line; *at != '\0' && *at != '\n' && len < sizeof text; at++) {
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
        bool is_report;              /* what follows the line belongs to it */
        enum tp_verdict verdict;
    } signs[] = {
        {"AddressSanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"ThreadSanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"MemorySanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"runtime error:", NULL, false, TP_VERDICT_SANITIZER},
        {"tempest: ", NULL, true, TP_VERDICT_STOPPED},
        {"Assertion ", NULL, false, TP_VERDICT_STOPPED},
    };

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!find_line(said, signs[i].needle, outcome->message, sizeof outcome->message))
            continue;
        if (signs[i].better != NULL)
            (void)find_line(said, signs[i].better, outcome->message,
                            sizeof outcome->message);
        if (signs[i].is_report)
            find_report(said, signs[i].needle, outcome->message, sizeof outcome->message);
        outcome->verdict = (uint32_t)signs[i].verdict;
        return true;
    }
    return false;
}

/* What it said last, as a text: why it ended comes after all that it had to tell. */
static void read_said(int said_fd, char *ret_said, size_t size_bytes)
{
    off_t most = (off_t)size_bytes - 1, from = 0;
    struct stat about;
    ssize_t len;

    if (fstat(said_fd, &about) == 0 && about.st_size > most)
        from = about.st_size - most;
    len = pread(said_fd, ret_said, size_bytes - 1, from);
    ret_said[len > 0 ? len : 0] = '\0';
    for (ssize_t i = 0; i < len; i++) {
        if (ret_said[i] == '\0')
            ret_said[i] = ' ';
    }
}

void tp_batch_judge(int status, uint64_t hung_ns, int said_fd,
                    struct tp_sim_outcome *ret_outcome)
{
    char said[TP_BATCH_SAID];

    memset(ret_outcome, 0, sizeof *ret_outcome);
    read_said(said_fd, said, sizeof said);
    if (hung_ns > 0) {
        ret_outcome->verdict = TP_VERDICT_HANG;
        (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                       "it did not end within %" PRIu64 ".%" PRIu64
                       " s; --limit gives it longer",
                       hung_ns / SECOND, hung_ns % SECOND / (SECOND / 10));
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
