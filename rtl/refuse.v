// SPDX-License-Identifier: BSD-2-Clause
//
// Answers UR to requests of the ports that the relay stops: one completion each, in order, back to the port.
//
// What is stopped shows its beats here as they are dropped. At most eight requests wait for their answer; `more` falls
// early enough that none that could be stopped is let into the stream beyond that. A port that takes no completion for
// 256 cycles does not get its answer: others' requests, and what waits behind them, must not wait for it. But for
// that a completion's beats stay until c_take. Synchronous reset.
`default_nettype none

module refuse #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [7:0]          bus,
    input  wire [4:0]          device,

    input  wire                enter, // a non-posted TLP enters the stream
    input  wire                leave, // … and is not stopped
    output reg                 more,  // another one may enter

    input  wire                stop,  // the first beat of a TLP that is stopped is here:
    input  wire                beat,
    input  wire                beat_last,
    input  wire                beat_bad,
    input  wire                beat_nonposted,
    input  wire [WIDTH-1:0]    beat_data,
    input  wire [2:0]          beat_port, // with stop

    output wire                c_valid,
    output wire [WIDTH-1:0]    c_data,
    output wire [WIDTH/32-1:0] c_keep,
    output wire                c_first,
    output wire                c_last,
    output wire [2:0]          c_port,
    input  wire                c_take
);
    localparam integer K = WIDTH / 32;
    localparam integer BITS = 3 + 1 + 6 + 2 + 10 + 32 + 5; // port, read, DW0 23:18, 13:12, 9:0, DW1, address 6:2

    // ---- what is stopped ----------------------------------------------------------------------------------

    wire            wants = stop & beat_nonposted;
    reg             inside_q; // its other beats come
    wire            here = beat & (wants | inside_q);
    wire            ends = here & beat_last;
    wire [BITS-1:0] entry;
    wire [53:0]     head_d = {beat_port, (beat_data[28:24] == 5'd0), beat_data[23:18], beat_data[13:12], beat_data[9:0],
                              beat_data[63:32]};
    generate
        if (K == 2) begin : narrow
            reg         second_q;
            reg  [53:0] head_q;
            reg         four_q;
            reg  [4:0]  low_q;
            wire [4:0]  low = four_q ? beat_data[38:34] : beat_data[6:2];
            always @(posedge clk) begin
                if (wants) begin
                    head_q <= head_d;
                    four_q <= beat_data[29];
                end
                if (here) begin
                    second_q <= wants;
                end
                if (here & second_q) begin
                    low_q <= low;
                end
            end
            assign entry = {head_q, second_q ? low : low_q};
        end else begin : wide
            reg  [BITS-1:0] head_q;
            wire [4:0]      low = beat_data[29] ? beat_data[102:98] : beat_data[70:66];
            wire [BITS-1:0] head = {head_d, low};
            always @(posedge clk) begin
                if (wants) begin
                    head_q <= head;
                end
            end
            assign entry = wants ? head : head_q;
            wire unused = &{1'b0, beat_data[127:103], beat_data[97:71], beat_data[65:64]};
        end
    endgenerate

    // ---- those that wait ----------------------------------------------------------------------------------

    reg  [BITS-1:0] mem [0:7];
    reg  [2:0]      wptr_q;
    reg  [2:0]      rptr_q;
    reg  [3:0]      count_q;
    reg  [3:0]      owed_q; // in the stream, or here
    wire            push = ends & ~beat_bad;
    reg  [8:0]      waited_q;
    wire            give_up = waited_q[8] & c_valid & c_first & ~c_take;
    wire            pop = (c_take & c_last) | give_up;
    wire [3:0]      owed_d = owed_q + {3'd0, enter} - {3'd0, leave} - {3'd0, pop} - {3'd0, ends & beat_bad};
    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= entry;
        end
        if (rst) begin
            inside_q <= 1'b0;
            wptr_q <= 3'd0;
            rptr_q <= 3'd0;
            count_q <= 4'd0;
            owed_q <= 4'd0;
            waited_q <= 9'd0;
            more <= 1'b0;
        end else begin
            if (here) begin
                inside_q <= ~beat_last;
            end
            wptr_q <= wptr_q + {2'd0, push};
            rptr_q <= rptr_q + {2'd0, pop};
            count_q <= count_q + {3'd0, push} - {3'd0, pop};
            owed_q <= owed_d;
            waited_q <= (c_take | give_up | ~c_valid) ? 9'd0 : waited_q + {8'd0, ~waited_q[8]};
            more <= (owed_d < 4'd8);
        end
    end

    // ---- the completion (PCIe Base 5.0, 2.2.9) ------------------------------------------------------------

    wire unused = &{1'b0, beat_data[31:30], beat_data[17:14], beat_data[11:10]};

    wire [2:0]  port;
    wire        of_read;
    wire [5:0]  traffic;
    wire [1:0]  attributes;
    wire [9:0]  length;
    wire [31:0] dw1;
    wire [4:0]  low;
    assign {port, of_read, traffic, attributes, length, dw1, low} = mem[rptr_q];
    wire [11:0] byte_count;
    wire [6:0]  lower_address;
    read_extent extent (
        .of_read(of_read), .length(length), .first_be(dw1[3:0]), .last_be(dw1[7:4]), .low(low),
        .byte_count(byte_count), .lower_address(lower_address)
    );
    wire [31:0] h0 = {8'h0a, traffic, 4'b0000, attributes, 12'd0};
    wire [31:0] h1 = {bus, device, 3'd0, 3'b001, 1'b0, byte_count};
    wire [31:0] h2 = {dw1[31:8], 1'b0, lower_address};
    assign c_valid = (count_q != 4'd0);
    assign c_port = port;
    generate
        if (K == 2) begin : two_beats
            reg second_q;
            assign c_data = second_q ? {32'd0, h2} : {h1, h0};
            assign c_keep = second_q ? 2'b01 : 2'b11;
            assign c_first = ~second_q;
            assign c_last = second_q;
            always @(posedge clk) begin
                second_q <= ~rst & (second_q ^ c_take);
            end
        end else begin : one_beat
            assign c_data = {32'd0, h2, h1, h0};
            assign c_keep = 4'b0111;
            assign c_first = 1'b1;
            assign c_last = 1'b1;
        end
    endgenerate
endmodule

`default_nettype wire
