/** tests/judges/model.h - the simulated disk in the place of the real file system.
 *
 * It does the same operations up to the same cut. Then the judge and the disk must agree on
 * what was promised: what a power cut leaves at least is exactly what the judge takes to be
 * durable, no more and no less; and what one leaves at random is allowed.
 */
#ifndef TEMPEST_TESTS_JUDGES_MODEL_H
#define TEMPEST_TESTS_JUDGES_MODEL_H

#include "io/virtual/disk.h"
#include "judge.h"

struct model_options {
    uint32_t profile; /* enum tp_disk_profile */
    uint64_t seed;    /* of the cut at random, and of write-back */
};

/** The number of a profile of the simulated disk; TP_DISK_PROFILES: none has this name. */
uint32_t model_profile(const char *name);

/** Does what the history says, up to the cut, on two simulated disks, and judges both.
 * `seen` is room for what is looked at. False: they do not agree, and where. */
bool model_agrees(const struct model_options *options, const struct judge_rules *rules,
                  const struct history *history, uint32_t cut, struct seen *seen,
                  char ret_why[512]);

#endif
