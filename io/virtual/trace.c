/* The trace: one record a completion, chained. Everything in a record has a fixed width and
 * a fixed byte order; memory addresses are not in it. */
#include "virtual_internal.h"

#include <string.h>

#include "io/hash.h"

static uint64_t hash_text(const struct tp_virtual *v, uint32_t text)
{
    const char *bytes;

    if (text == 0)
        return 0;
    bytes = tp_texts_at(&v->texts, text);
    return tp_hash(bytes, strlen(bytes), 0);
}

static uint64_t options_bits(struct tp_open_options options)
{
    return (uint64_t)options.read | (uint64_t)options.write << 1 |
           (uint64_t)options.create << 2 | (uint64_t)options.create_new << 3 |
           (uint64_t)options.truncate << 4 | (uint64_t)options.direct << 5 |
           (uint64_t)options.dsync << 6;
}

static void put_options(const struct tp_socket_options *o, uint64_t *ret_words)
{
    ret_words[0] = (uint64_t)o->recv_buffer_bytes << 32 | o->send_buffer_bytes;
    ret_words[1] = (uint64_t)o->keep_alive_s << 32 | (uint64_t)o->backlog << 8 |
                   (uint64_t)o->no_delay | (uint64_t)o->reuse_port << 1 |
                   (uint64_t)o->v6_only << 2;
}

/* The arguments that are numbers. */
static void put_arguments(const struct tp_request *r, uint64_t *ret_words)
{
    ret_words[0] = 0;
    ret_words[1] = 0;
    switch ((enum tp_kind)r->kind) {
    case TP_OPEN:
        ret_words[0] = options_bits(r->b.options);
        break;
    case TP_READ:
    case TP_WRITE:
    case TP_FIND_DATA:
        ret_words[0] = r->b.offset;
        break;
    case TP_FALLOCATE:
        ret_words[0] = r->b.offset;
        ret_words[1] = r->a.length;
        break;
    case TP_TRUNCATE:
        ret_words[0] = r->a.length;
        break;
    case TP_SET_MODE:
    case TP_CREATE_DIR:
        ret_words[0] = r->b.mode;
        break;
    case TP_CANCEL:
        ret_words[0] = r->a.target;
        break;
    case TP_LISTEN:
    case TP_CONNECT:
    case TP_BIND:
    case TP_SET_SOCKET:
        put_options(&r->b.socket, ret_words);
        break;
    case TP_SIGNAL:
        ret_words[0] = r->a.signals;
        break;
    case TP_NOP:
    case TP_CLOSE:
    case TP_FSYNC:
    case TP_FSTAT:
    case TP_LIST_DIR:
    case TP_STAT:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR_ALL:
    case TP_REMOVE_DIR:
    case TP_SYNC_DIR:
    case TP_SYMLINK:
    case TP_READ_LINK:
    case TP_LOCK:
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_SEND:
    case TP_SEND_BUFS:
    case TP_SHUTDOWN:
    case TP_SOCKET_ADDRESS:
    case TP_SEND_TO: /* to whom, is said elsewhere */
    case TP_RECV_FROM:
    case TP_RESOLVE:
    case TP_OFFLOAD: /* an address of code and one of memory: neither is the same again */
    case TP_TIMER:
    case TP_CHILD:
    case TP_KINDS:
        break;
    }
}

void tp_trace_completion(struct tp_virtual *v, const struct tp_flight *f)
{
    const struct tp_request *r = &f->request;
    uint64_t words[12];

    if (!v->traces)
        return;
    words[0] = v->world->now_ns;
    words[1] = (uint64_t)v->config.node << 32 | (uint64_t)r->flags << 16 | r->kind;
    words[2] = r->handle;
    words[3] = (uint64_t)r->fd.number << 32 | r->to_dir.number;
    words[4] = (uint64_t)r->fd.generation << 32 | r->to_dir.generation;
    words[5] = (uint64_t)f->shot << 32 | r->len;
    put_arguments(r, words + 6);
    words[8] = f->address.family != TP_ADDRESS_NONE ? tp_trace_address(&f->address)
                                                    : hash_text(v, f->path[0]);
    words[9] = hash_text(v, f->path[1]);
    words[10] = (uint64_t)(int64_t)(f->result < 0 ? tp_errno_number(f->result) : f->result);
    words[11] = f->payload;
    v->trace = tp_hash_words(words, 12, v->trace);
}

void tp_trace_crash(struct tp_virtual *v, uint32_t how)
{
    struct tp_disk_usage usage = tp_disk_usage(v->disk);
    uint64_t words[6] = {v->world->now_ns,  (uint64_t)v->config.node << 32 | how,
                         usage.used_bytes,  usage.inodes,
                         usage.dirty_pages, usage.pending_names};

    if (v->traces)
        v->trace = tp_hash_words(words, 6, v->trace);
}

uint64_t tp_trace_address(const struct tp_address *address)
{
    uint64_t words[3] = {(uint64_t)address->family << 48 | (uint64_t)address->port << 32 |
                             address->scope,
                         0, 0};

    if (address->family == TP_ADDRESS_UNIX)
        words[1] = tp_hash(address->at.path, strlen(address->at.path), 0);
    else if (address->family == TP_ADDRESS_IPV4)
        words[1] = tp_get_le(address->at.ipv4, 4);
    else if (address->family == TP_ADDRESS_IPV6) {
        words[1] = tp_get_le(address->at.ipv6, 8);
        words[2] = tp_get_le(address->at.ipv6 + 8, 8);
    }
    return tp_hash_words(words, 3, 0);
}

uint64_t tp_trace_statx(const struct tp_statx *statx)
{
    uint64_t words[] = {statx->size,
                        statx->allocated,
                        statx->inode,
                        statx->device,
                        (uint64_t)statx->modified_ns,
                        (uint64_t)statx->kind << 32 | statx->mode,
                        (uint64_t)statx->links << 32 | statx->direct_align,
                        statx->direct_memory_align};

    return tp_hash_words(words, 8, 0);
}
