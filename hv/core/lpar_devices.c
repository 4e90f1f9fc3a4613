/* SPDX-License-Identifier: BSD-2-Clause */
#include "lpar_devices.h"

#include "log.h"
#include "lpar.h"
#include "mux.h"
#include "router.h"
#include "timers.h"

/* ---- what devices ask of their LPAR, device lock held ---- */

static uint64_t env_now(void *owner)
{
    return timers_now(owner);
}

static void env_line(void *owner, unsigned gsi, bool high)
{
    struct lpar *lpar = owner;

    if (gsi < IOAPIC_PINS)
        ioapic_line(&lpar->set.ioapic, gsi, high);
}

static void env_message(void *owner, uint64_t address, uint32_t data)
{
    struct lpar *lpar = owner;
    struct apic_message message;

    if (apic_message_from_msi(address, data, &message))
        lapic_route(&lpar->set.lapics, &message);
}

static void env_legacy(void *owner, uint8_t vector)
{
    struct vcpu *boot = ((struct lpar *)owner)->vcpu[0];

    __atomic_store_n(&boot->legacy, vector, __ATOMIC_RELEASE);
    vcpu_request(boot, REQUEST_EVENT);
}

static void env_power(void *owner, enum power what)
{
    lpar_stop(owner, what == POWER_RESET ? WANT_RESET : WANT_OFF);
}

static void env_console(void *owner, unsigned port, uint8_t byte)
{
    (void)port;
    mux_put(((struct lpar *)owner)->index, byte);
}

static void env_timer(void *owner, enum device_timer timer, uint64_t at_ns)
{
    timers_set_device(owner, timer, at_ns);
}

static unsigned ioapic_route(void *owner, const struct apic_message *message)
{
    struct lpar *lpar = owner;

    return lapic_route(&lpar->set.lapics, message);
}

static void ioapic_ended(void *owner, unsigned pin)
{
    router_end(owner, pin);
}

/* ---- what local APICs ask of their vCPU ---- */

static uint64_t lapic_ticks(void *owner)
{
    return ((struct vcpu *)owner)->context.machine->ticks();
}

static uint64_t lapic_tsc_offset(void *owner)
{
    return ((struct vcpu *)owner)->tsc_offset;
}

static void lapic_timer(void *owner, uint64_t at)
{
    timers_set_lapic(owner, at);
}

static void lapic_eoi(void *owner, uint8_t vector)
{
    struct lpar *lpar = ((struct vcpu *)owner)->lpar;

    lock_take(&lpar->devices);
    ioapic_eoi(&lpar->set.ioapic, vector);
    lock_release(&lpar->devices);
}

static void lapic_notify(void *owner)
{
    vcpu_request(owner, REQUEST_EVENT);
}

static void lapic_nmi(void *owner)
{
    vcpu_request(owner, REQUEST_NMI);
}

static void lapic_init_ipi(void *owner)
{
    vcpu_request(owner, REQUEST_INIT);
}

static void lapic_sipi(void *owner, uint8_t vector)
{
    struct vcpu *vcpu = owner;

    vcpu->sipi_vector = vector;
    vcpu_request(vcpu, REQUEST_SIPI);
}

static void lapic_timer_direct(void *owner, uint64_t at)
{
    direct_timer(owner, at);
}

static void lapic_take_direct(void *owner, uint8_t vector, bool level)
{
    direct_take(owner, vector, level);
}

static bool lapic_send_direct(void *owner, uint8_t vector)
{
    return direct_send(owner, vector);
}

#define LAPIC_ENV                                                                                            \
    .ticks = lapic_ticks, .tsc_offset = lapic_tsc_offset, .eoi = lapic_eoi, .notify = lapic_notify,          \
    .nmi = lapic_nmi, .init = lapic_init_ipi, .sipi = lapic_sipi, .send = lapic_send_direct

static const struct lapic_env lapic_env = {LAPIC_ENV, .timer = lapic_timer};
static const struct lapic_env lapic_env_direct = {LAPIC_ENV, .timer = lapic_timer_direct,
                                                  .take = lapic_take_direct};

void lpar_devices_set_direct(struct vcpu *vcpu, bool on)
{
    vcpu->lapic.env = on ? &lapic_env_direct : &lapic_env;
    __atomic_store_n(&vcpu->lapic.direct, on, __ATOMIC_SEQ_CST);
}

bool lpar_devices_add_vcpu(struct vcpu *vcpu)
{
    if (!lapic_init(&vcpu->lapic, &vcpu->lpar->set.lapics, vcpu->apic_id, &lapic_env, vcpu))
        return false;
    vcpu->lapic.has_x2apic = vcpu->lpar->x2apic;
    return true;
}

static int add_test_device(struct lpar *lpar)
{
    struct device_set *set = &lpar->set;
    uint8_t *memory = lpar->map.machine->frames(TEST_MEMORY_BYTES);

    if (!memory)
        return trace_error(-1, "%s: no memory for its test device", lpar->name);
    return test_device_add(&set->test, &set->env, memory, &lpar->ports, &lpar->space);
}

int lpar_devices_add(struct lpar *lpar, int64_t start)
{
    static const struct ioapic_env ioapic_env = {.route = ioapic_route, .ended = ioapic_ended};
    struct device_set *set = &lpar->set;

    set->env = (struct device_env){.owner = lpar,
                                   .now = env_now,
                                   .line = env_line,
                                   .message = env_message,
                                   .legacy = env_legacy,
                                   .power = env_power,
                                   .console = env_console,
                                   .timer = env_timer};
    timers_clear_devices(lpar);
    if (ioapic_add(&set->ioapic, &ioapic_env, lpar, &lpar->space) ||
        (lpar->console && uart_add(&set->uart, &set->env, 0, LPAR_UART_PORT, LPAR_UART_GSI, &lpar->ports)) ||
        rtc_add(&set->rtc, &set->env, start, &lpar->ports) || pit_add(&set->pit, &set->env, &lpar->ports) ||
        acpi_pm_add(&set->acpi_pm, &set->env, &lpar->ports) ||
        pc_reset_add(&set->pc_reset, &set->env, &lpar->ports) ||
        pci_add(&set->pci, &set->pc_reset, &lpar->ports, &lpar->space) ||
        (lpar->console && debug_port_add(&set->debug_port, &set->env, 0, &lpar->ports)) ||
        (lpar->test_device && add_test_device(lpar)))
        return trace_error(-1, "%s: its devices cannot be put together", lpar->name);
    return 0;
}

void lpar_devices_reset(struct lpar *lpar)
{
    bus_reset(&lpar->ports);
    bus_reset(&lpar->space);
    timers_clear_devices(lpar);
}
