// SPDX-License-Identifier: BSD-2-Clause
//
// What the relay does to a source: mask, storm limit, one-shot. One visit of one source: its state before,
// its state after, and whether its message is to be sent now.
//
// Mask: nothing is sent. Limit of messages: after one was sent, others are kept back (blocked) for edge_ns;
// then, if any was (deferred), one is sent, and so on. Limit of a wire: high for longer than on_ns it is taken
// down (held) for off_ns. One-shot: once the root was told of the rise (delivered), the wire is taken down
// (shot) until it is armed again. `acknowledged` arms a one-shot and ends a hold.
// Combinational. Times are in ticks of 64 ns modulo 2^38 (4.8 hours); spans are rounded up.
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
    input  wire        over,    // … and it has come, as was seen a cycle ago
    input  wire        held,
    input  wire        shot,

    output wire        send,    // its message, from the table; it is deferred no more
    output wire        blocked_d,
    output wire        armed_d,
    output wire [37:0] due_d,
    output wire        held_d,
    output wire        shot_d
);
    wire        unused = &{1'b0, edge_ns[5:0], on_ns[5:0], off_ns[5:0]};

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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    wire        f_over = over;
    always @* begin
        assume (armed | ~over);
    end
    wire [37:0] f_later = due_d - now; // how far off the time is that is set
    wire [25:0] f_edge = edge_ns[31:6];
    wire [25:0] f_on = on_ns[31:6];
    wire [25:0] f_off = off_ns[31:6];
    always @* begin
        if (~intx) begin
            // A message goes exactly when one waits, and neither mask nor time is against it.
            assert (send == (deferred & ~mask & ~(limit & blocked & ~f_over)));
            // After each message at least edge_ns pass. Who is kept back has a time at which that ends.
            if (send & limit) begin
                assert (blocked_d & armed_d & (f_later == {12'd0, f_edge} + 38'd1));
            end
            if (limit & blocked & ~f_over) begin
                assert (blocked_d & armed_d & (due_d == (armed ? due : now + {12'd0, f_edge} + 38'd1)));
            end
            assert (armed_d == blocked_d);
            // Nobody is kept back without a limit, or once the time is over and nothing was sent.
            assert (~blocked_d | limit);
            assert (~(f_over & ~send) | ~blocked_d);
            assert (~held_d & ~shot_d);
        end else begin
            assert (~send & ~blocked_d);
            // A wire is down upstream only by a limit or a one-shot, and only while it is high.
            assert (~held_d | (limit & wire_high));
            assert (~shot_d | (one_shot & wire_high));
            // While it is high and limited there is a time at which it goes down or up again, and that is kept.
            assert (armed_d == (limit & wire_high));
            if (limit & wire_high & ~acknowledged) begin
                assert (held_d == (f_over ? ~held : held));
                if (armed & ~f_over) begin
                    assert (due_d == due);
                end else begin
                    assert (f_later == {12'd0, held_d ? f_off : f_on} + 38'd1);
                end
            end
            // An acknowledgement ends a hold and arms a one-shot, at once.
            if (acknowledged) begin
                assert (~held_d & ~shot_d);
                assert (~(armed_d & held) | (f_later == {12'd0, f_on} + 38'd1));
                assert (~(armed & ~held & armed_d & ~f_over) | (due_d == due));
            end
            // A one-shot goes down once the root was told, and stays down.
            assert (shot_d == (one_shot & wire_high & ~acknowledged & (shot | delivered)));
        end
        cover (send & blocked & limit & armed);
        cover (held_d & ~held & ~acknowledged);
        cover (held & ~held_d & wire_high & ~acknowledged);
        cover (shot_d & ~shot);
    end
`endif
endmodule

`default_nettype wire
