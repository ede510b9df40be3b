/** apps/sim/record.h - the facts of a run, kept: for explanations, and to be told in words.
 */
#ifndef TEMPEST_APPS_SIM_RECORD_H
#define TEMPEST_APPS_SIM_RECORD_H

#include <stdio.h>

#include "apps/sim/shadow.h"
#include "apps/sim/sim.h"

enum { TP_RECORD_TEXT = 96 };

/** What is recorded besides the kinds of facts, by a recorder that looks. */
enum tp_record_kind {
    TP_RECORD_FILE = 16, /* a node boots, and finds this file on its disk */
    TP_RECORD_MESSAGE,   /* bytes of a send have been received */
};

enum {
    TP_RECORD_LOOK_PAGES = 256, /* of a file: what is behind them is not counted */
    TP_RECORD_LOOK_FILES = 64,  /* of a disk, when its node boots */
};

/** How a file and its disk are at a moment. */
struct tp_record_disk {
    bool known;
    uint32_t durable; /* pages of which the media have what memory has */
    uint32_t cached;  /* dirty in the page cache */
    uint32_t device;  /* in the device's cache, not flushed */
    uint32_t lost;    /* clean, and yet the media have something else */
    uint32_t names;   /* operations on names that the disk has yet to make durable */
    uint64_t size, media_size;
};

/** A fact, without pointers into the run. */
struct tp_record {
    uint64_t at_ns;
    uint32_t kind;   /* enum tp_fact_kind */
    uint32_t detail; /* of the fact */
    uint32_t node;   /* index plus one; 0: the run */
    bool is_spared;  /* the node: nothing befalls it */
    uint32_t line;
    const char *file; /* of the submission; a constant of the program */
    uint64_t effect;  /* operations of the node that have taken effect, this one included */
    uint64_t crash;   /* an end: draws on the node's crash stream before it */
    uint64_t faults;  /* draws on its fault stream before it; of a tape that replays */
    uint64_t work;    /* draws on its workload stream before it; of a tape that replays */
    uint64_t latency; /* draws on its latency stream before it; of a tape that replays */
    uint64_t events;  /* draws on its event stream before it, of the run's for node 0 */
    /* Of an operation. */
    uint64_t handle, offset;
    uint32_t machine;   /* whose it is: a number in the process, from 1; 0: nobody's */
    uint32_t stage, op; /* enum tp_virtual_stage, enum tp_kind */
    uint32_t len;
    int32_t result;
    uint32_t inode;             /* file or directory that it is on */
    uint32_t dir;               /* directory whose names it changes; 0: none */
    uint32_t to_dir;            /* the other one, where it renames into that; 0: none */
    bool changes;               /* data of the inode, or names of the directory */
    uint32_t peer;              /* a send: the node that it is for; a message: the sender */
    struct tp_record_disk disk; /* after it; if the recorder looks */
    /* A read, where there is a shadow: against what was written. Writers are places of
     * records, plus one. */
    struct tp_shadow_found found;
    char text[TP_RECORD_TEXT]; /* its paths, or the fact's text; last, not cleared behind */
};

/** A send whose bytes are on their way. */
struct tp_record_sent {
    uint32_t node;      /* the sender */
    uint64_t effect;    /* of it: names the operation */
    uint32_t to;        /* the receiver's socket, and its life; 0: it is a datagram, and */
    uint64_t to_serial; /* this its number */
    uint64_t upto;      /* bytes of the stream */
};
enum { TP_RECORD_SENT_MAX = 64 };

/** Memory for them is the caller's; what does not fit is counted. */
struct tp_recorder {
    struct tp_record *records;
    uint32_t capacity, count;
    uint32_t first; /* the oldest, when the latest are kept */
    uint64_t dropped;
    bool all_stages; /* else effects only */
    bool looks;      /* at disks and messages; and keeps the latest, not the first */
    struct tp_record_sent sent[TP_RECORD_SENT_MAX];
    uint32_t sent_count;
    uint64_t not_followed;    /* sends for which there was no room in `sent` */
    struct tp_shadow *shadow; /* what was written; NULL: reads are not compared */
    const struct tp_sim *sim; /* of the facts; NULL: not known yet */
    struct tp_sim_watch watch;
};

/** The record at `index` of `count`, the oldest first. */
static inline const struct tp_record *tp_recorder_at(const struct tp_recorder *recorder,
                                                     uint32_t index)
{
    tp_assert(index < recorder->count);
    return &recorder->records[(recorder->first + index) % recorder->capacity];
}

/** `recorder->watch` is to be given to a run. */
void tp_recorder_init(struct tp_recorder *recorder, struct tp_record *records,
                      uint32_t capacity);

/** Where among so many records the last one of a kind and a node is, plus one; 0: it is not
 * there. */
uint32_t tp_record_last(const struct tp_record *records, uint32_t count,
                        enum tp_fact_kind kind, uint32_t node);

/** Where the operation that began at `begun` comes to a stage, or its process ends before
 * that; the count: neither. */
uint32_t tp_record_end_of(const struct tp_record *records, uint32_t count, uint32_t begun,
                          enum tp_virtual_stage stage);

/** Whether it is a power cut. */
bool tp_record_is_cut(const struct tp_record *record);

/** One line. */
void tp_record_print(const struct tp_record *record, FILE *out);

/** The fact in words, without its time and its node. Returns `ret_text`. */
const char *tp_record_fact(const struct tp_record *record, char *ret_text,
                           size_t size_bytes);

/** "write of 8 bytes at 0 to /a (file.c:12)", for explanations. Returns `ret_text`. */
const char *tp_record_operation(const struct tp_record *record, char *ret_text,
                                size_t size_bytes);

#endif
