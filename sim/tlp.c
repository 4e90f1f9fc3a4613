/* SPDX-License-Identifier: BSD-2-Clause */
#include "tlp.h"

#include <byteswap.h>
#include <string.h>

enum form { MEMORY, IO, CONFIG, MESSAGE, COMPLETION };

/* Fmt bits: 0 = 4-DW header, 1 = with data (2.2.1). */
enum { FMT_4DW = 1, FMT_DATA = 2, FMT_PREFIX = 4 };

static const struct {
    const char *name;
    uint8_t type; /* 5 bits; of messages without the routing bits */
    enum form form;
    bool data;
    enum tlp_class class;
} kinds[TLP_KINDS] = {
    [TLP_MRD] = {"MRd", 0x00, MEMORY, false, TLP_NONPOSTED},
    [TLP_MRDLK] = {"MRdLk", 0x01, MEMORY, false, TLP_NONPOSTED},
    [TLP_MWR] = {"MWr", 0x00, MEMORY, true, TLP_POSTED},
    [TLP_IORD] = {"IORd", 0x02, IO, false, TLP_NONPOSTED},
    [TLP_IOWR] = {"IOWr", 0x02, IO, true, TLP_NONPOSTED},
    [TLP_CFGRD0] = {"CfgRd0", 0x04, CONFIG, false, TLP_NONPOSTED},
    [TLP_CFGWR0] = {"CfgWr0", 0x04, CONFIG, true, TLP_NONPOSTED},
    [TLP_CFGRD1] = {"CfgRd1", 0x05, CONFIG, false, TLP_NONPOSTED},
    [TLP_CFGWR1] = {"CfgWr1", 0x05, CONFIG, true, TLP_NONPOSTED},
    [TLP_MSG] = {"Msg", 0x10, MESSAGE, false, TLP_POSTED},
    [TLP_MSGD] = {"MsgD", 0x10, MESSAGE, true, TLP_POSTED},
    [TLP_CPL] = {"Cpl", 0x0a, COMPLETION, false, TLP_COMPLETION},
    [TLP_CPLD] = {"CplD", 0x0a, COMPLETION, true, TLP_COMPLETION},
    [TLP_CPLLK] = {"CplLk", 0x0b, COMPLETION, false, TLP_COMPLETION},
    [TLP_CPLDLK] = {"CplDLk", 0x0b, COMPLETION, true, TLP_COMPLETION},
    [TLP_FETCHADD] = {"FetchAdd", 0x0c, MEMORY, true, TLP_NONPOSTED},
    [TLP_SWAP] = {"Swap", 0x0d, MEMORY, true, TLP_NONPOSTED},
    [TLP_CAS] = {"CAS", 0x0e, MEMORY, true, TLP_NONPOSTED},
};

static const char *const error_texts[TLP_ERRORS] = {
    [TLP_OK] = "well formed",
    [TLP_E_SHORT] = "shorter than its header",
    [TLP_E_PREFIX] = "begins with a TLP prefix",
    [TLP_E_TYPE] = "unknown Fmt and Type",
    [TLP_E_LENGTH] = "wrong length",
    [TLP_E_PAYLOAD] = "payload above Max_Payload_Size",
    [TLP_E_BYTE_ENABLES] = "byte enables not allowed",
    [TLP_E_4K] = "crosses a 4 KiB line",
    [TLP_E_ALIGNMENT] = "atomic operand not aligned",
    [TLP_E_FIELD] = "TC, Attr or AT not 0",
    [TLP_E_ROUTING] = "message with wrong routing",
    [TLP_E_INTX] = "INTx message with a function number",
};

bool tlp_has_data(enum tlp_kind kind)
{
    return kinds[kind].data;
}

enum tlp_class tlp_class(enum tlp_kind kind)
{
    return kinds[kind].class;
}

const char *tlp_kind_name(enum tlp_kind kind)
{
    return kinds[kind].name;
}

const char *tlp_error_text(enum tlp_error error)
{
    return (unsigned)error < TLP_ERRORS ? error_texts[error] : "unknown error";
}

/* Messages and atomics carry Length like memory requests do; a message or completion without data has none.
 */
static bool has_length(enum tlp_kind kind)
{
    return kinds[kind].data || kinds[kind].form < MESSAGE;
}

size_t tlp_pack(const struct tlp *t, uint32_t *dw)
{
    enum form form = kinds[t->kind].form;
    bool data = kinds[t->kind].data;
    bool four = form == MESSAGE || (form == MEMORY && t->addr64);
    uint32_t fmt = (four ? FMT_4DW : 0u) | (data ? FMT_DATA : 0u);
    uint32_t type = kinds[t->kind].type | (form == MESSAGE ? t->routing & 7u : 0u);
    uint32_t length = has_length(t->kind) ? t->length & 0x3ffu : 0;

    dw[0] = fmt << 29 | type << 24 | (uint32_t)(t->tag >> 9 & 1) << 23 | (t->tc & 7u) << 20 |
            (uint32_t)(t->tag >> 8 & 1) << 19 | (uint32_t)t->ido << 18 | (uint32_t)t->th << 16 |
            (uint32_t)t->td << 15 | (uint32_t)t->ep << 14 | (uint32_t)t->ro << 13 | (uint32_t)t->ns << 12 |
            (t->at & 3u) << 10 | length;
    if (form == COMPLETION) {
        dw[1] = (uint32_t)t->completer << 16 | (t->status & 7u) << 13 | (uint32_t)t->bcm << 12 |
                (t->byte_count & 0xfffu);
        dw[2] = (uint32_t)t->requester << 16 | (t->tag & 0xffu) << 8 | (t->lower_address & 0x7fu);
    } else {
        dw[1] = (uint32_t)t->requester << 16 | (t->tag & 0xffu) << 8 |
                (form == MESSAGE ? (uint32_t)t->code : (t->last_be & 15u) << 4 | (t->first_be & 15u));
        if (form == CONFIG) {
            dw[2] = (uint32_t)t->target << 16 | (t->reg & 0xffcu);
        } else if (form == MESSAGE) {
            dw[2] = t->message[0];
            dw[3] = t->message[1];
        } else if (four) {
            dw[2] = (uint32_t)(t->address >> 32);
            dw[3] = (uint32_t)t->address & ~3u;
        } else {
            dw[2] = (uint32_t)t->address & ~3u;
        }
    }
    size_t n = four ? 4 : 3;
    if (data && t->length) {
        memcpy(dw + n, t->payload, t->length * sizeof *dw);
        n += t->length;
    }
    if (t->td) {
        dw[n++] = t->digest;
    }
    return n;
}

/* Kind by Fmt and Type; TLP_KINDS if there is no such. */
static enum tlp_kind find_kind(unsigned fmt, unsigned type)
{
    if (fmt & FMT_PREFIX) {
        return TLP_KINDS;
    }
    bool data = fmt & FMT_DATA, four = fmt & FMT_4DW;
    for (unsigned k = 0; k < TLP_KINDS; k++) {
        unsigned routing = kinds[k].form == MESSAGE ? 7 : 0;
        if (kinds[k].type == (type & ~routing) && kinds[k].data == data) {
            bool fits = kinds[k].form == MEMORY || four == (kinds[k].form == MESSAGE);
            return fits ? (enum tlp_kind)k : TLP_KINDS;
        }
    }
    return TLP_KINDS;
}

enum tlp_error tlp_unpack(struct tlp *out, const uint32_t *dw, size_t n)
{
    *out = (struct tlp){0};
    if (n < 1) {
        return TLP_E_SHORT;
    }
    unsigned fmt = dw[0] >> 29;
    enum tlp_kind kind = find_kind(fmt, dw[0] >> 24 & 31);
    if (fmt & FMT_PREFIX) {
        return TLP_E_PREFIX;
    }
    if (kind == TLP_KINDS) {
        return TLP_E_TYPE;
    }
    size_t header = fmt & FMT_4DW ? 4 : 3;
    if (n < header) {
        return TLP_E_SHORT;
    }
    enum form form = kinds[kind].form;
    *out = (struct tlp){
        .kind = kind,
        .tc = dw[0] >> 20 & 7,
        .at = dw[0] >> 10 & 3,
        .ido = dw[0] >> 18 & 1,
        .ro = dw[0] >> 13 & 1,
        .ns = dw[0] >> 12 & 1,
        .th = dw[0] >> 16 & 1,
        .td = dw[0] >> 15 & 1,
        .ep = dw[0] >> 14 & 1,
        .tag = (uint16_t)((dw[0] >> 23 & 1) << 9 | (dw[0] >> 19 & 1) << 8),
    };
    if (has_length(kind)) {
        unsigned length = dw[0] & 0x3ff;
        out->length = (uint16_t)(length ? length : 1024);
    }
    if (form == COMPLETION) {
        out->completer = (uint16_t)(dw[1] >> 16);
        out->status = dw[1] >> 13 & 7;
        out->bcm = dw[1] >> 12 & 1;
        unsigned count = dw[1] & 0xfff;
        out->byte_count = (uint16_t)(count ? count : 4096);
        out->requester = (uint16_t)(dw[2] >> 16);
        out->tag |= dw[2] >> 8 & 0xff;
        out->lower_address = dw[2] & 0x7f;
    } else {
        out->requester = (uint16_t)(dw[1] >> 16);
        out->tag |= dw[1] >> 8 & 0xff;
        if (form == MESSAGE) {
            out->code = dw[1] & 0xff;
            out->routing = dw[0] >> 24 & 7;
            out->message[0] = dw[2];
            out->message[1] = dw[3];
        } else {
            out->last_be = dw[1] >> 4 & 15;
            out->first_be = dw[1] & 15;
        }
        if (form == CONFIG) {
            out->target = (uint16_t)(dw[2] >> 16);
            out->reg = dw[2] & 0xffc;
        } else if (form != MESSAGE) {
            out->addr64 = header == 4;
            out->address = out->addr64 ? (uint64_t)dw[2] << 32 | (dw[3] & ~3u) : dw[2] & ~3u;
        }
    }
    size_t data = kinds[kind].data ? out->length : 0;
    if (n != header + data + out->td) {
        return TLP_E_LENGTH;
    }
    out->payload = data ? dw + header : NULL;
    out->digest = out->td ? dw[n - 1] : 0;
    return TLP_OK;
}

/* ---- well-formedness ---------------------------------------------------------------------------- */

static bool upward_from_any(unsigned be) /* 1111, 1110, 1100, 1000 */
{
    return be == 0xf || be == 0xe || be == 0xc || be == 0x8;
}

static bool downward_to_any(unsigned be) /* 1111, 0111, 0011, 0001 */
{
    return be == 0xf || be == 0x7 || be == 0x3 || be == 0x1;
}

/* 2.2.5. A length of one DW may have any first byte enables, even none (a zero-length read or write). */
static bool byte_enables_allowed(const struct tlp *t)
{
    if (t->length == 1) {
        return t->last_be == 0;
    }
    if (t->first_be == 0 || t->last_be == 0) {
        return false;
    }
    if (t->length == 2 && (t->address & 7) == 0) {
        return true; /* one aligned QW may have holes */
    }
    return upward_from_any(t->first_be) && downward_to_any(t->last_be);
}

static enum tlp_error check_atomic(const struct tlp *t)
{
    unsigned operands = t->kind == TLP_CAS ? 2 : 1;
    unsigned smallest = operands, largest = t->kind == TLP_CAS ? 8 : 2;
    if (t->length < smallest || t->length > largest || (t->length & (t->length - 1))) {
        return TLP_E_LENGTH;
    }
    if (t->address % (t->length / operands * 4u)) {
        return TLP_E_ALIGNMENT;
    }
    return TLP_OK;
}

static enum tlp_error check_memory(const struct tlp *t)
{
    if (t->kind == TLP_FETCHADD || t->kind == TLP_SWAP || t->kind == TLP_CAS) {
        return check_atomic(t);
    }
    /* With TH the byte enable fields of a read carry a steering tag (2.2.7.1). */
    if (!(t->th && t->kind != TLP_MWR) && !byte_enables_allowed(t)) {
        return TLP_E_BYTE_ENABLES;
    }
    if ((t->address & 0xfff) + t->length * 4u > 4096) {
        return TLP_E_4K;
    }
    return TLP_OK;
}

/* I/O and configuration: one DW, nothing special (2.2.7.1). */
static enum tlp_error check_single(const struct tlp *t)
{
    if (t->length != 1) {
        return TLP_E_LENGTH;
    }
    if (t->last_be) {
        return TLP_E_BYTE_ENABLES;
    }
    if (t->tc || t->ido || t->ro || t->ns || t->at) {
        return TLP_E_FIELD;
    }
    return TLP_OK;
}

/* Routings that a message code allows, as a bit mask (2.2.8, tables of messages). 0: code unknown. */
static unsigned routings_of(unsigned code)
{
    switch (code) {
    case TLP_UNLOCK:
    case TLP_PME_TURN_OFF:
        return 1u << TLP_BROADCAST;
    case TLP_PM_PME:
    case TLP_ERR_COR:
    case TLP_ERR_NONFATAL:
    case TLP_ERR_FATAL:
        return 1u << TLP_TO_ROOT;
    case TLP_PME_TO_ACK:
        return 1u << TLP_GATHERED;
    case TLP_LTR:
    case TLP_OBFF:
    case TLP_PM_ACTIVE_STATE_NAK:
    case TLP_SET_SLOT_POWER_LIMIT:
    case TLP_PTM_REQUEST:
    case TLP_PTM_RESPONSE:
        return 1u << TLP_LOCAL;
    case TLP_VENDOR_0:
    case TLP_VENDOR_1:
        return 1u << TLP_TO_ROOT | 1u << TLP_BY_ID | 1u << TLP_BROADCAST | 1u << TLP_LOCAL;
    default:
        return code >= TLP_ASSERT_INTA && code < TLP_DEASSERT_INTA + 4 ? 1u << TLP_LOCAL : 0;
    }
}

static enum tlp_error check_message(const struct tlp *t)
{
    if (t->routing > TLP_GATHERED) {
        return TLP_E_ROUTING;
    }
    unsigned allowed = routings_of(t->code);
    if (!allowed) {
        return TLP_OK; /* an unknown code is an Unsupported Request, not malformed (2.3.1) */
    }
    if (!(allowed & 1u << t->routing)) {
        return TLP_E_ROUTING;
    }
    bool vendor = t->code == TLP_VENDOR_0 || t->code == TLP_VENDOR_1;
    if (!vendor && t->tc) {
        return TLP_E_FIELD;
    }
    bool intx = t->code >= TLP_ASSERT_INTA && t->code < TLP_DEASSERT_INTA + 4;
    bool data = t->kind == TLP_MSGD;
    if (!vendor && data != (t->code == TLP_SET_SLOT_POWER_LIMIT) && t->code != TLP_PTM_RESPONSE) {
        return TLP_E_TYPE;
    }
    if (t->code == TLP_SET_SLOT_POWER_LIMIT && t->length != 1) {
        return TLP_E_LENGTH;
    }
    if (intx && (t->requester & 7)) {
        return TLP_E_INTX;
    }
    return TLP_OK;
}

enum tlp_error tlp_check(const uint32_t *dw, size_t n, unsigned max_payload)
{
    struct tlp t;
    enum tlp_error error = tlp_unpack(&t, dw, n);
    if (error) {
        return error;
    }
    if (kinds[t.kind].data && t.length * 4u > max_payload) {
        return TLP_E_PAYLOAD;
    }
    switch (kinds[t.kind].form) {
    case MEMORY:
        return check_memory(&t);
    case IO:
    case CONFIG:
        return check_single(&t);
    case MESSAGE:
        return check_message(&t);
    default:
        return TLP_OK;
    }
}

/* ---- helpers ------------------------------------------------------------------------------------ */

void tlp_set_range(struct tlp *t, uint64_t address, size_t bytes)
{
    unsigned first = address & 3, end = (unsigned)((address + bytes) & 3);
    size_t dws = (first + bytes + 3) / 4;
    unsigned first_mask = 0xfu << first & 0xf, last_mask = end ? (1u << end) - 1 : 0xf;

    t->address = address & ~UINT64_C(3);
    t->addr64 = address >> 32; /* below 4 GiB the 3-DW form has to be used (2.2.4.1) */
    t->length = (uint16_t)dws;
    t->first_be = (uint8_t)(dws == 1 ? first_mask & last_mask : first_mask);
    t->last_be = (uint8_t)(dws == 1 ? 0 : last_mask);
}

unsigned tlp_be_offset(const struct tlp *t)
{
    return t->first_be ? (unsigned)__builtin_ctz(t->first_be) : 0;
}

unsigned tlp_be_bytes(const struct tlp *t)
{
    if (t->length == 1 && t->first_be == 0) {
        return 1; /* a zero-length read counts as one byte (2.3.1.1) */
    }
    unsigned last = t->length == 1 ? t->first_be : t->last_be;
    unsigned end = last ? 32 - (unsigned)__builtin_clz(last) : 0;
    return (t->length - 1u) * 4 + end - tlp_be_offset(t);
}

struct tlp tlp_completion(const struct tlp *request, uint16_t completer, enum tlp_status status)
{
    bool lock = request->kind == TLP_MRDLK;
    bool memory = kinds[request->kind].form == MEMORY;
    bool atomic = memory && kinds[request->kind].data;
    struct tlp t = {
        .kind = lock ? TLP_CPLLK : TLP_CPL,
        .tc = request->tc,
        .ido = request->ido,
        .ro = request->ro,
        .ns = request->ns,
        .requester = request->requester,
        .tag = request->tag,
        .completer = completer,
        .status = (uint8_t)status,
        .byte_count = 4,
    };
    if (atomic) {
        t.byte_count = (uint16_t)(request->length * (request->kind == TLP_CAS ? 2u : 4u));
    } else if (memory) {
        t.byte_count = (uint16_t)tlp_be_bytes(request);
        t.lower_address = (uint8_t)((request->address & 0x7c) | tlp_be_offset(request));
    }
    return t;
}

/* One DW's worth of the loops below: bytes [offset % 4, 4) at most. */
static size_t part_of(size_t offset, size_t n)
{
    size_t room = 4 - offset % 4;
    return n < room ? n : room;
}

void tlp_get_bytes(const uint32_t *payload, size_t offset, void *bytes, size_t n)
{
    uint8_t *to = bytes;
    while (n) {
        for (; offset % 4 == 0 && n >= 4; offset += 4, to += 4, n -= 4) {
            uint32_t dw = bswap_32(payload[offset / 4]);
            memcpy(to, &dw, 4);
        }
        if (!n) {
            return;
        }
        size_t part = part_of(offset, n);
        uint32_t dw = bswap_32(payload[offset / 4]);
        memcpy(to, (const uint8_t *)&dw + offset % 4, part);
        to += part;
        offset += part;
        n -= part;
    }
}

void tlp_put_bytes(uint32_t *payload, size_t offset, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;
    while (n) {
        for (; offset % 4 == 0 && n >= 4; offset += 4, from += 4, n -= 4) {
            uint32_t dw;
            memcpy(&dw, from, 4);
            payload[offset / 4] = bswap_32(dw);
        }
        if (!n) {
            return;
        }
        size_t part = part_of(offset, n);
        uint32_t dw = bswap_32(payload[offset / 4]);
        memcpy((uint8_t *)&dw + offset % 4, from, part);
        payload[offset / 4] = bswap_32(dw);
        from += part;
        offset += part;
        n -= part;
    }
}
