/* SPDX-License-Identifier: BSD-2-Clause */
#include "tlp.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_DW = 4 }; /* of a payload */

struct line {
    char *text;
    size_t size;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->used, line->size - line->used, format, args);
    va_end(args);
    if (n > 0) {
        size_t end = line->used + (size_t)n;
        line->used = end < line->size ? end : line->size - 1;
    }
}

static void add_function(struct line *line, const char *before, uint16_t id)
{
    add(line, "%s%02x:%02x.%x", before, id >> 8, id >> 3 & 31, id & 7);
}

static const char *message_name(unsigned code)
{
    static const char *const intx[] = {"Assert_INTA",   "Assert_INTB",   "Assert_INTC",   "Assert_INTD",
                                       "Deassert_INTA", "Deassert_INTB", "Deassert_INTC", "Deassert_INTD"};
    static const struct {
        uint8_t code;
        const char *name;
    } others[] = {
        {TLP_UNLOCK, "Unlock"},
        {TLP_LTR, "LTR"},
        {TLP_OBFF, "OBFF"},
        {TLP_PM_ACTIVE_STATE_NAK, "PM_Active_State_Nak"},
        {TLP_PM_PME, "PM_PME"},
        {TLP_PME_TURN_OFF, "PME_Turn_Off"},
        {TLP_PME_TO_ACK, "PME_TO_Ack"},
        {TLP_ERR_COR, "ERR_COR"},
        {TLP_ERR_NONFATAL, "ERR_NONFATAL"},
        {TLP_ERR_FATAL, "ERR_FATAL"},
        {TLP_SET_SLOT_POWER_LIMIT, "Set_Slot_Power_Limit"},
        {TLP_PTM_REQUEST, "PTM_Request"},
        {TLP_PTM_RESPONSE, "PTM_Response"},
        {TLP_VENDOR_0, "Vendor_Type0"},
        {TLP_VENDOR_1, "Vendor_Type1"},
    };
    if (code >= TLP_ASSERT_INTA && code < TLP_DEASSERT_INTA + 4) {
        return intx[code - TLP_ASSERT_INTA];
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].code == code) {
            return others[i].name;
        }
    }
    return "unknown";
}

static void add_completion(struct line *line, const struct tlp *t)
{
    static const char *const status[8] = {"SC", "UR", "CRS", "3", "CA", "5", "6", "7"};
    add_function(line, " from ", t->completer);
    add_function(line, " to ", t->requester);
    add(line, " tag %02x %s", t->tag, status[t->status & 7]);
    add(line, " bytes %u low %02x", t->byte_count, t->lower_address);
    if (t->bcm) {
        add(line, " BCM");
    }
}

static void add_message(struct line *line, const struct tlp *t)
{
    static const char *const routing[8] = {"root",  "address",  "id", "broadcast",
                                           "local", "gathered", "6",  "7"};
    add_function(line, " from ", t->requester);
    add(line, " %s (%02x) routed %s", message_name(t->code), t->code, routing[t->routing & 7]);
    if (t->routing == TLP_BY_ID) {
        add_function(line, " ", (uint16_t)(t->message[0] >> 16));
    }
    if (t->code >= TLP_LTR && (t->message[0] || t->message[1])) {
        add(line, " %08x %08x", t->message[0], t->message[1]);
    }
}

static void add_request(struct line *line, const struct tlp *t)
{
    add_function(line, " from ", t->requester);
    add(line, " tag %02x", t->tag);
    if (t->kind >= TLP_CFGRD0 && t->kind <= TLP_CFGWR1) {
        add_function(line, " to ", t->target);
        add(line, " reg %03x", t->reg);
    } else {
        add(line, t->addr64 ? " at %016jx" : " at %08jx", (uintmax_t)t->address);
    }
    add(line, " be %x/%x", t->first_be, t->last_be);
}

void tlp_print(char *text, size_t size, const struct tlp *t)
{
    struct line line = {text, size, 0};
    add(&line, "%s", tlp_kind_name(t->kind));
    if (tlp_class(t->kind) == TLP_COMPLETION) {
        add_completion(&line, t);
    } else if (t->kind == TLP_MSG || t->kind == TLP_MSGD) {
        add_message(&line, t);
    } else {
        add_request(&line, t);
    }
    if (t->length) {
        add(&line, " %u DW", t->length);
    }
    if (t->tc) {
        add(&line, " TC%u", t->tc);
    }
    if (t->at) {
        add(&line, " AT%u", t->at);
    }
    add(&line, "%s%s%s%s%s", t->ro ? " RO" : "", t->ns ? " NS" : "", t->ido ? " IDO" : "", t->th ? " TH" : "",
        t->ep ? " POISONED" : "");
    if (t->payload) {
        add(&line, " =");
        for (unsigned i = 0; i < t->length && i < SHOWN_DW; i++) {
            add(&line, " %08x", t->payload[i]);
        }
        if (t->length > SHOWN_DW) {
            add(&line, " ...");
        }
    }
    if (t->td) {
        add(&line, " digest %08x", t->digest);
    }
}
