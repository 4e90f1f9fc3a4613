// SPDX-License-Identifier: BSD-2-Clause
//
// What the relay does to a source: mask, storm limit, one-shot. One visit of one source: its state before,
// its state after, and whether its message is to be sent now.
//
// Mask: nothing is sent. Limit of messages: after one was sent, others are kept back (blocked) for edge_ns;
// then, if any was (deferred), one is sent, and so on. Limit of a wire: high for longer than on_ns it is taken
// down (held) for off_ns. One-shot: once the root was told of the rise (delivered), the wire is taken down
// (shot) until it is armed again. `acknowledged` arms a one-shot and ends a hold.
// Combinational. Times are in ticks of 64 ns modulo 2^38 (4.8 hours), and compared by their difference; spans
// are rounded up.
`default_nettype none

module act (
    input  wire [37:0] now,
    input  wire [31:0] edge_ns,
    input  wire [31:0] on_ns,
    input  wire [31:0] off_ns,

    input  wire        mask,
    input  wire        limit,
    input  wire        one_shot,
    input  wire        intx,
    input  wire        wire_high,
    input  wire        delivered,
    input  wire        acknowledged,
    input  wire        blocked,
    input  wire        deferred,

    input  wire        armed,   // a time is set:
    input  wire [37:0] due,     // this
    input  wire        held,
    input  wire        shot,

    output wire        send,    // its message, from the table; it is deferred no more
    output wire        blocked_d,
    output wire        armed_d,
    output wire [37:0] due_d,
    output wire        held_d,
    output wire        shot_d
);
    wire [37:0] past = now - due;
    wire        over = armed & ~past[37];
    wire        unused = &{1'b0, past[36:0], edge_ns[5:0], on_ns[5:0], off_ns[5:0]};

    // Messages.
    assign send = ~intx & deferred & ~mask & (~blocked | ~limit | over);
    assign blocked_d = ~intx & limit & (send | (blocked & ~over));

    // Wires.
    wire        is_held = held & ~acknowledged;
    wire        turn = over & ~acknowledged; // from high to held or back
    wire        limits = intx & limit & wire_high;
    assign held_d = limits & (is_held ^ turn);
    assign shot_d = intx & one_shot & wire_high & ~acknowledged & (shot | delivered);

    wire        start = intx ? limits & (~armed | over | (acknowledged & held)) : limit & (send | (blocked & ~armed));
    assign armed_d = intx ? limits : blocked_d;
    wire [25:0] span = ~intx ? edge_ns[31:6] : held_d ? off_ns[31:6] : on_ns[31:6];
    assign due_d = start ? now + {12'd0, span} + 38'd1 : due;
endmodule

`default_nettype wire
