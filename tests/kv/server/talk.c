#include "tests/kv/server/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/kv/sim/answer.h"
#include "io/base.h"

static bool connect_to(struct talk *talk, int domain, const void *address, socklen_t len)
{
    talk->start = talk->end = 0;
    talk->fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tp_assert(talk->fd >= 0);
    if (connect(talk->fd, address, len) == 0)
        return true;
    talk_close(talk);
    return false;
}

bool talk_open(struct talk *talk, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    if (!connect_to(talk, AF_INET, &address, sizeof address))
        return false;
    (void)setsockopt(talk->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
}

bool talk_open_v6(struct talk *talk, uint16_t port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(port),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    return connect_to(talk, AF_INET6, &address, sizeof address);
}

bool talk_open_unix(struct talk *talk, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    tp_assert(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    return connect_to(talk, AF_UNIX, &address, sizeof address);
}

void talk_close(struct talk *talk)
{
    if (talk->fd >= 0)
        (void)close(talk->fd);
    talk->fd = -1;
}

bool talk_send(struct talk *talk, const void *bytes, uint32_t len)
{
    uint32_t sent = 0;

    while (sent < len) {
        ssize_t count =
            send(talk->fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);

        if (count < 0)
            return false;
        sent += (uint32_t)count;
    }
    return true;
}

bool talk_say(struct talk *talk, const char *text)
{
    return talk_send(talk, text, (uint32_t)strlen(text));
}

/* Waits for more bytes; false at the end. */
static bool receive(struct talk *talk)
{
    ssize_t count;

    if (talk->start > 0) {
        memmove(talk->in, talk->in + talk->start, talk->end - talk->start);
        talk->end -= talk->start;
        talk->start = 0;
    }
    tp_assert(talk->end < TALK_BYTES);
    count = recv(talk->fd, talk->in + talk->end, TALK_BYTES - talk->end, 0);
    if (count <= 0)
        return false;
    talk->end += (uint32_t)count;
    return true;
}

__attribute__((__format__(__printf__, 3, 4))) static void
add(struct talk *talk, size_t *len, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *len +=
        (size_t)vsnprintf(talk->text + *len, sizeof talk->text - *len, format, arguments);
    va_end(arguments);
    tp_assert(*len < sizeof talk->text);
}

static bool read_value(struct talk *talk, size_t *len)
{
    struct kv_answer answer;

    do {
        answer = kv_answer_read(talk->in + talk->start, talk->end - talk->start);
    } while (answer.kind == KV_ANSWER_MORE && receive(talk));
    talk->start += answer.used;
    switch (answer.kind) {
    case KV_ANSWER_MORE:
    case KV_ANSWER_WRONG:
        return false;
    case KV_ANSWER_STATUS:
    case KV_ANSWER_ERROR:
        add(talk, len, "%c%.*s", answer.kind == KV_ANSWER_ERROR ? '-' : '+',
            (int)answer.text.len, (const char *)answer.text.bytes);
        return true;
    case KV_ANSWER_NUMBER:
        add(talk, len, ":%lld", (long long)answer.number);
        return true;
    case KV_ANSWER_STRING:
        add(talk, len, "%.*s", (int)answer.text.len, (const char *)answer.text.bytes);
        return true;
    case KV_ANSWER_NULL:
        add(talk, len, "(nil)");
        return true;
    case KV_ANSWER_ARRAY:
        add(talk, len, "[");
        for (int64_t i = 0; i < answer.number; i++) {
            if (i > 0)
                add(talk, len, " ");
            if (!read_value(talk, len))
                return false;
        }
        add(talk, len, "]");
        return true;
    }
    return false;
}

char *talk_read(struct talk *talk)
{
    size_t len = 0;

    talk->text[0] = '\0';
    if (!read_value(talk, &len)) {
        len = 0;
        add(talk, &len, "(end)");
    }
    return talk->text;
}

char *talk_ask(struct talk *talk, const char *line)
{
    (void)talk_say(talk, line);
    (void)talk_say(talk, "\r\n");
    return talk_read(talk);
}

char *talk_askf(struct talk *talk, const char *format, ...)
{
    static char line[TALK_TEXT];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    tp_assert(len >= 0 && (size_t)len < sizeof line);
    return talk_ask(talk, line);
}
