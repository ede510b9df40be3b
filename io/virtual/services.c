/* What else a service waits for: what a name stands for, work on a thread (done in line,
 * when the operation takes effect), signals. */
#include "virtual_internal.h"

#include <errno.h>

#include "io/hash.h"

static int32_t effect_resolve(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_addresses found;
    int32_t count =
        tp_net_resolve(v->net, v->host, tp_texts_at(&v->texts, f->path[0]), &found);

    if (count < 0)
        return count;
    for (uint32_t i = 0; i < found.count; i++) {
        uint64_t words[2] = {f->payload, tp_trace_address(&found.items[i])};

        f->payload = tp_hash_words(words, 2, 0);
    }
    tp_effect_give(v, f, &found, sizeof found);
    return count;
}

static int32_t effect_signal(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t here = v->signals & (uint32_t)f->request.a.signals;

    if (here == 0)
        return tp_wait_in(v, f, &v->for_signal);
    here &= ~here + 1; /* the lowest */
    v->signals &= ~here;
    return (int32_t)here;
}

int32_t tp_service_effect(struct tp_virtual *v, struct tp_flight *f)
{
    switch (f->request.kind) {
    case TP_RESOLVE:
        return effect_resolve(v, f);
    case TP_OFFLOAD:
        return f->request.a.work(f->request.b.context);
    case TP_SIGNAL:
        return effect_signal(v, f);
    default:
        tp_unreachable();
    }
}

void tp_service_signal(struct tp_virtual *v, uint32_t signal)
{
    v->signals |= signal;
    tp_wake_all(v, &v->for_signal);
}
