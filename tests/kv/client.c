#include "tests/kv/client.h"

#include "apps/kv/words.h"

void client_open(struct client *client, struct fixture *fixture)
{
    *client = (struct client){.fixture = fixture};
    kv_session_open(&fixture->engine, &client->session);
}

void client_close(struct client *client)
{
    kv_session_close(&client->fixture->engine, &client->session);
    kv_reply_deinit(&client->reply);
}

/* What was replied, as one line. */
static const char *text_of(struct client *client)
{
    uint32_t len = client->reply.len < sizeof client->text
                       ? client->reply.len
                       : (uint32_t)sizeof client->text - 1;
    uint32_t at = 0;

    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = client->reply.bytes[i];

        if (byte == '\r' && i + 1 < len && client->reply.bytes[i + 1] == '\n')
            continue;
        if (byte == '\n' && i > 0 && client->reply.bytes[i - 1] == '\r')
            byte = ' ';
        client->text[at++] = (char)(byte == '\0' ? (uint8_t)'0' : byte);
    }
    client->text[at > 0 ? at - 1 : 0] = '\0';
    return client->text;
}

const char *client_ask_words(struct client *client, const struct kv_slice *argv,
                             uint32_t argc)
{
    client->reply.len = 0;
    kv_execute(&client->fixture->engine, &client->session, argv, argc, &client->reply,
               &client->result);
    tp_assert(client->fixture->reserved == 0);
    tp_assert(client->result.lsn <= client->fixture->lsn);
    tp_assert(client->result.outcome == KV_DONE || client->reply.len == 0);
    return text_of(client);
}

const char *client_ask(struct client *client, const char *line)
{
    uint8_t memory[CLIENT_LINE_MAX];
    struct kv_slice words[CLIENT_LINE_MAX / 2 + 1];
    uint32_t count;

    tp_assert(strlen(line) < sizeof memory);
    if (!kv_words_split(kv_slice_text(line), memory, words, &count))
        tp_stop(__FILE__, __LINE__, "a line with a quote that is not closed");
    return client_ask_words(client, words, count);
}
