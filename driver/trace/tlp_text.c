/* SPDX-License-Identifier: BSD-2-Clause */
/* Fmt and Type: PCIe Base 5.0, table 2-3. */
#include "tlp_text.h"

#include <stdio.h>
#include <string.h>

enum form { MEMORY, IO, CONFIG, MESSAGE, COMPLETION };

static const struct kind {
    uint8_t value, mask; /* of DW0 31:24; bit 5 is the header's length */
    const char *name;
    enum form form;
} kinds[] = {
    {0x00, 0xdf, "MRd", MEMORY},      {0x01, 0xdf, "MRdLk", MEMORY},     {0x40, 0xdf, "MWr", MEMORY},
    {0x02, 0xff, "IORd", IO},         {0x42, 0xff, "IOWr", IO},          {0x04, 0xff, "CfgRd0", CONFIG},
    {0x44, 0xff, "CfgWr0", CONFIG},   {0x05, 0xff, "CfgRd1", CONFIG},    {0x45, 0xff, "CfgWr1", CONFIG},
    {0x30, 0xf8, "Msg", MESSAGE},     {0x70, 0xf8, "MsgD", MESSAGE},     {0x0a, 0xff, "Cpl", COMPLETION},
    {0x4a, 0xff, "CplD", COMPLETION}, {0x0b, 0xff, "CplLk", COMPLETION}, {0x4b, 0xff, "CplDLk", COMPLETION},
    {0x4c, 0xdf, "FetchAdd", MEMORY}, {0x4d, 0xdf, "Swap", MEMORY},      {0x4e, 0xdf, "CAS", MEMORY},
};

static const struct kind *find(const struct trace_entry *entry)
{
    const uint8_t value = (uint8_t)(entry->dw[0] >> 24);
    for (size_t i = 0; entry->n_dw > 0 && i < sizeof kinds / sizeof *kinds; i++)
        if ((value & kinds[i].mask) == kinds[i].value)
            return &kinds[i];
    return NULL;
}

static bool long_header(const struct trace_entry *entry)
{
    return entry->dw[0] >> 29 & 1;
}

/* The Length field counts DW; 0 stands for 1024. */
static unsigned data_bytes(const struct trace_entry *entry)
{
    const unsigned length = entry->dw[0] & 0x3ff;
    return 4 * (length ? length : 1024);
}

unsigned tlp_bytes(const struct trace_entry *entry)
{
    if (entry->n_dw == 0)
        return 0;
    return (long_header(entry) ? 16 : 12) + (entry->dw[0] >> 30 & 1 ? data_bytes(entry) : 0);
}

char *tlp_name(const struct trace_entry *entry, char name[16])
{
    const struct kind *kind = find(entry);
    if (kind)
        snprintf(name, 16, "%s", kind->name);
    else if (entry->n_dw)
        snprintf(name, 16, "type 0x%02x", entry->dw[0] >> 24);
    else
        snprintf(name, 16, "-");
    return name;
}

static const char *message_name(unsigned code)
{
    static const char *const intx[] = {"Assert_INTA",   "Assert_INTB",   "Assert_INTC",   "Assert_INTD",
                                       "Deassert_INTA", "Deassert_INTB", "Deassert_INTC", "Deassert_INTD"};
    return code >= 0x20 && code <= 0x27 ? intx[code - 0x20] : "";
}

/* Appends; what does not fit is cut. */
#define ADD(...) used += (size_t)snprintf(text + used, used < TLP_TEXT ? TLP_TEXT - used : 0, __VA_ARGS__)

char *tlp_text(const struct trace_entry *entry, char text[TLP_TEXT])
{
    char name[16];
    size_t used = 0;
    const struct kind *kind = find(entry);
    ADD("%s", tlp_name(entry, name));
    if (!kind || entry->n_dw < 3)
        return text;
    const uint32_t *dw = entry->dw;
    const unsigned id = dw[1] >> 16, tag = dw[1] >> 8 & 0xff;
    switch (kind->form) {
    case MEMORY:
    case IO:
        if (!long_header(entry))
            ADD(" 0x%08x", dw[2] & ~3u);
        else if (entry->n_dw >= 4)
            ADD(" 0x%08x%08x", dw[2], dw[3] & ~3u);
        ADD(", %u bytes", data_bytes(entry));
        break;
    case CONFIG:
        ADD(" %02x:%02x.%x register 0x%03x", dw[2] >> 24, dw[2] >> 19 & 0x1f, dw[2] >> 16 & 7, dw[2] & 0xffc);
        break;
    case MESSAGE:
        ADD(" code 0x%02x %s", dw[1] & 0xff, message_name(dw[1] & 0xff));
        break;
    case COMPLETION: {
        static const char *const status[8] = {"",    " UR",       " CRS",      " status 3",
                                              " CA", " status 5", " status 6", " status 7"};
        ADD("%s, %u bytes left, to %02x:%02x.%x tag 0x%02x", status[dw[1] >> 13 & 7],
            dw[1] & 0xfff ? dw[1] & 0xfff : 4096, dw[2] >> 24, dw[2] >> 19 & 0x1f, dw[2] >> 16 & 7,
            dw[2] >> 8 & 0xff);
        break;
    }
    }
    ADD(", from %02x:%02x.%x", id >> 8, id >> 3 & 0x1f, id & 7);
    if (kind->form != COMPLETION && kind->form != MESSAGE)
        ADD(" tag 0x%02x", tag);
    if (dw[0] >> 14 & 1)
        ADD(", poisoned");
    return text;
}

char *entry_text(const struct trace_entry *entry, char text[TLP_TEXT])
{
    uint64_t address;
    uint32_t data;
    if (entry->kind == TRACE_INTX) {
        /* The pin is in the message's code; a wire that fell with its link has no message. */
        char pin = '?';
        if (entry->n_dw >= 2 && (entry->dw[1] & 0xf8) == 0x20)
            pin = (char)('A' + (entry->dw[1] & 3));
        snprintf(text, TLP_TEXT, "INT%c %s", pin, entry->level ? "rises" : "falls");
    } else if (trace_message(entry, &address, &data)) {
        snprintf(text, TLP_TEXT, "MSI 0x%08llx = 0x%04x", (unsigned long long)address, data);
    } else if (entry->kind == TRACE_MSI && entry->replay && entry->source != TRACE_NO_SOURCE) {
        /* What the relay made itself and kept back never was a TLP. */
        snprintf(text, TLP_TEXT, "MSI of source %u", entry->source);
    } else {
        tlp_text(entry, text);
    }
    return text;
}
