/** io/virtual/faults.h - what goes wrong in a VirtualIo, family by family.
 *
 * A family of faults has a name, a rate in struct tp_virtual_faults, and a count of how
 * often it fired (tp_virtual_io_faults_fired() in virtual.h). Rates are in millionths of
 * the operations that the family can befall, each at most 1000000; 0 is off, takes no draw
 * and no time. A swarm goes over the table:
 *
 *     for (uint32_t fault = 0; fault < TP_FAULTS; fault++)
 *         *tp_virtual_faults_rate(&faults, fault) = is_on(fault) ? rate(fault) : 0;
 *
 * Families that share a draw are slices of one range: error, eintr, eagain and short
 * together must not exceed 1000000, nor may unreadable, bit_flip and misread, nor
 * lost_write, stale and miswrite; see tp_virtual_faults_are_possible().
 *
 * What damages data that were acknowledged (unreadable, bit_flip, misread, lost_write,
 * stale, miswrite) asks tp_virtual_io_config.may_fault first, so that a program which keeps
 * copies on several nodes is left with a good one.
 */
#ifndef TEMPEST_IO_VIRTUAL_FAULTS_H
#define TEMPEST_IO_VIRTUAL_FAULTS_H

#include "../base.h"

/* The families.
 *
 *   family                 name and field (with _ppm), what it befalls, and what happens */
#define TP_FAULT_TABLE(X)                                                                 \
    X(TP_FAULT_ERROR, error,                                                              \
      "operations: -EIO; on sockets -ENOBUFS, -ENOMEM; accept: "                          \
      "-ENFILE")                                                                          \
    X(TP_FAULT_EINTR, eintr, "transfers, opens: -EINTR")                                  \
    X(TP_FAULT_EAGAIN, eagain, "reads and writes: -EAGAIN")                               \
    X(TP_FAULT_SHORT, short, "transfers: fewer bytes than could be")                      \
    X(TP_FAULT_SYNC_ERROR, sync_error,                                                    \
      "fsync, O_DSYNC and direct writes: data do not reach the disk, memory keeps them")  \
    X(TP_FAULT_WRITEBACK_ERROR, writeback_error,                                          \
      "buffered writes: an older page is lost on its way down; the next fsync says so")   \
    X(TP_FAULT_LATE_ENOSPC, late_enospc,                                                  \
      "writes to a full disk: taken all the same; the next fsync says ENOSPC")            \
    X(TP_FAULT_JOURNAL, journal,                                                          \
      "syncs: EIO, and the file system takes no change more until the power is cut")      \
    X(TP_FAULT_CLOSE_ERROR, close_error, "close: an error; the fd is gone all the same")  \
    X(TP_FAULT_UNREADABLE, unreadable, "reads: sectors are unreadable until rewritten")   \
    X(TP_FAULT_BIT_FLIP, bit_flip, "reads: one bit of the media is another")              \
    X(TP_FAULT_MISREAD, misread, "reads: a page is read from a wrong place")              \
    X(TP_FAULT_LOST_WRITE, lost_write, "syncs: a page is acknowledged and lost")          \
    X(TP_FAULT_STALE, stale, "syncs: one sector of a page stays the old one")             \
    X(TP_FAULT_MISWRITE, miswrite, "syncs: a page lands on another, of any file")         \
    X(TP_FAULT_EVICT, evict,                                                              \
      "reads: pages that memory alone has as they are, are read from the disk anew")      \
    X(TP_FAULT_CACHE_LOSS, cache_loss,                                                    \
      "writes and syncs: a bus reset; the device's cache is lost, the host lives")        \
    X(TP_FAULT_INTERLEAVE, interleave,                                                    \
      "writes that overlap in flight: their pages interleave")                            \
    X(TP_FAULT_STALL, stall, "operations on files: the disk does nothing for a while")    \
    X(TP_FAULT_THROTTLE, throttle, "operations on files: the disk is slower for a while") \
    X(TP_FAULT_HANG, hang, "operations on files: the completion never comes")             \
    X(TP_FAULT_SYNC_QUEUE, sync_queue, "syncs: wait behind the data of other files")

enum tp_fault {
#define TP_FAULT_ENUM(fault, name, what) fault,
    TP_FAULT_TABLE(TP_FAULT_ENUM)
#undef TP_FAULT_ENUM
        TP_FAULTS
};

struct tp_fault_info {
    const char *name; /* "sync_error" */
    const char *what; /* what it befalls, and what happens */
};

/** What goes wrong; all zero: nothing. Cancel and nop never fail, and a close that fails
 * has closed all the same. A failed fsync leaves its pages clean and not durable, as Linux
 * does. */
struct tp_virtual_faults {
    uint64_t fail_nth;  /* the n-th operation from now on fails, 1 is the next; 0: none */
    uint16_t fail_kind; /* count only operations of this kind; TP_NOP: of all kinds */
    uint16_t reserved;
    int32_t fail_errno; /* positive, as EIO; 0: EIO */
#define TP_FAULT_FIELD(fault, name, what) uint32_t name##_ppm;
    TP_FAULT_TABLE(TP_FAULT_FIELD)
#undef TP_FAULT_FIELD
};

TP_BEGIN_DECLS

/** The name and meaning of each family, indexed by enum tp_fault. */
TP_EXPORT extern const struct tp_fault_info tp_fault_info[TP_FAULTS];

/** The rate of a family, to read and to set. */
TP_EXPORT uint32_t *tp_virtual_faults_rate(struct tp_virtual_faults *faults,
                                           enum tp_fault fault);

/** Whether no rate, and no sum of rates that share a draw, exceeds 1000000. */
TP_EXPORT bool tp_virtual_faults_are_possible(const struct tp_virtual_faults *faults);

TP_END_DECLS

#endif
