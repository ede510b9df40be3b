#include "apps/sim/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/common/signals.h"

/* Address space only: what is not touched costs nothing. */
#define ARENA_BYTES (UINT64_C(1) << 32)
#define HANG_NS     UINT64_C(10000000000)
#define LOOK_MS     500 /* after so long a signal that came just before poll() is seen */

/* ------------------------------------------------------------------ memory */

static void *arena_alloc(void *context, size_t size_bytes, size_t align)
{
    struct tp_arena *arena = context;
    size_t at = (arena->used_bytes + align - 1) & ~(align - 1);

    if (size_bytes > arena->size_bytes - at)
        return NULL;
    arena->used_bytes = at + size_bytes;
    return memset(arena->memory + at, 0, size_bytes);
}

static void arena_free(void *context, void *memory, size_t size_bytes)
{
    (void)context; /* all at once */
    (void)memory;
    (void)size_bytes;
}

int tp_trial_open(struct tp_trial *trial, const struct tp_batch_job *job)
{
    struct tp_arena *arena = &trial->arena;
    int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;

    memset(trial, 0, sizeof *trial);
    trial->job = *job;
    trial->hang_ns = HANG_NS;
    trial->said_fd = memfd_create("said", MFD_CLOEXEC);
    if (trial->said_fd < 0)
        return -errno;
    arena->size_bytes = ARENA_BYTES;
    arena->memory = mmap(NULL, arena->size_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (arena->memory == MAP_FAILED) {
        (void)close(trial->said_fd);
        return -ENOMEM;
    }
    arena->allocator = (struct tp_allocator){arena_alloc, arena_free, arena};
    return 0;
}

void tp_trial_close(struct tp_trial *trial)
{
    (void)close(trial->said_fd);
    (void)munmap(trial->arena.memory, trial->arena.size_bytes);
}

/* ------------------------------------------------------------------ one run */

/* A run that is as long as that without a verdict has none. */
static void run_to_limit(const struct tp_trial *trial, const struct tp_sim_options *options)
{
    struct tp_sim *sim = tp_sim_create(trial->job.scenario, options, &trial->end->outcome);

    while (tp_sim_advance(sim)) {
        if (trial->events_max > 0 && tp_sim_events(sim) >= trial->events_max)
            return;
    }
    tp_sim_destroy(sim);
}

static void run_in_child(struct tp_trial *trial, struct tp_tape *tape)
{
    struct tp_sim_options options = trial->job.options;

    tp_batch_become_child(trial->said_fd);
    options.tape = tape;
    if (trial->recorder != NULL)
        options.watch = &trial->recorder->watch;
    else if (trial->moments != NULL)
        options.watch = &trial->moments->watch;
    else
        options.watch = trial->watch;
    run_to_limit(trial, &options);
    trial->end->is_there = true;
    _exit(0);
}

/* Until the pipe's other end is closed, which is when the child is gone. A signal ends
 * only runs that had begun before it: none that `was_caught` before. */
static bool wait_for(const struct tp_trial *trial, pid_t pid, int end_fd, bool was_caught,
                     bool *ret_caught)
{
    struct pollfd ended = {.fd = end_fd};
    uint64_t began_ns = tp_host_now_ns();
    uint64_t passed_ns = 0;
    int found = 0;

    *ret_caught = false;
    while (found == 0 && passed_ns < trial->hang_ns && !*ret_caught) {
        uint64_t left_ms = (trial->hang_ns - passed_ns) / 1000000 + 1;

        found = poll(&ended, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
        if (found < 0 && errno == EINTR)
            found = 0;
        passed_ns = tp_host_now_ns() - began_ns;
        *ret_caught = found == 0 && !was_caught && app_signals_caught() != 0;
    }
    if (found == 0)
        (void)kill(pid, SIGKILL);
    return found != 0;
}

static bool make_recorder(struct tp_trial *trial)
{
    struct tp_record *records;

    trial->recorder = NULL;
    if (trial->records == 0)
        return true;
    trial->recorder = arena_alloc(&trial->arena, sizeof *trial->recorder, 64);
    records = arena_alloc(&trial->arena, trial->records * sizeof *records, 64);
    if (trial->recorder == NULL || records == NULL)
        return false;
    tp_recorder_init(trial->recorder, records, trial->records);
    trial->recorder->all_stages = trial->all_stages;
    trial->recorder->looks = trial->looks;
    if (trial->compares)
        trial->recorder->shadow = arena_alloc(&trial->arena, tp_shadow_size_bytes(), 64);
    return !trial->compares || trial->recorder->shadow != NULL;
}

static bool make_moments(struct tp_trial *trial, const struct tp_tape *tape)
{
    uint32_t streams = tp_tape_streams(tape);
    void *memory;

    trial->moments = NULL;
    if (!trial->notes_moments)
        return true;
    trial->moments = arena_alloc(&trial->arena, sizeof *trial->moments, 64);
    memory = arena_alloc(&trial->arena, tp_moments_size_bytes(streams), 64);
    if (trial->moments == NULL || memory == NULL)
        return false;
    tp_moments_init(trial->moments, memory, streams);
    return true;
}

static int run(struct tp_trial *trial, struct tp_tape *tape,
               struct tp_sim_outcome *ret_outcome)
{
    bool was_caught = app_signals_caught() != 0, in_time, caught;
    int ends[2], status = 0;
    pid_t pid;

    trial->runs++;
    if (!make_recorder(trial) || !make_moments(trial, tape))
        return -ENOMEM;
    trial->end = arena_alloc(&trial->arena, sizeof *trial->end, 64);
    if (trial->end == NULL || ftruncate(trial->said_fd, 0) < 0 ||
        lseek(trial->said_fd, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -ENOMEM;
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        run_in_child(trial, tape);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return -EAGAIN;
    }
    in_time = wait_for(trial, pid, ends[0], was_caught, &caught);
    (void)close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (caught && !trial->end->is_there)
        return -EINTR;
    if (trial->end->is_there)
        *ret_outcome = trial->end->outcome;
    else
        tp_batch_judge(status, in_time ? 0 : trial->hang_ns, trial->said_fd, ret_outcome);
    return 0;
}

int tp_trial_seed(struct tp_trial *trial, uint64_t seed, struct tp_sim_outcome *ret_outcome,
                  struct tp_tape **ret_tape)
{
    struct tp_tape *tape = NULL;
    int error;

    trial->arena.used_bytes = 0;
    error = tp_tape_from_seed(seed, true, &trial->arena.allocator, &tape);
    if (error == 0)
        error = run(trial, tape, ret_outcome);
    if (error == 0)
        error = tp_tape_copy(tape, NULL, ret_tape);
    return error;
}

int tp_trial_replay(struct tp_trial *trial, struct tp_tape *tape,
                    struct tp_sim_outcome *ret_outcome)
{
    struct tp_tape *shared = NULL;
    int error;

    trial->arena.used_bytes = 0;
    error = tp_tape_copy(tape, &trial->arena.allocator, &shared);
    if (error == 0 && trial->realigns)
        tp_tape_realign(shared);
    if (error == 0)
        error = run(trial, shared, ret_outcome);
    if (error < 0)
        return error;
    tp_trial_trim(shared);
    return tp_trial_take(trial, tape, shared);
}
