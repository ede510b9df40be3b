/* What the bugs of planted.cmake need beside themselves. */
#include "tests/kv/sim/planted.h"

#include <string.h>

#include "apps/kv/sim/scenario.h"

bool kv_planted_unlogged;

const void *kv_planted_overtaken;
uint8_t kv_planted_late[64];
uint32_t kv_planted_late_len;

static uint32_t replies;

/* Nothing outlives a run. */
static void finish(struct tp_sim *sim)
{
    kv_planted_overtaken = NULL;
    kv_planted_unlogged = false;
    replies = 0;
    kv_scenario.finish(sim);
}

bool kv_planted_overtakes(const void *connection, const void *bytes, uint32_t len)
{
    if (kv_planted_overtaken != NULL || len > sizeof kv_planted_late || ++replies % 16 != 0)
        return false;
    kv_planted_overtaken = connection;
    memcpy(kv_planted_late, bytes, len);
    kv_planted_late_len = len;
    return true;
}

const struct tp_scenario *tp_planted_scenario(void)
{
    static struct tp_scenario scenario;

    scenario = kv_scenario;
    scenario.finish = finish;
    return &scenario;
}
