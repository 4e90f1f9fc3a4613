/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes ACPI machine language (ACPI 6.5 chapter 20): objects, packages, resource templates, into a buffer
 * given. What does not fit is dropped and remembered (`overflow`): callers look once, at the end.
 */
#ifndef AML_H
#define AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *bytes;
    size_t size, used;
    bool overflow;
};

/* Everything between open and close is inside: @pre closed in reverse order of opening. */
typedef size_t aml_mark;

aml_mark aml_scope(struct aml *aml, const char *path);   /* Scope (path) { */
aml_mark aml_device(struct aml *aml, const char *name);  /* Device (name) { */
aml_mark aml_package(struct aml *aml, uint8_t elements); /* Package (n) { */
void aml_close(struct aml *aml, aml_mark mark);          /* } */

void aml_name(struct aml *aml, const char *name); /* Name (name, … the object that is written next */
void aml_integer(struct aml *aml, uint64_t value);
void aml_eisa_id(struct aml *aml, const char *id); /* "PNP0A03" */
void aml_string(struct aml *aml, const char *text);

/* ResourceTemplate () { … }: a buffer of descriptors. */
struct aml_resources {
    aml_mark buffer, length;
};
struct aml_resources aml_resources(struct aml *aml);
void aml_io(struct aml *aml, uint16_t first, uint8_t count);
void aml_interrupt(struct aml *aml, uint32_t gsi, bool level, bool active_low);
void aml_memory(struct aml *aml, uint32_t first, uint32_t bytes);
/* Windows that a bridge passes on, last included. */
void aml_bus_window(struct aml *aml, uint16_t first, uint16_t last);
void aml_io_window(struct aml *aml, uint16_t first, uint16_t last);
void aml_memory_window(struct aml *aml, uint32_t first, uint32_t last);
void aml_resources_end(struct aml *aml, struct aml_resources resources);

#endif
