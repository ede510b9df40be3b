#include "order.h"

#include <string.h>

enum { HEAD = 0, STOP_EVERY = 4096 };

/* An operation that was taken out, and what was so before. */
struct frame {
    uint32_t op;
    uint32_t state;
    uint32_t known_words, unknown_words;
};

struct search {
    const struct tp_order_part *part;
    struct tp_order_limits *limits;
    struct tp_byteset states, tried;
    uint8_t *memory; /* all that follows */
    uint64_t memory_bytes;

    /* The list: node i + 1 is the event at place i, node 0 the head. */
    uint32_t node_count;
    uint32_t *next, *before;

    /* Operations: those that returned in the order of returns, then the unknown ones. */
    uint32_t op_count, known_count;
    uint32_t *op_of;   /* of the history */
    uint32_t *op_at;   /* of a node */
    uint32_t *calls;   /* nodes */
    uint32_t *returns; /* nodes; HEAD: unknown */
    uint32_t *twins;   /* the equal unknown one before; TP_ORDER_NONE: none */

    /* What is out. Words from *_words on are zero; words below low_word are all ones. */
    uint64_t *known, *unknown;
    uint32_t known_words, unknown_words, low_word;
    uint32_t known_left;

    struct frame *frames;
    uint32_t depth;
    uint8_t *key;  /* of the cache */
    uint8_t *room; /* for a state that is being made */
    uint32_t state;
    uint32_t furthest; /* node of the return that no order came past */
};

static const struct tp_history_op *history_op(const struct search *search, uint32_t op)
{
    tp_assert(op < search->op_count);
    return tp_history_op(search->part->history, search->op_of[op]);
}

/* A bound was reached. */
static bool give_up(struct search *search, const char *bound)
{
    search->limits->bound = bound;
    return false;
}

/* ------------------------------------------------------------------ the list */

/* Numbers the operations; `local` is what the part lends. */
static void number_ops(struct search *search)
{
    const struct tp_order_part *part = search->part;

    for (uint32_t i = 0; i < part->count; i++) {
        struct tp_history_event event = tp_history_event(part->history, part->events[i]);

        search->op_count += !event.is_return;
        if (event.is_return)
            part->local[event.op] = search->known_count++;
    }
    search->node_count = part->count + 1;
}

/* The operations' numbers are lent to one search at a time. */
static void forget_ops(const struct tp_order_part *part)
{
    for (uint32_t i = 0; i < part->count; i++)
        part->local[tp_history_event(part->history, part->events[i]).op] = TP_ORDER_NONE;
}

/* A piece of `memory` from `*at` on; with NULL only counted. */
static void *carve(uint8_t *memory, uint64_t *at, uint64_t size_bytes)
{
    uint8_t *piece = memory != NULL ? memory + *at : NULL;

    *at += (size_bytes + 15) & ~UINT64_C(15);
    return piece;
}

/* Lays all arrays out in `memory`. Result: how much they take. */
static uint64_t lay_out(struct search *search, uint8_t *memory)
{
    uint64_t nodes = search->node_count;
    uint64_t ops = (uint64_t)search->op_count + 1;
    uint64_t words = ops / 64 + 2;
    uint64_t at = 0;

    search->known = carve(memory, &at, words * sizeof *search->known);
    search->unknown = carve(memory, &at, words * sizeof *search->unknown);
    search->frames = carve(memory, &at, ops * sizeof *search->frames);
    search->next = carve(memory, &at, nodes * sizeof *search->next);
    search->before = carve(memory, &at, nodes * sizeof *search->before);
    search->op_at = carve(memory, &at, nodes * sizeof *search->op_at);
    search->op_of = carve(memory, &at, ops * sizeof *search->op_of);
    search->calls = carve(memory, &at, ops * sizeof *search->calls);
    search->returns = carve(memory, &at, ops * sizeof *search->returns);
    search->twins = carve(memory, &at, ops * sizeof *search->twins);
    search->key = carve(memory, &at, 16 + words * 16);
    search->room = carve(memory, &at, search->limits->state_bytes_max);
    return at;
}

static void link_nodes(struct search *search)
{
    const struct tp_order_part *part = search->part;
    uint32_t unknown = search->known_count;

    for (uint32_t i = 0; i < part->count; i++) {
        struct tp_history_event event = tp_history_event(part->history, part->events[i]);
        uint32_t node = i + 1;
        uint32_t op;

        if (part->local[event.op] == TP_ORDER_NONE)
            part->local[event.op] = unknown++;
        op = part->local[event.op];
        search->op_at[node] = op;
        if (event.is_return) {
            search->returns[op] = node;
        } else {
            search->calls[op] = node;
            search->op_of[op] = event.op;
        }
        search->before[node] = node - 1;
        search->next[node] = node + 1 < search->node_count ? node + 1 : HEAD;
    }
    search->next[HEAD] = part->count > 0 ? 1 : HEAD;
    tp_assert(unknown == search->op_count);
}

static void unlink_node(struct search *search, uint32_t node)
{
    search->next[search->before[node]] = search->next[node];
    if (search->next[node] != HEAD)
        search->before[search->next[node]] = search->before[node];
}

static void relink_node(struct search *search, uint32_t node)
{
    search->next[search->before[node]] = node;
    if (search->next[node] != HEAD)
        search->before[search->next[node]] = node;
}

/* A number for a value: equal ones have the same; 0 is nil. */
static bool name_value(struct tp_byteset *values, struct tp_value value, uint32_t *ret_name)
{
    *ret_name = 0;
    if (!value.is_some)
        return true;
    if (tp_byteset_add(values, value.bytes, value.len_bytes, ret_name) < 0)
        return false;
    *ret_name += 1;
    return true;
}

/* Finds for each unknown operation the equal one that was invoked before it. The frames are
 * not in use yet; in them is the last operation of each name. */
static bool find_twins(struct search *search, struct tp_byteset *values,
                       struct tp_byteset *names)
{
    for (uint32_t op = 0; op < search->op_count; op++)
        search->twins[op] = TP_ORDER_NONE;
    for (uint32_t op = search->known_count; op < search->op_count; op++) {
        const struct tp_history_call *call = &history_op(search, op)->call;
        uint32_t name[4] = {(uint32_t)call->kind, 0, 0, 0};
        uint32_t number;
        int is_new;

        if (!name_value(values, call->key, &name[1]) ||
            !name_value(values, call->expected, &name[2]) ||
            !name_value(values, call->value, &name[3]))
            return false;
        is_new = tp_byteset_add(names, name, sizeof name, &number);
        if (is_new < 0)
            return false;
        if (is_new == 0)
            search->twins[op] = search->frames[number].op;
        search->frames[number].op = op;
    }
    return true;
}

/* False when there is no memory. */
static bool search_init(struct search *search)
{
    struct tp_budget *budget = &search->limits->budget;
    struct tp_byteset values = {.budget = budget};
    struct tp_byteset names = {.budget = budget};
    bool done;

    search->states.budget = budget;
    search->tried.budget = budget;
    number_ops(search);
    search->memory_bytes = lay_out(search, NULL);
    search->memory = tp_budget_alloc(budget, search->memory_bytes);
    if (search->memory == NULL)
        return false;
    (void)lay_out(search, search->memory);
    link_nodes(search);
    search->known_left = search->known_count;
    done = find_twins(search, &values, &names);
    tp_byteset_clear(&values);
    tp_byteset_clear(&names);
    return done;
}

static void search_deinit(struct search *search)
{
    tp_byteset_clear(&search->states);
    tp_byteset_clear(&search->tried);
    tp_budget_free(&search->limits->budget, search->memory, search->memory_bytes);
    forget_ops(search->part);
}

/* ------------------------------------------------------------------ what is out */

static bool is_out(const struct search *search, uint32_t op)
{
    uint32_t bit = op < search->known_count ? op : op - search->known_count;
    const uint64_t *words = op < search->known_count ? search->known : search->unknown;

    return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static void mark_out(struct search *search, uint32_t op)
{
    bool is_known = op < search->known_count;
    uint32_t bit = is_known ? op : op - search->known_count;
    uint64_t *words = is_known ? search->known : search->unknown;
    uint32_t *used = is_known ? &search->known_words : &search->unknown_words;

    words[bit / 64] |= UINT64_C(1) << (bit % 64);
    if (*used <= bit / 64)
        *used = bit / 64 + 1;
    while (search->known[search->low_word] == UINT64_MAX)
        search->low_word++;
}

static void mark_in(struct search *search, uint32_t op, const struct frame *frame)
{
    bool is_known = op < search->known_count;
    uint32_t bit = is_known ? op : op - search->known_count;
    uint64_t *words = is_known ? search->known : search->unknown;

    words[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
    if (is_known && bit / 64 < search->low_word)
        search->low_word = bit / 64;
    search->known_words = frame->known_words;
    search->unknown_words = frame->unknown_words;
}

/* Whether what is out now was never seen with this state: 1 or 0, or -ENOMEM. */
static int visit(struct search *search, uint32_t state)
{
    uint32_t low = search->low_word;
    uint32_t known = search->known_words > low ? search->known_words - low : 0;
    uint32_t head[3] = {state, low, known};
    uint32_t len = sizeof head;
    uint32_t number;

    memcpy(search->key, head, sizeof head);
    memcpy(search->key + len, search->known + low, (size_t)known * 8);
    len += known * 8;
    memcpy(search->key + len, search->unknown, (size_t)search->unknown_words * 8);
    len += search->unknown_words * 8;
    return tp_byteset_add(&search->tried, search->key, len, &number);
}

static void take_out(struct search *search, uint32_t op, uint32_t state,
                     const struct frame *frame)
{
    tp_assert(search->depth < search->op_count);
    search->frames[search->depth++] = *frame;
    unlink_node(search, search->calls[op]);
    if (search->returns[op] != HEAD)
        unlink_node(search, search->returns[op]);
    search->known_left -= op < search->known_count;
    search->state = state;
}

/* Puts back what was taken out last. Result: its node. */
static uint32_t put_back(struct search *search)
{
    const struct frame *frame = &search->frames[--search->depth];
    uint32_t op = frame->op;

    if (search->returns[op] != HEAD)
        relink_node(search, search->returns[op]);
    relink_node(search, search->calls[op]);
    search->known_left += op < search->known_count;
    search->state = frame->state;
    mark_in(search, op, frame);
    return search->calls[op];
}

/* ------------------------------------------------------------------ the search */

static bool may_go_on(struct search *search)
{
    struct tp_order_limits *limits = search->limits;

    if (limits->steps >= limits->steps_max)
        return give_up(search, "steps");
    limits->steps++;
    if (limits->steps % STOP_EVERY == 0 && limits->stop != NULL &&
        limits->stop(limits->context))
        return give_up(search, "time");
    return true;
}

/* Takes the operation out if the model allows it here and it was not tried: `*ret_taken`.
 * False when a bound was reached. */
static bool try_op(struct search *search, uint32_t op, bool *ret_taken)
{
    const struct tp_byteset_entry *now = tp_byteset_at(&search->states, search->state);
    struct tp_model_state made = {search->room, search->limits->state_bytes_max, 0};
    struct frame frame = {op, search->state, search->known_words, search->unknown_words};
    bool is_known = op < search->known_count;
    enum tp_model_answer answer;
    uint32_t state;
    int is_new;

    *ret_taken = false;
    if (!is_known && search->twins[op] != TP_ORDER_NONE &&
        !is_out(search, search->twins[op]))
        return true;
    if (!may_go_on(search))
        return false;
    answer = search->part->model->step(history_op(search, op), is_known, now->bytes,
                                       now->len_bytes, &made);
    if (answer == TP_MODEL_NO_ROOM)
        return give_up(search, "state size");
    if (answer == TP_MODEL_NO)
        return true;
    if (tp_byteset_add(&search->states, made.bytes, made.len_bytes, &state) < 0)
        return give_up(search, "memory");
    if (!is_known && state == search->state)
        return true;
    mark_out(search, op);
    is_new = visit(search, state);
    if (is_new < 0)
        return give_up(search, "memory");
    if (is_new == 0) {
        mark_in(search, op, &frame);
        return true;
    }
    take_out(search, op, state, &frame);
    *ret_taken = true;
    return true;
}

/* Copies the operations that are out, and the state, into the outcome. */
static bool keep_order(struct search *search, struct tp_order_outcome *outcome)
{
    struct tp_budget *budget = &search->limits->budget;
    const struct tp_byteset_entry *state = tp_byteset_at(&search->states, search->state);

    outcome->state_len_bytes = state->len_bytes;
    outcome->order_count = search->depth;
    outcome->state = tp_budget_alloc(budget, (uint64_t)state->len_bytes + 1);
    outcome->order = tp_budget_alloc(budget, ((uint64_t)search->depth + 1) * 4);
    if (outcome->state == NULL || outcome->order == NULL)
        return false;
    for (uint32_t i = 0; i < search->depth; i++)
        outcome->order[i] = search->op_of[search->frames[i].op];
    memcpy(outcome->state, state->bytes, state->len_bytes);
    return true;
}

static bool begin(struct search *search)
{
    struct tp_model_state made = {search->room, search->limits->state_bytes_max, 0};

    if (search->part->model->begin(tp_history_initial(search->part->history), &made) !=
        TP_MODEL_YES)
        return give_up(search, "state size");
    if (tp_byteset_add(&search->states, made.bytes, made.len_bytes, &search->state) < 0)
        return give_up(search, "memory");
    return true;
}

/* Every invocation before the first return was tried: what to go on from; HEAD when all was
 * tried. */
static uint32_t turn_back(struct search *search, uint32_t node, bool wants_order,
                          struct tp_order_outcome *outcome)
{
    if (node > search->furthest) {
        search->furthest = node;
        if (wants_order && node == search->part->count && !keep_order(search, outcome))
            (void)give_up(search, "memory");
    }
    if (search->depth == 0)
        return HEAD;
    return search->next[put_back(search)];
}

static enum tp_linear_verdict run(struct search *search, bool wants_order,
                                  struct tp_order_outcome *outcome)
{
    uint32_t node = search->next[HEAD];

    if (!begin(search))
        return TP_LINEAR_UNDECIDED;
    while (search->known_left > 0) {
        uint32_t op = search->op_at[node];
        bool taken;

        tp_assert(node != HEAD); /* a return that is not out is a node of the list */
        if (node == search->returns[op]) {
            node = turn_back(search, node, wants_order, outcome);
            if (search->limits->bound != NULL)
                return TP_LINEAR_UNDECIDED;
            if (node == HEAD)
                return TP_LINEAR_NO;
            continue;
        }
        if (!try_op(search, op, &taken))
            return TP_LINEAR_UNDECIDED;
        node = search->next[taken ? HEAD : node];
    }
    return TP_LINEAR_YES;
}

void tp_order_search(const struct tp_order_part *part, bool wants_order,
                     struct tp_order_limits *limits, struct tp_order_outcome *ret_outcome)
{
    struct search search = {.part = part, .limits = limits};

    *ret_outcome = (struct tp_order_outcome){.verdict = TP_LINEAR_UNDECIDED};
    limits->bound = NULL;
    if (search_init(&search))
        ret_outcome->verdict = run(&search, wants_order, ret_outcome);
    else
        (void)give_up(&search, "memory");
    if (search.furthest > 0)
        ret_outcome->furthest = search.furthest - 1;
    limits->cached += search.tried.count;
    search_deinit(&search);
}

void tp_order_clear(struct tp_order_outcome *outcome, struct tp_budget *budget)
{
    tp_budget_free(budget, outcome->state, (uint64_t)outcome->state_len_bytes + 1);
    tp_budget_free(budget, outcome->order, ((uint64_t)outcome->order_count + 1) * 4);
    *outcome = (struct tp_order_outcome){.verdict = outcome->verdict};
}
