/* SPDX-License-Identifier: BSD-2-Clause */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <time.h>

#include "relay_regs.h"

void findings_add(struct findings *findings, enum finding_grade grade, const char *check,
                  const struct slot *where, const char *advice, const char *what, ...)
{
    struct finding *grown = realloc(findings->finding, (findings->n + 1) * sizeof *grown);
    if (!grown) {
        findings->no_memory = true;
        return;
    }
    findings->finding = grown;
    struct finding *finding = &findings->finding[findings->n++];
    *finding = (struct finding){.grade = grade, .check = check};
    if (where)
        slot_name(*where, finding->where);
    va_list list;
    va_start(list, what);
    vsnprintf(finding->what, sizeof finding->what, what, list);
    va_end(list);
    snprintf(finding->advice, sizeof finding->advice, "%s", advice ? advice : "");
}

void findings_free(struct findings *findings)
{
    free(findings->finding);
    *findings = (struct findings){0};
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- the machine ----------------------------------------------------------------------------------- */

static void check_lockdown(struct findings *findings)
{
    char level[KERNEL_NAME];
    if (kernel_lockdown(level))
        findings_add(findings, FINDING_WARNING, "lockdown", NULL,
                     "A locked-down kernel gives no program a device's memory: boot with Secure Boot off.",
                     "the kernel is locked down: %s", level);
    else
        findings_add(findings, FINDING_GOOD, "lockdown", NULL, NULL, "the kernel is not locked down");
}

static void check_counts(struct findings *findings)
{
    if (kernel_has_irq_folder())
        findings_add(findings, FINDING_GOOD, "kernel-counts", NULL, NULL,
                     "the kernel tells of each interrupt");
    else
        findings_add(findings, FINDING_NOTE, "kernel-counts", NULL, NULL,
                     "no /sys/kernel/irq: counts are taken from /proc/interrupts");
}

/* A program that is to look at a machine whose disk is dead must not need that disk. */
static void check_memory(struct findings *findings)
{
    if (mlockall(MCL_CURRENT) != 0)
        findings_add(findings, FINDING_NOTE, "memory", NULL,
                     "Run as root, or raise the limit: ulimit -l unlimited",
                     "the program can't be kept in memory: with its disk dead it may stand still");
    else
        findings_add(findings, FINDING_GOOD, "memory", NULL, NULL, "the program can be kept in memory");
    munlockall();
}

static void check_home(struct findings *findings)
{
    enum { TMPFS = 0x01021994, RAMFS = (int)0x858458f6 };
    struct statfs fs;
    if (statfs("/proc/self/exe", &fs) != 0)
        return;
    if ((int)fs.f_type == TMPFS || (int)fs.f_type == RAMFS)
        findings_add(findings, FINDING_GOOD, "home", NULL, NULL, "the program lies in memory");
    else
        findings_add(
            findings, FINDING_NOTE, "home", NULL,
            "If the line under suspicion is the disk's: signalbox in the initramfs (see signalbox(8), "
            "FILES), or a copy in /run, starts without it.",
            "the program lies on a disk");
}

void check_machine(struct findings *findings)
{
    check_lockdown(findings);
    check_counts(findings);
    check_memory(findings);
    check_home(findings);
}

/* ---- a card ---------------------------------------------------------------------------------------- */

static void check_clock(struct findings *findings, const struct roster_card *card)
{
    enum { LOOKS = 100, LOOK_MS = 2 };
    uint64_t before, after;
    if (relay_time(card->card, &before) != 0)
        return;
    after = before;
    for (unsigned i = 0; i < LOOKS && after <= before; i++) {
        wait_ms(LOOK_MS);
        if (relay_time(card->card, &after) != 0)
            return;
    }
    if (after > before)
        findings_add(findings, FINDING_GOOD, "clock", &card->slot, NULL, "the circuit's clock runs");
    else
        findings_add(
            findings, FINDING_FAILURE, "clock", &card->slot,
            "The circuit answers but has no time: its time input is not connected, or the simulation stands.",
            "the circuit's clock stands still");
}

static void check_link(struct findings *findings, const struct roster_card *card)
{
    static const struct {
        const char *now, *most, *name;
    } sides[] = {{"current_link_width", "max_link_width", "width"},
                 {"current_link_speed", "max_link_speed", "speed"}};
    for (unsigned i = 0; i < 2; i++) {
        char now[64], most[64];
        if (!kernel_attribute(card->slot, sides[i].now, now, sizeof now) ||
            !kernel_attribute(card->slot, sides[i].most, most, sizeof most))
            continue;
        if (strcmp(now, most) == 0)
            findings_add(findings, FINDING_GOOD, "link", &card->slot, NULL, "link %s %s", sides[i].name, now);
        else
            findings_add(findings, FINDING_NOTE, "link", &card->slot,
                         "The slot may have fewer lanes; else look at contacts and the reference clock.",
                         "link %s %s, the card can do %s", sides[i].name, now, most);
    }
}

static void check_table(struct findings *findings, const struct roster_card *card)
{
    if (card->identity.status & RELAY_STATUS_TABLE_FULL)
        findings_add(findings, FINDING_WARNING, "table", &card->slot,
                     "Interrupts of further sources are counted but not told apart. Take a build with more "
                     "sources, or "
                     "let functions use fewer vectors.",
                     "all %u entries of the source table are in use", card->identity.sources);
    else
        findings_add(findings, FINDING_GOOD, "table", &card->slot, NULL,
                     "%u of %u entries of the source table in use", card->n_sources, card->identity.sources);
}

static void check_counters(struct findings *findings, const struct roster_card *card)
{
    static const struct {
        unsigned counter;
        enum finding_grade grade;
        const char *what, *advice;
    } rules[] = {
        {RELAY_COUNTER_UNLISTED, FINDING_WARNING, "interrupts had no entry in the source table",
         "The last one's requester is in the UNLISTED registers."},
        {RELAY_COUNTER_SPOOFED, FINDING_WARNING, "TLPs had a requester that does not belong to their port",
         "A function sends in another's name: a fault of it, or an attack."},
        {RELAY_COUNTER_MALFORMED, FINDING_WARNING, "malformed TLPs were dropped", "A function is faulty."},
        {RELAY_COUNTER_DMA_BLOCKED, FINDING_WARNING,
         "requests were stopped: outside their port's windows, or not allowed",
         "signalbox show has the first one of each port: a fault of a function or its driver, or an attack."},
        {RELAY_COUNTER_MSI_REFUSED, FINDING_WARNING, "interrupts were stopped that nobody has programmed",
         "signalbox show has the first one of each port: a fault of a function or its driver, or an attack."},
        {RELAY_COUNTER_POISONED, FINDING_WARNING,
         "poisoned interrupts passed; they are not counted as pending", NULL},
        {RELAY_COUNTER_CPL_UNEXPECTED, FINDING_NOTE, "completions matched no port and were dropped", NULL},
        {RELAY_COUNTER_PORT_DOWN, FINDING_NOTE, "TLPs met a port that was down or in reset", NULL},
        {RELAY_COUNTER_REG_REFUSED, FINDING_NOTE, "register accesses were refused",
         "Registers are read and written as whole 32-bit words."},
        {RELAY_COUNTER_RING_MISSED, FINDING_NOTE, "events found the ring full or bus mastering off", NULL},
        {RELAY_COUNTER_TRACE_DROPPED, FINDING_NOTE, "trace records found the buffer full", NULL},
    };
    uint32_t counters[RELAY_COUNTERS];
    bool clean = true;
    if (relay_read_counters(card->card, counters) != 0)
        return;
    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        if (counters[rules[i].counter]) {
            clean = false;
            findings_add(findings, rules[i].grade, "counters", &card->slot, rules[i].advice, "%u %s",
                         counters[rules[i].counter], rules[i].what);
        }
    if (clean)
        findings_add(findings, FINDING_GOOD, "counters", &card->slot, NULL, "no counter speaks of trouble");
}

void check_card(struct findings *findings, struct roster_card *card)
{
    if (!card->card) {
        char name[SLOT_NAME];
        const char *what = card->error.what;
        const size_t length = strlen(slot_name(card->slot, name));
        if (strncmp(what, name, length) == 0 && strncmp(what + length, ": ", 2) == 0)
            what += length + 2;
        findings_add(findings, FINDING_FAILURE, "access", &card->slot, card->error.advice, "%s", what);
        return;
    }
    findings_add(findings, FINDING_GOOD, "access", &card->slot, NULL,
                 "a relay answers: %u ports, register map %u.%u", card->identity.ports,
                 card->identity.map_major, card->identity.map_minor);
    check_clock(findings, card);
    check_link(findings, card);
    check_table(findings, card);
    check_counters(findings, card);
}

/* ---- functions ------------------------------------------------------------------------------------- */

/* How long a function has held a wire high that the relay passes on, in ns; 0: none. */
static uint64_t stuck_ns(const struct roster_card *card, unsigned function, uint64_t now)
{
    const uint32_t kept_down = RELAY_SRC_ACT_MASK | RELAY_SRC_ACT_LIMIT | RELAY_SRC_ACT_ONE_SHOT;
    uint64_t most = 0;
    for (unsigned i = 0; i < card->n_sources; i++) {
        const struct relay_source *source = &card->source[i];
        if (card->function_of[i] == function && source->kind == RELAY_KIND_INTX &&
            source->state & RELAY_SRC_STATE_LEVEL && !(source->act & kept_down) && now > source->last_ns &&
            now - source->last_ns > most)
            most = now - source->last_ns;
    }
    return most;
}

/*
 * The kernel switches a line off when 99,900 of 100,000 interrupts found no handler that wanted them ("nobody
 * cared"), and says so in its log only. A wire that stays high while the line's count stands still is the
 * same thing seen from here.
 */
static void check_wire(struct findings *findings, const struct roster_card *card, unsigned index)
{
    enum { STUCK_NS = 10000000, LOOK_MS = 50 };
    const struct roster_function *function = &card->function[index];
    struct kernel_irq before, after;
    uint64_t now;
    char advice[512], name[SLOT_NAME];
    if (relay_time(card->card, &now) != 0)
        return;
    const uint64_t high = stuck_ns(card, index, now);
    if (high < STUCK_NS)
        return;
    slot_name(function->slot, name);
    snprintf(advice, sizeof advice,
             "This function asks and its driver does not answer. Keep its storms off the line: signalbox "
             "limit -s %s "
             "(or mask). A line the kernel has disabled comes back when a driver on it is loaded anew.",
             name);
    if (!function->lines.intx || !kernel_irq(function->lines.intx, &before)) {
        findings_add(findings, FINDING_WARNING, "wire", &function->slot, advice,
                     "holds its INTx wire high for %.3f s, and this kernel serves no line of it",
                     (double)high * 1e-9);
        return;
    }
    wait_ms(LOOK_MS);
    if (kernel_irq(function->lines.intx, &after) && after.count == before.count)
        findings_add(findings, FINDING_FAILURE, "wire", &function->slot, advice,
                     "holds its INTx wire high for %.3f s, and the kernel no longer serves IRQ %u (%s)",
                     (double)high * 1e-9, function->lines.intx, after.actions);
    else
        findings_add(findings, FINDING_WARNING, "wire", &function->slot, advice,
                     "holds its INTx wire high for %.3f s: IRQ %u (%s) storms", (double)high * 1e-9,
                     function->lines.intx, after.actions);
}

static void check_driver(struct findings *findings, const struct roster_function *function)
{
    if (!function->present && function->up)
        findings_add(findings, FINDING_NOTE, "function", &function->slot, "echo 1 > /sys/bus/pci/rescan",
                     "the relay knows it on port %u, Linux does not", function->port);
    else if (function->present && function->pending && !function->driver[0])
        findings_add(findings, FINDING_WARNING, "function", &function->slot, NULL,
                     "raises interrupts but has no driver here");
    const int command = function->present ? kernel_command(function->slot) : -1;
    if (function->lines.n_msi && command >= 0 && !(command & KERNEL_COMMAND_MASTER))
        findings_add(
            findings, FINDING_WARNING, "function", &function->slot, NULL,
            "has message interrupts but may not write to memory (bus mastering is off): it can't send them");
}

static void check_tap(struct findings *findings, const struct roster_card *card)
{
    if (card->identity.control & RELAY_CTRL_INDICATOR_FIRST)
        return;
    for (unsigned i = 0; i < card->n_sources; i++)
        if (card->source[i].kind == RELAY_KIND_MSI && card->source[i].act) {
            findings_add(findings, FINDING_WARNING, "mode", &card->slot, "signalbox mode indicator-first",
                         "in tap mode mask and limit do not act on messages");
            return;
        }
}

void check_functions(struct findings *findings, struct roster *roster, struct roster_card *card)
{
    if (!card->card)
        return;
    check_tap(findings, card);
    const size_t before = findings->n;
    for (unsigned f = 0; f < card->n_functions; f++) {
        if (roster->filtered && !card->selected && !card->function[f].selected)
            continue;
        check_wire(findings, card, f);
        check_driver(findings, &card->function[f]);
    }
    if (findings->n == before)
        findings_add(findings, FINDING_GOOD, "functions", &card->slot, NULL,
                     "no function holds its wire or is left alone");
}
