/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card as a bare guest sees it: found, its registers answer, its interrupts arrive as INTx, MSI and
 * MSI-X, and DMA goes both ways. Prints "ok …" or "FAIL …" a line each; ends QEMU with status 33 when all is
 * well.
 */
#include "exerciser.h"

enum {
    CARD = 0x0100, /* bus 1, device 0 */
    RELAY_ID = 0x58424753,
    COMMAND = 0x04,
    MEMORY_AND_MASTER = 6,
    INTX_DISABLE = 1 << 10,
    MSI_ADDRESS = 0xfee00000u,
    VECTOR = 0x50, /* of MSI; a multiple of 16 */
    MSIX_VECTOR = 0x70,
    LINE_VECTOR = 0x90, /* + pin of the I/O APIC */
    PATIENCE_MS = 5000,
};

static unsigned failures;
static struct exerciser ex;
static uint8_t memory[0x20000] __attribute__((aligned(4096)));

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (condition) {                                                                                     \
            print("ok ");                                                                                    \
        } else {                                                                                             \
            print("FAIL ");                                                                                  \
            failures++;                                                                                      \
        }                                                                                                    \
        print(__VA_ARGS__);                                                                                  \
        print("\n");                                                                                         \
    } while (0)

/* ---- what's there ------------------------------------------------------------------------------- */

static void find_card(void)
{
    uint32_t relay = pci_read(CARD, 0);
    CHECK(relay == 0x51601209, "relay at 01:00.0, id %08x class %08x", relay, pci_read(CARD, 8));
    for (unsigned f = CARD + 1; f < CARD + 8 && !ex.function; f++) {
        if (pci_read(f, 0) == (EXERCISER_DEVICE << 16 | EXERCISER_VENDOR)) {
            ex = (struct exerciser){f, pci_read(f, 0x10) & ~15u, pci_read(f, 0x18) & ~15u};
        }
    }
    CHECK(ex.function, "exerciser at function %u, BARs %08x %08x", ex.function & 7, ex.bar0, ex.bar2);
    if (!ex.function) {
        machine_exit(1);
    }
    pci_write(CARD, COMMAND, MEMORY_AND_MASTER);
    pci_write(ex.function, COMMAND, MEMORY_AND_MASTER);
    CHECK(pci_read(CARD + 7, 0) == PCI_NONE, "function 7 isn't there");
    uint32_t bar = pci_read(CARD, 0x10) & ~15u;
    CHECK(mmio_read(bar) == RELAY_ID, "relay's ID register %08x", mmio_read(bar));
}

static void registers(void)
{
    CHECK(ex_read(&ex, EX_ID) == EX_ID_VALUE, "exerciser's ID register %08x", ex_read(&ex, EX_ID));
    ex_write(&ex, EX_SCRATCH, 0x12345678);
    CHECK(ex_read(&ex, EX_SCRATCH) == 0x12345678, "scratch keeps %08x", ex_read(&ex, EX_SCRATCH));
    volatile uint8_t *bytes = (volatile uint8_t *)(uintptr_t)ex.bar2;
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(0x11 * (i + 1));
    }
    CHECK(mmio_read(ex.bar2) == 0x44332211 && mmio_read(ex.bar2 + 4) == 0x88776655,
          "bytes land in their places: %08x %08x", mmio_read(ex.bar2), mmio_read(ex.bar2 + 4));
    *(volatile uint16_t *)(uintptr_t)(ex.bar2 + 2) = 0xabcd;
    CHECK(bytes[2] == 0xcd && bytes[3] == 0xab && bytes[1] == 0x22 && bytes[4] == 0x55, "16-bit access");
    CHECK(*(volatile uint16_t *)(uintptr_t)(ex.bar2 + 3) == 0x55ab, "16-bit access across a DW");
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void raise(unsigned vector, unsigned vectors, unsigned count)
{
    ex_write(&ex, EX_IRQ_VECTOR, vector);
    ex_write(&ex, EX_IRQ_VECTORS, vectors);
    ex_write(&ex, EX_IRQ_COUNT, count);
    ex_write(&ex, EX_IRQ_GO, 1);
}

static void msi(void)
{
    unsigned cap = pci_capability(ex.function, 5);
    CHECK(cap, "MSI capability at %02x", cap);
    pci_write(ex.function, cap + 4, MSI_ADDRESS);
    pci_write(ex.function, cap + 8, 0);
    pci_write(ex.function, cap + 12, VECTOR);
    uint32_t control = pci_read(ex.function, cap);
    CHECK((control >> 17 & 7) == 4, "16 MSI vectors are offered");
    pci_write(ex.function, cap, (control & ~(7u << 20)) | 4 << 20 | 1 << 16);
    raise(0, 1, 1);
    CHECK(wait_for(VECTOR, 1, PATIENCE_MS), "MSI: vector %x came", VECTOR);
    raise(0, 16, 16);
    unsigned came = 0;
    for (unsigned i = 0; i < 16; i++) {
        came += wait_for(VECTOR + i, i ? 1 : 2, PATIENCE_MS);
    }
    CHECK(came == 16, "MSI: %u of 16 vectors came", came);

    pci_write(ex.function, cap + 16, 1 << 3); /* mask vector 3 */
    raise(3, 1, 1);
    wait_ms(5);
    CHECK(interrupts[VECTOR + 3] == 1 && pci_read(ex.function, cap + 20) == 1 << 3, "MSI: masked, pending %x",
          pci_read(ex.function, cap + 20));
    pci_write(ex.function, cap + 16, 0);
    CHECK(wait_for(VECTOR + 3, 2, PATIENCE_MS) && pci_read(ex.function, cap + 20) == 0,
          "MSI: comes when unmasked");
    pci_write(ex.function, cap, control & ~(1u << 16));
}

static void msix(void)
{
    unsigned cap = pci_capability(ex.function, 0x11);
    CHECK(cap, "MSI-X capability at %02x", cap);
    uint32_t table = ex.bar0 + (pci_read(ex.function, cap + 4) & ~7u);
    uint32_t pending = ex.bar0 + (pci_read(ex.function, cap + 8) & ~7u);
    CHECK((mmio_read(table + 12) & 1) == 1, "MSI-X: vectors start masked");
    for (unsigned i = 0; i < EXERCISER_VECTORS; i++) {
        mmio_write(table + 16 * i, MSI_ADDRESS);
        mmio_write(table + 16 * i + 4, 0);
        mmio_write(table + 16 * i + 8, MSIX_VECTOR + i);
        mmio_write(table + 16 * i + 12, 0);
    }
    CHECK(mmio_read(table + 16 * 5 + 8) == MSIX_VECTOR + 5, "MSI-X: the table keeps what is written");
    uint32_t control = pci_read(ex.function, cap);
    pci_write(ex.function, cap, control | 1u << 31);
    raise(0, EXERCISER_VECTORS, EXERCISER_VECTORS);
    unsigned came = 0;
    for (unsigned i = 0; i < EXERCISER_VECTORS; i++) {
        came += wait_for(MSIX_VECTOR + i, 1, PATIENCE_MS);
    }
    CHECK(came == EXERCISER_VECTORS, "MSI-X: %u of %u vectors came", came, EXERCISER_VECTORS);

    mmio_write(table + 16 * 2 + 12, 1);
    raise(2, 1, 1);
    wait_ms(5);
    CHECK(interrupts[MSIX_VECTOR + 2] == 1 && mmio_read(pending) == 1 << 2, "MSI-X: masked, pending %x",
          mmio_read(pending));
    mmio_write(table + 16 * 2 + 12, 0);
    CHECK(wait_for(MSIX_VECTOR + 2, 2, PATIENCE_MS) && mmio_read(pending) == 0, "MSI-X: comes when unmasked");
    pci_write(ex.function, cap, control & ~(1u << 31));
}

static volatile bool acknowledge;

static void on_line(unsigned vector)
{
    if (vector >= LINE_VECTOR && vector < LINE_VECTOR + IOAPIC_PINS) {
        if (acknowledge) {
            ex_write(&ex, EX_IRQ_ACK, 1);
            (void)ex_read(&ex, EX_ID); /* flushes the write: the wire has fallen when this returns */
        } else if (interrupts[vector] >= 5) {
            ioapic_mask(vector - LINE_VECTOR, true);
        }
    }
}

static uint32_t lines_seen(unsigned *pin)
{
    uint32_t sum = 0;
    for (unsigned i = 16; i < IOAPIC_PINS; i++) {
        if (interrupts[LINE_VECTOR + i]) {
            sum += interrupts[LINE_VECTOR + i];
            *pin = i;
        }
    }
    return sum;
}

static void intx(void)
{
    unsigned pin = 0;
    on_vector = on_line;
    acknowledge = true;
    for (unsigned i = 16; i < IOAPIC_PINS; i++) {
        ioapic_route(i, LINE_VECTOR + i);
    }
    raise(0, 1, 1);
    for (unsigned i = 0; i < PATIENCE_MS && !lines_seen(&pin); i++) {
        wait_ms(1);
    }
    CHECK(lines_seen(&pin), "INTx: came at pin %u of the I/O APIC", pin);
    wait_ms(20);
    unsigned vector = LINE_VECTOR + pin;
    CHECK(interrupts[vector] == 1, "INTx: %u time for one acknowledged", interrupts[vector]);
    CHECK(!(pci_read(ex.function, COMMAND) >> 16 & 8), "INTx: status says it's released");

    for (unsigned i = 2; i <= 50; i++) {
        raise(0, 1, 1);
        if (!wait_for(vector, i, PATIENCE_MS)) {
            break;
        }
    }
    wait_ms(5);
    CHECK(interrupts[vector] == 50, "INTx: %u of 50", interrupts[vector]);

    /* Nobody acknowledges: the level stays, and the interrupt comes again until the pin is masked. */
    acknowledge = false;
    interrupts[vector] = 0;
    raise(0, 1, 1);
    CHECK(wait_for(vector, 5, PATIENCE_MS), "INTx: a level that stays comes again");
    wait_ms(5);
    CHECK(interrupts[vector] == 5, "INTx: nothing while the pin is masked");
    ex_write(&ex, EX_IRQ_ACK, 1);
    (void)ex_read(&ex, EX_ID);
    wait_ms(20);
    ioapic_mask(pin, false);
    wait_ms(20);
    CHECK(interrupts[vector] == 5, "INTx: nothing more once released (%u)", interrupts[vector] - 5);

    /* The function falls silent by itself, without an access of ours: the card takes the line down. */
    ex_write(&ex, EX_IRQ_PIN, 1);
    wait_for(vector, 6, PATIENCE_MS);
    pci_write(ex.function, COMMAND, MEMORY_AND_MASTER | INTX_DISABLE);
    wait_ms(50);
    interrupts[vector] = 0;
    ioapic_mask(pin, false);
    wait_ms(20);
    CHECK(interrupts[vector] == 0, "INTx: Interrupt Disable takes the line down");
    pci_write(ex.function, COMMAND, MEMORY_AND_MASTER);
    CHECK(wait_for(vector, 1, PATIENCE_MS), "INTx: and up again");
    ex_write(&ex, EX_IRQ_ACK, 1);
    (void)ex_read(&ex, EX_ID);
    ioapic_mask(pin, true);
    on_vector = 0;
}

/* ---- DMA ---------------------------------------------------------------------------------------- */

static uint32_t dma(uint32_t command, void *at, uint32_t bytes, uint32_t seed)
{
    ex_write(&ex, EX_DMA_ADDR_LO, (uint32_t)(uintptr_t)at);
    ex_write(&ex, EX_DMA_ADDR_HI, 0);
    ex_write(&ex, EX_DMA_OFFSET, 0);
    ex_write(&ex, EX_DMA_BYTES, bytes);
    ex_write(&ex, EX_DMA_SEED, seed);
    ex_write(&ex, EX_DMA_COMMAND, command);
    uint32_t status = EX_DMA_BUSY;
    for (unsigned i = 0; i < PATIENCE_MS && status & EX_DMA_BUSY; i++) {
        status = ex_read(&ex, EX_DMA_STATUS);
        if (status & EX_DMA_BUSY) {
            wait_ms(1);
        }
    }
    return status;
}

static bool written(unsigned offset, unsigned bytes, unsigned seed)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < sizeof memory; i++) {
        bool inside = i >= offset && i < offset + bytes;
        wrong += memory[i] != (inside ? exerciser_pattern(seed, i - offset) : 0xee);
    }
    return wrong == 0;
}

static void dma_both_ways(void)
{
    static const struct {
        unsigned offset, bytes;
    } cases[] = {{0, 4},        {1, 1},      {3, 2},        {5, 27},         {0x7c, 8},   {0xffd, 7},
                 {0x1000, 128}, {0x33, 513}, {0xff1, 4099}, {0x123, 0xfedc}, {0, 0x10000}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned offset = cases[i].offset, bytes = cases[i].bytes;
        for (unsigned k = 0; k < sizeof memory; k++) {
            memory[k] = 0xee;
        }
        uint32_t status = dma(EX_DMA_FILL, memory + offset, bytes, 100 + i);
        bool wrote = status == EX_DMA_DONE && written(offset, bytes, 100 + i);
        status = dma(EX_DMA_CHECK, memory + offset, bytes, 100 + i);
        bool read = status == EX_DMA_DONE && ex_read(&ex, EX_DMA_MISMATCHES) == 0;
        memory[offset + bytes / 2] ^= 1;
        dma(EX_DMA_CHECK, memory + offset, bytes, 100 + i);
        bool notices = ex_read(&ex, EX_DMA_MISMATCHES) == 1;
        CHECK(wrote && read && notices, "DMA of %u bytes at +%x: written %u, read %u, checked %u", bytes,
              offset, wrote, read, notices);
    }
    uint32_t status = dma(EX_DMA_READ, (void *)0xd0000000u, 64, 0);
    CHECK(status & EX_DMA_FAILED, "DMA: a read of what isn't there is refused (%x)", status);
    pci_write(ex.function, COMMAND, 2);
    ex_write(&ex, EX_DMA_ADDR_LO, (uint32_t)(uintptr_t)memory);
    ex_write(&ex, EX_DMA_BYTES, 4);
    ex_write(&ex, EX_DMA_COMMAND, EX_DMA_FILL);
    wait_ms(5);
    CHECK(ex_read(&ex, EX_DMA_STATUS) == EX_DMA_BUSY, "DMA: waits without bus mastering");
    pci_write(ex.function, COMMAND, MEMORY_AND_MASTER);
    wait_ms(5);
    CHECK(ex_read(&ex, EX_DMA_STATUS) == EX_DMA_DONE, "DMA: and goes on with it");
}

static void function_level_reset(void)
{
    unsigned cap = pci_capability(ex.function, 0x10);
    uint32_t bar0 = pci_read(ex.function, 0x10), bar2 = pci_read(ex.function, 0x18),
             bar3 = pci_read(ex.function, 0x1c);
    CHECK(cap && pci_read(ex.function, cap + 4) >> 28 & 1, "function-level reset is offered");
    ex_write(&ex, EX_SCRATCH, 1);
    ex_write(&ex, EX_IRQ_PIN, 1);
    pci_write(ex.function, cap + 8, (pci_read(ex.function, cap + 8) & 0xffff) | 1 << 15);
    pci_write(ex.function, 0x10, bar0);
    pci_write(ex.function, 0x18, bar2);
    pci_write(ex.function, 0x1c, bar3);
    pci_write(ex.function, COMMAND, MEMORY_AND_MASTER);
    CHECK(ex_read(&ex, EX_SCRATCH) == 0 && ex_read(&ex, EX_IRQ_PIN) == 0, "function-level reset");
}

int main(void);

int main(void)
{
    machine_init();
    find_card();
    registers();
    msi();
    msix();
    intx();
    dma_both_ways();
    function_level_reset();
    print("%s\n", failures ? "FAILED" : "PASSED");
    machine_exit(failures ? 1 : 16);
}
