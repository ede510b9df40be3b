/** tests/fuzz/kv_requests.c - bytes of strangers as connections to the engine of
 * tempest-kv.
 *
 * The first byte says how the streams are split. Then what the bytes 0xfe and one more
 * stand between is sent, on one of three connections; the byte behind 0xfe is what happens
 * then: another connection, time passes, the log refuses.
 *
 * Wrong is: anything that stops the program; a reply that is not well-formed, or not one
 * for a request; another outcome when the same bytes are split otherwise; a record that
 * cannot be read; records that do not add up to what the store holds.
 */
#include <errno.h>

#include "apps/kv/grow.h"
#include "apps/kv/number.h"
#include "apps/kv/resp.h"
#include "io/hash.h"
#include "tests/fuzz/target.h"
#include "tests/kv/fixture.h"

enum {
    CONNECTIONS = 3,
    EVENT = 0xfe,
    REPLY_MAX = 1 << 20,
    AGAIN_MAX = 100, /* times that a request can come again */
};

struct connection {
    struct kv_session session;
    struct kv_resp resp;
    struct kv_reply reply;
    uint8_t *input;
    uint32_t len, capacity;
    bool closed;
};

struct world {
    struct fixture fixture;
    struct connection connections[CONNECTIONS];
    uint64_t hash; /* of all replies */
};

/* ------------------------------------------------------------------ replies */

/* Behind the line that begins at `at`. */
static uint32_t line_end(struct kv_slice bytes, uint32_t at)
{
    while (at + 1 < bytes.len &&
           !(bytes.bytes[at] == '\r' && bytes.bytes[at + 1] == '\n')) {
        tp_assert(bytes.bytes[at] != '\r' && bytes.bytes[at] != '\n');
        at++;
    }
    tp_assert(at + 1 < bytes.len);
    return at + 2;
}

static int64_t count_of(struct kv_slice bytes, uint32_t at, uint32_t end)
{
    int64_t count;
    bool whole = kv_number_parse(kv_slice_of(bytes.bytes + at + 1, end - at - 3), &count);

    tp_assert(whole);
    return count;
}

/* Behind the value that begins at `at`, which must be well-formed. */
static uint32_t value_end(struct kv_slice bytes, uint32_t at, uint8_t version)
{
    uint32_t end = line_end(bytes, at);
    uint8_t type = bytes.bytes[at];
    int64_t count;

    if (type == '+' || type == '-')
        return end;
    if (type == '_') {
        tp_assert(version == KV_RESP3 && end == at + 3);
        return end;
    }
    count = count_of(bytes, at, end);
    if (type == ':')
        return end;
    if (type == '$' || type == '=') {
        if (count < 0)
            return end;
        tp_assert((uint64_t)count + 2 <= bytes.len - end);
        end += (uint32_t)count;
        tp_assert(bytes.bytes[end] == '\r' && bytes.bytes[end + 1] == '\n');
        return end + 2;
    }
    tp_assert(type == '*' || (version == KV_RESP3 && (type == '%' || type == '~')));
    for (int64_t i = 0; i < (type == '%' ? 2 * count : count); i++)
        end = value_end(bytes, end, version);
    return end;
}

/* ------------------------------------------------------------------ a request */

static void execute(struct world *world, struct connection *connection)
{
    struct kv_reply *reply = &connection->reply;
    struct kv_result result = {.outcome = KV_AGAIN};
    struct kv_slice bytes;
    uint8_t version;

    reply->len = 0;
    for (uint32_t i = 0; result.outcome != KV_DONE; i++) {
        tp_assert(i < AGAIN_MAX);
        kv_execute(&world->fixture.engine, &connection->session, connection->resp.argv,
                   connection->resp.argc, reply, &result);
        tp_assert(result.outcome == KV_DONE || reply->len == 0);
    }
    tp_assert(result.lsn <= world->fixture.lsn && world->fixture.reserved == 0);
    connection->closed |= result.close || result.shutdown != KV_STAY;
    bytes = kv_slice_of(reply->bytes, reply->len);
    /* The version may change within a transaction. */
    version = reply->version > connection->session.version ? reply->version
                                                           : connection->session.version;
    if (bytes.len > 0 && memchr(bytes.bytes, '_', bytes.len) != NULL)
        version = KV_RESP3;
    if (bytes.len > 0)
        tp_assert(value_end(bytes, 0, version) == bytes.len);
    else
        tp_assert(connection->closed || connection->resp.argc == 0);
    world->hash = tp_hash(bytes.bytes, bytes.len, world->hash);
}

/* Whatever of it is whole. */
static void serve(struct world *world, struct connection *connection)
{
    enum kv_resp_status status = KV_RESP_REQUEST;
    uint32_t used = 0;

    while (status == KV_RESP_REQUEST && !connection->closed) {
        connection->resp.limits.argument_max = world->fixture.engine.config.argument_max;
        status = kv_resp_read(&connection->resp, connection->input + used,
                              connection->len - used);
        if (status == KV_RESP_WRONG) {
            world->hash = tp_hash(connection->resp.error, strlen(connection->resp.error),
                                  world->hash);
            connection->closed = true;
        } else if (status == KV_RESP_REQUEST) {
            execute(world, connection);
            used += connection->resp.used;
            kv_resp_next(&connection->resp);
        }
    }
    connection->len -= used;
    if (used > 0)
        memmove(connection->input, connection->input + used, connection->len);
}

static void open_connection(struct world *world, struct connection *connection)
{
    struct kv_resp_limits limits = {.args_max = KV_RESP_ARGS_MAX};

    kv_session_open(&world->fixture.engine, &connection->session);
    kv_resp_init(&connection->resp, &limits);
    connection->closed = false;
    connection->len = 0;
}

static void close_connection(struct world *world, struct connection *connection)
{
    kv_session_close(&world->fixture.engine, &connection->session);
    kv_resp_deinit(&connection->resp);
}

/* What comes behind the end of a connection is lost. */
static void receive(struct world *world, struct connection *connection,
                    const uint8_t *bytes, size_t len)
{
    if (connection->closed)
        return;
    connection->input = kv_grow(connection->input, &connection->capacity,
                                (uint64_t)connection->len + len, 1);
    memcpy(connection->input + connection->len, bytes, len);
    connection->len += (uint32_t)len;
    serve(world, connection);
}

/* ------------------------------------------------------------------ the world */

static void init(struct world *world, bool with_replica)
{
    *world = (struct world){.hash = 0};
    fixture_init(&world->fixture, &(struct fixture_config){.with_replica = with_replica});
    world->fixture.engine.config.argument_max = KV_ARGUMENT_MAX_MIN;
    world->fixture.engine.config.reply_max = REPLY_MAX;
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        open_connection(world, &world->connections[i]);
}

static void deinit(struct world *world)
{
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        close_connection(world, &world->connections[i]);
        kv_reply_deinit(&world->connections[i].reply);
        free(world->connections[i].input);
    }
    fixture_deinit(&world->fixture);
}

/* What a byte behind EVENT stands for. */
static void happen(struct world *world, uint8_t event)
{
    static const int32_t refusals[] = {-EAGAIN, -ENOSPC, -EIO, 0};
    struct kv_engine *engine = &world->fixture.engine;
    int64_t ms = (int64_t)1 << (event & 0x1f);

    if (event < 0x40) {
        kv_engine_set_clock(engine, engine->wall_us + ms * 1000, engine->clock_ms + ms);
    } else if (event < 0x80) {
        world->fixture.refusal = refusals[event & 3];
        world->fixture.refuse_in = event >> 2 & 7;
        world->fixture.refuse_on = world->fixture.refusal != -EAGAIN && (event & 0x20);
    } else if (event < 0xc0) {
        (void)kv_engine_expire(engine, event & 0x1f);
        (void)kv_store_work(world->fixture.store, event & 0x1f);
    }
}

/* The whole input, in pieces of so many bytes. The hash of all that came of it. */
static uint64_t run(const uint8_t *bytes, size_t len, size_t piece)
{
    static struct world world;
    uint32_t current = 0;
    uint64_t hash;

    init(&world, piece < len);
    for (size_t at = 0; at < len;) {
        const uint8_t *event = memchr(bytes + at, EVENT, len - at);
        size_t end = event == NULL ? len : (size_t)(event - bytes);

        while (at < end) {
            size_t part = end - at < piece ? end - at : piece;

            receive(&world, &world.connections[current], bytes + at, part);
            at += part;
        }
        if (world.connections[current].closed) {
            close_connection(&world, &world.connections[current]);
            open_connection(&world, &world.connections[current]);
        }
        if (end + 1 < len) {
            happen(&world, bytes[end + 1]);
            current = bytes[end + 1] % CONNECTIONS;
        }
        at = end + 2;
    }
    tp_assert(world.fixture.replica == NULL || fixture_replica_agrees(&world.fixture));
    hash = tp_hash_words(
        (const uint64_t[]){world.hash, fixture_digest(world.fixture.store)}, 2, 0);
    deinit(&world);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint64_t whole, split;

    if (len < 2)
        return 0;
    split = run(bytes + 1, len - 1, bytes[0] % 32 + 1);
    whole = run(bytes + 1, len - 1, len);
    tp_assert(split == whole);
    return 0;
}
