#include "apps/common/streams.h"

#include <fcntl.h>
#include <unistd.h>

/* An open takes the lowest number that is free. Nothing can be written to what is open for
 * reading, nor read from what is open for writing. Without /dev/null all stays as it is. */
void app_take_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}
