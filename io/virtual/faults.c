/* The one door at which faults enter; those of the disk alone are in disk_faults.c. */
#include "faults.h"

#include <errno.h>
#include <stddef.h>

#include "io/virtual/virtual_internal.h"

#define PPM UINT32_C(1000000)

const struct tp_fault_info tp_fault_info[TP_FAULTS] = {
#define FAULT_INFO(fault, name, what) [fault] = {#name, what},
    TP_FAULT_TABLE(FAULT_INFO)
#undef FAULT_INFO
};

uint32_t *tp_virtual_faults_rate(struct tp_virtual_faults *faults, enum tp_fault fault)
{
    switch (fault) {
#define FAULT_RATE(fault, name, what) \
    case fault:                       \
        return &faults->name##_ppm;
        TP_FAULT_TABLE(FAULT_RATE)
#undef FAULT_RATE
    case TP_FAULTS:
        break;
    }
    tp_unreachable();
}

/* Rates from one family to another that are slices of one draw. */
static bool share(const struct tp_virtual_faults *faults, enum tp_fault first,
                  enum tp_fault last)
{
    struct tp_virtual_faults copy = *faults;
    uint64_t sum = 0;

    for (uint32_t fault = (uint32_t)first; fault <= (uint32_t)last; fault++)
        sum += *tp_virtual_faults_rate(&copy, (enum tp_fault)fault);
    return sum <= PPM;
}

bool tp_virtual_faults_are_possible(const struct tp_virtual_faults *faults)
{
    for (uint32_t fault = 0; fault < TP_FAULTS; fault++) {
        if (!share(faults, (enum tp_fault)fault, (enum tp_fault)fault))
            return false;
    }
    return share(faults, TP_FAULT_ERROR, TP_FAULT_SHORT) &&
           share(faults, TP_FAULT_UNREADABLE, TP_FAULT_MISREAD) &&
           share(faults, TP_FAULT_LOST_WRITE, TP_FAULT_MISWRITE);
}

void tp_faults_set(struct tp_virtual *v, const struct tp_virtual_faults *faults)
{
    struct tp_virtual_faults copy = *faults;

    tp_assert(tp_virtual_faults_are_possible(faults));
    v->config.faults = *faults;
    v->fault_count = 0;
    v->stalled_until_ns = faults->stall_ppm == 0 ? 0 : v->stalled_until_ns;
    v->throttled_until_ns = faults->throttle_ppm == 0 ? 0 : v->throttled_until_ns;
    v->disk_faults = v->sync_fails;
    for (uint32_t fault = TP_FAULT_SYNC_ERROR; fault < TP_FAULTS; fault++)
        v->disk_faults =
            v->disk_faults || *tp_virtual_faults_rate(&copy, (enum tp_fault)fault) != 0;
}

/* Shortens a transfer: to at least one byte, or one sector where it is direct. */
static void shorten(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t unit = tp_vfile_at(v, f->file)->direct ? v->disk->config.sector_bytes : 1;
    uint32_t units = f->request.len / unit;

    if (units < 2)
        return;
    f->limit =
        unit * (units - 1 -
                (uint32_t)tp_tape_draw(v->tape, v->stream_fault, TP_DRAW_SHORT, units - 1));
    v->fired[TP_FAULT_SHORT]++;
}

void tp_fault_try(struct tp_virtual *v, struct tp_flight *f)
{
    if (f->tried)
        return;
    f->tried = true;
    tp_disk_land(v->disk);
    tp_fault_draw(v, f);
}

static bool transfers_on_socket(uint16_t kind)
{
    return kind == TP_RECV || kind == TP_RECV_MANY || kind == TP_SEND ||
           kind == TP_SEND_BUFS;
}

/* What the system may say for want of memory or of numbers, whatever the disk or the peer
 * does. */
static int32_t error_of(uint16_t kind)
{
    switch (kind) {
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
        return -ENFILE;
    case TP_LISTEN:
    case TP_CONNECT:
    case TP_SEND:
    case TP_SEND_BUFS:
    case TP_BIND:
    case TP_SEND_TO:
        return -ENOBUFS;
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_RECV_FROM:
    case TP_OFFLOAD:
    case TP_SIGNAL:
        return -ENOMEM;
    case TP_RESOLVE:
        return -EAGAIN;
    default:
        return -EIO;
    }
}

static void fail(struct tp_virtual *v, struct tp_flight *f, int32_t error,
                 enum tp_fault fault)
{
    f->fail = error;
    v->fired[fault]++;
}

void tp_fault_draw(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_virtual_faults *faults = &v->config.faults;
    uint16_t kind = f->request.kind;
    bool transfers = kind == TP_READ || kind == TP_WRITE;
    bool streams = transfers_on_socket(kind);
    uint64_t drawn;

    if ((faults->error_ppm | faults->eintr_ppm | faults->eagain_ppm | faults->short_ppm) ==
            0 ||
        f->fail != 0 || tp_fault_never(kind))
        return;
    /* The top of the range is cut into a slice for each fault; the rest is none. */
    drawn = PPM - 1 - tp_tape_draw(v->tape, v->stream_fault, TP_DRAW_FAULT, PPM);
    if (drawn < faults->error_ppm) {
        fail(v, f, error_of(kind), TP_FAULT_ERROR);
        return;
    }
    drawn -= faults->error_ppm;
    if (drawn < faults->eintr_ppm) {
        if (transfers || streams || kind == TP_OPEN || kind == TP_SEND_TO ||
            kind == TP_RECV_FROM)
            fail(v, f, -EINTR, TP_FAULT_EINTR);
        return;
    }
    drawn -= faults->eintr_ppm;
    if (drawn < faults->eagain_ppm) {
        if (transfers)
            fail(v, f, -EAGAIN, TP_FAULT_EAGAIN);
        return;
    }
    drawn -= faults->eagain_ppm;
    if (drawn < faults->short_ppm && streams) {
        f->falls_short = true; /* how much, is seen when it is known what there is */
        v->fired[TP_FAULT_SHORT]++;
    } else if (drawn < faults->short_ppm && transfers && f->limit == 0) {
        shorten(v, f);
    }
}

bool tp_fault_never(uint16_t kind)
{
    return kind == TP_CANCEL || kind == TP_NOP;
}

void tp_fault_count(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_virtual_faults *faults = &v->config.faults;

    if (f->request.kind == TP_CANCEL)
        return;
    v->operations++;
    if (faults->fail_nth == 0 ||
        (faults->fail_kind != TP_NOP && faults->fail_kind != f->request.kind))
        return;
    v->fault_count++;
    if (v->fault_count == faults->fail_nth && !tp_fault_never(f->request.kind))
        f->fail = -(faults->fail_errno == 0 ? EIO : faults->fail_errno);
}
