/** io/posix/workers_internal.h - a few threads, for what would block.
 *
 * In LinuxIo that is what the ring has no operation for; in PosixIo, all about files.
 *
 * Threads start when there is work and none is idle, up to a bound, and stay. Jobs are
 * records: they are collected during a tick and handed over by the next poll, with one lock
 * for all. Results come back through a list, and notify() wakes the owner, so a worker's
 * result looks like any other completion. The threads block all signals.
 *
 * What may take long (offload, resolve) has a queue of its own and never all threads, if
 * there are two: a name server that does not answer delays no listen and no list_dir.
 */
#ifndef TEMPEST_IO_POSIX_WORKERS_INTERNAL_H
#define TEMPEST_IO_POSIX_WORKERS_INTERNAL_H

#include <pthread.h>

#include "io/posix/records_internal.h"

#define TP_POSIX_WORKERS_LIMIT 64 /* highest workers_max */

enum tp_posix_job { TP_POSIX_JOB_SHORT, TP_POSIX_JOB_LONG };

struct tp_posix_workers {
    struct tp_posix_records *records;
    uint32_t threads_max;
    struct tp_posix_list unsent;   /* the owner's */
    struct tp_posix_list finished; /* the owner's: collected, and not delivered yet */
    uint32_t outstanding;          /* the owner's: jobs handed over and not collected */
    void (*notify)(void *context); /* called by a worker: results are there */
    void *notify_context;

    pthread_mutex_t lock;           /* protects what follows */
    pthread_cond_t work;            /* there are jobs, or it is over */
    pthread_cond_t gone;            /* a thread has ended */
    struct tp_posix_list queued[2]; /* enum tp_posix_job */
    struct tp_posix_list done;
    uint32_t long_running; /* threads that are at a long job */
    uint32_t threads, idle, ended;
    bool over;
    pthread_t ids[TP_POSIX_WORKERS_LIMIT];
};

void tp_posix_workers_init(struct tp_posix_workers *workers,
                           struct tp_posix_records *records, uint32_t threads_max);

/** Takes a job; nothing happens before tp_posix_workers_send(). */
void tp_posix_workers_add(struct tp_posix_workers *workers, struct tp_posix_record *record);

/** Hands over what was added. 0, or -EAGAIN: not one thread can be had; the jobs stay. */
int tp_posix_workers_send(struct tp_posix_workers *workers);

/** Takes back a job that no thread has begun; false if one has. */
bool tp_posix_workers_withdraw(struct tp_posix_workers *workers,
                               struct tp_posix_record *record);

/** Moves the results into `finished`. */
void tp_posix_workers_collect(struct tp_posix_workers *workers);

/** Drops what no thread has begun, ends the threads and collects. False if one is still at
 * work at `deadline_ns` of CLOCK_MONOTONIC: then nothing that it may touch can be freed. */
bool tp_posix_workers_stop(struct tp_posix_workers *workers, uint64_t deadline_ns);

#endif
