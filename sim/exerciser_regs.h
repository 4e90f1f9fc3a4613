/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of the exerciser, as its drivers and tests see them. docs/manual/simulation.md has them as a
 * table. 32-bit little-endian, accesses of 32 bits; reads have no side effects; what isn't named reads 0.
 *
 * BAR 0 (16 KiB, 32-bit): registers, MSI-X table at 0x1000, pending bits at 0x1800.
 * BAR 2 (64 KiB, 64-bit, prefetchable): the buffer that DMA reads into and writes from.
 */
#ifndef EXERCISER_REGS_H
#define EXERCISER_REGS_H

enum {
    EXERCISER_VENDOR = 0x1209,
    EXERCISER_DEVICE = 0x5161,
    EXERCISER_BUFFER_BYTES = 0x10000,
    EXERCISER_VECTORS = 16, /* of MSI and of MSI-X */

    EX_ID = 0x000, /* ro: EX_ID_VALUE, "SBEX" */
    EX_ID_VALUE = 0x58454253,
    EX_SCRATCH = 0x004, /* rw: no effect */

    /* Interrupts: BURST of them every PERIOD, until COUNT were raised. */
    EX_IRQ_VECTOR = 0x010,    /* rw: first vector */
    EX_IRQ_VECTORS = 0x014,   /* rw: how many vectors to take in turn; 0 counts as 1 */
    EX_IRQ_COUNT = 0x018,     /* rw: how many to raise; 0: until stopped */
    EX_IRQ_DELAY_NS = 0x01c,  /* rw: before the first */
    EX_IRQ_PERIOD_NS = 0x020, /* rw: from burst to burst; 0: as fast as the simulation goes */
    EX_IRQ_BURST = 0x024,     /* rw: how many at once; 0 counts as 1 */
    EX_IRQ_GO = 0x028,        /* rw: 1 starts, 0 stops; reads 1 while running */
    EX_IRQ_RAISED = 0x02c,    /* ro: raised since the last start */
    EX_IRQ_ACK = 0x030,       /* wo: takes the INTx pin down, as a driver's handler would */
    EX_IRQ_PIN = 0x034,       /* rw: level of the INTx pin */
    EX_IRQ_ACKED = 0x038,     /* ro: writes of EX_IRQ_ACK */

    /* Misbehaviour, as long as the bit is set. */
    EX_MISBEHAVE = 0x040,
    EX_STUCK = 1 << 0,            /* EX_IRQ_ACK has no effect: an INTx storm */
    EX_POISON = 1 << 1,           /* message interrupts are poisoned */
    EX_WRONG_REQUESTER = 1 << 2,  /* message interrupts carry EX_REQUESTER */
    EX_MUTE = 1 << 3,             /* reads of the BARs get no completion: the host's request times out */
    EX_NO_SNOOP_RELAXED = 1 << 4, /* message interrupts have RO and NS set */
    EX_REQUESTER = 0x044,

    /* DMA between the buffer and host memory. */
    EX_DMA_ADDR_LO = 0x080,
    EX_DMA_ADDR_HI = 0x084,
    EX_DMA_OFFSET = 0x088, /* rw: in the buffer */
    EX_DMA_BYTES = 0x08c,
    EX_DMA_COMMAND = 0x090,    /* wo: starts; refused while busy */
    EX_DMA_READ = 1,           /* host memory to buffer */
    EX_DMA_WRITE = 2,          /* buffer to host memory */
    EX_DMA_FILL = 3,           /* a pattern from EX_DMA_SEED into the buffer, then as EX_DMA_WRITE */
    EX_DMA_CHECK = 4,          /* as EX_DMA_READ, then compares with the pattern */
    EX_DMA_INTERRUPT = 1 << 8, /* with a command: raise EX_IRQ_VECTOR when done */
    EX_DMA_STATUS = 0x094,     /* ro */
    EX_DMA_BUSY = 1 << 0,
    EX_DMA_DONE = 1 << 1,
    EX_DMA_FAILED = 1 << 2,   /* with the engine's result in bits 15:8 */
    EX_DMA_REJECTED = 1 << 3, /* the last command was: busy, or out of the buffer */
    EX_DMA_SEED = 0x098,
    EX_DMA_MISMATCHES = 0x09c, /* ro: bytes that differed in the last check */

    /* A TLP of any bits: EX_RAW_SEND sends the first n DW of EX_RAW. */
    EX_RAW_SEND = 0x0c0,
    EX_RAW_SENT = 0x0c4, /* ro */
    EX_RAW = 0x100,      /* rw: EX_RAW_DW of them */
    EX_RAW_DW = 64,

    EX_MSIX_TABLE = 0x1000,
    EX_MSIX_PENDING = 0x1800,
    EX_BAR0_BYTES = 0x4000,
};

/* Byte i of the pattern of a seed. */
static inline unsigned char exerciser_pattern(unsigned seed, unsigned i)
{
    unsigned x = (seed + i) * 0x9e3779b1u;
    return (unsigned char)(x >> 24 ^ x >> 11);
}

#endif
