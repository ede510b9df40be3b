#include "apps/sim/manner.h"

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
