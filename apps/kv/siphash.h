/** apps/kv/siphash.h - a hash that strangers cannot steer without knowing its key.
 *
 * SipHash by Aumasson and Bernstein (Indocrypt 2012): who chooses the keys of a table could
 * put them all into one bucket if he knew where each goes. With 1 and 3 rounds it is what
 * tables use elsewhere, too; 2 and 4 is the form of the paper.
 */
#ifndef TEMPEST_APPS_KV_SIPHASH_H
#define TEMPEST_APPS_KV_SIPHASH_H

#include "apps/kv/slice.h"

/** SipHash-c-d of the bytes, under a key of 16 bytes. */
uint64_t kv_siphash(const uint8_t key[16], struct kv_slice bytes, uint32_t c_rounds,
                    uint32_t d_rounds);

/** The hash of the tables: SipHash-1-3. */
uint64_t kv_hash(const uint8_t key[16], struct kv_slice bytes);

#endif
