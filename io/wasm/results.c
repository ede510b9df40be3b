/* What came from the host is looked at before anybody works with it. */
#include "io/wasm/wasm_internal.h"

/* The largest value that an operation may complete with. */
static int32_t value_max(const struct tp_wasm_slot *slot)
{
    switch (slot->kind) {
    case TP_READ:
    case TP_WRITE:
    case TP_LIST_DIR:
    case TP_READ_LINK:
        return (int32_t)slot->len;
    case TP_FIND_DATA:
        return 1;
    default:
        return 0;
    }
}

/* Whoever walks the entries trusts their lengths (tp_dir_next()) and their names. */
static bool entries_are_sound(const uint8_t *memory, uint32_t len_bytes)
{
    uint32_t at = 0;

    while (at < len_bytes) {
        struct tp_dir_entry entry;
        const char *name = (const char *)memory + at + sizeof entry;

        if (len_bytes - at < sizeof entry)
            return false;
        memcpy(&entry, memory + at, sizeof entry);
        if (entry.record_len % 8 != 0 || entry.record_len > len_bytes - at ||
            entry.name_len == 0 || entry.name_len > TP_NAME_MAX ||
            entry.record_len < sizeof entry + entry.name_len + 1 ||
            entry.kind > TP_FILE_SYMLINK)
            return false;
        if (name[entry.name_len] != '\0' || memchr(name, '\0', entry.name_len) != NULL ||
            memchr(name, '/', entry.name_len) != NULL)
            return false;
        at += entry.record_len;
    }
    return true;
}

static bool is_alignment(uint32_t align)
{
    return align <= 65536 && (align & (align - 1)) == 0;
}

static bool statx_is_sound(const struct tp_statx *statx)
{
    return statx->kind <= TP_FILE_SYMLINK && (statx->mode & ~UINT32_C(07777)) == 0 &&
           statx->size <= INT64_MAX && is_alignment(statx->direct_align) &&
           is_alignment(statx->direct_memory_align);
}

static bool memory_is_sound(const struct tp_wasm_slot *slot, int32_t value)
{
    switch (slot->kind) {
    case TP_LIST_DIR:
        return entries_are_sound(slot->memory, (uint32_t)value);
    case TP_STAT:
    case TP_FSTAT:
        return statx_is_sound(slot->memory);
    case TP_FIND_DATA: {
        const struct tp_extent *extent = slot->memory;

        return value == 0 || (extent->start < extent->end && extent->end <= INT64_MAX);
    }
    default:
        return true;
    }
}

int32_t tp_wasm_result(struct tp_wasm_io *self, const struct tp_wasm_slot *slot,
                       uint64_t id, int32_t value)
{
    tp_assert(slot->handle != 0 && tp_wasm_op_of(slot->kind) != 0);
    if (value > value_max(slot)) {
        tp_wasm_violation(
            self, "the host completed an operation with more than it was lent", id, value);
        return -EPROTO;
    }
    if (value < 0 && (value < -UINT16_MAX || tp_errno_name(value)[1] == '?')) {
        tp_wasm_violation(self, "the host completed an operation with no known error", id,
                          value);
        return -EPROTO;
    }
    if (value >= 0 && !memory_is_sound(slot, value)) {
        tp_wasm_violation(self, "the host filled lent memory with what cannot be", id,
                          value);
        return -EPROTO;
    }
    return value;
}
