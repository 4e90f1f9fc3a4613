// SPDX-License-Identifier: BSD-2-Clause
//
// What a request's completion says of its extent: Byte Count and Lower Address (PCIe Base 5.0, 2.2.9, 2.3.1.1).
// Combinational.
`default_nettype none

module read_extent (
    input  wire        of_read, // a memory read; others have Byte Count 4 and Lower Address 0
    input  wire [9:0]  length,  // DW
    input  wire [3:0]  first_be,
    input  wire [3:0]  last_be,
    input  wire [4:0]  low,     // address 6:2
    output wire [11:0] byte_count,
    output wire [6:0]  lower_address
);
    wire        one_dw = (length == 10'd1);
    reg  [1:0]  skipped; // bytes not enabled before the first one that is
    reg  [1:0]  tail;    // … and after the last one
    always @* begin
        casez (first_be)
            4'b???1: skipped = 2'd0;
            4'b??10: skipped = 2'd1;
            4'b?100: skipped = 2'd2;
            4'b1000: skipped = 2'd3;
            default: skipped = 2'd0;
        endcase
        casez (one_dw ? first_be : last_be)
            4'b1???: tail = 2'd0;
            4'b01??: tail = 2'd1;
            4'b001?: tail = 2'd2;
            4'b0001: tail = 2'd3;
            default: tail = 2'd3; // no byte at all: a flush, Byte Count 1
        endcase
    end
    wire [11:0] all_bytes = {length, 2'b00} - {10'd0, skipped} - {10'd0, tail};
    assign byte_count = of_read ? all_bytes : 12'd4;
    assign lower_address = of_read ? {low, skipped} : 7'd0;
endmodule

`default_nettype wire
