#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "io/base.h"

struct server;

struct client {
    uv_tcp_t tcp;
    struct server *server;
    uv_write_t write; /* of what the socket did not take at once */
    uint8_t bytes[BENCH_ECHO_BUF_BYTES];
};

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    uint32_t connections, accepted, ended;
    int error;
    uint8_t scratch[BENCH_ECHO_BUF_BYTES];
    struct client clients[];
};

static void fail(struct server *s, int error)
{
    s->error = error;
    uv_stop(&s->loop);
}

static void on_closed(uv_handle_t *handle)
{
    struct client *c = handle->data;
    struct server *s = c->server;

    if (++s->ended == s->connections)
        uv_stop(&s->loop);
}

static void on_memory(uv_handle_t *handle, size_t size_bytes, uv_buf_t *ret_buf)
{
    const struct client *c = handle->data;

    (void)size_bytes;
    *ret_buf = uv_buf_init((char *)c->server->scratch, BENCH_ECHO_BUF_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);

static void on_written(uv_write_t *write, int status)
{
    struct client *c = write->data;

    if (status == 0)
        status = uv_read_start((uv_stream_t *)&c->tcp, on_memory, on_read);
    if (status < 0)
        fail(c->server, status);
}

/* What the socket does not take at once stops the reading until it has. */
static int write_rest(struct client *c, const char *bytes, uint32_t len)
{
    uv_buf_t rest = uv_buf_init((char *)c->bytes, len);
    int result = uv_read_stop((uv_stream_t *)&c->tcp);

    tp_assert(len <= sizeof c->bytes);
    memcpy(c->bytes, bytes, len);
    c->write.data = c;
    return result < 0 ? result
                      : uv_write(&c->write, (uv_stream_t *)&c->tcp, &rest, 1, on_written);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    uv_buf_t all;
    int result;

    if (count == UV_EOF) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    if (count <= 0) {
        if (count < 0)
            fail(c->server, (int)count);
        return;
    }
    all = uv_buf_init(buf->base, (unsigned)count);
    result = uv_try_write(stream, &all, 1);
    if (result == UV_EAGAIN)
        result = 0;
    if (result >= 0 && result < count)
        result = write_rest(c, buf->base + result, (uint32_t)(count - result));
    if (result < 0)
        fail(c->server, result);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct client *c;

    if (status == 0 && s->accepted == s->connections)
        status = UV_EMFILE;
    if (status < 0) {
        fail(s, status);
        return;
    }
    c = &s->clients[s->accepted++];
    c->server = s;
    c->tcp.data = c;
    status = uv_tcp_init(&s->loop, &c->tcp);
    if (status == 0)
        status = uv_accept(listener, (uv_stream_t *)&c->tcp);
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&c->tcp, on_memory, on_read);
    if (status < 0)
        fail(s, status);
}

static int listen_all(struct server *s, const struct bench_echo *echo)
{
    int fd = bench_echo_listen(echo);
    int result = fd < 0 ? fd : uv_tcp_init(&s->loop, &s->listener);

    if (result < 0) {
        if (fd >= 0)
            (void)close(fd);
        return result;
    }
    s->listener.data = s;
    result = uv_tcp_open(&s->listener, fd);
    return result < 0 ? result
                      : uv_listen((uv_stream_t *)&s->listener, (int)echo->connections,
                                  on_connection);
}

static void close_walked(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

int bench_echo_uv(const struct bench_echo *echo)
{
    struct server *s = calloc(1, sizeof *s + echo->connections * sizeof s->clients[0]);
    int result;

    if (s == NULL)
        return -ENOMEM;
    s->connections = echo->connections;
    result = uv_loop_init(&s->loop);
    if (result < 0) {
        free(s);
        return result;
    }
    result = listen_all(s, echo);
    if (result == 0) {
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
        result = s->error;
    }
    uv_walk(&s->loop, close_walked, NULL);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s->loop);
    free(s);
    return result;
}
