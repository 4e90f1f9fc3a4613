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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // What comes in: TLPs as long as they declare, unless their last beat is bad.
    wire        i_first, i_must_end, i_right, i_crosses;
    wire [11:0] i_seen, i_total;
    wire [31:0] i_dw0;
    wire        f_in = s_valid & s_ready;
    tlp_frame #(.WIDTH(WIDTH)) f_came (
        .clk(clk), .rst(rst), .data(s_data), .keep(s_keep), .last(s_last), .take(f_in), .ends(s_last),
        .first(i_first), .must_end(i_must_end), .right(i_right), .crosses(i_crosses),
        .seen_q(i_seen), .total_q(i_total), .dw0_q(i_dw0)
    );
    // … and what goes out.
    wire        o_first, o_must_end, o_right, o_crosses;
    wire [11:0] o_seen, o_total;
    wire [31:0] o_dw0;
    wire        f_out = m_valid & m_ready;
    tlp_frame #(.WIDTH(WIDTH)) f_went (
        .clk(clk), .rst(rst), .data(m_data), .keep(m_keep), .last(m_last), .take(f_out), .ends(m_last),
        .first(o_first), .must_end(o_must_end), .right(o_right), .crosses(o_crosses),
        .seen_q(o_seen), .total_q(o_total), .dw0_q(o_dw0)
    );

    wire [9:0] i_length = s_data[9:0];
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        if (s_valid) begin
            assume (i_right | (s_last & s_bad));
            assume (~s_bad | s_last);
            assume (~s_first | i_first);
            if (starts) begin
                assume ((s_data[28:24] == 5'd0) & ~s_data[15]); // memory requests, no digest
                assume (~s_message | (s_data[30] & (i_length == 10'd1)));
                assume (~(s_message & s_window));
                assume (s_nonposted == ~s_data[30]);
            end
        end
    end
    always @* begin
        if (f_begun & ~i_first & s_valid) begin
            assume (s_nonposted == f_np);
        end
    end

    // The TLP that comes in, or came in last: as it was, and what it becomes.
    reg         f_change, f_was_four, f_will_four, f_message, f_np;
    reg  [39:0] f_page;
    reg  [29:0] f_address;
    reg  [31:0] f_data;
    always @(posedge clk) begin
        if (f_in & i_first) begin
            f_change <= starts;
            f_was_four <= s_data[29];
            f_will_four <= starts ? will_four : s_data[29];
            f_message <= starts & s_message;
            f_page <= page;
            f_address <= address;
            f_data <= data;
            f_np <= s_nonposted;
        end
    end
    wire        c_new = f_in & i_first;
    wire        c_change = c_new ? starts : f_change;
    wire        c_was = c_new ? s_data[29] : f_was_four;
    wire        c_will = c_new ? (starts ? will_four : s_data[29]) : f_will_four;
    wire        c_message = c_new ? starts & s_message : f_message;
    wire [39:0] c_page = c_new ? page : f_page;
    wire [29:0] c_address = c_new ? address : f_address;
    wire [31:0] c_data = c_new ? data : f_data;

    // One DW of what goes out, any, and the one of what came in that it is made from.
    (* anyconst *) wire [11:0] f_index;
    wire [11:0] f_header = c_will ? 12'd4 : 12'd3;
    wire        f_is_high = c_change & c_will & (f_index == 12'd2);
    wire        f_is_low = c_change & (f_index == f_header - 12'd1);
    wire        f_is_payload = (f_index >= f_header);
    wire [11:0] f_from = f_is_low ? (c_was ? 12'd3 : 12'd2)
                         : (c_change & f_is_payload) ? f_index - f_header + (c_was ? 12'd4 : 12'd3) : f_index;
    wire [11:0] f_in_lane = f_from - i_seen;
    wire        f_in_here = f_in & (f_from >= i_seen) & (f_in_lane < K);
    reg  [31:0] f_got;
    wire [31:0] f_source = f_in_here ? s_data[f_in_lane*32 +: 32] : f_got;
    always @(posedge clk) begin
        f_got <= f_source;
    end
    wire [31:0] f_expected = (c_change & (f_index == 12'd0)) ? {f_source[31:30], c_will, f_source[28:0]}
                             : f_is_high ? {12'd0, c_page[39:20]}
                             : f_is_low ? (c_message ? {c_address, 2'b00} : {c_page[19:0], f_source[11:0]})
                             : (f_is_payload & c_message) ? c_data : f_source;
    wire [11:0] f_out_lane = f_index - o_seen;
    wire        f_out_here = f_out & (f_index >= o_seen) & (f_out_lane < K);

    wire        f_grows = f_change & ~f_was_four & f_will_four;
    wire        f_shrinks = f_change & f_was_four & ~f_will_four;
    wire [11:0] f_o_total = i_total + {11'd0, f_grows} - {11'd0, f_shrinks};
    wire [11:0] f_flush_dw = {11'd0, flush_keep_q[0]} + {11'd0, flush_keep_q[1]} +
                             ((K == 4) ? {11'd0, flush_keep_q[K-2]} + {11'd0, flush_keep_q[K-1]} : 12'd0);
    // The registers' part of f_expected: of a TLP that is under way.
    wire [31:0] f_kept = (f_index == 12'd0) ? {f_got[31:30], f_will_four, f_got[28:0]}
                         : (f_will_four & (f_index == 12'd2)) ? {12'd0, f_page[39:20]}
                         : f_is_low ? (f_message ? {f_address, 2'b00} : {f_page[19:0], f_got[11:0]})
                         : ((f_index >= f_header) & f_message) ? f_data : f_got;
    wire        f_shape;   // what the states say of the TLP under way
    wire        f_carries; // the DW that wait are those that come next
    generate
        if (K == 2) begin : f_narrow
            wire moves = ~i_first & (i_seen >= 12'd4) & (f_grows | f_shrinks);
            assign f_shape = ((narrow.second_q & narrow.change_q) == (f_change & (i_seen == 12'd2))) & (narrow.shift_q == moves) &
                             (i_first | ~f_change | ( (narrow.shrink_q == f_shrinks) &
                              (narrow.was_four_q == f_was_four) & (narrow.will_four_q == f_will_four) &
                              (narrow.low_q == (f_message ? {f_address, 2'b00} : {f_page[19:0], 12'd0})))) &
                             (~flush_q | (flush_keep_q == 2'b01));
            assign f_carries = ~((moves | flush_q) & (f_index == o_seen)) | (narrow.carry_q == f_kept);
        end else begin : f_wide
            wire moves = ~i_first & (f_grows | f_shrinks);
            wire [6:0] at = {f_index[1:0] - o_seen[1:0], 5'd0};
            wire held = (f_index >= o_seen) & (f_index < o_seen + (f_grows ? 12'd1 : 12'd3));
            assign f_shape = (wide.more_q == moves) &
                             (~flush_q | (flush_keep_q == 4'b0001) | (f_shrinks & ((flush_keep_q == 4'b0011) | (flush_keep_q == 4'b0111)))) &
                             (~(moves & f_shrinks & (o_seen == 12'd0)) |
                              (wide.carry_q[31:0] == {i_dw0[31:30], 1'b0, i_dw0[28:0]}));
            assign f_carries = ~((moves | flush_q) & held) | (wide.carry_q[at[6:5]*32 +: 32] == f_kept);
        end
    endgenerate

    reg  f_open; // the TLP that came in last has not left to its end
    wire f_left = f_out & m_last;
    always @(posedge clk) begin
        if (rst) begin
            f_open <= 1'b0;
        end else begin
            f_open <= (f_open | c_new) & ~f_left;
        end
    end

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            if (f_out & ~m_bad) begin
                // What leaves is as long as it declares …
                assert (o_right);
                // … and each of its DW is what it must be: the address moved, or the message, and all else as it came.
                if (f_out_here & m_keep[f_out_lane]) begin
                    assert (m_data[f_out_lane*32 +: 32] == f_expected);
                end
            end
            // It leaves once, and bad exactly if it came so.
            assert (~f_out | f_open | c_new);
            assert (~c_new | ~f_open);
            if (f_in & s_last & s_bad) begin
                assert (f_left & m_bad);
            end
            assert (~(f_out & m_bad) | (f_in & s_bad));
            if (f_in & s_last & ~s_bad) begin
                assert (f_left | spill);
            end
            assert (m_nonposted == s_nonposted | flush_q);
            // What does not change goes through in the same cycle.
            if (s_valid & ~c_change & ~flush_q & m_ready) begin
                assert (f_in & f_out & ({m_data, m_keep, m_last, m_bad} == {s_data, s_keep, s_last, s_bad}));
            end
            assert (~busy | f_open);

            // Induction.
            assert (f_open == (~i_first | flush_q));
            assert (~flush_q | i_first);
            assert (((i_seen | o_seen) & (K - 1)) == 12'd0);
            if (f_open) begin
                assert (f_change | (f_was_four == f_will_four));
                assert (~f_message | (f_change & ~f_will_four & (i_total == (f_was_four ? 12'd5 : 12'd4))));
                assert ((i_dw0[29] == f_was_four) & (~f_change | ~i_dw0[15]));
                assert (~f_change | (grow_q == f_grows));
                assert (~f_change | (message_q == f_message));
                assert (~f_change | (high_q == (f_message ? f_data : {12'd0, f_page[39:20]})));
                assert (i_total == 12'd3 + {11'd0, i_dw0[29]} + {11'd0, i_dw0[15]} +
                                   (i_dw0[30] ? ((i_dw0[9:0] == 10'd0) ? 12'd1024 : {2'd0, i_dw0[9:0]}) : 12'd0));
                assert ((o_seen == 12'd0) | (o_total == f_o_total));
                assert (~f_change | (i_total >= 12'd3));
            end else begin
                assert (o_first);
            end
            if (flush_q) begin
                assert (f_grows | f_shrinks);
                assert (o_seen + f_flush_dw == f_o_total);
                assert (o_seen != 12'd0);
            end
            if (~i_first) begin
                assert (i_seen < i_total);
                assert (o_seen == (f_shrinks ? (K == 4) ? i_seen - 12'd4 : (i_seen == 12'd2) ? 12'd2 : i_seen - 12'd2 : i_seen));
            end
            assert (f_shape);
            assert (f_carries);

            cover (f_left & flush_q & (o_seen >= 12'd4));
            cover (f_left & c_message & c_was);
            cover (f_left & c_change & c_was & ~c_will & (o_seen >= 12'd4));
            cover (f_left & c_change & ~c_was & c_will & ~flush_q);
        end
    end
`endif
endmodule

`default_nettype wire
