#include "apps/copy/total.h"

#include <errno.h>

enum { JOBS = 256 };

int copy_total_init(struct copy_total *total, const struct copy_settings *settings)
{
    int error;

    total->settings = *settings;
    total->settings.jobs = JOBS;
    total->settings.dry_run = true;
    error = copy_init(&total->copy, &total->settings);
    if (error < 0)
        return error;
    total->copy.silent = true;
    return copy_job_init(&total->job, &total->copy);
}

void copy_total_deinit(struct copy_total *total)
{
    if (total->copy.settings == NULL)
        return;
    copy_job_deinit(&total->job);
    copy_deinit(&total->copy);
}

static void ended(struct tp_machine *machine)
{
    struct copy_job *job = tp_container_of(machine, struct copy_job, machine);
    struct copy_total *total = tp_container_of(job, struct copy_total, job);

    total->complete = !machine->cancelled;
}

void copy_total_spawn(struct copy_total *total, struct tp_scheduler *scheduler)
{
    tp_assert(total->copy.settings == &total->settings && !total->complete);
    total->job.machine.ended = ended;
    copy_job_spawn(&total->job, scheduler);
}
