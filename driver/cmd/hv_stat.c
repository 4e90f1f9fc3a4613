/* SPDX-License-Identifier: BSD-2-Clause */
/* `signalbox hv stat`: inside an LPAR, what the hypervisor counts for it. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv.h"
#include "mechanism.h"
#include "output.h"
#include "statistics.h"

#define BYTES_MOST (1u << 20)

struct stat_source {
    const char *file; /* a copy of the statistics, or null: this LPAR's own */
};

/* A snapshot; offsets have been checked. */
struct snapshot {
    uint8_t *bytes;
    size_t size;
    struct statistics head;
};

/* ---- where they are --------------------------------------------------------------------------------- */

/* False, said: this is no LPAR, or its statistics are none that we know. */
static bool find(struct invocation *invocation, uint64_t *address, size_t *size)
{
    unsigned a, b, c, d;
    char signature[13] = "";

    __cpuid(1, a, b, c, d);
    if (c >> 31) {
        __cpuid(0x40000000, a, b, c, d);
        memcpy(signature, &b, 4);
        memcpy(signature + 4, &c, 4);
        memcpy(signature + 8, &d, 4);
    }
    if (strcmp(signature, STATISTICS_SIGNATURE) != 0 || a < STATISTICS_LEAF) {
        fprintf(invocation->err, "signalbox: this is no LPAR of Signalbox's hypervisor\n");
        return false;
    }
    __cpuid(STATISTICS_LEAF, a, b, c, d);
    if (a != STATISTICS_VERSION) {
        fprintf(invocation->err,
                "signalbox: the hypervisor keeps statistics of version %u, this command reads %u\n", a,
                STATISTICS_VERSION);
        return false;
    }
    *address = (uint64_t)c << 32 | b;
    *size = d;
    return true;
}

static bool map(struct invocation *invocation, struct snapshot *snapshot)
{
    uint64_t address;
    void *memory = MAP_FAILED;
    int error;

    if (!find(invocation, &address, &snapshot->size) || snapshot->size > BYTES_MOST)
        return false;
    int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        memory = mmap(NULL, snapshot->size, PROT_READ, MAP_SHARED, fd, (off_t)address);
    error = errno;
    if (fd >= 0)
        close(fd);
    if (memory == MAP_FAILED) {
        fprintf(invocation->err, "signalbox: /dev/mem: %s%s\n", strerror(error),
                error == EACCES || error == EPERM ? " (only root reads it)" : "");
        return false;
    }
    snapshot->bytes = malloc(snapshot->size);
    if (snapshot->bytes)
        memcpy(snapshot->bytes, memory, snapshot->size);
    munmap(memory, snapshot->size);
    return snapshot->bytes || command_no_memory(invocation) == EXIT_OK;
}

static bool load(struct invocation *invocation, const char *name, struct snapshot *snapshot)
{
    FILE *file = fopen(name, "re");
    snapshot->bytes = file ? malloc(BYTES_MOST) : NULL;
    if (snapshot->bytes)
        snapshot->size = fread(snapshot->bytes, 1, BYTES_MOST, file);
    if (!snapshot->bytes || ferror(file))
        fprintf(invocation->err, "signalbox: %s: %s\n", name, strerror(errno));
    bool good = snapshot->bytes && !ferror(file);
    if (file)
        fclose(file);
    return good;
}

/* ---- what they say ---------------------------------------------------------------------------------- */

/* Whether everything that the header names lies inside. */
static bool whole(struct snapshot *snapshot)
{
    struct statistics *head = &snapshot->head;
    const size_t size = snapshot->size;

    if (size < offsetof(struct statistics, kind))
        return false;
    memcpy(head, snapshot->bytes, offsetof(struct statistics, kind));
    head->lpar[sizeof head->lpar - 1] = 0;
    return head->magic == STATISTICS_MAGIC && head->version == STATISTICS_VERSION && head->kinds <= 256 &&
           head->names <= size && (size - head->names) / STATISTICS_NAME >= head->kinds &&
           head->exits >= offsetof(struct statistics_cpu, exits) && head->exits <= size &&
           head->stride <= size && head->stride >= head->exits + head->kinds * sizeof(uint64_t) &&
           head->cpu <= size && (size - head->cpu) / head->stride >= head->cpus;
}

static uint64_t counter(const struct snapshot *snapshot, unsigned cpu, size_t offset)
{
    uint64_t value;
    memcpy(&value, snapshot->bytes + snapshot->head.cpu + (size_t)cpu * snapshot->head.stride + offset,
           sizeof value);
    return value;
}

static uint64_t exits(const struct snapshot *snapshot, unsigned cpu, unsigned kind)
{
    return counter(snapshot, cpu, snapshot->head.exits + kind * sizeof(uint64_t));
}

static char *kind_name(const struct snapshot *snapshot, unsigned kind, char text[STATISTICS_NAME + 1])
{
    memcpy(text, snapshot->bytes + snapshot->head.names + (size_t)kind * STATISTICS_NAME, STATISTICS_NAME);
    text[STATISTICS_NAME] = 0;
    return text;
}

static const struct {
    const char *name, *title;
    size_t offset;
} others[] = {
    {"injected", "events injected", offsetof(struct statistics_cpu, injected)},
    {"reinjected", "events injected again", offsetof(struct statistics_cpu, reinjected)},
    {"emulated", "instructions emulated", offsetof(struct statistics_cpu, emulated)},
    {"state_reads", "VMREADs", offsetof(struct statistics_cpu, state_reads)},
};
#define OTHERS (sizeof others / sizeof *others)

static const char *const mechanism_names[] = {
#define X(upper, lower) #lower,
    MECHANISMS(X)
#undef X
};

static json_t *cpu_json(const struct snapshot *snapshot, unsigned cpu)
{
    json_t *object = json_object(), *kinds = json_object();
    char name[STATISTICS_NAME + 1];
    for (unsigned kind = 0; kind < snapshot->head.kinds; kind++)
        json_object_set_new(kinds, kind_name(snapshot, kind, name),
                            json_integer((json_int_t)exits(snapshot, cpu, kind)));
    json_object_set_new(object, "exits", kinds);
    for (unsigned i = 0; i < OTHERS; i++)
        json_object_set_new(object, others[i].name,
                            json_integer((json_int_t)counter(snapshot, cpu, others[i].offset)));
    return object;
}

static void print_json(struct invocation *invocation, const struct snapshot *snapshot)
{
    const struct statistics *head = &snapshot->head;
    json_t *object = json_schema("hv-stat", 1), *cpus = json_array(), *mechanisms = json_object();
    for (unsigned cpu = 0; cpu < head->cpus; cpu++)
        json_array_append_new(cpus, cpu_json(snapshot, cpu));
    for (unsigned m = 0; m < MECHANISM_COUNT; m++)
        json_object_set_new(mechanisms, mechanism_names[m], json_boolean(head->mechanisms >> m & 1));
    json_object_set_new(object, "lpar", json_string(head->lpar));
    json_object_set_new(object, "starts", json_integer((json_int_t)head->starts));
    json_object_set_new(object, "resets", json_integer((json_int_t)head->resets));
    json_object_set_new(object, "mechanisms", mechanisms);
    json_object_set_new(object, "cpus", cpus);
    json_print(invocation, object);
}

static void row(struct libscols_table *table, const struct snapshot *snapshot, const char *title,
                size_t offset)
{
    struct libscols_line *line = table_line(table, NULL);
    uint64_t sum = 0;
    table_cell(line, 0, "%s", title);
    for (unsigned cpu = 0; cpu < snapshot->head.cpus; cpu++) {
        uint64_t value = counter(snapshot, cpu, offset);
        table_cell(line, 1 + cpu, "%" PRIu64, value);
        sum += value;
    }
    table_cell(line, 1 + snapshot->head.cpus, "%" PRIu64, sum);
}

static int print_table(struct invocation *invocation, const struct snapshot *snapshot)
{
    const struct statistics *head = &snapshot->head;
    const unsigned columns = head->cpus + 2u;
    struct column *column = calloc(columns, sizeof *column);
    char(*title)[16] = calloc(columns, sizeof *title), name[STATISTICS_NAME + 1];
    if (!column || !title) {
        free(column);
        free(title);
        return command_no_memory(invocation);
    }
    for (unsigned i = 0; i < columns; i++) {
        snprintf(title[i], sizeof title[i], "CPU %u", i - 1);
        column[i] = (struct column){title[i], COLUMN_RIGHT};
    }
    column[0] = (struct column){head->lpar, COLUMN_LEFT};
    column[columns - 1].name = "ALL";
    struct libscols_table *table = table_new(invocation, column, columns);
    for (unsigned kind = 0; kind < head->kinds; kind++) {
        uint64_t sum = 0;
        for (unsigned cpu = 0; cpu < head->cpus; cpu++)
            sum += exits(snapshot, cpu, kind);
        if (sum)
            row(table, snapshot, kind_name(snapshot, kind, name), head->exits + kind * sizeof(uint64_t));
    }
    for (unsigned i = 0; i < OTHERS; i++)
        row(table, snapshot, others[i].title, others[i].offset);
    table_print(table);
    free(column);
    free(title);
    return EXIT_OK;
}

/* ---- command line ----------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stat_source *source = state->input;
    if (key != 'f')
        return ARGP_ERR_UNKNOWN;
    source->file = arg;
    return 0;
}

int hv_stat_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"file", 'f', "FILE", 0, "Read a copy of the statistics instead of this LPAR's own", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Inside an LPAR: how often its CPUs left the guest and why, as the hypervisor counts it."};
    struct stat_source source = {0};
    struct snapshot snapshot = {0};
    int status = command_parse(invocation, &argp, argc, argv, &source);
    if (status)
        return status;
    bool good = source.file ? load(invocation, source.file, &snapshot) : map(invocation, &snapshot);
    status = EXIT_FAILED;
    if (good && !whole(&snapshot)) {
        fprintf(invocation->err, "signalbox: %s: these are no statistics of the hypervisor's\n",
                source.file ? source.file : "/dev/mem");
    } else if (good && invocation->json) {
        print_json(invocation, &snapshot);
        status = EXIT_OK;
    } else if (good) {
        status = print_table(invocation, &snapshot);
    }
    free(snapshot.bytes);
    return status;
}
