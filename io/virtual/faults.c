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

void tp_fault_draw(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_virtual_faults *faults = &v->config.faults;
    uint16_t kind = f->request.kind;
    bool transfers = kind == TP_READ || kind == TP_WRITE;
    uint64_t drawn;

    if ((faults->error_ppm | faults->eintr_ppm | faults->eagain_ppm | faults->short_ppm) ==
            0 ||
        f->fail != 0 || tp_fault_never(kind))
        return;
    /* The top of the range is cut into a slice for each fault; the rest is none. */
    drawn = PPM - 1 - tp_tape_draw(v->tape, v->stream_fault, TP_DRAW_FAULT, PPM);
    if (drawn < faults->error_ppm) {
        f->fail = -EIO;
        return;
    }
    drawn -= faults->error_ppm;
    if (drawn < faults->eintr_ppm) {
        f->fail = transfers || kind == TP_OPEN ? -EINTR : 0;
        return;
    }
    drawn -= faults->eintr_ppm;
    if (drawn < faults->eagain_ppm) {
        f->fail = transfers ? -EAGAIN : 0;
        return;
    }
    drawn -= faults->eagain_ppm;
    if (drawn < faults->short_ppm && transfers && f->limit == 0)
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
