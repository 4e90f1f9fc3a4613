/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route_million [INTERRUPTS [SEED]]: so many interrupts of seven functions of two LPARs through the Verilated
 * relay, at random, the mechanisms switched now and then, each handler call held against what its function
 * asked. Two functions are dedicated: they aim at either CPU of their LPAR, of which the second one goes
 * direct and back. Prints figures in the benchmarks' format; status 1 where a handler ran in the wrong LPAR,
 * an interrupt was lost, a handler ran for nothing, or no message went straight to a guest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "card_rig.h"
#include "mechanism.h"
#include "pci_config.h"

enum { PORTS = 7, ON_A_LINE = 700, STEP_NS = 1000 };
/* One of so many steps. */
enum { SWITCH = 200, CHANGE = 400, AIM = 400 };
/* Functions that are dedicated: one of each LPAR. */
enum { FIRST_DEDICATED = 5, DEDICATED = 2 };

enum way { BY_LINE, BY_MSI, BY_MSIX, WAYS };

static uint64_t state;
static enum way way[PORTS + 1];
static unsigned long asked[WAYS], eager, switches, direct_switches, changes, aims;

static unsigned dice(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static void open_rig(unsigned dedicated)
{
    rig_open(&(struct rig_plan){.ports = PORTS, .owner = {0, 1, 2, 1, 2, 1, 2, 1}, .dedicated = dedicated});
}

static void figure(const char *name, double value, const char *unit, double baseline,
                   const char *baseline_name)
{
    printf("{\"name\":\"%s\",\"value\":%.4g,\"unit\":\"%s\",\"baseline\":%.4g,\"baseline_name\":\"%s\"}\n",
           name, value, unit, baseline, baseline_name);
}

static void count(const char *name, unsigned long value)
{
    printf(
        "{\"name\":\"%s\",\"value\":%lu,\"unit\":\"handler "
        "calls\",\"baseline\":null,\"baseline_name\":null}\n",
        name, value);
}

/* ---- bus reads to find the source, seven functions on one line ---- */

/* Each function asks alone, in turn, as the line's last to be looked at as often as its first. */
static double reads_on_a_line(bool by_relay)
{
    uint64_t before;

    open_rig(0);
    rig_switch(rig.red, by_relay);
    rig_switch(rig.blue, by_relay);
    rig_settle();
    before = router.indicator.stats.bus_reads + router.stats.scan_reads;
    for (unsigned i = 0; i < ON_A_LINE; i++) {
        rig_want(1 + i % PORTS, true);
        rig_settle();
    }
    RIG_CHECK(rig_handled() == ON_A_LINE && rig_in_vain() == 0, "%lu handlers ran", rig_handled());
    return (double)(router.indicator.stats.bus_reads + router.stats.scan_reads - before) / ON_A_LINE;
}

/* ---- the million ---- */

static void use(unsigned f, enum way w)
{
    rig_use_line(f);
    if (w == BY_MSI)
        rig_use_msi(f);
    if (w == BY_MSIX)
        rig_use_msix(f);
    way[f] = w;
}

/* With one request under way at most, so that calls and messages agree one to one. Others may merge. */
static bool is_patient(unsigned f, unsigned entry)
{
    return (f + entry) % 3 != 0;
}

static void ask(unsigned f)
{
    struct rig_device *d = &rig.device[f];
    const unsigned entry = way[f] == BY_MSIX ? dice(RIG_ENTRIES) : 0;

    if (way[f] == BY_LINE) {
        asked[BY_LINE] += !d->wants;
        rig_want(f, true);
        return;
    }
    if (d->owed[entry] && is_patient(f, entry))
        return;
    eager += !is_patient(f, entry);
    RIG_CHECK(rig_message(f, entry), "function %u is silent", f);
    asked[way[f]]++;
}

/* Its driver lets it finish first: what it asked by another way would be void. */
static void change(unsigned f)
{
    const struct rig_device *d = &rig.device[f];

    if (d->wants || d->owed[0] || d->owed[1])
        return;
    rig_settle();
    use(f, dice(WAYS));
    changes++;
}

/* The guest gives a dedicated function's interrupts to one of its CPUs, whatever is under way. */
static void aim(unsigned f)
{
    rig_aim(f, dice(2));
    if (way[f] == BY_MSI)
        rig_use_msi(f);
    if (way[f] == BY_MSIX)
        rig_use_msix(f);
    aims++;
}

static void run_guest(struct lpar *lpar)
{
    switch (dice(3)) {
    case 0:
        rig_guest(lpar, 1 + dice(3));
        break;
    case 1:
        rig_begin_handler(lpar);
        break;
    default:
        rig_end_handler(lpar);
    }
}

static void step(void)
{
    struct lpar *lpar = dice(2) ? rig.red : rig.blue;

    rig_pass(dice(STEP_NS));
    switch (dice(5)) {
    case 0:
    case 1:
        ask(1 + dice(PORTS));
        break;
    case 2:
        rig_interrupt(dice(RIG_CPUS));
        break;
    default:
        run_guest(lpar);
    }
    if (dice(SWITCH) == 0) {
        rig_switch_direct(lpar, !(lpar->mechanisms >> MECHANISM_DIRECT_IRQ & 1));
        direct_switches++;
    }
    if (dice(AIM) == 0)
        aim(FIRST_DEDICATED + dice(DEDICATED));
    if (dice(SWITCH) == 0) {
        rig_switch(lpar, !(lpar->mechanisms >> MECHANISM_RELAY & 1));
        switches++;
    }
    if (dice(CHANGE) == 0)
        change(1 + dice(PORTS));
}

static unsigned long all_asked(void)
{
    return asked[BY_LINE] + asked[BY_MSI] + asked[BY_MSIX];
}

/* What it asked and no handler has been called for since. */
static unsigned long unserved(unsigned f)
{
    const struct rig_device *d = &rig.device[f];
    unsigned long sum = d->wants;

    for (unsigned entry = 0; entry < RIG_ENTRIES; entry++)
        sum += d->owed[entry] && !is_patient(f, entry) ? 1 : is_patient(f, entry) ? d->unmet[entry] : 0;
    return sum;
}

static void tell_direct(const struct lpar *lpar)
{
    const struct direct *d = &lpar->vcpu[1]->direct;

    fprintf(stderr, "%s: direct %lu times, left %lu; handed on %lu, late %lu\n", lpar->name,
            (unsigned long)d->entered, (unsigned long)d->left, (unsigned long)d->handed,
            (unsigned long)d->late);
}

static int run(unsigned long interrupts)
{
    unsigned long lost = 0;

    open_rig(((1u << DEDICATED) - 1) << FIRST_DEDICATED);
    for (unsigned f = 1; f <= PORTS; f++)
        use(f, f <= 3 ? BY_LINE : f <= 5 ? BY_MSIX : BY_MSI);
    while (all_asked() < interrupts)
        step();
    rig_settle();
    for (unsigned f = 1; f <= PORTS; f++)
        lost += unserved(f);
    fprintf(
        stderr,
        "%lu interrupts asked: %lu by line, %lu by MSI, %lu by MSI-X (%lu without waiting for the handler of "
        "the one before); %lu handlers ran; relay switched %lu times, functions went over to another way %lu "
        "times; %lu status registers read, %lu of the hypervisor's interrupts found nothing\n",
        all_asked(), asked[BY_LINE], asked[BY_MSI], asked[BY_MSIX], eager, rig_handled(), switches, changes,
        router.stats.scan_reads, router.stats.spurious);
    tell_direct(rig.red);
    tell_direct(rig.blue);
    fprintf(stderr,
            "direct_irq switched %lu times, dedicated functions aimed %lu times; "
            "%lu of %lu messages went straight to a guest\n",
            direct_switches, aims, rig.straight, rig.messages);
    count("interrupts_asked", all_asked());
    count("wrong_lpar", rig.wrong_lpar);
    count("lost", lost);
    count("doubled", rig_in_vain());
    return rig.wrong_lpar || lost || rig_in_vain() || all_asked() - rig_handled() > eager || !rig.straight;
}

int main(int count_of_arguments, char **arguments)
{
    const unsigned long interrupts = count_of_arguments > 1 ? strtoul(arguments[1], NULL, 0) : 1000000;

    state = count_of_arguments > 2 ? strtoul(arguments[2], NULL, 0) : 1;
    figure("bus_reads_seven_on_a_line", reads_on_a_line(true), "reads/interrupt", reads_on_a_line(false),
           "scan of the status registers, 7 functions");
    return run(interrupts);
}
