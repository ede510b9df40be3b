#include "apps/sim/record.h"

#include <inttypes.h>
#include <string.h>

#include "apps/sim/record_look.h"
#include "apps/sim/sim_internal.h"
#include "apps/sim/text.h"
#include "io/virtual/disk_internal.h"

/* ------------------------------------------------------------------ recording */

static bool changes_names(const struct tp_request *request)
{
    switch (request->kind) {
    case TP_OPEN:
        return request->b.options.create || request->b.options.create_new;
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR:
    case TP_CREATE_DIR_ALL:
    case TP_REMOVE_DIR:
    case TP_SYMLINK:
        return true;
    default:
        return false;
    }
}

static bool changes_data(const struct tp_virtual_moment *moment)
{
    switch (moment->request->kind) {
    case TP_WRITE:
        return moment->result > 0;
    case TP_TRUNCATE:
    case TP_FALLOCATE:
        return moment->result >= 0;
    default:
        return false;
    }
}

/* The directory that a path's last name is in, and what the path names. */
static void find_names(const struct tp_disk *disk, const struct tp_virtual_moment *moment,
                       struct tp_record *record)
{
    int64_t inode;

    if (moment->path == NULL)
        return;
    record->dir = tp_watch_dir_of(disk, moment);
    inode = tp_path_find(disk, tp_watch_start_of(moment), moment->path, TP_WALK_FOLLOW);
    record->inode = inode > 0 ? (uint32_t)inode : 0;
    if (moment->request->kind == TP_RENAME)
        record->to_dir = tp_watch_to_dir_of(disk, moment);
    if (record->to_dir == record->dir)
        record->to_dir = 0;
}

/* Puts more behind the first `len` bytes of a text of TP_RECORD_TEXT bytes; cut where it is
 * too long. A run notes a text with every operation, and printf() takes many times as long.
 */
static size_t add_text(char *text, size_t len, const char *more)
{
    size_t more_len = strnlen(more, TP_RECORD_TEXT - 1 - len);

    memcpy(text + len, more, more_len);
    text[len + more_len] = '\0';
    return len + more_len;
}

/* A name in a directory, as a path from the root: its length. */
static size_t path_in(const struct tp_disk *disk, uint32_t dir, const char *name,
                      char *ret_text)
{
    /* 0 if it has no name any more */
    size_t len = tp_path_of(disk, dir, ret_text, TP_RECORD_TEXT);

    if (len > 1)
        len = add_text(ret_text, len, "/");
    return add_text(ret_text, len, name);
}

/* What the operation is about: the paths it was given, or the name that its file has now.
 */
static void note_paths(const struct tp_disk *disk, const struct tp_virtual_moment *moment,
                       struct tp_record *record)
{
    const struct tp_request *request = moment->request;
    const char *path = moment->path, *to_path = moment->to_path;
    bool in_dir = (request->flags & TP_IN_DIR) != 0 && moment->inode != 0;
    char to[TP_RECORD_TEXT];
    size_t len;

    if (path == NULL) {
        if (moment->inode != 0)
            (void)tp_path_of(disk, moment->inode, record->text, sizeof record->text);
        return;
    }
    len = in_dir ? path_in(disk, moment->inode, path, record->text)
                 : add_text(record->text, 0, path);
    if (to_path == NULL)
        return;
    if (in_dir && request->kind == TP_RENAME &&
        request->to_dir.number == request->fd.number) {
        (void)path_in(disk, moment->inode, to_path, to);
        to_path = to;
    }
    len = add_text(record->text, len, " -> ");
    (void)add_text(record->text, len, to_path);
}

static void note_operation(const struct tp_fact *fact, struct tp_record *record)
{
    const struct tp_virtual_moment *moment = fact->moment;
    const struct tp_request *request = moment->request;

    tp_assert(fact->node != NULL);
    record->handle = request->handle;
    record->stage = moment->stage;
    record->op = request->kind;
    record->result = moment->result;
    record->inode = moment->inode;
    if (request->kind == TP_WRITE || request->kind == TP_READ) {
        record->len = request->len;
        record->offset = request->b.offset;
    }
    note_paths(fact->node->disk, moment, record);
    if (moment->stage == TP_VIRTUAL_EFFECT || request->kind == TP_SYNC_DIR)
        find_names(fact->node->disk, moment, record);
    if (moment->stage != TP_VIRTUAL_EFFECT) {
        record->dir = 0;
        return;
    }
    record->changes =
        moment->result >= 0 && (changes_names(request) || changes_data(moment));
    if (!changes_names(request))
        record->dir = 0;
}

struct tp_record *tp_recorder_add(struct tp_recorder *recorder)
{
    struct tp_record *record;

    if (recorder->count < recorder->capacity) {
        record = &recorder->records[recorder->count++];
    } else {
        recorder->dropped++;
        if (!recorder->looks)
            return NULL;
        record = &recorder->records[recorder->first];
        recorder->first = (recorder->first + 1) % recorder->capacity;
    }
    memset(record, 0, offsetof(struct tp_record, text) + 1); /* of the text, its end */
    return record;
}

/* What a node waits for that its Io does not know of, when the run comes to its verdict:
 * timers, as operations that have begun. For explanations and what replay prints, whose
 * recorders are those that have a shadow: a page has one place at a time, and it is the
 * verdict's. */
static void note_timers(struct tp_recorder *recorder, const struct tp_fact *verdict)
{
    for (uint32_t i = 0; recorder->sim != NULL && i < recorder->sim->node_count; i++) {
        const struct tp_node *node = recorder->sim->nodes[i];
        uint64_t handle = 0;

        while (tp_watch_timer(node, &handle)) {
            struct tp_record *record = tp_recorder_add(recorder);

            if (record == NULL)
                return;
            record->at_ns = verdict->at_ns;
            record->kind = TP_FACT_OPERATION;
            record->node = node->number;
            record->stage = TP_VIRTUAL_BEGUN;
            record->op = TP_TIMER;
            record->handle = handle;
            tp_watch_site(node, handle, &record->file, &record->line, &record->machine);
        }
    }
}

static void note(void *context, const struct tp_fact *fact)
{
    struct tp_recorder *recorder = context;
    struct tp_record *record;

    if (fact->kind == TP_FACT_OPERATION && !recorder->all_stages &&
        fact->moment->stage != TP_VIRTUAL_EFFECT)
        return;
    if (recorder->looks)
        tp_look_for_messages(recorder, fact);
    recorder->sim = fact->node != NULL ? fact->node->sim : recorder->sim;
    if (fact->kind == TP_FACT_VERDICT && recorder->shadow != NULL)
        note_timers(recorder, fact);
    record = tp_recorder_add(recorder);
    if (record == NULL)
        return;
    record->at_ns = fact->at_ns;
    record->kind = fact->kind;
    record->detail = fact->detail;
    record->file = fact->file;
    record->line = fact->line;
    record->machine = fact->machine;
    if (fact->node != NULL) {
        record->node = fact->node->number;
        record->is_spared = fact->node->config.spared;
        record->effect = fact->node->effects;
        record->crash = tp_tape_asked(fact->node->sim->tape,
                                      tp_stream(fact->node->number, TP_CONCERN_CRASH));
        record->faults = tp_tape_asked(fact->node->sim->tape,
                                       tp_stream(fact->node->number, TP_CONCERN_FAULT));
        record->work = tp_tape_asked(fact->node->sim->tape,
                                     tp_stream(fact->node->number, TP_CONCERN_WORKLOAD));
        record->latency = tp_tape_asked(fact->node->sim->tape,
                                        tp_stream(fact->node->number, TP_CONCERN_LATENCY));
    }
    if (recorder->sim != NULL)
        record->events =
            tp_tape_asked(recorder->sim->tape, tp_stream(record->node, TP_CONCERN_EVENT));
    if (fact->kind == TP_FACT_OPERATION) {
        note_operation(fact, record);
        if (recorder->shadow != NULL)
            tp_recorder_compare(recorder, fact, record);
    } else if (fact->text != NULL) {
        (void)add_text(record->text, 0, fact->text);
    }
    if (recorder->looks)
        tp_look_at(recorder, fact, record);
}

void tp_recorder_init(struct tp_recorder *recorder, struct tp_record *records,
                      uint32_t capacity)
{
    memset(recorder, 0, sizeof *recorder);
    recorder->records = records;
    recorder->capacity = capacity;
    recorder->watch = (struct tp_sim_watch){note, recorder};
}

/* ------------------------------------------------------------------ in words */

const char *tp_record_operation(const struct tp_record *record, char *ret_text,
                                size_t size_bytes)
{
    char bytes[64] = "", site[64] = "";

    if (record->op == TP_WRITE || record->op == TP_READ)
        (void)snprintf(bytes, sizeof bytes, " %u bytes at %" PRIu64, record->len,
                       record->offset);
    if (record->file != NULL)
        (void)snprintf(site, sizeof site, " (%s:%u)", tp_text_base(record->file),
                       record->line);
    (void)snprintf(ret_text, size_bytes, "%s%s%s%s%s", tp_kind_info[record->op].name, bytes,
                   record->text[0] == '\0' ? "" : " ", record->text, site);
    return ret_text;
}

uint32_t tp_record_last(const struct tp_record *records, uint32_t count,
                        enum tp_fact_kind kind, uint32_t node)
{
    while (count > 0 &&
           (records[count - 1].kind != (uint32_t)kind || records[count - 1].node != node))
        count--;
    return count;
}

uint32_t tp_record_end_of(const struct tp_record *records, uint32_t count, uint32_t begun,
                          enum tp_virtual_stage stage)
{
    const struct tp_record *operation = &records[begun];

    for (uint32_t i = begun + 1; i < count; i++) {
        const struct tp_record *record = &records[i];

        if (record->node == operation->node &&
            (record->kind == TP_FACT_END ||
             (record->kind == TP_FACT_OPERATION && record->stage == (uint32_t)stage &&
              record->handle == operation->handle)))
            return i;
    }
    return count;
}

bool tp_record_is_cut(const struct tp_record *record)
{
    return record->kind == TP_FACT_END && record->detail >= TP_END_POWER &&
           record->detail <= TP_END_WIPE;
}

static void print_result(const struct tp_record *record, FILE *out)
{
    if (record->stage == TP_VIRTUAL_BEGUN)
        return;
    if (record->result < 0)
        (void)fprintf(out, " = %s", tp_errno_name(record->result));
    else
        (void)fprintf(out, " = %d", record->result);
}

const char *tp_record_fact(const struct tp_record *record, char *ret_text,
                           size_t size_bytes)
{
    static const char *const ends[] = {"",
                                       "the process exits",
                                       "the process is killed",
                                       "the power is cut",
                                       "the power is cut, the disk as it was earlier",
                                       "the power is cut, the disk empty",
                                       "its run is over"};
    static const char *const stages[] = {"begins: ", "", "completes: "};
    char words[256];

    tp_assert(record->kind <= TP_FACT_VERDICT);
    switch ((enum tp_fact_kind)record->kind) {
    case TP_FACT_PHASE:
        (void)snprintf(ret_text, size_bytes, "-- %s", tp_phase_name(record->detail));
        break;
    case TP_FACT_BOOT:
        (void)snprintf(ret_text, size_bytes, "boots%s",
                       record->detail == 0 ? "" : " again");
        break;
    case TP_FACT_END:
        (void)snprintf(ret_text, size_bytes, "%s%s%s", ends[record->detail],
                       record->text[0] == '\0' ? "" : ": ", record->text);
        break;
    case TP_FACT_EVENT:
        (void)snprintf(ret_text, size_bytes, "! %s", record->text);
        break;
    case TP_FACT_PROMISE:
        (void)snprintf(ret_text, size_bytes, "promised: %s", record->text);
        break;
    case TP_FACT_OPERATION:
        (void)snprintf(ret_text, size_bytes, "%s%s", stages[record->stage],
                       tp_record_operation(record, words, sizeof words));
        break;
    case TP_FACT_VERDICT:
        (void)snprintf(ret_text, size_bytes, "%s: %s", tp_verdict_name(record->detail),
                       record->text);
        break;
    }
    return ret_text;
}

void tp_record_print(const struct tp_record *record, FILE *out)
{
    char who[24], words[320];

    if (record->node == 0)
        (void)snprintf(who, sizeof who, "-");
    else
        (void)snprintf(who, sizeof who, "node %u", record->node - 1);
    (void)fprintf(out, "%12" PRIu64 ".%03u us  %-8s %s", record->at_ns / 1000,
                  (unsigned)(record->at_ns % 1000), who,
                  tp_record_fact(record, words, sizeof words));
    if (record->kind == TP_FACT_OPERATION)
        print_result(record, out);
    if (record->found.differs > 0)
        (void)fprintf(out, ", %u not as written", record->found.differs);
    (void)fputc('\n', out);
}
