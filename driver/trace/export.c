/* SPDX-License-Identifier: BSD-2-Clause */
#include "export.h"

const struct export_format export_formats[] = {
    {"text", "Lines for people", export_text},
    {"jsonl", "JSON lines: a header, then an object for each entry", export_jsonl},
    {"csv", "Comma-separated values, with a line of names", export_csv},
    {"pcapng", "Packets for Wireshark, with the dissector signalbox.lua", export_pcapng},
    {"chrome", "Trace Event JSON for Perfetto and chrome://tracing", export_chrome},
    {"svg", "A time line to look at", export_svg},
    {0},
};
