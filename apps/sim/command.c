/* tp_sim_main(): the commands. */
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/common/streams.h"
#include "apps/sim/commands.h"
#include "apps/sim/text.h"

static void list_json(const struct tp_scenario *scenarios, uint32_t count)
{
    (void)printf("{\"scenarios\": [");
    for (uint32_t i = 0; i < count; i++) {
        (void)printf("%s{\"name\": ", i > 0 ? ", " : "");
        tp_text_json(scenarios[i].name, stdout);
        (void)printf(", \"summary\": ");
        tp_text_json(scenarios[i].summary == NULL ? "" : scenarios[i].summary, stdout);
        (void)printf("}");
    }
    (void)printf("]}\n");
}

static int list(const struct tp_scenario *scenarios, uint32_t count, bool json)
{
    int width = 0;

    if (json) {
        list_json(scenarios, count);
        return APP_EXIT_DONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        int len = (int)strlen(scenarios[i].name);

        width = len > width ? len : width;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (scenarios[i].summary == NULL)
            (void)printf("%s\n", scenarios[i].name);
        else
            (void)printf("%-*s  %s\n", width, scenarios[i].name, scenarios[i].summary);
    }
    return APP_EXIT_DONE;
}

static int do_command(const struct tp_sim_arguments *arguments,
                      const struct tp_scenario *scenarios, uint32_t count,
                      struct tp_mark_list marks)
{
    switch (arguments->command) {
    case TP_COMMAND_LIST:
        return list(scenarios, count, arguments->json);
    case TP_COMMAND_RUN:
        return tp_command_run(arguments, marks);
    case TP_COMMAND_REPLAY:
        return tp_command_replay(arguments);
    case TP_COMMAND_SHRINK:
        return tp_command_shrink(arguments);
    case TP_COMMAND_EXPLAIN:
        return tp_command_explain(arguments);
    case TP_COMMAND_SWEEP:
        return tp_command_sweep(arguments);
    case TP_COMMAND_TRACE:
        return tp_command_trace(arguments);
    case TP_COMMAND_SHOW:
        return tp_command_show(arguments);
    case TP_COMMANDS:
        break;
    }
    tp_unreachable();
}

/* What was found until a signal came has been told; the status says that it is not all. */
static int finish(int status)
{
    int caught = app_signals_caught();

    if (caught != 0) {
        app_say("%s: it ended early", app_signals_name(caught));
        status = 128 + caught;
    }
    if (!app_printed() && status == APP_EXIT_DONE)
        status = APP_EXIT_FAILED;
    return status;
}

int tp_sim_main_with(int argc, char **argv, const struct tp_scenario *scenarios,
                     uint32_t count, struct tp_mark_list marks)
{
    struct tp_sim_arguments arguments;

    tp_assert(count > 0 && scenarios != NULL);
    app_take_streams();
    switch (tp_arguments_read(argc, argv, scenarios, count, &arguments)) {
    case TP_ARGUMENTS_GO:
        break;
    case TP_ARGUMENTS_SHOWN:
        return finish(APP_EXIT_DONE);
    case TP_ARGUMENTS_WRONG:
        return APP_EXIT_USAGE;
    }
    app_signals_take(NULL, 0);
    return finish(do_command(&arguments, scenarios, count, marks));
}
