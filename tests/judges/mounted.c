#include "mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

const struct judged_kind judged_kinds[] = {
    {"ext4", {"mkfs.ext4", "-q", "-F", "-J", "size=4"}, "noinit_itable", 256 * MIB, 0},
    {"xfs", {"mkfs.xfs", "-q", "-f"}, "", 320 * MIB, 0},
    {"btrfs", {"mkfs.btrfs", "-q", "-f"}, "", 256 * MIB, 65536},
};
const uint32_t judged_kind_count = sizeof judged_kinds / sizeof judged_kinds[0];

static void wait_10_ms(void)
{
    static const struct timespec time = {.tv_nsec = 10000000};

    (void)nanosleep(&time, NULL);
}

bool mounted_enter(const char **ret_reason)
{
    *ret_reason = NULL;
    if (geteuid() != 0)
        *ret_reason = "needs root, to mount";
    else if (access("/dev/fuse", R_OK | W_OK) != 0)
        *ret_reason = "there is no /dev/fuse";
    else if (access("/dev/loop-control", R_OK | W_OK) != 0)
        *ret_reason = "there are no loop devices";
    else if (unshare(CLONE_NEWNS) != 0 ||
             mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
             mount("tmpfs", MOUNTED_ROOT, "tmpfs", 0, "mode=0700") != 0)
        *ret_reason = "must not mount here";
    return *ret_reason == NULL;
}

/* ------------------------------------------------------------------ making */

static bool is_known(const char *type)
{
    FILE *list = fopen("/proc/filesystems", "re");
    char line[64], wanted[64];
    bool known = false;

    (void)snprintf(wanted, sizeof wanted, "\t%s\n", type);
    while (list != NULL && !known && fgets(line, sizeof line, list) != NULL)
        known = strcmp(line, wanted) == 0;
    if (list != NULL)
        (void)fclose(list);
    return known;
}

bool mounted_make(const struct judged_kind *kind, const char *path, const char **ret_reason)
{
    const char *const *make = kind->make;
    uint32_t count = 0;
    char *words[10];
    int status = 0;
    pid_t child;

    *ret_reason = NULL;
    if (!is_known(kind->name)) {
        *ret_reason = "the kernel does not have it";
        return false;
    }
    for (; make[count] != NULL; count++)
        words[count] = strdup(make[count]);
    words[count] = strdup(path);
    words[count + 1] = NULL;
    child = fork();
    if (child == 0) {
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
        (void)setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        (void)execvp(words[0], words);
        _exit(127);
    }
    for (uint32_t i = 0; i <= count; i++)
        free(words[i]);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        *ret_reason = "its mkfs is missing or failed "
                      "(packages e2fsprogs, xfsprogs, btrfs-progs)";
    return *ret_reason == NULL;
}

/* ------------------------------------------------------------------ mounting */

/* A loop device of the file, which detaches itself from it after its last use. */
static int loop_attach(int fd, char *ret_name, size_t size_bytes)
{
    struct loop_config config = {.fd = (uint32_t)fd,
                                 .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int loop = -1, error = 0;

    if (control < 0)
        return -errno;
    for (uint32_t attempt = 0; attempt < 64; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);

        error = number < 0 ? -errno : 0;
        if (number < 0)
            break;
        (void)snprintf(ret_name, size_bytes, "/dev/loop%d", number);
        loop = open(ret_name, O_RDWR | O_CLOEXEC);
        error = loop < 0 ? -errno : 0;
        if (loop < 0)
            break;
        if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
            break;
        error = -errno;
        (void)close(loop);
        loop = -1;
        if (error != -EBUSY) /* somebody else took the free one */
            break;
    }
    (void)close(control);
    return loop >= 0 ? loop : error;
}

int mounted_mount(const struct judged_kind *kind, int fd, const char *dir)
{
    char name[32];
    int loop = loop_attach(fd, name, sizeof name);
    int error = 0;

    if (loop < 0)
        return loop;
    if (mount(name, dir, kind->name, MS_NOATIME, kind->options) != 0)
        error = -errno;
    (void)close(loop);
    return error;
}

int mounted_unmount(const char *dir)
{
    for (uint32_t attempt = 0; attempt < 500; attempt++) {
        if (umount2(dir, 0) == 0)
            return 0;
        if (errno != EBUSY)
            return -errno;
        wait_10_ms();
    }
    return -EBUSY;
}
