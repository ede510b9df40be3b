/** apps/sim/record_look.h - what a recorder that looks adds to the facts: the state of
 * files on disks, what a power cut left, and when messages are received.
 *
 * It reads the layers of the simulation and changes nothing. A look at a file is bounded,
 * so that a run with large files is slower by a constant.
 */
#ifndef TEMPEST_APPS_SIM_RECORD_LOOK_H
#define TEMPEST_APPS_SIM_RECORD_LOOK_H

#include "apps/sim/record.h"

struct tp_disk;
struct tp_page_slot;

/** Where a page's newest bytes are: 'c' dirty in the page cache, 'd' in the device's, 'm'
 * on the media; 'x' clean, and yet the media have something else; '.' a hole. */
char tp_look_page(const struct tp_disk *disk, const struct tp_page_slot *slot);

/** Room for one record, zeroed; NULL if there is none. record.c. */
struct tp_record *tp_recorder_add(struct tp_recorder *recorder);

/** Before a fact is noted: sends whose bytes have been received since the last one. */
void tp_look_for_messages(struct tp_recorder *recorder, const struct tp_fact *fact);

/** After it was: how its file is now, where its message goes; at a boot, all files.
 * `record` is the fact's. */
void tp_look_at(struct tp_recorder *recorder, const struct tp_fact *fact,
                struct tp_record *record);

/** With a shadow: what an operation writes, or how what it reads compares, unless that is
 * of a write in flight; `record` is of the recorder's own. */
void tp_recorder_compare(struct tp_recorder *recorder, const struct tp_fact *fact,
                         struct tp_record *record);

#endif
