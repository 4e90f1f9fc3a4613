/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of boot. */
#include "acpi.h"
#include "boot.h"
#include "console.h"
#include "cpu.h"
#include "ecam.h"
#include "exception.h"
#include "frame.h"
#include "functions.h"
#include "insn.h"
#include "ioapic_host.h"
#include "kick.h"
#include "lapic_host.h"
#include "log.h"
#include "lpar.h"
#include "paging_host.h"
#include "partitions.h"
#include "prompt.h"
#include "relax.h"
#include "svm/svm.h"
#include "time_host.h"
#include "version.h"
#include "virt.h"
#include "vmx/vmx.h"

extern const uint8_t image_start[], image_end[];

void boot_main(uint32_t magic, uint32_t information);

static struct boot boot;
static struct acpi acpi;

static void brand(char text[49])
{
    uint32_t *word = (uint32_t *)(void *)text;

    text[0] = 0;
    if (cpuid(0x80000000, 0).eax < 0x80000004)
        return;
    for (uint32_t leaf = 0; leaf < 3; leaf++) {
        struct cpuid r = cpuid(0x80000002 + leaf, 0);

        word[4 * leaf] = r.eax;
        word[4 * leaf + 1] = r.ebx;
        word[4 * leaf + 2] = r.ecx;
        word[4 * leaf + 3] = r.edx;
    }
    text[48] = 0;
}

/* Bochs 3.1, built by GCC 15 or later, divides wrongly; what runs on it fails in ways that take days to find.
 */
static void check_division(void)
{
    if (divide_signed(-1000000000, 100000000) != -10)
        panic("the CPU's 64-bit IDIV is wrong: a broken emulator");
}

static void greet(void)
{
    uint64_t ram = 0;
    char name[49] __attribute__((aligned(4)));

    brand(name);
    for (unsigned i = 0; i < boot.regions; i++)
        if (boot.region[i].type == REGION_RAM)
            ram += boot.region[i].end - boot.region[i].start;
    log_line("signalbox %s, %s by %s", SIGNALBOX_VERSION, boot.protocol, boot.loader[0] ? boot.loader : "?");
    log_line("cpu: %s", name);
    log_line("memory: %lu MiB, %u modules", ram >> 20, boot.modules);
}

/* As early as it can be: only what ends above 4 GiB needs frames to be mapped. */
static void show_screen(bool have_frames)
{
    const uint64_t start = boot.framebuffer.address, bytes = framebuffer_bytes(&boot.framebuffer);

    if (bytes == 0 || (start + bytes > 4ull << 30) != have_frames)
        return;
    paging_host_framebuffer(start, bytes);
    console_screen(&boot.framebuffer);
}

static void read_firmware(void)
{
    if (!acpi_read(&acpi, boot.rsdp)) {
        log_line("acpi: no tables: one CPU, no more");
        return;
    }
    log_line("acpi: %s: %u CPUs, %u I/O APICs, %u ECAM windows%s%s%s", acpi.oem, acpi.cpus, acpi.ioapics,
             acpi.ecams, acpi.has_dmar ? ", DMAR" : "", acpi.has_ivrs ? ", IVRS" : "",
             acpi.has_hpet ? ", HPET" : "");
}

static void add_cpus(void)
{
    boot_cpu.apic_id = lapic_host_id();
    for (unsigned i = 0; i < acpi.cpus; i++)
        if (acpi.cpu[i] != boot_cpu.apic_id)
            cpu_add(acpi.cpu[i]);
}

/* This CPU enters VMX or SVM operation; negative: the reason is on the log. */
static int virtualise(struct cpu *cpu)
{
    const char *why;

    switch (virt_detect(&why)) {
    case VIRT_VMX:
        return vmx_cpu_on();
    case VIRT_SVM:
        return svm_cpu_on();
    default:
        return trace_error(-1, "cpu: %u: %s", cpu->index, why);
    }
}

/* Makes the vCPU that is pinned here ready, if there is one. */
static void prepare(struct cpu *cpu)
{
    struct vcpu *vcpu = (struct vcpu *)cpu->context;

    if (vcpu && virtualise(cpu) == 0 && vcpu->context.machine->context_init(&vcpu->context) == 0)
        vcpu->ready = true;
    cpu->prepared = true;
}

void cpu_work(struct cpu *cpu)
{
    cpu->online = true;
    while (!cpu->go)
        irq_wait();
    if (!cpu->prepared)
        prepare(cpu);
    if (cpu->context && ((struct vcpu *)cpu->context)->ready)
        lpar_cpu((struct vcpu *)cpu->context);
    for (;;)
        irq_wait();
}

/* Every CPU prepares its vCPU; then those LPARs start whose CPUs are all ready. */
static void start_partitions(void)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        cpus[i]->go = true;
        kick(i, false);
    }
    prepare(this_cpu());
    for (unsigned i = 0; i < cpu_count; i++)
        while (!cpus[i]->prepared)
            relax();
    for (unsigned i = 0; i < lpar_count; i++)
        if (lpars[i].autostart)
            lpar_start(&lpars[i]);
}

static void create_partitions(void)
{
    const char *why;

    switch (virt_detect(&why)) {
    case VIRT_VMX:
        log_line("virtualisation: VMX");
        partitions_create(&boot, &vmx_ops);
        break;
    case VIRT_SVM:
        log_line("virtualisation: SVM");
        partitions_create(&boot, &svm_ops);
        break;
    case VIRT_NONE:
        log_line("virtualisation: %s", why);
        return;
    }
}

void boot_main(uint32_t magic, uint32_t information)
{
    uint64_t from, to, used, entered = rdtsc();
    const char *trouble;

    cpu_add_boot();
    idt_init();
    cpu_load(&boot_cpu);
    cpu_setup();
    trouble = boot_read(&boot, magic, information);
    console_init(boot.command_line);
    greet();
    show_screen(false);
    if (trouble)
        panic("%s (magic %x)", trouble, magic);
    check_division();
    frames_init(&boot);
    paging_host_extend(&boot);
    show_screen(true);
    read_firmware();
    lapic_host_choose(acpi.nmi_lints);
    lapic_host_init();
    ioapic_host_init(&acpi);
    add_cpus();
    paging_host_protect();
    time_init(acpi.pm_timer, acpi.pm_timer_bits);
    log_line("time: TSC at %lu kHz", time_tsc_hz() / 1000);
    log_line("time: entered at tick %lu", entered);
    cpus_start();
    log_line("cpu: %u CPUs up, %s", cpu_count, lapic_host_x2apic() ? "x2APIC" : "xAPIC");
    frames_range(&from, &to, &used);
    log_line("memory: the hypervisor has %lu KiB of image, %lu of %lu KiB of frames",
             (uint64_t)(image_end - image_start) >> 10, used >> 10, (to - from) >> 10);
    functions_read(ecam_init(&acpi));
    create_partitions();
    console_interrupts(prompt_input);
    start_partitions();
    cpu_work(this_cpu());
}
