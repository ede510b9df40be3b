/* tempest-kv: chooses the world that the server runs in, and runs it. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/common/streams.h"
#include "apps/kv/inspect.h"
#include "apps/kv/options.h"
#include "apps/kv/server.h"
#include "apps/kv/simulate.h"
#include "runtime/scheduler.h"

enum {
    FDS_BESIDE = 64, /* files and sockets that are no connections */
    OPS_EACH = 8,    /* of a connection at a time, at most */
    OPS_BESIDE = 4096,
    RECV_BUFS = 512,
    STALE_WAIT_MS = 2000, /* for the end of a server that was killed */
    STALE_LOOK_MS = 50,
};

#ifdef TP_JEMALLOC
static const char allocator_name[] = "jemalloc";
#else
static const char allocator_name[] = "libc";
#endif

/* What the library notices is a mistake of this program, or a lack of the system's: say it.
 */
static void write_log(void *context, enum tp_log_level level, const char *message,
                      const struct tp_log_field *fields, uint32_t count)
{
    const bool *silent = context;

    if (level < TP_LOG_WARNING || *silent)
        return;
    app_say("%s", message);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            app_say("    %s: %s", fields[i].name, fields[i].text);
        else
            app_say("    %s: %" PRId64, fields[i].name, fields[i].number);
    }
}

static bool log_silent;
static const struct tp_log log_hook = {write_log, &log_silent};

/* ------------------------------------------------------------------ the system */

/* Each connection is a file: takes what the system gives, and says when it is less than
 * asked for. How many connections there is room for. */
static uint32_t raise_file_limit(uint32_t clients_max, uint32_t listen_count)
{
    struct rlimit limit;
    uint32_t beside = FDS_BESIDE + KV_CLIENTS_OVER * listen_count;
    uint64_t wanted = (uint64_t)clients_max + beside;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return clients_max;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return clients_max;
    clients_max = limit.rlim_cur <= (rlim_t)beside + FDS_BESIDE / 2
                      ? FDS_BESIDE / 2
                      : (uint32_t)limit.rlim_cur - beside;
    app_say("the limit of open files allows for %" PRIu32 " clients only (ulimit -n)",
            clients_max);
    return clients_max;
}

/* SIGTERM and SIGINT end it in order, and so does SIGHUP, unless it was to be ignored
 * (nohup). They are blocked in every thread and read as operations. That nobody reads any
 * more what it says is no reason to end. */
static uint32_t take_signals(void)
{
    struct sigaction before;
    uint32_t signals = TP_SIGNAL_TERM | TP_SIGNAL_INT;
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        (void)sigaddset(&set, SIGHUP);
        signals |= TP_SIGNAL_HUP;
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signals;
}

enum socket_state { NO_SOCKET, LISTENED_ON, STALE };

static enum socket_state state_of_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    enum socket_state state = LISTENED_ON;
    struct stat status;
    int fd;

    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode) ||
        strlen(path) >= sizeof address.sun_path)
        return NO_SOCKET;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return LISTENED_ON;
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 &&
        errno == ECONNREFUSED)
        state = STALE;
    (void)close(fd);
    return state;
}

/* Removes the socket of a server that was killed. Its ring is taken down a moment after it
 * is gone, and until then it is listened on. */
static void remove_stale_socket(const char *path, uint32_t wait_ms)
{
    const struct timespec pause = {0, STALE_LOOK_MS * INT64_C(1000000)};
    enum socket_state state;

    for (uint32_t waited_ms = 0;
         (state = state_of_socket(path)) == LISTENED_ON && waited_ms < wait_ms;
         waited_ms += STALE_LOOK_MS)
        (void)nanosleep(&pause, NULL);
    if (state == STALE)
        (void)unlink(path);
}

/* Memory that the process has: the second number of a line, in pages. */
static uint64_t resident_bytes(void)
{
    char line[128];
    char *at;
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL)
        return 0;
    at = fgets(line, sizeof line, file);
    (void)fclose(file);
    if (at != NULL && (at = strchr(line, ' ')) != NULL)
        pages = strtoull(at, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void fill_figures(struct kv_figures *ret_figures)
{
    struct rusage usage;

    ret_figures->process_id = (uint64_t)getpid();
    ret_figures->resident_bytes = resident_bytes();
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        ret_figures->cpu_user_us = microseconds(&usage.ru_utime);
        ret_figures->cpu_system_us = microseconds(&usage.ru_stime);
    }
}

/* ------------------------------------------------------------------ the server */

static const char *refusal_of_password(int32_t error)
{
    switch (error) {
    case -EMSGSIZE:
        return "its first line is too long";
    case -ENODATA:
        return "its first line is empty";
    default:
        return tp_errno_name(error);
    }
}

/* False: it cannot be read, which was said. */
static bool read_password(const struct kv_options *options, char *memory,
                          struct kv_slice *ret_password)
{
    int32_t len;

    if (options->password_file == NULL)
        return true;
    len = kv_password_read(options->password_file, memory, KV_PASSWORD_MAX);
    if (len < 0) {
        app_say("%s: %s", options->password_file, refusal_of_password(len));
        return false;
    }
    *ret_password = kv_slice_of((const uint8_t *)memory, (uint32_t)len);
    return true;
}

static void warn_if_open(const struct kv_options *options)
{
    for (uint32_t i = 0; options->no_auth && i < options->listen_count; i++) {
        if (tp_address_is_loopback(&options->listen[i]))
            continue;
        app_say("warning: --no-auth: whoever reaches this machine can read, change and "
                "delete everything");
        return;
    }
}

static const char *bind_text(const struct kv_options *options, char *memory, size_t bytes)
{
    size_t len = 0;

    memory[0] = '\0';
    for (uint32_t i = 0; i < options->listen_count; i++) {
        char text[TP_ADDRESS_TEXT];
        char *end;

        if (options->listen[i].family == TP_ADDRESS_UNIX)
            continue;
        (void)tp_address_print(&options->listen[i], text);
        end = strrchr(text, ':');
        len += (size_t)snprintf(memory + len, bytes - len, "%s%.*s", i == 0 ? "" : " ",
                                (int)(end - text), text);
    }
    return memory;
}

static void configure(struct kv_server_config *config, const struct kv_options *options,
                      struct tp_io *io)
{
    config->dir = config->config.dir = options->dir;
    config->listen = options->listen;
    config->listen_count = options->listen_count;
    config->config.memory_max = options->memory_max;
    config->config.clients_max = config->clients_room;
    config->config.idle_s_max = options->idle_s;
    config->config.dirty_reads = options->dirty_reads;
    config->config.sync = options->sync;
    config->config.port = options->port;
    config->config.unix_path = options->unix_path == NULL ? "" : options->unix_path;
    config->allocator = allocator_name;
    config->figures = fill_figures;
    tp_io_random(io, config->hash_key, sizeof config->hash_key);
    tp_io_random(io, config->secret, sizeof config->secret);
    tp_io_random(io, &config->seed, sizeof config->seed);
}

static int run(const struct kv_server_config *config, struct tp_io *io)
{
    struct tp_scheduler_config loop = {.size = sizeof loop,
                                       .ops_max =
                                           OPS_EACH * config->clients_room + OPS_BESIDE,
                                       .log = log_hook};
    struct kv_server *server = calloc(1, sizeof *server);
    struct tp_scheduler *scheduler = NULL;
    int status = APP_EXIT_FAILED, error;

    if (server == NULL || kv_server_init(server, config) < 0 ||
        tp_scheduler_create_with(io, &loop, &scheduler) < 0) {
        app_say("no memory");
        goto out;
    }
    tp_spawn(scheduler, &server->machine, kv_server_tick, "server");
    error = tp_scheduler_run(scheduler);
    if (error == 0 && server->machine.result == 0)
        status = APP_EXIT_DONE;
    else if (error != 0)
        app_say("the loop has stopped: %s", tp_errno_name(error));
out:
    tp_scheduler_destroy(scheduler);
    if (server != NULL)
        kv_server_deinit(server);
    free(server);
    return status;
}

/* NULL: it cannot be had, which was said. */
static struct tp_io *create_io(const struct kv_options *options,
                               const struct app_backend_wants *wants)
{
    struct tp_io *io;

    log_silent = true;
    io = app_backend_create(options->backend, wants);
    log_silent = false;
    return io;
}

static struct tp_io *create_service_io(const struct kv_options *options,
                                       const struct kv_server_config *config)
{
    const struct app_backend_wants wants = {
        .ops_max = OPS_EACH * config->clients_room + OPS_BESIDE,
        .recv_buf_count = RECV_BUFS,
        .buf_count = 2, /* the groups of the journal */
        .buf_size = config->group_bytes,
        .log = &log_hook,
    };

    return create_io(options, &wants);
}

static int serve(const struct kv_options *options)
{
    struct kv_server_config config = kv_server_defaults();
    char password[KV_PASSWORD_MAX], bind[KV_LISTEN_MAX * TP_ADDRESS_TEXT];
    struct tp_io *io;
    int status;

    if (!read_password(options, password, &config.password))
        return APP_EXIT_FAILED;
    warn_if_open(options);
    config.clients_room = raise_file_limit(options->clients_max, options->listen_count);
    config.signals = take_signals();
    config.config.bind = bind_text(options, bind, sizeof bind);
    io = create_service_io(options, &config);
    if (io == NULL)
        return APP_EXIT_FAILED;
    configure(&config, options, io);
    if (options->unix_path != NULL)
        remove_stale_socket(options->unix_path, STALE_WAIT_MS);
    status = run(&config, io);
    tp_io_destroy(io);
    if (options->unix_path != NULL)
        remove_stale_socket(options->unix_path, 0);
    return status;
}

/* ------------------------------------------------------------------ looking */

static int look(const struct kv_options *options, bool dump)
{
    const struct app_backend_wants wants = {.log = &log_hook, .quiet = true};
    struct kv_inspection inspection;
    struct tp_io *io = create_io(options, &wants);
    int32_t error;

    if (io == NULL)
        return APP_EXIT_FAILED;
    error = kv_inspect(io, options->dir, NULL, &inspection);
    if (error < 0 && error != -ENOMEM)
        app_say("%s", inspection.problem);
    else if (error == 0 && dump)
        error = kv_dump(inspection.store, stdout);
    else if (error == 0)
        kv_inspection_print(&inspection, options->dir, stdout);
    if (error == -ENOMEM)
        app_say("no memory");
    kv_inspection_deinit(&inspection);
    tp_io_destroy(io);
    return error == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

static int act(enum kv_todo todo, const struct kv_options *options)
{
    switch (todo) {
    case KV_EXIT:
        return APP_EXIT_DONE;
    case KV_USAGE:
        return APP_EXIT_USAGE;
    case KV_SERVE:
        return serve(options);
    case KV_CHECK:
        return look(options, false);
    case KV_DUMP:
        return look(options, true);
    case KV_SIMULATE:
        return kv_simulate(options->seed, options->seed_last);
    }
    tp_unreachable();
}

int main(int argc, char **argv)
{
    struct kv_options options;
    int status;

    app_take_streams();
    app_say_as("tempest-kv");
    /* A file that is not to grow any more (ulimit -f) is an error like another. */
    (void)signal(SIGXFSZ, SIG_IGN);
    status = act(kv_options_parse(argc, argv, &options), &options);
    return app_printed() ? status : APP_EXIT_FAILED;
}
