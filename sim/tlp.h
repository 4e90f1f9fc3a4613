/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transaction layer packets: pack, unpack, check, print (PCIe Base 5.0, 2.2).
 *
 * A packed TLP is an array of DW in specification bit order: bits 31:24 of DW0 are Fmt and Type. Payload DW
 * hold byte 0 of memory in bits 31:24. A digest, where TD is set, is the last DW.
 */
#ifndef TLP_H
#define TLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TLP_MAX_PAYLOAD_DW = 1024,
    TLP_MAX_DW = 4 + TLP_MAX_PAYLOAD_DW + 1,
    TLP_PRINT_SIZE = 192, /* room tlp_print needs at most */
};

enum tlp_kind {
    TLP_MRD,
    TLP_MRDLK,
    TLP_MWR,
    TLP_IORD,
    TLP_IOWR,
    TLP_CFGRD0,
    TLP_CFGWR0,
    TLP_CFGRD1,
    TLP_CFGWR1,
    TLP_MSG,
    TLP_MSGD,
    TLP_CPL,
    TLP_CPLD,
    TLP_CPLLK,
    TLP_CPLDLK,
    TLP_FETCHADD,
    TLP_SWAP,
    TLP_CAS,
    TLP_KINDS
};

/* What ordering and flow control know (2.4, 2.6). */
enum tlp_class { TLP_POSTED, TLP_NONPOSTED, TLP_COMPLETION, TLP_CLASSES };

enum tlp_status { TLP_SC = 0, TLP_UR = 1, TLP_CRS = 2, TLP_CA = 4 };

/* Routing of a message: Type bits 2:0 (2.2.8). */
enum tlp_routing { TLP_TO_ROOT, TLP_BY_ADDRESS, TLP_BY_ID, TLP_BROADCAST, TLP_LOCAL, TLP_GATHERED };

enum tlp_message {
    TLP_UNLOCK = 0x00,
    TLP_LTR = 0x10,
    TLP_OBFF = 0x12,
    TLP_PM_ACTIVE_STATE_NAK = 0x14,
    TLP_PM_PME = 0x18,
    TLP_PME_TURN_OFF = 0x19,
    TLP_PME_TO_ACK = 0x1b,
    TLP_ASSERT_INTA = 0x20, /* to INTD: 0x23 */
    TLP_DEASSERT_INTA = 0x24,
    TLP_ERR_COR = 0x30,
    TLP_ERR_NONFATAL = 0x31,
    TLP_ERR_FATAL = 0x33,
    TLP_SET_SLOT_POWER_LIMIT = 0x50,
    TLP_PTM_REQUEST = 0x52,
    TLP_PTM_RESPONSE = 0x53,
    TLP_VENDOR_0 = 0x7e,
    TLP_VENDOR_1 = 0x7f,
};

enum tlp_error {
    TLP_OK = 0,
    TLP_E_SHORT,        /* fewer DW than the header has */
    TLP_E_PREFIX,       /* begins with a TLP prefix, which nobody here negotiated (2.2.10) */
    TLP_E_TYPE,         /* no such Fmt and Type */
    TLP_E_LENGTH,       /* Length field and DW disagree, or a length that the kind can't have */
    TLP_E_PAYLOAD,      /* payload above Max_Payload_Size */
    TLP_E_BYTE_ENABLES, /* 2.2.5 */
    TLP_E_4K,           /* crosses a 4 KiB line (2.2.7) */
    TLP_E_ALIGNMENT,    /* an atomic's address isn't a multiple of its operand */
    TLP_E_FIELD,        /* TC, Attr or AT not 0 where they have to be */
    TLP_E_ROUTING,      /* a message routed as its code doesn't allow */
    TLP_E_INTX,         /* INTx message with a function number (2.2.8.1) */
    TLP_ERRORS
};

struct tlp {
    enum tlp_kind kind;
    uint8_t tc;
    uint8_t at;
    bool ido;
    bool ro;
    bool ns;
    bool th;
    bool td;
    bool ep;
    bool addr64;     /* 4-DW header; of memory requests and atomics */
    uint16_t length; /* DW of payload, or asked for: 1 to 1024; 0 when the kind has none */

    uint16_t requester; /* bus 15:8, device 7:3, function 2:0 */
    uint16_t tag;       /* 10 bits */
    uint8_t first_be;
    uint8_t last_be;

    uint64_t address;    /* memory, I/O, atomics: a multiple of 4 */
    uint16_t target;     /* configuration: whom */
    uint16_t reg;        /* configuration: byte offset, a multiple of 4 below 4096 */
    uint8_t code;        /* messages: enum tlp_message */
    uint8_t routing;     /* messages: enum tlp_routing */
    uint32_t message[2]; /* messages: DW2 and DW3 */

    uint16_t completer;
    uint8_t status; /* enum tlp_status */
    bool bcm;
    uint16_t byte_count;   /* 1 to 4096 */
    uint8_t lower_address; /* 7 bits */

    const uint32_t *payload; /* length DW, or null */
    uint32_t digest;
};

/* Kinds with data in the packet (not: that ask for data). */
bool tlp_has_data(enum tlp_kind kind);
enum tlp_class tlp_class(enum tlp_kind kind);
const char *tlp_kind_name(enum tlp_kind kind);
const char *tlp_error_text(enum tlp_error error);

/*
 * Writes the TLP as it's told, well formed or not, and returns its DW.
 * @pre t->kind < TLP_KINDS; dw has room for TLP_MAX_DW; t->payload has t->length DW when the kind has data
 */
size_t tlp_pack(const struct tlp *t, uint32_t *dw);

/*
 * Reads a TLP; out->payload points into dw. Checks only what it needs not to read beyond n: tlp_check says
 * whether a receiver may take it.
 */
enum tlp_error tlp_unpack(struct tlp *out, const uint32_t *dw, size_t n);

/*
 * Whether a receiver finds the TLP well formed. max_payload: its Max_Payload_Size in bytes.
 */
enum tlp_error tlp_check(const uint32_t *dw, size_t n, unsigned max_payload);

/*
 * One line, no newline: kind, who, to where, what, and every field that isn't at its usual value.
 * @pre size >= TLP_PRINT_SIZE
 */
void tlp_print(char *text, size_t size, const struct tlp *t);

/*
 * Sets address, addr64, length and byte enables of a memory request for bytes at address.
 * @pre 1 <= bytes; the range doesn't cross a 4 KiB line
 */
void tlp_set_range(struct tlp *t, uint64_t address, size_t bytes);

/* Bytes that the byte enables of a request span, and how many bytes into its first DW they start. */
unsigned tlp_be_offset(const struct tlp *t);
unsigned tlp_be_bytes(const struct tlp *t);

/* The completion that answers a request: copies what 2.2.9 and 2.3.1.1 say; no data yet. */
struct tlp tlp_completion(const struct tlp *request, uint16_t completer, enum tlp_status status);

/* Copies bytes out of and into payload DW; offset in bytes from the start of the payload. */
void tlp_get_bytes(const uint32_t *payload, size_t offset, void *bytes, size_t n);
void tlp_put_bytes(uint32_t *payload, size_t offset, const void *bytes, size_t n);

#endif
