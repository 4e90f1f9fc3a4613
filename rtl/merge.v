// SPDX-License-Identifier: BSD-2-Clause
//
// The ports' TLPs and the relay's own become one stream, packet by packet, in the order granted.
//
// Each TLP is checked on the way: one that begins malformed is swallowed, one that turns out malformed later
// ends with `bad`. A non-posted TLP enters only when the egress has room for the longest of its kind, so it
// never blocks what comes behind; a port whose turn it is and that must wait for room loses the turn.
// The relay's own TLP enters as one beat, a token: what it stands for is made at the end of the
// stream.
//
// Timing: m_* are combinational from the FIFO at the head of the chosen port, the choice is a register.
// One beat per cycle. Synchronous reset.
`default_nettype none

module merge #(
    parameter integer WIDTH = 64,
    parameter integer PORTS = 4
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      hold, // grant nobody

    input  wire [PORTS*WIDTH-1:0]    h_data,
    input  wire [PORTS*WIDTH/32-1:0] h_keep,
    input  wire [PORTS-1:0]          h_last,
    input  wire [PORTS*6-1:0]        h_class,
    input  wire [PORTS-1:0]          h_valid,
    input  wire [PORTS-1:0]          h_more,
    output wire [PORTS-1:0]          h_pop,
    output wire                      h_drain,

    input  wire                      token_valid,
    output wire                      token_taken,

    output wire [WIDTH-1:0]          m_data,
    output wire [WIDTH/32-1:0]       m_keep,
    output wire                      m_first,
    output wire                      m_last,
    output wire                      m_bad,
    output wire [5:0]                m_class, // of the TLP, on all of its beats
    output wire [2:0]                m_port,  // 1 to 7
    output wire                      m_token,
    output wire                      m_valid,
    input  wire                      m_ready, // for a TLP, whatever m_valid is
    input  wire                      token_ready,
    output wire                      fire,    // the beat, or the token, is taken

    input  wire                      np_pop, // the egress gave room for one non-posted beat back
    input  wire                      np_back, // a non-posted beat that was let in does not come to the egress
    input  wire                      np_more, // one more non-posted TLP may be let in
    output wire                      np_enter, // one is
    output wire                      np_room, // there is room for every kind of non-posted TLP
    output wire                      midway,  // a TLP is on its way through
    output wire                      malformed, // one was dropped, or ended with bad
    output wire                      malformed_first // … and it was dropped whole
);
    localparam integer K = WIDTH / 32;
    localparam [4:0] NP_DEPTH = 5'd24; // of egress
    // 4 DW of header, 1 of data, a digest; AtomicOps have up to 8 DW of data (PCIe Base 5.0, 2.2.7.1).
    localparam [4:0] NP_BEATS = (WIDTH == 64) ? 5'd3 : 5'd2;
    localparam [4:0] ATOMIC_BEATS = (WIDTH == 64) ? 5'd7 : 5'd4;

    wire [2:0] choice;
    reg        inside_q; // between the first and the last beat of a TLP
    reg  [5:0] class_q;
    reg  [4:0] np_free_q;
    reg  [PORTS-1:0] np_wait_q; // lost its turn for lack of room

    // The chosen port's head. The token is behind the last port.
    localparam integer SELECT = (PORTS > 4) ? 3 : (PORTS > 2) ? 2 : 1;
    localparam integer ALL = 1 << SELECT;
    wire [SELECT-1:0]    select = choice[SELECT-1:0];
    wire [ALL*WIDTH-1:0] data_all;
    wire [ALL*K-1:0]     keep_all;
    wire [ALL*6-1:0]     class_all;
    wire [ALL-1:0]       last_all;
    wire [ALL-1:0]       valid_all;
    generate
        if (ALL > PORTS) begin : pad
            assign data_all[ALL*WIDTH-1:PORTS*WIDTH] = {((ALL - PORTS) * WIDTH){1'b0}};
            assign keep_all[ALL*K-1:PORTS*K] = {((ALL - PORTS) * K){1'b0}};
            assign class_all[ALL*6-1:PORTS*6] = {((ALL - PORTS) * 6){1'b0}};
            assign last_all[ALL-1:PORTS] = {(ALL - PORTS){1'b0}};
            assign valid_all[ALL-1:PORTS] = {(ALL - PORTS){1'b0}};
        end
    endgenerate
    assign data_all[PORTS*WIDTH-1:0] = h_data;
    assign keep_all[PORTS*K-1:0] = h_keep;
    assign class_all[PORTS*6-1:0] = h_class;
    assign last_all[PORTS-1:0] = h_last;
    assign valid_all[PORTS-1:0] = h_valid;
    wire [PORTS-1:0]     chosen; // one hot
    wire [PORTS-1:0]     well;   // … a beat that may go through
    wire [WIDTH-1:0]     data = data_all[select*WIDTH +: WIDTH];
    wire [K-1:0]         keep = keep_all[select*K +: K];
    wire                 last = last_all[select];
    wire [5:0]           head_class = class_all[select*6 +: 6];
    wire                 chosen_token;
    wire                 is_token = chosen_token;
    wire                 there = valid_all[select] & ~is_token;

    wire first = ~inside_q;
    wire may = inside_q | ~hold;
    wire nonposted = head_class[0];
    wire atomic = head_class[2];
    wire starts_bad = head_class[5];
    // Bit n: n free beats are enough (a table is one LUT, a comparison a carry chain).
    localparam [31:0] ENOUGH = ~((32'd1 << NP_BEATS) - 32'd1);
    localparam [31:0] ENOUGH_ATOMIC = ~((32'd1 << ATOMIC_BEATS) - 32'd1);
    wire room = atomic ? np_room : ENOUGH[np_free_q] & np_more;
    wire no_room = nonposted & ~room;
    wire swallow = first & there & starts_bad & ~hold;
    wire lose_turn = first & there & ~starts_bad & no_room;

    assign m_token = is_token & first;
    wire port_valid = ((chosen & well) != {PORTS{1'b0}});
    assign m_valid = port_valid | (is_token & token_valid & may);
    wire port_fire = port_valid & m_ready;
    assign fire = port_fire | (is_token & token_valid & may & token_ready);

    wire check_ends;
    wire check_bad;
`ifdef FORMAL
    wire [11:0] f_seen;
    wire [11:0] f_total;
`endif
    tlp_check #(.WIDTH(WIDTH)) check (
        .clk(clk), .rst(rst), .take(port_fire), .first(first), .data(data), .keep(keep), .last(last),
        .crosses_there(head_class[5]),
`ifdef FORMAL
        .f_seen(f_seen), .f_total(f_total),
`endif
        .ends(check_ends), .bad(check_bad)
    );

    assign m_data = data;
    assign m_keep = keep;
    assign m_first = first;
    assign m_last = is_token | check_ends;
    assign m_bad = ~is_token & check_bad;
    assign m_class = first ? head_class : class_q;
    assign m_port = choice + 3'd1;
    assign token_taken = fire & is_token;
    assign h_drain = (swallow | check_bad) & ~last;
    assign malformed_first = swallow;
    assign malformed = swallow | (port_fire & check_bad);
    assign midway = inside_q;
    assign np_room = ENOUGH_ATOMIC[np_free_q] & np_more;

    wire inside_d = fire ? ~m_last : inside_q;
    wire np_beat = port_fire & m_class[0];
    assign np_enter = np_beat & first;
    wire begins = (fire & first) | swallow;

    // Each port by itself, so that nobody waits for what is chosen out of all to come back to him.
    genvar g;
    generate
        for (g = 0; g < PORTS; g = g + 1) begin : port
            wire g_np = h_class[g*6];
            wire g_bad = h_class[g*6 + 5];
            wire g_room = h_class[g*6 + 2] ? np_room : ENOUGH[np_free_q] & np_more;
            assign well[g] = h_valid[g] & (inside_q | ~(hold | g_bad | (g_np & ~g_room)));
            assign h_pop[g] = chosen[g] & ((well[g] & m_ready) | (h_valid[g] & ~inside_q & ~hold & g_bad));
        end
    endgenerate

    wire [PORTS-1:0] np_wait_d = np_room ? {PORTS{1'b0}} : np_wait_q | (chosen & {PORTS{lose_turn}});
    // Of the one whose turn ends only what comes behind counts, and whether it ends is told by `choose`: so the choice does not
    // wait for the beat to be taken. A turn that finds nothing is over at once.
    wire [PORTS:0] request_d = {token_valid & ~is_token, (h_more | (h_valid & ~chosen)) & ~np_wait_q};
    wire turn_over = fire ? m_last : swallow | lose_turn | (first & (is_token ? ~token_valid : ~there));

`ifdef FORMAL
    wire f_fresh;
`endif
    arbiter #(.N(PORTS + 1), .BITS(3)) turns (
`ifdef FORMAL
        .f_fresh(f_fresh),
`endif
        .clk(clk), .rst(rst), .request_d(request_d), .choose(turn_over), .served(begins), .choice_q(choice), .chosen_q({chosen_token, chosen})
    );

    always @(posedge clk) begin
        if (fire & first) begin
            class_q <= head_class;
        end
        if (rst) begin
            inside_q <= 1'b0;
            np_free_q <= NP_DEPTH;
            np_wait_q <= {PORTS{1'b0}};
        end else begin
            inside_q <= inside_d;
            np_free_q <= np_free_q + {4'd0, np_pop} + {4'd0, np_back} - {4'd0, np_beat};
            np_wait_q <= np_wait_d;
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Who is around: entrances, as ingress has them, and the egress, which holds what it has been given.
    localparam integer BEAT = WIDTH + K + 1 + 6;
    wire [31:0] f_dw0 = m_data[31:0];
    wire [11:0] f_length = (f_dw0[9:0] == 10'd0) ? 12'd1024 : {2'd0, f_dw0[9:0]};
    wire [11:0] f_whole = 12'd3 + {11'd0, f_dw0[29]} + {11'd0, f_dw0[15]} + (f_dw0[30] ? f_length : 12'd0);
    reg  [5:0]  f_inside;  // non-posted beats in the egress
    always @(posedge clk) begin
        f_inside <= rst ? 6'd0 : f_inside + {5'd0, np_beat} - {5'd0, np_pop} - {5'd0, np_back};
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume ({4'd0, np_pop & np_back, np_pop ^ np_back} <= f_inside);
        // As tlp_class has it.
        if (m_valid & ~m_token & first & nonposted) begin
            assume (f_whole <= (atomic ? 12'd13 : 12'd5));
        end
    end

    // Any port: its beats, in turn, and its turns.
    (* anyconst *) wire [2:0] f_port;
    wire [BEAT-1:0] f_head = {h_data[f_port*WIDTH +: WIDTH], h_keep[f_port*K +: K], h_last[f_port], h_class[f_port*6 +: 6]};
    wire            f_pop = h_pop[f_port];
    wire            f_swallow = f_pop & malformed_first;
    reg             f_mid;      // the port is in the middle of a TLP that goes through
    reg  [5:0]      f_class_q;
    reg  [2:0]      f_who_q;    // … any port is: this one
    reg             f_mid_any;
    always @(posedge clk) begin
        if (rst) begin
            f_mid <= 1'b0;
            f_mid_any <= 1'b0;
        end else if (fire) begin
            f_mid_any <= ~m_last;
            f_who_q <= m_port;
            if (m_port == f_port + 3'd1) begin
                f_mid <= ~m_last;
            end
        end
        if (f_pop & ~f_mid) begin
            f_class_q <= f_head[5:0];
        end
    end
    always @* begin
        assume ({29'd0, f_port} < PORTS);
    end

    wire [4:0] f_kept_room = (m_class[2] ? ATOMIC_BEATS : NP_BEATS);
    wire [12:0] f_left = {1'b0, f_total} - {1'b0, f_seen}; // DW to come
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // A beat of a port leaves exactly when it is taken from the port, as it was, with its port and class.
            if (f_pop & ~f_swallow) begin
                assert (fire & ~m_token & (m_port == f_port + 3'd1));
                assert ({m_data, m_keep} == f_head[BEAT-1:7]);
                assert (m_class == (f_mid ? f_class_q : f_head[5:0]));
                assert (m_first == ~f_mid);
                assert (~f_head[6] | m_last);
                assert (h_drain == (m_last & ~f_head[6])); // what goes beyond its length is dropped
                assert (m_bad | ~h_drain);
            end
            if (fire & (m_port == f_port + 3'd1)) begin
                assert (f_pop & ~f_swallow);
            end
            assert (~f_pop | h_valid[f_port]);
            // Only a TLP that begins malformed is swallowed, with its rest; it is counted.
            if (f_swallow) begin
                assert (~f_mid_any & f_head[5] & malformed & (h_drain == ~f_head[6]));
            end
            assert (malformed == (malformed_first | (fire & ~m_token & m_bad)));
            // TLPs are in one piece.
            if (f_mid_any) begin
                assert (~m_token & ~malformed_first);
                assert (m_port == f_who_q);
                assert (m_valid == h_valid_mid);
            end
            assert (token_taken == (fire & m_token));
            assert (fire == (m_valid & (m_token ? token_ready : m_ready)));
            assert (~token_taken | (token_valid & m_last & ~f_mid_any));
            assert (~(hold & m_valid) | f_mid_any);
            // The egress always has room for what is let in.
            assert (f_inside <= 6'd24);
            assert (~np_beat | (f_inside != 6'd24));

            // Induction.
            assert (f_inside + {1'b0, np_free_q} == 6'd24);
            assert (inside_q == f_mid_any);
            assert (f_mid_any | f_fresh);
            assert (f_mid == (f_mid_any & (f_who_q == f_port + 3'd1)));
            assert (~f_mid_any | (choice + 3'd1 == f_who_q));
            assert ({29'd0, choice} <= PORTS);
            assert (~f_mid_any | ({29'd0, choice} != PORTS));
            assert ({chosen_token, chosen} == {{PORTS{1'b0}}, 1'b1} << choice);
            assert (~f_mid | (f_class_q == class_q));
            assert (f_mid_any == (f_seen != 12'd0));
            if (f_mid_any & class_q[0]) begin
                assert (f_left[12] == 1'b0 & f_left != 13'd0);
                assert (f_left <= {6'd0, np_free_q, 2'b00} >> ((WIDTH == 64) ? 1 : 0));
            end

            cover (f_swallow);
            cover (f_pop & m_bad & h_drain);
            cover (f_mid & f_pop & m_last & ~m_bad & m_class[0]);
            cover (f_pop & (f_port == 3'd1) & m_first);
        end
    end
    wire h_valid_mid = valid_all[select];
`endif
endmodule

`default_nettype wire
