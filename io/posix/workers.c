#include "workers_internal.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "io/posix/blocking_internal.h"

void tp_posix_workers_init(struct tp_posix_workers *workers,
                           struct tp_posix_records *records, uint32_t threads_max)
{
    pthread_condattr_t monotonic;

    tp_assert(threads_max > 0 && threads_max <= TP_POSIX_WORKERS_LIMIT);
    workers->records = records;
    workers->threads_max = threads_max;
    tp_assert(pthread_mutex_init(&workers->lock, NULL) == 0);
    tp_assert(pthread_cond_init(&workers->work, NULL) == 0);
    tp_assert(pthread_condattr_init(&monotonic) == 0);
    tp_assert(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    tp_assert(pthread_cond_init(&workers->gone, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
}

static enum tp_posix_job job_of(const struct tp_posix_record *record)
{
    const uint32_t kind = record->request.kind;

    return kind == TP_OFFLOAD || kind == TP_RESOLVE ? TP_POSIX_JOB_LONG
                                                    : TP_POSIX_JOB_SHORT;
}

/* Threads that may begin a long job now. */
static uint32_t room_for_long(const struct tp_posix_workers *workers)
{
    const uint32_t max = workers->threads_max > 1 ? workers->threads_max - 1 : 1;

    tp_assert(workers->long_running <= max);
    return max - workers->long_running;
}

static struct tp_posix_record *take_job(struct tp_posix_workers *workers)
{
    struct tp_posix_record *record =
        tp_posix_list_pop(workers->records, &workers->queued[TP_POSIX_JOB_SHORT]);

    if (record != NULL || room_for_long(workers) == 0)
        return record;
    record = tp_posix_list_pop(workers->records, &workers->queued[TP_POSIX_JOB_LONG]);
    if (record != NULL)
        workers->long_running++;
    return record;
}

static void *work(void *argument)
{
    struct tp_posix_workers *workers = argument;
    struct tp_posix_records *records = workers->records;

    tp_assert(pthread_mutex_lock(&workers->lock) == 0);
    while (!workers->over) {
        struct tp_posix_record *record = take_job(workers);

        if (record == NULL) {
            workers->idle++;
            tp_assert(pthread_cond_wait(&workers->work, &workers->lock) == 0);
            workers->idle--;
            continue;
        }
        /* Atomic: a cancel looks at it before it takes the lock. */
        __atomic_store_n(&record->state, (uint8_t)TP_POSIX_RUNNING, __ATOMIC_RELAXED);
        tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
        record->result =
            tp_posix_run_blocking(&record->request, tp_posix_side_of(records, record));
        tp_assert(pthread_mutex_lock(&workers->lock) == 0);
        if (job_of(record) == TP_POSIX_JOB_LONG)
            workers->long_running--;
        tp_posix_list_append(records, &workers->done, record);
        if (workers->done.count == 1)
            workers->notify(workers->notify_context);
    }
    workers->ended++;
    (void)pthread_cond_signal(&workers->gone);
    tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
    return NULL;
}

/* Starts one more thread; all its signals are blocked, since they are the program's. */
static int start_thread(struct tp_posix_workers *workers)
{
    sigset_t all, before;
    int error;

    (void)sigfillset(&all);
    tp_assert(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    error = pthread_create(&workers->ids[workers->threads], NULL, work, workers);
    tp_assert(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (error == 0)
        workers->threads++;
    return -error;
}

void tp_posix_workers_add(struct tp_posix_workers *workers, struct tp_posix_record *record)
{
    record->state = TP_POSIX_UNSENT;
    tp_posix_list_append(workers->records, &workers->unsent, record);
}

/* Hands over what was added. Returns how many threads could begin something now. */
static uint32_t queue_unsent(struct tp_posix_workers *workers)
{
    const struct tp_posix_list *longs = &workers->queued[TP_POSIX_JOB_LONG];
    struct tp_posix_record *record;
    uint32_t room;

    workers->outstanding += workers->unsent.count;
    while ((record = tp_posix_list_pop(workers->records, &workers->unsent)) != NULL) {
        record->state = TP_POSIX_QUEUED;
        tp_posix_list_append(workers->records, &workers->queued[job_of(record)], record);
    }
    room = room_for_long(workers);
    return workers->queued[TP_POSIX_JOB_SHORT].count +
           (longs->count < room ? longs->count : room);
}

static void fail_queued(struct tp_posix_workers *workers, struct tp_posix_list *queued)
{
    for (uint32_t at = queued->first; at != 0;
         at = tp_posix_record_at(workers->records, at)->next)
        tp_posix_record_at(workers->records, at)->result = -EAGAIN;
    tp_posix_list_move(workers->records, &workers->done, queued);
}

int tp_posix_workers_send(struct tp_posix_workers *workers)
{
    uint32_t jobs;

    if (workers->unsent.count == 0)
        return 0;
    tp_assert(pthread_mutex_lock(&workers->lock) == 0);
    jobs = queue_unsent(workers);
    while (workers->threads < workers->threads_max && workers->idle < jobs &&
           start_thread(workers) == 0)
        jobs--;
    for (uint32_t i = 0; i < jobs && i < workers->idle; i++)
        (void)pthread_cond_signal(&workers->work);
    if (workers->threads == 0) { /* nobody will come: fail them, rather than hang */
        fail_queued(workers, &workers->queued[TP_POSIX_JOB_SHORT]);
        fail_queued(workers, &workers->queued[TP_POSIX_JOB_LONG]);
    }
    tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
    return workers->threads == 0 ? -EAGAIN : 0;
}

bool tp_posix_workers_withdraw(struct tp_posix_workers *workers,
                               struct tp_posix_record *record)
{
    bool withdrawn = true;

    tp_assert(pthread_mutex_lock(&workers->lock) == 0);
    if (record->state == TP_POSIX_UNSENT) {
        tp_posix_list_remove(workers->records, &workers->unsent, record);
    } else if (record->state == TP_POSIX_QUEUED) {
        tp_posix_list_remove(workers->records, &workers->queued[job_of(record)], record);
        workers->outstanding--;
    } else {
        withdrawn = false;
    }
    tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
    return withdrawn;
}

void tp_posix_workers_collect(struct tp_posix_workers *workers)
{
    struct tp_posix_list *finished = &workers->finished;
    struct tp_posix_record *record;

    if (workers->outstanding == 0)
        return;
    tp_assert(pthread_mutex_lock(&workers->lock) == 0);
    workers->outstanding -= workers->done.count;
    for (uint32_t at = workers->done.first; at != 0; at = record->next) {
        record = tp_posix_record_at(workers->records, at);
        record->state = TP_POSIX_FINISHED;
    }
    tp_posix_list_move(workers->records, finished, &workers->done);
    tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
}

bool tp_posix_workers_stop(struct tp_posix_workers *workers, uint64_t deadline_ns)
{
    struct timespec deadline = {(time_t)(deadline_ns / 1000000000U),
                                (long)(deadline_ns % 1000000000U)};
    bool all;

    tp_assert(pthread_mutex_lock(&workers->lock) == 0);
    workers->over = true;
    (void)pthread_cond_broadcast(&workers->work);
    while (workers->ended < workers->threads &&
           pthread_cond_timedwait(&workers->gone, &workers->lock, &deadline) == 0)
        continue;
    all = workers->ended == workers->threads;
    tp_assert(pthread_mutex_unlock(&workers->lock) == 0);
    if (!all)
        return false;
    for (uint32_t i = 0; i < workers->threads; i++)
        tp_assert(pthread_join(workers->ids[i], NULL) == 0);
    tp_posix_workers_collect(workers);
    (void)pthread_cond_destroy(&workers->gone);
    (void)pthread_cond_destroy(&workers->work);
    (void)pthread_mutex_destroy(&workers->lock);
    return true;
}
