/* Lives of a server with a bug.
 *
 *     kv-planted NAME run kv --seeds 1..100      whatever tempest-sim can do, with that bug
 *     kv-planted --find SEEDS NAME               exit status 0: it was found among so many
 * seeds kv-planted --list
 */
#include "tests/kv/sim/planted.h"

#include <stdio.h>
#include <string.h>

#include "apps/kv/sim/scenario.h"

enum kv_planted kv_planted_bug;
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

static const char *const names[] = {"",
#define NAME(id, name) name,
                                    KV_PLANTED_TABLE(NAME)
#undef NAME
};
enum { NAMES = sizeof names / sizeof *names };

static bool plant(const char *name)
{
    for (uint32_t i = 1; i < NAMES; i++) {
        if (strcmp(name, names[i]) == 0) {
            kv_planted_bug = (enum kv_planted)i;
            return true;
        }
    }
    (void)fprintf(stderr, "there is no bug '%s'\n", name);
    return false;
}

static int list(void)
{
    for (uint32_t i = 1; i < NAMES; i++)
        (void)puts(names[i]);
    return 0;
}

static int simulate(int argc, char **argv)
{
    struct tp_scenario scenario = kv_scenario;

    scenario.finish = finish;
    return tp_sim_main(argc, argv, &scenario, 1);
}

/* The search ends with status 1 when a seed has failed, in whatever way. */
static int find(char *program, char *seeds, const char *name)
{
    char range[32];
    char *argv[] = {program,
                    (char[]){"run"},
                    (char[]){"kv"},
                    (char[]){"--seeds"},
                    range,
                    (char[]){"--until-failure"},
                    (char[]){"-j1"},
                    (char[]){"-q"},
                    NULL};
    int status;

    (void)snprintf(range, sizeof range, "1..%s", seeds);
    status = simulate(sizeof argv / sizeof *argv - 1, argv);
    if (status != 1)
        (void)fprintf(stderr, "%s: not found among %s seeds\n", name, seeds);
    return status == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 4 && strcmp(argv[1], "--find") == 0)
        return plant(argv[3]) ? find(argv[0], argv[2], argv[3]) : 2;
    if (argc < 3 || !plant(argv[1]))
        return 2;
    argv[1] = argv[0];
    return simulate(argc - 1, argv + 1);
}
