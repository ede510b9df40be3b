#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/linux/linux_internal.h"

char tp_linux_sysctl(void)
{
    const int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    char setting = '0'; /* before 6.6 there is none */

    if (fd >= 0) {
        if (read(fd, &setting, 1) != 1)
            setting = '0';
        (void)close(fd);
    }
    return setting;
}

const char *tp_linux_forbidden(char setting)
{
    switch (setting) {
    case '1':
        return "io_uring is forbidden by the sysctl kernel.io_uring_disabled, which is 1: "
               "allowed with CAP_SYS_ADMIN, or for the group kernel.io_uring_group";
    case '2':
        return "io_uring is forbidden by the sysctl kernel.io_uring_disabled, which is 2: "
               "for nobody";
    default:
        return "io_uring is forbidden by a seccomp profile, as most containers have one, "
               "which has to allow io_uring_setup, io_uring_enter and io_uring_register "
               "(the sysctl kernel.io_uring_disabled allows it)";
    }
}

const char *tp_linux_io_refusal(int error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return "nothing was refused";
    case ENOSYS:
        return "the kernel has no io_uring: it is older than 5.1, or was built without it, "
               "or a sandbox hides the system call";
    case EPERM:
    case EACCES:
        return tp_linux_forbidden(tp_linux_sysctl());
    case EOPNOTSUPP:
        return "the kernel is older than 6.1, the oldest that LinuxIo runs on";
    case ENOMEM:
        return "no memory for the queues and tables: raise RLIMIT_MEMLOCK (locked memory), "
               "or ask for fewer operations, entries or buffers";
    case EMFILE:
    case ENFILE:
        return "no file descriptor is left: raise RLIMIT_NOFILE, or close some";
    case EINVAL:
        return "the config is out of range, or its size is that of another version";
    default:
        return "the kernel refused an io_uring for a reason that LinuxIo does not know";
    }
}
