// SPDX-License-Identifier: BSD-2-Clause
//
// The C interface to the Verilated relay. Each shape is a class of Verilator's; open_model makes one of them
// behind the abstract struct model.
#include "model.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "verilated.h"
#include "verilated_fst_c.h"

#include "model_headers.inc"

namespace
{

// TLPs in order, each its length and its DW, in one piece of memory that is used again.
class Queue
{
  public:
    bool empty() const
    {
        return head_ == words_.size();
    }
    size_t length() const
    {
        return words_[head_];
    }
    const uint32_t *front() const
    {
        return &words_[head_ + 1];
    }
    void push(const uint32_t *dw, size_t n)
    {
        words_.push_back(static_cast<uint32_t>(n));
        words_.insert(words_.end(), dw, dw + n);
    }
    void pop()
    {
        head_ += 1 + length();
        if (empty()) {
            clear();
        } else if (head_ > words_.size() / 2 && head_ > 65536) {
            words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
    }
    void clear()
    {
        words_.clear();
        head_ = 0;
    }

  private:
    std::vector<uint32_t> words_;
    size_t head_ = 0;
};

// Verilator's types by width: up to 8, 16, 32 and 64 bits an integer, above that an array of 32-bit words.
template <typename T> uint32_t get_dw(const T &signal, unsigned i)
{
    return static_cast<uint32_t>(static_cast<uint64_t>(signal) >> (32 * i));
}
template <std::size_t N> uint32_t get_dw(const VlWide<N> &signal, unsigned i)
{
    return signal[i];
}
template <typename T> void set_dw(T &signal, unsigned i, uint32_t value)
{
    const uint64_t mask = 0xffffffffull << (32 * i);
    signal = static_cast<T>((signal & ~mask) | (static_cast<uint64_t>(value) << (32 * i)));
}
template <std::size_t N> void set_dw(VlWide<N> &signal, unsigned i, uint32_t value)
{
    signal[i] = value;
}
template <typename T> void set_bits(T &signal, unsigned low, unsigned width, unsigned value)
{
    const unsigned mask = ((1u << width) - 1) << low;
    signal = static_cast<T>((signal & ~mask) | ((value << low) & mask));
}

bool is_non_posted(uint32_t dw0)
{
    const unsigned type = (dw0 >> 24) & 0x1f;
    const bool has_data = (dw0 >> 30) & 1;
    return (type == 0 && !has_data) || type == 1 || type == 2 || type == 4 || type == 5 ||
           (type >= 12 && type <= 14);
}

// How many cycles without any transfer end a run: more than the longest way through the circuit. While it
// says that it is busy, more than the longest thing it does by itself; it may also wait for a side that is
// not ready.
constexpr unsigned quiet_cycles = 12;
constexpr unsigned busy_cycles = 1024;

} // namespace

struct model {
    virtual ~model() = default;
    virtual void set_bdf(uint8_t bus, uint8_t device) = 0;
    virtual void set_bus_master(bool enabled) = 0;
    virtual void set_bar(unsigned side, unsigned index, bool enabled, uint64_t base, uint64_t size) = 0;
    virtual void set_link(unsigned side, bool up) = 0;
    virtual void set_time(uint64_t ns) = 0;
    virtual uint64_t deadline() const = 0;
    virtual void send(unsigned side, const uint32_t *dw, size_t n) = 0;
    virtual size_t receive(unsigned side, uint32_t *dw) = 0;
    virtual void set_ready(unsigned side, bool ready, bool non_posted) = 0;
    virtual uint64_t run(uint64_t max_cycles) = 0;
    virtual bool idle() const = 0;
    unsigned ports = 0;
    uint64_t cycles = 0;
};

namespace
{

template <class Top, unsigned Ports, unsigned Dw, bool Waveform> class Model final : public model
{
  public:
    explicit Model(const char *waveform) : top_(&context_)
    {
        ports = Ports;
        if constexpr (Waveform) {
            context_.traceEverOn(true);
            top_.trace(&fst_, 99);
            fst_.open(waveform);
        } else {
            (void)waveform;
        }
        top_.rst = 1;
        top_.configure = 1;
        top_.clk = 1;
        top_.eval();
        constexpr unsigned all = (1u << Ports) - 1;
        set_bits(top_.port_up, 0, Ports, all);
        top_.m_root_ready = 1;
        top_.m_root_np_ok = 1;
        set_bits(top_.m_port_ready, 0, Ports, all);
        set_bits(top_.m_port_np_ok, 0, Ports, all);
        for (int i = 0; i < 4; i++) {
            clock();
        }
        top_.rst = 0;
        // Tables are cleared after reset.
        run(1u << 20);
        cycles = 0;
    }

    ~Model() override
    {
        if constexpr (Waveform) {
            fst_.close();
        }
        top_.final();
    }

    void set_bdf(uint8_t bus, uint8_t device) override
    {
        top_.bus = bus;
        top_.device = device & 0x1f;
        top_.configure = 1;
        stirred_ = true;
    }

    void set_bus_master(bool enabled) override
    {
        top_.bus_master = enabled;
        top_.configure = 1;
        stirred_ = true;
    }

    void set_bar(unsigned side, unsigned index, bool enabled, uint64_t base, uint64_t size) override
    {
        top_.configure = 1;
        if (side == MODEL_ROOT) {
            top_.own_bar_enable = enabled;
            top_.own_bar_base = base;
            return;
        }
        const unsigned bar = (side - 1) * MODEL_BARS + index;
        const uint64_t mask = ~(size - 1);
        set_bits(top_.bar_enable, bar, 1, enabled);
        set_dw(top_.bar_base, 2 * bar, static_cast<uint32_t>(base));
        set_dw(top_.bar_base, 2 * bar + 1, static_cast<uint32_t>(base >> 32));
        set_dw(top_.bar_mask, 2 * bar, static_cast<uint32_t>(mask));
        set_dw(top_.bar_mask, 2 * bar + 1, static_cast<uint32_t>(mask >> 32));
    }

    void set_link(unsigned side, bool up) override
    {
        set_bits(top_.port_up, side - 1, 1, up);
        if (!up) {
            Side &s = sides_[side];
            s.posted.clear();
            s.non_posted.clear();
            s.posted_before.clear();
            s.posted_before_head = 0;
            s.posted_gone = s.posted_sent;
            s.sending = nullptr;
            s.offered = false;
        }
        if (Side &s = sides_[side]; s.sending != nullptr && s.offset > 0) {
            sent(s); // whoever is behind the link begins anew
            s.offered = false;
        }
        // However short, the circuit sees it.
        for (int i = 0; i < 4; i++) {
            cycle();
        }
        if (!up) {
            sides_[side].partial_dw = 0; // what is not whole by now never will be
        }
        stirred_ = true;
    }

    void set_time(uint64_t ns) override
    {
        top_.time_ns = ns;
        if (ns >= deadline()) {
            stirred_ = true;
        }
    }

    // The circuit tells the low 44 bits, never far from the time.
    uint64_t deadline() const override
    {
        if (!top_.deadline_there) {
            return UINT64_MAX;
        }
        const uint64_t ahead = (top_.deadline - top_.time_ns) & ((1ull << 44) - 1);
        return (ahead >> 43) != 0 ? top_.time_ns : top_.time_ns + ahead;
    }

    void send(unsigned side, const uint32_t *dw, size_t n) override
    {
        Side &s = sides_[side];
        if (is_non_posted(dw[0])) {
            s.non_posted.push(dw, n);
            s.posted_before.push_back(s.posted_sent);
        } else {
            s.posted.push(dw, n);
            s.posted_sent++;
        }
        stirred_ = true;
    }

    size_t receive(unsigned side, uint32_t *dw) override
    {
        Queue &q = sides_[side].received;
        if (q.empty()) {
            return 0;
        }
        const size_t n = q.length();
        std::copy_n(q.front(), n, dw);
        q.pop();
        return n;
    }

    void set_ready(unsigned side, bool ready, bool non_posted) override
    {
        if (side == MODEL_ROOT) {
            top_.m_root_ready = ready;
            top_.m_root_np_ok = non_posted;
        } else {
            set_bits(top_.m_port_ready, side - 1, 1, ready);
            set_bits(top_.m_port_np_ok, side - 1, 1, non_posted);
        }
        stirred_ = true;
    }

    uint64_t run(uint64_t max_cycles) override
    {
        uint64_t n = 0;
        unsigned quiet = 0;
        if (idle()) {
            return 0;
        }
        unsigned waiting = 0;
        bool moves = true;
        while (n < max_cycles && moves) {
            if (cycle()) {
                quiet = 0;
                waiting = 0;
            } else {
                quiet = top_.busy ? 0 : quiet + 1;
                waiting++;
            }
            n++;
            moves = quiet < quiet_cycles && waiting < busy_cycles;
        }
        stirred_ = moves;
        return n;
    }

    bool idle() const override
    {
        return !stirred_;
    }

  private:
    struct Side {
        Queue posted; // completions, too
        Queue non_posted;
        // Number of posted TLPs that were queued before each non-posted one, counted from the start.
        std::vector<uint64_t> posted_before;
        size_t posted_before_head = 0;
        uint64_t posted_sent = 0;
        uint64_t posted_gone = 0;
        Queue *sending = nullptr; // the queue whose front is partly inside
        size_t offset = 0;
        bool offered = false;                            // a beat is on the pins
        std::array<uint32_t, MODEL_MAX_DW + Dw> partial; // of the TLP that is coming out
        size_t partial_dw = 0;
        Queue received;
    };

    // The next TLP that a link partner with a queue per class would send.
    Queue *choose(Side &s, bool np_ok)
    {
        if (!s.non_posted.empty() && np_ok && s.posted_before[s.posted_before_head] <= s.posted_gone) {
            return &s.non_posted;
        }
        return s.posted.empty() ? nullptr : &s.posted;
    }

    void sent(Side &s)
    {
        if (s.sending == &s.posted) {
            s.posted_gone++;
        } else if (++s.posted_before_head == s.posted_before.size()) {
            s.posted_before.clear();
            s.posted_before_head = 0;
        }
        s.sending->pop();
        s.sending = nullptr;
    }

    template <class Data, class Keep, class Last, class Valid>
    void offer(unsigned side, bool np_ok, Data &data, Keep &keep, Last &last, Valid &valid, unsigned lane)
    {
        Side &s = sides_[side];
        if (s.offered) {
            return; // what was not taken stays
        }
        if (s.sending == nullptr) {
            s.sending = choose(s, np_ok);
            s.offset = 0;
        }
        if (s.sending == nullptr) {
            set_bits(valid, lane, 1, 0);
            return;
        }
        s.offered = true;
        set_bits(valid, lane, 1, 1);
        const size_t left = s.sending->length() - s.offset;
        const uint32_t *dw = s.sending->front() + s.offset;
        for (unsigned i = 0; i < Dw; i++) {
            set_dw(data, lane * Dw + i, i < left ? dw[i] : 0);
        }
        set_bits(keep, lane * Dw, Dw, left >= Dw ? (1u << Dw) - 1 : (1u << left) - 1);
        set_bits(last, lane, 1, left <= Dw);
    }

    bool accepted(unsigned side, bool ready)
    {
        Side &s = sides_[side];
        if (!s.offered || !ready) {
            return false;
        }
        s.offered = false;
        s.offset += Dw;
        if (s.offset >= s.sending->length()) {
            sent(s);
        }
        return true;
    }

    template <class Data, class Keep>
    void take(unsigned side, const Data &data, const Keep &keep, bool last, bool bad, unsigned lane)
    {
        Side &s = sides_[side];
        const unsigned mask = (static_cast<unsigned>(keep) >> (lane * Dw)) & ((1u << Dw) - 1);
        for (unsigned i = 0; i < Dw; i++) {
            if (((mask >> i) & 1) && s.partial_dw < s.partial.size()) {
                s.partial[s.partial_dw++] = get_dw(data, lane * Dw + i);
            }
        }
        if (last) {
            if (!bad) {
                s.received.push(s.partial.data(), s.partial_dw);
            }
            s.partial_dw = 0;
        }
    }

    void clock()
    {
        top_.clk = 0;
        top_.eval();
        dump();
        top_.clk = 1;
        top_.eval();
        dump();
        top_.configure = 0;
        cycles++;
    }

    void dump()
    {
        if constexpr (Waveform) {
            fst_.dump(context_.time());
            context_.timeInc(1);
        }
    }

    // One cycle. All outputs are registers, or come from registers alone, so what is seen before the edge is
    // what both sides act on at the edge. True when anything moved across the boundary, or moves inside.
    bool cycle()
    {
        bool moved = false;
        const unsigned port_ready = top_.s_port_ready;
        offer(MODEL_ROOT, top_.s_root_np_ok, top_.s_root_data, top_.s_root_keep, top_.s_root_last,
              top_.s_root_valid, 0);
        moved |= accepted(MODEL_ROOT, top_.s_root_ready);
        for (unsigned p = 0; p < Ports; p++) {
            offer(p + 1, top_.s_port_np_ok, top_.s_port_data, top_.s_port_keep, top_.s_port_last,
                  top_.s_port_valid, p);
            moved |= accepted(p + 1, (port_ready >> p) & 1);
        }
        if (top_.m_root_valid && top_.m_root_ready) {
            take(MODEL_ROOT, top_.m_root_data, top_.m_root_keep, top_.m_root_last, top_.m_root_bad, 0);
            moved = true;
        }
        unsigned leaving = top_.m_port_valid & top_.m_port_ready;
        for (; leaving != 0; leaving &= leaving - 1) {
            const unsigned p = static_cast<unsigned>(__builtin_ctz(leaving));
            take(p + 1, top_.m_port_data, top_.m_port_keep, (top_.m_port_last >> p) & 1,
                 (top_.m_port_bad >> p) & 1, p);
            moved = true;
        }
        clock();
        return moved;
    }

    VerilatedContext context_;
    Top top_;
    struct None {
    };
    std::conditional_t<Waveform, VerilatedFstC, None> fst_;
    std::array<Side, Ports + 1> sides_;
    bool stirred_ = true;
};

template <class Top, unsigned Ports, unsigned Dw, bool Waveform> model *open_model(const char *waveform)
{
    return new Model<Top, Ports, Dw, Waveform>(waveform);
}

struct Shape {
    model_shape shape;
    bool waveform;
    model *(*open)(const char *waveform);
};

const Shape shapes[] = {
#include "model_shapes.inc"
};

} // namespace

struct model *model_open(const struct model_shape *shape, const char *waveform)
{
    for (const Shape &s : shapes) {
        if (s.shape.ports == shape->ports && s.shape.width_dw == shape->width_dw &&
            s.shape.sources == shape->sources && s.shape.bump == shape->bump && s.shape.tap == shape->tap &&
            s.waveform == (waveform != nullptr)) {
            return s.open(waveform);
        }
    }
    return nullptr;
}

void model_close(struct model *model)
{
    delete model;
}

unsigned model_ports(const struct model *model)
{
    return model->ports;
}

void model_set_bdf(struct model *model, uint8_t bus, uint8_t device)
{
    model->set_bdf(bus, device);
}

void model_set_bus_master(struct model *model, bool enabled)
{
    model->set_bus_master(enabled);
}

void model_set_bar(struct model *model, unsigned side, unsigned index, bool enabled, uint64_t base,
                   uint64_t size)
{
    if (side <= model->ports && index < MODEL_BARS) {
        model->set_bar(side, index, enabled, base, size);
    }
}

void model_set_link(struct model *model, unsigned side, bool up)
{
    if (side >= 1 && side <= model->ports) {
        model->set_link(side, up);
    }
}

void model_set_time(struct model *model, uint64_t ns)
{
    model->set_time(ns);
}

uint64_t model_deadline(const struct model *model)
{
    return model->deadline();
}

bool model_send(struct model *model, unsigned side, const uint32_t *dw, size_t n)
{
    if (side > model->ports || n == 0 || n > MODEL_MAX_DW) {
        return false;
    }
    model->send(side, dw, n);
    return true;
}

size_t model_receive(struct model *model, unsigned side, uint32_t *dw)
{
    return side > model->ports ? 0 : model->receive(side, dw);
}

void model_set_ready(struct model *model, unsigned side, bool ready, bool non_posted)
{
    if (side <= model->ports) {
        model->set_ready(side, ready, non_posted);
    }
}

uint64_t model_run(struct model *model, uint64_t max_cycles)
{
    return model->run(max_cycles);
}

uint64_t model_cycles(const struct model *model)
{
    return model->cycles;
}

bool model_idle(const struct model *model)
{
    return model->idle();
}
