/** GET, SET and their kin: whole values. */
#include "apps/kv/commands.h"
#include "apps/kv/expiry_argument.h"

/* ------------------------------------------------------------------ reading */

static void reply_value(struct kv_call *call, struct kv_slice key)
{
    struct kv_view view;

    if (kv_call_read(call, key, &view))
        kv_reply_bulk(call->reply, view.value);
    else
        kv_reply_null(call->reply);
}

void kv_cmd_get(struct kv_call *call)
{
    reply_value(call, call->argv[1]);
}

void kv_cmd_mget(struct kv_call *call)
{
    kv_reply_array(call->reply, call->argc - 1);
    for (uint32_t i = 1; i < call->argc && !call->reply->overflown; i++)
        reply_value(call, call->argv[i]);
}

/* ------------------------------------------------------------------ SET */

/* Which options a command has, and was given. */
enum option {
    NX = 1 << 0,
    XX = 1 << 1,
    GET = 1 << 2,
    KEEPTTL = 1 << 3,
    PERSIST = 1 << 4,
    EX = 1 << 5,
    PX = 1 << 6,
    EXAT = 1 << 7,
    PXAT = 1 << 8,
    TIMES = EX | PX | EXAT | PXAT,
    OF_SET = NX | XX | GET | KEEPTTL | TIMES,
    OF_GETEX = PERSIST | TIMES,
};

struct options {
    uint32_t given;
    uint32_t time_index; /* of the argument behind the option of time; 0: none */
};

/* What an option excludes; of GETEX and SET alike. */
static const struct option_row {
    const char *word;
    enum option option;
    uint32_t excluded;
} option_rows[] = {
    {"nx", NX, XX},
    {"xx", XX, NX},
    {"get", GET, 0},
    {"keepttl", KEEPTTL, PERSIST | TIMES},
    {"persist", PERSIST, KEEPTTL | TIMES},
    {"ex", EX, KEEPTTL | PERSIST | (TIMES & ~(uint32_t)EX)},
    {"px", PX, KEEPTTL | PERSIST | (TIMES & ~(uint32_t)PX)},
    {"exat", EXAT, KEEPTTL | PERSIST | (TIMES & ~(uint32_t)EXAT)},
    {"pxat", PXAT, KEEPTTL | PERSIST | (TIMES & ~(uint32_t)PXAT)},
};

static const struct option_row *find_option(struct kv_slice word, uint32_t known)
{
    for (uint32_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        if ((option_rows[i].option & known) && kv_slice_is(word, option_rows[i].word))
            return &option_rows[i];
    }
    return NULL;
}

/* Reads the options from argument `index` on; false has been replied. */
static bool read_options(struct kv_call *call, uint32_t index, uint32_t known,
                         struct options *ret_options)
{
    struct options options = {.given = 0};

    for (; index < call->argc; index++) {
        const struct option_row *row = find_option(call->argv[index], known);

        if (row == NULL || (options.given & row->excluded) ||
            ((row->option & TIMES) && index + 1 == call->argc)) {
            kv_call_syntax_error(call);
            return false;
        }
        options.given |= row->option;
        if (row->option & TIMES)
            options.time_index = ++index;
    }
    *ret_options = options;
    return true;
}

/* The time that the options say, if any; false has been replied. */
static bool read_time(struct kv_call *call, const struct options *options,
                      int64_t *expire_ms)
{
    struct kv_expiry_argument argument = {
        .seconds = (options->given & (EX | EXAT)) != 0,
        .relative = (options->given & (EX | PX)) != 0,
        .positive = true,
    };

    if (options->time_index == 0)
        return true;
    return kv_expiry_argument(call, options->time_index, argument, expire_ms);
}

/* A value that is past its expiry when it is set is set and gone. */
static void set(struct kv_call *call, struct kv_slice key, struct kv_slice value,
                int64_t expire_ms)
{
    struct kv_view view;

    if (expire_ms == 0 || expire_ms >= call->engine->now_ms) {
        kv_call_set(call, key, value, expire_ms);
        return;
    }
    kv_watches_touch(&call->engine->watches, call->session->db, key);
    if (kv_call_get(call, key, &view))
        kv_call_delete(call, key);
}

void kv_cmd_set(struct kv_call *call)
{
    struct kv_slice key = call->argv[1], value = call->argv[2];
    struct options options;
    struct kv_view view = {.expire_ms = 0};
    int64_t expire_ms = 0;
    bool found = false, refused;

    if (!read_options(call, 3, OF_SET, &options) || !read_time(call, &options, &expire_ms))
        return;
    if (options.given & (NX | XX | GET | KEEPTTL))
        found = kv_call_get(call, key, &view);
    refused = ((options.given & NX) && found) || ((options.given & XX) && !found);
    if ((options.given & GET) && found)
        kv_reply_bulk(call->reply, view.value);
    else if ((options.given & GET) || refused)
        kv_reply_null(call->reply);
    if (refused)
        return;
    if (options.given & KEEPTTL)
        expire_ms = view.expire_ms;
    set(call, key, value, expire_ms);
    if (!(options.given & GET))
        kv_reply_ok(call->reply);
}

void kv_cmd_setnx(struct kv_call *call)
{
    struct kv_view view;
    bool found = kv_call_get(call, call->argv[1], &view);

    if (!found)
        kv_call_set(call, call->argv[1], call->argv[2], 0);
    kv_reply_integer(call->reply, found ? 0 : 1);
}

static void set_for(struct kv_call *call, bool seconds)
{
    struct kv_expiry_argument argument = {
        .seconds = seconds, .relative = true, .positive = true};
    int64_t expire_ms;

    if (!kv_expiry_argument(call, 2, argument, &expire_ms))
        return;
    set(call, call->argv[1], call->argv[3], expire_ms);
    kv_reply_ok(call->reply);
}

void kv_cmd_setex(struct kv_call *call)
{
    set_for(call, true);
}

void kv_cmd_psetex(struct kv_call *call)
{
    set_for(call, false);
}

/* ------------------------------------------------------------------ doing both */

void kv_cmd_getset(struct kv_call *call)
{
    struct kv_view view;

    if (kv_call_read(call, call->argv[1], &view))
        kv_reply_bulk(call->reply, view.value);
    else
        kv_reply_null(call->reply);
    kv_call_set(call, call->argv[1], call->argv[2], 0);
}

void kv_cmd_getdel(struct kv_call *call)
{
    struct kv_view view;

    if (kv_call_read(call, call->argv[1], &view)) {
        kv_reply_bulk(call->reply, view.value);
        kv_call_delete(call, call->argv[1]);
    } else {
        kv_reply_null(call->reply);
    }
}

void kv_cmd_getex(struct kv_call *call)
{
    struct kv_slice key = call->argv[1];
    struct kv_effect effect;
    struct options options;
    struct kv_view view;
    int64_t expire_ms = 0;

    if (!read_options(call, 2, OF_GETEX, &options))
        return;
    if (!kv_call_read(call, key, &view)) {
        kv_reply_null(call->reply);
        return;
    }
    if (!read_time(call, &options, &expire_ms))
        return;
    kv_reply_bulk(call->reply, view.value);
    if (options.time_index > 0 && expire_ms <= call->engine->now_ms) {
        kv_call_delete(call, key);
    } else if (options.time_index > 0 ||
               ((options.given & PERSIST) && view.expire_ms != 0)) {
        effect = kv_effect_expire(call->session->db, key, expire_ms);
        kv_call_apply(call, &effect);
    }
}

/* ------------------------------------------------------------------ several at once */

static bool pairs_are_even(struct kv_call *call)
{
    if (call->argc % 2 == 1)
        return true;
    kv_call_arity_error(call);
    return false;
}

static void set_pairs(struct kv_call *call)
{
    for (uint32_t i = 1; i < call->argc; i += 2)
        kv_call_set(call, call->argv[i], call->argv[i + 1], 0);
}

void kv_cmd_mset(struct kv_call *call)
{
    if (!pairs_are_even(call))
        return;
    set_pairs(call);
    kv_reply_ok(call->reply);
}

void kv_cmd_msetnx(struct kv_call *call)
{
    struct kv_view view;
    bool found = false;

    if (!pairs_are_even(call))
        return;
    for (uint32_t i = 1; i < call->argc && !found; i += 2)
        found = kv_call_get(call, call->argv[i], &view);
    if (!found)
        set_pairs(call);
    kv_reply_integer(call->reply, found ? 0 : 1);
}
