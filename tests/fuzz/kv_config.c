/** tests/fuzz/kv_config.c - bytes as what tempest-kv is configured with: each line is a
 * word of the command line, and a setting ("NAME VALUE"); the whole is a file with a
 * password.
 *
 * Wrong is: a command line that is taken and opens the server to strangers, or has nowhere
 * to listen or to keep its data; a setting that is refused and changed all the same, or
 * that does not read back as what sets it again; a password that is not the first line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/common/say.h"
#include "apps/kv/options.h"
#include "tests/fuzz/target.h"

enum { WORDS_MAX = 64, PASSWORD_MAX = 512, INPUT_MAX = 1 << 16 };

/* ------------------------------------------------------------------ the command line */

static void check_server(const struct kv_options *options)
{
    tp_assert(options->dir != NULL && options->dir[0] != '\0');
    tp_assert(options->listen_count >= 1 && options->listen_count <= KV_LISTEN_MAX);
    tp_assert(options->clients_max >= 1 && options->sync <= KV_SYNC_NONE);
    tp_assert(!options->no_auth || options->password_file == NULL);
    for (uint32_t i = 0; i < options->listen_count; i++) {
        const struct tp_address *address = &options->listen[i];
        char text[TP_ADDRESS_TEXT];

        tp_assert(address->family != TP_ADDRESS_UNIX || i == options->listen_count - 1);
        tp_assert(tp_address_is_loopback(address) || options->no_auth ||
                  options->password_file != NULL);
        tp_assert(tp_address_print(address, text)[0] != '\0');
    }
}

static void parse_words(int argc, char **argv)
{
    struct kv_options options;

    switch (kv_options_parse(argc, argv, &options)) {
    case KV_SERVE:
        check_server(&options);
        return;
    case KV_CHECK:
    case KV_DUMP:
        tp_assert(options.dir != NULL && !options.seed_given);
        return;
    case KV_SIMULATE:
        tp_assert(options.dir == NULL);
        return;
    case KV_EXIT:
    case KV_USAGE:
        return;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ settings */

static void set(struct kv_config *config, uint32_t index, struct kv_slice value)
{
    const struct kv_config before = *config;
    char why[KV_CONFIG_WHY_BYTES], text[KV_CONFIG_TEXT_BYTES], again[KV_CONFIG_TEXT_BYTES];

    if (kv_config_set(config, index, value, why) != NULL) {
        for (uint32_t i = 0; i < kv_config_count(); i++) {
            kv_config_print(&before, i, text);
            kv_config_print(config, i, again);
            tp_assert(strcmp(text, again) == 0);
        }
        return;
    }
    kv_config_print(config, index, text);
    value = kv_slice_of((const uint8_t *)text, (uint32_t)strlen(text));
    tp_assert(kv_config_set(config, index, value, why) == NULL);
    kv_config_print(config, index, again);
    tp_assert(strcmp(text, again) == 0);
    tp_assert(config->argument_max >= KV_ARGUMENT_MAX_MIN);
    tp_assert(config->argument_max <= config->argument_max_max);
    tp_assert(config->clients_max >= 1);
}

static void set_line(struct kv_config *config, const char *line)
{
    const uint8_t *bytes = (const uint8_t *)line;
    uint32_t len = (uint32_t)strlen(line), name = (uint32_t)strcspn(line, " ");
    int32_t index = kv_config_find(kv_slice_of(bytes, name));

    if (index >= 0 && name < len)
        set(config, (uint32_t)index, kv_slice_of(bytes + name + 1, len - name - 1));
}

/* ------------------------------------------------------------------ the password */

static void read_password(const uint8_t *bytes, size_t len)
{
    const uint8_t *end = len == 0 ? NULL : memchr(bytes, '\n', len);
    size_t first = end == NULL ? len : (size_t)(end - bytes);
    int fd = memfd_create("password", MFD_CLOEXEC);
    char path[64], password[PASSWORD_MAX];
    int32_t got;

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    got = kv_password_read(path, password, PASSWORD_MAX);
    (void)close(fd);
    if (first > PASSWORD_MAX) {
        tp_assert(got == -EMSGSIZE);
        return;
    }
    if (first > 0 && bytes[first - 1] == '\r')
        first--;
    tp_assert(got == (first == 0 ? -ENODATA : (int32_t)first));
    tp_assert(got < 0 || memcmp(password, bytes, first) == 0);
}

/* ------------------------------------------------------------------ the whole */

/* --help is printed, which is not to be seen. */
static void be_quiet(void)
{
    static FILE *nowhere;

    if (nowhere == NULL)
        nowhere = freopen("/dev/null", "we", stdout);
    app_say_to(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct kv_config config = kv_config_default(8 << 20);
    char program[] = "tempest-kv";
    char *argv[WORDS_MAX + 2] = {program};
    char *text, *rest, *line;
    int argc = 1;

    if (len > INPUT_MAX)
        return 0;
    be_quiet();
    read_password(bytes, len);
    text = rest = calloc(1, len + 1);
    if (text == NULL)
        abort();
    if (len > 0)
        memcpy(text, bytes, len);
    while ((line = strsep(&rest, "\n")) != NULL) {
        set_line(&config, line);
        if (argc <= WORDS_MAX)
            argv[argc++] = line;
    }
    parse_words(argc, argv);
    free(text);
    return 0;
}
