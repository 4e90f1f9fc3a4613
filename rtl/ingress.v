// SPDX-License-Identifier: BSD-2-Clause
//
// One side's entrance: a small FIFO that knows the class of the TLP at its head, and at 64 bit, with its second beat,
// whether it crosses 4 KiB.
//
// A beat written is at the head in the next cycle. s_ready is a register.
// While `up` is low, beats are dropped, one in each cycle of `discard`; a TLP caught in the middle is ended with a beat that has
// no DW, which tlp_check finds bad. After `up` rises the sender begins with the first beat of a TLP.
// Synchronous reset.
`default_nettype none

module ingress #(
    parameter integer WIDTH = 64,
    parameter integer UPSTREAM = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                up,

    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire                s_last,
    input  wire                s_valid,
    output wire                s_ready,

    output wire                h_valid,
    output wire [WIDTH-1:0]    h_data,
    output wire [WIDTH/32-1:0] h_keep,
    output wire                h_last,
    output wire [5:0]          h_class, // of tlp_class, on a first beat; [5] of a second one: it crosses 4 KiB (64 bit)
    output wire                h_more,  // a beat comes behind this one, or comes now
    input  wire                h_pop,
    input  wire                h_drain, // with h_pop: drop the rest of this TLP

    input  wire                snap,      // remember what is in the FIFO now …
    output wire                snap_done, // … all of it has left
    output wire                drained,   // nothing is in the FIFO, and nothing half way into it
    input  wire                discard,   // while `up` is low: take beats and drop them in this cycle
    output wire                dropped    // a TLP was dropped because `up` is low
);
    localparam integer K = WIDTH / 32;
    localparam integer SIDE = K + 1 + 6;

    wire nonposted, completion, atomic, message_like, intx, malformed;
    tlp_class #(.UPSTREAM(UPSTREAM)) class_of (
        .look(push), .dw0(s_data[31:0]), .dw1(s_data[63:32]),
        .nonposted(nonposted), .completion(completion), .atomic(atomic), .message_like(message_like),
        .intx(intx), .malformed(malformed)
    );

`ifdef FORMAL
    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    reg  [31:0] f_dw0;
    reg         f_second;
    always @(posedge clk) begin
        if (push) begin
            f_dw0 <= s_data[31:0];
            f_second <= s_fire & up & ~mid_q;
        end
    end
`endif

    // A memory request may not cross 4 KiB (2.2.7).
    wire crosses;
    generate
        if (K == 2) begin : page
            reg         second_q;
            reg         four_q;
            reg  [10:0] length_q;
            wire [9:0]  page_dw = four_q ? s_data[43:34] : s_data[11:2];
            wire [11:0] beyond = {2'd0, page_dw} + {1'd0, length_q};
            assign crosses = second_q & (beyond > 12'd1024);
            always @(posedge clk) begin
                if (push) begin
                    second_q <= ~mid_q & (s_data[28:25] == 4'd0);
                    four_q <= s_data[29];
                    length_q <= {s_data[9:0] == 10'd0, s_data[9:0]};
                end
            end
`ifdef FORMAL
            always @(posedge clk) begin
                if (f_begun & mid_q) begin
                    assert (second_q == (f_second & (f_dw0[28:25] == 4'd0)));
                    assert (four_q == f_dw0[29]);
                    assert (length_q == {f_dw0[9:0] == 10'd0, f_dw0[9:0]});
                end
            end
`endif
        end else begin : same_beat
            assign crosses = 1'b0;
        end
    endgenerate

    reg  [WIDTH-1:0] mem [0:3];
    reg  [SIDE-1:0]  side [0:3]; // what goes with the data
    reg  [1:0] wptr_q;
    reg  [1:0] rptr_q;
    reg  [2:0] count_q;
    reg        room_q;
    reg        mid_q;   // in the middle of a TLP that the FIFO takes
    reg        drain_q;
    reg  [2:0] ahead_q;

    wire s_fire = s_valid & s_ready;
    wire cut = ~up & mid_q & room_q;
    wire push = (s_fire & up) | cut;
    wire filled = (count_q != 3'd0);
    wire pop = h_pop | (drain_q & filled);

    wire [2:0] count_d = count_q + {2'd0, push} - {2'd0, pop};
    wire       drain_d = pop ? (drain_q | h_drain) & ~h_last : drain_q;

    assign s_ready = up ? room_q : discard & ~mid_q;
    assign drained = ~filled & ~mid_q;
    assign dropped = s_fire & s_last & ~up;
    assign h_valid = filled & ~drain_q;
    assign h_more = (push | (count_q[2:1] != 2'd0)) & ~drain_q;
    assign h_data = mem[rptr_q];
    assign {h_class, h_last, h_keep} = side[rptr_q];
    assign snap_done = (ahead_q == 3'd0);

    wire ends = s_last | ~up;

    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= s_data;
            side[wptr_q] <= {
                mid_q ? crosses : malformed, intx, message_like, atomic, completion, nonposted, ends, up ? s_keep : {K{1'b0}}
            };
        end
        if (rst) begin
            wptr_q <= 2'd0;
            rptr_q <= 2'd0;
            count_q <= 3'd0;
            room_q <= 1'b0;
            mid_q <= 1'b0;
            drain_q <= 1'b0;
            ahead_q <= 3'd0;
        end else begin
            wptr_q <= wptr_q + {1'b0, push};
            rptr_q <= rptr_q + {1'b0, pop};
            count_q <= count_d;
            room_q <= ~count_d[2];
            drain_q <= drain_d;
            if (push) begin
                mid_q <= up & ~s_last;
            end
            if (snap) begin
                ahead_q <= count_q - {2'd0, pop};
            end else if (pop & ~snap_done) begin
                ahead_q <= ahead_q - 3'd1;
            end
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    localparam integer BITS = WIDTH + SIDE;
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~h_pop | h_valid);
    end
    // Who closes an entrance opens it again when nothing of the past is left in it.
    always @(posedge clk) begin
        if (f_begun) begin
            assume (~up | $past(up) | drained | $past(rst));
        end
    end

    // What the sender has begun, and since when up is high; what has been cut off still needs its end.
    reg  f_in_mid;
    wire f_takes = s_fire & up;
    wire f_in = push;
    wire f_out = pop;
    reg  [2:0] f_inside;
    reg  f_in_last; // the last beat that came in was the last of a TLP
    always @(posedge clk) begin
        if (rst) begin
            f_in_mid <= 1'b0;
            f_inside <= 3'd0;
            f_in_last <= 1'b1;
        end else begin
            f_in_mid <= f_takes ? ~s_last : f_in_mid & up;
            f_inside <= f_inside + {2'd0, f_in} - {2'd0, f_out};
            f_in_last <= f_in ? ends : f_in_last;
        end
    end

    // The sixth bit of the class: malformed, or, at 64 bit, of a second beat, it reaches beyond its page.
    wire [63:0] f_address = f_dw0[29] ? {s_data[31:0], s_data[63:34], 2'd0} : {32'd0, s_data[31:2], 2'd0};
    wire [12:0] f_end = {1'b0, f_address[11:0]} + {1'b0, f_dw0[9:0], 2'd0};
    wire        f_beyond = (f_dw0[9:0] == 10'd0) ? f_address[11:0] != 12'd0 : f_end > 13'd4096;
    wire        f_bit5 = ~f_in_mid ? malformed : (K == 2) & f_second & (f_dw0[28:25] == 4'd0) & f_beyond;

    // The other side: in the middle of a TLP, or dropping one to its end.
    reg  f_out_mid;
    reg  f_draining;
    reg  f_out_last;
    always @(posedge clk) begin
        if (rst) begin
            f_out_mid <= 1'b0;
            f_draining <= 1'b0;
            f_out_last <= 1'b1;
        end else begin
            if (h_pop) begin
                f_out_mid <= ~h_last & ~h_drain;
                f_draining <= ~h_last & h_drain;
            end else if (f_out & h_last) begin
                f_draining <= 1'b0;
            end
            f_out_last <= f_out ? h_last : f_out_last;
        end
    end

    // One beat, any, is followed through.
    (* anyseq *) wire f_pick;
    reg             f_tag; // it is inside
    reg             f_tag_first;
    reg             f_tag_snapped;
    reg  [BITS-1:0] f_tag_beat;
    reg  [2:0]      f_tag_ahead;
    wire            f_tag_next = f_tag & (f_tag_ahead == 3'd0);
    always @(posedge clk) begin
        if (rst | (f_tag_next & f_out)) begin
            f_tag <= 1'b0;
            f_tag_snapped <= 1'b0;
        end else if (~f_tag & f_in & f_pick) begin
            f_tag <= 1'b1;
            f_tag_first <= f_takes & ~f_in_mid;
            f_tag_beat <= f_takes ? {f_bit5, intx, message_like, atomic, completion, nonposted, s_last, s_keep, s_data}
                                  : {6'd0, 1'b1, {K{1'b0}}, {WIDTH{1'b0}}};
            f_tag_ahead <= f_inside - {2'd0, f_out};
            f_tag_snapped <= 1'b0;
        end else begin
            f_tag_ahead <= f_tag_ahead - {2'd0, f_out & f_tag};
            f_tag_snapped <= (f_tag_snapped | snap) & f_tag;
        end
    end
    // Of a beat that ends what was cut off, only the end and the lack of DW matter.
    wire [BITS-1:0] f_matters = f_tag_beat[WIDTH +: K] == {K{1'b0}} ? {6'd0, {(K + 1){1'b1}}, {WIDTH{1'b0}}} : {BITS{1'b1}};

    wire [1:0]      f_tag_slot = rptr_q + f_tag_ahead[1:0];
    wire [BITS-1:0] f_before_beat = {side[f_tag_slot - 2'd1], mem[f_tag_slot - 2'd1]};
    wire [BITS-1:0] f_newest_beat = {side[wptr_q - 2'd1], mem[wptr_q - 2'd1]};
    wire [BITS-1:0] f_tag_mem = {side[f_tag_slot], mem[f_tag_slot]};
    localparam integer LAST = WIDTH + K;

    always @(posedge clk) begin
        if (f_begun) begin
            // A beat leaves once, as it came, in its turn; a TLP that is dropped or cut off is dropped to its end.
            if (f_tag_next & h_valid) begin
                assert ((({h_class, h_last, h_keep, h_data} ^ f_tag_beat) & f_matters) == {BITS{1'b0}});
                assert (f_tag_first == ~f_out_mid);
            end
            if (f_tag_next & f_out & ~h_pop) begin
                assert (f_draining & ~f_tag_first);
            end
            assert (~h_valid | ~f_draining);
            assert (~f_out | (f_inside != 3'd0));
            assert (~f_in | (f_inside != 3'd4));
            assert (h_valid | f_draining | (f_inside == 3'd0));
            assert (~f_draining | (f_inside == 3'd0) | f_out);
            assert (f_in | ~f_takes);
            assert (s_ready | ~up | (f_inside == 3'd4) | $past(rst));
            assert (drained == ((f_inside == 3'd0) & f_in_last));
            assert (dropped == (s_fire & s_last & ~up));
            // The snapshot lasts as long as something that was inside is, and no longer than anything is.
            assert (~f_tag_snapped | ~snap_done);
            assert ((f_inside != 3'd0) | snap_done);

            // Induction.
            assert (count_q == f_inside);
            assert (f_inside <= 3'd4);
            assert (wptr_q - rptr_q == count_q[1:0]);
            assert (~room_q | ~count_q[2]);
            assert (ahead_q <= count_q);
            assert (~f_tag_snapped | (f_tag_ahead < ahead_q));
            assert (f_draining == drain_q);
            assert (~f_draining | ~f_out_mid);
            assert (~(f_draining & f_out_last) & (f_out_last == ~(f_out_mid | f_draining)));
            assert (mid_q == ~f_in_last);
            assert (up ? mid_q == f_in_mid : ~f_in_mid | mid_q);
            assert ((count_q != 3'd0) ? (f_newest_beat[LAST] == f_in_last) : (f_in_last == f_out_last));
            if (f_tag) begin
                assert (f_tag_ahead < count_q);
                assert (((f_tag_mem ^ f_tag_beat) & f_matters) == {BITS{1'b0}});
                assert (f_tag_first == ((f_tag_ahead != 3'd0) ? f_before_beat[LAST] : f_out_last));
            end

            cover (f_tag_next & h_pop & f_tag_first & ~h_last);
            cover (f_tag_next & h_pop & ~f_tag_first);
            cover (f_tag_next & f_out & f_draining);
            cover (f_tag_snapped & (f_inside == 3'd4));
            cover (f_tag_next & h_pop & (f_tag_beat[WIDTH +: K] == {K{1'b0}}) & f_out_mid);
        end
    end
    always @(posedge clk) begin
        if (f_begun & $past(f_begun) & ~$past(rst)) begin
            // Whoever takes a beat knows whether the next one follows at once.
            assert (h_valid | ~$past(h_more) | $past(h_pop & h_drain));
            if ($past(h_valid & ~h_pop)) begin
                assert (h_valid & ({h_class, h_last, h_keep, h_data} == $past({h_class, h_last, h_keep, h_data})));
            end
        end
    end
`endif

endmodule

`default_nettype wire
