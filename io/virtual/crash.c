/* Kill and power cut with operations in flight. What a poll has not taken never happened.
 * What has taken effect, has. What lies in between may have happened, wholly, in part or
 * not (R1, R2); after a kill a write may also land later, when the successor is at work
 * already. */
#include "virtual_internal.h"

#include <string.h>

#include "io/virtual/sort.h"

enum { HAPPENED, NOT, IN_PART, LATER };

struct crash {
    struct tp_virtual *v;
    uint32_t stream;
    bool power; /* else a kill */
};

static uint64_t draw(const struct crash *crash, enum tp_draw kind, uint64_t bound)
{
    return tp_tape_draw(crash->v->tape, crash->stream, kind, bound);
}

/* Whether there is something for it to change that outlives the process. */
static bool changes_world(const struct tp_flight *f)
{
    switch ((enum tp_kind)f->request.kind) {
    case TP_WRITE:
    case TP_SEND:
    case TP_SEND_BUFS:
        return f->request.len > 0;
    case TP_LISTEN: /* a name on the disk */
        return f->address.family == TP_ADDRESS_UNIX;
    case TP_OPEN:
        return f->request.b.options.create || f->request.b.options.create_new ||
               f->request.b.options.truncate;
    case TP_FSYNC:
    case TP_TRUNCATE:
    case TP_FALLOCATE:
    case TP_SET_MODE:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR:
    case TP_CREATE_DIR_ALL:
    case TP_REMOVE_DIR:
    case TP_SYNC_DIR:
    case TP_SYMLINK:
    case TP_SHUTDOWN:
    case TP_SEND_TO: /* one of no bytes, too */
        return true;
    case TP_NOP:
    case TP_CLOSE:
    case TP_READ:
    case TP_FSTAT:
    case TP_FIND_DATA:
    case TP_LIST_DIR:
    case TP_STAT:
    case TP_READ_LINK:
    case TP_CANCEL:
    case TP_LOCK:
    case TP_CONNECT:
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_SET_SOCKET:
    case TP_SOCKET_ADDRESS:
    case TP_RESOLVE:
    case TP_OFFLOAD:
    case TP_SIGNAL:
    case TP_BIND:
    case TP_RECV_FROM:
    case TP_TIMER:
    case TP_CHILD:
    case TP_KINDS:
        return false;
    }
    tp_unreachable();
}

/* How much of a write happened. A power cut and direct I/O tear at sectors, a kill
 * anywhere. */
static uint32_t part_of(const struct crash *crash, const struct tp_flight *f)
{
    bool bytes = !crash->power && !tp_vfile_at(crash->v, f->file)->direct;

    return tp_torn_len(f->request.b.offset, f->request.len,
                       1 + draw(crash, TP_DRAW_CUT_LEN, f->request.len),
                       bytes ? 1 : crash->v->disk->config.sector_bytes);
}

/* Whether the write would have been one at all, and not an error. */
static bool is_possible(const struct crash *crash, const struct tp_flight *f)
{
    const struct tp_vfile *file = tp_vfile_at(crash->v, f->file);
    uint64_t all = f->request.b.offset | f->request.len | (uintptr_t)f->request.a.memory;

    return file->write && f->request.len <= INT64_MAX - f->request.b.offset &&
           (!file->direct || all % crash->v->disk->config.sector_bytes == 0);
}

static bool land_later(const struct crash *crash, const struct tp_flight *f)
{
    struct tp_landing landing = {
        .inode = tp_vfile_at(crash->v, f->file)->inode,
        .direct = tp_vfile_at(crash->v, f->file)->direct,
        .offset = f->request.b.offset,
        .bytes = f->request.a.memory,
        .len = f->request.len,
    };

    landing.delay = (uint32_t)draw(crash, TP_DRAW_CUT_DELAY, crash->v->config.landing_max);
    return tp_disk_land_later(crash->v->disk, &landing);
}

static void end_write(const struct crash *crash, struct tp_flight *f)
{
    uint64_t way = draw(crash, TP_DRAW_CUT_OP, crash->power ? 3 : 4);

    if (!is_possible(crash, f) || (way == LATER && land_later(crash, f)))
        return;
    if (way == IN_PART)
        f->limit = part_of(crash, f);
    if (way == NOT || (way == IN_PART && f->limit == 0))
        return;
    (void)tp_effect_plain(crash->v, f);
}

/* A stream is torn at any byte. */
static void end_send(const struct crash *crash, struct tp_flight *f)
{
    uint64_t way = draw(crash, TP_DRAW_CUT_OP, 3);

    if (way == IN_PART)
        f->limit =
            f->request.len - 1 - (uint32_t)draw(crash, TP_DRAW_CUT_LEN, f->request.len);
    if (way == HAPPENED || (way == IN_PART && f->limit > 0))
        (void)tp_effect_plain(crash->v, f);
}

static void end_flight(const struct crash *crash, struct tp_flight *f)
{
    f->no_wait = true;
    if (f->fail != 0 || !changes_world(f))
        return;
    if (f->request.kind == TP_WRITE && !tp_vfile_at(crash->v, f->file)->is_socket)
        end_write(crash, f);
    else if (f->request.kind == TP_SEND)
        end_send(crash, f);
    else if (draw(crash, TP_DRAW_CUT_OP, 2) == HAPPENED)
        (void)tp_effect_plain(crash->v, f);
}

/* Ends what is with the world and has not taken effect, in an order that is drawn. */
static void end_flights(const struct crash *crash)
{
    struct tp_virtual *v = crash->v;
    size_t bytes = (size_t)v->flights.used * sizeof(struct tp_sort_item);
    struct tp_sort_item *items = tp_alloc(v->allocator, bytes, 16);
    uint32_t count = 0;

    if (items == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the crash");
    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        if (tp_flight_at(v, flight)->state != TP_FLIGHT_BEGUN)
            continue;
        items[count].key = tp_flight_at(v, flight)->sequence;
        items[count++].value = flight;
    }
    tp_sort(items, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = i;

        if (count - i > 1)
            other += (uint32_t)draw(crash, TP_DRAW_CUT_ORDER, count - i);
        if (other != i) {
            struct tp_sort_item item = items[other];

            items[other] = items[i];
            items[i] = item;
        }
        end_flight(crash, tp_flight_at(v, items[i].value));
    }
    tp_free(v->allocator, items, bytes, 16);
}

/* Nobody is left to whom memory could be on loan, or a completion be delivered. */
static void end_loans(struct tp_virtual *v)
{
    struct tp_completions *list = &v->io.completions;

    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        if (tp_flight_at(v, flight)->state != TP_FLIGHT_FREE &&
            tp_flight_at(v, flight)->request.handle != 0)
            tp_io_end_loan(&v->io, tp_flight_at(v, flight)->request.handle);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].handle != 0)
            tp_io_end_loan(&v->io, list->items[i].handle);
    }
    tp_completions_clear(list);
    v->io.rejected_count = 0;
}

static void crash_now(struct tp_io *io, bool power)
{
    struct tp_virtual *v = tp_virtual_of(io);
    struct crash crash = {v, tp_stream(v->config.node, TP_CONCERN_CRASH), power};

    tp_assert(!v->ended && v->boot == v->disk->boot);
    if (v->cuts && v->own_world == NULL)
        tp_world_stop_at(v->world, 0); /* for the others it goes on */
    end_flights(&crash);
    end_loans(v);
    tp_trace_crash(v, power ? 2 : 1);
    if (!power)
        tp_files_leave_locks(v, crash.stream);
    tp_virtual_leave(v, power);
    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        if (tp_flight_at(v, flight)->state != TP_FLIGHT_FREE)
            tp_flight_free(v, flight);
    }
    if (power)
        tp_disk_power_cut(v->disk, v->tape, v->config.node);
    v->ended = true;
    v->io.dead = true;
    tp_trace_crash(v, power ? 3 : 4);
}

void tp_virtual_io_power_cut(struct tp_io *io)
{
    crash_now(io, true);
}

void tp_virtual_io_kill(struct tp_io *io)
{
    crash_now(io, false);
}
