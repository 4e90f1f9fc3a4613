/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial port, as a driver of a 16550A finds it. */
#include "machine.h"
#include "serial.h"

#include <criterion/criterion.h>
#include <linux/serial_reg.h>

enum { F = 1, BAR = 1 };

static struct machine *m;

static void build(void)
{
    m = machine_with(serial_open(&(struct serial_options){.pin = 1, .msi = true}));
}

static void end(void)
{
    machine_close(m);
}

TestSuite(serial, .init = build, .fini = end);

static unsigned get(unsigned reg)
{
    return machine_read(m, F, BAR, reg, 1);
}

static void set(unsigned reg, unsigned value)
{
    machine_write(m, F, BAR, reg, 1, value);
}

Test(serial, brings_back_what_is_sent)
{
    set(UART_FCR, UART_FCR_ENABLE_FIFO);
    for (unsigned i = 0; i < 100; i++) {
        cr_assert(get(UART_LSR) & UART_LSR_THRE);
        set(UART_TX, i);
        cr_assert_eq(get(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
        cr_assert_eq(get(UART_RX), i);
    }
    cr_expect_eq(get(UART_LSR) & UART_LSR_DR, 0);
}

/* With nobody who reads, the output waits; nothing is lost. */
Test(serial, output_waits_for_room)
{
    unsigned sent = 0;
    while (get(UART_LSR) & UART_LSR_THRE) {
        set(UART_TX, sent++);
        cr_assert_leq(sent, 64);
    }
    for (unsigned i = 0; i < sent; i++) {
        cr_assert_eq(get(UART_RX), i);
    }
    cr_expect_eq(get(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

/* By which drivers know the chip and the length of its FIFO. */
Test(serial, the_loop_of_the_chip)
{
    set(UART_FCR, UART_FCR_ENABLE_FIFO);
    cr_expect_eq(get(UART_IIR), UART_IIR_NO_INT | UART_IIR_FIFO_ENABLED);
    set(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
    cr_expect_eq(get(UART_MSR), UART_MSR_DCD | UART_MSR_CTS);
    for (unsigned i = 0; i < 256; i++) {
        set(UART_TX, i);
    }
    cr_expect(get(UART_LSR) & UART_LSR_OE);
    unsigned came = 0;
    for (; get(UART_LSR) & UART_LSR_DR; came++) {
        get(UART_RX);
    }
    cr_expect_eq(came, 16);
    set(UART_IER, 0xff);
    cr_expect_eq(get(UART_IER), 0xf);
    set(UART_LCR, UART_LCR_DLAB);
    set(UART_DLL, 12);
    cr_expect_eq(get(UART_DLL), 12);
    set(UART_LCR, UART_LCR_WLEN8);
    cr_expect_eq(get(UART_IER), 0xf);
}

Test(serial, interrupts_by_its_pin)
{
    set(UART_MCR, UART_MCR_OUT2);
    set(UART_IER, UART_IER_RDI);
    set(UART_TX, 'a');
    cr_expect_eq(m->lines[F], 1);
    cr_expect_eq(get(UART_IIR), UART_IIR_RDI);
    get(UART_RX);
    cr_expect_eq(get(UART_IIR), UART_IIR_NO_INT);
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 1);
    set(UART_IER, UART_IER_THRI);
    cr_expect_eq(get(UART_IIR), UART_IIR_THRI);
    cr_expect_eq(get(UART_IIR), UART_IIR_NO_INT, "reading it was the acknowledgement");
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 2);
}

Test(serial, interrupts_by_message_once_a_cause)
{
    unsigned cap = root_capability(m->root, F, PCI_CAP_ID_MSI);
    machine_write(m, F, ROOT_CONFIG, cap + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
    machine_write(m, F, ROOT_CONFIG, cap + PCI_MSI_DATA_64, 4, 0x41);
    machine_write(m, F, ROOT_CONFIG, cap + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
    set(UART_IER, UART_IER_RDI);
    set(UART_TX, 'a');
    cr_expect_eq(m->message_count, 0, "OUT2 is its switch");
    set(UART_MCR, UART_MCR_OUT2);
    cr_expect_eq(m->message_count, 1);
    set(UART_TX, 'b');
    cr_expect_eq(m->message_count, 1, "the handler has not been there yet");
    get(UART_RX);
    get(UART_RX);
    set(UART_TX, 'c');
    cr_expect_eq(m->message_count, 2);
    cr_expect_eq(m->lines[F], 0);
}
