/* Zoo 15: corruption in the middle of the log is taken for its tail. Seen in
 * "Protocol-Aware Recovery for Consensus-Based Storage" (FAST'18). There are two copies,
 * and one is good; but a record that is bad in the first ends the log before anybody looks
 * at the second. */
#include "apps/sim/zoo/kit.h"

enum { COPIES = 2 };

struct record {
    uint64_t number;
    uint64_t sum; /* of the number */
};

struct program {
    struct zoo zoo;
    struct zoo_file files[COPIES];
    struct tp_fd fds[COPIES];
    struct record record;
    uint32_t copy;
};

static const char *const names[COPIES] = {"/first", "/second"};

/* Whether record `number` of a copy is whole. */
static bool has(const struct zoo_file *file, uint64_t number)
{
    uint64_t at = (number - 1) * sizeof(struct record);
    struct record record;

    if (at + sizeof record > file->len)
        return false;
    memcpy(&record, file->bytes + at, sizeof record);
    return record.number == number && record.sum == zoo_sum(&number, sizeof number);
}

/* Counts the records; what is bad in one copy is mended from the other. */
static uint64_t recover(struct program *p)
{
    uint64_t count = 0;

    while (has(&p->files[0], count + 1) || has(&p->files[1], count + 1)) {
        uint32_t good = has(&p->files[0], count + 1) ? 0 : 1;

        if (!p->zoo.is_fixed && good != 0) /* ZOO: the bug is here */
            break;
        memcpy(p->files[1 - good].bytes + count * sizeof p->record,
               p->files[good].bytes + count * sizeof p->record, sizeof p->record);
        count++;
    }
    return count;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    /* The first may be unreadable, which is as good as empty. */
    TP_AWAIT(cx, zoo_load_start(cx, &p->files[0], names[0]), &result);
    ZOO_TRY(cx, zoo_load_start(cx, &p->files[1], names[1]), &result);
    z->count = recover(p);
    zoo_compare(z, z->count);
    for (p->copy = COPIES; p->copy-- > 0;) { /* the second first: it is the better one */
        ZOO_TRY(cx,
                zoo_keep_start(cx, &p->files[p->copy], names[p->copy],
                               (uint32_t)(z->count * sizeof p->record)),
                &result);
        ZOO_TRY(cx, tp_open(cx, names[p->copy], options), &result);
        p->fds[p->copy] = tp_into_fd(cx, result);
    }
    while (tp_node_more(z->node) && (z->count + 1) * sizeof p->record < ZOO_FILE_BYTES) {
        p->record.number = z->count + 1;
        p->record.sum = zoo_sum(&p->record.number, sizeof p->record.number);
        zoo_begin(z, p->record.number);
        for (p->copy = 0; p->copy < COPIES; p->copy++) {
            z->buf = tp_buf_full(&p->record, sizeof p->record);
            ZOO_WRITE(
                cx, z,
                tp_write_at(cx, p->fds[p->copy], &z->buf, z->count * sizeof p->record),
                &result);
            ZOO_TRY(cx, tp_fsync(cx, p->fds[p->copy], 0), &result);
        }
        z->count = p->record.number;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

/* The medium of the second copy is a good one. */
static bool may_fault(struct tp_sim *sim, struct tp_node *node, const char *path,
                      uint64_t offset, uint64_t len)
{
    (void)sim;
    (void)node;
    (void)offset;
    (void)len;
    return strcmp(path, names[0]) == 0;
}

ZOO_MEDIA_SCENARIOS(15, "a bad record in the middle of the log is taken for its end", boot,
                    may_fault);
