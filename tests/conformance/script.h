/** tests/conformance/script.h - a program as a line of text, one operation a step.
 *
 *     "file a hello; open A a r; remove a; read A 1 10 = 4 ello; lstat a = ENOENT"
 *
 * Steps are separated by ';'. A step is a verb, its arguments, and perhaps `=` and what
 * must come: values separated by '|' (an errno's name, OK for 0, a number, `any` for all
 * that is no error), then what must be seen (below). Without `=` the step must not fail,
 * and a write must be complete.
 *
 *   file PATH DATA              make a file with this content (several operations)
 *   content PATH                read a file to its end; value: its size; sees DATA
 *   names PATH                  list a directory to its end; value: entries; sees them
 * sorted same PATH PATH              1 if both name one file (themselves, not followed),
 * else 0 open SLOT PATH LETTERS      see open_file(); the slot holds the fd, closed or not
 *   open_in SLOT SLOT NAME LETTERS
 *   close SLOT      fsync SLOT      fdatasync SLOT      truncate SLOT N      lock SLOT
 * set_mode SLOT MODE read SLOT OFFSET LEN        sees DATA        read_skew: into memory
 * that is not aligned write SLOT OFFSET DATA                       write_skew: from memory
 * that is not aligned fallocate SLOT OFFSET LEN [keep] find_data SLOT OFFSET       sees
 * START-END fstat SLOT   stat PATH   lstat PATH   stat_in SLOT NAME see KIND size:N
 * mode:OCTAL links:N; name any of these rename PATH PATH            rename_in SLOT NAME
 * SLOT NAME remove PATH remove_in SLOT NAME mkdir PATH [MODE]           mkdir_in SLOT NAME
 * [MODE] mkdir_all PATH rmdir PATH                  rmdir_in SLOT NAME sync_dir PATH
 *   symlink PATH TARGET         symlink_in SLOT NAME TARGET
 *   read_link PATH [CAPACITY]   read_link_in SLOT NAME [CAPACITY]   see the target
 *   nop
 *
 * SLOT is a capital letter. PATH is in the program's directory, unless it begins with '@'
 * (as it stands: "@" is the empty path). A TARGET that begins with '%' is in that directory
 * too. DATA, PATH and NAME are parts joined by '+': plain text, or C*N for N times C; '~'
 * stands for a zero byte, and "~*0" for nothing at all. A number is terms joined by '+' and
 * '-': 12, 0644 (octal), 4k, 1M, 1G, 1T, max (2^63-1), umax.
 */
#ifndef TEMPEST_TESTS_CONFORMANCE_SCRIPT_H
#define TEMPEST_TESTS_CONFORMANCE_SCRIPT_H

#include "conformance.h"

enum {
    SLOTS = 26,
    WORDS = 10,           /* of a step, what must come included */
    STEP_MAX = 512,       /* bytes of a step */
    MEMORY_MAX = 2 << 20, /* bytes that one operation moves */
    SEEN_MAX = 8192
};

struct script {
    struct conformance *c;
    struct tp_fd slots[SLOTS];
    bool open[SLOTS];
    bool broken;       /* the step cannot be understood */
    uint32_t opening;  /* the slot that an open fills */
    uint8_t *in, *out; /* MEMORY_MAX each: what is read, what is written */
    struct tp_buf buf; /* what an operation borrows */
    struct tp_statx statx;
    struct tp_extent extent;
};

/** How what was seen is compared with what must be. */
enum seen_as { SEEN_NOTHING, SEEN_DATA, SEEN_TEXT, SEEN_WORDS };

struct outcome {
    int32_t value;
    int32_t wanted; /* the value if all goes well, where that is known; or -1 */
    enum seen_as as;
    uint32_t len;        /* SEEN_DATA: bytes at script->in */
    char seen[SEEN_MAX]; /* as text; long data are cut and end with a hash of everything */
};

/** A step taken apart. */
struct step {
    char text[STEP_MAX]; /* the words, each ended by a NUL */
    const char *words[WORDS];
    uint32_t count;     /* of the words before '=' */
    const char *values; /* after '=', or NULL */
    const char *seen;   /* the rest of the step, or NULL */
};

void script_init(struct script *script, struct conformance *c);

/** Closes what the script has open. */
void script_deinit(struct script *script);

/** Takes the step at `text` apart, which ends at ';' or NUL: how long it is, or -EINVAL. */
int32_t step_parse(const char *text, struct step *ret_step);

/** Does what the step says, whatever comes. -EINVAL if it says nothing known. */
int32_t step_do(struct script *script, const struct step *step,
                struct outcome *ret_outcome);

/** Runs all steps and checks each outcome; failures are reported at file:line. */
void script_run(struct conformance *c, const char *text, const char *file, int line);

/* The small languages that steps are made of: -EINVAL if the word is none of it. */

/** DATA: its length, its bytes in `ret_bytes`. */
int32_t parse_data(const char *word, uint8_t *ret_bytes, uint32_t capacity);
int32_t parse_number(const char *word, uint64_t *ret_number);

/** "A..B", where A is at most B. 0 or -EINVAL. */
int32_t parse_range(const char *word, uint64_t *ret_first, uint64_t *ret_last);
/** The bytes as DATA; cut to `size_bytes`, with a hash of all of them at the end. */
void print_data(const uint8_t *bytes, uint32_t len, char *ret_text, size_t size_bytes);
/** The errno (positive) of a name, or 0. */
int32_t errno_of(const char *name, size_t len);

#endif
