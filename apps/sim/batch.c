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

#include "apps/sim/judge.h"

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
    } else if (!tp_judge_said(said, ret_outcome)) {
        ret_outcome->verdict = TP_VERDICT_CRASHED;
        if (WIFSIGNALED(status))
            (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                           "the process died: %s", strsignal(WTERMSIG(status)));
        else
            (void)snprintf(ret_outcome->message, sizeof ret_outcome->message,
                           "the process ended by itself, with status %d",
                           WEXITSTATUS(status));
    }
    ret_outcome->kind = tp_judge_kind(ret_outcome);
}
