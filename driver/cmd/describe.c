/* SPDX-License-Identifier: BSD-2-Clause */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "relay_regs.h"

/* Appends a word, after a separator where it is not the first. */
static void append(char *text, size_t size, const char *separator, const char *word)
{
    size_t have = strlen(text);
    snprintf(text + have, size - have, "%s%s", have ? separator : "", word);
}

char *describe_lines(const struct roster_function *function, char text[DESCRIBE_TEXT])
{
    const struct kernel_lines *lines = &function->lines;
    if (lines->n_msi) {
        const char *kind = lines->msix ? "MSI-X" : "MSI";
        const unsigned first = lines->msi[0], last = lines->msi[lines->n_msi - 1];
        if (lines->n_msi == 1)
            snprintf(text, DESCRIBE_TEXT, "%s %u", kind, first);
        else
            snprintf(text, DESCRIBE_TEXT, "%s %u%s%u", kind, first,
                     last - first + 1 == lines->n_msi ? "-" : "..", last);
    } else if (lines->intx) {
        snprintf(text, DESCRIBE_TEXT, "INTx %u", lines->intx);
    } else {
        snprintf(text, DESCRIBE_TEXT, "-");
    }
    return text;
}

char *describe_function_state(const struct roster_function *function, char text[DESCRIBE_TEXT])
{
    text[0] = 0;
    if (function->present || function->n_sources)
        append(text, DESCRIBE_TEXT, ", ", function->pending ? "asking" : "idle");
    if (function->level)
        append(text, DESCRIBE_TEXT, ", ", "wire high");
    if (!function->up)
        append(text, DESCRIBE_TEXT, ", ", "link down");
    if (!function->present && (function->up || function->n_sources))
        append(text, DESCRIBE_TEXT, ", ", "not on the bus");
    return text;
}

struct bit {
    uint32_t mask;
    const char *word;
};

static const struct bit state_bits[] = {
    {RELAY_SRC_STATE_LEVEL, "high"},        {RELAY_SRC_STATE_HELD, "held"},
    {RELAY_SRC_STATE_DEFERRED, "deferred"}, {RELAY_SRC_STATE_SHOT, "shot"},
    {RELAY_SRC_STATE_FORCED, "forced"},
};

static const struct bit act_bits[] = {
    {RELAY_SRC_ACT_MASK, "masked"},
    {RELAY_SRC_ACT_LIMIT, "limited"},
    {RELAY_SRC_ACT_ONE_SHOT, "one-shot"},
};

static const struct bit caps_bits[] = {
    {RELAY_CAPS_TAP, "tap"},
    {RELAY_CAPS_INDICATOR_FIRST, "indicator-first"},
    {RELAY_CAPS_RING, "ring"},
    {RELAY_CAPS_TRACE, "trace"},
    {RELAY_CAPS_MASK, "mask"},
    {RELAY_CAPS_STORM_LIMIT, "storm-limit"},
    {RELAY_CAPS_ONE_SHOT, "one-shot"},
    {RELAY_CAPS_INJECT, "inject"},
    {RELAY_CAPS_MSI_REWRITE, "msi-rewrite"},
    {RELAY_CAPS_DMA_WINDOWS, "dma-windows"},
    {RELAY_CAPS_LEARN, "learn"},
    {RELAY_CAPS_BUMP, "bump"},
    {RELAY_CAPS_LEARN_ACT, "learn-act"},
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void append_bits(char *text, size_t size, uint32_t value, const struct bit *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (value & bits[i].mask)
            append(text, size, " ", bits[i].word);
}

static void add_bits(json_t *array, uint32_t value, const struct bit *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (value & bits[i].mask)
            json_array_append_new(array, json_string(bits[i].word));
}

char *describe_source_state(const struct relay_source *source, char text[DESCRIBE_TEXT])
{
    text[0] = 0;
    if (relay_pending(source))
        append(text, DESCRIBE_TEXT, " ", "pending");
    append_bits(text, DESCRIBE_TEXT, source->state, state_bits, LENGTH(state_bits));
    append_bits(text, DESCRIBE_TEXT, source->act, act_bits, LENGTH(act_bits));
    if (!text[0])
        append(text, DESCRIBE_TEXT, " ", "idle");
    return text;
}

char *describe_message(const struct relay_source *source, char text[DESCRIBE_TEXT])
{
    if (source->kind == RELAY_KIND_INTX)
        snprintf(text, DESCRIBE_TEXT, "INT%c", (char)('A' + (source->address & 3)));
    else
        snprintf(text, DESCRIBE_TEXT, "0x%08llx = 0x%04x", (unsigned long long)source->address, source->data);
    return text;
}

char *describe_acts(uint32_t acts, char text[DESCRIBE_TEXT])
{
    text[0] = 0;
    append_bits(text, DESCRIBE_TEXT, acts, act_bits, LENGTH(act_bits));
    return text;
}

json_t *describe_acts_json(uint32_t acts)
{
    json_t *array = json_array();
    add_bits(array, acts, act_bits, LENGTH(act_bits));
    return array;
}

char *describe_caps(uint32_t caps, char *text, size_t size)
{
    text[0] = 0;
    append_bits(text, size, caps, caps_bits, LENGTH(caps_bits));
    return text;
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *slot_json(struct slot slot)
{
    char name[SLOT_NAME];
    return json_string(slot_name(slot, name));
}

json_t *describe_source_json(const struct relay_source *source)
{
    const bool intx = source->kind == RELAY_KIND_INTX;
    json_t *state = json_array(), *acts = json_array();
    add_bits(state, source->state, state_bits, LENGTH(state_bits));
    add_bits(acts, source->act, act_bits, LENGTH(act_bits));
    json_t *object =
        json_pack("{s:i, s:s, s:i, s:o, s:b, s:b}", "index", source->index, "kind", intx ? "intx" : "msi",
                  "port", source->port, "requester", json_hex(source->requester, 4), "programmed",
                  source->programmed, "pending", relay_pending(source));
    if (intx)
        json_object_set_new(object, "pin", json_sprintf("INT%c", (char)('A' + (source->address & 3))));
    else
        json_object_update_new(object, json_pack("{s:o, s:o}", "address", json_hex(source->address, 8),
                                                 "data", json_hex(source->data, 4)));
    json_object_update_new(object,
                           json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "count",
                                     (json_int_t)source->count, "acknowledged", (json_int_t)source->acked,
                                     "relayed", (json_int_t)source->relayed, "coalesced",
                                     (json_int_t)source->coalesced, "first_ns", (json_int_t)source->first_ns,
                                     "last_ns", (json_int_t)source->last_ns, "state", state, "acts", acts));
    return object;
}

json_t *describe_function_json(const struct roster_function *function)
{
    json_t *irqs = json_array();
    for (size_t i = 0; i < function->lines.n_msi; i++)
        json_array_append_new(irqs, json_integer(function->lines.msi[i]));
    if (!function->lines.n_msi && function->lines.intx)
        json_array_append_new(irqs, json_integer(function->lines.intx));
    const char *mode = function->lines.n_msi  ? (function->lines.msix ? "msix" : "msi")
                       : function->lines.intx ? "intx"
                                              : NULL;
    json_t *object = json_pack("{s:o, s:i, s:b, s:b}", "slot", slot_json(function->slot), "port",
                               function->port, "link_up", function->up, "present", function->present);
    if (function->present)
        json_object_update_new(object,
                               json_pack("{s:o, s:o, s:s, s:s*}", "vendor", json_hex(function->vendor, 4),
                                         "device", json_hex(function->device, 4), "name", function->name,
                                         "driver", function->driver[0] ? function->driver : NULL));
    json_object_update_new(object, json_pack("{s:s?, s:o, s:I, s:I, s:b, s:b}", "mode", mode, "irqs", irqs,
                                             "sources", (json_int_t)function->n_sources, "interrupts",
                                             (json_int_t)function->count, "pending", function->pending != 0,
                                             "wire_high", function->level));
    return object;
}

json_t *describe_card_json(const struct roster_card *card)
{
    json_t *object = json_pack("{s:o, s:b}", "slot", slot_json(card->slot), "accessible", card->card != NULL);
    if (!card->card) {
        json_object_set_new(object, "error",
                            json_pack("{s:s, s:s}", "what", card->error.what, "advice", card->error.advice));
        return object;
    }
    const struct relay_identity *id = &card->identity;
    json_t *caps = json_array();
    add_bits(caps, id->caps, caps_bits, LENGTH(caps_bits));
    json_object_update_new(
        object, json_pack("{s:o, s:o, s:I, s:i, s:i, s:i, s:i, s:i, s:s, s:b, s:b, s:o}", "map",
                          json_sprintf("%u.%u", id->map_major, id->map_minor), "build",
                          json_hex(id->build, 8), "clock_khz", (json_int_t)id->clock_khz, "ports", id->ports,
                          "width_bits", id->width_bits, "sources", id->sources, "sources_used",
                          card->n_sources, "trace_records", id->trace_log2 ? 1 << id->trace_log2 : 0, "mode",
                          id->control & RELAY_CTRL_INDICATOR_FIRST ? "indicator-first" : "tap", "table_full",
                          (id->status & RELAY_STATUS_TABLE_FULL) != 0, "bus_master",
                          (id->status & RELAY_STATUS_BUS_MASTER) != 0, "capabilities", caps));
    if (id->caps & RELAY_CAPS_LEARN_ACT)
        json_object_set_new(object, "new_sources", describe_acts_json(id->learn_act));
    return object;
}
