#include "tests/kv/server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/base.h"

enum { LOG_BYTES_MAX = 64 << 10, START_MS_MAX = 60000 };

static void sleep_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static void remove_tree(const char *path)
{
    char command[PROCESS_PATH_MAX + 16];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        tp_stop(__FILE__, __LINE__, "cannot remove what an earlier test left");
}

void process_init(struct process *process, const char *name)
{
    const char *scratch = getenv("KV_SCRATCH"); /* two runs of one program may be at work */
    char here[PROCESS_PATH_MAX / 2];

    scratch = scratch != NULL ? scratch : "scratch";
    memset(process, 0, sizeof *process);
    tp_assert(getcwd(here, sizeof here) != NULL);
    (void)snprintf(process->dir, sizeof process->dir, "%s/%s-%s", here, scratch, name);
    (void)snprintf(process->log, sizeof process->log, "%s/%s-%s.log", here, scratch, name);
    remove_tree(process->dir);
}

/* ------------------------------------------------------------------ starting */

static void limit(int resource, uint64_t max)
{
    struct rlimit limit = {.rlim_cur = max, .rlim_max = max};

    if (max != 0 && setrlimit(resource, &limit) < 0)
        _exit(126);
}

/* In the child: it ends when the test does, whatever happens to that. */
static void become(const struct process *process, const char *const args[])
{
    const char *program = getenv("TEMPEST_KV");
    int log = open(process->log, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    int output = process->output == NULL ? log : open(process->output, O_WRONLY);

    if (program == NULL || log < 0 || dup2(log, 2) < 0 || dup2(output, 1) < 0)
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_FSIZE, process->file_bytes_max);
    limit(RLIMIT_NOFILE, process->files_max);
    (void)execv(program, (char *const *)(uintptr_t)args);
    _exit(127);
}

static void begin(struct process *process, const char *const args[])
{
    (void)unlink(process->log);
    process->pid = fork();
    tp_assert(process->pid >= 0);
    if (process->pid == 0)
        become(process, args);
}

static int has_ended(struct process *process, int status)
{
    process->pid = 0;
    process->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return process->status;
}

static size_t read_log(const struct process *process, char text[LOG_BYTES_MAX])
{
    FILE *file = fopen(process->log, "re");
    size_t len = 0;

    if (file != NULL) {
        len = fread(text, 1, LOG_BYTES_MAX - 1, file);
        (void)fclose(file);
    }
    text[len] = '\0';
    return len;
}

/* The port that it says to listen on; false: it has said nothing yet. */
static bool find_port(struct process *process)
{
    static char text[LOG_BYTES_MAX];
    const char *found, *end;

    (void)read_log(process, text);
    found = strstr(text, "listening on ");
    if (found == NULL || (end = strchr(found, ';')) == NULL)
        return false;
    while (end > found && end[-1] != ':')
        end--;
    process->port = (uint16_t)strtoul(end, NULL, 10);
    return true;
}

static void begin_serving(struct process *process)
{
    const char *args[PROCESS_ARGS_MAX + 8] = {"tempest-kv", "--dir", process->dir, "--port",
                                              "0"};

    for (uint32_t i = 0; process->args[i] != NULL; i++)
        args[5 + i] = process->args[i];
    begin(process, args);
}

bool process_start(struct process *process)
{
    begin_serving(process);
    for (int ms = 0; ms < START_MS_MAX; ms += 5) {
        int status;

        if (find_port(process))
            return true;
        if (waitpid(process->pid, &status, WNOHANG) == process->pid) {
            (void)has_ended(process, status);
            return false;
        }
        sleep_ms(5);
    }
    tp_stop(__FILE__, __LINE__, "the server neither listens nor ends");
}

/* ------------------------------------------------------------------ ending */

int process_wait(struct process *process)
{
    int status;

    tp_assert(process->pid > 0);
    while (waitpid(process->pid, &status, 0) < 0)
        tp_assert(errno == EINTR);
    return has_ended(process, status);
}

int process_end(struct process *process, int signal)
{
    tp_assert(process->pid > 0 && kill(process->pid, signal) == 0);
    return process_wait(process);
}

void process_start_and_kill(struct process *process, uint32_t ms)
{
    begin_serving(process);
    sleep_ms((int)ms);
    (void)process_end(process, SIGKILL);
}

int process_run(struct process *process, const char *const args[])
{
    const char *all[PROCESS_ARGS_MAX] = {"tempest-kv"};

    for (uint32_t i = 0; args[i] != NULL; i++)
        all[1 + i] = args[i];
    begin(process, all);
    return process_wait(process);
}

int process_run_beside(struct process *process, const char *const args[])
{
    pid_t server = process->pid;
    int status = process_run(process, args);

    process->pid = server;
    return status;
}

bool process_has_said(const struct process *process, const char *text)
{
    static char log[LOG_BYTES_MAX];

    (void)read_log(process, log);
    return strstr(log, text) != NULL;
}
