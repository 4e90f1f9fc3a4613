/* SPDX-License-Identifier: BSD-2-Clause */
#include "prompt.h"

#include "format.h"
#include "functions.h"
#include "log.h"
#include "lpar.h"
#include "mechanism.h"
#include "mux.h"
#include "relay_regs.h"
#include "router.h"
#include "text.h"

#include <stdarg.h>

#define LINE_BYTES 120u

enum { FOCUS_PROMPT = -1 };

static int focus;
static bool escaped;
static char line[LINE_BYTES];
static unsigned length;

static void say(const char *text, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *text, ...)
{
    char out[200];
    va_list arguments;
    size_t size;

    va_start(arguments, text);
    size = format_va(out, sizeof out - 1, text, arguments);
    va_end(arguments);
    if (size > sizeof out - 2)
        size = sizeof out - 2;
    out[size++] = '\n';
    mux_prompt(out, size);
}

/* ---- commands ---- */

struct command {
    const char *name, *arguments, *help;
    void (*run)(struct lpar *lpar, const char *rest); /* lpar: of a command that wants one */
    bool wants_lpar;
};

static const char *state_name(const struct lpar *lpar)
{
    static const char *const names[] = {[LPAR_OFF] = "off",
                                        [LPAR_STARTING] = "starting",
                                        [LPAR_RUNNING] = "running",
                                        [LPAR_FAILED] = "failed"};

    return names[lpar->state];
}

static void run_lpars(struct lpar *unused, const char *rest)
{
    (void)unused;
    (void)rest;
    for (unsigned i = 0; i < lpar_count; i++) {
        const struct lpar *lpar = &lpars[i];

        say("%u %-16s %-8s %2u CPUs %6lu MiB, started %lu times%s%s", i + 1, lpar->name, state_name(lpar),
            lpar->cpus, lpar->memory.size >> 20, lpar->starts, lpar->state == LPAR_FAILED ? ": " : "",
            lpar->state == LPAR_FAILED ? lpar->failure : "");
    }
}

static void run_start(struct lpar *lpar, const char *rest)
{
    (void)rest;
    if (!lpar_start(lpar))
        say("%s cannot start: it is %s", lpar->name, state_name(lpar));
}

static void run_stop(struct lpar *lpar, const char *rest)
{
    (void)rest;
    if (!lpar_stop(lpar, WANT_OFF))
        say("%s does not run", lpar->name);
}

static void run_reset(struct lpar *lpar, const char *rest)
{
    (void)rest;
    if (!lpar_stop(lpar, WANT_RESET))
        say("%s does not run", lpar->name);
}

static void run_power(struct lpar *lpar, const char *rest)
{
    (void)rest;
    lock_take(&lpar->devices);
    acpi_pm_power_button(&lpar->set.acpi_pm);
    lock_release(&lpar->devices);
}

static void run_exits(struct lpar *lpar, const char *rest)
{
    (void)rest;
    for (unsigned c = 0; c < lpar->cpus; c++) {
        const struct statistics_cpu *stats = lpar->vcpu[c]->stats;

        for (unsigned kind = 0; kind < EXIT_KIND_COUNT; kind++)
            if (stats->exits[kind])
                say("%s cpu %u: %-12s %lu", lpar->name, c, exit_name(kind), stats->exits[kind]);
        say("%s cpu %u: events injected %lu, again %lu, instructions emulated %lu, state reads %lu",
            lpar->name, c, stats->injected, stats->reinjected, stats->emulated, stats->state_reads);
        if (lpar->vcpu[c]->rips_mended)
            say("%s cpu %u: RIPs mended that the emulator had lost %lu", lpar->name, c,
                lpar->vcpu[c]->rips_mended);
    }
}

static const char *const mechanism_names[] = {
#define X(upper, lower) [MECHANISM_##upper] = #lower,
    MECHANISMS(X)
#undef X
};

static void run_mech(struct lpar *lpar, const char *rest)
{
    char word[16], way[8];

    rest = text_word(text_word(rest, word, sizeof word), way, sizeof way);
    if (*word) {
        const bool direct = text_equal(word, mechanism_names[MECHANISM_DIRECT_IRQ]),
                   on = text_equal(way, "on");
        const char *why = !on ? 0 : direct ? direct_refusal(lpar) : router_refusal();

        if (!(direct || text_equal(word, mechanism_names[MECHANISM_RELAY])) ||
            !(on || text_equal(way, "off"))) {
            say("mech: `relay` or `direct_irq`, then `on` or `off`, can be said");
            return;
        }
        if (why) {
            say("%s: %s cannot be on: %s", lpar->name, word, why);
            return;
        }
        lock_take(&lpar->devices);
        if (direct)
            direct_switch(lpar, on);
        else
            router_switch(lpar, on);
        lock_release(&lpar->devices);
    }
    for (unsigned m = 0; m < MECHANISM_COUNT; m++)
        say("%s: %-12s %s", lpar->name, mechanism_names[m], lpar->mechanisms >> m & 1 ? "on" : "off");
}

/* The guest's vector and CPU of each message that goes straight to it. */
static void show_direct(const struct lpar *lpar, const struct routed *r, const char *name)
{
    for (unsigned i = 0; i < r->pass->messages; i++)
        for (unsigned c = 1; r->direct >> i & 1 && c < lpar->cpus; c++)
            if (r->to[i].address >> 12 ==
                (0xfee00000u >> 12 | router.host->apic_id(lpar->vcpu[c]->context.cpu)))
                say("%s: %s message %u: to cpu %u itself, vector %x", lpar->name, name, i, c, r->to[i].data);
}

static void show_functions(const struct lpar *lpar)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        const struct routed *r = &router.port[port];
        char name[8];

        if (r->lpar != lpar)
            continue;
        functions_name(r->pass->function->id, name);
        say("%s: %s slot %u: by %s, found by %s: lines %lu, put off %lu, messages %lu%s", lpar->name, name,
            r->pass->slot, pci_pass_by_message(r->pass) ? "messages" : "line",
            lpar->mechanisms >> MECHANISM_RELAY & 1 ? "relay" : "scan", r->lines, r->delays, r->messages,
            r->in_service ? ", in service" : "");
        say("%s: %s %s, recorded %lu, exits %lu; record to controller %lu ns, at most %lu, by clocks within "
            "%u",
            lpar->name, name, r->dedicated ? "dedicated" : "shared", r->recorded, r->exits,
            r->timed ? r->waited_ns / r->timed : 0, r->waited_most_ns, router_page.figures.clock_error_ns);
        say("%s: %s took %lu us of other LPARs' CPUs", lpar->name, name,
            (uint64_t)((unsigned __int128)r->taken * lpar->ns_per_tick >> 32) / 1000);
        show_direct(lpar, r, name);
    }
}

static void show_refused(unsigned port)
{
    static const char *const reasons[] = {
        [RELAY_DMA_FAULT_REASON_OUTSIDE] = "outside of its memory",
        [RELAY_DMA_FAULT_REASON_REQUESTER] = "in another's name",
        [RELAY_DMA_FAULT_REASON_KIND] = "of a kind that is not let through",
        [RELAY_DMA_FAULT_REASON_MESSAGE] = "an interrupt that it was not given",
    };
    struct router_fault fault;

    router_fault(port, &fault);
    if (!fault.valid)
        return;
    say("%02x:%02x.%u: stopped %u requests, %u interrupts; first: %lx as %02x:%02x.%x, %s",
        functions.relay->id >> 8, functions.relay->id >> 3 & 31, port, fault.dma, fault.messages,
        fault.address, fault.requester >> 8, fault.requester >> 3 & 31, fault.requester & 7,
        fault.reason < sizeof reasons / sizeof *reasons ? reasons[fault.reason] : "?");
}

static void run_relay(struct lpar *unused, const char *rest)
{
    const struct router_stats *stats = &router.stats;
    const struct indicator_stats *reader = &router.indicator.stats;

    (void)unused;
    (void)rest;
    if (!router.present) {
        say("there is no relay");
        return;
    }
    say("interrupts %lu, spurious %lu, of nobody %lu, dropped %lu, lines paused %lu", stats->interrupts,
        stats->spurious, stats->strangers, stats->dropped, stats->pauses);
    say("relay: events %lu, drains %lu, bus reads %lu, bus writes %lu, resyncs %lu, card resets %lu",
        reader->events, reader->drains, reader->bus_reads, reader->bus_writes, reader->resyncs,
        reader->resets);
    say("scan: lines %lu, bus reads %lu", stats->scans, stats->scan_reads);
    say("least ticks: line %lu, by scan %lu; message %lu, by vector %lu", stats->least.line,
        stats->least.line_scanned, stats->least.message, stats->least.message_by_vector);
    for (unsigned port = 1; port < ROUTER_PORTS; port++)
        show_refused(port);
}

static void run_limit(struct lpar *unused, const char *rest)
{
    char way[8];

    (void)unused;
    text_word(rest, way, sizeof way);
    if (text_equal(way, "on") || text_equal(way, "off"))
        router.unlimited = text_equal(way, "off");
    say("limit: a function of another LPAR %s",
        router.unlimited ? "takes what it takes of a CPU" : "has a tenth of a CPU, then it is put off");
}

static void run_irq(struct lpar *lpar, const char *rest)
{
    const struct ioapic *ioapic = &lpar->set.ioapic;

    (void)rest;
    router_refresh();
    show_functions(lpar);
    say("%s: I/O APIC: sent %lu, nowhere %lu, coalesced %lu", lpar->name, ioapic->sent, ioapic->nowhere,
        ioapic->coalesced);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        if (!(ioapic->entry[pin] >> 16 & 1))
            say("%s: pin %u: vector %lx entry %lx %s", lpar->name, pin, ioapic->entry[pin] & 0xff,
                ioapic->entry[pin], ioapic->lines >> pin & 1 ? "asserted" : "");
    for (unsigned c = 0; c < lpar->cpus; c++) {
        const struct lapic_stats *stats = &lpar->vcpu[c]->lapic.stats;

        say("%s cpu %u: accepted %lu, refused %lu, nowhere %lu", lpar->name, c, stats->accepted,
            stats->refused, stats->nowhere);
    }
    for (unsigned c = 1; c < lpar->cpus; c++) {
        const struct direct *direct = &lpar->vcpu[c]->direct;

        if (direct->entered || direct->wanted)
            say("%s cpu %u: interrupts %s; direct %lu times, left %lu; handed on %lu, late %lu%s", lpar->name,
                c, lpar->vcpu[c]->lapic.direct ? "are its own" : "exit", direct->entered, direct->left,
                direct->handed, direct->late, direct->barred ? "; barred" : "");
    }
}

static void run_audit(struct lpar *unused, const char *rest)
{
    const char *why = router.present ? router_audit() : 0;

    (void)unused;
    (void)rest;
    if (why)
        say("audit: %s", why);
    for (unsigned i = 0; i < lpar_count; i++)
        if ((why = direct_audit(&lpars[i])))
            say("audit: %s: %s", lpars[i].name, why);
    say("audit: done");
}

static const char *owner_of(const struct pci_host_function *function)
{
    for (unsigned i = 0; i < lpar_count; i++)
        for (unsigned f = 0; f < lpars[i].pci.count; f++)
            if (lpars[i].pci.pass[f]->function == function)
                return lpars[i].name;
    return function == functions.relay ? "the hypervisor" : "-";
}

static void run_pci(struct lpar *unused, const char *rest)
{
    (void)unused;
    (void)rest;
    if (functions.tree.count == 0)
        say("no PCI function can be reached");
    for (unsigned i = 0; i < functions.tree.count; i++) {
        const struct pci_host_function *f = &functions.tree.function[i];
        char name[8];

        functions_name(f->id, name);
        say("%s %04x:%04x class %06x %s", name, f->vendor, f->device, f->class_code, owner_of(f));
    }
}

static void run_mem(struct lpar *lpar, const char *rest)
{
    (void)rest;
    for (unsigned i = 0; i < lpar->memory.count; i++) {
        const struct memory_range *range = &lpar->memory.range[i];

        say("%s: %lx-%lx at %lx", lpar->name, range->gpa, range->gpa + range->size - 1,
            (uint64_t)(uintptr_t)range->host);
    }
    say("%s: pages: %lu of 1 GiB, %lu of 2 MiB, %lu of 4 KiB", lpar->name, lpar->map.leaves[3],
        lpar->map.leaves[2], lpar->map.leaves[1]);
}

static void run_log(struct lpar *unused, const char *rest)
{
    uint64_t position = 0;
    char text[160];
    size_t size;

    (void)unused;
    (void)rest;
    while ((size = log_read(&position, text, sizeof text)) > 0)
        mux_prompt(text, size);
}

static void run_focus(struct lpar *lpar, const char *rest)
{
    (void)rest;
    focus = (int)lpar->index;
    say("input goes to %s; Ctrl-] h comes back", lpar->name);
}

static void run_help(struct lpar *unused, const char *rest);

static const struct command commands[] = {
    {"help", "", "this list", run_help, false},
    {"lpars", "", "the LPARs and their state", run_lpars, false},
    {"focus", "N", "input goes to LPAR N (its number or its name)", run_focus, true},
    {"start", "N", "start it", run_start, true},
    {"stop", "N", "stop it at once, as by pulling the plug", run_stop, true},
    {"reset", "N", "start it anew", run_reset, true},
    {"power", "N", "press its power button: it is asked to shut down", run_power, true},
    {"exits", "N", "how often its CPUs left the guest, and why", run_exits, true},
    {"mech", "N", "its switchboard: which mechanisms are on; `mech N relay on`: one of them", run_mech, true},
    {"irq", "N", "its interrupt controllers", run_irq, true},
    {"mem", "N", "its memory", run_mem, true},
    {"relay", "", "interrupts of functions: how many, and how they were found", run_relay, false},
    {"limit", "", "`limit off`: what an LPAR's line costs the CPU of another is not limited; `limit on`",
     run_limit, false},
    {"audit", "", "whether interrupts are aimed only where they may be", run_audit, false},
    {"pci", "", "the machine's PCI functions, and whose they are", run_pci, false},
    {"log", "", "the hypervisor's log", run_log, false},
};

static void run_help(struct lpar *unused, const char *rest)
{
    (void)unused;
    (void)rest;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
        say("%-6s %-2s %s", commands[i].name, commands[i].arguments, commands[i].help);
}

static struct lpar *find(const char *word)
{
    uint64_t number;
    const char *rest;

    if (text_number(word, &number, &rest) && !*rest)
        return number >= 1 && number <= lpar_count ? &lpars[number - 1] : 0;
    for (unsigned i = 0; i < lpar_count; i++)
        if (text_equal(lpars[i].name, word))
            return &lpars[i];
    return 0;
}

void prompt_command(const char *text)
{
    char word[LPAR_NAME];
    const char *rest = text_word(text, word, sizeof word);

    if (!*word)
        return;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct lpar *lpar = 0;

        if (!text_equal(commands[i].name, word))
            continue;
        if (commands[i].wants_lpar) {
            rest = text_word(rest, word, sizeof word);
            lpar = find(word);
            if (!lpar) {
                say("%s: which LPAR? `lpars` lists them", commands[i].name);
                return;
            }
        }
        commands[i].run(lpar, rest);
        return;
    }
    say("%s: no such command, try `help`", word);
}

/* ---- input ---- */

static void show_prompt(void)
{
    mux_prompt("signalbox> ", 11);
}

static void at_prompt(uint8_t byte)
{
    switch (byte) {
    case '\r':
    case '\n':
        mux_prompt("\n", 1);
        line[length] = 0;
        length = 0;
        prompt_command(line);
        if (focus == FOCUS_PROMPT)
            show_prompt();
        break;
    case '\b':
    case 0x7f:
        if (length) {
            length--;
            mux_prompt("\b \b", 3);
        }
        break;
    default:
        if (byte >= ' ' && length < LINE_BYTES - 1) {
            line[length++] = (char)byte;
            mux_prompt((const char *)&byte, 1);
        }
    }
}

static void to_lpar(uint8_t byte)
{
    struct lpar *lpar;

    if ((unsigned)focus >= lpar_count)
        return;
    lpar = &lpars[focus];
    lock_take(&lpar->devices);
    uart_input(&lpar->set.uart, byte);
    lock_release(&lpar->devices);
}

void prompt_input(uint8_t byte)
{
    if (!escaped && byte == PROMPT_ESCAPE) {
        escaped = true;
        return;
    }
    if (escaped) {
        escaped = false;
        if (byte == 'h') {
            if (focus == FOCUS_PROMPT)
                mux_prompt("\n", 1); /* what was typed so far is given up */
            length = 0;
            focus = FOCUS_PROMPT;
            show_prompt();
            return;
        }
        if (byte >= '1' && byte <= '9' && (unsigned)(byte - '1') < lpar_count) {
            run_focus(&lpars[byte - '1'], "");
            return;
        }
        if (byte != PROMPT_ESCAPE)
            return;
    }
    if (focus == FOCUS_PROMPT)
        at_prompt(byte);
    else
        to_lpar(byte);
}
