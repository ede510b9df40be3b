/* A trial of another module: trial.h without children, for hosts that have none. The host
 * hands over what is wanted, and what came of it (attempt.h). */
#include "apps/sim/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/signals.h"
#include "apps/sim/crew.h"
#include "apps/sim/engine/host.h"
#include "apps/sim/engine/parcel.h"
#include "apps/sim/judge.h"

#define IMPORT(name) \
    __attribute__((__import_module__("tempest_host"), __import_name__(#name)))

/* Of the host: has an order done. The answer becomes the input; so long is it, or 0 if
 * whoever did it has died of it and could not be asked. */
IMPORT(trial) uint32_t engine_host_trial(const void *order, uint32_t len_bytes);
IMPORT(monotonic) uint64_t engine_host_monotonic(void);

/* ------------------------------------------------------------------ in place of processes
 */

uint64_t tp_host_now_ns(void)
{
    return engine_host_monotonic();
}

int app_signals_caught(void)
{
    return 0; /* there are none: the host ends the module */
}

int tp_crew_run(const struct tp_crew *crew)
{
    tp_assert(crew->jobs > 0);
    return -ENOSYS; /* one job is what there is, which asks for no crew */
}

int tp_trial_open(struct tp_trial *trial, const struct tp_batch_job *job)
{
    memset(trial, 0, sizeof *trial);
    trial->job = *job;
    return 0;
}

static void forget(struct tp_trial *trial)
{
    if (trial->recorder != NULL)
        free(trial->recorder->records);
    free(trial->recorder);
    free(trial->moments);
    trial->recorder = NULL;
    trial->moments = NULL;
}

void tp_trial_close(struct tp_trial *trial)
{
    forget(trial);
}

/* ------------------------------------------------------------------ what is wanted */

static void write_order(const struct tp_trial *trial, const struct tp_tape *tape,
                        struct engine_parcel *parcel)
{
    const struct tp_sim_options *options = &trial->job.options;
    struct engine_order order;

    memset(&order, 0, sizeof order);
    order.events_max = trial->events_max;
    order.records = trial->records;
    order.ghost_count = options->ghost_count;
    order.all_stages = trial->all_stages;
    order.compares = trial->compares;
    order.realigns = trial->realigns;
    order.notes_moments = trial->notes_moments;
    order.ends_uncut = options->ends_uncut;
    engine_parcel_put(parcel, &order, sizeof order);
    engine_parcel_put(parcel, options->ghosts,
                      options->ghost_count * sizeof *options->ghosts);
    engine_parcel_put_tape(parcel, tape);
}

/* ------------------------------------------------------------------ what came of it */

/* Names of files that were ever told, by their addresses elsewhere. They stay, as what
 * records say of them must. */
static struct name {
    struct name *next;
    uint64_t address;
    char text[];
} * names;

static const char *name_of(uint64_t address)
{
    for (const struct name *name = names; name != NULL; name = name->next) {
        if (name->address == address)
            return name->text;
    }
    return NULL;
}

static bool take_name(struct engine_parcel *answer)
{
    struct engine_file file;
    struct name *name;

    if (!engine_parcel_take(answer, &file, sizeof file))
        return false;
    name = calloc(1, sizeof *name + file.len_bytes + 1);
    if (name == NULL || !engine_parcel_take(answer, name->text, file.len_bytes)) {
        free(name);
        return false;
    }
    if (name_of(file.address) != NULL) {
        free(name);
        return true;
    }
    name->address = file.address;
    name->next = names;
    names = name;
    return true;
}

static bool take_records(struct tp_trial *trial, const struct engine_answer *head,
                         struct engine_parcel *answer)
{
    struct tp_recorder *recorder = calloc(1, sizeof *recorder);
    size_t count = head->record_count;

    trial->recorder = recorder;
    if (recorder == NULL)
        return false;
    recorder->records = calloc(count + 1, sizeof *recorder->records);
    recorder->capacity = trial->records;
    recorder->count = head->record_count;
    recorder->dropped = head->dropped;
    if (recorder->records == NULL ||
        !engine_parcel_take(answer, recorder->records, count * sizeof *recorder->records))
        return false;
    for (uint32_t i = 0; i < head->file_count; i++) {
        if (!take_name(answer))
            return false;
    }
    for (uint32_t i = 0; i < recorder->count; i++)
        recorder->records[i].file = name_of((uintptr_t)recorder->records[i].file);
    return true;
}

static bool take_moments(struct tp_trial *trial, const struct engine_answer *head,
                         struct engine_parcel *answer)
{
    size_t bytes = (size_t)head->moment_count * head->streams * sizeof(uint64_t);
    _Static_assert(sizeof(struct tp_moments) % 8 == 0, "what is behind it is aligned");
    struct tp_moments *moments =
        malloc(sizeof *moments + tp_moments_size_bytes(head->streams));

    trial->moments = moments;
    if (moments == NULL)
        return false;
    tp_moments_init(moments, moments + 1, head->streams);
    moments->count = head->moment_count;
    return engine_parcel_take(answer, moments->asked, bytes) &&
           engine_parcel_take(answer, moments->begun, bytes);
}

static int take_answer(struct tp_trial *trial, struct engine_parcel *answer,
                       struct tp_tape *tape, struct tp_sim_outcome *ret_outcome)
{
    struct tp_tape *drawn = NULL;
    struct engine_answer head;
    int error = -ENOMEM;

    if (engine_parcel_take(answer, &head, sizeof head) &&
        engine_parcel_take_tape(answer, &drawn) &&
        (trial->records == 0 || take_records(trial, &head, answer)) &&
        (!trial->notes_moments || take_moments(trial, &head, answer))) {
        *ret_outcome = head.outcome;
        error = tp_trial_take(trial, tape, drawn);
    }
    tp_tape_destroy(drawn);
    return error;
}

/* Nothing is known but that it has died: of its stack, for one. */
static int take_nothing(struct tp_trial *trial, const struct tp_tape *tape,
                        struct tp_sim_outcome *ret_outcome)
{
    struct engine_answer head = {.streams = tp_tape_streams(tape)};
    struct engine_parcel nothing = {0};

    memset(ret_outcome, 0, sizeof *ret_outcome);
    ret_outcome->verdict = TP_VERDICT_CRASHED;
    (void)snprintf(ret_outcome->message, sizeof ret_outcome->message, "the program died");
    ret_outcome->kind = tp_judge_kind(ret_outcome);
    if ((trial->records > 0 && !take_records(trial, &head, &nothing)) ||
        (trial->notes_moments && !take_moments(trial, &head, &nothing)))
        return -ENOMEM;
    return 0;
}

int tp_trial_replay(struct tp_trial *trial, struct tp_tape *tape,
                    struct tp_sim_outcome *ret_outcome)
{
    struct engine_parcel order = {0}, answer = {0};

    trial->runs++;
    forget(trial);
    write_order(trial, tape, &order);
    answer.len_bytes = engine_host_trial(order.bytes, (uint32_t)order.len_bytes);
    free(order.bytes);
    if (answer.len_bytes == 0)
        return take_nothing(trial, tape, ret_outcome);
    answer.bytes = engine_input_bytes();
    if (answer.bytes == NULL)
        return -ENOMEM;
    return take_answer(trial, &answer, tape, ret_outcome);
}
