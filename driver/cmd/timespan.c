/* SPDX-License-Identifier: BSD-2-Clause */
#include "timespan.h"

#include <stdlib.h>
#include <string.h>

bool timespan_parse(const char *text, uint32_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char *end;
    const double number = strtod(text, &end);
    if (end == text)
        return false;
    while (*end == ' ')
        end++;
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
        const double value = number * units[i].ns;
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (!(value >= 1) || value > UINT32_MAX)
            return false;
        *ns = (uint32_t)value;
        return true;
    }
    return false;
}
