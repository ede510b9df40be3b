#include "service.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/base.h"

#define LOOK_NS 2000000 /* how often is looked whether a server has ended */

/* ------------------------------------------------------------------ processors */

/* The first of `set`, which has one, from its start or from its end. */
static size_t first_of(const cpu_set_t *set, bool from_the_end)
{
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        size_t number = from_the_end ? CPU_SETSIZE - 1 - i : i;

        if (CPU_ISSET(number, set))
            return number;
    }
    tp_unreachable();
}

void bench_processors_split(struct bench_processors *processors)
{
    struct bench_processors *p = processors;

    CPU_ZERO(&p->all);
    if (sched_getaffinity(0, sizeof p->all, &p->all) < 0)
        CPU_ZERO(&p->all);
    p->client = p->server = p->all;
    if (CPU_COUNT(&p->all) < 2)
        return;
    CPU_ZERO(&p->client);
    CPU_ZERO(&p->server);
    CPU_SET(first_of(&p->all, false), &p->client);
    CPU_SET(first_of(&p->all, true), &p->server);
    (void)sched_setaffinity(0, sizeof p->client, &p->client);
}

void bench_processors_join(const struct bench_processors *processors)
{
    (void)sched_setaffinity(0, sizeof processors->all, &processors->all);
}

/* ------------------------------------------------------------------ a server */

/* What follows fork() in the child: it leaves stdio alone, whose buffers are the parent's.
 */
static _Noreturn void live(const struct bench_service *service, pid_t parent,
                           int (*serve)(void *context), void *context, int keep_fd)
{
    if (service->processors != NULL)
        (void)sched_setaffinity(0, sizeof service->processors->server,
                                &service->processors->server);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    tp_assert(keep_fd > STDERR_FILENO);
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, keep_fd - 1, 0);
    (void)syscall(SYS_close_range, keep_fd + 1, UINT_MAX, 0);
    _exit(serve(context) < 0 ? 1 : 0);
}

int bench_service_start(struct bench_service *service, int (*serve)(void *context),
                        void *context, int keep_fd)
{
    pid_t parent = getpid();
    int result;

    tp_assert(service->pid == 0);
    service->pid = fork();
    if (service->pid == 0)
        live(service, parent, serve, context, keep_fd);
    if (service->pid < 0) {
        result = -errno;
        service->pid = 0;
        return result;
    }
    result = clock_getcpuclockid(service->pid, &service->clock);
    if (result != 0) {
        (void)bench_service_stop(service, SIGKILL, 0);
        return -result;
    }
    return 0;
}

uint64_t bench_service_cpu_ns(const struct bench_service *service)
{
    struct timespec spent;

    if (service->pid == 0 || clock_gettime(service->clock, &spent) < 0)
        return 0;
    return (uint64_t)spent.tv_sec * 1000000000 + (uint64_t)spent.tv_nsec;
}

bool bench_service_runs(const struct bench_service *service)
{
    siginfo_t info = {0};

    if (service->pid == 0)
        return false;
    return waitid(P_PID, (id_t)service->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

/* Whether it has ended; its status is taken then. */
static bool ended(struct bench_service *service, int flags, int *ret_status)
{
    pid_t pid;

    do {
        pid = waitpid(service->pid, ret_status, flags);
    } while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return false;
    tp_assert(pid == service->pid); /* it is our child, and nobody else waits for it */
    service->pid = 0;
    return true;
}

int bench_service_wait(struct bench_service *service, uint64_t wait_ns)
{
    const struct timespec pause = {0, LOOK_NS};
    int status;

    tp_assert(service->pid > 0);
    for (uint64_t waited = 0; !ended(service, WNOHANG, &status); waited += LOOK_NS) {
        if (waited >= wait_ns) {
            (void)kill(service->pid, SIGKILL);
            (void)ended(service, 0, &status);
            return -ETIMEDOUT;
        }
        (void)nanosleep(&pause, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int bench_service_stop(struct bench_service *service, int signal_number, uint64_t wait_ns)
{
    if (service->pid == 0)
        return 0;
    (void)kill(service->pid, signal_number);
    return bench_service_wait(service, wait_ns);
}
