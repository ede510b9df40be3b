/** io/virtual/tape.h - the tape: every choice of a simulated run, in the order it was asked
 * for.
 *
 * Whatever is not determined (a latency, a fault, an order, what survives a power cut) is
 * one draw: a number below a bound, on one stream. Each pair of node and concern has a
 * stream of its own, so that editing one moves no other. 0 is always the mildest choice:
 * the table of kinds says what it means for each.
 *
 * A tape gives its values from one of three sources:
 *   a seed      every stream is a generator of its own
 *   a record    what an earlier run drew, perhaps edited; past the end of a stream it gives
 *               0, a value at or above the bound is clamped to the bound less one, and both
 *               are counted
 *   bytes       of a fuzzer, used up in the order of the draws; then it gives 0
 *
 * Each can be recorded while it runs, saved, and loaded elsewhere.
 *
 * A machine's own randomness is not drawn choice by choice: it comes from a generator that
 * one draw of kind TP_DRAW_SEED starts (see tp_tape_seed()), which a shrinker leaves alone.
 *
 * Order of draws: one draw per statement, since the order in which a compiler evaluates two
 * draws in one expression is not fixed.
 */
#ifndef TEMPEST_IO_VIRTUAL_TAPE_H
#define TEMPEST_IO_VIRTUAL_TAPE_H

#include "../base.h"

/** What a stream is about; a node has one stream for each. */
enum tp_concern {
    TP_CONCERN_SEED,      /* generators: randomness of machines, hash seeds */
    TP_CONCERN_LATENCY,   /* when operations take effect and complete */
    TP_CONCERN_FAULT,     /* errors and short counts */
    TP_CONCERN_CANCEL,    /* who wins when an operation is cancelled */
    TP_CONCERN_WRITEBACK, /* what moves down the disk's layers by itself, and when */
    TP_CONCERN_CRASH,     /* what survives a kill or a power cut */
    TP_CONCERN_WORKLOAD,  /* what the program under test is asked to do */
    TP_CONCERN_NETWORK,   /* the packets that it sends: when they come, if at all */
    TP_CONCERN_EVENT,     /* what befalls the node; with node 0: the run as a whole */
    TP_CONCERNS
};

/* What is chosen. The third column is the mapping: what 0 means, and what more means.
 *
 *   kind                 name             0 is, and more is */
#define TP_DRAW_TABLE(X)                                                                   \
    X(TP_DRAW_SEED, "seed", "any seed; no order among them")                               \
    X(TP_DRAW_LATENCY, "latency",                                                          \
      "the base latency; then longer, a long tail, at the very top none")                  \
    X(TP_DRAW_EFFECT, "effect",                                                            \
      "takes effect when submitted; then later, up to its completion")                     \
    X(TP_DRAW_FAULT, "fault", "no fault; the top values are the faults")                   \
    X(TP_DRAW_SHORT, "short", "one byte (or sector) missing from a count; then more")      \
    X(TP_DRAW_CANCEL, "cancel",                                                            \
      "stops it; 1 too late, 2 accepted yet it succeeds, 3 half-way")                      \
    X(TP_DRAW_WRITEBACK, "writeback",                                                      \
      "nothing moves; the top value: to the media, below it: to the device")               \
    X(TP_DRAW_PAGE, "page", "the page (or name) dirty for longest; then younger ones")     \
    X(TP_DRAW_CUT_ORDER, "cut_order",                                                      \
      "operations in flight end in the order of submission")                               \
    X(TP_DRAW_CUT_OP, "cut_op",                                                            \
      "it happened; 1 it did not, 2 in part, 3 (kill) it lands later")                     \
    X(TP_DRAW_CUT_LEN, "cut_len",                                                          \
      "the part that happened lacks one byte (or sector); then more")                      \
    X(TP_DRAW_CUT_DELAY, "cut_delay", "it lands before the next operation; then later")    \
    X(TP_DRAW_CUT_DATA, "cut_data",                                                        \
      "all dirty sectors kept; 1 none, 2 in order up to a point, 3 one run, 4 each by "    \
      "itself")                                                                            \
    X(TP_DRAW_CUT_POINT, "cut_point", "nothing missing before the point; then more")       \
    X(TP_DRAW_CUT_SECTOR, "cut_sector",                                                    \
      "the newest content; then older, at the top what the profile adds")                  \
    X(TP_DRAW_CUT_SIZES, "cut_sizes",                                                      \
      "all sizes as in memory; 1 as on the media, 2 each by itself")                       \
    X(TP_DRAW_CUT_SIZE, "cut_size",                                                        \
      "the size in memory; 1 on the media, 2 in between, 3 the smallest")                  \
    X(TP_DRAW_CUT_NAMES, "cut_names",                                                      \
      "all names as in memory; 1 as on the media, 2 in order up to a point, 3 each by "    \
      "itself")                                                                            \
    X(TP_DRAW_CUT_NAME, "cut_name", "the operation on a name is kept; 1 lost")             \
    X(TP_DRAW_WORKLOAD, "workload",                                                        \
      "the least: no command, the first key, the smallest size")                           \
    X(TP_DRAW_CUT_LOCK, "cut_lock",                                                        \
      "a lock of the killed is free before the next operation; then later")                \
    X(TP_DRAW_NET_LATENCY, "net_latency",                                                  \
      "the base latency; then longer, a long tail, at the very top none")                  \
    X(TP_DRAW_NET_SPLIT, "net_split", "a packet arrives as one; at the top as two")        \
    X(TP_DRAW_NET_CUT, "net_cut", "the first part lacks the least it can; then more")      \
    X(TP_DRAW_NET_FAULT, "net_fault", "no fault; the top values are the faults")           \
    X(TP_DRAW_NET_LOSS, "net_loss", "lost once; then more often")                          \
    X(TP_DRAW_NET_CLOG, "net_clog", "no time; then longer")                                \
    X(TP_DRAW_NET_CONNECT, "net_connect",                                                  \
      "the connection is made; the top values: refused, not answered")                     \
    X(TP_DRAW_SWARM, "swarm", "nothing goes wrong; 1 one family does, above it any")       \
    X(TP_DRAW_FAMILY, "family", "it is off (or the first); then on (or the others)")       \
    X(TP_DRAW_RATE, "rate", "the lowest rate; then higher, in equal ratios")               \
    X(TP_DRAW_EVENT, "event", "nothing more befalls it; then the mildest, then worse")     \
    X(TP_DRAW_WHEN, "when", "after the fewest operations; then more, in equal ratios")     \
    X(TP_DRAW_AIM, "aim",                                                                  \
      "anywhere; 1 before a sync or rename, 2 after its effect, 3 after its completion")   \
    X(TP_DRAW_SPAN, "span", "the shortest time; then longer, in equal ratios")             \
    X(TP_DRAW_CLOCK, "clock", "the clock is right; then ahead and behind in turn")         \
    X(TP_DRAW_SYNC_FAULT, "sync_fault", "no fault; at the top data do not reach the disk") \
    X(TP_DRAW_SYNC_PAGES, "sync_pages",                                                    \
      "the page dirty for longest is lost; 1 all, 2 each by itself")                       \
    X(TP_DRAW_SYNC_PAGE, "sync_page", "the page reaches the device; 1 it is lost")         \
    X(TP_DRAW_REVERT, "revert", "memory keeps what it has; 1 it has the old at once")      \
    X(TP_DRAW_ERRNO, "errno", "EIO; then what else it may be")                             \
    X(TP_DRAW_WRITEBACK_FAULT, "writeback_fault", "no fault; at the top a page is lost")   \
    X(TP_DRAW_LATE_ENOSPC, "late_enospc", "no fault; at the top a full disk takes it")     \
    X(TP_DRAW_JOURNAL_FAULT, "journal_fault", "no fault; at the top the journal fails")    \
    X(TP_DRAW_JOURNAL_WAY, "journal_way",                                                  \
      "changes are refused; 1 and a sync says 0, 2 everything is refused")                 \
    X(TP_DRAW_CLOSE_FAULT, "close_fault", "no fault; at the top an error")                 \
    X(TP_DRAW_READ_DAMAGE, "read_damage",                                                  \
      "none; the top values: unreadable, a flipped bit, another place")                    \
    X(TP_DRAW_WRITE_DAMAGE, "write_damage",                                                \
      "none; the top values: lost, one sector lost, another place")                        \
    X(TP_DRAW_PLACE, "place", "the first byte, bit, sector or page; then later ones")      \
    X(TP_DRAW_EXTENT, "extent", "one sector; then two, four, eight")                       \
    X(TP_DRAW_EVICT, "evict", "nothing is evicted; at the top what is read is")            \
    X(TP_DRAW_CACHE_LOSS, "cache_loss", "no fault; at the top the device is reset")        \
    X(TP_DRAW_CACHE_PAGE, "cache_page", "the page reached the media; 1 it is lost")        \
    X(TP_DRAW_INTERLEAVE, "interleave", "no fault; at the top pages interleave")           \
    X(TP_DRAW_PAGE_WINS, "page_wins", "the later write's page; 1 the earlier one's")       \
    X(TP_DRAW_DIRECT_WAY, "direct_way",                                                    \
      "nothing was written; 1 all was, 2 each sector by itself")                           \
    X(TP_DRAW_DIRECT_SECTOR, "direct_sector", "the old sector; 1 the new")                 \
    X(TP_DRAW_STALL, "stall", "no fault; at the top the disk stalls")                      \
    X(TP_DRAW_THROTTLE, "throttle", "no fault; at the top the disk is slower")             \
    X(TP_DRAW_HANG, "hang", "no fault; at the top it never completes")                     \
    X(TP_DRAW_SYNC_QUEUE, "sync_queue", "no fault; at the top it waits for other data")    \
    X(TP_DRAW_DURATION, "duration", "a millisecond; then longer")                          \
    X(TP_DRAW_FACTOR, "factor", "twice as slow; then slower")                              \
    X(TP_DRAW_ACT, "act", "nobody does anything more; then what somebody does")            \
    X(TP_DRAW_ACT_AT, "act_at", "at the first event; then at later ones")                  \
    X(TP_DRAW_ACT_WHERE, "act_where", "to the first node, or link; then to others")        \
    X(TP_DRAW_ACT_SPAN, "act_span", "for as long as usual; else so many nanoseconds")      \
    X(TP_DRAW_DATAGRAM, "datagram",                                                        \
      "it arrives; the top values: lost, the link clogs, it comes twice, it is late")      \
    X(TP_DRAW_DATAGRAM_LATENCY, "datagram_latency",                                        \
      "the base latency; then longer, a long tail, at the very top none")                  \
    X(TP_DRAW_DATAGRAM_LATE, "datagram_late",                                              \
      "in its place; then later, so that others may overtake it")

enum tp_draw {
#define TP_DRAW_ENUM(kind, name, mapping) kind,
    TP_DRAW_TABLE(TP_DRAW_ENUM)
#undef TP_DRAW_ENUM
        TP_DRAWS
};

struct tp_draw_info {
    const char *name;
    const char *mapping;
};

/** A stream: a node's number and a concern. */
#define TP_TAPE_NODES_MAX UINT32_C(4096)
static inline uint32_t tp_stream(uint32_t node, enum tp_concern concern)
{
    tp_assert(node < TP_TAPE_NODES_MAX);
    return node * TP_CONCERNS + (uint32_t)concern;
}

/** One choice that was made. */
struct tp_draw_entry {
    uint64_t bound;
    uint64_t value; /* below the bound */
    uint32_t kind;  /* enum tp_draw */
    uint32_t reserved;
};

struct tp_tape_stats {
    uint64_t draws;      /* all of them */
    uint64_t past_end;   /* of these, past the end of a record or of the bytes */
    uint64_t clamped;    /* of these, at or above the bound */
    uint64_t mismatched; /* of these, recorded under another kind */
};

struct tp_tape; /* tape.c */

TP_BEGIN_DECLS

/** The name and mapping of each kind, indexed by enum tp_draw. */
TP_EXPORT extern const struct tp_draw_info tp_draw_info[TP_DRAWS];

/** A tape that draws from `seed`. `record` keeps every draw, which costs 24 bytes each;
 * without it the tape never allocates once each stream has drawn. 0, or -ENOMEM. */
TP_EXPORT int tp_tape_from_seed(uint64_t seed, bool record,
                                const struct tp_allocator *allocator,
                                struct tp_tape **ret_tape);

/** A tape that draws from `bytes` (copied), as many for each draw as its bound needs. It
 * records. */
TP_EXPORT int tp_tape_from_bytes(const void *bytes, size_t len_bytes,
                                 const struct tp_allocator *allocator,
                                 struct tp_tape **ret_tape);

/** A tape that replays what `tape` has recorded, from the start; `tape` must record. */
TP_EXPORT int tp_tape_replay(const struct tp_tape *tape, struct tp_tape **ret_tape);

/** The same in memory of another allocator. */
TP_EXPORT int tp_tape_copy(const struct tp_tape *tape, const struct tp_allocator *allocator,
                           struct tp_tape **ret_tape);

/** A tape that replays an empty record: every draw is 0, until tp_tape_put(). */
TP_EXPORT int tp_tape_empty(const struct tp_allocator *allocator,
                            struct tp_tape **ret_tape);

/** NULL is fine. */
TP_EXPORT void tp_tape_destroy(struct tp_tape *tape);

/** A choice: a number below `bound`, which is at least 1. */
TP_EXPORT uint64_t tp_tape_draw(struct tp_tape *tape, uint32_t stream, enum tp_draw kind,
                                uint64_t bound);

/** The start of a generator for `sequence` (which boot, which machine) of the stream's
 * node: one draw of kind TP_DRAW_SEED, mixed with the sequence so that equal draws give
 * unequal seeds. */
TP_EXPORT uint64_t tp_tape_seed(struct tp_tape *tape, uint32_t node, uint64_t sequence);

/** What was drawn so far, and how much of it the source did not have. */
TP_EXPORT const struct tp_tape_stats *tp_tape_stats(const struct tp_tape *tape);

/* ------------------------------------------------------------------ looking at a record,
 * editing */

/** Streams there are (some may be empty); a stream is a number below it. */
TP_EXPORT uint32_t tp_tape_streams(const struct tp_tape *tape);

/** Draws recorded on a stream; 0 for one that does not exist. */
TP_EXPORT uint64_t tp_tape_count(const struct tp_tape *tape, uint32_t stream);

/** The draw at `index`, which must be below the count. */
TP_EXPORT struct tp_draw_entry tp_tape_entry(const struct tp_tape *tape, uint32_t stream,
                                             uint64_t index);

/** Sets the value of a recorded draw (below its bound, or it is clamped when drawn). */
TP_EXPORT void tp_tape_set(struct tp_tape *tape, uint32_t stream, uint64_t index,
                           uint64_t value);

/** Removes `count` recorded draws from `index` on; later ones move up. */
TP_EXPORT void tp_tape_delete(struct tp_tape *tape, uint32_t stream, uint64_t index,
                              uint64_t count);

/** Sets the draw at `index`, past the end too: what is missing before it becomes 0. 0, or
 * -ENOMEM. */
TP_EXPORT int tp_tape_put(struct tp_tape *tape, uint32_t stream, uint64_t index,
                          struct tp_draw_entry entry);

/** Of a tape that replays: past the end of its record, the stream draws from `seed` instead
 * of giving 0, and records what it draws. 0, or -ENOMEM. */
TP_EXPORT int tp_tape_go_on(struct tp_tape *tape, uint32_t stream, uint64_t seed);

/** Puts entries into a record, as if they had been drawn there: of a tape that replays,
 * `before_next` entries before its next draw, which stays the next one; of another one, at
 * the end. 0, or -ENOMEM. */
TP_EXPORT int tp_tape_insert(struct tp_tape *tape, uint32_t stream, uint64_t before_next,
                             const struct tp_draw_entry *entries, uint32_t count);

/** Whether its source is a record. */
TP_EXPORT bool tp_tape_replays(const struct tp_tape *tape);

/** While it is harsh, a power cut leaves the least: what decides of everything at once
 * (cut_op, cut_data, cut_sizes, cut_names) is not drawn, and gives 1. */
TP_EXPORT void tp_tape_set_harsh(struct tp_tape *tape, bool harsh);

/** Of a tape that replays and was edited: a draw that meets a choice of another kind takes
 * the next one of its own kind on the stream, or 0, and what it met is left to later draws.
 * So a run that no longer asks for some kind still finds the choices of the others where
 * they were. The record is put into the order in which it was asked for, with the bounds of
 * that: once replayed, it gives the same without this. */
TP_EXPORT void tp_tape_realign(struct tp_tape *tape);

/** Draws of a stream that a tape which replays has given so far. */
TP_EXPORT uint64_t tp_tape_asked(const struct tp_tape *tape, uint32_t stream);

/* ------------------------------------------------------------------ files */

enum { TP_TAPE_LABEL_BYTES = 512 };

/** What a saved tape is of, for whoever loads it: a text that fits into so many bytes with
 * its NUL, "" at first. It is no part of what is drawn, and copies have none. */
TP_EXPORT void tp_tape_set_label(struct tp_tape *tape, const char *label);
TP_EXPORT const char *tp_tape_label(const struct tp_tape *tape);

/** Writes the record into `ret_bytes` if `size_bytes` suffices; returns the size it needs.
 */
TP_EXPORT size_t tp_tape_save(const struct tp_tape *tape, void *ret_bytes,
                              size_t size_bytes);

/** A tape that replays a record that tp_tape_save() wrote. The bytes may be anything: 0,
 * -EBADMSG (not a tape, cut short, or changed), -EPROTO (of a version unknown here), or
 * -ENOMEM. */
TP_EXPORT int tp_tape_load(const void *bytes, size_t len_bytes,
                           const struct tp_allocator *allocator, struct tp_tape **ret_tape);

TP_END_DECLS

#endif
