/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction: an exit, one of those below, or the emulator's. And the delivery of events. */
#include "emulate_operand.h"
#include "format.h"
#include "hosted_cpu.h"
#include "tlb.h"
#include "x86_bits.h"

#include <string.h>

enum {
    FLAG_CARRY = 1,
    FLAG_DIRECTION = 1 << 10,
    FLAG_ALWAYS = 2,
    FLAGS_USER = 0x244dd5,
    FLAGS_SYSTEM = 0x3200
};

const uint32_t hosted_msr_numbers[HOSTED_MSRS] = {
    MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_PAT,     MSR_STAR,    MSR_LSTAR,
    MSR_CSTAR,       MSR_SFMASK,       MSR_FS_BASE,      MSR_GS_BASE, MSR_TSC_AUX, MSR_KERNEL_GS_BASE,
};

static bool leave(struct hosted *hosted, struct exit exit)
{
    hosted->exit = exit;
    hosted->exiting = true;
    return false;
}

static bool unknown(struct context *context, const char *what)
{
    struct hosted *hosted = context->backend;

    format(hosted->why, sizeof hosted->why, "hosted: %s is not done here", what);
    return leave(hosted, (struct exit){.kind = EXIT_OTHER});
}

/* ---- delivery ---- */

struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, zero;
};

/* Code of the handler: a 64-bit segment of privilege 0. */
static bool load_code(struct context *context, uint16_t selector, uint16_t cpl, struct emulate_fault *fault)
{
    const struct segment *gdt = &context->seg[SEG_GDTR];
    uint64_t d;
    struct segment cs = {.selector = (uint16_t)((selector & ~3u) | cpl), .limit = ~0u};

    if ((selector & 0xfffc) == 0 || (selector | 7u) > gdt->limit ||
        hosted_system_read(context, gdt->base + (selector & 0xfff8u), &d, 8, fault) != EMULATE_DONE)
        return false;
    cs.attributes = (uint16_t)((d >> 40 & 0xff) | (d >> 52 & 0xf) << 8);
    if (!(cs.attributes & SEG_LONG) || !(cs.attributes & SEG_PRESENT) || (cs.attributes & 0x18) != 0x18)
        return false;
    context_set_segment(context, SEG_CS, &cs);
    return true;
}

static uint64_t stack_of(struct context *context, const struct gate *gate, bool user,
                         struct emulate_fault *fault, bool *good)
{
    uint64_t rsp = context->reg[REG_RSP];

    if (gate->ist & 7)
        *good = hosted_system_read(context, context->seg[SEG_TR].base + 0x1c + 8ull * (gate->ist & 7), &rsp,
                                   8, fault) == EMULATE_DONE;
    else if (user)
        *good = hosted_system_read(context, context->seg[SEG_TR].base + 4, &rsp, 8, fault) == EMULATE_DONE;
    return rsp & ~15ull;
}

/* A fault on the way is a triple fault here: double faults have no hosted test. */
bool hosted_deliver(struct context *context, const struct event *event)
{
    struct hosted *hosted = context->backend;
    const struct segment *idt = &context->seg[SEG_IDTR];
    const bool user = (context->seg[SEG_SS].attributes >> SEG_DPL_SHIFT & 3) == 3;
    const struct segment cs = context->seg[SEG_CS], ss = context->seg[SEG_SS];
    struct emulate_fault fault;
    struct gate gate;
    bool good = true;
    uint64_t rip = context->reg[REG_RIP], rsp = 0;
    uint64_t frame[6] = {event->error};

    hosted->exiting = false;
    if (!(context->reg[REG_EFER] & EFER_LMA))
        return unknown(context, "an interrupt outside 64-bit mode");
    good = (event->vector + 1u) * 16 - 1 <= idt->limit &&
           hosted_system_read(context, idt->base + 16u * event->vector, &gate, sizeof gate, &fault) ==
               EMULATE_DONE &&
           gate.type & 0x80 && (gate.type & 0x0e) == 0x0e;
    if (good)
        rsp = stack_of(context, &gate, user, &fault, &good);
    if (event->kind == EVENT_SOFT_INTERRUPT || event->kind == EVENT_SOFT_EXCEPTION)
        rip += event->length;
    if (good) {
        frame[1] = rip;
        frame[2] = cs.selector;
        frame[3] = context->reg[REG_RFLAGS];
        frame[4] = context->reg[REG_RSP];
        frame[5] = ss.selector;
        rsp -= event->has_error ? 48 : 40;
        good = hosted_system_write(context, rsp, event->has_error ? frame : frame + 1,
                                   event->has_error ? 48 : 40, &fault) == EMULATE_DONE &&
               load_code(context, gate.selector, 0, &fault);
    }
    if (!good) {
        if (!hosted->exiting)
            leave(hosted, (struct exit){.kind = EXIT_SHUTDOWN});
        else
            context->vectoring = *event;
        return false;
    }
    if (user)
        context_set_segment(context, SEG_SS, &(struct segment){.attributes = SEG_UNUSABLE});
    context->reg[REG_RSP] = rsp;
    context->reg[REG_RIP] = gate.offset0 | (uint64_t)gate.offset1 << 16 | (uint64_t)gate.offset2 << 32;
    context->reg[REG_RFLAGS] &= ~(uint64_t)(gate.type & 1 ? RFLAGS_TF : RFLAGS_TF | RFLAGS_IF);
    if (event->kind == EVENT_NMI)
        hosted->nmi_blocked = true;
    return true;
}

static bool raise(struct context *context, unsigned vector, bool has_error, uint32_t error)
{
    struct hosted *hosted = context->backend;

    if (vector == EXCEPTION_DB || vector == EXCEPTION_AC)
        return leave(hosted, (struct exit){.kind = EXIT_EXCEPTION,
                                           .exception = {.vector = (uint8_t)vector,
                                                         .has_error = vector == EXCEPTION_AC,
                                                         .error = error}});
    return hosted_deliver(context, &(struct event){.valid = true,
                                                   .kind = EVENT_EXCEPTION,
                                                   .vector = (uint8_t)vector,
                                                   .has_error = has_error,
                                                   .error = error});
}

static bool raise_fault(struct context *context, const struct emulate_fault *fault)
{
    if (fault->vector == EXCEPTION_PF)
        context->reg[REG_CR2] = fault->address;
    return raise(context, fault->vector, fault->has_error, fault->error);
}

/* ---- exits ---- */

static bool is_privileged(const struct insn *insn)
{
    switch (insn->op) {
    case INSN_HLT:
    case INSN_RDMSR:
    case INSN_WRMSR:
    case INSN_CLTS:
    case INSN_LMSW:
    case INSN_INVLPG:
    case INSN_INVD:
    case INSN_WBINVD:
    case INSN_LGDT:
    case INSN_LIDT:
    case INSN_LLDT:
    case INSN_LTR:
    case INSN_XSETBV:
    case INSN_SWAPGS:
    case INSN_IN:
    case INSN_OUT:
    case INSN_INS:
    case INSN_OUTS:
    case INSN_CLI:
    case INSN_STI:
        return true; /* IOPL and permission maps of the TSS are not modelled: they never allow */
    case INSN_MOV:
        for (unsigned i = 0; i < 2; i++)
            if (insn->operand[i].kind == OPERAND_CONTROL || insn->operand[i].kind == OPERAND_DEBUG)
                return true;
        return false;
    default:
        return false;
    }
}

static bool exit_io(struct emulator *e, struct exit *exit)
{
    const bool in = e->insn.op == INSN_IN || e->insn.op == INSN_INS;
    const bool string = e->insn.op == INSN_INS || e->insn.op == INSN_OUTS;
    const struct insn_operand *port = &e->insn.operand[in ? 1 : 0], *data = &e->insn.operand[in ? 0 : 1];

    *exit = (struct exit){.kind = EXIT_IO,
                          .io = {.size = data->size, .in = in, .string = string, .rep = e->insn.rep != 0}};
    exit->io.port = port->kind == OPERAND_IMMEDIATE && !string ? (uint16_t)e->insn.immediate
                                                               : (uint16_t)e->context->reg[REG_RDX];
    return true;
}

static bool exit_control(struct emulator *e, struct exit *exit)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    const bool write = to->kind == OPERAND_CONTROL;
    const unsigned number = write ? to->number : from->number;

    if (!write && from->kind != OPERAND_CONTROL)
        return false;
    if (number != 8 && (!write || number == 2 || number == 3))
        return false; /* the CPU's own business */
    *exit = (struct exit){.kind = EXIT_CR,
                          .cr = {.number = (uint8_t)number,
                                 .access = write ? CR_WRITE : CR_READ,
                                 .gpr = write ? from->number : to->number,
                                 .decoded = true}};
    return true;
}

static bool is_virtualisation(unsigned op)
{
    return (op >= INSN_VMLAUNCH && op <= INSN_INVVPID) || op == INSN_VMRUN ||
           (op >= INSN_VMLOAD && op <= INSN_INVLPGA);
}

/* Whether the instruction is the hypervisor's. */
static bool exits(struct emulator *e, struct exit *exit)
{
    static const struct {
        uint16_t op, kind;
    } plain[] = {
        {INSN_CPUID, EXIT_CPUID},   {INSN_HLT, EXIT_HLT},          {INSN_RDPMC, EXIT_RDPMC},
        {INSN_INVD, EXIT_CACHE},    {INSN_WBINVD, EXIT_CACHE},     {INSN_MONITOR, EXIT_MONITOR},
        {INSN_MWAIT, EXIT_MONITOR}, {INSN_VMCALL, EXIT_HYPERCALL}, {INSN_VMMCALL, EXIT_HYPERCALL},
        {INSN_XSETBV, EXIT_XSETBV},
    };

    for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].op == e->insn.op) {
            *exit = (struct exit){.kind = (enum exit_kind)plain[i].kind};
            return true;
        }
    if (is_virtualisation(e->insn.op)) {
        *exit = (struct exit){.kind = EXIT_VIRT};
        return true;
    }
    switch (e->insn.op) {
    case INSN_RDMSR:
    case INSN_WRMSR:
        *exit = (struct exit){.kind = EXIT_MSR, .msr = {.write = e->insn.op == INSN_WRMSR}};
        return true;
    case INSN_IN:
    case INSN_OUT:
    case INSN_INS:
    case INSN_OUTS:
        return exit_io(e, exit);
    case INSN_CLTS:
    case INSN_LMSW:
        *exit = (struct exit){.kind = EXIT_CR, .decode = true, .cr = {.access = CR_WRITE}};
        return true;
    case INSN_MOV:
        return exit_control(e, exit);
    default:
        return false;
    }
}

/* ---- instructions the emulator leaves to the CPU ---- */

enum done { DONE, ELSEWHERE, FAULTED, EXITED };

static enum emulate_result branch(struct emulator *e, bool taken)
{
    struct context *context = e->context;
    uint64_t target = context->reg[REG_RIP] + e->insn.length;

    if (taken)
        target += (uint64_t)e->insn.immediate;
    context->reg[REG_RIP] = e->long_mode ? target : (uint32_t)target;
    return EMULATE_DONE;
}

static bool loop_taken(struct emulator *e)
{
    const unsigned size = e->insn.address_size;
    const uint64_t count = (emulate_register(e, REG_RCX, size) - 1) & alu_mask(size);
    const bool zero = e->context->reg[REG_RFLAGS] & 0x40;

    emulate_set_register(e, REG_RCX, size, count);
    return count && (e->insn.op == INSN_LOOP || (e->insn.op == INSN_LOOPE) == zero);
}

static enum emulate_result far_jump(struct emulator *e)
{
    struct context *context = e->context;
    const struct segment *gdt = &context->seg[SEG_GDTR];
    struct segment cs = {.selector = e->insn.selector, .limit = ~0u};
    enum emulate_result result;
    uint64_t d;

    if ((cs.selector & 0xfffc) == 0 || (cs.selector | 7u) > gdt->limit)
        return emulate_raise_error(e, EXCEPTION_GP, cs.selector & 0xfffc);
    result = hosted_system_read(context, gdt->base + (cs.selector & 0xfff8u), &d, 8, &e->fault);
    if (result != EMULATE_DONE)
        return result;
    cs.attributes = (uint16_t)((d >> 40 & 0xff) | (d >> 52 & 0xf) << 8);
    context_set_segment(context, SEG_CS, &cs);
    context->reg[REG_RIP] = (uint32_t)e->insn.immediate;
    return EMULATE_DONE;
}

static enum emulate_result load_table(struct emulator *e, enum seg which)
{
    uint8_t data[10] = {0};
    struct segment table = {0};
    uint16_t limit;
    enum emulate_result result = emulate_read(e, (enum seg)e->insn.memory.segment, emulate_offset(e, 0), data,
                                              e->long_mode ? 10 : 6, ACCESS_READ);

    if (result != EMULATE_DONE)
        return result;
    memcpy(&limit, data, 2);
    memcpy(&table.base, data + 2, 8);
    table.limit = limit;
    context_set_segment(e->context, which, &table);
    return branch(e, false);
}

static enum emulate_result interrupt_return(struct emulator *e)
{
    struct context *context = e->context;
    struct hosted *hosted = context->backend;
    const unsigned cpl = emulate_cpl(e);
    uint64_t frame[5];
    struct emulate_fault fault;
    enum emulate_result result;
    unsigned rpl;

    if (!e->long_mode || e->insn.operand_size != 8)
        return EMULATE_UNHANDLED;
    result = emulate_read(e, SEG_SS, context->reg[REG_RSP], frame, 16, ACCESS_READ);
    if (result == EMULATE_DONE)
        result = emulate_read(e, SEG_SS, context->reg[REG_RSP] + 16, frame + 2, 16, ACCESS_READ);
    if (result == EMULATE_DONE)
        result = emulate_read(e, SEG_SS, context->reg[REG_RSP] + 32, frame + 4, 8, ACCESS_READ);
    if (result != EMULATE_DONE)
        return result;
    rpl = frame[1] & 3;
    if (rpl < cpl || !load_code(context, (uint16_t)frame[1], (uint16_t)rpl, &fault))
        return hosted->exiting ? EMULATE_STOPPED : emulate_raise_error(e, EXCEPTION_GP, frame[1] & 0xfffc);
    context->reg[REG_RIP] = frame[0];
    context->reg[REG_RFLAGS] = (frame[2] & (FLAGS_USER | (cpl ? 0 : FLAGS_SYSTEM))) | FLAG_ALWAYS;
    context->reg[REG_RSP] = frame[3];
    context_set_segment(context, SEG_SS,
                        &(struct segment){.selector = (uint16_t)frame[4],
                                          .limit = ~0u,
                                          .attributes = (uint16_t)(0xc93 | rpl << SEG_DPL_SHIFT)});
    hosted->nmi_blocked = false;
    return EMULATE_DONE;
}

static enum emulate_result own_control(struct emulator *e)
{
    struct context *context = e->context;
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    struct hosted *hosted = context->backend;
    static const uint8_t reg[] = {[0] = REG_CR0, [2] = REG_CR2, [3] = REG_CR3, [4] = REG_CR4};

    if (to->kind == OPERAND_DEBUG) {
        if (to->number == 7)
            context->reg[REG_DR7] = context->reg[from->number];
        else
            hosted->dr[to->number & 7] = context->reg[from->number];
    } else if (from->kind == OPERAND_DEBUG) {
        context->reg[to->number] = from->number == 7 ? context->reg[REG_DR7] : hosted->dr[from->number & 7];
    } else if (from->kind == OPERAND_CONTROL) {
        if (from->number > 4 || from->number == 1)
            return emulate_raise(e, EXCEPTION_UD);
        context->reg[to->number] = context->reg[reg[from->number]];
    } else if (to->number == 2) {
        context->reg[REG_CR2] = context->reg[from->number];
    } else {
        context->reg[REG_CR3] = context->reg[from->number];
        tlb_flush_linear(context->cpu, context->tag, false);
    }
    return branch(e, false);
}

static enum emulate_result interrupt(struct emulator *e, unsigned vector, enum event_kind kind)
{
    return hosted_deliver(e->context, &(struct event){.valid = true,
                                                      .kind = (uint8_t)kind,
                                                      .vector = (uint8_t)vector,
                                                      .length = e->insn.length})
               ? EMULATE_DONE
               : EMULATE_STOPPED;
}

static enum emulate_result set_flags(struct emulator *e, uint64_t clear, uint64_t set)
{
    e->context->reg[REG_RFLAGS] = (e->context->reg[REG_RFLAGS] & ~clear) | set;
    return branch(e, false);
}

static enum emulate_result pop_flags(struct emulator *e)
{
    const unsigned size = e->insn.operand_size;
    const uint64_t may = (FLAGS_USER | (emulate_cpl(e) ? 0 : FLAGS_SYSTEM)) & alu_mask(size);
    uint64_t value;
    enum emulate_result result = emulate_top(e, size, &value);

    if (result != EMULATE_DONE)
        return result;
    emulate_drop(e, size);
    return set_flags(e, may, (value & may) | FLAG_ALWAYS);
}

static void put_edx_eax(struct context *context, uint64_t value)
{
    context->reg[REG_RAX] = (uint32_t)value;
    context->reg[REG_RDX] = value >> 32;
}

static enum emulate_result run_here(struct emulator *e)
{
    struct context *context = e->context;
    struct hosted *hosted = context->backend;
    enum emulate_result result;

    switch (e->insn.op) {
    case INSN_JCC:
        return branch(e, alu_condition(e->insn.condition, context->reg[REG_RFLAGS]));
    case INSN_LOOP:
    case INSN_LOOPE:
    case INSN_LOOPNE:
        return branch(e, loop_taken(e));
    case INSN_JCXZ:
        return branch(e, emulate_register(e, REG_RCX, e->insn.address_size) == 0);
    case INSN_JMP_FAR:
        return e->insn.operand[0].kind == OPERAND_FAR ? far_jump(e) : emulate_decoded(e);
    case INSN_PUSHF:
        result = emulate_push(e, e->insn.operand_size, context->reg[REG_RFLAGS]);
        return result == EMULATE_DONE ? branch(e, false) : result;
    case INSN_POPF:
        return pop_flags(e);
    case INSN_CLI:
        return set_flags(e, RFLAGS_IF, 0);
    case INSN_STI:
        hosted->shadow = !(context->reg[REG_RFLAGS] & RFLAGS_IF);
        return set_flags(e, 0, RFLAGS_IF);
    case INSN_CLC:
        return set_flags(e, FLAG_CARRY, 0);
    case INSN_STC:
        return set_flags(e, 0, FLAG_CARRY);
    case INSN_CLD:
        return set_flags(e, FLAG_DIRECTION, 0);
    case INSN_STD:
        return set_flags(e, 0, FLAG_DIRECTION);
    case INSN_LGDT:
        return load_table(e, SEG_GDTR);
    case INSN_LIDT:
        return load_table(e, SEG_IDTR);
    case INSN_IRET:
        return interrupt_return(e);
    case INSN_INT3:
        return interrupt(e, EXCEPTION_BP, EVENT_SOFT_EXCEPTION);
    case INSN_INT:
        return interrupt(e, (uint8_t)e->insn.immediate, EVENT_SOFT_INTERRUPT);
    case INSN_UD:
        return emulate_raise(e, EXCEPTION_UD);
    case INSN_RDTSC:
        put_edx_eax(context, context->machine->ticks() + hosted->tsc_offset);
        return branch(e, false);
    case INSN_INVLPG:
        tlb_flush_page(context->cpu, context->tag, emulate_offset(e, 0));
        return branch(e, false);
    case INSN_MOV:
        if ((e->insn.operand[0].kind | e->insn.operand[1].kind) >= OPERAND_CONTROL)
            for (unsigned i = 0; i < 2; i++)
                if (e->insn.operand[i].kind == OPERAND_CONTROL || e->insn.operand[i].kind == OPERAND_DEBUG)
                    return own_control(e);
        hosted->shadow = e->insn.operand[0].kind == OPERAND_SEGMENT && e->insn.operand[0].number == SEG_SS;
        return emulate_decoded(e);
    default:
        return emulate_decoded(e);
    }
}

bool hosted_step(struct context *context)
{
    struct hosted *hosted = context->backend;
    struct emulator e = {
        .context = context, .ops = &hosted_access, .owner = context, .cache = &hosted->decoded};
    enum emulate_result result = emulate_decode(&e);
    struct exit exit;

    hosted->exiting = false;
    if (result == EMULATE_DONE) {
        if (is_privileged(&e.insn) && emulate_cpl(&e)) {
            result = emulate_raise_error(&e, EXCEPTION_GP, 0);
        } else if (exits(&e, &exit)) {
            exit.length = exit.decode ? 0 : e.insn.length;
            hosted->next_rip = context->reg[REG_RIP] + e.insn.length;
            return leave(hosted, exit);
        } else {
            hosted->shadow = false;
            result = run_here(&e);
        }
    }
    switch (result) {
    case EMULATE_DONE:
    case EMULATE_AGAIN:
        return true;
    case EMULATE_FAULT:
        return raise_fault(context, &e.fault);
    case EMULATE_STOPPED:
        return false;
    default:
        return unknown(context, insn_name(e.insn.op));
    }
}
