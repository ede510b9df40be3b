#include "apps/sim/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/common/say.h"

/* Removes the file, and not the link that leads to it. */
static void remove_file(const char *path)
{
    char *file = realpath(path, NULL);

    if (file != NULL)
        (void)unlink(file);
    free(file);
}

/* Leaves nothing behind, and changes nothing. A pipe that nobody reads yet is fine, and so
 * is a link to a file that is not there yet. */
static int try_path(const char *path)
{
    int flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0666);
    bool is_new = fd >= 0;

    if (!is_new && errno == EEXIST)
        fd = open(path, flags);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT, 0666);
        is_new = fd >= 0;
    }
    if (fd < 0)
        return errno == ENXIO ? 0 : -errno;
    (void)close(fd);
    if (is_new)
        remove_file(path);
    return 0;
}

bool tp_output_choose(const struct tp_sim_arguments *arguments, const char *ending,
                      bool may_be_stdout, struct tp_output *ret_output)
{
    const char *given = arguments->output;
    int len, error;

    ret_output->is_stdout = given != NULL && strcmp(given, "-") == 0;
    if (ret_output->is_stdout && !may_be_stdout)
        app_say("--output: what is written is no text, and wants a file");
    if (ret_output->is_stdout)
        return may_be_stdout;
    len = snprintf(ret_output->path, sizeof ret_output->path, "%s%s",
                   given == NULL ? arguments->scenario->name : given,
                   given == NULL ? ending : "");
    error = len < 0 || (size_t)len >= sizeof ret_output->path ? -ENAMETOOLONG
                                                              : try_path(ret_output->path);
    if (error < 0)
        app_say_error(ret_output->path, "write", error);
    return error == 0;
}

FILE *tp_output_open(const struct tp_output *output)
{
    return output->is_stdout ? stdout : fopen(output->path, "wb");
}

bool tp_output_close(const struct tp_output *output, FILE *file, bool good)
{
    if (output->is_stdout)
        return app_printed() && good;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good)
        app_say_error(output->path, "write", -errno);
    return good;
}

FILE *tp_output_words(const struct tp_output *output)
{
    return output->is_stdout ? stderr : stdout;
}
