/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

#include "format.h"

static unsigned passed, failed;

volatile unsigned fault_vector = NO_FAULT;
volatile uint64_t fault_error, fault_rip, fault_rflags, fault_resume, fault_start;
void (*interrupt_handlers[256])(void);

void print(const char *text, ...)
{
    char line[200];
    va_list arguments;

    va_start(arguments, text);
    format_va(line, sizeof line, text, arguments);
    va_end(arguments);
    for (const char *c = line; *c; c++)
        outb(0xe9, (uint8_t)*c);
}

void check(const char *name, bool good)
{
    print("%s %s\n", good ? "ok  " : "FAIL", name);
    if (good)
        passed++;
    else
        failed++;
}

void guest_exit(void)
{
    print("done: %u ok, %u failed\n", passed, failed);
}

bool contains(const char *text, const char *wanted)
{
    for (; *text; text++) {
        const char *a = text, *b = wanted;

        while (*b && *a == *b)
            a++, b++;
        if (!*b)
            return true;
    }
    return false;
}

void fault(struct fault_frame *frame)
{
    if (interrupt_handlers[frame->vector]) {
        interrupt_handlers[frame->vector]();
        return;
    }
    fault_vector = (unsigned)frame->vector;
    fault_error = frame->error;
    if (!fault_resume) {
        print("FAIL unexpected fault %lu error %lx at %lx\n", frame->vector, frame->error, frame->rip);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    fault_rip = frame->rip;
    fault_rflags = frame->rflags;
    if (frame->vector == 1)
        frame->rflags &= ~0x100ull; /* one step is enough */
    frame->rip = fault_resume;
}
