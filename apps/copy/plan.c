#include "apps/copy/plan.h"

#include <stdio.h>

#include "apps/common/bar.h"
#include "apps/common/say.h"

static void say_path(const struct copy_dir *dir, const char *name, enum copy_side side)
{
    char text[TP_PATH_MAX], quoted[APP_QUOTED_BYTES(TP_PATH_MAX)];
    const char *path = copy_path(dir, name, side, text, sizeof text);

    (void)fputs(app_quote(path, quoted, sizeof quoted), stdout);
}

void copy_plan_say(const struct copy_dir *dir, const char *const name[COPY_SIDES],
                   const struct tp_statx *source)
{
    char size[APP_TEXT_BYTES];

    app_bar_wipe();
    say_path(dir, name[COPY_SOURCE], COPY_SOURCE);
    (void)fputs(" -> ", stdout);
    say_path(dir, name[COPY_TARGET], COPY_TARGET);
    switch ((enum tp_file_kind)source->kind) {
    case TP_FILE_DIRECTORY:
        (void)puts(", directory");
        break;
    case TP_FILE_SYMLINK:
        (void)puts(", symbolic link");
        break;
    case TP_FILE_REGULAR:
    case TP_FILE_OTHER:
        (void)printf(", %s\n", app_bytes(source->size, size, sizeof size));
        break;
    }
}
