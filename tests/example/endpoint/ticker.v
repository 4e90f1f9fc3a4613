// SPDX-License-Identifier: BSD-2-Clause
`default_nettype none
// An endpoint of one's own, as small as one can be: a timer with an INTx interrupt, on the 64-bit TLP streams
// of a hard block (first DW in the low lane, specification bit order). Configuration requests are answered
// outside, as a hard block does it; `id` and `intx_disable` are what it tells.
//
// BAR 0, by 32 bits: 0 "TICK", 4 period in microseconds (0: off), 8 ticks so far, 12 a write takes the
// interrupt down. Requests that are not for one DW with a 3-DW header: reads are refused, writes dropped.
module ticker (
    input wire clk,
    input wire rst,
    input wire [15:0] id,
    input wire intx_disable,
    input wire microsecond,  // one cycle of each microsecond
    output wire [31:0] left,  // microseconds until the next tick; 0: none will come

    input wire [63:0] s_data,
    input wire s_last,
    input wire s_valid,
    output wire s_ready,

    output wire [63:0] m_data,
    output wire [1:0] m_keep,
    output wire m_last,
    output wire m_valid,
    input wire m_ready
);

localparam [31:0] ID = 32'h4b434954;  // "TICK" in memory

function [31:0] swap(input [31:0] x);
    swap = {x[7:0], x[15:8], x[23:16], x[31:24]};
endfunction

// ---- timer
reg [31:0] period, until_tick, ticks;
reg asserted;  // the function wants its wire up
assign left = until_tick;

// ---- requests: a beat of header, a beat with the address and perhaps data; longer ones are refused
reg [63:0] head;
reg second;  // the beat to come is the second one
reg tail;  // what comes is beyond the second beat
reg out_valid;  // an answer or a message is on its way out: nothing is taken meanwhile
assign s_ready = !out_valid;
wire takes = s_valid && s_ready;

wire [31:0] dw0 = head[31:0], dw1 = head[63:32], address = s_data[31:0], data = s_data[63:32];
// Lastly what requests have and this endpoint doesn't look at: last byte enables, the rest of the address.
wire unused = &{dw1[7:4], address[31:7], address[1:0]};
wire decides = takes && second;
wire is_read = dw0[31:24] == 8'h00;
wire is_write = dw0[31:24] == 8'h40 && !dw0[14];  // not when it's poisoned
wire one_dw = dw0[9:0] == 10'd1 && s_last;
wire writes = decides && is_write && one_dw && dw1[3:0] == 4'hf;
wire reads = decides && (is_read || dw0[31:24] == 8'h20);
wire [31:0] value = swap(data);

reg [31:0] register;
always @* begin
    case (address[3:2])
        2'd0: register = ID;
        2'd1: register = period;
        2'd2: register = ticks;
        default: register = {31'd0, asserted};
    endcase
end

// Byte Count and the low bits of Lower Address follow from the byte enables (PCIe Base 5.0, 2.3.1.1).
reg [11:0] bytes;
reg [1:0] low;
always @* begin
    casez (dw1[3:0])
        4'b1??1: bytes = 12'd4;
        4'b01?1, 4'b1?10: bytes = 12'd3;
        4'b0011, 4'b0110, 4'b1100: bytes = 12'd2;
        default: bytes = 12'd1;
    endcase
    casez (dw1[3:0])
        4'b???1, 4'b0000: low = 2'd0;
        4'b??10: low = 2'd1;
        4'b?100: low = 2'd2;
        default: low = 2'd3;
    endcase
end

// ---- what leaves: completions and INTx messages, two beats each
reg out_second, out_data;  // out_data: the second beat has both DW
reg [127:0] out;
reg wire_sent;  // level that the last message told
wire wanted = asserted && !intx_disable;
wire answers = reads;
wire tells = !out_valid && !answers && wanted != wire_sent;
wire serves = is_read && one_dw;

assign m_valid = out_valid;
assign m_data = out_second ? out[127:64] : out[63:0];
assign m_last = out_second;
assign m_keep = out_second && !out_data ? 2'b01 : 2'b11;

always @(posedge clk) begin
    if (takes) begin
        head <= second || tail ? head : s_data;
        second <= !second && !tail && !s_last;
        tail <= (second || tail) && !s_last;
    end

    if (writes && address[3:2] == 2'd1) begin
        period <= value;
        until_tick <= value;
    end else if (microsecond && until_tick == 32'd1) begin
        until_tick <= period;
        ticks <= ticks + 32'd1;
        asserted <= 1'b1;
    end else if (microsecond && until_tick != 32'd0) begin
        until_tick <= until_tick - 32'd1;
    end
    if (writes && address[3:2] == 2'd3)
        asserted <= 1'b0;

    if (answers) begin
        out_valid <= 1'b1;
        out_second <= 1'b0;
        out_data <= serves;
        // TC and attributes of the request; Cpl or CplD; status SC or UR.
        out[31:0] <= {serves ? 8'h4a : 8'h0a, 24'd0} | (dw0 & 32'h00743000) | {31'd0, serves};
        out[63:32] <= {id, serves ? 3'b000 : 3'b001, 1'b0, bytes};
        out[95:64] <= {dw1[31:8], 1'b0, address[6:2], low};
        out[127:96] <= swap(register);
    end else if (tells) begin
        out_valid <= 1'b1;
        out_second <= 1'b0;
        out_data <= 1'b1;
        wire_sent <= wanted;
        // Assert_INTA or Deassert_INTA: local, function number 0.
        out <= {64'd0, id & 16'hfff8, 8'd0, wanted ? 8'h20 : 8'h24, 32'h34000000};
    end else if (out_valid && m_ready) begin
        out_second <= 1'b1;
        out_valid <= !out_second;
    end

    if (rst) begin
        second <= 1'b0;
        tail <= 1'b0;
        period <= 32'd0;
        until_tick <= 32'd0;
        ticks <= 32'd0;
        asserted <= 1'b0;
        out_valid <= 1'b0;
        wire_sent <= 1'b0;
    end
end

endmodule
