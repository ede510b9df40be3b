/** tests/kv/server/talk.h - a client that asks and waits for the answer, over a socket.
 *
 * Replies as text, so that a test can say what it wants: "+OK", "-ERR ...", ":7", "hello",
 * "(nil)", "[a b]". Whatever a test does not expect to fail ends the program.
 */
#ifndef TEMPEST_TESTS_KV_SERVER_TALK_H
#define TEMPEST_TESTS_KV_SERVER_TALK_H

#include <stdbool.h>
#include <stdint.h>

enum { TALK_BYTES = 1 << 20, TALK_TEXT = 64 << 10 };

struct talk {
    int fd; /* -1: not connected */
    uint32_t start, end;
    uint8_t in[TALK_BYTES];
    char text[TALK_TEXT];
};

/** Connects to 127.0.0.1, or to ::1. False: refused. */
bool talk_open(struct talk *talk, uint16_t port);
bool talk_open_v6(struct talk *talk, uint16_t port);
bool talk_open_unix(struct talk *talk, const char *path);
void talk_close(struct talk *talk);

/** Sends bytes, all of them. False: the other side has gone. */
bool talk_send(struct talk *talk, const void *bytes, uint32_t len);

/** The same of a text. */
bool talk_say(struct talk *talk, const char *text);

/** Waits for one reply; "(end)" when there is none any more. Valid until the next call. */
char *talk_read(struct talk *talk);

/** Sends a line of words, and waits for its reply. */
char *talk_ask(struct talk *talk, const char *line);

/** The same with a printf format. */
__attribute__((__format__(__printf__, 2, 3))) char *talk_askf(struct talk *talk,
                                                              const char *format, ...);

#endif
