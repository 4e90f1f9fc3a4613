/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INTx: the virtual wires that the card drives become lines of the host.
 *
 * The host (QEMU's vfio-user client) can raise a function's line, and takes it down itself at the next
 * access to one of the function's BARs, of which it tells; it has no message to take one down. So:
 *
 *   - The line of one function, the carrier, stands for all functions with that pin: they share the line in
 *     the machine, too.
 *   - To take the line down, the card reads its own carrier's BAR, by DMA: to the host an access like any
 *     other ("poke"). It comes back as a BAR read, which ends here and never reaches the function; when it is
 *     answered, the host acknowledges.
 *   - A raise may still be on its way in the host when that read is done; then no acknowledgement follows. So
 *     before a poke is answered the next one is asked for, until the acknowledgement has come: the host waits
 *     for the answer with its CPUs locked out, and goes from the raise straight to a poke, before a CPU is
 *     back from its handler. A poke that got lost is repeated.
 *
 * The circuit runs far slower here than a card's, beside CPUs that do not: a line that the relay takes down
 * some hundred cycles after its rise (one-shot) would be up for the whole of a handler. So the host is told
 * of a rise when the circuit has come to rest, or has had the time to take it down. A line that is down again
 * by then is raised all the same, and taken down at once ("pulse"): raised while the host waits for the
 * answer to a poke, and the next poke asked for before it is answered.
 *
 * Invariant: at most one function per pin has line_up and is its carrier; any other function with line_up is
 * being taken down.
 */
#include "root_internal.h"

/*
 * A driver's handler has the wire fall by a write, after which the host acknowledges by itself: then a poke
 * waits a little at first. Where the wire is up and the relay has taken the line down nobody else will.
 */
enum {
    POKE_FIRST_NS = 100000,
    POKE_AGAIN_NS = 500000,
    POKE_LOST_NS = 20000000,
    POKE_BYTES = 4,
    POKES_IN_A_ROW = 8,
    SETTLE_CYCLES = 2048, /* a visit of the relay to each of its sources takes less */
};

static bool interrupt_disabled(const struct root_function *f)
{
    return config_get16(&f->shadow, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

/* Where the card may read itself: the last DW of the function's first memory BAR. */
static bool poke_address(const struct root_function *f, unsigned *bar, uint64_t *offset, uint64_t *address)
{
    uint64_t base;
    for (unsigned i = 0; i < CONFIG_BARS; i++) {
        if (f->shadow.bar_size[i]) {
            *bar = i;
            *offset = f->shadow.bar_size[i] - POKE_BYTES;
            if (!config_bar_base(&f->shadow, i, &base) || !base) {
                return false;
            }
            *address = base + *offset;
            return true;
        }
    }
    return false;
}

static bool can_poke(const struct root_function *f)
{
    unsigned bar;
    uint64_t offset, address;
    return f->ops && config_bus_master(&f->shadow) && poke_address(f, &bar, &offset, &address);
}

/*
 * How good a carrier a function is. 0: none; its line can be taken down: +2; it is among those that assert:
 * +1, since then its own driver's handler takes the line down.
 */
static unsigned fitness(const struct root *r, unsigned f, unsigned pin)
{
    const struct root_function *function = &r->functions[f];
    if (!function->present || !function->ops || !function->line_usable || interrupt_disabled(function)) {
        return 0;
    }
    return 1 + (can_poke(function) ? 2u : 0) + (board_wires(r->board, f) >> pin & 1);
}

/* The best one; the present one if none is better. */
static int choose_carrier(const struct root *r, unsigned pin)
{
    int best = r->pins[pin].carrier;
    unsigned best_fitness = best >= 0 ? fitness(r, (unsigned)best, pin) : 0;
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        if (root_interrupt_pin(r, f) == pin + 1 && fitness(r, f, pin) > best_fitness) {
            best = (int)f;
            best_fitness = fitness(r, f, pin);
        }
    }
    return best_fitness ? best : -1;
}

static void raise(struct root *r, struct root_function *f)
{
    f->line_up = true;
    f->pokes = 0;
    r->counters.lines_raised++;
    f->ops->raise_line(f->host);
}

/* Takes the line down by a read of the card's own, if this is possible. */
static void poke(struct root *r, struct root_function *f)
{
    unsigned bar;
    uint64_t offset, address;
    if (!can_poke(f) || !poke_address(f, &bar, &offset, &address)) {
        return;
    }
    f->poking = true;
    f->pokes++;
    f->poke_at_ns = board_host_now() + POKE_LOST_NS;
    r->counters.lines_lowered++;
    f->ops->touch(f->host, address, POKE_BYTES);
}

static void update_pin(struct root *r, unsigned pin)
{
    r->pins[pin].carrier = r->pins[pin].level && !r->pins[pin].rising ? choose_carrier(r, pin) : -1;
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        struct root_function *function = &r->functions[f];
        if (!function->present || root_interrupt_pin(r, f) != pin + 1) {
            continue;
        }
        if ((int)f == r->pins[pin].carrier) {
            if (!function->line_up) {
                function->line_own = board_wires(r->board, f) >> pin & 1;
                raise(r, function);
            }
        } else if (function->line_up && !function->poke_at_ns && can_poke(function)) {
            bool wire = board_wires(r->board, f) >> pin & 1;
            if (wire) {
                poke(r, function);
            } else {
                function->poke_at_ns = board_host_now() + (function->line_own ? POKE_FIRST_NS : 1);
            }
        }
    }
}

static void pulse(struct root *r, unsigned pin)
{
    int carrier = choose_carrier(r, pin);
    struct root_function *f = &r->functions[carrier < 0 ? 0 : carrier];
    if (carrier < 0) {
        return;
    }
    if (!can_poke(f)) {
        raise(r, f);
        return;
    }
    f->pulse = true;
    if (!f->poking) {
        poke(r, f);
    }
}

static bool settled(const struct root *r, unsigned pin)
{
    return board_idle(r->board) || board_cycles(r->board) - r->pins[pin].risen > SETTLE_CYCLES;
}

static void change_pin(struct root *r, unsigned pin, bool level)
{
    if (level && !r->pins[pin].level) {
        r->pins[pin].rising = true;
        r->pins[pin].risen = board_cycles(r->board);
    } else if (!level && r->pins[pin].rising) {
        r->pins[pin].rising = false;
        pulse(r, pin);
    }
    r->pins[pin].level = level;
    update_pin(r, pin);
}

void lines_update(struct root *r)
{
    for (unsigned pin = 0; pin < PINS; pin++) {
        update_pin(r, pin);
    }
}

void root_set_line(struct root *r, unsigned function, bool usable)
{
    struct root_function *f = &r->functions[function];
    f->line_usable = usable;
    f->line_up = false;
    f->poking = false;
    f->poke_at_ns = 0;
    lines_update(r);
    if (f->pulse) {
        f->pulse = false;
        pulse(r, root_interrupt_pin(r, function) - 1);
    }
}

void root_line_acknowledged(struct root *r, unsigned function)
{
    struct root_function *f = &r->functions[function];
    f->line_up = false;
    if (!f->poking) {
        f->poke_at_ns = f->pulse ? 1 : 0;
    }
    /*
     * The host acknowledges at an access to a BAR, which may be the very write that makes the function
     * release its wire: that has to pass the circuit before the line may go up again.
     */
    r->lines_due = true;
}

bool lines_swallow(struct root *r, const struct root_access *access)
{
    struct root_function *f = &r->functions[access->function];
    const unsigned pin = root_interrupt_pin(r, access->function);
    unsigned bar;
    uint64_t offset, address;
    if (access->write || !f->poking || !poke_address(f, &bar, &offset, &address) || access->region != bar ||
        access->offset != offset || access->count != POKE_BYTES) {
        return false;
    }
    f->poking = false;
    if (!f->line_up && f->pulse) {
        f->pulse = false;
        raise(r, f);
        poke(r, f);
        return true;
    }
    f->poke_at_ns = f->line_up ? board_host_now() + POKE_AGAIN_NS : 0;
    /* The acknowledgement follows this read, unless the raise had not got there. */
    if (f->line_up && pin && r->pins[pin - 1].carrier != (int)access->function && f->pokes < POKES_IN_A_ROW) {
        poke(r, f);
    }
    return true;
}

bool lines_work(struct root *r)
{
    bool moved = r->lines_due;
    uint64_t now = board_host_now();
    r->lines_due = false;
    for (unsigned pin = 0; pin < PINS; pin++) {
        if (r->pins[pin].rising && settled(r, pin)) {
            r->pins[pin].rising = false;
            moved = true;
        }
    }
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        struct root_function *function = &r->functions[f];
        unsigned pin = root_interrupt_pin(r, f);
        if (!function->poke_at_ns || now < function->poke_at_ns) {
            continue;
        }
        function->poke_at_ns = 0;
        function->poking = false;
        function->pokes = 0;
        if (function->pulse && !function->line_up) {
            function->pulse = false;
            raise(r, function);
        }
        if (function->line_up && pin && r->pins[pin - 1].carrier != (int)f) {
            poke(r, function);
        }
        moved = true;
    }
    if (moved) {
        lines_update(r);
    }
    return moved;
}

uint64_t root_host_deadline(const struct root *r)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        uint64_t due = r->functions[f].poke_at_ns;
        earliest = due && due < earliest ? due : earliest;
    }
    return earliest;
}

void take_message(struct root *r, const struct tlp *t)
{
    unsigned code = t->code;
    if (code >= TLP_ASSERT_INTA && code < TLP_DEASSERT_INTA + 4) {
        bool level = code < TLP_DEASSERT_INTA;
        unsigned pin = code & 3;
        *(level ? &r->counters.intx_asserts : &r->counters.intx_deasserts) += 1;
        change_pin(r, pin, level);
    } else if (code == TLP_ERR_COR || code == TLP_ERR_NONFATAL || code == TLP_ERR_FATAL) {
        r->counters.errors_reported++;
    } else {
        r->counters.unsupported++;
    }
}
