/* SPDX-License-Identifier: BSD-2-Clause */
/* `signalbox hv config create`: a first partition file from what this machine has. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pci/pci.h>
#include <stdlib.h>
#include <string.h>

#include "hv.h"
#include "partition.h"

/* Of the machine's memory, what LPARs get: the rest is the hypervisor's, the firmware's, and lost between
 * ranges. */
#define SHARE_PERCENT 90u
#define CPUS_MOST     1024u

struct cpu {
    unsigned number, package, core;
};

struct machine {
    unsigned cpus;
    struct cpu cpu[CPUS_MOST]; /* threads of a core side by side, the boot CPU's core first */
    uint64_t memory;           /* bytes of RAM */
};

struct create {
    unsigned lpars; /* 0: two, where there are CPUs enough */
};

/* ---- the machine ------------------------------------------------------------------------------------ */

/* The first line of a file, without its end; false when there is none. */
static bool read_line(const char *path, char *text, int size)
{
    FILE *file = fopen(path, "re");
    bool good = file && fgets(text, size, file);
    if (file)
        fclose(file);
    if (good)
        text[strcspn(text, "\n")] = 0;
    return good;
}

static unsigned topology(unsigned cpu, const char *what)
{
    char path[96], text[32];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/%s", cpu, what);
    return read_line(path, text, sizeof text) ? (unsigned)strtoul(text, NULL, 10) : cpu;
}

static int by_core(const void *a, const void *b)
{
    const struct cpu *x = a, *y = b;
    if (x->package != y->package)
        return x->package < y->package ? -1 : 1;
    if (x->core != y->core)
        return x->core < y->core ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* "0-3,8" */
static void read_cpus(struct machine *machine)
{
    char text[512];
    if (!read_line("/sys/devices/system/cpu/present", text, sizeof text))
        snprintf(text, sizeof text, "0");
    for (char *at = text; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            break;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long n = first; n <= last && machine->cpus < CPUS_MOST; n++) {
            const unsigned number = (unsigned)n;
            machine->cpu[machine->cpus++] =
                (struct cpu){number, topology(number, "physical_package_id"), topology(number, "core_id")};
        }
        at = *end == ',' ? end + 1 : end;
    }
    qsort(machine->cpu, machine->cpus, sizeof *machine->cpu, by_core);
}

/* The firmware's memory map where Linux shows it, else what Linux counts. */
static void read_memory(struct machine *machine)
{
    DIR *folder = opendir("/sys/firmware/memmap");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[PATH_MAX], type[32], start[32], end[32];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/sys/firmware/memmap/%s/type", entry->d_name);
        if (!read_line(path, type, sizeof type) || strcmp(type, "System RAM") != 0)
            continue;
        snprintf(path, sizeof path, "/sys/firmware/memmap/%s/start", entry->d_name);
        if (!read_line(path, start, sizeof start))
            continue;
        snprintf(path, sizeof path, "/sys/firmware/memmap/%s/end", entry->d_name);
        if (read_line(path, end, sizeof end))
            machine->memory += strtoull(end, NULL, 16) - strtoull(start, NULL, 16) + 1;
    }
    if (folder)
        closedir(folder);
    char line[128];
    unsigned long long kib;
    if (!machine->memory && read_line("/proc/meminfo", line, sizeof line) &&
        sscanf(line, "MemTotal: %llu", &kib) == 1)
        machine->memory = kib << 10;
}

/* ---- the file --------------------------------------------------------------------------------------- */

static void print_function(FILE *out, struct pci_access *pci, struct pci_dev *dev)
{
    char name[256], path[96], driver[96] = "";
    pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_DRIVER);
    const char *bound = pci_get_string_property(dev, PCI_FILL_DRIVER);
    pci_lookup_name(pci, name, sizeof name, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor_id,
                    dev->device_id);
    snprintf(path, sizeof path, "%04x:%02x:%02x.%x", dev->domain, dev->bus, dev->dev, dev->func);
    if (bound)
        snprintf(driver, sizeof driver, " (%s)", bound);
    /* A name must not end the comment it stands in. */
    for (char *end; (end = strstr(name, "*/"));)
        *end = '+';
    fprintf(out, " *   %s  %04x  %s%s\n", path, dev->device_class, name, driver);
}

static int by_slot(const void *a, const void *b)
{
    const struct pci_dev *x = *(struct pci_dev *const *)a, *y = *(struct pci_dev *const *)b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return (x->bus << 8 | x->dev << 3 | x->func) - (y->bus << 8 | y->dev << 3 | y->func);
}

/* False: out of memory. */
static bool print_functions(struct invocation *invocation, FILE *out)
{
    struct pci_access *pci = invocation->roster.pci;
    size_t count = 0;
    pci_init(pci);
    pci_scan_bus(pci);
    for (struct pci_dev *dev = pci->devices; dev; dev = dev->next)
        count++;
    struct pci_dev **list = calloc(count + 1, sizeof *list);
    if (!list)
        return false;
    count = 0;
    for (struct pci_dev *dev = pci->devices; dev; dev = dev->next)
        list[count++] = dev;
    qsort(list, count, sizeof *list, by_slot);
    fprintf(out,
            " *\n * PCI functions (class, name, driver); give one to an LPAR by functions = \"SLOT\":\n");
    for (size_t i = 0; i < count; i++) {
        const struct slot slot = {(uint32_t)list[i]->domain, list[i]->bus, list[i]->dev, list[i]->func};
        pci_fill_info(list[i], PCI_FILL_CLASS);
        if (list[i]->device_class >> 8 != PCI_BASE_CLASS_BRIDGE && roster_selects(&invocation->roster, slot))
            print_function(out, pci, list[i]);
    }
    free(list);
    return true;
}

static bool same_core(const struct cpu *a, const struct cpu *b)
{
    return a->package == b->package && a->core == b->core;
}

static unsigned count_cores(const struct machine *machine)
{
    unsigned cores = 0;
    for (unsigned i = 0; i < machine->cpus; i++)
        cores += i == 0 || !same_core(&machine->cpu[i], &machine->cpu[i - 1]);
    return cores;
}

/* The CPU behind so many cores from `first` on. */
static unsigned skip_cores(const struct machine *machine, unsigned first, unsigned cores)
{
    unsigned end = first;
    while (cores-- && end < machine->cpus) {
        const struct cpu *core = &machine->cpu[end];
        while (end < machine->cpus && same_core(core, &machine->cpu[end]))
            end++;
    }
    return end;
}

static void print_lpar(FILE *out, unsigned number, const struct machine *machine, unsigned first,
                       unsigned end, uint64_t memory)
{
    fprintf(out, "        lpar%u {\n            cpus = <", number);
    for (unsigned i = first; i < end; i++)
        fprintf(out, i > first ? " %u" : "%u", machine->cpu[i].number);
    fprintf(
        out,
        ">;\n            memory-mib = <%" PRIu64
        ">;\n            kernel = \"vmlinuz\";\n"
        "            initrd = \"initrd.img\";\n            command-line = \"console=ttyS0\";\n        };\n",
        memory >> 20);
}

static int create(struct invocation *invocation, const struct create *create)
{
    static struct machine machine;
    FILE *out = invocation->out;
    read_cpus(&machine);
    read_memory(&machine);
    const unsigned cores = count_cores(&machine);
    const unsigned lpars = create->lpars ? create->lpars : cores >= 2 ? 2 : 1;
    const uint64_t share =
        machine.memory / 100 * SHARE_PERCENT / lpars / PARTITION_MEMORY_ALIGN * PARTITION_MEMORY_ALIGN;
    if (lpars > cores || share < PARTITION_MEMORY_MIN) {
        fprintf(invocation->err, "signalbox: %u cores and %" PRIu64 " MiB of memory make no %u LPARs\n",
                cores, machine.memory >> 20, lpars);
        return EXIT_FAILED;
    }
    fprintf(
        out,
        "/dts-v1/;\n/*\n * A first partition file: change it, and try it by `signalbox hv check FILE`.\n *\n"
        " * This machine: %u CPUs, %u cores, %" PRIu64 " MiB of memory.\n",
        machine.cpus, cores, machine.memory >> 20);
    if (!print_functions(invocation, out))
        return command_no_memory(invocation);
    fprintf(out, " */\n/ {\n    compatible = \"" PARTITION_COMPATIBLE "\";\n    lpars {\n");
    for (unsigned i = 0, first = 0; i < lpars; i++) {
        /* Threads of a core stay together; an LPAR has at most PARTITION_CPUS, the others are left out. */
        const unsigned end = skip_cores(&machine, first, cores * (i + 1) / lpars - cores * i / lpars);
        const unsigned most = first + PARTITION_CPUS;
        print_lpar(out, i + 1, &machine, first, end < most ? end : most, share);
        first = end;
    }
    fputs("    };\n};\n", out);
    return EXIT_OK;
}

/* ---- command line ----------------------------------------------------------------------------------- */

static error_t parse_create(int key, char *arg, struct argp_state *state)
{
    struct create *create = state->input;
    char *end;
    unsigned long value;
    if (key != 'l')
        return ARGP_ERR_UNKNOWN;
    value = strtoul(arg, &end, 10);
    if (end == arg || *end || value == 0 || value > PARTITION_LPARS) {
        argp_error(state, "\"%s\" is no number from 1 to %u", arg, PARTITION_LPARS);
        return EINVAL;
    }
    create->lpars = (unsigned)value;
    return 0;
}

static int create_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"lpars", 'l', "NUMBER", 0, "So many LPARs (2, where there are two cores)", 1},
        {0},
    };
    static const struct argp argp = {.options = options,
                                     .parser = parse_create,
                                     .doc =
                                         "Writes a partition file with this machine's CPUs and memory shared "
                                         "out to LPARs, and its PCI functions "
                                         "(those that -s and -d choose) listed in a comment."};
    struct create what = {0};
    int status = command_parse(invocation, &argp, argc, argv, &what);
    return status ? status : create(invocation, &what);
}

int hv_config_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct command parts[] = {
        {"create", "Write a first partition file to standard output", create_run},
        {0},
    };
    return command_part(invocation, "hv config", parts, argc, argv);
}
