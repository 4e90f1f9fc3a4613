// SPDX-License-Identifier: BSD-2-Clause
//
// One side's exit: two FIFOs in one memory, so that posted requests and completions pass blocked non-posted
// requests (PCIe Base 5.0, 2.4.1), while no non-posted request passes a posted one that came before it.
//
// A beat written is offered in the next cycle. s_ready is a register, and speaks for posted beats and
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
    output wire                p_half,   // four more posted beats are sure to find room
    output wire                m_first,  // the beat offered is the first of its TLP
    output wire                m_nonposted,
    output wire                dropped   // a TLP was dropped because `up` is low
);
    localparam integer K = WIDTH / 32;
    localparam integer SIDE = K + USER + 1;

    // Words 0 to 7: posted and completions. Words 8 to 31: non-posted.
    reg  [WIDTH-1:0] mem [0:31];
    reg  [SIDE-1:0]  side [0:31]; // what goes with the data
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

    assign s_ready = room_q;
    assign m_valid = up & (select_np ? np_there : p_there);
    wire m_fire = m_valid & m_ready;
    wire p_pop = m_fire & ~select_np;
    assign np_pop = m_fire & select_np;
    assign np_count = np_count_q;
    assign p_half = (p_count_q <= 4'd4);
    assign m_first = ~begun_q;
    assign m_nonposted = select_np;
    assign dropped = s_fire & s_last & ~push;

    wire [4:0] raddr = select_np ? np_rptr_q : {2'd0, p_rptr_q};
    assign m_data = mem[raddr];
    assign {m_user, m_last, m_keep} = side[raddr];

    wire [3:0] p_count_d = p_count_q + {3'd0, p_push} - {3'd0, p_pop};

    // Nothing comes, nothing is here: nothing changes.
    wire active = s_fire | p_there | np_there | ~room_q;
    wire [4:0] waddr = s_nonposted ? np_wptr_q : {2'd0, p_wptr_q};

    always @(posedge clk) begin
        if (push) begin
            mem[waddr] <= s_data;
            side[waddr] <= {s_user, s_last, s_keep};
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
            room_q <= ~rst;
            np_wptr_q <= 5'd8;
            np_rptr_q <= 5'd8;
            np_count_q <= 5'd0;
            locked_q <= 1'b0;
            locked_np_q <= 1'b0;
            begun_q <= 1'b0;
            ahead_known_q <= 1'b0;
            ahead_q <= 4'd0;
        end else if (active) begin
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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    localparam integer BITS = WIDTH + SIDE;
    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    wire f_new = rst | ~up; // what is inside is forgotten

    // Who writes: TLPs in one piece, of one class each, and room for non-posted beats.
    reg        f_in_mid;
    reg        f_in_np;
    reg        f_broken; // the TLP on its way in has met up = 0
    wire       f_takes = s_fire & up & ~(f_in_mid & f_broken);
    reg  [4:0] f_np_inside;
    reg  [3:0] f_p_inside;
    wire       f_p_in = f_takes & ~s_nonposted;
    wire       f_np_in = f_takes & s_nonposted;
    wire       f_p_out = m_valid & m_ready & ~m_nonposted;
    wire       f_np_out = m_valid & m_ready & m_nonposted;
    always @(posedge clk) begin
        if (rst) begin
            f_in_mid <= 1'b0;
            f_broken <= 1'b0;
        end else begin
            if (s_fire) begin
                f_in_mid <= ~s_last;
                f_in_np <= s_nonposted;
            end
            f_broken <= ~up | (f_broken & f_in_mid);
        end
        f_p_inside <= f_new ? 4'd0 : f_p_inside + {3'd0, f_p_in} - {3'd0, f_p_out};
        f_np_inside <= f_new ? 5'd0 : f_np_inside + {4'd0, f_np_in} - {4'd0, f_np_out};
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        if (s_valid & f_in_mid) begin
            assume (s_nonposted == f_in_np);
        end
        if (s_valid & s_nonposted) begin
            assume (f_np_inside < 5'd24);
        end
    end

    // The last beat that came in and went out, a class each: was it the last of a TLP?
    reg f_p_in_last, f_p_out_last, f_np_in_last, f_np_out_last;
    always @(posedge clk) begin
        f_p_in_last <= f_new | (f_p_in ? s_last : f_p_in_last);
        f_p_out_last <= f_new | (f_p_out ? m_last : f_p_out_last);
        f_np_in_last <= f_new | (f_np_in ? s_last : f_np_in_last);
        f_np_out_last <= f_new | (f_np_out ? m_last : f_np_out_last);
    end

    // One beat, any, is followed through.
    (* anyseq *) wire f_pick;
    reg             f_tag; // it is inside
    reg             f_tag_np;
    reg             f_tag_first;
    reg  [BITS-1:0] f_tag_beat;
    reg  [4:0]      f_tag_ahead;   // beats of its class before it
    reg  [3:0]      f_tag_p_ahead; // non-posted: posted beats that came before it
    reg  [3:0]      f_passed;      // TLPs that have begun to leave though it was the next of its class
    wire f_tag_next = f_tag & (f_tag_ahead == 5'd0);
    wire f_tag_out = f_tag_next & m_valid & m_ready & (m_nonposted == f_tag_np);
    always @(posedge clk) begin
        if (f_new | f_tag_out) begin
            f_tag <= 1'b0;
        end else if (~f_tag & f_takes & f_pick) begin
            f_tag <= 1'b1;
            f_tag_np <= s_nonposted;
            f_tag_first <= ~f_in_mid;
            f_tag_beat <= {s_user, s_last, s_keep, s_data};
            f_tag_ahead <= s_nonposted ? f_np_inside - {4'd0, f_np_out} : {1'b0, f_p_inside - {3'd0, f_p_out}};
            f_tag_p_ahead <= f_p_inside - {3'd0, f_p_out};
        end else begin
            if (f_tag_np ? f_np_out : f_p_out) begin
                f_tag_ahead <= f_tag_ahead - 5'd1;
            end
            if (f_p_out & (f_tag_p_ahead != 4'd0)) begin
                f_tag_p_ahead <= f_tag_p_ahead - 4'd1;
            end
        end
        if (f_new | ~f_tag_next | ~f_tag_np | ~np_ok) begin
            f_passed <= 4'd0;
        end else if (f_p_out & m_first) begin
            f_passed <= f_passed + 4'd1;
        end
    end

    // What is offered stays offered.
    reg             f_waits;
    reg             f_offered_np; // a non-posted TLP is on offer, or on its way out
    reg  [BITS+1:0] f_offer;
    always @(posedge clk) begin
        f_waits <= m_valid & ~m_ready & ~f_new;
        f_offer <= {m_first, m_nonposted, m_user, m_last, m_keep, m_data};
        f_offered_np <= ~f_new & (m_valid ? m_nonposted & ~(m_ready & m_last) : f_offered_np);
    end

    wire [5:0] f_np_place = {1'b0, np_rptr_q} + {1'b0, f_tag_ahead};
    wire [4:0] f_np_slot = (f_np_place >= 6'd32) ? f_np_place[4:0] + 5'd8 : f_np_place[4:0];
    wire [4:0] f_tag_slot = f_tag_np ? f_np_slot : {2'd0, p_rptr_q + f_tag_ahead[2:0]};
    wire [4:0] f_before_slot = f_tag_np ? (f_np_slot == 5'd8 ? 5'd31 : f_np_slot - 5'd1)
                                        : {2'd0, f_tag_slot[2:0] - 3'd1};
    wire [BITS-1:0] f_before_beat = {side[f_before_slot], mem[f_before_slot]};
    wire [4:0] f_np_newest = (np_wptr_q == 5'd8) ? 5'd31 : np_wptr_q - 5'd1;
    wire [2:0] f_p_newest = p_wptr_q - 3'd1;
    wire [BITS-1:0] f_np_newest_beat = {side[f_np_newest], mem[f_np_newest]};
    wire [BITS-1:0] f_p_newest_beat = {side[{2'd0, f_p_newest}], mem[{2'd0, f_p_newest}]};
    localparam integer LAST = WIDTH + K;
    wire [5:0] f_np_distance = (np_wptr_q >= np_rptr_q) ? np_wptr_q - np_rptr_q : np_wptr_q + 6'd24 - np_rptr_q;

    always @(posedge clk) begin
        if (f_begun) begin
            // A beat leaves once, as it came, in its turn, at its place in its TLP; TLPs are in one piece.
            if (f_tag_next & m_valid & (m_nonposted == f_tag_np)) begin
                assert ({m_user, m_last, m_keep, m_data} == f_tag_beat);
                assert (m_first == f_tag_first);
                // No non-posted request passes a posted one.
                assert (~f_tag_np | ~m_first | (f_tag_p_ahead == 4'd0));
            end
            assert (~m_valid | ((m_nonposted ? {1'b0, f_np_inside} : {2'b00, f_p_inside}) != 6'd0));
            if (f_p_out_last == 1'b0) begin
                assert (~m_nonposted & ~m_first);
            end
            if (f_np_out_last == 1'b0) begin
                assert (m_nonposted & ~m_first);
            end
            assert (f_p_out_last | f_np_out_last);
            // Posted passes what may not go; and is passed in its turn.
            if (up & (f_p_inside != 4'd0) & ~np_ok & ~f_offered_np) begin
                assert (m_valid & ~m_nonposted);
            end
            if (m_valid & m_nonposted & ~f_offered_np) begin
                assert (np_ok);
            end
            assert (f_passed <= 4'd8);
            // Work is done as long as there is some.
            if (up & f_p_out_last & ~f_offered_np & ((f_p_inside != 4'd0) | ((f_np_inside != 5'd0) & np_ok))) begin
                assert (m_valid);
            end
            if (up & ~f_p_out_last & (f_p_inside != 4'd0) | up & ~f_np_out_last & (f_np_inside != 5'd0)) begin
                assert (m_valid);
            end
            assert (s_ready | $past(f_new) | (f_p_inside == 4'd8));
            assert (~up | ~s_ready | (f_p_inside < 4'd8));
            if (f_waits & up) begin
                assert (m_valid);
                assert ({m_first, m_nonposted, m_user, m_last, m_keep, m_data} == f_offer);
            end
            assert (np_count == f_np_inside);
            assert (p_half == (f_p_inside <= 4'd4));
            assert (np_pop == f_np_out);
            assert (dropped == (s_fire & s_last & ~f_takes));

            // Induction.
            assert (p_count_q == f_p_inside);
            assert (f_p_inside <= 4'd8);
            assert (f_np_inside <= 5'd24);
            assert (p_wptr_q - p_rptr_q == p_count_q[2:0]);
            assert ((np_wptr_q >= 5'd8) & (np_rptr_q >= 5'd8));
            assert (f_np_distance == ((np_count_q == 5'd24) ? 6'd0 : {1'b0, np_count_q}));
            assert (~room_q | (p_count_q < 4'd8));
            assert (mid_q == f_in_mid);
            assert (skip_q == (f_in_mid & f_broken));
            assert (~begun_q | locked_q);
            assert (begun_q == ~(f_p_out_last & f_np_out_last));
            assert (f_p_out_last | ~locked_np_q);
            assert (f_np_out_last | locked_np_q);
            assert (f_offered_np == (locked_q & locked_np_q));
            if (locked_q & ~begun_q) begin
                assert (locked_np_q ? np_there : p_there);
            end
            assert (ahead_q <= p_count_q);
            assert (~ahead_known_q | np_there | locked_q & locked_np_q);
            if (locked_q & locked_np_q & begun_q) begin
                assert (ahead_known_q);
            end
            assert ((p_count_q != 4'd0) | (f_p_in_last == f_p_out_last));
            assert ((np_count_q != 5'd0) | (f_np_in_last == f_np_out_last));
            assert ((p_count_q == 4'd0) | (f_p_newest_beat[LAST] == f_p_in_last));
            assert ((np_count_q == 5'd0) | (f_np_newest_beat[LAST] == f_np_in_last));
            assert (f_in_mid & ~f_broken ? (s_nonposted_of_mid ? f_p_in_last & ~f_np_in_last : ~f_p_in_last & f_np_in_last)
                                         : (f_p_in_last & f_np_in_last) | ~up);
            if (f_tag) begin
                assert (f_tag_ahead < (f_tag_np ? np_count_q : {1'b0, p_count_q}));
                assert (f_tag_beat == {side[f_tag_slot], mem[f_tag_slot]});
                assert (f_tag_first == ((f_tag_ahead != 5'd0) ? f_before_beat[LAST]
                                                              : f_tag_np ? f_np_out_last : f_p_out_last));
                assert (f_tag_p_ahead <= p_count_q);
                if (f_tag_np & f_tag_first & (f_tag_ahead == 5'd0)) begin
                    assert (~ahead_known_q | (f_tag_p_ahead <= ahead_q));
                    assert (~f_offered_np | (f_tag_p_ahead == 4'd0));
                end
                if (f_tag_next & f_tag_np) begin
                    assert ((f_passed == 4'd0) | ahead_known_q);
                    assert (~ahead_known_q | ({1'b0, f_passed} + {1'b0, ahead_q} <= 5'd8));
                    if (ahead_known_q & (ahead_q == 4'd0) & locked_q & ~locked_np_q & ~begun_q) begin
                        assert (f_passed == 4'd0); // on offer since np_ok was low
                    end
                end
            end

            cover (f_tag_out & f_tag_np & f_tag_first);
            cover (f_tag_out & ~f_tag_np & ~f_tag_first);
            cover (f_passed == 4'd2);
            cover (np_count == 5'd4);
            cover (dropped & up);
        end
    end
    wire s_nonposted_of_mid = f_in_np;
`endif
endmodule

`default_nettype wire
