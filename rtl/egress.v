// SPDX-License-Identifier: BSD-2-Clause
//
// One side's exit: two FIFOs in one memory, so that posted requests and completions pass blocked non-posted
// requests (PCIe Base 5.0, 2.4.1), while no non-posted request passes a posted one that came before it.
//
// A beat written is offered in the next cycle. s_ready is a register and speaks for posted beats and
// completions; whoever writes a non-posted beat has seen to it that np_count leaves room.
// A non-posted TLP is begun only while np_ok is high; one that has been offered stays offered.
// While `up` is low everything is dropped, and a TLP caught in the middle is dropped to its end.
// Synchronous reset.
`default_nettype none

module egress #(
    parameter integer WIDTH = 64,
    parameter integer USER = 1 // bits that accompany each beat
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                up,

    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire [USER-1:0]     s_user,
    input  wire                s_last,
    input  wire                s_nonposted,
    input  wire                s_valid,
    output wire                s_ready,

    output wire [WIDTH-1:0]    m_data,
    output wire [WIDTH/32-1:0] m_keep,
    output wire [USER-1:0]     m_user,
    output wire                m_last,
    output wire                m_valid,
    input  wire                m_ready,
    input  wire                np_ok,

    output wire                np_pop,   // a non-posted beat left
    output wire [4:0]          np_count, // non-posted beats inside, at most 24
    output wire                m_first,  // the beat offered is the first of its TLP
    output wire                m_nonposted,
    output wire                dropped   // a TLP was dropped because `up` is low
);
    localparam integer K = WIDTH / 32;
    localparam integer BITS = WIDTH + K + USER + 1;

    // Words 0 to 7: posted and completions. Words 8 to 31: non-posted.
    reg  [BITS-1:0] mem [0:31];
    reg  [2:0] p_wptr_q;
    reg  [2:0] p_rptr_q;
    reg  [3:0] p_count_q;
    reg        room_q;
    reg  [4:0] np_wptr_q;
    reg  [4:0] np_rptr_q;
    reg  [4:0] np_count_q;

    reg        mid_q;  // in the middle of a TLP on its way in
    reg        skip_q; // … of which a part has been dropped

    reg        locked_q; // the choice between the FIFOs stands until the TLP has left
    reg        locked_np_q;
    reg        begun_q; // the first beat has left

    // Posted beats that were there when the oldest non-posted TLP came to the head: it waits for them.
    reg        ahead_known_q;
    reg  [3:0] ahead_q;

    wire s_fire = s_valid & s_ready;
    wire push = s_fire & up & ~skip_q;
    wire p_push = push & ~s_nonposted;
    wire np_push = push & s_nonposted;

    wire np_there = (np_count_q != 5'd0);
    wire p_there = (p_count_q != 4'd0);
    wire np_free = ahead_known_q ? (ahead_q == 4'd0) : ~p_there;
    wire select_np = locked_q ? locked_np_q : np_there & np_ok & np_free;

    assign s_ready = room_q | ~up;
    assign m_valid = up & (select_np ? np_there : p_there);
    wire m_fire = m_valid & m_ready;
    wire p_pop = m_fire & ~select_np;
    assign np_pop = m_fire & select_np;
    assign np_count = np_count_q;
    assign m_first = ~begun_q;
    assign m_nonposted = select_np;
    assign dropped = s_fire & s_last & ~push;

    wire [4:0] raddr = select_np ? np_rptr_q : {2'd0, p_rptr_q};
    assign {m_user, m_last, m_keep, m_data} = mem[raddr];

    wire [3:0] p_count_d = p_count_q + {3'd0, p_push} - {3'd0, p_pop};

    always @(posedge clk) begin
        if (push) begin
            mem[s_nonposted ? np_wptr_q : {2'd0, p_wptr_q}] <= {s_user, s_last, s_keep, s_data};
        end
        if (rst) begin
            mid_q <= 1'b0;
            skip_q <= 1'b0;
        end else begin
            if (s_fire) begin
                mid_q <= ~s_last;
            end
            // A beat of this TLP that comes later has lost its beginning.
            skip_q <= (skip_q | ~up) & (s_fire ? ~s_last : mid_q);
        end
        if (rst | ~up) begin
            p_wptr_q <= 3'd0;
            p_rptr_q <= 3'd0;
            p_count_q <= 4'd0;
            room_q <= up & ~rst;
            np_wptr_q <= 5'd8;
            np_rptr_q <= 5'd8;
            np_count_q <= 5'd0;
            locked_q <= 1'b0;
            locked_np_q <= 1'b0;
            begun_q <= 1'b0;
            ahead_known_q <= 1'b0;
            ahead_q <= 4'd0;
        end else begin
            p_wptr_q <= p_wptr_q + {2'd0, p_push};
            p_rptr_q <= p_rptr_q + {2'd0, p_pop};
            p_count_q <= p_count_d;
            room_q <= ~p_count_d[3];
            if (np_push) begin
                np_wptr_q <= (np_wptr_q == 5'd31) ? 5'd8 : np_wptr_q + 5'd1;
            end
            if (np_pop) begin
                np_rptr_q <= (np_rptr_q == 5'd31) ? 5'd8 : np_rptr_q + 5'd1;
            end
            np_count_q <= np_count_q + {4'd0, np_push} - {4'd0, np_pop};
            if (m_valid) begin
                locked_q <= ~(m_ready & m_last);
                locked_np_q <= select_np;
            end
            if (m_fire) begin
                begun_q <= ~m_last;
            end
            if (np_pop & m_last) begin
                ahead_known_q <= 1'b0;
            end else if (np_there & ~ahead_known_q) begin
                ahead_known_q <= 1'b1;
                ahead_q <= p_count_q - {3'd0, p_pop};
            end else if (p_pop & (ahead_q != 4'd0)) begin
                ahead_q <= ahead_q - 4'd1;
            end
        end
    end
endmodule

`default_nettype wire
