// SPDX-License-Identifier: BSD-2-Clause
//
// Which entries of the source table are in use, and one that is free.
//
// change inverts the entry in `which` (one bit). free_* follow two cycles later. Synchronous reset: all free.
`default_nettype none

module free_list #(
    parameter integer SOURCES = 32
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               change,
    input  wire [SOURCES-1:0] which,
    output reg  [SOURCES-1:0] used_q,
    output reg                there_q,
    output reg  [6:0]         index_q
);
    integer i;
    reg [6:0] index;
    always @* begin
        index = 7'd0;
        for (i = SOURCES - 1; i >= 0; i = i - 1) begin
            if (~used_q[i]) begin
                index = i[6:0];
            end
        end
    end
    always @(posedge clk) begin
        index_q <= index;
        if (rst) begin
            used_q <= {SOURCES{1'b0}};
            there_q <= 1'b0;
        end else begin
            if (change) begin
                used_q <= used_q ^ which;
            end
            there_q <= (used_q != {SOURCES{1'b1}});
        end
    end
endmodule

`default_nettype wire
