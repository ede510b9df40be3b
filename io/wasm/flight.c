/* An operation, from its request to its completion. */
#include "io/wasm/wasm_internal.h"

uint32_t tp_wasm_op_of(uint32_t kind)
{
    static const uint8_t ops[TP_KINDS] = {
        [TP_OPEN] = TP_WASM_OPEN,
        [TP_CLOSE] = TP_WASM_CLOSE,
        [TP_READ] = TP_WASM_READ,
        [TP_WRITE] = TP_WASM_WRITE,
        [TP_FSYNC] = TP_WASM_FSYNC,
        [TP_FSTAT] = TP_WASM_FSTAT,
        [TP_TRUNCATE] = TP_WASM_TRUNCATE,
        [TP_FALLOCATE] = TP_WASM_FALLOCATE,
        [TP_FIND_DATA] = TP_WASM_FIND_DATA,
        [TP_SET_MODE] = TP_WASM_SET_MODE,
        [TP_LIST_DIR] = TP_WASM_LIST_DIR,
        [TP_STAT] = TP_WASM_STAT,
        [TP_RENAME] = TP_WASM_RENAME,
        [TP_REMOVE] = TP_WASM_REMOVE,
        [TP_CREATE_DIR] = TP_WASM_CREATE_DIR,
        [TP_CREATE_DIR_ALL] = TP_WASM_CREATE_DIR_ALL,
        [TP_REMOVE_DIR] = TP_WASM_REMOVE_DIR,
        [TP_SYNC_DIR] = TP_WASM_SYNC_DIR,
        [TP_SYMLINK] = TP_WASM_SYMLINK,
        [TP_READ_LINK] = TP_WASM_READ_LINK,
        [TP_LOCK] = TP_WASM_LOCK,
        [TP_CANCEL] = TP_WASM_CANCEL,
    };

    tp_assert(kind < TP_KINDS);
    return ops[kind];
}

/* ------------------------------------------------------------------ slots */

static uint64_t id_of(const struct tp_wasm_io *self, const struct tp_wasm_slot *slot)
{
    return (uint64_t)slot->generation << 32 | (uint64_t)(slot - self->slots + 1);
}

static struct tp_wasm_slot *take_slot(struct tp_wasm_io *self)
{
    struct tp_wasm_slot *slot;

    if (self->free != 0) {
        slot = &self->slots[self->free - 1];
        self->free = slot->next_free;
    } else {
        tp_assert(self->fresh < self->io.ops_max); /* asked by tp_io_submit() */
        slot = &self->slots[self->fresh++];
    }
    tp_assert(slot->handle == 0);
    self->flying++;
    return slot;
}

static void give_slot(struct tp_wasm_io *self, struct tp_wasm_slot *slot)
{
    tp_assert(slot->handle != 0 && self->flying > 0);
    slot->handle = 0;
    slot->generation++;
    slot->next_free = self->free;
    self->free = (uint32_t)(slot - self->slots) + 1;
    self->flying--;
}

/* The slot of an id that came from outside; NULL if no operation has it. */
static struct tp_wasm_slot *find_slot(struct tp_wasm_io *self, uint64_t id)
{
    const uint32_t number = (uint32_t)id;
    struct tp_wasm_slot *slot;

    if (number == 0 || number > self->fresh)
        return NULL;
    slot = &self->slots[number - 1];
    return slot->handle != 0 && slot->generation == (uint32_t)(id >> 32) ? slot : NULL;
}

/* ------------------------------------------------------------------ submission */

/* A cancel is seldom, so nothing is kept to find its target faster. NULL: there is none. */
static const struct tp_wasm_slot *slot_of_handle(const struct tp_wasm_io *self,
                                                 uint64_t handle)
{
    for (uint32_t i = 0; handle != 0 && i < self->fresh; i++) {
        if (self->slots[i].handle == handle)
            return &self->slots[i];
    }
    return NULL;
}

static uint32_t options_of(struct tp_open_options options)
{
    return (options.read ? TP_WASM_OPEN_READ : 0U) |
           (options.write ? TP_WASM_OPEN_WRITE : 0U) |
           (options.create ? TP_WASM_OPEN_CREATE : 0U) |
           (options.create_new ? TP_WASM_OPEN_CREATE_NEW : 0U) |
           (options.truncate ? TP_WASM_OPEN_TRUNCATE : 0U) |
           (options.direct ? TP_WASM_OPEN_DIRECT : 0U) |
           (options.dsync ? TP_WASM_OPEN_DSYNC : 0U);
}

static uint32_t flags_of(uint32_t flags)
{
    return ((flags & TP_DATA_ONLY) != 0 ? TP_WASM_DATA_ONLY : 0U) |
           ((flags & TP_NO_FOLLOW) != 0 ? TP_WASM_NO_FOLLOW : 0U) |
           ((flags & TP_IN_DIR) != 0 ? TP_WASM_IN_DIR : 0U) |
           ((flags & TP_KEEP_SIZE) != 0 ? TP_WASM_KEEP_SIZE : 0U);
}

static void set_path(uint32_t *ret_path, uint32_t *ret_len, const char *path)
{
    *ret_path = (uint32_t)(uintptr_t)path;
    *ret_len = (uint32_t)strlen(path);
}

/* What is particular to the kind. */
static void fill(struct tp_wasm_request *r, const struct tp_request *request)
{
    const uint32_t traits = tp_kind_info[request->kind].traits;

    if ((traits & TP_TAKES_PATH) != 0)
        set_path(&r->path, &r->path_len, tp_request_path(request));
    if (request->kind == TP_RENAME || request->kind == TP_SYMLINK)
        set_path(&r->path2, &r->path2_len, request->b.path);
    if ((traits & (TP_LENDS_IN | TP_LENDS_OUT)) != 0) {
        r->memory = (uint32_t)(uintptr_t)request->a.memory;
        r->len = request->len;
    }
    if ((traits & TP_TAKES_FD) != 0 || (request->flags & TP_IN_DIR) != 0)
        r->fd = request->fd.number;
    if (request->kind == TP_RENAME && (request->flags & TP_IN_DIR) != 0)
        r->fd2 = request->to_dir.number;
    if (request->kind == TP_OPEN)
        r->options = options_of(request->b.options);
    if (request->kind == TP_SET_MODE || request->kind == TP_CREATE_DIR)
        r->mode = request->b.mode & 07777;
    if (request->kind == TP_TRUNCATE || request->kind == TP_FALLOCATE)
        r->length = request->a.length;
    if (request->kind == TP_READ || request->kind == TP_WRITE ||
        request->kind == TP_FALLOCATE || request->kind == TP_FIND_DATA)
        r->offset = request->b.offset;
}

/* What the host need not see; its value. `target` is a cancel's. */
static bool completes_here(const struct tp_wasm_io *self, const struct tp_request *request,
                           const struct tp_wasm_slot *target, int32_t *ret_value)
{
    switch (request->kind) {
    case TP_NOP:
        *ret_value = 0;
        return true;
    case TP_OPEN:
        *ret_value = -EMFILE;
        return self->fds_free == 0;
    case TP_CANCEL:
        /* A close that is stopped would leave a file open that nobody can name any more. */
        *ret_value = target == NULL ? -ENOENT : -EALREADY;
        return target == NULL || target->kind == TP_CLOSE;
    default:
        return false;
    }
}

/* Notes that it is in flight, under an id. */
static void take_off(struct tp_wasm_io *self, const struct tp_request *request,
                     struct tp_wasm_request *r)
{
    struct tp_wasm_slot *slot = take_slot(self);

    slot->handle = request->handle;
    slot->kind = request->kind;
    slot->len = r->len;
    slot->memory = r->memory == 0 ? NULL : request->a.memory;
    slot->fd = r->fd;
    if (request->kind == TP_OPEN) {
        slot->fd = self->fds[--self->fds_free];
        r->fd2 = r->fd;
        r->fd = slot->fd;
    }
    r->id = id_of(self, slot);
}

/* Puts a read where the host will find it; false if there is no place. */
static bool put_on_board(struct tp_wasm_io *self, const struct tp_request *request)
{
    struct tp_wasm_board *board = &self->board;
    struct tp_wasm_slot *slot;
    struct tp_wasm_read *read;

    if (self->reads == TP_WASM_READS)
        return false;
    slot = take_slot(self);
    slot->handle = request->handle;
    slot->kind = TP_READ;
    slot->len = request->len;
    read = &board->reads[self->reads++];
    read->id = id_of(self, slot);
    read->offset = request->b.offset;
    read->fd = request->fd.number;
    read->memory = (uint32_t)(uintptr_t)request->a.memory;
    read->len = request->len;
    board->count = self->reads;
    return true;
}

/* What it has not done of these the host is told by calls, so that nothing overtakes them.
 */
static void submit_reads(struct tp_wasm_io *self)
{
    struct tp_wasm_board *board = &self->board;

    for (uint32_t i = self->reads - tp_wasm_reads_waiting(self); i < self->reads; i++) {
        struct tp_wasm_read *read = &board->reads[i];
        const struct tp_wasm_request r = {.id = read->id,
                                          .op = TP_WASM_READ,
                                          .fd = read->fd,
                                          .fd2 = TP_WASM_NO_FD,
                                          .memory = read->memory,
                                          .len = read->len,
                                          .offset = read->offset};

        tp_wasm_host_submit(self, &r);
        read->value = TP_WASM_TAKEN;
        self->unseen++;
    }
    board->done = self->reads;
}

static __attribute__((noinline)) void submit_any(struct tp_io *io,
                                                 const struct tp_request *request)
{
    struct tp_wasm_io *self = tp_wasm_of(io);
    struct tp_wasm_request r = {.op = tp_wasm_op_of(request->kind),
                                .flags = flags_of(request->flags),
                                .fd = TP_WASM_NO_FD,
                                .fd2 = TP_WASM_NO_FD};
    const struct tp_wasm_slot *target =
        request->kind == TP_CANCEL ? slot_of_handle(self, request->a.target) : NULL;
    int32_t value;

    if (completes_here(self, request, target, &value)) {
        if (request->handle != 0)
            tp_io_complete_later(io, request->handle, value);
        return;
    }
    tp_assert(r.op != 0); /* the caps let nothing else through */
    fill(&r, request);
    if (request->kind == TP_CANCEL)
        r.length = id_of(self, target);
    if (request->handle != 0)
        take_off(self, request, &r);
    self->unseen++;
    submit_reads(self);
    tp_wasm_host_submit(self, &r);
}

void tp_wasm_submit(struct tp_io *io, const struct tp_request *request)
{
    if (request->kind != TP_READ || !put_on_board(tp_wasm_of(io), request))
        submit_any(io, request);
}

/* ------------------------------------------------------------------ completion */

static void finish(struct tp_wasm_io *self, struct tp_wasm_slot *slot, int32_t value)
{
    const uint64_t handle = slot->handle;

    give_slot(self, slot);
    tp_io_complete(&self->io, handle, value, 0);
}

void tp_wasm_arrive(struct tp_wasm_io *self, const struct tp_wasm_completion *completion)
{
    struct tp_wasm_slot *slot = find_slot(self, completion->id);
    int32_t value;

    if (slot == NULL || completion->reserved != 0) {
        tp_wasm_violation(self, "the host completed an operation that is not in flight",
                          completion->id, completion->value);
        return;
    }
    value = tp_wasm_result(self, slot, completion->id, completion->value);
    if (slot->kind == TP_CLOSE || (slot->kind == TP_OPEN && value < 0)) {
        tp_assert(self->fds_free < self->fds_max);
        self->fds[self->fds_free++] = slot->fd;
    } else if (slot->kind == TP_OPEN) {
        const bool opened = tp_io_fd_opened(&self->io, slot->fd);

        tp_assert(opened); /* numbers are chosen here, below fds_max */
        value = (int32_t)slot->fd;
    }
    finish(self, slot, value);
}

/* ------------------------------------------------------------------ the board */

uint32_t tp_wasm_reads_waiting(const struct tp_wasm_io *self)
{
    const uint32_t done = self->board.done;

    if (done >= self->reads)
        return 0;
    return self->reads - (done > self->reads_seen ? done : self->reads_seen);
}

/* Most have read something: those are known to be good sooner. */
static void take_read(struct tp_wasm_io *self, uint64_t id, int32_t value)
{
    const struct tp_wasm_completion completion = {id, value, 0};
    struct tp_wasm_slot *slot = find_slot(self, id);

    if (slot != NULL && slot->kind == TP_READ && value >= 0 && (uint32_t)value <= slot->len)
        finish(self, slot, value);
    else
        tp_wasm_arrive(self, &completion);
}

void tp_wasm_take_reads(struct tp_wasm_io *self)
{
    struct tp_wasm_board *board = &self->board;
    uint32_t done = board->done, room = tp_io_completions_room(&self->io);

    if (done > self->reads || done < self->reads_seen) {
        tp_wasm_violation(self, "the host did more reads than there are, or fewer", done,
                          (int32_t)self->reads);
        board->done = done = self->reads_seen;
    }
    for (; self->reads_seen < done && room > 0; self->reads_seen++) {
        const struct tp_wasm_read *read = &board->reads[self->reads_seen];
        const int32_t value = read->value;

        if (value == TP_WASM_TAKEN)
            continue;
        take_read(self, read->id, value);
        room--;
    }
    if (self->reads_seen == self->reads)
        self->reads = self->reads_seen = board->count = board->done = 0;
}
