// SPDX-License-Identifier: BSD-2-Clause
//
// From the root to the ports and to the relay's own completer.
//
// Three stages: the FIFO at the entrance, one beat that waits until the second one shows the address, one
// beat with its destination. Latency 4 cycles, one beat per cycle. A non-posted TLP that finds its
// destination's non-posted FIFO full stops the stream; s_np_ok falls early enough to prevent that.
// Synchronous reset.
`default_nettype none

module downstream #(
    parameter integer WIDTH = 64,
    parameter integer PORTS = 4,
    parameter integer BUMP = 0
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire [WIDTH-1:0]          s_data,
    input  wire [WIDTH/32-1:0]       s_keep,
    input  wire                      s_last,
    input  wire                      s_valid,
    output wire                      s_ready,
    output reg                       s_np_ok,

    output wire [PORTS*WIDTH-1:0]    m_data,
    output wire [PORTS*WIDTH/32-1:0] m_keep,
    output wire [PORTS-1:0]          m_last,
    output wire [PORTS-1:0]          m_bad,
    output wire [PORTS-1:0]          m_valid,
    input  wire [PORTS-1:0]          m_ready,
    input  wire [PORTS-1:0]          m_np_ok,

    // The relay's own completions to the ports, of at most two beats. They wait while their port takes nothing.
    input  wire                      o_valid,
    input  wire [WIDTH-1:0]          o_data,
    input  wire [WIDTH/32-1:0]       o_keep,
    input  wire                      o_first,
    input  wire                      o_last,
    input  wire [2:0]                o_port,
    input  wire                      o_urgent, // the next TLP from the root lets it by
    output wire                      o_take,

    // To the completer.
    output wire [WIDTH-1:0]          l_data,
    output wire                      l_last,
    output wire                      l_bad,
    output wire                      l_refuse,
    output wire                      l_first,
    output wire                      l_nonposted,
    output wire                      l_valid,
    input  wire                      l_ready,
    input  wire                      l_np_ok,

    input  wire [7:0]                bus,
    input  wire [4:0]                device,
    input  wire [PORTS-1:0]          up,
    input  wire                      own_bar_enable,
    input  wire [63:0]               own_bar_base,
    input  wire [PORTS*2-1:0]        bar_enable,
    input  wire [PORTS*128-1:0]      bar_base,
    input  wire [PORTS*128-1:0]      bar_mask,

    // Beats as they leave for where they go, or for nowhere.
    output wire                      beat,
    output wire                      beat_first,
    output wire                      beat_last,
    output wire [WIDTH-1:0]          beat_data,
    output wire [WIDTH/32-1:0]       beat_keep,
    output reg  [2:0]                beat_port,  // the first it goes to; 0: none
    output wire                      beat_local, // an access to BAR 0, or a completion of the relay

    // One pulse per TLP.
    output reg                       count_posted,
    output reg                       count_nonposted,
    output reg                       count_completion,
    output reg                       count_malformed,
    output reg                       count_refused,    // answered UR because it matches nothing
    output reg                       count_unrouted,   // posted, dropped
    output reg                       count_unexpected, // completion, dropped
    output reg                       count_down        // for a port that is down
);
    localparam integer K = WIDTH / 32;

    // ---- entrance -------------------------------------------------------------------------------------

    wire [WIDTH-1:0] a_data;
    wire [K-1:0]     a_keep;
    wire             a_last;
    wire [5:0]       a_class;
    wire             a_valid;
    wire             a_pop;
    wire             a_drain;
    wire             unused_more, unused_snap, unused_dropped, unused_drained;
    ingress #(.WIDTH(WIDTH), .UPSTREAM(0)) entrance (
        .clk(clk), .rst(rst), .up(1'b1),
        .s_data(s_data), .s_keep(s_keep), .s_last(s_last), .s_valid(s_valid), .s_ready(s_ready),
        .h_valid(a_valid), .h_data(a_data), .h_keep(a_keep), .h_last(a_last), .h_class(a_class),
        .h_more(unused_more), .h_pop(a_pop), .h_drain(a_drain),
        .snap(1'b0), .snap_done(unused_snap), .drained(unused_drained), .discard(1'b0),
        .dropped(unused_dropped)
    );

    reg  a_inside_q;
    wire a_first = ~a_inside_q;
    wire swallow = a_valid & a_first & a_class[5];
    wire a_ends, a_bad;
    wire a_take;
`ifdef FORMAL
    wire [11:0] f_seen;
    wire [11:0] f_total;
`endif
    tlp_check #(.WIDTH(WIDTH)) check (
        .clk(clk), .rst(rst), .take(a_take), .first(a_first), .data(a_data), .keep(a_keep), .last(a_last),
        .crosses_there(a_class[5]),
`ifdef FORMAL
        .f_seen(f_seen), .f_total(f_total),
`endif
        .ends(a_ends), .bad(a_bad)
    );

    // ---- one beat that waits for the address ------------------------------------------------------------

    reg              b_valid_q;
    reg              b_first_q;
    reg              b_last_q;
    reg              b_bad_q;
    reg  [K-1:0]     b_keep_q;
    reg  [WIDTH-1:0] b_data_q;
    reg  [5:0]       b_class_q;

    wire c_ready;
    wire more_seen = (K == 4) | ~b_first_q | a_valid; // the address can be seen
    // Between two TLPs from the root the relay's own has the way.
    reg  o_inside_q;
    reg  b_between_q; // the beat that left b last was the last of its TLP
    wire [PORTS:0] half;
    wire o_room; // for all of it, behind what is on its way: it stops nobody
    wire o_may = o_valid & (o_inside_q | (b_between_q & o_room));
    assign o_take = o_may & c_ready;
    wire b_move = b_valid_q & more_seen & c_ready & ~o_may & ~(o_urgent & b_between_q);
    wire b_ready = ~b_valid_q | b_move;
    assign a_take = a_valid & ~swallow & b_ready;
    assign a_pop = a_take | swallow;
    assign a_drain = (swallow | a_bad) & ~a_last;

    always @(posedge clk) begin
        if (a_take) begin
            b_data_q <= a_data;
            b_keep_q <= a_keep;
            b_first_q <= a_first;
            b_last_q <= a_ends;
            b_bad_q <= a_bad;
            if (a_first) begin
                b_class_q <= a_class;
            end
        end
        if (rst) begin
            a_inside_q <= 1'b0;
            b_valid_q <= 1'b0;
            b_between_q <= 1'b1;
            o_inside_q <= 1'b0;
        end else begin
            if (b_move) begin
                b_between_q <= b_last_q;
            end
            if (o_take) begin
                o_inside_q <= ~o_last;
            end
            if (a_take) begin
                a_inside_q <= ~a_ends;
            end
            if (b_ready) begin
                b_valid_q <= a_take;
            end
        end
    end

    wire [31:0] dw2;
    wire [31:0] dw3;
    generate
        if (K == 2) begin : second_beat
            assign dw2 = a_data[31:0];
            assign dw3 = a_data[63:32];
        end else begin : same_beat
            assign dw2 = b_data_q[95:64];
            assign dw3 = b_data_q[127:96];
        end
    endgenerate

    wire [PORTS-1:0] to_port;
    wire to_local, refuse, port_down, unmatched;
    router #(.PORTS(PORTS), .BUMP(BUMP)) routing (
        .dw0(b_data_q[31:0]), .dw2(dw2), .dw3(dw3), .tlp_class(b_class_q),
        .bus(bus), .device(device), .up(up), .own_bar_enable(own_bar_enable), .own_bar_base(own_bar_base),
        .bar_enable(bar_enable), .bar_base(bar_base), .bar_mask(bar_mask),
        .to_port(to_port), .to_local(to_local), .refuse(refuse), .down(port_down), .unmatched(unmatched)
    );

    // Seen to be bad while its first beat is still here: goes nowhere.
    wire doomed = (K == 2) ? a_bad & ~b_last_q : b_bad_q;

    // ---- one beat with its destination ------------------------------------------------------------------

    reg              c_valid_q;
    reg              c_first_q;
    reg              c_last_q;
    reg              c_bad_q;
    reg  [K-1:0]     c_keep_q;
    reg  [WIDTH-1:0] c_data_q;
    reg  [5:0]       c_class_q;
    reg  [PORTS:0]   c_to_q; // bit 0: the completer
    reg              c_refuse_q;
    reg              c_down_q;
    reg              c_unmatched_q;
    reg              c_own_q;

    wire [PORTS:0]   e_ready;
    reg  [PORTS:0]   e_room; // a cycle old: a beat may have come since
    // Room is looked at once, before the first beat: it is for the whole TLP.
    wire np_room = ~(c_class_q[0] & c_first_q) | ((c_to_q & ~e_room) == {(PORTS + 1){1'b0}});
    wire c_fire = c_valid_q & np_room & ((c_to_q & ~e_ready) == {(PORTS + 1){1'b0}});
    assign c_ready = ~c_valid_q | c_fire;

    wire [PORTS-1:0] o_to;
    genvar p;
    generate
        for (p = 0; p < PORTS; p = p + 1) begin : own_port
            localparam [31:0] INDEX = p + 1;
            assign o_to[p] = (o_port == INDEX[2:0]);
        end
    endgenerate

    assign o_room = ((o_to & ~half[PORTS:1]) == {PORTS{1'b0}});
    wire c_ends = c_fire & c_last_q;
    wire c_to_port = (c_to_q[PORTS:1] != {PORTS{1'b0}});

    assign beat = c_fire;
    assign beat_first = c_first_q;
    assign beat_last = c_last_q;
    assign beat_data = c_data_q;
    assign beat_keep = c_keep_q;
    assign beat_local = (c_to_q[0] & ~c_refuse_q) | c_own_q;
    integer i;
    always @* begin
        beat_port = 3'd0;
        for (i = PORTS; i >= 1; i = i - 1) begin
            if (c_to_q[i]) begin
                beat_port = i[2:0];
            end
        end
    end

    always @(posedge clk) begin
        if (b_move) begin
            c_data_q <= b_data_q;
            c_keep_q <= b_keep_q;
            c_first_q <= b_first_q;
            c_last_q <= b_last_q;
            c_bad_q <= b_bad_q;
            c_class_q <= b_class_q;
            if (b_first_q) begin
                c_to_q <= {to_port, to_local} & {(PORTS + 1){~doomed}};
                c_refuse_q <= refuse;
                c_down_q <= port_down;
                c_unmatched_q <= unmatched;
            end
            c_own_q <= 1'b0;
        end
        if (o_take) begin
            c_data_q <= o_data;
            c_keep_q <= o_keep;
            c_first_q <= o_first;
            c_last_q <= o_last;
            c_bad_q <= 1'b0;
            c_class_q <= 6'b000010;
            if (o_first) begin
                c_to_q <= {o_to & up, 1'b0};
            end
            c_refuse_q <= 1'b0;
            c_down_q <= 1'b0;
            c_unmatched_q <= 1'b0;
            c_own_q <= 1'b1;
        end
        count_posted <= c_ends & ~c_bad_q & c_to_port & ~c_class_q[0] & ~c_class_q[1];
        count_nonposted <= c_ends & ~c_bad_q & c_to_port & c_class_q[0];
        count_completion <= c_ends & ~c_bad_q & c_to_port & c_class_q[1] & ~c_own_q;
        count_malformed <= swallow | (a_take & a_bad);
        count_refused <= c_ends & ~c_bad_q & c_unmatched_q & ~c_down_q & c_class_q[0];
        count_unrouted <= c_ends & ~c_bad_q & c_unmatched_q & ~c_down_q & ~c_class_q[0] & ~c_class_q[1];
        count_unexpected <= c_ends & ~c_bad_q & c_unmatched_q & ~c_down_q & c_class_q[1];
        count_down <= c_ends & ~c_bad_q & c_unmatched_q & c_down_q;
        if (rst) begin
            c_valid_q <= 1'b0;
            count_posted <= 1'b0;
            count_nonposted <= 1'b0;
            count_completion <= 1'b0;
            count_malformed <= 1'b0;
            count_refused <= 1'b0;
            count_unrouted <= 1'b0;
            count_unexpected <= 1'b0;
            count_down <= 1'b0;
        end else if (c_ready) begin
            c_valid_q <= b_move | o_take;
        end
    end

    // ---- exits ------------------------------------------------------------------------------------------

    // Longest non-posted TLP, in beats: an AtomicOp. What may still be on its way when s_np_ok falls, too.
    localparam [4:0] NP_BEATS = (WIDTH == 64) ? 5'd7 : 5'd4;
    localparam [4:0] NP_MARGIN = (WIDTH == 64) ? 5'd13 : 5'd8;

    wire [PORTS:0] calm;
    genvar g;
    generate
        for (g = 0; g <= PORTS; g = g + 1) begin : exit
            wire [WIDTH-1:0] x_data;
            wire [K-1:0]     x_keep;
            wire [1:0]       x_user;
            wire             x_last, x_valid, x_ready, x_np_ok, x_first, x_nonposted, x_up;
            wire [4:0]       x_np_count;
            wire             unused_pop, unused_dropped_;
            egress #(.WIDTH(WIDTH), .USER(2)) fifo (
                .clk(clk), .rst(rst), .up(x_up),
                .s_data(c_data_q), .s_keep(c_keep_q), .s_user({c_refuse_q, c_bad_q}), .s_last(c_last_q),
                .s_nonposted(c_class_q[0]), .s_valid(c_fire & c_to_q[g]), .s_ready(e_ready[g]),
                .m_data(x_data), .m_keep(x_keep), .m_user(x_user), .m_last(x_last), .m_valid(x_valid),
                .m_ready(x_ready), .np_ok(x_np_ok),
                .np_pop(unused_pop), .np_count(x_np_count), .p_half(half[g]), .m_first(x_first), .m_nonposted(x_nonposted),
                .dropped(unused_dropped_)
            );
            always @(posedge clk) begin
                e_room[g] <= x_np_count <= (5'd23 - NP_BEATS);
            end
            assign calm[g] = x_np_count <= (5'd23 - NP_MARGIN);
            if (g == 0) begin : local_
                assign x_up = 1'b1;
                assign l_data = x_data;
                assign l_last = x_last;
                assign l_bad = x_user[0];
                assign l_refuse = x_user[1];
                assign l_first = x_first;
                assign l_nonposted = x_nonposted;
                assign l_valid = x_valid;
                assign x_ready = l_ready;
                assign x_np_ok = l_np_ok;
                wire unused = &{1'b0, x_keep};
            end else begin : port
                assign x_up = up[g-1];
                assign m_data[(g-1)*WIDTH +: WIDTH] = x_data;
                assign m_keep[(g-1)*K +: K] = x_keep;
                assign m_last[g-1] = x_last;
                assign m_bad[g-1] = x_user[0];
                assign m_valid[g-1] = x_valid;
                assign x_ready = m_ready[g-1];
                assign x_np_ok = m_np_ok[g-1];
                wire unused = &{1'b0, x_user[1], x_first, x_nonposted};
            end
            wire unused = &{1'b0, unused_pop, unused_dropped_};
        end
    endgenerate

    always @(posedge clk) begin
        s_np_ok <= ~rst & (calm == {(PORTS + 1){1'b1}});
    end

    wire unused = &{1'b0, half[0], unused_more, unused_snap, unused_dropped, unused_drained, c_class_q[5:2]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // The relay's own completions, as refuse has them.
    reg       f_o_mid;
    reg [2:0] f_o_port;
    always @(posedge clk) begin
        if (o_take) begin
            f_o_port <= o_port;
        end
        f_o_mid <= ~rst & (o_take ? ~o_last : f_o_mid);
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        if (o_valid) begin
            assume (o_first == ~f_o_mid);
            assume (o_first | (o_port == f_o_port));
        end
        assume (o_valid | ~f_o_mid);
    end

    // Where a TLP must go, as the router said of it, or the relay's own.
    reg  [PORTS:0] f_to;
    reg            f_mid; // in the middle of a TLP on its way out …
    reg            f_own; // … that is the relay's own,
    reg            f_np;  // … that is non-posted
    reg  [3:0]     f_place;   // beats of the TLP before the one at a,
    reg  [3:0]     f_place_b; // … b,
    reg  [3:0]     f_place_c; // … and c
    wire           f_out = c_fire & ~c_own_q;
    always @(posedge clk) begin
        if (b_move) begin
            f_place_c <= f_place_b;
            if (b_first_q) begin
                f_to <= doomed ? {(PORTS + 1){1'b0}} : {to_port, to_local};
            end
        end
        if (o_take & o_first) begin
            f_to <= {o_to & up, 1'b0};
        end
        if (a_take) begin
            f_place_b <= f_place;
        end
        f_place <= (rst | (a_take & a_ends)) ? 4'd0 : f_place + {3'd0, a_take & ~&f_place};
        if (c_fire) begin
            f_own <= c_own_q;
            f_np <= c_class_q[0];
        end
        f_mid <= ~rst & (c_fire ? ~c_last_q : f_mid);
    end

    // One beat, any, is followed through.
    (* anyseq *) wire       f_pick;
    localparam integer BEAT = WIDTH + K + 3;
    reg                     f_tag;
    reg  [BEAT-1:0]         f_beat;
    reg                     f_nonposted;
    reg  [1:0]              f_ahead; // beats before it
    reg  [2:0]              f_free;  // cycles in which nobody was in the way of what goes
    wire [1:0]              f_inside = {1'b0, b_valid_q} + {1'b0, c_valid_q & ~c_own_q};
    wire                    f_tag_out = f_tag & (f_ahead == 2'd0) & f_out;
    wire                    f_way = (&e_ready) & (&e_room) & more_seen & ~o_valid & ~o_urgent;
    always @(posedge clk) begin
        if (rst | f_tag_out) begin
            f_tag <= 1'b0;
        end else if (f_tag) begin
            f_ahead <= f_ahead - {1'b0, f_out};
            f_free <= f_free + {2'd0, f_way};
        end else if (a_take & f_pick) begin
            f_tag <= 1'b1;
            f_beat <= {a_first, a_ends, a_bad, a_keep, a_data};
            f_nonposted <= a_first ? a_class[0] : b_class_q[0];
            f_ahead <= f_inside - {1'b0, f_out};
            f_free <= 3'd0;
        end
    end

    // What is counted a cycle later.
    reg  f_counts;
    wire [2:0] f_pulses = {2'd0, count_posted} + {2'd0, count_nonposted} + {2'd0, count_completion} +
                          {2'd0, count_refused} + {2'd0, count_unrouted} + {2'd0, count_unexpected} + {2'd0, count_down};
    always @(posedge clk) begin
        f_counts <= ~rst & c_ends & ~c_bad_q & ~c_own_q & ~(c_to_q[0] & ~c_refuse_q);
    end

    integer f_g;
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // The beats of the root leave as they came, in order, each once, and soon where nobody is in the way.
            if (f_tag_out) begin
                assert ({c_first_q, c_last_q, c_bad_q, c_keep_q, c_data_q} == f_beat);
                assert (c_class_q[0] == f_nonposted);
            end
            assert (~f_tag | (f_free <= 3'd2));
            assert (~f_tag | (f_ahead < f_inside));
            // TLPs, the relay's own, too, leave in one piece, to the exits that were meant for them, no others.
            if (c_valid_q) begin
                assert (c_to_q == f_to);
                assert (c_first_q == ~f_mid);
                assert (~f_mid | ((c_own_q == f_own) & (c_class_q[0] == f_np)));
            end
            assert (~a_pop | a_valid);
            assert (~c_fire | ((c_to_q & ~e_ready) == {(PORTS + 1){1'b0}}));
            // The router is asked about a header that is there.
            if (b_move & b_first_q & (K == 2) & ~b_last_q) begin
                assert (a_valid & ~a_first);
            end
            // What begins malformed is swallowed, nothing else; a TLP that ends too late is dropped to its end.
            assert (swallow == (a_valid & a_first & a_class[5]));
            assert (~a_pop | a_take | swallow);
            assert (~a_take | a_drain == (a_ends & ~a_last));
            // Each TLP of the root is counted once: where it went, or why not.
            assert (f_pulses == {2'd0, f_counts});

            // Induction.
            assert (a_inside_q == (f_seen != 12'd0));
            assert (o_inside_q == f_o_mid);
            assert (b_between_q | ~o_inside_q);
            assert (b_valid_q ? a_inside_q == ~b_last_q : a_inside_q == ~b_between_q);
            assert (~b_valid_q | (b_first_q == b_between_q));
            if (c_valid_q) begin
                assert (o_inside_q == (c_own_q & ~c_last_q));
                assert (b_between_q == (c_own_q | c_last_q));
                assert (c_own_q | c_last_q | (c_class_q == b_class_q));
            end else begin
                assert (f_mid == (o_inside_q | ~b_between_q));
                assert (~f_mid | (f_own == o_inside_q));
                assert (~f_mid | f_own | (f_np == b_class_q[0]));
            end
            assert ((~o_inside_q & b_between_q) | (c_to_q == f_to));
            if (f_tag) begin
                assert ((f_ahead == 2'd0) | b_valid_q);
                if ((f_ahead == 2'd1) | ~(c_valid_q & ~c_own_q)) begin
                    assert ({b_first_q, b_last_q, b_bad_q, b_keep_q, b_data_q} == f_beat);
                    assert (b_class_q[0] == f_nonposted);
                    assert (f_free <= ((c_valid_q & ~c_own_q) ? 3'd0 : 3'd1));
                end else begin
                    assert ({c_first_q, c_last_q, c_bad_q, c_keep_q, c_data_q} == f_beat);
                    assert (c_class_q[0] == f_nonposted);
                end
            end
            // … of the room: a non-posted TLP has at most NP_BEATS, and there was room for as many when it began.
            assert ((&f_place) ? (f_seen >= 15 * K) : (f_seen == {8'd0, f_place} * K));
            assert (~a_inside_q | ~b_class_q[0] | (f_total <= (b_class_q[2] ? 12'd13 : 12'd5)));
            assert (~b_valid_q | (b_first_q == (f_place_b == 4'd0)));
            assert (~b_valid_q | ~b_class_q[0] | (f_place_b < NP_BEATS[3:0]));
            assert (~(b_valid_q & a_inside_q) | (f_place == f_place_b + 4'd1) | (&f_place & (f_place_b >= 4'd14)));
            if ((c_valid_q ? ~c_own_q & ~c_last_q : f_mid & ~f_own) & (f_place_c < 4'd14)) begin
                assert ((b_valid_q ? f_place_b : f_place) == f_place_c + 4'd1);
            end
            if (c_valid_q & ~c_own_q) begin
                assert (c_first_q == (f_place_c == 4'd0));
                assert (~c_class_q[0] | (f_place_c < NP_BEATS[3:0]));
            end
            assert (~(b_valid_q & b_bad_q & ~b_last_q) & ~(c_valid_q & c_bad_q & ~c_last_q));
            assert (~(f_mid & f_own) | ~f_np);
            assert (~o_inside_q | ~f_to[0]);
            if (c_valid_q & c_own_q) begin
                assert ((c_class_q[1:0] == 2'b10) & ~c_to_q[0] & ~c_unmatched_q & ~c_refuse_q);
            end
            if (c_valid_q ? ~c_own_q : f_mid & ~f_own) begin
                assert (~c_unmatched_q | ~c_to_port);
                assert (~c_to_port | ~c_to_q[0]);
                assert (~c_to_q[0] | (c_unmatched_q == c_refuse_q));
                // What is doomed ends bad.
                assert ((c_to_q != {(PORTS + 1){1'b0}}) | c_unmatched_q | (c_valid_q & c_bad_q) |
                        (c_valid_q & c_first_q & ~c_last_q & b_valid_q & b_bad_q & b_last_q));
            end
            assert (~((b_valid_q | a_inside_q) & (b_class_q[1:0] == 2'b11)) & ~(c_valid_q & (c_class_q[1:0] == 2'b11)));

            cover (f_tag_out & c_class_q[0] & c_to_q[0] & ~c_first_q);
            cover (c_fire & c_own_q & ~c_first_q & (K == 2 | c_last_q));
            cover (f_tag_out & c_to_q[2] & c_last_q & ~c_bad_q);
            cover (swallow);
        end
    end
    generate
        for (g = 0; g <= PORTS; g = g + 1) begin : f_exit
            always @(posedge clk) begin
                if (f_begun & ~rst) begin
                    assert (exit[g].x_np_count <= 5'd24);
                    assert (~e_room[g] | (exit[g].x_np_count <= 5'd24 - NP_BEATS));
                    if (c_valid_q & c_class_q[0] & c_to_q[g] & ~c_first_q) begin
                        assert (exit[g].x_np_count <= 5'd24 - NP_BEATS + f_place_c);
                    end
                    if (~c_valid_q & f_mid & f_np & f_to[g]) begin
                        assert (exit[g].x_np_count <= 5'd25 - NP_BEATS + f_place_c);
                    end
                end
            end
        end
    endgenerate
`endif
endmodule

`default_nettype wire
