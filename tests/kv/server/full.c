/* A disk that is really full: writes are refused and change nothing, reads go on, and it
 * recovers as soon as there is room, without a restart. Needs to mount a small file system,
 * in a name space of its own. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/base.h"
#include "tests/kv/server/process.h"
#include "tests/kv/server/talk.h"

enum { VALUE_BYTES = 256 << 10, KEYS_MAX = 2000, TRIES = 600 };

static struct process process;
static struct talk talk;
static char value[VALUE_BYTES + 1];

/* Says what is not as it must be, and ends the test; the server ends with it. */
static void expect(bool fine, const char *what)
{
    if (fine)
        return;
    (void)printf("%s\nlast reply: %s\n", what, talk.text);
    exit(1);
}

static bool mount_small(void)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(process.dir, 0700) == 0 &&
           mount("tmpfs", process.dir, "tmpfs", 0, "size=448m") == 0;
}

/* Takes all the room that is left. */
static void fill(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    expect(file >= 0, "cannot fill the disk");
    while (write(file, value, 4096) == 4096)
        ;
    (void)close(file);
}

static const char *set(int key)
{
    char head[96];

    (void)snprintf(head, sizeof head, "*3\r\n$3\r\nSET\r\n$8\r\nkey-%04d\r\n$%d\r\n", key,
                   VALUE_BYTES);
    (void)talk_say(&talk, head);
    (void)talk_say(&talk, value);
    (void)talk_say(&talk, "\r\n");
    return talk_read(&talk);
}

static void expect_keys(int count)
{
    char wanted[32];

    (void)snprintf(wanted, sizeof wanted, ":%d", count);
    expect(strcmp(talk_ask(&talk, "DBSIZE"), wanted) == 0, "keys are missing");
    for (int key = 0; key < count; key++)
        expect(strcmp(talk_askf(&talk, "STRLEN key-%04d", key), ":262144") == 0,
               "a value is missing");
    expect(strcmp(talk_askf(&talk, "GETRANGE key-%04d -5 -1", count - 1), "vvvvv") == 0,
           "a value has changed");
}

/* The first key that is refused. */
static int write_until_full(void)
{
    int key = 0;

    while (key < KEYS_MAX && strcmp(set(key), "+OK") == 0)
        key++;
    expect(strstr(talk.text, "-MISCONF Errors writing to the log: No space left") ==
               talk.text,
           "a full disk is not said to be full");
    return key;
}

int main(void)
{
    char filler[PROCESS_PATH_MAX + 16];
    int count;

    process_init(&process, "full");
    if (!mount_small()) {
        (void)printf("skipped: a file system cannot be mounted here\n");
        return 77;
    }
    memset(value, 'v', VALUE_BYTES);
    (void)snprintf(filler, sizeof filler, "%s/filler", process.dir);
    expect(process_start(&process) && talk_open(&talk, process.port), "it does not start");
    expect(strcmp(talk_ask(&talk, "PING"), "+PONG") == 0, "it does not answer");
    (void)sleep(1); /* for its spare file, so that the filler gets what is really left */
    fill(filler);
    count = write_until_full();
    expect(count > 100, "it was full at once");
    expect(strstr(set(count), "No space left") != NULL, "it is not full any more");
    expect_keys(count);
    expect(unlink(filler) == 0, "the filler is not there");
    for (int try = 0; try < TRIES && strcmp(set(count), "+OK") != 0; try++)
        (void)usleep(50000);
    expect(strcmp(talk.text, "+OK") == 0, "there is room, and it refuses still");
    expect_keys(count + 1);
    (void)process_end(&process, SIGKILL);
    talk_close(&talk);
    expect(process_start(&process) && talk_open(&talk, process.port), "no new start");
    expect_keys(count + 1);
    expect(process_end(&process, SIGTERM) == 0, "it does not end in order");
    talk_close(&talk);
    fill(filler);
    expect(!process_start(&process), "it starts without room for its log");
    expect(process_has_said(&process, "no new segment can be made: ENOSPC"), "why not?");
    expect(!process_has_said(&process, "reads go on"), "it says what is not so");
    expect(unlink(filler) == 0, "the filler is not there");
    expect(process_start(&process) && talk_open(&talk, process.port), "no last start");
    expect_keys(count + 1);
    expect(process_end(&process, SIGTERM) == 0, "it does not end in order");
    (void)printf("%d values until it was full\n", count);
    return 0;
}
