// SPDX-License-Identifier: BSD-2-Clause
//
// The number of the one bit that is set; 0 with none.
//
// Combinational.
`default_nettype none

module index_of #(
    parameter integer N = 32 // at most 128
) (
    input  wire [N-1:0] one,
    output wire [6:0]   index
);
    // Bits whose number has bit 0, 1, … set.
    localparam [127:0] HAS_0 = {32{4'b1010}};
    localparam [127:0] HAS_1 = {32{4'b1100}};
    localparam [127:0] HAS_2 = {16{8'hf0}};
    localparam [127:0] HAS_3 = {8{16'hff00}};
    localparam [127:0] HAS_4 = {4{32'hffff_0000}};
    localparam [127:0] HAS_5 = {2{64'hffff_ffff_0000_0000}};
    localparam [127:0] HAS_6 = {{64{1'b1}}, 64'd0};
    assign index = {
        (one & HAS_6[N-1:0]) != {N{1'b0}}, (one & HAS_5[N-1:0]) != {N{1'b0}}, (one & HAS_4[N-1:0]) != {N{1'b0}},
        (one & HAS_3[N-1:0]) != {N{1'b0}}, (one & HAS_2[N-1:0]) != {N{1'b0}}, (one & HAS_1[N-1:0]) != {N{1'b0}},
        (one & HAS_0[N-1:0]) != {N{1'b0}}
    };
endmodule

`default_nettype wire
