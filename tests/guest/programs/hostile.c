/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that tries to leave its LPAR, to stop the machine, or to disturb others. The command line says how;
 * ways that end the guest itself have an LPAR each, the others are checks of one.
 */
#include "endless.h"
#include "guest.h"

enum { LAPIC = 0xfee00000, ICR = 0x300, ICR_HIGH = 0x310, IPI_VECTOR = 0x50 };

extern uint64_t saved_rsp;

static const char *word;

static bool is(const char *name)
{
    const char *a = word;

    while (*name && *a == *name)
        a++, name++;
    return !*name && (*a == 0 || *a == ' ');
}

static uint64_t random_state;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- what must be a fault, or nothing at all ---- */

/* The last TRY ended in that fault, with that error code, at its instruction. */
static bool was_fault(unsigned vector, uint64_t error)
{
    return fault_vector == vector && fault_error == error && fault_rip == fault_start;
}

/* As was_fault(), and says so when it was not. */
static bool expect_fault(const char *what, unsigned vector, uint64_t error)
{
    if (!was_fault(vector, error))
        print("%s: fault %u error %lx at %lx\n", what, fault_vector, fault_error, fault_rip);
    return was_fault(vector, error);
}

/* It was done, or was #GP(0) at the instruction. */
static bool taken_or_refused(void)
{
    return fault_vector == NO_FAULT || was_fault(13, 0);
}

/* Ports by which an LPAR ends itself; the LPAR "reset" goes there. */
static bool ends_the_lpar(unsigned port)
{
    return port == 0xe9 || port == 0x60 || port == 0x64 || port == 0x92 || (port >= 0xcf8 && port <= 0xcff) ||
           (port >= 0x600 && port < 0x610);
}

static void every_port(void)
{
    unsigned faults = 0;

    for (unsigned port = 0; port < 0x10000; port++) {
        if (ends_the_lpar(port))
            continue;
        TRY("inb %%dx, %%al", : : "d"(port) : "rax");
        faults += fault_vector != NO_FAULT;
        TRY("outb %%al, %%dx", : : "d"(port), "a"(port & 0xff));
        faults += fault_vector != NO_FAULT;
        if (port % 16 == 3) {
            TRY("outl %%eax, %%dx", : : "d"(port), "a"(0xffffffff));
            TRY("inl %%dx, %%eax", : : "d"(port) : "rax");
            faults += fault_vector != NO_FAULT;
        }
    }
    check("every port, read and written", faults == 0);
}

static bool keeps_this_guest_going(uint32_t msr)
{
    return msr == 0x1b || msr == 0xc0000080 || (msr >= 0x800 && msr < 0x900);
}

/* A value read is written back, then others: each is taken, or #GP. */
static bool try_msr(uint32_t msr)
{
    uint32_t low = 0, high = 0;

    TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr));
    if (!taken_or_refused())
        return false;
    if (keeps_this_guest_going(msr))
        return true;
    for (unsigned i = 0; i < 4; i++) {
        TRY("wrmsr", : : "c"(msr),
            "a"(i == 0   ? low
                : i == 1 ? 0xffffffff
                         : (uint32_t)random64()),
            "d"(i == 0   ? high
                : i == 1 ? 0xffffffff
                : i == 2 ? 0
                         : (uint32_t)random64()));
        if (!taken_or_refused())
            return false;
    }
    TRY("wrmsr", : : "c"(msr), "a"(low), "d"(high));
    return true;
}

static void every_msr(void)
{
    static const uint32_t first[] = {0,          0x40000000, 0x4b564d00, 0x80860000,
                                     0xc0000000, 0xc0010000, 0xfffffff0};
    static const uint32_t count[] = {0x2100, 0x200, 0x10, 0x10, 0x2100, 0x2100, 0x10};
    bool good = true;

    for (unsigned i = 0; i < sizeof first / sizeof *first; i++)
        for (uint32_t n = 0; n < count[i]; n++)
            good &= try_msr(first[i] + n);
    check("every MSR number: a value or #GP", good);
}

/* 2 MiB of guest-physical memory through an entry of our own tables, at 4 GiB. */
static volatile uint8_t *window(uint64_t gpa)
{
    static uint64_t directory[512] __attribute__((aligned(4096)));
    uint64_t cr3, *pml4, *pdpt;

    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    pml4 = (uint64_t *)(cr3 & ~0xfffull);
    pdpt = (uint64_t *)(pml4[0] & ~0xfffull);
    directory[0] = gpa | 0x83;
    pdpt[4] = (uintptr_t)directory | 3;
    __asm__ volatile("invlpg (%0)" : : "r"(4ull << 30) : "memory");
    return (volatile uint8_t *)(4ull << 30);
}

/* Wherever the hypervisor or another LPAR lies, its addresses mean nothing here. */
static void foreign_memory(uint64_t own)
{
    bool good = true;
    uint64_t value;

    for (uint64_t gpa = (own + 0x1fffff) & ~0x1fffffull; gpa < 64ull << 30; gpa += 14ull << 20) {
        volatile uint8_t *at = window(gpa & ~0x1fffffull) + 0x100008;

        if (gpa >= 0xfe000000 && gpa < 4ull << 30)
            continue;
        TRY("movq %1, (%0)", : : "r"(at), "r"(0x5a5a5a5a5a5a5a5a) : "memory");
        good &= fault_vector == NO_FAULT;
        TRY("movq (%1), %0", : "=r"(value) : "r"(at));
        good &= fault_vector == NO_FAULT && value == ~0ull;
        TRY("lock incl (%0)", : : "r"(at) : "memory");
        good &= fault_vector == NO_FAULT;
    }
    check("outside of its memory there is nothing", good);
}

static volatile uint64_t received;

static void on_ipi(void)
{
    received++;
    *(volatile uint32_t *)(uintptr_t)(LAPIC + 0xb0) = 0;
}

static void icr(uint32_t destination, uint32_t command)
{
    *(volatile uint32_t *)(uintptr_t)(LAPIC + ICR_HIGH) = destination << 24;
    *(volatile uint32_t *)(uintptr_t)(LAPIC + ICR) = command;
}

/* Fixed, lowest priority, SMI, NMI, INIT, SIPI, ExtINT, to everyone that is not us. */
static void foreign_interrupts(void)
{
    enum { ROUNDS = 4, SELF = 5000 };

    interrupt_handlers[IPI_VECTOR] = on_ipi;
    *(volatile uint32_t *)(uintptr_t)(LAPIC + 0xf0) = 0x1ff;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (uint32_t id = 1; id < 0xff; id++)
            for (uint32_t mode = 0; mode < 8; mode++)
                icr(id, 0x4000 | mode << 8 | (0x20 + id % 0xd0));
    for (uint32_t mode = 0; mode < 8; mode++)
        icr(0, 0xc4000 | mode << 8 | 0x60); /* all others */
    __asm__ volatile("sti");
    for (unsigned i = 0; i < SELF; i++)
        icr(0, 0x44000 | IPI_VECTOR);
    __asm__ volatile("nop; nop; cli");
    check("IPIs to itself arrive", received == SELF);
    wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
    for (uint64_t id = 1; id < 300; id++)
        for (uint32_t mode = 0; mode < 8; mode++)
            TRY("wrmsr", : : "c"(0x830), "a"(0x4000 | mode << 8 | 0x60),
                "d"((uint32_t)(id < 256 ? id : id << 20)));
    check("x2APIC IPIs to others go nowhere", true);
    wrmsr(0x1b, rdmsr(0x1b) & ~0xc00ull);
}

static void virtualisation(void)
{
    static uint8_t area[4096] __attribute__((aligned(4096)));
    unsigned faults = 0;

/* None of them is switched on in CR4 or EFER: #UD, at the instruction. */
#define REFUSED(instruction)                                                                                 \
    do {                                                                                                     \
        TRY(instruction, : : "a"(area), "m"(area), "c"(0), "d"(0) : "memory");                               \
        faults += expect_fault(instruction, 6, 0);                                                           \
    } while (0)
    REFUSED("vmxon %1");
    REFUSED("vmclear %1");
    REFUSED("vmptrld %1");
    REFUSED("vmlaunch");
    REFUSED("vmresume");
    REFUSED("vmread %%rax, %%rcx");
    REFUSED("vmwrite %%rax, %%rcx");
    REFUSED("vmxoff");
    REFUSED("invept %1, %%rcx");
    REFUSED("invvpid %1, %%rcx");
    REFUSED("vmrun %%rax");
    REFUSED("vmload %%rax");
    REFUSED("vmsave %%rax");
    REFUSED("stgi");
    REFUSED("clgi");
    REFUSED("skinit %%eax");
    REFUSED("getsec");
    REFUSED("rsm");
    check("instructions of VMX, SVM, SMX, SMM are refused", faults == 18);
}

static void registers(void)
{
    uint64_t cr0, cr4, efer = rdmsr(0xc0000080);
    bool good = true;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t value = random64() >> (i % 4 ? 33 : 0);

        TRY("mov %0, %%cr0", : : "r"(value | 0x80000001));
        good &= taken_or_refused();
        __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
        TRY("mov %0, %%cr4", : : "r"((value | 0x20) & ~(1ull << 17)));
        good &= taken_or_refused();
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
        TRY("mov %0, %%cr8", : : "r"(value & 0x3f));
        good &= taken_or_refused();
        TRY("mov %0, %%dr7", : : "r"(value & 0xffff0300));
        TRY("wrmsr", : : "c"(0xc0000080), "a"((uint32_t)value & ~0x800u), "d"((uint32_t)(value >> 32)));
        good &= taken_or_refused();
        TRY("wrmsr", : : "c"(0xc0000080), "a"((uint32_t)efer), "d"(0));
        TRY("xsetbv", : : "c"((uint32_t)(i % 3)), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
        good &= taken_or_refused() || was_fault(6, 0);
    }
    __asm__ volatile("mov %0, %%cr8" : : "r"(0ull));
    check("CR0, CR4, CR8, EFER, XCR0 with anything: taken or refused", good);
}

/* A page fault of an instruction that the hypervisor carries out is the one that the CPU would have raised.
 */
static void emulated_page_faults(void)
{
    const uint64_t nowhere = 5ull << 30; /* no page-table entry */
    bool good = true;
    uint64_t cr2;

#define FAULTS(instruction, error, address, ...)                                                             \
    do {                                                                                                     \
        __asm__ volatile("mov %0, %%cr2" : : "r"(0ull));                                                     \
        TRY(instruction, : : __VA_ARGS__ : "memory", "rax");                                                 \
        __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));                                                       \
        good &= expect_fault(instruction, 14, error) && cr2 == (address);                                    \
    } while (0)
    /* From a device to nowhere, from nowhere to a device, from a port to nowhere and back. */
    FAULTS("movsl", 2, nowhere, "S"((uint64_t)LAPIC + 0x30), "D"(nowhere));
    FAULTS("movsl", 0, nowhere, "S"(nowhere), "D"((uint64_t)LAPIC + 0x80));
    FAULTS("movl (%0), %%eax", 0, nowhere + 0x123, "r"(nowhere + 0x123));
    FAULTS("pushq (%0)", 0, nowhere, "r"(nowhere));
    FAULTS("insb", 2, nowhere + 7, "d"(0x71), "D"(nowhere + 7));
    FAULTS("outsb", 0, nowhere + 9, "d"(0x80), "S"(nowhere + 9));
    check("page faults of instructions that are emulated: error code, CR2, RIP", good);
}

/* Mode switches that VM entry could stumble over, or that the CPU refuses (SDM 3A 2.5, 9.8.5; 3C 26.3.1). */
static void modes(void)
{
    uint64_t cr0, cr4, efer = rdmsr(0xc0000080);
    bool good = true;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
#define GP0(instruction, ...)                                                                                \
    do {                                                                                                     \
        TRY(instruction, : : __VA_ARGS__ : "memory");                                                        \
        good &= expect_fault(instruction, 13, 0);                                                            \
    } while (0)
    GP0("mov %0, %%cr0", "r"(cr0 & ~0x1ull));                             /* PG without PE */
    GP0("mov %0, %%cr0", "r"((cr0 & ~0x40000000ull) | 0x20000000));       /* NW without CD */
    GP0("mov %0, %%cr0", "r"(cr0 | 1ull << 32));                          /* reserved */
    GP0("mov %0, %%cr0", "r"(cr0 & ~0x80000000ull));                      /* PG cleared in 64-bit code */
    GP0("mov %0, %%cr4", "r"(cr4 & ~0x20ull));                            /* PAE cleared in long mode */
    GP0("mov %0, %%cr4", "r"(cr4 | 1ull << 40));                          /* reserved */
    GP0("mov %0, %%cr4", "r"(cr4 | 1ull << 13));                          /* VMXE: there is no VMX */
    GP0("wrmsr", "c"(0xc0000080), "a"((uint32_t)efer & ~0x100u), "d"(0)); /* LME under PG */
    GP0("wrmsr", "c"(0xc0000080), "a"((uint32_t)efer | 0x1000), "d"(0));  /* SVME: there is no SVM */
    GP0("wrmsr", "c"(0xc0000080), "a"((uint32_t)efer | 0x2), "d"(0));     /* reserved */
    GP0("wrmsr", "c"(0x277), "a"(0x02), "d"(0));                          /* PAT: no such type */
    check("what a mode does not allow: #GP(0), at the instruction", good);

    /* A step or a shadow over an instruction that exits: the state that entry is made with has to agree
     * (26.3.1.5). */
    good = true;
    TRY("pushfq; orl $0x100, (%%rsp); popfq; sti; cpuid; cli", : : "a"(0) : "rbx", "rcx", "rdx", "memory");
    good &= fault_vector == 1;
    TRY("pushfq; orl $0x100, (%%rsp); sti; popfq; in $0x71, %%al; cli", : : : "rax", "memory");
    good &= fault_vector == 1;
    TRY("mov %%ss, %%ecx; sti; mov %%ecx, %%ss; cpuid; cli", : : "a"(0) : "rbx", "rcx", "rdx", "memory");
    good &= fault_vector == NO_FAULT;
    TRY("cli; mov %%ss, %%ecx; mov %%ecx, %%ss; movl 0x30(%0), %%eax", : : "r"((uint64_t)LAPIC) : "rax",
        "rcx", "memory");
    good &= fault_vector == NO_FAULT;
    __asm__ volatile("cli");
    check("steps and shadows over instructions that exit", good);
}

static void probe(uint64_t own)
{
    virtualisation();
    modes();
    emulated_page_faults();
    registers();
    every_port();
    every_msr();
    foreign_memory(own);
    foreign_interrupts();
}

/* ---- what ends the guest ---- */

static void load_idt(uint64_t base, uint16_t limit)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {limit, base};

    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* By each way in turn; what a reset leaves of memory counts them. */
static void reset_ways(void)
{
    volatile uint32_t *turn = (volatile uint32_t *)(uintptr_t)0x800000;

    if (turn[1] != 0x7265736e) {
        turn[0] = 0;
        turn[1] = 0x7265736e;
    }
    print("reset %u\n", turn[0]);
    switch (turn[0]++) {
    case 0:
        for (unsigned type = 0; type < 8; type++)
            if (type != 5)
                outw(0x604, (uint16_t)(0x2000 | type << 10)); /* sleep states that there are not */
        outb(0xcf9, 0x06);
        break;
    case 1:
        outb(0x64, 0xfe);
        break;
    case 2:
        outb(0x92, 1);
        outl(0xcf8, 0x80000000);
        outl(0xcfc, 0xffffffff);
        outb(0xcf9, 0x0e);
        break;
    default:
        outw(0x604, 0x3400);
    }
    for (;;)
        __asm__ volatile("hlt");
}

uint64_t saved_rsp;

/* Random bytes as code, again and again; it may wreck the guest, and nothing else. */
static void random_code(void)
{
    uint8_t *code = (uint8_t *)(uintptr_t)0x600000;

    print("random: seed %lx\n", random_state);
    for (unsigned turn = 0;; turn++) {
        uint64_t a = random64(), c = random64() & 0xff, d = random64(), source = (uintptr_t)code,
                 stack = 0x700000;

        if (turn % 1000 == 0)
            print("random: %u\n", turn);
        for (unsigned i = 0; i < 64; i += 8)
            *(uint64_t *)(void *)(code + i) = random64();
        code[48] = 0xcc;
        fault_vector = NO_FAULT;
        __asm__ volatile(
            "movq %%rsp, saved_rsp\n"
            "movq $1f, fault_resume\n"
            "movq %%rdi, %%rsp\n"
            "jmp *%%rsi\n"
            "1: movq saved_rsp, %%rsp\n"
            "movq $0, fault_resume\n"
            : "+a"(a), "+c"(c), "+d"(d), "+S"(source), "+D"(stack)
            :
            : "memory", "rbx", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15");
    }
}

void guest_main(uint32_t info_address)
{
    const uint32_t *info = (const uint32_t *)(uintptr_t)info_address;

    word = (const char *)(uintptr_t)info[4];
    random_state = rdtsc() | 1;
    for (const char *at = word; *at; at++)
        if (*at == ' ')
            for (random_state = 0, at++; *at >= '0' && *at <= '9'; at++)
                random_state = random_state * 10 + (uint64_t)(*at - '0');
    print("hostile: %s\n", word);
    if (is("probe")) {
        probe((uint64_t)info[2] * 1024 + 0x100000);
    } else if (is("triple")) {
        load_idt(0, 0);
        __asm__ volatile("ud2");
    } else if (is("debug")) {
        endless_debug();
    } else if (is("alignment")) {
        endless_alignment();
    } else if (is("tables")) {
        __asm__ volatile("mov %0, %%cr3" : : "r"(0xd0000000ull));
    } else if (is("nowhere")) {
        ((void (*)(void))(uintptr_t)0xd0000000)();
    } else if (is("reset")) {
        reset_ways();
    } else if (is("random")) {
        random_code();
    }
}
