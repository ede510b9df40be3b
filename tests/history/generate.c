#include "tests/history/generate.h"

#include <stdio.h>
#include <string.h>

#include "io/virtual/random.h"

enum { CLIENTS_MAX = 16, KEYS_MAX = 8, TEXT = 24 };

/* A value that a key held or holds, and the write that made it. Moments count from 1. */
struct written {
    char text[TEXT];            /* unlike every other value; "": nil, which nobody writes */
    uint32_t invoked, returned; /* 0: not */
};

struct key {
    struct written now, before; /* `before` is what `now` replaced */
    uint32_t seen_at;           /* when a read that saw `now` returned; 0: not */
    uint32_t lost_at;           /* `now` came back because the one after it was lost */
};

struct client {
    enum { IDLE, ASKED, APPLIED } state;
    enum tp_history_kind kind;
    char value[TEXT], expected[TEXT], result[TEXT];
    uint32_t key, invoked;
    bool blind;    /* nobody learns the outcome */
    bool pretends; /* this cas will say true, whatever it finds */
};

struct run {
    const struct generate *how;
    struct tp_history *history;
    struct tp_rng rng;
    struct client clients[CLIENTS_MAX];
    struct key keys[KEYS_MAX];
    uint32_t moment, invoked;
    bool planted;
};

static uint64_t below(struct run *run, uint64_t bound)
{
    return tp_rng_below(&run->rng, bound);
}

static struct tp_value value_of(const char *text)
{
    return text[0] == '\0' ? (struct tp_value){NULL, 0, false} : tp_value_text(text);
}

/* Whether `before` was complete when the write of `now` began, so that no order has them
 * the other way round. */
static bool in_turn(const struct key *key)
{
    return key->before.returned != 0 && key->before.returned < key->now.invoked;
}

/* Whether `now` was complete as well at this moment: `before` is past then. */
static bool is_past(const struct key *key, uint32_t moment)
{
    return in_turn(key) && key->now.returned != 0 && key->now.returned < moment;
}

static bool may_plant(const struct run *run, const struct client *client, enum wrong wrong)
{
    return run->how->wrong == wrong && !run->planted && !client->blind;
}

static void ask(struct run *run, uint32_t number)
{
    struct client *client = &run->clients[number];
    uint64_t what = below(run, 8);
    char key_text[TEXT];
    struct tp_history_call call;
    const struct key *key;
    int error;

    memset(client, 0, sizeof *client);
    client->key = (uint32_t)below(run, run->how->keys);
    client->invoked = run->moment;
    client->blind =
        run->how->unknown_one_in > 0 && below(run, run->how->unknown_one_in) == 0;
    client->kind = what < 4 ? TP_HISTORY_GET : what < 7 ? TP_HISTORY_PUT : TP_HISTORY_CAS;
    key = &run->keys[client->key];
    (void)snprintf(client->value, TEXT, "v%u", run->invoked++);
    memcpy(client->expected, key->now.text, TEXT);
    if (client->kind == TP_HISTORY_CAS && may_plant(run, client, WRONG_CAS) &&
        is_past(key, run->moment)) {
        memcpy(client->expected, key->before.text, TEXT);
        client->pretends = run->planted = true;
    }
    (void)snprintf(key_text, TEXT, "k%u", client->key);
    call = (struct tp_history_call){client->kind, tp_value_text(key_text),
                                    value_of(client->expected), value_of(client->value)};
    error = tp_history_invoke(run->history, number, run->moment, &call);
    tp_assert(error == 0);
    client->state = ASKED;
}

/* What a read gives, right or, where it can be proved wrong, wrong. */
static const char *read_now(struct run *run, const struct client *client)
{
    const struct key *key = &run->keys[client->key];
    bool sees_past = false;

    if (may_plant(run, client, WRONG_UNWRITTEN)) {
        run->planted = true;
        return "nobody";
    }
    if (may_plant(run, client, WRONG_STALE_READ))
        sees_past = is_past(key, client->invoked);
    else if (may_plant(run, client, WRONG_REORDERED))
        sees_past = in_turn(key) && key->seen_at != 0 && key->seen_at < client->invoked;
    else if (may_plant(run, client, WRONG_LOST_WRITE) && key->lost_at != 0 &&
             key->lost_at < client->invoked)
        run->planted = true; /* it was lost before, and this read tells */
    if (sees_past)
        run->planted = true;
    return sees_past ? key->before.text : key->now.text;
}

static void apply(struct run *run, struct client *client)
{
    struct key *key = &run->keys[client->key];
    bool writes = client->kind == TP_HISTORY_PUT;

    client->state = APPLIED;
    if (client->blind && below(run, 2) == 0)
        return; /* the request never arrived */
    if (client->kind == TP_HISTORY_GET)
        (void)snprintf(client->result, TEXT, "%s", read_now(run, client));
    if (client->kind == TP_HISTORY_CAS) {
        writes = client->pretends || strcmp(client->expected, key->now.text) == 0;
        (void)snprintf(client->result, TEXT, "%s", writes ? "true" : "");
    }
    if (!writes)
        return;
    key->before = key->now;
    key->now = (struct written){.invoked = client->invoked};
    memcpy(key->now.text, client->value, TEXT);
    key->seen_at = key->lost_at = 0;
}

static void answer(struct run *run, uint32_t number)
{
    struct client *client = &run->clients[number];
    struct key *key = &run->keys[client->key];
    bool is_read = client->kind == TP_HISTORY_GET;
    const char *shown = is_read ? client->result : client->value;
    int error = tp_history_return(run->history, number, run->moment,
                                  client->blind ? TP_HISTORY_UNKNOWN : TP_HISTORY_OK,
                                  value_of(client->result));

    tp_assert(error == 0);
    client->state = IDLE;
    if (client->blind || strcmp(shown, key->now.text) != 0)
        return;
    if (is_read) {
        key->seen_at = run->moment;
        return;
    }
    key->now.returned = run->moment;
    if (may_plant(run, client, WRONG_LOST_WRITE) && in_turn(key)) {
        key->now = key->before;
        key->before = (struct written){.returned = 0};
        key->lost_at = run->moment;
    }
}

struct tp_history *generate(const struct generate *how, bool *ret_planted)
{
    struct run run = {.how = how, .rng = tp_rng_make(how->seed, 77)};
    int error = tp_history_create(NULL, &run.history);

    tp_assert(error == 0);
    tp_assert(how->clients <= CLIENTS_MAX && how->keys <= KEYS_MAX);
    while (run.invoked < how->operations) {
        uint32_t number = (uint32_t)below(&run, how->clients);
        struct client *client = &run.clients[number];

        run.moment++;
        if (client->state == IDLE)
            ask(&run, number);
        else if (client->state == ASKED)
            apply(&run, client);
        else
            answer(&run, number);
    }
    for (uint32_t i = 0; i < how->clients; i++) { /* some are left without an answer */
        run.moment++;
        if (run.clients[i].state == APPLIED)
            answer(&run, i);
    }
    *ret_planted = run.planted;
    return run.history;
}
