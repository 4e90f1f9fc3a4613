/* SPDX-License-Identifier: BSD-2-Clause */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "card.h"

void sb_error_set(struct sb_error *error, const char *advice, const char *what, ...)
{
    if (!error)
        return;
    va_list list;
    va_start(list, what);
    vsnprintf(error->what, sizeof error->what, what, list);
    va_end(list);
    snprintf(error->advice, sizeof error->advice, "%s", advice ? advice : "");
}

const char *card_error_text(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case CARD_GONE:
        return "the card does not answer (removed, link down, powered off, or memory decoding off)";
    case CARD_REFUSED:
        return "the access is refused";
    case CARD_NO_RING:
        return "there is no memory the card can write to";
    case CARD_FOREIGN:
        return "not a relay, or one with a register map this program does not know";
    default:
        return "unknown error";
    }
}
