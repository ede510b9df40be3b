/* Random programs, one draw per statement (argument order differs between compilers): few
 * names, so that they meet; offsets around the edges of pages; paths that lead through
 * links, and never out of the program's own directory. */
#include "differential.h"

#include <stdarg.h>
#include <stdio.h>

/* Slot F is for direct I/O: all is aligned there. */
enum { SLOT_COUNT = 6, DIRECT_FROM = 5 };

struct generator {
    struct program *program;
    uint64_t state;
    bool finds; /* find_data: what it says of what fallocate() reserved is the file system's
                 */
};

static uint64_t next(struct generator *g)
{
    uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct generator *g, uint32_t bound)
{
    return (uint32_t)(next(g) % bound);
}

static bool one_in(struct generator *g, uint32_t n)
{
    return below(g, n) == 0;
}

TP_PRINTF(2, 3) static void emit(struct generator *g, const char *format, ...)
{
    struct program *program = g->program;
    va_list arguments;

    if (program->count == OPS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(program->lines[program->count++], LINE_BYTES, format, arguments);
    va_end(arguments);
}

/* ------------------------------------------------------------------ arguments */

struct word {
    char text[64];
};

static struct word name_of(struct generator *g)
{
    static const char *const odd[] = {"y*255", "y*256", "a/b"};
    struct word word = {{(char)('a' + below(g, 6)), '\0'}};

    if (one_in(g, 100))
        (void)snprintf(word.text, sizeof word.text, "%s", odd[below(g, 3)]);
    return word;
}

/* Up to three names. At most one "..", after a name: no link leads to the top, so none
 * leads out from below it. */
static struct word path_of(struct generator *g)
{
    struct word word = {""};
    static const uint32_t depths[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 3};
    uint32_t depth = depths[below(g, 10)], used = 0;
    bool up = one_in(g, 40);

    for (uint32_t i = 0; i < depth; i++) {
        used += (uint32_t)snprintf(word.text + used, sizeof word.text - used, "%s%c",
                                   i == 0 ? "" : "/", 'a' + (int)below(g, 6));
        if (up && i == 0)
            used += (uint32_t)snprintf(word.text + used, sizeof word.text - used, "/..");
        if (one_in(g, 60))
            used += (uint32_t)snprintf(word.text + used, sizeof word.text - used, "/.");
    }
    if (one_in(g, 30))
        (void)snprintf(word.text + used, sizeof word.text - used, "/");
    return word;
}

static struct word target_of(struct generator *g)
{
    struct word word;
    int first = 'a' + (int)below(g, 6), second = 'a' + (int)below(g, 6);

    switch (below(g, 4)) {
    case 0:
        (void)snprintf(word.text, sizeof word.text, "%c", first);
        break;
    case 1:
        (void)snprintf(word.text, sizeof word.text, "%c/%c", first, second);
        break;
    case 2:
        (void)snprintf(word.text, sizeof word.text, "%%%c", first);
        break;
    default:
        (void)snprintf(word.text, sizeof word.text, "%%%c/%c", first, second);
        break;
    }
    return word;
}

static struct word letters_of(struct generator *g, bool direct)
{
    static const char *const common[] = {"r",   "rw", "rwc",  "rwc",
                                         "rwc", "wc", "rwct", "rwn"};
    struct word word;
    uint32_t which = below(g, 8);
    bool truncate = one_in(g, 10);
    bool dsync = one_in(g, 12);

    (void)snprintf(word.text, sizeof word.text, "%s%s%s%s", common[which],
                   truncate ? "t" : "", dsync ? "s" : "", direct ? "d" : "");
    return word;
}

static uint32_t number_of(struct generator *g)
{
    static const uint32_t edges[] = {4096, 8192, 12288, 65536, 131072};
    uint32_t number;

    switch (below(g, 4)) {
    case 0:
        return below(g, 20);
    case 1:
        number = edges[below(g, 5)];
        return number + below(g, 5) - 2;
    case 2:
        return below(g, 20000);
    default:
        return one_in(g, 4) ? below(g, 2000000) : below(g, 200);
    }
}

static uint32_t aligned(uint32_t number, bool direct)
{
    return direct ? number / 4096 * 4096 : number;
}

static struct word data_of(struct generator *g, bool direct)
{
    struct word word;
    char byte = one_in(g, 15) ? '~' : (char)('A' + below(g, 26));
    uint32_t times = one_in(g, 3) ? 1 + below(g, 5) : number_of(g) % 50000;

    (void)snprintf(word.text, sizeof word.text, "%c*%u", byte, aligned(times, direct));
    return word;
}

static uint32_t slot_of(struct generator *g)
{
    return below(g, SLOT_COUNT);
}

static char letter(uint32_t slot)
{
    return (char)('A' + slot);
}

/* ------------------------------------------------------------------ steps */

static void emit_open(struct generator *g)
{
    uint32_t slot = slot_of(g);
    uint32_t dir = below(g, DIRECT_FROM);
    bool direct = slot >= DIRECT_FROM;
    struct word name = name_of(g);
    struct word path = path_of(g);
    struct word letters = letters_of(g, direct);

    emit(g, "close %c", letter(slot));
    if (one_in(g, 4))
        emit(g, "open_in %c %c %s %s", letter(slot), letter(dir), name.text, letters.text);
    else if (one_in(g, 4))
        emit(g, "open %c %s r", letter(slot), path.text);
    else
        emit(g, "open %c %s %s", letter(slot), path.text, letters.text);
}

static void emit_bytes(struct generator *g)
{
    uint32_t slot = slot_of(g);
    bool direct = slot >= DIRECT_FROM;
    bool keep = one_in(g, 2);
    uint32_t offset = aligned(number_of(g), direct);
    uint32_t len = number_of(g);
    struct word data = data_of(g, direct);

    switch (below(g, 8)) {
    case 0:
    case 1:
        emit(g, "read %c %u %u", letter(slot), offset, aligned(len, direct));
        break;
    case 2:
        emit(g, "truncate %c %u", letter(slot), len);
        break;
    case 3:
        if (g->finds)
            emit(g, "find_data %c %u", letter(slot), offset);
        else
            emit(g, "fallocate %c %u %u%s", letter(slot), offset, len % 300000,
                 keep ? " keep" : "");
        break;
    default:
        emit(g, "write %c %u %s", letter(slot), offset, data.text);
        break;
    }
}

static void emit_slot(struct generator *g)
{
    /* The owner keeps every right: a program does the same whether root runs it or not. */
    static const char *const modes[] = {"0700", "0750", "0755", "0777", "0711"};
    char slot = letter(slot_of(g));
    uint32_t mode = below(g, 5);

    switch (below(g, 7)) {
    case 0:
        emit(g, "close %c", slot);
        break;
    case 1:
        emit(g, "fsync %c", slot);
        break;
    case 4:
        emit(g, "lock %c", slot);
        break;
    case 2:
        emit(g, "fdatasync %c", slot);
        break;
    case 3:
        emit(g, "set_mode %c %s", slot, modes[mode]);
        break;
    default:
        emit(g, "fstat %c", slot);
        break;
    }
}

static void emit_change(struct generator *g)
{
    struct word path = path_of(g);
    struct word other = path_of(g);
    struct word data = data_of(g, false);
    struct word target = target_of(g);
    bool mode = one_in(g, 5);

    switch (below(g, 12)) {
    case 0:
    case 1:
        emit(g, "file %s %s", path.text, data.text);
        break;
    case 2:
    case 3:
    case 4:
        emit(g, "rename %s %s", path.text, other.text);
        break;
    case 5:
        emit(g, "remove %s", path.text);
        break;
    case 6:
    case 7:
        emit(g, "mkdir %s%s", path.text, mode ? " 0700" : "");
        break;
    case 8:
        emit(g, "mkdir_all %s", path.text);
        break;
    case 9:
        emit(g, "rmdir %s", path.text);
        break;
    default:
        emit(g, "symlink %s %s", path.text, target.text);
        break;
    }
}

static void emit_change_in(struct generator *g)
{
    char dir = letter(below(g, DIRECT_FROM));
    char to = letter(below(g, DIRECT_FROM));
    struct word name = name_of(g);
    struct word other = name_of(g);
    struct word target = target_of(g);

    switch (below(g, 6)) {
    case 0:
        emit(g, "rename_in %c %s %c %s", dir, name.text, to, other.text);
        break;
    case 1:
        emit(g, "remove_in %c %s", dir, name.text);
        break;
    case 2:
        emit(g, "mkdir_in %c %s", dir, name.text);
        break;
    case 3:
        emit(g, "rmdir_in %c %s", dir, name.text);
        break;
    case 4:
        emit(g, "symlink_in %c %s %s", dir, name.text, target.text);
        break;
    default:
        emit(g, "stat_in %c %s", dir, name.text);
        break;
    }
}

static void emit_look(struct generator *g)
{
    static const char *const looks[] = {"stat",  "lstat",    "read_link", "content",
                                        "names", "sync_dir", "content"};
    struct word path = path_of(g);
    struct word other = path_of(g);
    struct word name = name_of(g);
    uint32_t dir = below(g, DIRECT_FROM);
    uint32_t which = below(g, 10);

    if (which < 7)
        emit(g, "%s %s", looks[which], path.text);
    else if (which == 7)
        emit(g, "read_link %s 1", path.text);
    else if (which == 8)
        emit(g, "read_link_in %c %s", letter(dir), name.text);
    else
        emit(g, "same %s %s", path.text, other.text);
}

/* Something to begin with: most of what follows then meets something. */
static void emit_beginning(struct generator *g)
{
    emit(g, "mkdir_all a/b");
    emit(g, "mkdir c");
    emit(g, "file a/d x*5000");
    emit(g, "symlink e a");
    emit(g, "open A a r");
    emit(g, "open B b rwc");
    emit(g, "open C a/d rw");
    emit(g, "open D c r");
    emit(g, "open F c/f rwcd");
}

void program_generate(struct program *program, uint64_t seed, uint32_t ops)
{
    struct generator g = {.program = program, .state = seed};

    tp_assert(ops > 0 && ops < OPS_MAX);
    program->seed = seed;
    program->count = 0;
    g.finds = one_in(&g, 2);
    emit_beginning(&g);
    while (program->count < ops) {
        uint32_t draw = below(&g, 100);

        if (draw < 14)
            emit_open(&g);
        else if (draw < 40)
            emit_bytes(&g);
        else if (draw < 48)
            emit_slot(&g);
        else if (draw < 76)
            emit_change(&g);
        else if (draw < 86)
            emit_change_in(&g);
        else
            emit_look(&g);
    }
}
