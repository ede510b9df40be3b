/** tests/runtime/no_alloc.c - law 7: no allocation after creation, by jemalloc's own count.
 *
 * Machines that open, write, read, sync, rename, list, remove, sleep, race and start
 * children run on LinuxIo until everything has been warm once; from then on the thread's
 * count of allocated bytes must stand still. A plain main: jemalloc and Criterion are kept
 * apart.
 */
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/linux/linux.h"
#include "runtime/tempest.h"

enum { MACHINES = 100, WARM = 50, ROUNDS = 200 };

struct busy {
    struct tp_machine machine;
    struct tp_machine child;
    struct tp_result result;
    struct tp_fd fd, dir;
    struct tp_op ops[2];
    struct tp_buf buf;
    struct tp_statx statx;
    uint64_t memory[64];
    char path[64], renamed[64];
    int32_t winner;
    uint32_t rounds, rounds_max;
};

static struct busy machines[MACHINES];

static enum tp_step child_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    if (machine->resume == 0) {
        machine->resume = 1;
        (void)tp_timer(cx, 1000);
        return TP_WAIT;
    }
    return tp_next_cqe(cx, &result) ? tp_end(machine, 0) : TP_WAIT;
}

#define CHECK_RESULT(b)                                      \
    do {                                                     \
        if ((b)->result.value < 0) {                         \
            (void)fprintf(stderr, "line %d: %s\n", __LINE__, \
                          tp_errno_name((b)->result.value)); \
            exit(1);                                         \
        }                                                    \
    } while (0)

static enum tp_step busy_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct busy *b = tp_container_of(machine, struct busy, machine);

    TP_BEGIN(cx);
    for (b->rounds = 0; b->rounds < b->rounds_max; b->rounds++) {
        TP_AWAIT(
            cx,
            tp_open(cx, b->path,
                    (struct tp_open_options){.read = true, .write = true, .create = true}),
            &b->result);
        CHECK_RESULT(b);
        b->fd = tp_into_fd(cx, b->result);
        b->buf = tp_buf_full(b->memory, sizeof b->memory);
        TP_AWAIT(cx, tp_write_at(cx, b->fd, &b->buf, 0), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_read_at(cx, b->fd, &b->buf, 0), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_fstat(cx, b->fd, &b->statx), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_deadline(cx, tp_truncate(cx, b->fd, 100), 1000000000), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_close(cx, b->fd), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_rename(cx, b->path, b->renamed), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_open(cx, ".", (struct tp_open_options){.read = true}), &b->result);
        CHECK_RESULT(b);
        b->dir = tp_into_fd(cx, b->result);
        b->buf = tp_buf_empty(b->memory, sizeof b->memory);
        TP_AWAIT(cx, tp_list_dir(cx, b->dir, &b->buf), &b->result);
        CHECK_RESULT(b);
        tp_detach(cx, tp_close(cx, b->dir));
        TP_AWAIT(cx, tp_remove(cx, b->renamed), &b->result);
        CHECK_RESULT(b);
        TP_AWAIT(cx, tp_start(cx, &b->child, child_tick, "child"), &b->result);
        b->ops[0] = tp_timer(cx, 1000);
        b->ops[1] = tp_timer(cx, 2000);
        TP_AWAIT_RACE(cx, b->ops, 2, &b->winner);
        (void)tp_get_cqe(cx, b->ops[b->winner], &b->result);
        tp_abandon(cx, tp_timer(cx, 1000000));
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void run(struct tp_scheduler *s, uint32_t rounds)
{
    for (uint32_t i = 0; i < MACHINES; i++) {
        machines[i].rounds_max = rounds;
        (void)snprintf(machines[i].path, sizeof machines[i].path, "no-alloc.%u", i);
        (void)snprintf(machines[i].renamed, sizeof machines[i].renamed, "no-alloc.%u.b", i);
        tp_spawn(s, &machines[i].machine, busy_tick, "busy");
    }
    if (tp_scheduler_run(s) != 0)
        exit(1);
}

int main(void)
{
    const volatile uint64_t
        *allocated; /* compilers think that malloc() changes no memory */
    size_t size = sizeof allocated;
    uint64_t before, after;
    struct tp_scheduler *s;
    struct tp_io *io;
    int result = tp_linux_io_create(NULL, &io);
    void *volatile memory; /* or the compiler sees that the pair does nothing */

    if (result < 0) {
        (void)printf("no-alloc: skipped, io_uring: %s\n", tp_errno_name(result));
        return 77;
    }
    if (mallctl("thread.allocatedp", &allocated, &size, NULL, 0) != 0)
        return 1;
    before = *allocated;
    memory = malloc(100);
    free(memory);
    if (*allocated == before) {
        (void)fprintf(stderr, "jemalloc does not count: is it linked?\n");
        return 1;
    }
    s = tp_scheduler_create(io, 4096);
    run(s, WARM);
    before = *allocated;
    run(s, ROUNDS);
    after = *allocated;
    (void)printf("no-alloc: %llu operations, %llu bytes allocated\n",
                 (unsigned long long)tp_scheduler_stats(s)->completed,
                 (unsigned long long)(after - before));
    tp_scheduler_destroy(s);
    tp_io_destroy(io);
    return after == before ? 0 : 1;
}
