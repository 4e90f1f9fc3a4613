// SPDX-License-Identifier: BSD-2-Clause
//
// Whether two words are the same in the bits that a mask names.
//
// Written as a sum: two bits with their masks are one LUT of six inputs, and "all of them" is a carry, for which
// FPGAs have wires of their own; an AND of as many terms would cost half as many LUTs again.
// Combinational.
`default_nettype none

module masked_equal #(
    parameter integer BITS = 62 // even
) (
    input  wire [BITS-1:0] a,
    input  wire [BITS-1:0] b,
    input  wire [BITS-1:0] mask,
    output wire            equal
);
    wire same = (((a ^ b) & mask) == {BITS{1'b0}});

    // Simulation takes the plain form: a word is looked at at once, the pairs would be one by one.
`ifdef VERILATOR
    assign equal = same;
`else
    localparam integer PAIRS = BITS / 2;
    wire [PAIRS-1:0] pairs;
    genvar g;
    generate
        for (g = 0; g < PAIRS; g = g + 1) begin : pair
            assign pairs[g] = (((a[2*g +: 2] ^ b[2*g +: 2]) & mask[2*g +: 2]) == 2'd0);
        end
    endgenerate
    wire [PAIRS:0] carry = {1'b0, pairs} + {{PAIRS{1'b0}}, 1'b1};
    assign equal = carry[PAIRS];
    wire unused = &{1'b0, carry[PAIRS-1:0]};
`endif

`ifdef FORMAL
    always @* begin
        assert (equal == same);
    end
`endif
endmodule

`default_nettype wire
