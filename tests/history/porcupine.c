/** tests/history/porcupine.c - the histories of anishathalye/porcupine, with their
 * verdicts.
 *
 * They are not part of the repository: the first argument is where they may lie, and
 * TP_PORCUPINE in the environment says it better. Without them the test is skipped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/linear.h"

enum { LINE_MAX_BYTES = 4096, SKIPPED = 77 };

/* A word of a Jepsen log or of a map in Clojure, cut at blanks and commas. */
static char *next_word(char **at)
{
    char *word;

    *at += strspn(*at, " \t\n,{}[]");
    if (**at == '\0')
        return NULL;
    word = *at;
    if (*word == '"') {
        word++;
        *at = strchr(word, '"');
        tp_assert(*at != NULL);
    } else {
        *at += strcspn(*at, " \t\n,{}[]");
    }
    if (**at != '\0')
        *(*at)++ = '\0';
    return word;
}

static struct tp_value value_of(const char *word)
{
    return word == NULL || strcmp(word, "nil") == 0 ? (struct tp_value){NULL, 0, false}
                                                    : tp_value_text(word);
}

static enum tp_history_kind kind_of(const char *word)
{
    if (strcmp(word, ":read") == 0 || strcmp(word, ":get") == 0)
        return TP_HISTORY_GET;
    if (strcmp(word, ":write") == 0 || strcmp(word, ":put") == 0)
        return TP_HISTORY_PUT;
    return strcmp(word, ":append") == 0 ? TP_HISTORY_APPEND : TP_HISTORY_CAS;
}

/* What a line says that is not an invocation: of a cas that failed, that the value was
 * another; of anything else that failed, that it took no effect. */
static enum tp_history_outcome outcome_of(const char *type, enum tp_history_kind kind)
{
    if (strcmp(type, ":ok") == 0)
        return TP_HISTORY_OK;
    if (strcmp(type, ":fail") == 0)
        return kind == TP_HISTORY_CAS ? TP_HISTORY_OK : TP_HISTORY_FAILED;
    return TP_HISTORY_UNKNOWN;
}

static void add(struct tp_history *history, uint32_t line, const char *client,
                const char *type, struct tp_history_call *call)
{
    uint32_t number = (uint32_t)strtoul(client, NULL, 10);
    bool is_invoke = strcmp(type, ":invoke") == 0;
    struct tp_value result = call->value;
    int error;

    if (call->kind == TP_HISTORY_CAS)
        result = tp_value_bool(strcmp(type, ":ok") == 0);
    error = is_invoke ? tp_history_invoke(history, number, line, call)
                      : tp_history_return(history, number, line,
                                          outcome_of(type, call->kind), result);
    tp_assert(error == 0);
}

/* "INFO jepsen.util - 3 :invoke :cas [1 2]" */
static void add_jepsen(struct tp_history *history, uint32_t line, char *at)
{
    struct tp_history_call call = {.kind = TP_HISTORY_GET};
    const char *client, *type, *first;

    if (strncmp(at, "INFO", 4) != 0)
        return;
    for (uint32_t i = 0; i < 3; i++)
        (void)next_word(&at);
    client = next_word(&at);
    type = next_word(&at);
    call.kind = kind_of(next_word(&at));
    first = next_word(&at);
    call.value = value_of(first);
    if (call.kind == TP_HISTORY_CAS && first[0] != ':') {
        call.expected = call.value;
        call.value = value_of(next_word(&at));
    }
    add(history, line, client, type, &call);
}

/* "{:process 0, :type :invoke, :f :append, :key "0", :value "x"}" */
static void add_map(struct tp_history *history, uint32_t line, char *at)
{
    const char *words[10];
    struct tp_history_call call = {.kind = TP_HISTORY_GET};

    for (uint32_t i = 0; i < 10; i++) {
        words[i] = next_word(&at);
        tp_assert(words[i] != NULL);
    }
    call.kind = kind_of(words[5]);
    call.key = tp_value_text(words[7]);
    call.value = value_of(words[9]);
    add(history, line, words[1], words[3], &call);
}

static struct tp_history *load(const char *directory, const char *name, bool is_map)
{
    char path[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
    struct tp_history *history;
    FILE *file;
    int error = tp_history_create(NULL, &history);

    tp_assert(error == 0);
    if (is_map)
        error = tp_history_set_initial(history, tp_value_text(""));
    tp_assert(error == 0);
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "r");
    tp_assert(file != NULL);
    for (uint32_t line = 1; fgets(text, sizeof text, file) != NULL; line++) {
        if (is_map)
            add_map(history, line, text);
        else
            add_jepsen(history, line, text);
    }
    (void)fclose(file);
    return history;
}

/* One line of verdicts.tsv. Whether our verdict is the same. */
static bool check(const char *directory, char *line)
{
    char *name = next_word(&line);
    bool expected = strcmp(next_word(&line), "true") == 0;
    struct tp_history *history = load(directory, name, strncmp(name, "kv/", 3) == 0);
    struct tp_linear_report report;
    bool same;

    tp_linear_check(history, &tp_model_kv, NULL, &report);
    same = report.verdict == (expected ? TP_LINEAR_YES : TP_LINEAR_NO);
    (void)printf("%s %s: ", same ? "ok " : "BAD", name);
    tp_linear_print(&report, history, &tp_model_kv, stdout);
    tp_linear_report_deinit(&report);
    tp_history_destroy(history);
    return same;
}

int main(int argc, char **argv)
{
    const char *directory = getenv("TP_PORCUPINE");
    char path[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    uint32_t checked = 0, wrong = 0;
    FILE *file;

    if (directory == NULL && argc > 1)
        directory = argv[1];
    (void)snprintf(path, sizeof path, "%s/verdicts.tsv",
                   directory == NULL ? "." : directory);
    file = fopen(path, "r");
    if (file == NULL) {
        (void)printf("skipped: no histories of porcupine at '%s'; TP_PORCUPINE may name "
                     "their directory\n",
                     path);
        return SKIPPED;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        wrong += !check(directory, line);
        checked++;
    }
    (void)fclose(file);
    (void)printf("%" PRIu32 " histories, %" PRIu32 " with another verdict\n", checked,
                 wrong);
    return wrong == 0 && checked > 0 ? 0 : 1;
}
