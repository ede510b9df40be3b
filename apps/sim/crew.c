#include "apps/sim/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/common/signals.h"
#include "apps/sim/batch.h"

enum {
    AHEAD = 4, /* units for each child: begun before all that come before them are taken */
    POLL_MS = 100,
};

/* Of all results together, or of the only one. */
#define RESULTS_BYTES_MAX (UINT64_C(128) << 20)

/* A unit that was begun and is not taken. */
struct place {
    pid_t pid;  /* 0: its child is gone */
    int end_fd; /* at its end when the child is */
    bool begun, failed;
};

struct gang {
    const struct tp_crew *crew;
    uint8_t *results; /* shared: one for each place */
    struct place *places;
    struct pollfd *polls;
    uint32_t place_count, busy;
    uint64_t next, taken; /* units that nobody has; that are yet to be taken */
    int said_fd;
    bool enough;
    int error;
};

static uint32_t place_of(const struct gang *gang, uint64_t unit)
{
    return (uint32_t)(unit % gang->place_count);
}

static uint8_t *result_of(const struct gang *gang, uint32_t place)
{
    return gang->results + (size_t)place * gang->crew->result_bytes;
}

/* ------------------------------------------------------------------ children */

static int start(struct gang *gang, uint64_t unit)
{
    const struct tp_crew *crew = gang->crew;
    uint32_t index = place_of(gang, unit);
    struct place *place = &gang->places[index];
    int ends[2];

    memset(result_of(gang, index), 0, crew->result_bytes);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    place->pid = fork();
    if (place->pid == 0) {
        (void)close(ends[0]);
        tp_batch_become_child(gang->said_fd);
        crew->work(crew->context, unit, result_of(gang, index));
        _exit(0);
    }
    (void)close(ends[1]);
    if (place->pid < 0) {
        (void)close(ends[0]);
        place->pid = 0;
        return -EAGAIN;
    }
    place->end_fd = ends[0];
    place->begun = true;
    place->failed = false;
    gang->busy++;
    return 0;
}

static void reap(struct gang *gang, struct place *place)
{
    int status = 0;

    while (waitpid(place->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)close(place->end_fd);
    place->pid = 0;
    place->failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    tp_assert(gang->busy > 0);
    gang->busy--;
}

static void wait_for_some(struct gang *gang)
{
    for (uint32_t i = 0; i < gang->place_count; i++) {
        gang->polls[i].fd = gang->places[i].pid > 0 ? gang->places[i].end_fd : -1;
        gang->polls[i].events = 0; /* the hang-up is told unasked */
        gang->polls[i].revents = 0;
    }
    (void)poll(gang->polls, gang->place_count, POLL_MS);
    for (uint32_t i = 0; i < gang->place_count; i++) {
        if (gang->places[i].pid > 0 && gang->polls[i].revents != 0)
            reap(gang, &gang->places[i]);
    }
    gang->crew->progress(gang->crew->context);
}

static void end_all(struct gang *gang)
{
    for (uint32_t i = 0; i < gang->place_count; i++) {
        if (gang->places[i].pid > 0) {
            (void)kill(gang->places[i].pid, SIGKILL);
            reap(gang, &gang->places[i]);
        }
    }
}

/* ------------------------------------------------------------------ in order */

/* Those that are there, up to the first that is not. */
static void take_some(struct gang *gang)
{
    const struct tp_crew *crew = gang->crew;

    while (gang->taken < gang->next && !gang->enough) {
        uint32_t index = place_of(gang, gang->taken);
        struct place *place = &gang->places[index];

        if (!place->begun || place->pid > 0)
            return;
        if (place->failed && gang->error == 0) {
            gang->error = -ECHILD;
            return;
        }
        place->begun = false;
        gang->enough = !crew->take(crew->context, gang->taken, result_of(gang, index));
        gang->taken++;
    }
}

static void work(struct gang *gang)
{
    const struct tp_crew *crew = gang->crew;

    while (gang->error == 0 && !gang->enough && gang->taken < crew->units) {
        while (gang->busy < crew->jobs && gang->next < crew->units &&
               gang->next - gang->taken < gang->place_count && gang->error == 0) {
            gang->error = start(gang, gang->next);
            gang->next += gang->error == 0;
        }
        if (gang->error == 0)
            wait_for_some(gang);
        if (app_signals_caught() != 0)
            gang->error = -EINTR;
        else
            take_some(gang);
    }
    end_all(gang);
    if (gang->error == -EINTR)
        take_some(gang);
}

/* As many as there may be at a time: no more than there are units, nor than there is memory
 * to be spent on results. */
static uint32_t places_of(const struct tp_crew *crew)
{
    uint64_t places = (uint64_t)crew->jobs * AHEAD;
    uint64_t most = RESULTS_BYTES_MAX / crew->result_bytes;

    if (most == 0)
        most = 1;
    if (places > crew->units)
        places = crew->units;
    return (uint32_t)(places < most ? places : most);
}

int tp_crew_run(const struct tp_crew *crew)
{
    struct gang gang = {.crew = crew, .said_fd = -1};
    size_t bytes;

    tp_assert(crew->jobs > 0 && crew->result_bytes > 0);
    if (crew->units == 0)
        return 0;
    gang.place_count = places_of(crew);
    tp_assert(gang.place_count > 0);
    bytes = gang.place_count * crew->result_bytes;
    gang.results =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gang.places = calloc(gang.place_count, sizeof *gang.places);
    gang.polls = calloc(gang.place_count, sizeof *gang.polls);
    gang.said_fd = memfd_create("said", MFD_CLOEXEC);
    if (gang.results == MAP_FAILED || gang.places == NULL || gang.polls == NULL ||
        gang.said_fd < 0)
        gang.error = -ENOMEM;
    else
        work(&gang);
    if (gang.results != MAP_FAILED)
        (void)munmap(gang.results, bytes);
    if (gang.said_fd >= 0)
        (void)close(gang.said_fd);
    free(gang.places);
    free(gang.polls);
    return gang.error;
}
