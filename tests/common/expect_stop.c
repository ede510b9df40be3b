#include "tests/common/expect_stop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t read_all(int fd, char *memory, size_t size)
{
    size_t used = 0;
    ssize_t count;

    while (used < size - 1 && (count = read(fd, memory + used, size - 1 - used)) > 0)
        used += (size_t)count;
    memory[used] = '\0';
    return used;
}

static void run_child(int fd, void (*function)(void *), void *argument)
{
    struct rlimit no_core = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    (void)dup2(fd, STDERR_FILENO);
    function(argument);
    _exit(0);
}

bool stops_with(void (*function)(void *argument), void *argument, char *ret_report,
                size_t size, const char *const *texts)
{
    int pipes[2];
    int status;
    pid_t child;

    if (pipe(pipes) < 0)
        abort();
    (void)fflush(NULL);
    child = fork();
    if (child == 0)
        run_child(pipes[1], function, argument);
    (void)close(pipes[1]);
    (void)read_all(pipes[0], ret_report, size);
    (void)close(pipes[0]);
    if (waitpid(child, &status, 0) != child)
        abort();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        size_t used = strlen(ret_report);

        (void)snprintf(ret_report + used, size - used, "\n(it returned)");
        return false;
    }
    for (; *texts != NULL; texts++) {
        if (strstr(ret_report, *texts) == NULL) {
            size_t used = strlen(ret_report);

            (void)snprintf(ret_report + used, size - used, "\n(missing: \"%s\")", *texts);
            return false;
        }
    }
    return true;
}
