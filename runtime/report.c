#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/recv_pool.h"
#include "runtime/scheduler_internal.h"

#define CHAIN_MAX  8  /* starts that a report follows upwards */
#define REPORT_MAX 16 /* operations that a report lists */
#define CENSUS_MAX 64 /* distinct owners and sites that a census lists */

/** Text that is appended to until its memory is full; always NUL-terminated. */
struct text {
    char *memory;
    size_t size_bytes, used;
};

static struct text text_in(char *memory, size_t size_bytes)
{
    struct text text = {memory, size_bytes, 0};

    tp_assert(size_bytes > 0);
    memory[0] = '\0';
    return text;
}

static TP_PRINTF(2, 3) void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    int wanted;

    va_start(arguments, format);
    wanted = vsnprintf(text->memory + text->used, text->size_bytes - text->used, format,
                       arguments);
    va_end(arguments);
    if (wanted < 0)
        return;
    text->used += (size_t)wanted;
    if (text->used >= text->size_bytes)
        text->used = text->size_bytes - 1;
}

/* ------------------------------------------------------------------ one operation */

static void add_site(struct text *text, const struct tp_slot *slot)
{
    add(text, "%s:%u", slot->file == NULL ? "?" : slot->file, tp_slot_line(slot));
}

/* "by machine part, started at copy.c:12 by machine tree, ...": the chain of starts
 * upwards. */
static void add_owner(struct text *text, const struct tp_scheduler *s,
                      const struct tp_machine *machine)
{
    if (machine == NULL) {
        add(text, ", detached");
        return;
    }
    add(text, " by machine %s", machine->name);
    for (uint32_t i = 0; i < CHAIN_MAX && machine->end_slot != 0; i++) {
        const struct tp_slot *slot = &s->slots.slots[machine->end_slot];

        add(text, ", started at ");
        add_site(text, slot);
        machine = slot->owner;
        if (machine == NULL)
            break;
        add(text, " by machine %s", machine->name);
    }
}

static const char *state_name(const struct tp_slot *slot)
{
    switch ((enum tp_slot_state)slot->state) {
    case TP_SLOT_FLYING:
        if ((slot->flags & TP_SLOT_IDLE) != 0)
            return "paused, since its completions are not claimed";
        return (slot->flags & TP_SLOT_ABANDONED) != 0 ? "abandoned, in flight"
                                                      : "in flight";
    case TP_SLOT_DETACHED:
        return "detached, in flight";
    case TP_SLOT_MADE:
        return "about to arrive";
    case TP_SLOT_ARRIVED:
        return "completed";
    case TP_SLOT_FREE:
        return "free";
    }
    tp_unreachable();
}

static void add_slot(struct text *text, const struct tp_scheduler *s, uint32_t index)
{
    const struct tp_slot *slot = &s->slots.slots[index];
    uint32_t traits = tp_kind_info[slot->kind].traits;

    add(text, "%s", tp_kind_info[slot->kind].name);
    if ((traits & TP_TAKES_PATH) != 0)
        add(text, " of \"%s\"", s->slots.paths[index]);
    else if ((traits & TP_TAKES_FD) != 0)
        add(text, " on fd %u", tp_slot_fd(slot));
    else if (slot->kind == TP_CHILD && slot->on.child != NULL)
        add(text, " %s", slot->on.child->name);
    add(text, " (handle %llx), %s", (unsigned long long)tp_slot_handle(&s->slots, index),
        state_name(slot));
    if (slot->state == TP_SLOT_ARRIVED)
        add(text, " with %d%s%s", (int)slot->value, slot->value < 0 ? " " : "",
            slot->value < 0 ? tp_errno_name(slot->value) : "");
    add(text, ", submitted at ");
    add_site(text, slot);
    add_owner(text, s, slot->owner);
    add(text, ", %u iterations ago", tp_slot_age(slot, s->iteration));
}

size_t tp_describe_slot(const struct tp_scheduler *s, uint32_t index, char *ret_text,
                        size_t size_bytes)
{
    struct text text = text_in(ret_text, size_bytes);

    add_slot(&text, s, index);
    return text.used;
}

const char *tp_describe_handle(void *scheduler, uint64_t handle)
{
    struct tp_scheduler *s = scheduler;
    struct text text = text_in(s->text, sizeof s->text);

    if (!tp_slots_hold(&s->slots, handle))
        return "";
    add(&text, ": ");
    add_slot(&text, s, tp_slot_index(handle));
    return s->text;
}

/* ------------------------------------------------------------------ stops */

/* Those of the list at `first` that are the machine's to claim; `listed` were before. */
static uint32_t add_slots(struct text *text, const struct tp_scheduler *s,
                          const struct tp_machine *machine, uint32_t first, uint32_t listed)
{
    for (uint32_t index = first; index != 0; index = s->slots.slots[index].next) {
        if (s->slots.slots[index].owner != machine ||
            (s->slots.slots[index].flags & TP_SLOT_ABANDONED) != 0)
            continue;
        if (listed == REPORT_MAX) {
            add(text, "\n  and more");
            break;
        }
        listed++;
        add(text, "\n  ");
        add_slot(text, s, index);
    }
    return listed;
}

void tp_stop_with_slots(struct tp_scheduler *s, const struct tp_machine *machine,
                        const char *what, uint32_t first, uint32_t second)
{
    struct text text = text_in(s->text, sizeof s->text);
    uint32_t listed;

    add(&text, "machine %s %s:", machine->name, what);
    listed = add_slots(&text, s, machine, first, 0);
    (void)add_slots(&text, s, machine, second, listed);
    tp_stop(__FILE__, __LINE__, s->text);
}

void tp_stop_with_bufs(struct tp_scheduler *s, const struct tp_machine *machine)
{
    const struct tp_recv_pool *pool = s->io->recv_bufs;
    struct text text = text_in(s->text, sizeof s->text);

    add(&text,
        "machine %s ended with %u receive buffers not given back (law 2):", machine->name,
        machine->bufs);
    for (uint32_t index = 0; index < pool->count; index++) {
        const struct tp_recv_buf *item = &pool->items[index];

        if (item->state == TP_RECV_USER && item->holder == machine)
            add(&text, "\n  %u bytes that recv_many brought, submitted at %s:%u",
                item->buf.len, item->file, item->line);
    }
    tp_stop(__FILE__, __LINE__, s->text);
}

void tp_stop_with_census(struct tp_scheduler *s, const char *what)
{
    struct text text = text_in(s->text, sizeof s->text);

    add(&text, "%s\n", what);
    tp_scheduler_census(s, s->text + text.used, sizeof s->text - text.used);
    tp_stop(__FILE__, __LINE__, s->text);
}

/* ------------------------------------------------------------------ the census */

/* One line of it: operations of one kind, from one site, owned by machines of one name. */
struct row {
    const struct tp_slot *slot;
    uint32_t count;
};

static bool same_row(const struct tp_slot *a, const struct tp_slot *b)
{
    const char *owner_a = a->owner == NULL ? "" : a->owner->name;
    const char *owner_b = b->owner == NULL ? "" : b->owner->name;

    return a->kind == b->kind && a->state == b->state && a->file == b->file &&
           tp_slot_line(a) == tp_slot_line(b) && strcmp(owner_a, owner_b) == 0;
}

static void census_of_slots(const struct tp_scheduler *s, struct text *text)
{
    struct row rows[CENSUS_MAX];
    uint32_t count = 0, others = 0;

    for (uint32_t index = 1; index < s->slots.fresh; index++) {
        const struct tp_slot *slot = &s->slots.slots[index];
        uint32_t at = 0;

        if (slot->state == TP_SLOT_FREE)
            continue;
        while (at < count && !same_row(rows[at].slot, slot))
            at++;
        if (at == CENSUS_MAX) {
            others++;
            continue;
        }
        if (at == count) {
            rows[count].slot = slot;
            rows[count++].count = 0;
        }
        rows[at].count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        add(text, "  %u x %s, %s, at ", rows[i].count,
            tp_kind_info[rows[i].slot->kind].name, state_name(rows[i].slot));
        add_site(text, rows[i].slot);
        add_owner(text, s, rows[i].slot->owner);
        add(text, "\n");
    }
    if (others > 0)
        add(text, "  and %u others\n", others);
}

static void census_of_machines(const struct tp_scheduler *s, struct text *text)
{
    uint32_t listed = 0, idle = 0;

    for (uint32_t i = 0; i < s->machines.fresh; i++) {
        const struct tp_machine *machine = s->machines.entries[i].machine;

        if (machine == NULL || machine->ops > 0)
            continue;
        idle++;
        if (listed < REPORT_MAX) {
            listed++;
            add(text, "  machine %s waits for a wake%s\n", machine->name,
                machine->cancelled ? " though it was cancelled" : "");
        }
    }
    if (idle > listed)
        add(text, "  and %u more machines that wait for a wake\n", idle - listed);
}

void tp_scheduler_census(const struct tp_scheduler *s, char *ret_text, size_t size_bytes)
{
    struct text text = text_in(ret_text, size_bytes);

    add(&text,
        "%u operations (ops_max %u), %u timers, %u machines, %u in flight in the %s Io\n",
        s->slots.count, s->slots.ops_max, s->timers.count, s->machines.count,
        tp_io_in_flight(s->io), s->io->backend->name);
    census_of_slots(s, &text);
    census_of_machines(s, &text);
}

/* ------------------------------------------------------------------ statistics */

static uint64_t tenths(uint64_t count, uint64_t of)
{
    return of == 0 ? 0 : (count * 10 + of / 2) / of;
}

void tp_scheduler_stats_print(const struct tp_scheduler *s, char *ret_text,
                              size_t size_bytes)
{
    const struct tp_scheduler_stats *stats = &s->stats;
    const struct tp_io_stats *io = tp_io_stats(s->io);
    struct text text = text_in(ret_text, size_bytes);
    uint64_t per_enter = tenths(io->completed, io->enters);

    add(&text, "iterations       %llu, ticks %llu, wakes %llu\n",
        (unsigned long long)stats->iterations, (unsigned long long)stats->ticks,
        (unsigned long long)stats->wakes);
    add(&text, "machines         %u alive, %u at most, %llu started\n", stats->machines,
        stats->machines_max, (unsigned long long)stats->machines_started);
    add(&text, "operations       %llu completed, %u at most at once, timers %u at most\n",
        (unsigned long long)stats->completed, stats->ops_max, stats->timers_max);
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        if (stats->submitted[kind] > 0)
            add(&text, "  %-14s %llu\n", tp_kind_info[kind].name,
                (unsigned long long)stats->submitted[kind]);
    }
    if (stats->shots > 0)
        add(&text,
            "multishot        %llu completions, %llu times paused, %llu times begun again; "
            "receive buffers %llu at most, %llu times none\n",
            (unsigned long long)stats->shots, (unsigned long long)stats->resumed,
            (unsigned long long)io->rearmed, (unsigned long long)io->recv_bufs_max,
            (unsigned long long)io->recv_bufs_exhausted);
    add(&text,
        "asked to stop    %llu, deadlines expired %llu, abandoned %llu, detached failures "
        "%llu\n",
        (unsigned long long)stats->cancelled, (unsigned long long)stats->expired,
        (unsigned long long)stats->abandoned, (unsigned long long)stats->detached_failures);
    add(&text, "posts            %llu, to ended machines %llu\n",
        (unsigned long long)stats->posts,
        (unsigned long long)atomic_load(&s->machines.dead));
    add(&text,
        "kernel entries   %llu (%llu extra for a full queue), parks %llu of %llu polls\n",
        (unsigned long long)io->enters, (unsigned long long)io->enters_extra,
        (unsigned long long)io->parks, (unsigned long long)io->polls);
    add(&text, "completions      %llu.%llu per kernel entry, %llu at most in one poll\n",
        (unsigned long long)(per_enter / 10), (unsigned long long)(per_enter % 10),
        (unsigned long long)io->completions_max);
    add(&text,
        "in flight        %llu at most, %llu held back, %llu times no registered buffer\n",
        (unsigned long long)io->in_flight_max, (unsigned long long)io->held_back,
        (unsigned long long)io->bufs_exhausted);
    if (s->measure)
        add(&text, "time in machines %llu us, slowest tick %llu us (%s)\n",
            (unsigned long long)(stats->ticking_ns / 1000),
            (unsigned long long)(stats->slowest_ns / 1000),
            stats->slowest == NULL ? "-" : stats->slowest);
}
