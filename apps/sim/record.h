/** apps/sim/record.h - the facts of a run, kept: for explanations, and to be told in words.
 */
#ifndef TEMPEST_APPS_SIM_RECORD_H
#define TEMPEST_APPS_SIM_RECORD_H

#include <stdio.h>

#include "apps/sim/sim.h"

enum { TP_RECORD_TEXT = 96 };

/** A fact, without pointers into the run. */
struct tp_record {
    uint64_t at_ns;
    uint32_t kind;   /* enum tp_fact_kind */
    uint32_t detail; /* of the fact */
    uint32_t node;   /* index plus one; 0: the run */
    uint32_t line;
    const char *file; /* of the submission; a constant of the program */
    uint64_t effect;  /* operations of the node that have taken effect, this one included */
    uint64_t crash;   /* an end: draws on the node's crash stream before it */
    /* Of an operation. */
    uint64_t handle, offset;
    uint32_t stage, op; /* enum tp_virtual_stage, enum tp_kind */
    uint32_t len;
    int32_t result;
    uint32_t inode;            /* file or directory that it is on */
    uint32_t dir;              /* directory whose names it changes; 0: none */
    bool changes;              /* data of the inode, or names of the directory */
    char text[TP_RECORD_TEXT]; /* its paths, or the fact's text */
};

/** Memory for them is the caller's; what does not fit is counted. */
struct tp_recorder {
    struct tp_record *records;
    uint32_t capacity, count;
    uint64_t dropped;
    bool all_stages; /* else effects only */
    struct tp_sim_watch watch;
};

/** `recorder->watch` is to be given to a run. */
void tp_recorder_init(struct tp_recorder *recorder, struct tp_record *records,
                      uint32_t capacity);

/** One line. */
void tp_record_print(const struct tp_record *record, FILE *out);

/** The fact in words, without its time and its node. Returns `ret_text`. */
const char *tp_record_fact(const struct tp_record *record, char *ret_text,
                           size_t size_bytes);

/** "write of 8 bytes at 0 to /a (file.c:12)", for explanations. Returns `ret_text`. */
const char *tp_record_operation(const struct tp_record *record, char *ret_text,
                                size_t size_bytes);

#endif
