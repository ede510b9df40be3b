/* How long operations take, in whole numbers only: the logarithm behind the exponential
 * distribution is interpolated between powers of two. */
#include "latency.h"

#include "io/virtual/virtual_internal.h"

#define PPM UINT64_C(1000000)

/* -ln(1 - u), where u is value / 2^24, with 16 bits after the point. */
static uint64_t exponential(uint32_t value)
{
    uint32_t left = (UINT32_C(1) << 24) - value; /* 1 to 2^24 */
    uint32_t whole = 31 - (uint32_t)__builtin_clz(left);
    uint64_t fraction = ((uint64_t)(left - (UINT32_C(1) << whole)) << 16) >> whole;
    uint64_t log2 = ((uint64_t)whole << 16) + fraction;

    return (((UINT64_C(24) << 16) - log2) * 45426) >> 16; /* ln 2, in 1/65536 */
}

/* The draw's upper 24 bits say how long; the top of the range: the long tail, then none. */
uint64_t tp_latency_of(const struct tp_virtual_latency *latency, uint32_t drawn)
{
    uint32_t value = drawn >> 8;
    uint64_t zero_from = (PPM - latency->zero_ppm) * (UINT64_C(1) << 24) / PPM;
    uint64_t tail_from =
        (PPM - latency->zero_ppm - latency->tail_ppm) * (UINT64_C(1) << 24) / PPM;
    uint64_t random;

    if (value >= zero_from)
        return 0;
    if (value >= tail_from)
        random = latency->spread_ns * (uint64_t)latency->tail_factor;
    else
        random = (latency->spread_ns * exponential(value)) >> 16;
    return latency->base_ns + random;
}

static bool is_sync(const struct tp_virtual *v, const struct tp_flight *f)
{
    uint16_t kind = f->request.kind;

    return kind == TP_FSYNC || kind == TP_SYNC_DIR ||
           (kind == TP_WRITE && tp_vfile_at(v, f->file)->dsync);
}

static const struct tp_virtual_latency *latency_for(const struct tp_virtual *v,
                                                    const struct tp_flight *f)
{
    uint16_t kind = f->request.kind;

    if ((kind >= TP_LISTEN && kind <= TP_SOCKET_ADDRESS) ||
        (kind >= TP_BIND && kind <= TP_RECV_FROM))
        return &v->config.socket_latency;
    return is_sync(v, f) ? &v->config.sync_latency : &v->config.latency;
}

uint64_t tp_latency_draw(struct tp_virtual *v, const struct tp_flight *f, uint32_t *ret_tie)
{
    uint32_t drawn = (uint32_t)tp_tape_draw(v->tape, v->stream_latency, TP_DRAW_LATENCY,
                                            UINT64_C(1) << 32);

    *ret_tie = drawn;
    if (v->config.instant)
        return 0;
    return tp_latency_of(latency_for(v, f), drawn);
}

uint64_t tp_latency_effect(struct tp_virtual *v, uint64_t latency_ns)
{
    uint64_t drawn;

    if (latency_ns == 0)
        return 0;
    drawn = tp_tape_draw(v->tape, v->stream_latency, TP_DRAW_EFFECT, 1 << 16);
    return (latency_ns * drawn) >> 16;
}
