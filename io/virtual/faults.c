/* The one door at which faults enter. */
#include "virtual_internal.h"

#include <errno.h>

#define PPM UINT32_C(1000000)

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
        return -ENOBUFS;
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_OFFLOAD:
    case TP_SIGNAL:
        return -ENOMEM;
    case TP_RESOLVE:
        return -EAGAIN;
    default:
        return -EIO;
    }
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
        f->fail = error_of(kind);
        return;
    }
    drawn -= faults->error_ppm;
    if (drawn < faults->eintr_ppm) {
        f->fail = transfers || streams || kind == TP_OPEN ? -EINTR : 0;
        return;
    }
    drawn -= faults->eintr_ppm;
    if (drawn < faults->eagain_ppm) {
        f->fail = transfers ? -EAGAIN : 0;
        return;
    }
    drawn -= faults->eagain_ppm;
    if (drawn < faults->short_ppm && streams)
        f->falls_short = true; /* how much, is seen when it is known what there is */
    else if (drawn < faults->short_ppm && transfers && f->limit == 0)
        shorten(v, f);
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
