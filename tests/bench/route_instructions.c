/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of the hypervisor from an interrupt's vector to its injection, counted one by one: the process
 * is stepped by ptrace through the files that run in the image (hv/core, hv/devices), built for the host.
 *
 * Counted: the handler of the line's vector as a whole, and what takes the interrupt over into the owner's
 * vCPU. Not counted: entry and exit of guest and handler, which are the CPU's and the assembler's. Seven
 * functions of two LPARs are on the line; each asks in turn, alone. A function's reaction to what is written
 * to it waits until the count is over, and the medians leave out the one register write in 64 events that
 * tells the card how far its ring was read. Bus reads are counted as their few instructions: they are figures
 * of their own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "card_rig.h"
#include "stepper.h"

enum { PORTS = 7, ROUNDS = 3, SAMPLES = PORTS * ROUNDS };

/* The stepper counts from the one to the other. */
__attribute__((noinline)) static void begin(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) static void end(void)
{
    __asm__ volatile("");
}

/* As vcpu_run() does for an interrupt that its guest can take. */
static void inject(struct vcpu *vcpu)
{
    int vector;

    lapic_sync(&vcpu->lapic);
    vector = lapic_pending(&vcpu->lapic);
    RIG_CHECK(vector != LAPIC_NO_VECTOR, "nothing is due");
    lapic_take(&vcpu->lapic, (unsigned)vector);
    vcpu->context.machine->inject(
        &vcpu->context, &(struct event){.valid = true, .kind = EVENT_INTERRUPT, .vector = (uint8_t)vector});
}

static void one_interrupt(unsigned f)
{
    struct vcpu *vcpu = router.port[f].lpar->vcpu[0];

    rig_want(f, true);
    RIG_CHECK(rig.due, "no interrupt");
    rig.due = false;
    rig.still = true;
    begin();
    router_line(0);
    inject(vcpu);
    end();
    rig.still = false;
    vcpu->context.machine->retract(&vcpu->context);
    rig_end(router.port[f].lpar, f);
    rig_settle();
}

static void ask_in_turn(bool relay)
{
    rig_open(&(struct rig_plan){.ports = PORTS, .owner = {0, 1, 2, 1, 2, 1, 2, 1}});
    rig_switch(rig.red, relay);
    rig_switch(rig.blue, relay);
    rig_settle();
    for (unsigned i = 0; i < SAMPLES; i++)
        one_interrupt(1 + i % PORTS);
    RIG_CHECK(rig_handled() == SAMPLES && rig_in_vain() == 0, "%lu handlers ran", rig_handled());
    exit(0);
}

static int rising(const void *a, const void *b)
{
    const unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

/* The worst function's median. */
static unsigned worst_of(void (*program)(void))
{
    unsigned sample[SAMPLES], of_one[ROUNDS], worst = 0;

    RIG_CHECK(stepper_count(program, begin, end, sample, SAMPLES) == SAMPLES, "interrupts were not counted");
    for (unsigned f = 0; f < PORTS; f++) {
        for (unsigned i = 0; i < ROUNDS; i++)
            of_one[i] = sample[PORTS * i + f];
        qsort(of_one, ROUNDS, sizeof of_one[0], rising);
        worst = of_one[ROUNDS / 2] > worst ? of_one[ROUNDS / 2] : worst;
    }
    return worst;
}

static void by_relay(void)
{
    ask_in_turn(true);
}

static void by_scan(void)
{
    ask_in_turn(false);
}

int main(void)
{
    const unsigned relay = worst_of(by_relay), scan = worst_of(by_scan);

    printf(
        "{\"name\":\"instructions_vector_to_injection\",\"value\":%u,\"unit\":\"instructions\",\"baseline\":%"
        "u,"
        "\"baseline_name\":\"scan of the status registers, 7 functions on the line\"}\n",
        relay, scan);
    return relay > 0 && relay < scan ? 0 : 1;
}
