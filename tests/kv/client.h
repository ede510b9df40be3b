/** tests/kv/client.h - a client of the engine that types lines and reads what comes back.
 */
#ifndef TEMPEST_TESTS_KV_CLIENT_H
#define TEMPEST_TESTS_KV_CLIENT_H

#include "tests/kv/fixture.h"

enum { CLIENT_WORDS_MAX = 64, CLIENT_LINE_MAX = 8192 };

struct client {
    struct fixture *fixture;
    struct kv_session session;
    struct kv_reply reply;
    struct kv_result result; /* of the last request */
    char text[CLIENT_LINE_MAX];
};

void client_open(struct client *client, struct fixture *fixture);
void client_close(struct client *client);

/** Executes the words of a line (words.h) once. The reply as a text: line ends are spaces,
 * but the last one, which is left out; "" when nothing was replied. Stays until the next.
 */
const char *client_ask(struct client *client, const char *line);

/** The same with arguments of any bytes. */
const char *client_ask_words(struct client *client, const struct kv_slice *argv,
                             uint32_t argc);

/** Asks, and stops the test unless that is the reply. */
#define expect(client, line, reply) \
    cr_assert_str_eq(client_ask(client, line), reply, "%s", line)

#endif
