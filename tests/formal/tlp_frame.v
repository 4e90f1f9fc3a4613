// SPDX-License-Identifier: BSD-2-Clause
//
// A monitor for proofs: follows the TLPs of a stream by the length they declare (PCIe Base 5.0, 2.2.1 to 2.2.3).
//
// `right`: the beat's keep and last are what the declared length asks for. `crosses`: this beat has the address, and
// the request goes beyond a 4 KiB page (2.2.7). `ends` from outside tells which beats are taken as a TLP's last.
`default_nettype none

module tlp_frame #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [WIDTH-1:0]    data,
    input  wire [WIDTH/32-1:0] keep,
    input  wire                last,
    input  wire                take,
    input  wire                ends,
    output wire                first,
    output wire                must_end,
    output wire                right,
    output wire                crosses,
    output reg  [11:0]         seen_q, // DW of this TLP in beats already taken
    output reg  [11:0]         total_q, // … and all of them, once the first is taken
    output reg  [31:0]         dw0_q
);
    localparam integer K = WIDTH / 32;

    assign first = (seen_q == 12'd0);
    wire [31:0] dw0 = first ? data[31:0] : dw0_q;
    wire [11:0] length = (dw0[9:0] == 10'd0) ? 12'd1024 : {2'd0, dw0[9:0]};
    wire [11:0] header = dw0[29] ? 12'd4 : 12'd3;
    wire [11:0] total = first ? header + (dw0[30] ? length : 12'd0) + {11'd0, dw0[15]} : total_q;

    wire [K-1:0] keep_full = {K{1'b1}};
    reg  [K-1:0] keep_must;
    integer i;
    always @* begin
        for (i = 0; i < K; i = i + 1) begin
            keep_must[i] = (seen_q + i < total);
        end
    end
    assign must_end = (seen_q + K >= total);
    assign right = (last == must_end) & (keep == keep_must);

    // DW 2 has the low half of a short address, DW 3 of a long one.
    wire [11:0] address_dw = header - 12'd1;
    reg  [31:0] address;
    reg         address_here;
    always @* begin
        address = 32'd0;
        address_here = 1'b0;
        for (i = 0; i < K; i = i + 1) begin
            if (seen_q + i == address_dw) begin
                address = data[i*32 +: 32];
                address_here = 1'b1;
            end
        end
    end
    wire memory = (dw0[28:24] == 5'b00000) | (dw0[28:24] == 5'b00001);
    assign crosses = memory & address_here & ({1'b0, address[11:2], 2'b00} + {length, 2'b00} > 14'd4096);

    always @(posedge clk) begin
        if (rst) begin
            seen_q <= 12'd0;
        end else if (take) begin
            seen_q <= ends ? 12'd0 : seen_q + K;
        end
        if (take) begin
            total_q <= total;
            dw0_q <= dw0;
        end
    end
endmodule

`default_nettype wire
