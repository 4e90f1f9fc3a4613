// SPDX-License-Identifier: BSD-2-Clause
//
// Puts a TLP of the relay's own on the stream, beat by beat, from its header and up to eight DW of data.
//
// Header DW are h0, h1, then for a four-DW header (h0 bit 29) h2 and h3, else h3 alone; data DW are taken
// from word 0 on; how many follows from h0. Inputs stay stable while beats are taken.
// Combinational but for the beat's number, which moves with take. Synchronous reset.
`default_nettype none

module local_tlp #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [31:0]         h0,
    input  wire [31:0]         h1,
    input  wire [31:0]         h2,
    input  wire [31:0]         h3,
    input  wire [255:0]        words,
    input  wire                take,
    output wire [WIDTH-1:0]    data,
    output wire [WIDTH/32-1:0] keep,
    output wire                last
);
    localparam integer K = WIDTH / 32;
    localparam integer BEATS = 12 / K;

    wire         four_dw = h0[29];
    wire [3:0]   payload = h0[30] ? h0[3:0] : 4'd0;
    wire [3:0]   total = 4'd3 + {3'd0, four_dw} + payload;
    wire [383:0] sequence_ = four_dw ? {words, h3, h2, h1, h0} : {32'd0, words, h3, h1, h0};

    reg  [2:0] beat_q;
    reg  [WIDTH-1:0] beat;
    integer i;
    always @* begin
        beat = sequence_[WIDTH-1:0];
        for (i = 1; i < BEATS; i = i + 1) begin
            if (beat_q == i[2:0]) begin
                beat = sequence_[i*WIDTH +: WIDTH];
            end
        end
    end
    assign data = beat;

    localparam [3:0] STEP = K[3:0];
    wire [3:0] sent = (K == 2) ? {beat_q, 1'b0} : {beat_q[1:0], 2'b00};
    wire [3:0] left = total - sent;
    assign last = (left <= STEP);
    genvar g;
    generate
        for (g = 0; g < K; g = g + 1) begin : lane
            localparam [31:0] INDEX = g;
            assign keep[g] = (left > INDEX[3:0]);
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            beat_q <= 3'd0;
        end else if (take) begin
            beat_q <= last ? 3'd0 : beat_q + 3'd1;
        end
    end
endmodule

`default_nettype wire
