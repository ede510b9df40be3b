/** tests/sm/places.c - files named in every way, bounds that are met exactly, modes and
 * links. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/await.h"
#include "sm/read_file.h"
#include "sm/replace_file.h"
#include "tests/sm/harness.h"

static struct {
    struct tp_machine machine;
    struct tp_read_file read;
    struct tp_replace_file replace;
    struct tp_replace_options options;
    struct tp_place place;
    struct tp_buf buf;
    uint8_t bytes[4096];
} job;

static void each_world(void (*body)(struct harness *h))
{
    static struct harness h;

    for (int world = 0; world < WORLDS; world++) {
        if (world == ON_LINUX && !harness_has_linux())
            continue;
        harness_open(&h, "places", (enum harness_world)world, 1);
        body(&h);
        harness_close(&h);
    }
}

static int32_t run(struct harness *h, tp_tick_fn *tick, struct tp_place place)
{
    memset(&job.machine, 0, sizeof job.machine);
    job.place = place;
    tp_spawn(h->scheduler, &job.machine, tick, "job");
    harness_finish(h);
    return job.machine.result;
}

/* ------------------------------------------------------------------ read_file */

static enum tp_step read_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_read_file_start(cx, &job.read, job.place, &job.buf), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static int32_t read_place(struct harness *h, struct tp_place place, uint32_t capacity)
{
    job.buf = tp_buf_empty(job.bytes, capacity);
    return run(h, read_tick, place);
}

static void reads_up_to_its_bound(struct harness *h)
{
    struct tp_place place = tp_place_path(harness_path(h, "file"));

    harness_put(h, "file", "0123456789", 10);
    expect(h, read_place(h, place, 11) == 10 && job.buf.len == 10);
    expect(h, read_place(h, place, 10) == 10 && job.buf.len == 10);
    expect(h, read_place(h, place, 9) == -EFBIG && job.buf.len == 9);
    expect(h, memcmp(job.bytes, "012345678", 9) == 0);
    expect(h, read_place(h, place, 0) == -EFBIG);
    harness_put(h, "file", "", 0);
    expect(h, read_place(h, place, 0) == 0 && job.buf.len == 0);
}

Test(read_file, takes_what_fits_exactly_and_refuses_one_byte_more)
{
    each_world(reads_up_to_its_bound);
}

static void reads_from_places(struct harness *h)
{
    struct tp_open_options options = {.read = true};
    struct tp_fd dir = harness_open_fd(h, "", options);
    struct tp_fd file;

    harness_put(h, "file", "abc", 3);
    harness_put_link(h, "link", "file");
    harness_put_dir(h, "directory");
    file = harness_open_fd(h, "file", options);
    expect(h, read_place(h, tp_place_in(dir, "file"), 100) == 3);
    expect(h, read_place(h, tp_place_fd(file), 100) == 3);
    expect(h, read_place(h, tp_place_fd(file), 100) == 3); /* from the start, again */
    expect(h, read_place(h, tp_place_path(harness_path(h, "link")), 100) == 3);
    expect(h, read_place(h, tp_place_in(dir, "link"), 100) == -ELOOP);
    expect(h, read_place(h, tp_place_in(dir, "../file"), 100) == -EINVAL);
    expect(h, read_place(h, tp_place_path(harness_path(h, "missing")), 100) == -ENOENT);
    expect(h, read_place(h, tp_place_path(harness_path(h, "directory")), 100) == -EISDIR);
    harness_close_fd(h, file);
    harness_close_fd(h, dir);
}

Test(read_file, reads_from_a_path_a_directory_or_an_open_file)
{
    each_world(reads_from_places);
}

/* ------------------------------------------------------------------ replace_file */

static enum tp_step replace_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_replace_file_start(cx, &job.replace, job.place, &job.buf, &job.options),
             &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static int32_t replace(struct harness *h, struct tp_place place, const char *text)
{
    job.buf = tp_buf_full(text, (uint32_t)strlen(text));
    return run(h, replace_tick, place);
}

static void replaces_in_places(struct harness *h)
{
    struct tp_open_options options = {.read = true};
    struct tp_fd dir = harness_open_fd(h, "", options);

    memset(&job.options, 0, sizeof job.options);
    expect(h, replace(h, tp_place_in(dir, "file"), "one") == 0);
    expect(h, harness_holds(h, "file", "one", 3));
    expect(h, replace(h, tp_place_path(harness_path(h, "file")), "") == 0);
    expect(h, harness_holds(h, "file", "", 0));
    expect(h, replace(h, tp_place_path(harness_path(h, "file/")), "x") == -EISDIR);
    expect(h, replace(h, tp_place_path(harness_path(h, "..")), "x") == -EISDIR);
    expect(h, replace(h, tp_place_path(""), "x") == -ENOENT);
    expect(h, replace(h, tp_place_path(harness_path(h, "no/file")), "x") == -ENOENT);
    expect(h, replace(h, tp_place_path(harness_path(h, "file/file")), "x") == -ENOTDIR);
    expect(h, job.replace.failed_kind == TP_OPEN);
    harness_close_fd(h, dir);
}

Test(replace_file, takes_a_path_or_a_name_in_a_directory)
{
    each_world(replaces_in_places);
}

static void replaces_names(struct harness *h)
{
    char name[TP_NAME_MAX + 1];
    struct tp_open_options options = {.read = true};
    struct tp_fd dir = harness_open_fd(h, "", options);

    memset(&job.options, 0, sizeof job.options);
    memset(name, 'n', TP_NAME_MAX);
    name[TP_NAME_MAX] = '\0';
    expect(h, replace(h, tp_place_in(dir, name), "long") == 0);

    harness_put(h, "target", "kept", 4);
    harness_put_link(h, "link", "target");
    expect(h, replace(h, tp_place_path(harness_path(h, "link")), "new") == 0);
    expect(h, harness_stat(h, "link").kind == TP_FILE_REGULAR);
    expect(h, harness_holds(h, "target", "kept", 4));

    harness_put_dir(h, "directory");
    expect(h, replace(h, tp_place_in(dir, "directory"), "x") == -EISDIR);
    expect(h, job.replace.failed_kind == TP_RENAME);
    expect(h, harness_temporaries(h, "") == 0);
    harness_close_fd(h, dir);
}

Test(replace_file, replaces_a_link_and_never_a_directory)
{
    each_world(replaces_names);
}

static void keeps_modes(struct harness *h)
{
    struct tp_place place = tp_place_path(harness_path(h, "file"));

    job.options =
        (struct tp_replace_options){.size = sizeof job.options, .keep_mode = true};
    expect(h, replace(h, place, "made") == 0); /* there is none to keep */
    job.options = (struct tp_replace_options){.set_mode = true, .mode = 0604};
    expect(h, replace(h, place, "set") == 0);
    expect(h, harness_stat(h, "file").mode == 0604);
    job.options = (struct tp_replace_options){.keep_mode = true};
    expect(h, replace(h, place, "kept") == 0 && harness_holds(h, "file", "kept", 4));
    expect(h, harness_stat(h, "file").mode == 0604);
    job.options = (struct tp_replace_options){0};
    expect(h, replace(h, place, "fresh") == 0);
    expect(h, harness_stat(h, "file").mode == (0666 & ~022));
}

Test(replace_file, keeps_or_sets_the_mode)
{
    each_world(keeps_modes);
}

Test(staged, knows_the_names_of_its_temporaries)
{
    cr_assert(tp_staged_is_temporary(".tempest-0123456789abcdef"));
    cr_assert_not(tp_staged_is_temporary(".tempest-0123456789abcde"));
    cr_assert_not(tp_staged_is_temporary(".tempest-0123456789abcdef0"));
    cr_assert_not(tp_staged_is_temporary(".tempest-0123456789ABCDEF"));
    cr_assert_not(tp_staged_is_temporary(".temqest-0123456789abcdef"));
    cr_assert_not(tp_staged_is_temporary(""));
}
