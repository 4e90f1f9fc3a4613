// SPDX-License-Identifier: BSD-2-Clause
//
// Gives a TLP another address, or a message in place of the one it is, on its way to the exit. An address on the
// other side of 4 GiB needs a header of another size: what follows it moves by one DW.
//
// The first beat never waits, but where a header of four DW becomes one of three: what is behind the address then
// leaves one beat later (at 128 bit the first beat, too). A TLP that got longer by a beat holds the stream for one
// cycle. What need not change goes through as it is, in the same cycle.
// s_window, s_message and what belongs to them are looked at with s_first. Only memory requests without a digest
// change, and only writes of one DW become messages. Synchronous reset.
`default_nettype none

module readdress #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_first,   // the first beat of a port's TLP
    input  wire                s_window,  // address bits 51:12 become `page`
    input  wire [39:0]         page,
    input  wire                four,      // … which needs four header DW
    input  wire                s_message, // it becomes a write of three header DW:
    input  wire [29:0]         address,   // 31:2
    input  wire [31:0]         data,
    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire                s_last,
    input  wire                s_bad,
    input  wire                s_nonposted,
    input  wire                s_valid,
    output wire                s_ready,

    output wire [WIDTH-1:0]    m_data,
    output wire [WIDTH/32-1:0] m_keep,
    output wire                m_last,
    output wire                m_bad,
    output wire                m_nonposted,
    output wire                m_valid,
    input  wire                m_ready,
    output wire                busy // a beat of a TLP that has been taken is still to leave
);
    localparam integer K = WIDTH / 32;

    wire        starts = s_first & (s_window | s_message);
    wire        was_four = s_data[29];
    wire        will_four = s_window & four;
    wire [31:0] high_d = s_window ? {12'd0, page[39:20]} : data;
    wire [31:0] low_d = s_window ? {page[19:0], 12'd0} : {address, 2'b00};
    wire [31:0] first_dw = {s_data[31:30], starts ? will_four : s_data[29], s_data[28:0]};

    reg         grow_q;
    reg         message_q;
    reg         flush_q; // all has been taken, and one beat is still here
    reg  [K-1:0] flush_keep_q;
    reg  [31:0] high_q;  // address 63:32, or the message's data

    wire        s_fire = s_valid & s_ready;
    wire        silent; // the beat goes out with the next one
    wire        spill;  // more is left of the TLP when its last beat has been taken
    wire [K-1:0] spill_keep;
    assign s_ready = m_ready & ~flush_q;
    assign m_valid = flush_q | (s_valid & ~silent);
    assign m_bad = ~flush_q & s_bad;
    assign m_last = flush_q | (s_last & (s_bad | ~spill));
    assign m_nonposted = ~flush_q & s_nonposted;
    assign busy = flush_q;

    generate
        if (K == 2) begin : narrow
            reg         shrink_q;
            reg         second_q; // the beat with the address comes
            reg         change_q; // … and changes
            reg         shift_q;  // what comes is behind it, and moves
            reg         was_four_q;
            reg         will_four_q;
            reg  [31:0] low_q;
            reg  [31:0] carry_q;
            wire        at_address = second_q & change_q;
            wire [11:0] in_page = was_four_q ? s_data[43:32] : s_data[11:0];
            wire [31:0] low = {low_q[31:12], message_q ? low_q[11:0] : in_page};
            reg  [31:0] lane0;
            reg  [31:0] lane1;
            always @* begin
                lane0 = first_dw;
                lane1 = s_data[63:32];
                if (flush_q | shift_q) begin
                    lane0 = carry_q;
                    lane1 = (message_q & ~flush_q) ? high_q : s_data[31:0];
                end else if (at_address) begin
                    lane0 = will_four_q ? high_q : low;
                    lane1 = will_four_q ? low : message_q ? high_q : s_data[63:32];
                end
            end
            assign m_data = {lane1, lane0};
            assign silent = at_address & shrink_q & ~s_last;
            assign spill = (shift_q | (at_address & grow_q)) & s_keep[1];
            assign spill_keep = 2'b01;
            assign m_keep = flush_q ? flush_keep_q : shift_q | (at_address & grow_q) ? 2'b11
                            : (at_address & shrink_q) ? 2'b01 : s_keep;
            always @(posedge clk) begin
                if (s_fire & s_first) begin
                    shrink_q <= starts & was_four & ~will_four;
                    was_four_q <= was_four;
                    will_four_q <= will_four;
                    low_q <= low_d;
                end
                if (s_fire) begin
                    carry_q <= (at_address & shrink_q) ? low : s_data[63:32];
                end
                if (rst) begin
                    second_q <= 1'b0;
                    change_q <= 1'b0;
                    shift_q <= 1'b0;
                end else if (s_fire) begin
                    second_q <= s_first & ~s_last;
                    if (s_first) begin
                        change_q <= starts;
                    end
                    shift_q <= ~s_last & (shift_q | (at_address & (grow_q | shrink_q)));
                end
            end
        end else begin : wide
            reg         more_q; // behind the first beat of a TLP that changes its size
            reg  [95:0] carry_q;
            wire        grows = starts & ~was_four & will_four;
            wire        shrinks = starts & was_four & ~will_four;
            wire [11:0] in_page = was_four ? s_data[107:96] : s_data[75:64];
            wire [31:0] low = {low_d[31:12], s_message ? low_d[11:0] : in_page};
            wire        out_grow = more_q & grow_q;
            reg  [127:0] lanes;
            always @* begin
                lanes = {s_data[127:32], first_dw};
                if (starts & ~flush_q) begin
                    if (will_four) begin
                        lanes[127:64] = {low, high_d};
                    end else begin
                        lanes[95:64] = low;
                        lanes[127:96] = s_message ? high_d : s_data[127:96];
                    end
                end else if (out_grow | (flush_q & grow_q)) begin
                    lanes = {s_data[95:0], carry_q[31:0]};
                end else if (more_q | flush_q) begin
                    lanes = {(message_q & ~flush_q) ? high_q : s_data[31:0], carry_q};
                end
            end
            assign m_data = lanes;
            assign silent = shrinks & ~s_last;
            assign spill = (out_grow | grows) ? s_keep[3] : more_q & s_keep[1];
            assign spill_keep = (out_grow | grows) ? 4'b0001 : {1'b0, s_keep[3:1]};
            assign m_keep = flush_q ? flush_keep_q : (out_grow | grows) ? {s_keep[2:0], 1'b1}
                            : more_q ? 4'b1111 : shrinks ? 4'b0111 : s_keep;
            always @(posedge clk) begin
                if (s_fire) begin
                    carry_q <= shrinks ? {low, s_data[63:32], first_dw}
                               : (out_grow | grows) ? {64'd0, s_data[127:96]} : s_data[127:32];
                end
                if (rst) begin
                    more_q <= 1'b0;
                end else if (s_fire) begin
                    more_q <= ~s_last & (more_q | grows | shrinks);
                end
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (s_fire & s_first) begin
            grow_q <= starts & ~was_four & will_four;
            message_q <= starts & s_message;
            high_q <= high_d;
        end
        if (s_fire) begin
            flush_keep_q <= spill_keep;
        end
        if (rst) begin
            flush_q <= 1'b0;
        end else begin
            flush_q <= flush_q ? ~m_ready : s_fire & s_last & ~s_bad & spill;
        end
    end
endmodule

`default_nettype wire
