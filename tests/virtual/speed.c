/* How many disk operations a second VirtualIo completes: 4 KiB, half of them reads, a sync
 * after every 16 writes, 64 in flight, with the trace hash. Prints; nothing depends on the
 * figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/virtual/random.h"
#include "io/virtual/virtual.h"

enum { DEPTH = 64, BLOCK = 4096, BLOCKS = 16384, SYNC_EVERY = 16 };

struct speed {
    struct tp_io *io;
    struct tp_fd fd;
    struct tp_rng rng;
    struct tp_buf bufs[DEPTH];
    uint8_t *memory;
    uint32_t writes;
};

static uint64_t nanoseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void hand_in(struct speed *s, uint32_t slot)
{
    uint64_t drawn = tp_rng_next(&s->rng);
    uint64_t offset = (drawn >> 8) % BLOCKS * BLOCK;
    uint8_t *memory = s->memory + (size_t)slot * BLOCK;

    if (s->writes == SYNC_EVERY) {
        s->writes = 0;
        tp_io_fsync(s->io, slot + 1, s->fd, 0);
    } else if (drawn % 2 == 0) {
        s->bufs[slot] = tp_buf_empty(memory, BLOCK);
        tp_io_read_at(s->io, slot + 1, s->fd, &s->bufs[slot], offset);
    } else {
        s->writes++;
        memory[drawn % BLOCK]++;
        s->bufs[slot] = tp_buf_full(memory, BLOCK);
        tp_io_write_at(s->io, slot + 1, s->fd, &s->bufs[slot], offset);
    }
}

/* As the runtime does: the list is read from front to back, and forgotten. */
static uint64_t run(struct speed *s, uint64_t operations)
{
    uint64_t done = 0;

    while (done < operations) {
        struct tp_completions *list = tp_io_completions(s->io);
        uint64_t handles[DEPTH];
        uint32_t count = list->count;

        for (uint32_t i = 0; i < count; i++) {
            if (list->items[i].value < 0)
                tp_stopf(__FILE__, __LINE__, "%s", tp_errno_name(list->items[i].value));
            handles[i] = list->items[i].handle;
            tp_io_end_loan(s->io, handles[i]);
        }
        tp_completions_clear(list);
        for (uint32_t i = 0; i < count; i++)
            hand_in(s, (uint32_t)handles[i] - 1);
        done += count;
        tp_io_park(s->io, TP_NEVER);
    }
    return done;
}

int main(int argc, char **argv)
{
    struct tp_virtual_io_config config = {.size = sizeof config, .seed = 1};
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    struct speed s = {.rng = {1}};
    uint64_t start, taken, done;
    int32_t value;

    s.memory = aligned_alloc(BLOCK, (size_t)DEPTH * BLOCK);
    if (s.memory == NULL || tp_virtual_io_create(&config, &s.io) < 0)
        return 1;
    memset(s.memory, 0, (size_t)DEPTH * BLOCK);
    value = tp_io_block_on(s.io, tp_request_open("/file", options));
    s.fd = tp_io_into_fd(s.io, value);
    for (uint32_t slot = 0; slot < DEPTH; slot++)
        hand_in(&s, slot);
    tp_io_park(s.io, TP_NEVER);
    (void)run(&s, operations); /* every page has been written by now */
    start = nanoseconds();
    done = run(&s, operations);
    taken = nanoseconds() - start;
    (void)printf("%.2f M operations/s, %llu ns each, trace %016llx\n",
                 (double)done * 1e3 / (double)taken, (unsigned long long)(taken / done),
                 (unsigned long long)tp_virtual_io_trace_hash(s.io));
    tp_virtual_io_destroy(s.io);
    free(s.memory);
    return 0;
}
