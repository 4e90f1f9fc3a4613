// SPDX-License-Identifier: BSD-2-Clause
//
// The INTx wires: what the ports assert, what is forced by software, and what the root is to be told.
//
// Wire 4 (k - 1) + p is pin p of port k. A wire is up when its port asserts it or it is forced. The root's
// pin p is to be up when any port's pin p is up and not suppressed.
// wire_* tell, a cycle later, about the wire `index` as it is; with `change` it takes `level` from the next cycle on. told is
// what the root was told; with told_set it changes. Synchronous reset: all low.
`default_nettype none

module intx #(
    parameter integer PORTS = 4
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [4:0]         index,
    input  wire               change,
    input  wire               force_, // change what is forced, not what the port asserts
    input  wire               level,
    output reg                wire_own,
    output reg                wire_forced,
    output reg                wire_suppressed,

    input  wire [PORTS*4-1:0] suppress,
    input  wire [PORTS*4-1:0] forget,      // delivered_q of these wires falls
    output reg  [PORTS*4-1:0] delivered_q, // the root was told a rise of the pin while the wire was part of it
    output reg  [PORTS*4-1:0] own_q,
    output reg  [PORTS*4-1:0] forced_q,

    output reg  [3:0]         told_q,
    output reg                differs_q, // the root is to be told …
    output reg  [1:0]         pin_q,     // … about this pin
    output reg                level_q,   // … this level
    input  wire               told_set
);
    wire [31:0] own_all = {{(32 - PORTS * 4){1'b0}}, own_q};
    wire [31:0] forced_all = {{(32 - PORTS * 4){1'b0}}, forced_q};
    wire [31:0] suppress_all = {{(32 - PORTS * 4){1'b0}}, suppress};
    always @(posedge clk) begin
        wire_own <= own_all[index];
        wire_forced <= forced_all[index];
        wire_suppressed <= suppress_all[index];
    end

    reg  [3:0]  want;
    integer p;
    integer k;
    always @* begin
        want = 4'd0;
        for (k = 0; k < PORTS; k = k + 1) begin
            want = want | ((own_q[k*4 +: 4] | forced_q[k*4 +: 4]) & ~suppress[k*4 +: 4]);
        end
    end

    wire [31:0] which_all = 32'd1 << index;
    wire [PORTS*4-1:0] which = which_all[PORTS*4-1:0];
    wire        unused = &{1'b0, which_all};
    wire [3:0]  rises = {3'd0, told_set & level_q} << pin_q; // the root is told so
    always @(posedge clk) begin
        if (rst) begin
            own_q <= {(PORTS * 4){1'b0}};
            forced_q <= {(PORTS * 4){1'b0}};
            told_q <= 4'd0;
            delivered_q <= {(PORTS * 4){1'b0}};
            differs_q <= 1'b0;
        end else begin
            if (change & force_) begin
                forced_q <= (forced_q & ~which) | (which & {(PORTS * 4){level}});
            end
            if (change & ~force_) begin
                own_q <= (own_q & ~which) | (which & {(PORTS * 4){level}});
            end
            delivered_q <= (delivered_q | ({PORTS{rises}} & ~suppress)) & (own_q | forced_q) & ~forget;
            // One pin at a time; the message is on its way until told_set, then the next is looked for.
            if (told_set) begin
                told_q[pin_q] <= level_q;
                differs_q <= 1'b0;
            end else if (~differs_q) begin
                differs_q <= (want != told_q);
                for (p = 3; p >= 0; p = p - 1) begin
                    if (want[p] != told_q[p]) begin
                        pin_q <= p[1:0];
                        level_q <= want[p];
                    end
                end
            end
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // One wire, any, and one pin, any.
    (* anyconst *) wire [4:0] f_wire;
    (* anyconst *) wire [1:0] f_pin;
    localparam integer WIRES = PORTS * 4;
    wire f_own = own_q[f_wire];
    wire f_forced = forced_q[f_wire];
    reg  f_last_own;    // last message of the port about it
    reg  f_last_forced; // last word of software
    reg  f_last_told;   // last message to the root about the pin
    reg  f_joined;      // the pin's last rise was told while the wire was part of it, and it has not fallen since
    wire f_tells = told_set & (pin_q == f_wire[1:0]);
    always @(posedge clk) begin
        if (rst) begin
            {f_last_own, f_last_forced, f_last_told, f_joined} <= 4'd0;
        end else begin
            if (change & (index == f_wire)) begin
                f_last_own <= force_ ? f_last_own : level;
                f_last_forced <= force_ ? level : f_last_forced;
            end
            if (told_set & (pin_q == f_pin)) begin
                f_last_told <= level_q;
            end
            f_joined <= (f_joined | (f_tells & level_q & ~suppress[f_wire])) & (f_last_own | f_last_forced) &
                        ~forget[f_wire];
        end
    end

    // The OR of what is up and not suppressed, spelt out.
    integer f_i;
    reg f_up;
    always @* begin
        f_up = 1'b0;
        for (f_i = 0; f_i < PORTS; f_i = f_i + 1) begin
            if ((own_q[f_i*4 + f_pin] | forced_q[f_i*4 + f_pin]) & ~suppress[f_i*4 + f_pin]) begin
                f_up = 1'b1;
            end
        end
    end
    reg f_up_q;
    reg f_wait; // nothing was on its way to the root, and it was to know something else
    always @(posedge clk) begin
        f_up_q <= f_up;
        f_wait <= ~rst & ~differs_q & (want != told_q);
    end

    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume ({27'd0, f_wire} < WIRES);
        assume (~change | ({27'd0, index} < WIRES));
        assume (~told_set | differs_q);
    end

    always @(posedge clk) begin
        if (f_begun) begin
            // A wire is what its last message says.
            assert ((f_own == f_last_own) & (f_forced == f_last_forced));
            assert (told_q[f_pin] == f_last_told);
            assert (delivered_q[f_wire] == f_joined);
            assert (want[f_pin] == f_up);
            if (f_was & $past(index == f_wire)) begin
                assert ((wire_own == $past(f_own)) & (wire_forced == $past(f_forced)) &
                        (wire_suppressed == $past(suppress[f_wire])));
            end
            // The root is told a change only, and it was one when the message was begun.
            assert (~differs_q | (level_q != told_q[pin_q]));
            // As long as anything differs it is told something: a message is begun in the next cycle.
            assert (differs_q | ~f_wait);
            if (differs_q & (pin_q == f_pin) & ~$past(differs_q)) begin
                assert (level_q == $past(f_up));
            end
            // What is on its way stays.
            if ($past(differs_q & ~told_set & ~rst) & f_was) begin
                assert (differs_q & (pin_q == $past(pin_q)) & (level_q == $past(level_q)));
            end

            cover (f_joined & f_last_told);
            cover (differs_q & ~level_q & (pin_q == 2'd3));
            cover (f_last_own & f_last_forced & ~f_joined & told_q[f_wire[1:0]]);
        end
    end
    reg f_was = 1'b0;
    always @(posedge clk) begin
        f_was <= f_begun;
    end
`endif
endmodule

`default_nettype wire
