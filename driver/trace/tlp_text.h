/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TLP_TEXT_H
#define TLP_TEXT_H

#include <stddef.h>

#include "trace.h"

enum { TLP_TEXT = 128 };

/* "MWr 0xfee01000, 4 bytes, from 01:00.2 tag 0x05": what the DW recorded tell of a TLP. */
char *tlp_text(const struct trace_entry *entry, char text[TLP_TEXT]);

/* "MWr", "CplD", "Msg", "type 0x5f": its kind. */
char *tlp_name(const struct trace_entry *entry, char name[16]);

/* Bytes of the whole TLP on the wire, header and data, digest not counted; 0 where DW0 was not recorded. */
unsigned tlp_bytes(const struct trace_entry *entry);

/* "INTA rises", "MSI 0xfee01000 = 0x4021", or as tlp_text. */
char *entry_text(const struct trace_entry *entry, char text[TLP_TEXT]);

#endif
