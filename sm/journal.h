/** sm/journal.h - a durable append-only log of records, shared by many machines.
 *
 *     struct tp_journal_config config = {.path = "/var/lib/app/log"};
 *     tp_journal_init(&journal, &config);
 *
 *     m->journal_end = tp_journal_open(cx, &journal);          the log is a child of yours
 *     for (;;) {                                               read what it holds
 *         TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_next(&journal, &m->record)) != -EAGAIN);
 *         if (m->rc <= 0) break;                               0: all read, open for
 * appends
 *         ...
 *     }
 *
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_append(cx, &journal, &m->waiter, bytes, len,
 *                                                   &m->lsn)) != -EAGAIN);
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_wait(cx, &journal, &m->waiter, m->lsn)) !=
 * -EAGAIN); 0: it survives a power cut
 *
 * Records are bytes, 0 to tp_journal_record_max() of them, numbered from 1 without gaps:
 * the LSN. One group of records is being written at any time; what is appended meanwhile is
 * the next group. So records become durable in order, and a record may be on disk although
 * nobody was told so, but none is lost that was.
 *
 * Durable when: tp_journal_wait() gives 0. After an error of the disk the journal refuses
 * everything; what was not known to be durable has an unknown outcome until it is opened
 * again. A full disk refuses records with -ENOSPC before anything has happened: the space
 * of an accepted record has been written to already.
 *
 * The directory is the journal's own, must exist, be durable, and be used by one journal at
 * a time: nothing here takes a lock. The format is described in docs/log.md.
 *
 * Cancelled, it ends with -ECANCELED and waits for nothing; tp_journal_close() is the good
 * end. What a cancelled machine waits for here comes to -ECANCELED too.
 */
#ifndef TEMPEST_SM_JOURNAL_H
#define TEMPEST_SM_JOURNAL_H

#include "journal_maker.h"
#include "journal_recovery.h"
#include "journal_trimmer.h"
#include "wait.h"

/** As from_lsn: what was trimmed is not missed. For those whose records say by themselves
 * whether they are enough. */
#define TP_JOURNAL_OLDEST UINT64_MAX

/** All zero but `path` is a working default. */
struct tp_journal_config {
    uint32_t size;          /* of this struct; 0: as in version 0.1 */
    uint32_t group_bytes;   /* bytes of the largest group, a multiple of 4096; 0: 1 MiB */
    uint64_t segment_bytes; /* of a file, a multiple of 4096, at least group_bytes + 4096;
                               0: 64 MiB */
    const char *path;       /* of the directory; must outlive the journal */
    uint64_t from_lsn;      /* the first record to read, which must be there; 0: the first;
                               TP_JOURNAL_OLDEST: the first that is there */
    uint64_t idle_mark_ns; /* idle for so long, it notes on disk what is durable; 0: 100 ms;
                              TP_NEVER: it does not */
    uint64_t retry_ns;     /* before a spare segment is tried again; 0: 1 s */
    uint32_t buffered;     /* 1: through the page cache, even if direct I/O is possible */
    uint32_t read_only; /* 1: nothing is written. The log is read and checked as ever; when
                           all is read it ends by itself, with 0. Appends get -EROFS */
    const struct tp_allocator *allocator; /* NULL: the default */
    uint64_t pace_ns; /* while nobody waits, a group is written when its first record is so
                         old, or when it is a quarter full; 0: at once */
    uint32_t gather;  /* 1: when a group is durable, those whom it was written for are given
                         up to a quarter of the time that it took to append again, so that
                         they share the next one; without pace_ns. 0: it is begun at once */
};

/** What happened since it was opened. */
struct tp_journal_stats {
    uint64_t records, bytes;   /* appended */
    uint64_t groups;           /* written, marks included */
    uint64_t blocks;           /* written with them */
    uint64_t marks;            /* groups without records */
    uint64_t segments_found;   /* that were there, older than the first one begun */
    uint64_t segments;         /* begun */
    uint64_t segments_trimmed; /* removed */
    uint64_t spares_failed;    /* segments that could not be made */
    uint64_t waits_for_room;   /* appends and reservations that got -EAGAIN */
};

/** A group in the making, or being written. */
struct tp_journal_batch {
    struct tp_buf plain;         /* memory of the journal's own ... */
    struct tp_buf *registered;   /* ... unless the Io has registered buffers of that size */
    uint32_t len;                /* bytes so far, the header's included */
    uint32_t count;              /* records */
    uint64_t began_ns;           /* when the first was seen; with pace_ns */
    struct tp_wait_list durable; /* who waits for it */
};

enum tp_journal_phase {
    TP_JOURNAL_CLOSED,
    TP_JOURNAL_RECOVERING,
    TP_JOURNAL_OPEN,
    TP_JOURNAL_ENDING,
    TP_JOURNAL_ENDED
};

/** Embed it; all of it is the journal's. */
struct tp_journal {
    struct tp_machine machine;
    struct tp_journal_config config; /* with the defaults filled in */
    enum tp_journal_phase phase;
    int32_t failure; /* what refuses appends from now on; 0 */
    int32_t result;  /* what it will end with */
    bool closing;
    bool flying;      /* the batch that is not being filled is being written */
    bool marked;      /* nothing is durable that the last group does not say is */
    bool holds_group; /* the current segment has a durable one */
    bool mark_due;
    bool direct;
    uint8_t filling; /* index of the batch */

    uint64_t lsn;          /* of the last record appended */
    uint64_t flying_lsn;   /* of the last one being written */
    uint64_t durable_lsn;  /* of the last one that is durable */
    uint64_t keep_lsn;     /* trim below it */
    uint64_t group;        /* number of the last group begun */
    uint64_t at;           /* where the next group goes in the current segment */
    uint64_t anchor;       /* a segment that names a durable record */
    uint64_t active_ns;    /* when the last group became durable */
    uint64_t launched_ns;  /* when the group was launched that is being written, or was */
    uint64_t gather_ns;    /* until when more records are waited for; 0: they are not */
    uint64_t pace_due_ns;  /* of the timer that gathering has begun */
    uint32_t gather_count; /* records that are worth no more waiting */
    struct tp_fd dir, fd;
    struct tp_journal_segment segment; /* the current one */

    struct tp_journal_batch batches[2];
    struct tp_wait_list room; /* who waits to append */
    uint32_t reserved_bytes;  /* in the batch being filled, or a later one */
    uint32_t reserved_blocks; /* on disk, each reservation in a group of its own */
    struct tp_journal_transfer write;

    struct tp_op recovery_op, spare_op, trim_op, mark_op, pace_op, retry_op;
    struct tp_journal_recovery recovery;
    struct tp_journal_maker spare;
    bool spare_ready;
    bool spare_final;    /* there will be no further one */
    int32_t spare_error; /* why there is none; 0: it is being made, or will be */
    struct tp_journal_trimmer trimmer;
    struct tp_journal_problem problem;
    struct tp_journal_stats stats;
    uint8_t *memory;
    size_t memory_bytes;
};

TP_BEGIN_DECLS

/** Takes the memory: three groups and 264 KiB. 0, -ENOMEM, or -EINVAL: sizes that are no
 * multiples, too large, or do not fit each other. */
TP_EXPORT int tp_journal_init(struct tp_journal *journal,
                              const struct tp_journal_config *config);

/** Gives the memory back; the machine has ended, or its scheduler has crashed. */
TP_EXPORT void tp_journal_deinit(struct tp_journal *journal);

/** Starts the journal as a child of the machine of `cx`, which is the one that must read
 * what is in it (tp_journal_next()). Completes at the end: with 0 after tp_journal_close();
 * -ECANCELED; the error of an operation; or why it cannot be opened, told in full by
 * tp_journal_problem(): -EBADMSG corruption, -ENODATA something is missing,
 * -EPROTONOSUPPORT an unknown format version, -EFBIG larger groups than group_bytes. */
TP_EXPORT struct tp_op tp_journal_open(struct tp_ctx *cx, struct tp_journal *journal);

/** While the journal is opened: 1 and the next record, whose bytes stay until the next
 * call. -EAGAIN: ask again when woken. 0: that was all, and the journal is open. Else it
 * has failed. */
TP_EXPORT int32_t tp_journal_next(struct tp_journal *journal,
                                  struct tp_journal_record *ret_record);

/** Bytes of the largest record. */
TP_EXPORT uint32_t tp_journal_record_max(const struct tp_journal *journal);

/** 0: a copy of the bytes is the record `ret_lsn`, to be written next. -EAGAIN: no room at
 * the moment; ask again when woken. -ENOSPC or another reason why no further segment can be
 * made: nothing has happened, and a later call may succeed. -EMSGSIZE. -ECANCELED. Else the
 * journal has failed (that error), or is closing (-ESHUTDOWN). `waiter` is zeroed before
 * its first use; NULL: nobody is to be woken. */
TP_EXPORT int32_t tp_journal_append(struct tp_ctx *cx, struct tp_journal *journal,
                                    struct tp_waiter *waiter, const void *bytes,
                                    uint32_t len_bytes, uint64_t *ret_lsn);

/** The same in two steps: room for one record of `len_bytes` is kept until it is appended
 * or given back. Errors as above. A command can so be applied in between, with nothing to
 * undo. */
TP_EXPORT int32_t tp_journal_reserve(struct tp_ctx *cx, struct tp_journal *journal,
                                     struct tp_waiter *waiter, uint32_t len_bytes);

/** Appends into a reservation of `reserved_bytes`, which are at least `len_bytes`. 0; or
 * the journal has failed or was closed since. The reservation is used up either way. */
TP_EXPORT int32_t tp_journal_append_reserved(struct tp_journal *journal,
                                             uint32_t reserved_bytes, const void *bytes,
                                             uint32_t len_bytes, uint64_t *ret_lsn);

/** Gives a reservation back. */
TP_EXPORT void tp_journal_unreserve(struct tp_journal *journal, uint32_t len_bytes);

/** 0: the record `lsn`, which was appended, is durable, and so are all before it. -EAGAIN:
 * not yet; ask again when woken. -ECANCELED. Else the journal has failed: unknown. */
TP_EXPORT int32_t tp_journal_wait(struct tp_ctx *cx, struct tp_journal *journal,
                                  struct tp_waiter *waiter, uint64_t lsn);

/** Stops asking; before a machine ends that has not been answered. */
static inline void tp_journal_leave(struct tp_waiter *waiter)
{
    tp_wait_list_leave(waiter);
}

/** The last record that was appended, and the last one that is durable; 0: none. */
TP_EXPORT uint64_t tp_journal_lsn(const struct tp_journal *journal);
TP_EXPORT uint64_t tp_journal_durable_lsn(const struct tp_journal *journal);

/** Records below `keep_lsn` are not needed any more. Segments that hold nothing else are
 * removed in the background, durably, one by one. */
TP_EXPORT void tp_journal_trim(struct tp_journal *journal, uint64_t keep_lsn);

/** Takes no more, writes what was appended, notes on disk that all of it is durable, and
 * ends. Before it is open: gives up. */
TP_EXPORT void tp_journal_close(struct tp_journal *journal);

/** 0 while appends are taken or will be; else the error that refuses them. */
TP_EXPORT int32_t tp_journal_failure(const struct tp_journal *journal);

/** Why it could not be opened. */
TP_EXPORT const struct tp_journal_problem *
tp_journal_problem(const struct tp_journal *journal);

/** Writes the problem as one line, with the file's path (NUL-terminated, cut at size). */
TP_EXPORT void tp_journal_problem_print(const struct tp_journal *journal, char *ret_text,
                                        size_t size_bytes);

/** Where a torn tail was discarded when it was opened; segment 0: there was none. */
TP_EXPORT struct tp_journal_halt tp_journal_torn(const struct tp_journal *journal);

/** What happened since it was opened; kept up to date. */
TP_EXPORT const struct tp_journal_stats *tp_journal_stats(const struct tp_journal *journal);

TP_END_DECLS

#define tp_journal_open(cx, journal) tp_journal_open(TP_HERE(cx), journal)

#endif
