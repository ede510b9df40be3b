#include "apps/sim/engine/host.h"

#include <stdlib.h>

#include "apps/sim/engine/engine.h"

enum { INPUT_MAX = 1 << 27 };

static uint8_t *input;
static char *output;
static size_t output_bytes;

uint8_t *engine_input_bytes(void)
{
    return input;
}

FILE *engine_open_output(void)
{
    FILE *out;

    free(output);
    output = NULL;
    out = open_memstream(&output, &output_bytes);
    if (out == NULL)
        tp_stop(__FILE__, __LINE__, "no memory for what is to be said");
    return out;
}

int32_t engine_close_output(FILE *out)
{
    if (fclose(out) != 0 || output_bytes > INT32_MAX)
        tp_stop(__FILE__, __LINE__, "no memory for what is to be said");
    return (int32_t)output_bytes;
}

int32_t engine_give(void *bytes, size_t len_bytes)
{
    if (bytes == NULL || len_bytes > INT32_MAX)
        tp_stop(__FILE__, __LINE__, "no memory for what is to be given");
    free(output);
    output = bytes;
    output_bytes = len_bytes;
    return (int32_t)len_bytes;
}

int32_t engine_fail(int32_t error, const char *sentence)
{
    FILE *out = engine_open_output();

    (void)fputs(sentence, out);
    (void)engine_close_output(out);
    return tp_errno_number(error);
}

/* ------------------------------------------------------------------ the host's calls */

EXPORT(int32_t, engine_abi, void)
{
    return ENGINE_ABI;
}

EXPORT(uint8_t *, engine_input, uint32_t len_bytes)
{
    free(input);
    input = len_bytes > INPUT_MAX ? NULL : malloc((size_t)len_bytes + 1);
    return input;
}

EXPORT(const char *, engine_output, void)
{
    return output;
}

EXPORT(uint32_t, engine_output_bytes, void)
{
    return (uint32_t)output_bytes;
}
