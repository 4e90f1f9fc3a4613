// SPDX-License-Identifier: BSD-2-Clause
//
// What stands between an endpoint in Verilog and the simulated card: the clock, the two streams, and what the
// hard block of an FPGA does (configuration space, function-level reset).
#include "ticker.h"

#include <cstring>
#include <deque>
#include <new>
#include <vector>

#include "Vticker.h"

extern "C" {
#include "config_space.h"
#include "tlp.h"
}

namespace
{

constexpr unsigned cycles_at_a_time = 1000, pulses_at_a_time = 100;

struct Ticker {
    function f; // first, so that a pointer to it is one to the whole
    config_space config;
    uint16_t id;
    VerilatedContext context;
    Vticker top{&context};
    std::deque<std::vector<uint32_t>> in; // TLPs for the endpoint
    size_t offset = 0;                    // DW of the first that are in
    std::vector<uint32_t> out;            // of the TLP that comes out
    uint64_t time_us = 0;                 // up to where the endpoint's time went
};

Ticker *ticker_of(const function *f)
{
    return reinterpret_cast<Ticker *>(const_cast<function *>(f));
}

void reset_rtl(Ticker &t)
{
    t.in.clear();
    t.out.clear();
    t.offset = 0;
    t.top.s_valid = 0;
    t.top.rst = 1;
    for (unsigned i = 0; i < 4; i++) {
        t.top.clk = i & 1;
        t.top.eval();
    }
    t.top.rst = 0;
}

// One cycle; true when a stream moved.
bool cycle(Ticker &t)
{
    t.top.s_valid = !t.in.empty();
    if (!t.in.empty()) {
        const std::vector<uint32_t> &tlp = t.in.front();
        const uint64_t high = t.offset + 1 < tlp.size() ? tlp[t.offset + 1] : 0;
        t.top.s_data = high << 32 | tlp[t.offset];
        t.top.s_last = t.offset + 2 >= tlp.size();
    }
    t.top.m_ready = 1;
    t.top.clk = 0;
    t.top.eval();
    const bool entered = t.top.s_valid && t.top.s_ready, left = t.top.m_valid;
    if (left) {
        t.out.push_back(static_cast<uint32_t>(t.top.m_data));
        if (t.top.m_keep & 2) {
            t.out.push_back(static_cast<uint32_t>(t.top.m_data >> 32));
        }
        if (t.top.m_last) {
            function_send(&t.f, t.out.data(), t.out.size());
            t.out.clear();
        }
    }
    t.top.clk = 1;
    t.top.eval();
    if (entered) {
        t.offset += 2;
        if (t.offset >= t.in.front().size()) {
            t.in.pop_front();
            t.offset = 0;
        }
    }
    return entered || left;
}

void answer_configuration(Ticker &t, const tlp &request)
{
    config_space &c = t.config;
    tlp answer = tlp_completion(&request, request.target, TLP_SC);
    uint32_t payload, dw[TLP_MAX_DW];
    bool level_reset = false;
    if (request.kind == TLP_CFGRD0) {
        payload = __builtin_bswap32(config_get32(&c, request.reg));
        answer.kind = TLP_CPLD;
        answer.length = 1;
        answer.payload = &payload;
    } else {
        const uint32_t value = __builtin_bswap32(request.payload[0]);
        t.id = request.target; // functions learn their number so (PCIe Base 5.0, 2.2.6.2)
        config_write(&c, request.reg, value, request.first_be);
        level_reset = request.reg == c.pcie + PCI_EXP_DEVCTL && (request.first_be & 2) &&
                      (value & PCI_EXP_DEVCTL_BCR_FLR);
    }
    function_send(&t.f, dw, tlp_pack(&answer, dw));
    if (level_reset) {
        config_reset(&c);
        reset_rtl(t);
    }
    t.top.id = t.id;
    t.top.intx_disable = (config_get16(&c, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE) != 0;
}

void receive(function *f, const uint32_t *dw, size_t n)
{
    Ticker &t = *ticker_of(f);
    tlp request;
    if (tlp_unpack(&request, dw, n) != TLP_OK) {
        return;
    }
    if (request.kind == TLP_CFGRD0 || request.kind == TLP_CFGWR0) {
        answer_configuration(t, request);
    } else {
        t.in.emplace_back(dw, dw + n);
    }
}

// The endpoint's time passes by pulses, and only while it waits for something: else nothing need be clocked.
// What a slow host misses is skipped, as a late timer would: with that to catch up there would be no end of
// it.
bool work(function *f, uint64_t now_ns, bool)
{
    Ticker &t = *ticker_of(f);
    const uint64_t now_us = now_ns / 1000;
    bool moved = false;
    t.top.microsecond = 1;
    for (unsigned i = 0; i < pulses_at_a_time && t.top.left != 0 && t.time_us < now_us; i++, t.time_us++) {
        moved |= cycle(t);
    }
    t.top.microsecond = 0;
    t.time_us = now_us;
    for (unsigned i = 0, quiet = 0; i < cycles_at_a_time && quiet < 4; i++) {
        const bool moves = cycle(t);
        quiet = moves ? 0 : quiet + 1;
        moved |= moves;
    }
    return moved;
}

uint64_t deadline(const function *f)
{
    const Ticker &t = *ticker_of(f);
    return t.top.left != 0 ? (t.time_us + t.top.left) * 1000 : UINT64_MAX;
}

void reset(function *f)
{
    config_reset(&ticker_of(f)->config);
    reset_rtl(*ticker_of(f));
}

void close_ticker(function *f)
{
    ticker_of(f)->top.final();
    delete ticker_of(f);
}

const function_ops ops = {receive, work, deadline, reset, close_ticker};

} // namespace

struct function *ticker_open(void)
{
    Ticker *t = new (std::nothrow) Ticker();
    if (t == nullptr) {
        return nullptr;
    }
    config_identity identity = {};
    identity.vendor = identity.subsystem_vendor = TICKER_VENDOR;
    identity.device = identity.subsystem = TICKER_DEVICE;
    identity.class_code = 0xff0000;
    identity.interrupt_pin = 1;
    config_init(&t->config, &identity);
    config_add_bar(&t->config, 0, TICKER_BAR_BYTES, false, false);
    config_add_pcie(&t->config, 128);
    config_seal(&t->config);
    t->f.ops = &ops;
    reset_rtl(*t);
    return &t->f;
}
