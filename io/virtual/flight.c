/* Operations from submission to completion. A flight passes through
 *
 *     queued   (perhaps waiting, while the world is full)
 *     begun    an event is set for the time at which it takes effect
 *     done     an event is set for its completion
 *     ready    until a poll has room for it
 */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#include "io/loans.h"
#include "io/recv_pool.h"

#define SCRIBBLE 0xa5 /* what memory lent to be read into holds, until it is */

/* ------------------------------------------------------------------ slots and handles */

#define HANDLES_FIRST 256

static size_t handles_bytes(uint32_t mask)
{
    return ((size_t)mask + 1) * sizeof(uint32_t);
}

int tp_flight_init(struct tp_virtual *v)
{
    tp_pool_init(&v->flights, sizeof(struct tp_flight));
    tp_texts_init(&v->texts);
    v->handle_mask = HANDLES_FIRST - 1;
    v->handles = tp_alloc(v->allocator, handles_bytes(v->handle_mask), 64);
    return v->handles == NULL ? -ENOMEM : 0;
}

void tp_flight_deinit(struct tp_virtual *v)
{
    tp_pool_deinit(&v->flights, v->allocator);
    tp_free(v->allocator, v->handles, handles_bytes(v->handle_mask), 64);
    tp_texts_deinit(&v->texts, v->allocator);
}

static uint32_t handle_slot(const struct tp_virtual *v, uint64_t handle)
{
    return (uint32_t)((handle * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & v->handle_mask;
}

static void handle_put(struct tp_virtual *v, uint32_t flight)
{
    uint32_t at = handle_slot(v, tp_flight_at(v, flight)->request.handle);

    while (v->handles[at] != 0)
        at = (at + 1) & v->handle_mask;
    v->handles[at] = flight;
}

static void handle_add(struct tp_virtual *v, uint32_t flight)
{
    uint32_t old_mask = v->handle_mask;
    uint32_t *old = v->handles;

    if (v->flights.live > old_mask / 2) {
        v->handle_mask = old_mask * 2 + 1;
        v->handles = tp_alloc(v->allocator, handles_bytes(v->handle_mask), 64);
        if (v->handles == NULL)
            tp_stop(__FILE__, __LINE__, "the host has no memory for operations in flight");
        for (uint32_t i = 0; i <= old_mask; i++) {
            if (old[i] != 0)
                handle_put(v, old[i]);
        }
        tp_free(v->allocator, old, handles_bytes(old_mask), 64);
    }
    handle_put(v, flight);
}

uint32_t tp_flight_find(const struct tp_virtual *v, uint64_t handle)
{
    uint32_t at = handle_slot(v, handle);

    for (; v->handles[at] != 0; at = (at + 1) & v->handle_mask) {
        if (tp_flight_at(v, v->handles[at])->request.handle == handle)
            return v->handles[at];
    }
    return 0;
}

/* Takes an entry out and closes the gap, so that no search ends too early. */
static void handle_remove(struct tp_virtual *v, uint32_t flight)
{
    uint32_t gap = handle_slot(v, tp_flight_at(v, flight)->request.handle);
    uint32_t at;

    while (v->handles[gap] != flight)
        gap = (gap + 1) & v->handle_mask;
    at = gap;
    for (;;) {
        uint32_t home;

        at = (at + 1) & v->handle_mask;
        if (v->handles[at] == 0)
            break;
        home = handle_slot(v, tp_flight_at(v, v->handles[at])->request.handle);
        if (((at - home) & v->handle_mask) >= ((at - gap) & v->handle_mask)) {
            v->handles[gap] = v->handles[at];
            gap = at;
        }
    }
    v->handles[gap] = 0;
}

void tp_flight_free(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    tp_assert(f->state != TP_FLIGHT_FREE);
    if (f->request.handle != 0 && !f->shot)
        handle_remove(v, flight);
    if (f->buf != 0)
        tp_recv_pool_recycle(v->io.recv_bufs, f->buf - 1); /* nobody has seen it */
    tp_texts_remove(&v->texts, f->path[0]);
    tp_texts_remove(&v->texts, f->path[1]);
    tp_files_unref(v, f->file);
    tp_files_unref(v, f->to_file);
    if (f->bounded)
        v->bounded--;
    f->state = TP_FLIGHT_FREE;
    tp_pool_give(&v->flights, flight);
}

void tp_flight_append(struct tp_virtual *v, struct tp_flight_list *list, uint32_t flight)
{
    const struct tp_virtual_watch *watch = v->config.watch;

    if ((list == &v->ready || list == &v->paced) && watch != NULL && watch->ready != NULL)
        watch->ready(watch->context);
    tp_flight_at(v, flight)->next = 0;
    if (list->last != 0)
        tp_flight_at(v, list->last)->next = flight;
    else
        list->first = flight;
    list->last = flight;
    list->count++;
}

uint32_t tp_flight_pop(struct tp_virtual *v, struct tp_flight_list *list)
{
    uint32_t flight = list->first;

    tp_assert(flight != 0);
    list->first = tp_flight_at(v, flight)->next;
    if (list->first == 0)
        list->last = 0;
    list->count--;
    return flight;
}

/* A list is short when something is withdrawn from it, so a walk will do. */
void tp_flight_remove(struct tp_virtual *v, struct tp_flight_list *list, uint32_t flight)
{
    uint32_t before = 0;
    uint32_t at = list->first;

    while (at != 0 && at != flight) {
        before = at;
        at = tp_flight_at(v, at)->next;
    }
    if (at == 0)
        return;
    if (before != 0)
        tp_flight_at(v, before)->next = tp_flight_at(v, at)->next;
    else
        list->first = tp_flight_at(v, at)->next;
    if (list->last == at)
        list->last = before;
    list->count--;
}

/* ------------------------------------------------------------------ submission */

static uint32_t text_of(struct tp_virtual *v, const char *path)
{
    return path == NULL
               ? 0
               : tp_texts_add(&v->texts, path, (uint32_t)strlen(path), v->allocator);
}

static void copy_paths(struct tp_virtual *v, struct tp_flight *f,
                       const struct tp_request *request)
{
    bool two = request->kind == TP_RENAME || request->kind == TP_SYMLINK;

    if ((tp_kind_info[request->kind].traits & TP_TAKES_PATH) == 0)
        return;
    f->path[0] = text_of(v, tp_request_path(request));
    if (two)
        f->path[1] = text_of(v, request->b.path);
}

static void hold_files(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_request *r = &f->request;
    bool takes_fd = (tp_kind_info[r->kind].traits & TP_TAKES_FD) != 0;

    if (takes_fd || (r->flags & TP_IN_DIR) != 0) {
        f->file = v->numbers[r->fd.number];
        f->number = r->fd.number;
        tp_vfile_at(v, f->file)->refs++;
    }
    if (r->kind == TP_RENAME && (r->flags & TP_IN_DIR) != 0) {
        f->to_file = v->numbers[r->to_dir.number];
        tp_vfile_at(v, f->to_file)->refs++;
    }
}

/* Makes it show when memory on loan is used too early: what is read is not there yet, what
 * is written must not change. */
static void check_loan_begins(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t traits = tp_kind_info[f->request.kind].traits;

    if ((traits & TP_LENDS_DATAGRAM) != 0) {
        tp_loans_open(&v->io, f->request.handle);
        memset(f->request.b.datagram, SCRIBBLE, sizeof *f->request.b.datagram);
        tp_loans_close(&v->io, f->request.handle);
    }
    if (f->request.len == 0 || f->request.a.memory == NULL)
        return;
    if ((traits & TP_LENDS_IN) != 0) {
        tp_loans_open(&v->io, f->request.handle);
        memset(f->request.a.memory, SCRIBBLE, f->request.len);
        tp_loans_close(&v->io, f->request.handle);
    } else if ((traits & TP_LENDS_OUT) != 0) {
        f->lent = tp_socket_lent_hash(&f->request);
    }
}

static bool is_scribbled(const void *lent, uint32_t len)
{
    const uint8_t *bytes = lent;

    return len == 0 || (bytes[0] == SCRIBBLE && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* The program has changed what is being written, or written where the world will write. */
void tp_flight_check_loan(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t traits = tp_kind_info[f->request.kind].traits;
    bool sender = (traits & TP_LENDS_DATAGRAM) != 0;
    bool is_whole = true;

    if (!sender && (f->request.len == 0 || f->request.a.memory == NULL))
        return;
    if ((traits & TP_LENDS_OUT) != 0) {
        is_whole = tp_socket_lent_hash(&f->request) == f->lent;
    } else if ((traits & TP_LENDS_IN) != 0) {
        tp_loans_open(&v->io, f->request.handle);
        is_whole =
            is_scribbled(f->request.a.memory, f->request.len) &&
            (!sender || is_scribbled(f->request.b.datagram, sizeof *f->request.b.datagram));
        tp_loans_close(&v->io, f->request.handle);
    }
    if (!is_whole)
        tp_stopf(
            __FILE__, __LINE__,
            "memory on loan to %s (handle %llu, fd %u) was changed while it was in flight",
            tp_kind_info[f->request.kind].name, (unsigned long long)f->request.handle,
            f->number);
}

static uint32_t take(struct tp_virtual *v)
{
    uint32_t flight =
        tp_pool_take_head(&v->flights, offsetof(struct tp_flight, request), v->allocator);

    tp_flight_at(v, flight)->address.family = TP_ADDRESS_NONE;
    return flight;
}

void tp_flight_submit(struct tp_io *io, const struct tp_request *request)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint32_t flight = take(v);
    struct tp_flight *f = tp_flight_at(v, flight);

    tp_assert(!v->ended);
    if (request->kind >= TP_LISTEN)
        tp_virtual_need(v, request->kind);
    f->request = *request;
    f->state = TP_FLIGHT_QUEUED;
    f->sequence = ++v->sequence;
    f->bounded = (tp_kind_info[request->kind].traits & (TP_NEVER_WAITS | TP_WAITS)) == 0;
    copy_paths(v, f, request);
    if ((tp_kind_info[request->kind].traits & TP_TAKES_ADDRESS) != 0)
        f->address = *tp_request_address(request);
    hold_files(v, f);
    if (v->checks)
        check_loan_begins(v, f);
    if (request->handle != 0)
        handle_add(v, flight);
    if (f->bounded && v->bounded >= v->config.queue_max) {
        f->bounded = false; /* until it leaves the waiting list */
        tp_flight_append(v, &v->waiting, flight);
        v->io.stats.held_back++;
        return;
    }
    v->bounded += f->bounded;
    tp_flight_append(v, &v->queue, flight);
}

/* ------------------------------------------------------------------ on the way */

static void show(const struct tp_virtual *v, const struct tp_flight *f,
                 enum tp_virtual_stage stage)
{
    const struct tp_virtual_watch *watch = v->config.watch;
    struct tp_virtual_moment moment = {
        .stage = (uint32_t)stage, .result = f->result, .request = &f->request};

    if (watch == NULL || watch->moment == NULL)
        return;
    moment.path = f->path[0] == 0 ? NULL : tp_texts_at(&v->texts, f->path[0]);
    moment.inode = f->file == 0 ? 0 : tp_vfile_at(v, f->file)->inode;
    moment.to_inode = f->to_file == 0 ? 0 : tp_vfile_at(v, f->to_file)->inode;
    moment.to_path = f->path[1] == 0 ? NULL : tp_texts_at(&v->texts, f->path[1]);
    watch->moment(watch->context, &moment);
}

static void set_event(struct tp_virtual *v, uint32_t flight, uint64_t at_ns)
{
    v->under_way++;
    tp_world_at(v->world, at_ns, tp_flight_at(v, flight)->tie, v->party, flight);
}

static void begin(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);
    uint64_t latency, effect;

    tp_fault_count(v, f);
    if (v->stops_at_overlaps)
        tp_overlap_check(v, f);
    latency = tp_latency_draw(v, f, &f->tie);
    if (v->disk_faults)
        latency = tp_disk_fault_latency(v, f, latency);
    effect = tp_latency_effect(v, latency);
    f->done_ns = v->world->now_ns + latency;
    f->state = TP_FLIGHT_BEGUN;
    if (!f->hangs)
        set_event(v, flight, v->world->now_ns + effect);
    show(v, f, TP_VIRTUAL_BEGUN);
}

void tp_flight_begin_again(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);
    uint64_t latency = tp_latency_draw(v, f, &f->tie);

    tp_assert(f->state == TP_FLIGHT_WAITS);
    f->state = TP_FLIGHT_BEGUN;
    set_event(v, flight, v->world->now_ns + latency);
}

void tp_flight_begin_queued(struct tp_virtual *v)
{
    while (v->waiting.count > 0 && v->bounded < v->config.queue_max) {
        uint32_t flight = tp_flight_pop(v, &v->waiting);

        tp_flight_at(v, flight)->bounded = true;
        v->bounded++;
        tp_flight_append(v, &v->queue, flight);
    }
    while (v->queue.count > 0)
        begin(v, tp_flight_pop(v, &v->queue));
}

void tp_flight_finish(struct tp_virtual *v, uint32_t flight, int32_t result)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    f->result = result;
    f->state = TP_FLIGHT_DONE;
    show(v, f, TP_VIRTUAL_EFFECT);
    set_event(v, flight, f->done_ns > v->world->now_ns ? f->done_ns : v->world->now_ns);
}

void tp_flight_shoot(struct tp_virtual *v, uint32_t flight, int32_t value, uint32_t buf,
                     uint64_t payload)
{
    uint32_t shot = take(v);
    struct tp_flight *f = tp_flight_at(v, shot);

    f->request = tp_flight_at(v, flight)->request;
    f->state = TP_FLIGHT_READY;
    f->shot = true;
    f->result = value;
    f->buf = buf;
    f->payload = payload;
    tp_trace_completion(v, f);
    tp_flight_append(v, &v->ready, shot);
}

/* An event of an operation: it takes effect, or completes. */
static void due(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    v->under_way--;
    if (f->state == TP_FLIGHT_BEGUN) {
        int32_t result;

        if ((tp_kind_info[f->request.kind].traits & TP_MANY) != 0) {
            tp_many_due(v, flight);
            return;
        }
        result = tp_effect(v, f);
        if (result != TP_NOT_YET)
            tp_flight_finish(v, flight, result);
        return;
    }
    tp_assert(f->state == TP_FLIGHT_DONE);
    f->state = TP_FLIGHT_READY;
    tp_trace_completion(v, f);
    show(v, f, TP_VIRTUAL_COMPLETED);
    if (f->request.handle != 0)
        tp_flight_append(v, &v->ready, flight);
    else
        tp_flight_free(v, flight); /* a cancel that nobody waits for */
}

void tp_flight_due(void *context, uint32_t what)
{
    struct tp_virtual *v = context;

    if ((what & TP_DUE_SIGNAL) != 0)
        tp_service_signal(v, what & ~TP_DUE_SIGNAL);
    else
        due(v, what);
}

void tp_flight_withdraw(struct tp_virtual *v, uint32_t flight, int32_t result)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    tp_assert(f->state == TP_FLIGHT_QUEUED);
    tp_flight_remove(v, &v->queue, flight);
    tp_flight_remove(v, &v->waiting, flight);
    f->result = result;
    f->payload = 0;
    f->state = TP_FLIGHT_READY;
    tp_trace_completion(v, f);
    tp_flight_append(v, &v->ready, flight);
}

void tp_flight_deliver(struct tp_virtual *v)
{
    while (v->ready.count > 0 && tp_io_completions_room(&v->io) > 0) {
        uint32_t flight = tp_flight_pop(v, &v->ready);
        struct tp_flight *f = tp_flight_at(v, flight);
        bool gives_fd = (tp_kind_info[f->request.kind].traits & TP_GIVES_FD) != 0;

        if (gives_fd && f->result >= 0 && !tp_io_fd_opened(&v->io, (uint32_t)f->result))
            tp_stop(__FILE__, __LINE__, "a fd past the end of the table");
        if (f->buf != 0)
            tp_io_complete_recv(&v->io, f->request.handle, f->buf - 1, (uint32_t)f->result);
        else
            tp_io_complete(&v->io, f->request.handle, f->result, f->shot ? TP_MORE : 0);
        f->buf = 0;
        tp_flight_free(v, flight);
    }
}
