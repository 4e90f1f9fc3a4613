/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace files, whatever is in them, through every exporter. The first byte chooses, the rest is the file. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One in two inputs gets a header that is right, so that records are reached. */
static FILE *open_input(const uint8_t *data, size_t size, char **bytes)
{
    const struct trace_header header = {
        .ports = 3, .card = 0x100, .port = {0, 0x101, 0x102, 0x103}, .time_ns = 5};
    size_t used = 0;
    FILE *file = open_memstream(bytes, &used);
    if (data[0] & 0x80)
        trace_write_header(file, &header);
    fwrite(data + 1, 1, size - 1, file);
    fclose(file);
    return used ? fmemopen(*bytes, used, "r") : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = NULL, *text = NULL;
    size_t used = 0, formats = 0;
    if (size < 2)
        return 0;
    while (export_formats[formats].name)
        formats++;
    FILE *in = open_input(data, size, &bytes);
    struct trace_reader reader;
    struct sb_error error = {0};
    if (in && trace_open(&reader, in, &error)) {
        FILE *out = open_memstream(&text, &used);
        const int result = export_formats[(data[0] & 0x7f) % formats].export(&reader, out, &error);
        fclose(out);
        /* What is refused is refused with its place. */
        assert(result == 0 || strncmp(error.what, "offset ", 7) == 0);
    } else if (in) {
        assert(strncmp(error.what, "offset ", 7) == 0);
    }
    if (in)
        fclose(in);
    free(text);
    free(bytes);
    return 0;
}
