/** tests/fuzz/replay_main.c - runs a fuzz target over files, in any build: what a fuzzer
 * has found is looked at by every compiler and under every checker.
 *
 *     fuzz-NAME PATH...      files, or directories whose files are taken
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/target.h"

static uint32_t replayed;

/* All of it, in memory of just that size, so that a byte behind its end is one too many. */
static bool read_all(FILE *file, uint8_t **ret_bytes, size_t *ret_len)
{
    long len;

    if (fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0)
        return false;
    *ret_len = (size_t)len;
    *ret_bytes = malloc(*ret_len == 0 ? 1 : *ret_len);
    if (*ret_bytes == NULL)
        return false;
    return fread(*ret_bytes, 1, *ret_len, file) == *ret_len;
}

static bool replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t len = 0;
    bool read = file != NULL && read_all(file, &bytes, &len);

    if (file != NULL)
        (void)fclose(file);
    if (read) {
        (void)LLVMFuzzerTestOneInput(bytes, len);
        replayed++;
    } else {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(bytes);
    return read;
}

static bool replay_all(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    char name[4096];
    bool good = true;

    if (directory == NULL)
        return replay(path);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        good &= replay(name);
    }
    (void)closedir(directory);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;

    for (int i = 1; i < argc; i++)
        good &= replay_all(argv[i]);
    (void)printf("%u inputs\n", replayed);
    return good && replayed > 0 ? 0 : 1;
}
