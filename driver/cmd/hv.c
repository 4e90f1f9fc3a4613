/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"
#include "partition.h"

extern char **environ;

#define TREE_MAGIC "\xd0\x0d\xfe\xed"
#define TREE_MOST  (1u << 20)

/* ---- check: the file -------------------------------------------------------------------------------- */

struct check {
    const char *file;
    unsigned cpus;       /* 0: not said */
    uint64_t memory_mib; /* 0: not said */
};

struct content {
    char *bytes;
    size_t size;
};

/* All that comes, up to TREE_MOST. False, with errno. */
static bool read_all(FILE *file, struct content *content)
{
    size_t room = 4096;
    content->bytes = malloc(room);
    content->size = 0;
    for (;;) {
        if (!content->bytes)
            return false;
        content->size += fread(content->bytes + content->size, 1, room - content->size, file);
        if (content->size < room)
            return !ferror(file);
        if (room >= TREE_MOST) {
            errno = EFBIG;
            return false;
        }
        room *= 2;
        char *more = realloc(content->bytes, room);
        if (!more)
            return false;
        content->bytes = more;
    }
}

static bool read_file(struct invocation *invocation, const char *name, struct content *content)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    bool good = file && read_all(file, content);
    if (!good)
        fprintf(invocation->err, "signalbox: %s: %s\n", name, strerror(errno));
    if (file && file != stdin)
        fclose(file);
    return good;
}

/* Source text through dtc, whose messages go to standard error. False, said on invocation->err. */
static bool compile(struct invocation *invocation, struct content *content)
{
    static const char *const words[] = {"dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "-", "-"};
    char *argv[sizeof words / sizeof *words + 1] = {0};
    posix_spawn_file_actions_t actions;
    struct content tree = {0};
    FILE *source = tmpfile();
    int output[2], status = -1;
    pid_t pid;

    if (!source || fwrite(content->bytes, 1, content->size, source) != content->size || fflush(source) != 0 ||
        fseek(source, 0, SEEK_SET) != 0 || pipe(output) != 0) {
        fprintf(invocation->err, "signalbox: %s\n", strerror(errno));
        if (source)
            fclose(source);
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(source), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, output[0]);
    int error = posix_spawnp(&pid, "dtc", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    fclose(source);
    FILE *pipe_end = fdopen(output[0], "r");
    bool good = error == 0 && pipe_end && read_all(pipe_end, &tree);
    if (pipe_end)
        fclose(pipe_end);
    if (error)
        fprintf(invocation->err, "signalbox: dtc, which compiles the file, cannot be run: %s\n",
                strerror(error));
    else
        waitpid(pid, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good)
        free(tree.bytes);
    free(content->bytes);
    *content = good ? tree : (struct content){0};
    return good;
}

/* ---- check: the answer ------------------------------------------------------------------------------ */

static json_t *cpus_json(const struct partition *l)
{
    json_t *cpus = json_array();
    for (unsigned i = 0; i < l->cpus; i++)
        json_array_append_new(cpus, json_integer(l->cpu[i]));
    return cpus;
}

static char *function_text(const struct partition_function *f, char text[SLOT_NAME])
{
    return slot_name((struct slot){f->segment, f->bus, f->slot, f->function}, text);
}

static json_t *lpar_json(const struct partition *l)
{
    json_t *functions = json_array();
    char name[SLOT_NAME];
    for (unsigned i = 0; i < l->functions; i++)
        json_array_append_new(functions, json_string(function_text(&l->function[i], name)));
    return json_pack("{s:s, s:o, s:I, s:s, s:s?, s:s, s:b, s:b, s:b, s:o}", "name", l->name, "cpus",
                     cpus_json(l), "memory_mib", (json_int_t)(l->memory >> 20), "kernel", l->kernel, "initrd",
                     l->initrd, "command_line", l->command_line, "console", l->console, "autostart",
                     l->autostart, "service", l->service, "functions", functions);
}

static void print_json(struct invocation *invocation, const struct check *check,
                       const struct partition_table *table, const struct partition_error *error)
{
    json_t *object = json_schema("hv-check", 1);
    json_object_set_new(object, "file", json_string(check->file));
    json_object_set_new(object, "good", json_boolean(!error));
    if (error) {
        json_object_set_new(object, "error",
                            json_pack("{s:s, s:s, s:s}", "node", error->node, "property", error->property,
                                      "text", error->text));
    } else {
        json_t *lpars = json_array();
        for (unsigned i = 0; i < table->count; i++)
            json_array_append_new(lpars, lpar_json(&table->partition[i]));
        json_object_set_new(object, "lpars", lpars);
    }
    json_print(invocation, object);
}

static void print_table(struct invocation *invocation, const struct partition_table *file)
{
    static const struct column columns[] = {{"LPAR", COLUMN_LEFT},       {"CPUS", COLUMN_LEFT},
                                            {"MEMORY", COLUMN_RIGHT},    {"KERNEL", COLUMN_LEFT},
                                            {"FUNCTIONS", COLUMN_RIGHT}, {"START", COLUMN_LEFT}};
    struct libscols_table *table = table_new(invocation, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < file->count; i++) {
        const struct partition *l = &file->partition[i];
        struct libscols_line *line = table_line(table, NULL);
        char cpus[PARTITION_CPUS * 11];
        int at = 0;
        for (unsigned c = 0; c < l->cpus; c++)
            at += snprintf(cpus + at, sizeof cpus - (size_t)at, c ? ",%u" : "%u", l->cpu[c]);
        table_cell(line, 0, "%s", l->name);
        table_cell(line, 1, "%s", cpus);
        table_cell(line, 2, "%" PRIu64 " MiB", l->memory >> 20);
        table_cell(line, 3, "%s", l->kernel);
        table_cell(line, 4, "%u", l->functions);
        table_cell(line, 5, "%s", l->autostart ? "at boot" : "by hand");
    }
    table_print(table);
}

static int check_tree(struct invocation *invocation, const struct check *check, const struct content *content)
{
    static struct partition_table table;
    struct partition_error error;
    const struct partition_machine machine = {
        .cpus = check->cpus ? check->cpus : UINT32_MAX,
        .memory = check->memory_mib ? check->memory_mib << 20 : UINT64_MAX,
    };
    bool good = partition_read(&table, content->bytes, content->size, &error) &&
                partition_fits(&table, &machine, &error);

    if (invocation->json)
        print_json(invocation, check, &table, good ? NULL : &error);
    else if (good)
        print_table(invocation, &table);
    else
        fprintf(invocation->err, "signalbox: %s: %s%s%s%s%s\n", check->file, error.node,
                *error.node ? ": " : "", error.property, *error.property ? ": " : "", error.text);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* ---- command line ----------------------------------------------------------------------------------- */

static error_t parse_check(int key, char *arg, struct argp_state *state)
{
    struct check *check = state->input;
    char *end;
    unsigned long long value;
    switch (key) {
    case 'c':
    case 'm':
        errno = 0;
        value = strtoull(arg, &end, 10);
        if (errno || end == arg || *end || *arg == '-' || value == 0 || value > UINT32_MAX) {
            argp_error(state, "\"%s\" is no number above 0", arg);
            return EINVAL;
        }
        if (key == 'c')
            check->cpus = (unsigned)value;
        else
            check->memory_mib = value;
        return 0;
    case ARGP_KEY_ARG:
        if (check->file)
            argp_usage(state);
        check->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!check->file)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int check_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"cpus", 'c', "NUMBER", 0, "The machine has so many CPUs", 1},
        {"memory", 'm', "MIB", 0, "The machine has so much memory for LPARs", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_check,
        .args_doc = "FILE",
        .doc =
            "Checks a partition file (source, or compiled by dtc; \"-\": standard input) as the hypervisor "
            "will at "
            "boot, and lists its LPARs. An error names the node and the property."};
    struct check check = {0};
    struct content content = {0};
    int status = command_parse(invocation, &argp, argc, argv, &check);
    if (status)
        return status;
    bool good = read_file(invocation, check.file, &content);
    if (good && !(content.size >= 4 && memcmp(content.bytes, TREE_MAGIC, 4) == 0))
        good = compile(invocation, &content);
    status = good ? check_tree(invocation, &check, &content) : EXIT_FAILED;
    free(content.bytes);
    return status;
}

int hv_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct command parts[] = {
        {"check", "Check a partition file", check_run},
        {"config", "Make a first partition file from this machine", hv_config_run},
        {"stat", "Inside an LPAR: its exits", hv_stat_run},
        {0},
    };
    return command_part(invocation, "hv", parts, argc, argv);
}
