#include "apps/kv/options.h"

#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"

enum {
    PORT_DEFAULT = 7379,
    CLIENTS_DEFAULT = 10000,
    CLIENTS_MAX = 1000000,
    IDLE_MAX = 1 << 30,
};

static const char usage[] =
    "usage: tempest-kv --dir DIR [OPTION]...\n"
    "       tempest-kv --check DIR | --dump DIR\n"
    "       tempest-kv --io=virtual [--seed N[-M]]\n"
    "\n"
    "A durable key-value server that speaks the protocol of Redis: strings with expiry.\n"
    "A write is on disk before its reply is sent.\n"
    "\n"
    "  -d, --dir DIR            where the data are; made if it is not there\n"
    "  -p, --port PORT          (7379; 0: any free one)\n"
    "  -b, --bind ADDR          an address to listen on, instead of 127.0.0.1; may be\n"
    "                           given several times. One that other machines reach needs\n"
    "                           --password-file, or --no-auth\n"
    "  -u, --unix PATH          listen on a Unix socket, too\n"
    "      --password-file F    clients must say what its first line says (AUTH)\n"
    "      --no-auth            whoever reaches it may do everything\n"
    "  -s, --sync always        a write is durable before its reply (the default)\n"
    "      --sync interval      replies do not wait: a crash loses the last 20 ms\n"
    "      --sync none          likewise: a crash loses the last second\n"
    "      --dirty-reads        a read does not wait for the write that it has seen\n"
    "      --max-memory BYTES   refuse what needs more; K, M, G are understood (no limit)\n"
    "      --max-clients N      (10000)\n"
    "      --timeout S          close a connection that is idle for so long (0: never)\n"
    "      --io=auto            through io_uring where that is allowed, else through\n"
    "                           threads and epoll (the default)\n"
    "      --io=linux, --io=posix  only the one, only the other\n"
    "      --io=virtual         no server: the same machines with simulated clients, disk\n"
    "                           and network; crashes, and says whether anything was lost\n"
    "      --seed N, --seed N-M of the virtual world (1); or one after another, up to the\n"
    "                           first in which something was lost\n"
    "      --check DIR          verify a data directory, and say what is in it\n"
    "      --dump DIR           print its keys and values\n"
    "  -h, --help               this text\n"
    "      --version            the version\n"
    "\n"
    "SIGTERM and SIGINT end it in order. Exit status: 0 done, 1 it failed, 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  tempest-kv --dir ./data             then: redis-cli -p 7379 set hello world\n"
    "  tempest-kv --dir ./data --bind 0.0.0.0 --password-file ./secret\n"
    "  tempest-kv --io=virtual --seed 7    a life of crashes in a simulated world\n";

enum option {
    DIR,
    PORT,
    BIND,
    UNIX,
    PASSWORD_FILE,
    NO_AUTH,
    SYNC,
    DIRTY_READS,
    MAX_MEMORY,
    MAX_CLIENTS,
    TIMEOUT,
    IO,
    SEED,
    CHECK,
    DUMP,
    HELP,
    VERSION,
    OPTIONS
};

static const struct app_option table[OPTIONS] = {
    [DIR] = {"dir", 'd', true},
    [PORT] = {"port", 'p', true},
    [BIND] = {"bind", 'b', true},
    [UNIX] = {"unix", 'u', true},
    [PASSWORD_FILE] = {"password-file", 0, true},
    [NO_AUTH] = {"no-auth", 0, false},
    [SYNC] = {"sync", 's', true},
    [DIRTY_READS] = {"dirty-reads", 0, false},
    [MAX_MEMORY] = {"max-memory", 0, true},
    [MAX_CLIENTS] = {"max-clients", 0, true},
    [TIMEOUT] = {"timeout", 0, true},
    [IO] = {"io", 0, true},
    [SEED] = {"seed", 0, true},
    [CHECK] = {"check", 0, true},
    [DUMP] = {"dump", 0, true},
    [HELP] = {"help", 'h', false},
    [VERSION] = {"version", 0, false},
};

/* While the words are read. */
struct parsing {
    struct kv_options options;
    const char *binds[KV_LISTEN_MAX]; /* their port may be told later */
    uint32_t bind_count;
    const char *looked_at; /* the directory of --check or --dump; NULL: none */
    enum kv_todo todo;
};

/* ------------------------------------------------------------------ values */

static bool parse_number(const struct app_args *args, enum option option, uint64_t max,
                         uint32_t *ret_number)
{
    uint64_t number;
    uint64_t min = option == MAX_CLIENTS ? 1 : 0;

    if (!app_args_number(args, (int)option, false, min, max, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool parse_sync(const char *value, enum kv_sync *ret_sync)
{
    static const char *const names[] = {"always", "interval", "none"};

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *ret_sync = (enum kv_sync)i;
            return true;
        }
    }
    app_say("--sync is always, interval or none, not '%s'", value);
    return false;
}

static bool parse_bind(struct parsing *p, const char *value)
{
    if (p->bind_count + 1 == KV_LISTEN_MAX) {
        app_say("--bind can be given %d times", KV_LISTEN_MAX - 1);
        return false;
    }
    p->binds[p->bind_count++] = value;
    return true;
}

/* What is to be done other than to serve can be told once. */
static bool choose(struct parsing *p, enum kv_todo todo)
{
    if (p->todo != KV_SERVE && p->todo != todo) {
        app_say("--check, --dump and --io=virtual exclude each other");
        return false;
    }
    p->todo = todo;
    return true;
}

static bool parse_look(struct parsing *p, const char *value, enum kv_todo todo)
{
    if (!choose(p, todo))
        return false;
    if (p->looked_at != NULL) {
        app_say("--check and --dump take one directory: '%s' or '%s'?", p->looked_at,
                value);
        return false;
    }
    p->looked_at = value;
    return true;
}

static bool parse_io(struct parsing *p, const char *value)
{
    if (app_backend_parse(value, &p->options.backend))
        return true;
    if (strcmp(value, "virtual") == 0)
        return choose(p, KV_SIMULATE);
    app_say("--io is auto, linux, posix or virtual, not '%s'", value);
    return false;
}

/* One seed, or the first and the last of several. */
static bool parse_seeds(struct kv_options *options, const struct app_args *args)
{
    const char *dash = strchr(args->value, '-');
    size_t len = dash == NULL ? strlen(args->value) : (size_t)(dash - args->value);
    struct app_args part = *args;
    char first[24];

    if (len >= sizeof first) {
        app_say("--seed takes a number, or two with a - between them, not '%s'",
                args->value);
        return false;
    }
    memcpy(first, args->value, len);
    first[len] = '\0';
    part.value = first;
    if (!app_args_number(&part, SEED, false, 0, UINT64_MAX, &options->seed))
        return false;
    options->seed_last = options->seed;
    part.value = dash == NULL ? first : dash + 1;
    return app_args_number(&part, SEED, false, options->seed, UINT64_MAX,
                           &options->seed_last);
}

static bool parse_value(struct parsing *p, const struct app_args *args, enum option option)
{
    struct kv_options *options = &p->options;
    uint32_t port;

    switch (option) {
    case CHECK:
    case DUMP:
        return parse_look(p, args->value, option == CHECK ? KV_CHECK : KV_DUMP);
    case DIR:
        options->dir = args->value;
        return true;
    case UNIX:
        options->unix_path = args->value;
        return true;
    case PASSWORD_FILE:
        options->password_file = args->value;
        return true;
    case PORT:
        if (!parse_number(args, PORT, UINT16_MAX, &port))
            return false;
        options->port = (uint16_t)port;
        return true;
    case BIND:
        return parse_bind(p, args->value);
    case SYNC:
        return parse_sync(args->value, &options->sync);
    case MAX_MEMORY:
        return app_args_number(args, MAX_MEMORY, true, 0, UINT64_MAX, &options->memory_max);
    case MAX_CLIENTS:
        return parse_number(args, MAX_CLIENTS, CLIENTS_MAX, &options->clients_max);
    case TIMEOUT:
        return parse_number(args, TIMEOUT, IDLE_MAX, &options->idle_s);
    case IO:
        return parse_io(p, args->value);
    case SEED:
        options->seed_given = true;
        return parse_seeds(options, args);
    case NO_AUTH:
    case DIRTY_READS:
    case HELP:
    case VERSION:
    case OPTIONS:
        break;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ addresses */

/* An address of --bind: without a port it gets that of --port. */
static bool add_bind(struct kv_options *options, const char *text)
{
    struct tp_address *address = &options->listen[options->listen_count];
    char bracketed[TP_ADDRESS_TEXT];
    int error = tp_address_parse(text, options->port, address);

    if (error != 0 && strchr(text, '[') == NULL && strlen(text) + 3 < sizeof bracketed) {
        (void)snprintf(bracketed, sizeof bracketed, "[%s]", text);
        error = tp_address_parse(bracketed, options->port, address);
    }
    if (error != 0 || address->family == TP_ADDRESS_UNIX) {
        app_say("--bind takes an IPv4 or IPv6 address, not '%s'%s", text,
                error == 0 ? "; for a path there is --unix" : "");
        return false;
    }
    if (!tp_address_is_loopback(address) && options->password_file == NULL &&
        !options->no_auth) {
        app_say("'%s' can be reached from other machines: a password is needed "
                "(--password-file), or --no-auth if everybody may do everything",
                text);
        return false;
    }
    options->listen_count++;
    return true;
}

static bool add_unix(struct kv_options *options)
{
    struct tp_address *address = &options->listen[options->listen_count];
    size_t len = strlen(options->unix_path);

    if (len == 0 || len >= TP_UNIX_PATH_MAX) {
        app_say("--unix takes a path of at most %d bytes", TP_UNIX_PATH_MAX - 1);
        return false;
    }
    *address = (struct tp_address){.family = TP_ADDRESS_UNIX};
    memcpy(address->at.path, options->unix_path, len + 1);
    options->listen_count++;
    return true;
}

static bool add_addresses(struct parsing *p)
{
    struct kv_options *options = &p->options;

    if (p->bind_count == 0 && !add_bind(options, "127.0.0.1"))
        return false;
    for (uint32_t i = 0; i < p->bind_count; i++) {
        if (!add_bind(options, p->binds[i]))
            return false;
    }
    return options->unix_path == NULL || add_unix(options);
}

/* ------------------------------------------------------------------ the whole */

/* What the options together say. */
static enum kv_todo check(struct parsing *p)
{
    struct kv_options *options = &p->options;

    if (options->seed_given && p->todo != KV_SIMULATE) {
        app_say("--seed is of the virtual world: --io=virtual is missing");
        return KV_USAGE;
    }
    if (p->todo == KV_SIMULATE && options->dir != NULL) {
        app_say("--io=virtual has a disk of its own: no --dir");
        return KV_USAGE;
    }
    if (p->looked_at != NULL && options->dir != NULL) {
        app_say("--check and --dump name the directory themselves: '%s'; no --dir",
                p->looked_at);
        return KV_USAGE;
    }
    if (p->looked_at != NULL)
        options->dir = p->looked_at;
    if (p->todo != KV_SERVE)
        return p->todo;
    if (options->dir == NULL || options->dir[0] == '\0') {
        app_say("--dir DIR is missing: where the data are to be; --help says more");
        return KV_USAGE;
    }
    if (options->password_file != NULL && options->no_auth) {
        app_say("--password-file and --no-auth exclude each other");
        return KV_USAGE;
    }
    return add_addresses(p) ? KV_SERVE : KV_USAGE;
}

static enum kv_todo print(enum option option)
{
    if (option == HELP)
        (void)fputs(usage, stdout);
    else
        (void)printf("tempest-kv %d.%d.%d\n", TP_VERSION_MAJOR, TP_VERSION_MINOR,
                     TP_VERSION_PATCH);
    return KV_EXIT;
}

enum kv_todo kv_options_parse(int argc, char **argv, struct kv_options *ret_options)
{
    struct app_args args = app_args_of(argc, argv, table, OPTIONS);
    struct parsing p = {
        .options = {.port = PORT_DEFAULT,
                    .clients_max = CLIENTS_DEFAULT,
                    .seed = 1,
                    .seed_last = 1},
        .todo = KV_SERVE,
    };
    enum kv_todo todo;
    int option;

    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        if (option == APP_ARGS_WRONG)
            return KV_USAGE;
        if (option == APP_ARGS_OPERAND) {
            app_say("'%s' is not understood; --help says what there is", args.value);
            return KV_USAGE;
        }
        if (option == HELP || option == VERSION)
            return print((enum option)option);
        p.options.no_auth |= option == NO_AUTH;
        p.options.dirty_reads |= option == DIRTY_READS;
        if (table[option].takes_value && !parse_value(&p, &args, (enum option)option))
            return KV_USAGE;
    }
    todo = check(&p);
    *ret_options = p.options;
    return todo;
}

int32_t kv_password_read(const char *path, char *ret_password, uint32_t bytes_max)
{
    FILE *file = fopen(path, "re");
    int32_t len = 0, error = 0;
    int byte;

    if (file == NULL)
        return -errno;
    while ((byte = getc(file)) != EOF && byte != '\n') {
        if (len == (int32_t)bytes_max) {
            error = -EMSGSIZE;
            break;
        }
        ret_password[len++] = (char)byte;
    }
    if (ferror(file))
        error = -EIO;
    (void)fclose(file);
    if (len > 0 && ret_password[len - 1] == '\r')
        len--;
    if (error == 0 && len == 0)
        error = -ENODATA;
    return error != 0 ? error : len;
}
