#include "durable.h"

void tp_durable_init(struct tp_durable *durable, struct tp_durable_write *writes,
                     uint32_t capacity)
{
    tp_assert(capacity > 0 && capacity <= INT32_MAX);
    *durable = (struct tp_durable){.writes = writes, .capacity = capacity};
    for (uint32_t i = 0; i < capacity; i++)
        writes[i] = (struct tp_durable_write){.used = false};
}

int32_t tp_durable_begin(struct tp_durable *durable, uint64_t key, uint64_t value)
{
    durable->moment++;
    for (uint32_t i = 0; i < durable->capacity; i++) {
        if (durable->writes[i].used)
            continue;
        durable->writes[i] = (struct tp_durable_write){.key = key,
                                                       .value = value,
                                                       .begun = durable->moment,
                                                       .boot = durable->boot,
                                                       .used = true};
        return (int32_t)i;
    }
    return -ENOSPC;
}

/* Forgets what a key cannot hold any more: what was settled when something began that must
 * be there. */
static void forget(struct tp_durable *durable, uint64_t key)
{
    uint64_t latest = 0; /* when the last of those that must be there began */

    for (uint32_t i = 0; i < durable->capacity; i++) {
        const struct tp_durable_write *write = &durable->writes[i];

        if (write->used && write->key == key && write->acknowledged &&
            write->begun > latest)
            latest = write->begun;
    }
    for (uint32_t i = 0; i < durable->capacity; i++) {
        struct tp_durable_write *write = &durable->writes[i];

        if (write->used && write->key == key && write->settled != 0 &&
            write->settled < latest)
            write->used = false;
    }
}

void tp_durable_acknowledge(struct tp_durable *durable, int32_t number)
{
    struct tp_durable_write *write;

    tp_assert(number >= 0 && (uint32_t)number < durable->capacity);
    write = &durable->writes[number];
    tp_assert(write->used && !write->acknowledged && write->boot == durable->boot);
    write->acknowledged = true;
    write->settled = ++durable->moment;
    forget(durable, write->key);
}

void tp_durable_crash(struct tp_durable *durable)
{
    durable->boot++;
    durable->moment++;
    for (uint32_t i = 0; i < durable->capacity; i++) {
        if (durable->writes[i].used && durable->writes[i].settled == 0)
            durable->writes[i].settled = durable->moment;
    }
}

/* A reader saw the write `seen` (NULL: nothing): all others of the key that are settled are
 * past. */
static void show(struct tp_durable *durable, uint64_t key, struct tp_durable_write *seen)
{
    for (uint32_t i = 0; i < durable->capacity; i++) {
        struct tp_durable_write *write = &durable->writes[i];

        if (write->used && write->key == key && write != seen && write->settled != 0)
            write->used = false;
    }
    if (seen == NULL)
        return;
    seen->acknowledged = true;
    seen->settled = seen->settled == 0 ? durable->moment : seen->settled;
}

enum tp_durable_verdict tp_durable_observe(struct tp_durable *durable, uint64_t key,
                                           uint64_t value)
{
    struct tp_durable_write *seen = NULL;
    bool must_be = false; /* something is there for certain */

    durable->moment++;
    for (uint32_t i = 0; i < durable->capacity; i++) {
        struct tp_durable_write *write = &durable->writes[i];

        if (!write->used || write->key != key)
            continue;
        must_be = must_be || write->acknowledged;
        if (write->value == value)
            seen = write;
    }
    if (seen == NULL && value != 0)
        return must_be ? TP_DURABLE_LOST : TP_DURABLE_ALIEN;
    if (seen == NULL && must_be)
        return TP_DURABLE_LOST;
    show(durable, key, seen);
    return TP_DURABLE_FINE;
}

const char *tp_durable_verdict_name(enum tp_durable_verdict verdict)
{
    switch (verdict) {
    case TP_DURABLE_FINE:
        return "fine";
    case TP_DURABLE_LOST:
        return "lost";
    case TP_DURABLE_ALIEN:
        return "alien";
    }
    tp_unreachable();
}
