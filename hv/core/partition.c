/* SPDX-License-Identifier: BSD-2-Clause */
#include <libfdt.h>
#include <string.h>

#include "format.h"
#include "partition.h"
#include "text.h"

struct reader {
    const void *tree;
    struct partition_table *table;
    struct partition_error *error;
    int node; /* offset of the node that is being read */
    struct partition *lpar;
    uint32_t seen; /* bit per property of the LPAR's rules */
};

/* A property's name and value. */
struct property {
    const char *name;
    const uint8_t *data;
    int bytes;
};

static bool fail(struct reader *r, const char *property, const char *text_format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct reader *r, const char *property, const char *text_format, ...)
{
    va_list arguments;
    struct partition_error *error = r->error;
    memset(error, 0, sizeof *error);
    if (r->node >= 0 && fdt_get_path(r->tree, r->node, error->node, sizeof error->node) < 0)
        text_copy(error->node, sizeof error->node, "a node with a very long path", sizeof error->node);
    if (property)
        text_copy(error->property, sizeof error->property, property, sizeof error->property);
    va_start(arguments, text_format);
    format_va(error->text, sizeof error->text, text_format, arguments);
    va_end(arguments);
    return false;
}

/* ---- values ----------------------------------------------------------------------------------- */

static unsigned cell(const struct property *p, unsigned index)
{
    const uint8_t *at = p->data + 4 * index;
    return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* The number of cells, at least 1; 0 when the value is none of cells, which is said. */
static unsigned cells(struct reader *r, const struct property *p, unsigned most)
{
    if (p->bytes == 0 || p->bytes % 4 != 0) {
        fail(r, p->name, "numbers in < > are expected");
        return 0;
    }
    const unsigned count = (unsigned)p->bytes / 4;
    if (count > most) {
        fail(r, p->name, "%u numbers, at most %u can be", count, most);
        return 0;
    }
    return count;
}

/* The next string of a list, null at its end. @pre is_strings() */
static const char *next_string(const struct property *p, int *at)
{
    if (*at >= p->bytes)
        return 0;
    const char *text = (const char *)p->data + *at;
    *at += (int)strlen(text) + 1;
    return text;
}

/* Printable strings, each terminated. */
static bool is_strings(struct reader *r, const struct property *p)
{
    if (p->bytes == 0 || p->data[p->bytes - 1] != 0)
        return fail(r, p->name, "text in quotation marks is expected");
    for (int i = 0; i < p->bytes; i++)
        if (p->data[i] != 0 && (p->data[i] < ' ' || p->data[i] == 0x7f))
            return fail(r, p->name, "a character that cannot be printed (0x%x)", p->data[i]);
    return true;
}

static bool one_string(struct reader *r, const struct property *p, size_t size, const char **text)
{
    int at = 0;
    if (!is_strings(r, p))
        return false;
    *text = next_string(p, &at);
    if (at != p->bytes)
        return fail(r, p->name, "one text is expected, not a list");
    if (strlen(*text) >= size)
        return fail(r, p->name, "longer than %lu characters", (unsigned long)size - 1);
    return true;
}

static bool module_name(struct reader *r, const struct property *p, const char *text)
{
    const size_t length = strlen(text);
    if (length == 0)
        return fail(r, p->name, "a module's name is empty");
    if (length > 100 || strchr(text, ' '))
        return fail(r, p->name, "a module's name has no spaces and at most 100 characters");
    return true;
}

static bool flag(struct reader *r, const struct property *p, bool *to, bool value)
{
    if (p->bytes != 0)
        return fail(r, p->name, "takes no value");
    *to = value;
    return true;
}

/* ---- properties of an LPAR -------------------------------------------------------------------- */

static bool take_cpus(struct reader *r, const struct property *p)
{
    struct partition *l = r->lpar;
    l->cpus = cells(r, p, PARTITION_CPUS);
    for (unsigned i = 0; i < l->cpus; i++) {
        l->cpu[i] = cell(p, i);
        for (unsigned j = 0; j < i; j++)
            if (l->cpu[j] == l->cpu[i])
                return fail(r, p->name, "CPU %u is named twice", l->cpu[i]);
    }
    return l->cpus != 0;
}

static bool take_memory(struct reader *r, const struct property *p)
{
    struct partition *l = r->lpar;
    if (cells(r, p, 1) == 0)
        return false;
    l->memory = (uint64_t)cell(p, 0) << 20;
    if (l->memory < PARTITION_MEMORY_MIN || l->memory % PARTITION_MEMORY_ALIGN)
        return fail(r, p->name, "%u is not a multiple of %llu MiB above 0", cell(p, 0),
                    PARTITION_MEMORY_ALIGN >> 20);
    return true;
}

static bool take_kernel(struct reader *r, const struct property *p)
{
    return one_string(r, p, 101, &r->lpar->kernel) && module_name(r, p, r->lpar->kernel);
}

static bool take_initrd(struct reader *r, const struct property *p)
{
    return one_string(r, p, 101, &r->lpar->initrd) && module_name(r, p, r->lpar->initrd);
}

static bool take_modules(struct reader *r, const struct property *p)
{
    struct partition *l = r->lpar;
    int at = 0;
    if (!is_strings(r, p))
        return false;
    for (const char *text; (text = next_string(p, &at));) {
        if (!module_name(r, p, text))
            return false;
        if (l->modules == PARTITION_MODULES)
            return fail(r, p->name, "more than %u modules", PARTITION_MODULES);
        l->module[l->modules++] = text;
    }
    return true;
}

static bool take_command_line(struct reader *r, const struct property *p)
{
    return one_string(r, p, PARTITION_COMMAND_LINE, &r->lpar->command_line);
}

static bool take_console(struct reader *r, const struct property *p)
{
    const char *text;
    if (!one_string(r, p, 32, &text))
        return false;
    r->lpar->console = !strcmp(text, "uart");
    if (!r->lpar->console && strcmp(text, "none") != 0)
        return fail(r, p->name, "'%s' is neither 'uart' nor 'none'", text);
    return true;
}

static bool take_paging(struct reader *r, const struct property *p)
{
    const char *text;
    if (!one_string(r, p, 32, &text))
        return false;
    if (!strcmp(text, "shadow"))
        return fail(r, p->name, "this version has no shadow paging, only 'nested'");
    if (strcmp(text, "nested") != 0)
        return fail(r, p->name, "'%s' is neither 'nested' nor 'shadow'", text);
    return true;
}

static bool take_mechanisms(struct reader *r, const struct property *p)
{
    static const char *const names[] = {
#define X(upper, lower) #lower,
        MECHANISMS(X)
#undef X
    };
    int at = 0;
    if (!is_strings(r, p))
        return false;
    for (const char *text; (text = next_string(p, &at));) {
        unsigned i = 0;
        while (i < MECHANISM_COUNT && strcmp(names[i], text) != 0)
            i++;
        if (i == MECHANISM_COUNT)
            return fail(r, p->name, "there is no mechanism '%s'", text);
        r->lpar->mechanisms |= 1u << i;
    }
    return true;
}

/* Hexadecimal digits up to a separator, which is passed. */
static bool hex_field(const char **text, unsigned digits, char end, unsigned most, unsigned *value)
{
    *value = 0;
    for (unsigned i = 0; i < digits; i++, (*text)++) {
        const char c = **text;
        const unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        if (digit > 15 || (c < '0'))
            return false;
        *value = *value << 4 | digit;
    }
    return *(*text)++ == end && *value <= most;
}

/* SSSS:BB:DD.F, as lspci -D prints it, and perhaps what it is. */
static bool parse_function(const char *text, struct partition_function *f)
{
    unsigned segment, bus, slot, function;
    if (!hex_field(&text, 4, ':', 0xffff, &segment) || !hex_field(&text, 2, ':', 0xff, &bus) ||
        !hex_field(&text, 2, '.', 0x1f, &slot) ||
        !hex_field(&text, 1, *text && text[1] ? ' ' : 0, 7, &function))
        return false;
    *f = (struct partition_function){.segment = (uint16_t)segment,
                                     .bus = (uint8_t)bus,
                                     .slot = (uint8_t)slot,
                                     .function = (uint8_t)function,
                                     .dedicated = text[-1] && !strcmp(text, "dedicated")};
    return !text[-1] || f->dedicated || !strcmp(text, "shared");
}

static bool take_functions(struct reader *r, const struct property *p)
{
    struct partition *l = r->lpar;
    int at = 0;
    if (!is_strings(r, p))
        return false;
    for (const char *text; (text = next_string(p, &at));) {
        if (l->functions == PARTITION_FUNCTIONS)
            return fail(r, p->name, "more than %u functions", PARTITION_FUNCTIONS);
        if (!parse_function(text, &l->function[l->functions++]))
            return fail(r, p->name,
                        "'%s' is no PCI function like 0000:03:00.0, alone or with ' dedicated' or ' shared' "
                        "behind it",
                        text);
    }
    return true;
}

static bool take_no_x2apic(struct reader *r, const struct property *p)
{
    return flag(r, p, &r->lpar->x2apic, false);
}

static bool take_test_device(struct reader *r, const struct property *p)
{
    return flag(r, p, &r->lpar->test_device, true);
}

static bool take_manual_start(struct reader *r, const struct property *p)
{
    return flag(r, p, &r->lpar->autostart, false);
}

static bool take_service(struct reader *r, const struct property *p)
{
    return flag(r, p, &r->lpar->service, true);
}

static const struct rule {
    const char *name;
    bool required;
    bool (*take)(struct reader *r, const struct property *p);
} rules[] = {
    {"cpus", true, take_cpus},
    {"memory-mib", true, take_memory},
    {"kernel", true, take_kernel},
    {"initrd", false, take_initrd},
    {"modules", false, take_modules},
    {"command-line", false, take_command_line},
    {"console", false, take_console},
    {"paging", false, take_paging},
    {"mechanisms", false, take_mechanisms},
    {"functions", false, take_functions},
    {"no-x2apic", false, take_no_x2apic},
    {"test-device", false, take_test_device},
    {"manual-start", false, take_manual_start},
    {"service", false, take_service},
};
#define RULES (sizeof rules / sizeof *rules)

/* ---- nodes ------------------------------------------------------------------------------------ */

/* What dtc adds for labels. */
static bool of_dtc(const char *name)
{
    return !strcmp(name, "phandle") || !strcmp(name, "linux,phandle") || text_starts(name, "__", 0);
}

static bool take_property(struct reader *r, const struct property *p)
{
    for (unsigned i = 0; i < RULES; i++) {
        if (strcmp(rules[i].name, p->name) != 0)
            continue;
        if (r->seen & 1u << i)
            return fail(r, p->name, "stands there twice");
        r->seen |= 1u << i;
        return rules[i].take(r, p);
    }
    return fail(r, p->name, "there is no such property of an LPAR");
}

static bool name_is_good(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        bool other = (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || *c == '.';
        if (!letter && (c == name || !other))
            return false;
    }
    return *name && strlen(name) < PARTITION_NAME;
}

static bool read_name(struct reader *r)
{
    const char *name = fdt_get_name(r->tree, r->node, 0);
    if (!name_is_good(name))
        return fail(r, 0, "an LPAR's name is a letter, then at most %u letters, digits, '-', '_', '.'",
                    PARTITION_NAME - 2);
    for (unsigned i = 0; i + 1 < r->table->count; i++)
        if (!strcmp(r->table->partition[i].name, name))
            return fail(r, 0, "two LPARs have this name");
    r->lpar->name = name;
    return true;
}

static bool read_lpar(struct reader *r)
{
    int offset;
    if (r->table->count == PARTITION_LPARS)
        return fail(r, 0, "more than %u LPARs", PARTITION_LPARS);
    r->lpar = &r->table->partition[r->table->count++];
    *r->lpar = (struct partition){.command_line = "", .console = true, .x2apic = true, .autostart = true};
    r->seen = 0;
    if (!read_name(r))
        return false;
    fdt_for_each_property_offset(offset, r->tree, r->node)
    {
        struct property p;
        p.data = fdt_getprop_by_offset(r->tree, offset, &p.name, &p.bytes);
        if (!p.data)
            return fail(r, 0, "a property cannot be read (%s)", fdt_strerror(p.bytes));
        if (!of_dtc(p.name) && !take_property(r, &p))
            return false;
    }
    int child = fdt_first_subnode(r->tree, r->node);
    if (child >= 0) {
        r->node = child;
        return fail(r, 0, "an LPAR has no nodes below it");
    }
    for (unsigned i = 0; i < RULES; i++)
        if (rules[i].required && !(r->seen & 1u << i))
            return fail(r, rules[i].name, "is missing");
    return true;
}

static bool no_properties(struct reader *r, const char *allowed)
{
    int offset;
    fdt_for_each_property_offset(offset, r->tree, r->node)
    {
        const char *name;
        int bytes;
        if (!fdt_getprop_by_offset(r->tree, offset, &name, &bytes))
            return fail(r, 0, "a property cannot be read (%s)", fdt_strerror(bytes));
        if (!of_dtc(name) && !(allowed && !strcmp(name, allowed)))
            return fail(r, name, "there is no such property here");
    }
    return true;
}

static bool read_lpars(struct reader *r)
{
    const int lpars = r->node;
    if (!no_properties(r, 0))
        return false;
    fdt_for_each_subnode(r->node, r->tree, lpars)
    {
        const int node = r->node;
        if (!read_lpar(r))
            return false;
        r->node = node;
    }
    r->node = lpars;
    return r->table->count ? true : fail(r, 0, "there is no LPAR");
}

static bool read_root(struct reader *r)
{
    struct property p = {.name = "compatible"};
    const char *text;
    bool found = false;

    p.data = fdt_getprop(r->tree, 0, p.name, &p.bytes);
    if (!p.data)
        return fail(r, p.name, "is missing: \"" PARTITION_COMPATIBLE "\"");
    if (!one_string(r, &p, 64, &text))
        return false;
    if (strcmp(text, PARTITION_COMPATIBLE) != 0)
        return fail(r, p.name, "'%s' is not \"" PARTITION_COMPATIBLE "\"", text);
    if (!no_properties(r, "compatible"))
        return false;
    for (int node = fdt_first_subnode(r->tree, 0); node >= 0; node = fdt_next_subnode(r->tree, node)) {
        const char *name = fdt_get_name(r->tree, node, 0);
        r->node = node;
        if (of_dtc(name))
            continue;
        if (strcmp(name, "lpars") != 0 || found)
            return fail(r, 0, found ? "stands there twice" : "there is no such node");
        found = true;
        if (!read_lpars(r))
            return false;
    }
    r->node = 0;
    return found ? true : fail(r, 0, "the node 'lpars' is missing");
}

/* ---- between LPARs ---------------------------------------------------------------------------- */

static bool same_function(const struct partition_function *a, const struct partition_function *b)
{
    return a->segment == b->segment && a->bus == b->bus && a->slot == b->slot && a->function == b->function;
}

static bool fail_lpar(struct partition_error *error, const struct partition *l, const char *property,
                      const char *text_format, ...) __attribute__((format(printf, 4, 5)));

static bool fail_lpar(struct partition_error *error, const struct partition *l, const char *property,
                      const char *text_format, ...)
{
    va_list arguments;
    memset(error, 0, sizeof *error);
    format(error->node, sizeof error->node, "/lpars/%s", l->name);
    text_copy(error->property, sizeof error->property, property, sizeof error->property);
    va_start(arguments, text_format);
    format_va(error->text, sizeof error->text, text_format, arguments);
    va_end(arguments);
    return false;
}

static bool share_nothing(const struct partition *a, const struct partition *b, struct partition_error *error)
{
    for (unsigned i = 0; i < b->cpus; i++)
        for (unsigned j = 0; j < a->cpus; j++)
            if (a->cpu[j] == b->cpu[i])
                return fail_lpar(error, b, "cpus", "CPU %u is %s's already", b->cpu[i], a->name);
    for (unsigned i = 0; i < b->functions; i++)
        for (unsigned j = 0; j < a->functions; j++)
            if (same_function(&a->function[j], &b->function[i]))
                return fail_lpar(error, b, "functions", "%04x:%02x:%02x.%x is %s's already",
                                 b->function[i].segment, b->function[i].bus, b->function[i].slot,
                                 b->function[i].function, a->name);
    return true;
}

static bool check_sharing(const struct partition_table *table, struct partition_error *error)
{
    for (unsigned i = 0; i < table->count; i++) {
        for (unsigned j = 0; j < i; j++)
            if (!share_nothing(&table->partition[j], &table->partition[i], error))
                return false;
        const struct partition *l = &table->partition[i];
        for (unsigned a = 0; a < l->functions; a++)
            for (unsigned b = 0; b < a; b++)
                if (same_function(&l->function[a], &l->function[b]))
                    return fail_lpar(error, l, "functions", "%04x:%02x:%02x.%x is named twice",
                                     l->function[a].segment, l->function[a].bus, l->function[a].slot,
                                     l->function[a].function);
    }
    return true;
}

bool partition_read(struct partition_table *table, const void *tree, size_t bytes,
                    struct partition_error *error)
{
    struct reader r = {.tree = tree, .table = table, .error = error, .node = -1};
    memset(table, 0, sizeof *table);
    int result = bytes < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : fdt_check_full(tree, bytes);
    if (result != 0)
        return fail(&r, 0, "no flattened device tree (%s): was it compiled by dtc?", fdt_strerror(result));
    r.node = 0;
    return read_root(&r) && check_sharing(table, error);
}

/* ---- on a machine ----------------------------------------------------------------------------- */

static bool has_modules(const struct partition *l, const struct partition_machine *machine,
                        struct partition_error *error)
{
    if (!machine->has_module)
        return true;
    if (!machine->has_module(machine->owner, l->kernel))
        return fail_lpar(error, l, "kernel", "the boot loader brought no module '%s'", l->kernel);
    if (l->initrd && !machine->has_module(machine->owner, l->initrd))
        return fail_lpar(error, l, "initrd", "the boot loader brought no module '%s'", l->initrd);
    for (unsigned i = 0; i < l->modules; i++)
        if (!machine->has_module(machine->owner, l->module[i]))
            return fail_lpar(error, l, "modules", "the boot loader brought no module '%s'", l->module[i]);
    return true;
}

static bool has_functions(const struct partition *l, const struct partition_machine *machine,
                          struct partition_error *error)
{
    for (unsigned i = 0; machine->refusal && i < l->functions; i++) {
        const struct partition_function *f = &l->function[i];
        const char *why = machine->refusal(machine->owner, f);

        if (why)
            return fail_lpar(error, l, "functions", "%04x:%02x:%02x.%x %s", f->segment, f->bus, f->slot,
                             f->function, why);
    }
    return true;
}

bool partition_fits(const struct partition_table *table, const struct partition_machine *machine,
                    struct partition_error *error)
{
    uint64_t memory = 0;
    for (unsigned i = 0; i < table->count; i++) {
        const struct partition *l = &table->partition[i];
        for (unsigned j = 0; j < l->cpus; j++)
            if (l->cpu[j] >= machine->cpus)
                return fail_lpar(error, l, "cpus", "there is no CPU %u, the last is %u", l->cpu[j],
                                 machine->cpus - 1);
        memory += l->memory;
        if (memory > machine->memory)
            return fail_lpar(error, l, "memory-mib", "with it LPARs have %llu MiB of the machine's %llu",
                             (unsigned long long)memory >> 20, (unsigned long long)machine->memory >> 20);
        if (!has_modules(l, machine, error) || !has_functions(l, machine, error))
            return false;
    }
    return true;
}
