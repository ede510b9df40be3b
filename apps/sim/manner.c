#include "apps/sim/manner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tp_manner_profile(const char *text, struct tp_sim_options *run)
{
    for (uint32_t i = 0; tp_disk_profile_name(i) != NULL; i++) {
        if (strcmp(tp_disk_profile_name(i), text) == 0) {
            run->profile = i + 1;
            return true;
        }
    }
    return false;
}

const char *tp_manner_profile_summary(uint32_t profile)
{
    static const char *const summaries[TP_DISK_PROFILES] = {
        [TP_DISK_PARANOID] = "the least that POSIX and disks promise",
        [TP_DISK_EXT4] = "names survive in their order; fsync commits all names up to its "
                         "last change",
        [TP_DISK_XFS] = "as ext4",
        [TP_DISK_BTRFS] = "fsync commits a file's own names, and nothing of a file that "
                          "has none; a rename of what is not synced may lose what it "
                          "replaces",
        [TP_DISK_NVME_PLP] = "as paranoid, with a device whose cache survives a power cut",
        [TP_DISK_CONSUMER_SSD] = "as paranoid, with sectors that may be torn, garbage or "
                                 "zeros after a power cut",
        [TP_DISK_DIRECT] = "as paranoid, without a page cache: an acknowledged write is "
                           "with the device",
    };

    tp_assert(profile < TP_DISK_PROFILES);
    return summaries[profile];
}

static bool read_family(const char *text, size_t len, uint32_t *ret_set)
{
    if (len == 3 && memcmp(text, "all", 3) == 0) {
        *ret_set = (UINT32_C(1) << TP_FAMILIES) - 1;
        return true;
    }
    for (uint32_t i = 0; i < TP_FAMILIES; i++) {
        const char *name = tp_family_name(i);

        if (strlen(name) == len && memcmp(name, text, len) == 0) {
            *ret_set = TP_FAMILY_BIT(i);
            return true;
        }
    }
    return false;
}

const char *tp_manner_faults(const char *text, struct tp_sim_options *run)
{
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        uint32_t set;

        if ((*at != '+' && *at != '-') || !read_family(at + 1, len - 1, &set))
            return at;
        if (*at == '+') {
            run->families_on |= set;
            run->families_off &= ~set;
        } else {
            run->families_off |= set;
            run->families_on &= ~set;
        }
        at += len;
        at += *at == ',';
    }
    return NULL;
}

/* ------------------------------------------------------------------ as text */

const char *tp_manner_faults_text(const struct tp_sim_options *run, char *ret_text)
{
    uint32_t all = (UINT32_C(1) << TP_FAMILIES) - 1;
    bool but_all = run->families_off != 0 && (run->families_off | run->families_on) == all;
    size_t used = 0;

    tp_assert((run->families_off & run->families_on) == 0);
    ret_text[0] = '\0';
    if (but_all)
        used += (size_t)snprintf(ret_text, TP_MANNER_BYTES, "-all");
    for (uint32_t i = 0; i < TP_FAMILIES; i++) {
        bool on = (run->families_on & TP_FAMILY_BIT(i)) != 0;
        bool off = (run->families_off & TP_FAMILY_BIT(i)) != 0 && !but_all;

        if (on || off)
            used +=
                (size_t)snprintf(ret_text + used, TP_MANNER_BYTES - used, "%s%c%s",
                                 used == 0 ? "" : ",", on ? '+' : '-', tp_family_name(i));
        tp_assert(used < TP_MANNER_BYTES);
    }
    return ret_text;
}

/* Three lines: the scenario, the profile, the faults; the latter two may be empty. A fourth
 * one: the seed. */
static void label(struct tp_tape *tape, const struct tp_scenario *scenario,
                  const struct tp_sim_options *run, const char *seed)
{
    char text[TP_TAPE_LABEL_BYTES], faults[TP_MANNER_BYTES];
    const char *profile = run->profile == 0 ? "" : tp_disk_profile_name(run->profile - 1);
    int len = snprintf(text, sizeof text, "%s\n%s\n%s%s", scenario->name, profile,
                       tp_manner_faults_text(run, faults), seed);

    if (len >= 0 && (size_t)len < sizeof text && strchr(scenario->name, '\n') == NULL)
        tp_tape_set_label(tape, text);
}

void tp_manner_label(struct tp_tape *tape, const struct tp_scenario *scenario,
                     const struct tp_sim_options *run)
{
    label(tape, scenario, run, "");
}

void tp_manner_label_seed(struct tp_tape *tape, const struct tp_scenario *scenario,
                          const struct tp_sim_options *run)
{
    char seed[32];

    (void)snprintf(seed, sizeof seed, "\n%" PRIu64, run->seed);
    label(tape, scenario, run, seed);
}

static bool read_seed(const char *text, uint64_t *ret_seed)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret_seed = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

bool tp_manner_read_label(const struct tp_tape *tape, char *ret_name,
                          struct tp_sim_options *ret_run, bool *ret_is_of_seed)
{
    char *profile, *faults, *seed;

    *ret_is_of_seed = false;
    (void)snprintf(ret_name, TP_TAPE_LABEL_BYTES, "%s", tp_tape_label(tape));
    if (ret_name[0] == '\0')
        return true;
    profile = strchr(ret_name, '\n');
    faults = profile == NULL ? NULL : strchr(profile + 1, '\n');
    if (faults == NULL)
        return false;
    *profile++ = *faults++ = '\0';
    seed = strchr(faults, '\n');
    if (seed != NULL) {
        *seed++ = '\0';
        *ret_is_of_seed = read_seed(seed, &ret_run->seed);
        if (!*ret_is_of_seed)
            return false;
    }
    return (*profile == '\0' || tp_manner_profile(profile, ret_run)) &&
           tp_manner_faults(faults, ret_run) == NULL;
}
