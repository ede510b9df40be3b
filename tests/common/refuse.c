/** tests/common/refuse.c - runs a program where io_uring is forbidden, as in many
 * containers.
 *
 * refuse [--wipe] PROGRAM ARG...: io_uring_setup(2) gives EPERM there; with --wipe,
 * madvise(2) gives EINVAL for MADV_WIPEONFORK, too, as in some sandboxes. 77 where no
 * filter can be installed.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77 };

/* No system call has the number UINT32_MAX. */
static int install(int wipe_too)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, wipe_too ? SYS_madvise : UINT32_MAX, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_WIPEONFORK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
    const int wipe_too = argc > 1 && strcmp(argv[1], "--wipe") == 0;

    if (argc < 2 + wipe_too) {
        (void)fprintf(stderr, "usage: refuse [--wipe] PROGRAM ARG...\n");
        return 2;
    }
    if (install(wipe_too) != 0) {
        (void)printf("skipped: no filter for system calls: %s\n", strerror(errno));
        return EXIT_SKIPPED;
    }
    argv += 1 + wipe_too;
    (void)execv(argv[0], argv);
    (void)fprintf(stderr, "refuse: %s: %s\n", argv[0], strerror(errno));
    return 1;
}
