/* What a server says when its disk is in trouble, word by word: a write to the log that has
 * failed, and a disk that is full. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "apps/kv/server.h"
#include "apps/kv/sim/answer.h"
#include "io/virtual/virtual.h"
#include "runtime/await.h"
#include "runtime/operations.h"
#include "runtime/scheduler.h"

enum {
    PORT = 7379,
    GROUP_BYTES = 64 << 10,
    DISK_BYTES = 4 << 20,
    VALUE_BYTES = 8000,
    TRIES_MAX = 1000,
};

#define PAUSE_NS UINT64_C(10000000)

/* What is asked, and how the reply begins. */
struct step {
    const char *request; /* NULL: the large value is set */
    const char *reply;
    void (*before)(void);
    bool again; /* until the reply is that one */
};

static struct tp_disk *disk;
static struct tp_io *io;
static struct kv_server server;

/* Asks them one after the other, then asks the server to end. */
static struct caller {
    struct tp_machine machine;
    const struct step *steps;
    uint32_t count, at, tries;
    struct tp_fd fd;
    struct tp_address address;
    struct tp_buf buf;
    struct kv_answer answer;
    uint32_t in_len;
    uint8_t in[4 << 20], out[VALUE_BYTES + 64];
} caller;

static struct tp_op send_request(struct tp_ctx *cx)
{
    const char *request = caller.steps[caller.at].request;
    int len;

    if (request != NULL)
        len = snprintf((char *)caller.out, sizeof caller.out, "%s\r\n", request);
    else
        len = snprintf((char *)caller.out, sizeof caller.out, "SET large %0*d\r\n",
                       VALUE_BYTES, 1);
    caller.buf = tp_buf_full(caller.out, (uint32_t)len);
    caller.in_len = 0;
    return tp_send(cx, caller.fd, &caller.buf);
}

static struct tp_op receive(struct tp_ctx *cx)
{
    caller.buf =
        tp_buf_empty(caller.in + caller.in_len, (uint32_t)sizeof caller.in - caller.in_len);
    return tp_recv(cx, caller.fd, &caller.buf);
}

static bool is_complete(struct tp_result result)
{
    cr_assert(lt(i32, 0, result.value));
    caller.in_len += (uint32_t)result.value;
    caller.answer = kv_answer_read(caller.in, caller.in_len);
    return caller.answer.kind != KV_ANSWER_MORE;
}

/* Whether the reply is the one that is wanted; else the question is asked again. */
static bool is_wanted(void)
{
    const struct step *step = &caller.steps[caller.at];

    if (caller.in_len >= strlen(step->reply) &&
        memcmp(caller.in, step->reply, strlen(step->reply)) == 0)
        return true;
    cr_assert(step->again && ++caller.tries < TRIES_MAX, "step %u: '%.*s', not '%s'",
              caller.at, (int)caller.in_len, (const char *)caller.in, step->reply);
    return false;
}

static enum tp_step caller_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_socket_options options = {.no_delay = true};
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        TP_AWAIT(cx, tp_timer(cx, PAUSE_NS), &result);
        TP_AWAIT(cx, tp_connect(cx, &caller.address, options), &result);
    } while (result.value < 0);
    caller.fd = tp_into_fd(cx, result);
    for (caller.at = 0; caller.at < caller.count; caller.at++) {
        if (caller.steps[caller.at].before != NULL)
            caller.steps[caller.at].before();
        for (caller.tries = 0;;) {
            TP_AWAIT(cx, send_request(cx), &result);
            do {
                TP_AWAIT(cx, receive(cx), &result);
            } while (!is_complete(result));
            if (is_wanted())
                break;
            TP_AWAIT(cx, tp_timer(cx, PAUSE_NS), &result);
        }
    }
    TP_AWAIT(cx, tp_close(cx, caller.fd), &result);
    kv_server_stop(&server, false);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ a boot */

static struct kv_server_config server_config(const struct tp_address *address)
{
    struct kv_server_config config = kv_server_defaults();

    config.dir = "/data";
    config.listen = address;
    config.listen_count = 1;
    config.clients_room = 8;
    config.group_bytes = GROUP_BYTES;
    config.segment_bytes = UINT64_C(2) * GROUP_BYTES;
    config.snapshot_bytes = UINT64_C(1) << 40;
    config.block_bytes = 4096;
    config.quiet = true;
    return config;
}

/* Starts a server on the disk, and asks it all that. What it ends with. */
static int32_t ask(const struct step *steps, uint32_t count)
{
    struct tp_virtual_io_config virtual_config = {.size = sizeof virtual_config,
                                                  .seed = 1,
                                                  .disk = disk,
                                                  .buf_count = 2,
                                                  .buf_size = GROUP_BYTES};
    struct tp_scheduler_config loop = {.size = sizeof loop, .ops_max = 1024};
    struct tp_address address = tp_address_ipv4(127, 0, 0, 1, PORT);
    struct kv_server_config config = server_config(&address);
    struct tp_scheduler *scheduler;
    int32_t result;

    cr_assert(eq(int, tp_virtual_io_create(&virtual_config, &io), 0));
    cr_assert(eq(int, kv_server_init(&server, &config), 0));
    cr_assert(eq(int, tp_scheduler_create_with(io, &loop, &scheduler), 0));
    caller = (struct caller){.steps = steps, .count = count, .address = address};
    tp_spawn(scheduler, &server.machine, kv_server_tick, "server");
    tp_spawn(scheduler, &caller.machine, caller_tick, "caller");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(u32, caller.at, count), "all was asked");
    result = server.machine.result;
    tp_scheduler_destroy(scheduler);
    kv_server_deinit(&server);
    tp_virtual_io_destroy(io);
    return result;
}

static void set_up(void)
{
    struct tp_disk_config config = {.size = sizeof config, .capacity_bytes = DISK_BYTES};

    cr_assert(eq(int, tp_disk_create(&config, &disk), 0));
}

static void tear_down(void)
{
    tp_disk_destroy(disk);
}

#define ASK(steps) ask(steps, sizeof(steps) / sizeof((steps)[0]))

/* ------------------------------------------------------------------ a failed write */

static void fail_the_next_write(void)
{
    const struct tp_virtual_faults faults = {
        .fail_nth = 1, .fail_kind = TP_WRITE, .fail_errno = EIO};

    tp_virtual_io_set_faults(io, &faults);
}

static void fail_the_next_rename(void)
{
    const struct tp_virtual_faults faults = {
        .fail_nth = 1, .fail_kind = TP_RENAME, .fail_errno = EIO};

    tp_virtual_io_set_faults(io, &faults);
}

Test(trouble, of_the_log_refuses_writes_until_a_restart, .init = set_up, .fini = tear_down)
{
    static const struct step failing[] = {
        {.request = "SET safe 1", .reply = "+OK"},
        {.request = "SET unknown 1",
         .reply = "-MISCONF Errors writing to the log: EIO. Whether what this reply tells",
         .before = fail_the_next_write},
        {.request = "SET refused 1",
         .reply = "-MISCONF Errors writing to the log: EIO. Writes are refused until the "
                  "server is restarted"},
        {.request = "DEL safe", .reply = "-MISCONF Errors writing to the log: EIO. Writes"},
        {.request = "GET safe", .reply = "$1\r\n1"},
        {.request = "GET refused", .reply = "$-1"},
        {.request = "GET unknown",
         .reply = "-MISCONF Errors writing to the log: EIO. Whether what this reply tells"},
        {.request = "BGSAVE", .reply = "-"},
    };
    static const struct step sound[] = {
        {.request = "GET safe", .reply = "$1\r\n1"},
        {.request = "GET refused", .reply = "$-1"},
        {.request = "SET refused 2", .reply = "+OK"},
    };

    cr_assert(eq(i32, ASK(failing), -EIO), "it does not end as if all were well");
    cr_assert(eq(i32, ASK(sound), 0));
}

/* Its client has said goodbye already, and is told all the same. */
Test(trouble, of_the_log_is_told_to_who_is_leaving, .init = set_up, .fini = tear_down)
{
    static const struct step leaving[] = {
        {.request = "SET unknown 1\r\nQUIT",
         .reply = "-MISCONF Errors writing to the log: EIO. Whether what this reply tells",
         .before = fail_the_next_write},
    };

    cr_assert(eq(i32, ASK(leaving), -EIO));
}

/* ------------------------------------------------------------------ a full disk */

/* Written, since a hole takes no room. */
static void take_all_room(void)
{
    static const uint8_t block[4096];
    struct tp_disk_usage usage = tp_disk_usage(disk);

    cr_assert(eq(i32, tp_disk_make_file(disk, "/filler", 0600), 0));
    for (uint64_t at = 0; at < usage.capacity_bytes - usage.used_bytes; at += sizeof block)
        cr_assert(
            eq(i64, tp_disk_write_at(disk, "/filler", at, block, sizeof block), 4096));
}

static void give_room(void)
{
    cr_assert(eq(i32, tp_disk_remove(disk, "/filler"), 0));
}

Test(trouble, of_a_full_disk_is_over_when_there_is_room, .init = set_up, .fini = tear_down)
{
    static const struct step steps[] = {
        {.request = "SET safe 1", .reply = "+OK"},
        {.reply = "-MISCONF Errors writing to the log: No space left on device",
         .before = take_all_room,
         .again = true},
        {.reply = "-MISCONF Errors writing to the log: No space left on device"},
        {.request = "GET safe", .reply = "$1\r\n1"},
        {.request = "STRLEN large", .reply = ":8000"},
        {.reply = "+OK", .before = give_room, .again = true},
        {.request = "SET safe 2", .reply = "+OK"},
    };
    static const struct step after[] = {{.request = "GET safe", .reply = "$1\r\n2"}};

    cr_assert(eq(i32, ASK(steps), 0));
    cr_assert(eq(i32, ASK(after), 0));
}

/* ------------------------------------------------------------------ the end */

/* An end in order does not wait for a snapshot, which may take long and is not needed. */
Test(trouble, ends_without_the_snapshot_that_is_under_way, .init = set_up,
     .fini = tear_down)
{
    static const struct step steps[] = {
        {.request = "SETRANGE a 700000 x", .reply = ":700001"},
        {.request = "SETRANGE b 700000 x", .reply = ":700001"},
        {.request = "BGSAVE", .reply = "+Background saving started"},
    };
    static const struct step after[] = {{.request = "STRLEN b", .reply = ":700001"}};
    struct tp_statx statx;

    cr_assert(eq(i32, ASK(steps), 0));
    cr_assert(eq(i32, tp_disk_stat(disk, "/data/snapshot", false, &statx), -ENOENT));
    cr_assert(eq(i32, ASK(after), 0));
}

/* A snapshot that failed is no failure of the server's that ends later. */
Test(trouble, ends_well_after_a_snapshot_that_failed, .init = set_up, .fini = tear_down)
{
    static const struct step steps[] = {
        {.request = "SET a 1", .reply = "+OK"},
        {.request = "SAVE", .reply = "+OK"},
        {.request = "SAVE", .reply = "-ERR the snapshot", .before = fail_the_next_rename},
        {.request = "SET a 2", .reply = "+OK"},
    };

    cr_assert(eq(i32, ASK(steps), 0));
}

/* ------------------------------------------------------------------ memory */

static void expect_little_kept(void)
{
    cr_assert(le(u32, server.reply.capacity, 1 << 20));
}

Test(trouble, of_a_large_reply_is_over_with_it, .init = set_up, .fini = tear_down)
{
    static const struct step steps[] = {
        {.request = "SETRANGE a 700000 x", .reply = ":700001"},
        {.request = "MGET a a a", .reply = "*3\r\n$700001\r\n"},
        {.request = "PING", .reply = "+PONG", .again = true},
        {.request = "PING", .reply = "+PONG", .before = expect_little_kept},
    };

    cr_assert(eq(i32, ASK(steps), 0));
}
