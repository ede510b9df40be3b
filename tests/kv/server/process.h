/** tests/kv/server/process.h - tempest-kv as a process of its own, and what it says.
 *
 * The program is named by the environment (TEMPEST_KV). Its standard error goes to a file
 * beside its data. Whatever cannot be done here ends the test.
 */
#ifndef TEMPEST_TESTS_KV_SERVER_PROCESS_H
#define TEMPEST_TESTS_KV_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_PATH_MAX = 512, PROCESS_ARGS_MAX = 32 };

struct process {
    pid_t pid;     /* 0: it does not run */
    uint16_t port; /* where it listens */
    char dir[PROCESS_PATH_MAX];
    char log[PROCESS_PATH_MAX];         /* file of its standard error */
    const char *output;                 /* file of its standard output; NULL: the log */
    const char *args[PROCESS_ARGS_MAX]; /* more of the command line, up to NULL */
    uint64_t file_bytes_max;            /* RLIMIT_FSIZE; 0: as it is */
    uint32_t files_max;                 /* RLIMIT_NOFILE; 0: as it is */
    int status;                         /* of the one that has ended last */
};

/** A fresh directory for the data, with a name that no other test has, under the current
 * one. The server does not run yet. */
void process_init(struct process *process, const char *name);

/** Starts the server, and waits until it listens. False: it has ended instead, with
 * `status`. */
bool process_start(struct process *process);

/** Starts the server and kills it after so many milliseconds, wherever it is then. */
void process_start_and_kill(struct process *process, uint32_t ms);

/** Ends it by a signal, and waits. Its exit status; 128 + N if a signal ended it. */
int process_end(struct process *process, int signal);

/** Waits until it ends by itself; its exit status, likewise. */
int process_wait(struct process *process);

/** Runs the program with these arguments alone (up to NULL) to its end. Its exit status;
 * its output is in the file `log`. */
int process_run(struct process *process, const char *const args[]);

/** The same while the server runs, beside it. */
int process_run_beside(struct process *process, const char *const args[]);

/** Whether it has said this on standard error, since it was started last. */
bool process_has_said(const struct process *process, const char *text);

#endif
