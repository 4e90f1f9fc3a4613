// SPDX-License-Identifier: BSD-2-Clause
//
// The INTx wires: what the ports assert, what is forced by software, and what the root is to be told.
//
// Wire 4 (k - 1) + p is pin p of port k. A wire is up when its port asserts it or it is forced. The root's
// pin p is to be up when any port's pin p is up and not suppressed.
// wire_* tell about the wire `index` as it is; with `change` it takes `level` from the next cycle on. told is
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
    output wire               wire_own,
    output wire               wire_forced,
    output wire               wire_suppressed,

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
    assign wire_own = own_all[index];
    assign wire_forced = forced_all[index];
    assign wire_suppressed = suppress_all[index];

    reg  [3:0]  want;
    integer p;
    integer k;
    always @* begin
        want = 4'd0;
        for (k = 0; k < PORTS; k = k + 1) begin
            want = want | ((own_q[k*4 +: 4] | forced_q[k*4 +: 4]) & ~suppress[k*4 +: 4]);
        end
    end

    integer w;
    always @(posedge clk) begin
        if (rst) begin
            own_q <= {(PORTS * 4){1'b0}};
            forced_q <= {(PORTS * 4){1'b0}};
            told_q <= 4'd0;
            delivered_q <= {(PORTS * 4){1'b0}};
            differs_q <= 1'b0;
        end else begin
            for (w = 0; w < PORTS * 4; w = w + 1) begin
                if (change & (index == w[4:0])) begin
                    if (force_) begin
                        forced_q[w] <= level;
                    end else begin
                        own_q[w] <= level;
                    end
                end
            end
            for (w = 0; w < PORTS * 4; w = w + 1) begin
                if (forget[w] | ~(own_q[w] | forced_q[w])) begin
                    delivered_q[w] <= 1'b0;
                end else if (told_set & level_q & ({30'd0, pin_q} == w % 4) & ~suppress[w]) begin
                    delivered_q[w] <= 1'b1;
                end
            end
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
endmodule

`default_nettype wire
