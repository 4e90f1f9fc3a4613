// SPDX-License-Identifier: BSD-2-Clause
//
// The smallest shape of the relay: one port between two links, 64 bit, that records who asked for an interrupt and
// changes nothing. TLPs leave as they came, all of them, in the order in which they came; only accesses to its own
// BAR 0 end here, and their completions are put between the port's TLPs. What it records, and its registers, are
// tap_record's. For everything else (more ports, 128 bit, indicator first, ring, trace, mask and limit, injection,
// programming of sources, a look at what is malformed) there is `relay`, whose ports these are.
//
// Latency 1 cycle towards the root, 2 towards the port; one beat per cycle, but an interrupt, and any other memory
// write of one DW, waits until the one before it is recorded. np_ok is handed through: a non-posted TLP that
// has entered leaves whatever np_ok says by then, so who lowers it still takes those that may be inside (four beats
// towards the root, five towards the port). port_up low: what the port sends is dropped, a TLP caught in the
// middle is ended bad, and nothing goes to the port; the root is told nothing, so the upper link goes down with it.
// No output depends on an input within a cycle. Synchronous reset.
`default_nettype none

module tap #(
    parameter integer SOURCES = 32, // 2, 4, 8, 16 or 32
    parameter [31:0]  BUILD = 32'd0,
    parameter [31:0]  CLOCK_KHZ = 32'd0
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [7:0]   bus,
    input  wire [4:0]   device,
    input  wire         bus_master,
    input  wire         own_bar_enable,
    input  wire [63:0]  own_bar_base,
    input  wire [1:0]   bar_enable,
    input  wire [127:0] bar_base,
    input  wire [127:0] bar_mask,
    input  wire         port_up,
    input  wire [63:0]  time_ns,
    output wire         deadline_there,
    output wire [43:0]  deadline,
    output wire         busy,

    input  wire [63:0]  s_port_data,
    input  wire [1:0]   s_port_keep,
    input  wire         s_port_last,
    input  wire         s_port_valid,
    output wire         s_port_ready,
    output reg          s_port_np_ok,
    output wire [63:0]  m_root_data,
    output wire [1:0]   m_root_keep,
    output wire         m_root_last,
    output wire         m_root_bad,
    output wire         m_root_valid,
    input  wire         m_root_ready,
    input  wire         m_root_np_ok,

    input  wire [63:0]  s_root_data,
    input  wire [1:0]   s_root_keep,
    input  wire         s_root_last,
    input  wire         s_root_valid,
    output wire         s_root_ready,
    output reg          s_root_np_ok,
    output wire [63:0]  m_port_data,
    output wire [1:0]   m_port_keep,
    output wire         m_port_last,
    output wire         m_port_bad,
    output wire         m_port_valid,
    input  wire         m_port_ready,
    input  wire         m_port_np_ok
);
    assign deadline_there = 1'b0;
    assign deadline = 44'd0;

    reg up_q;
    always @(posedge clk) begin
        up_q <= port_up & ~rst;
        s_port_np_ok <= m_root_np_ok & ~rst;
        s_root_np_ok <= m_port_np_ok & ~rst;
    end

    // ---- from the port to the root ------------------------------------------------------------------------

    reg         in_mid_q; // in the middle of a TLP that has entered
    wire        up_room;
    wire        in_take = s_port_valid & up_q & up_room;
    wire        cut = ~up_q & in_mid_q & up_room;
    wire        u_valid, u_bad, u_last;
    wire [1:0]  u_keep;
    wire [63:0] u_data;
    wire        u_pop;
    wire [2:0]  u_count;
    assign s_port_ready = up_q ? up_room : ~in_mid_q;
`ifdef FORMAL
    wire [4*68-1:0] f_u_beats;
    wire [4*67-1:0] f_d_beats;
`endif
    tap_fifo #(.BITS(68)) up_fifo (
        .clk(clk), .rst(rst), .push(in_take | cut), .in({~up_q, s_port_last | ~up_q, s_port_keep, s_port_data}),
        .room_q(up_room), .valid(u_valid), .out({u_bad, u_last, u_keep, u_data}), .pop(u_pop),
`ifdef FORMAL
        .f_beats(f_u_beats),
`endif
        .count_q(u_count)
    );

    wire message_like, intx, unused_nonposted, unused_completion, unused_atomic, malformed;
    tlp_class #(.UPSTREAM(1)) class_of (
        .look(u_valid),
        .dw0(u_data[31:0]), .dw1(u_data[63:32]), .nonposted(unused_nonposted), .completion(unused_completion),
        .atomic(unused_atomic), .message_like(message_like), .intx(intx), .malformed(malformed)
    );

    // A completion goes between two TLPs, when all has left that was here when it came.
    reg         u_first_q;
    reg         insert_q;
    reg         second_q;
    reg         seen_q;
    reg  [2:0]  ahead_q;
    wire        cpl_valid, cpl_has_data;
    wire [31:0] cpl_dw0, cpl_dw1, cpl_dw2, cpl_dw3;
    wire        cpl_taken = insert_q & second_q & m_root_ready;
    wire        record_ready;
    wire        candidate = (message_like | intx) & ~malformed;
    wire        u_offer = u_valid & ~(u_first_q & candidate & ~record_ready);
    assign      u_pop = u_offer & ~insert_q & m_root_ready;
    wire        between = u_offer ? u_pop & u_last : u_first_q;
    assign m_root_valid = insert_q | u_offer;
    assign m_root_data = ~insert_q ? u_data : second_q ? {cpl_dw3, cpl_dw2} : {cpl_dw1, cpl_dw0};
    assign m_root_keep = ~insert_q ? u_keep : {~second_q | cpl_has_data, 1'b1};
    assign m_root_last = insert_q ? second_q : u_last;
    assign m_root_bad = ~insert_q & u_bad;

    always @(posedge clk) begin
        if (rst) begin
            in_mid_q <= 1'b0;
            u_first_q <= 1'b1;
            insert_q <= 1'b0;
            second_q <= 1'b0;
            seen_q <= 1'b0;
            ahead_q <= 3'd0;
        end else begin
            if (in_take | cut) begin
                in_mid_q <= up_q & ~s_port_last;
            end
            if (u_pop) begin
                u_first_q <= u_last;
            end
            seen_q <= cpl_valid & ~cpl_taken;
            if (cpl_valid & ~seen_q) begin
                ahead_q <= u_count - {2'd0, u_pop};
            end else if (u_pop & (ahead_q != 3'd0)) begin
                ahead_q <= ahead_q - 3'd1;
            end
            if (insert_q) begin
                second_q <= second_q ^ m_root_ready;
                insert_q <= ~cpl_taken;
            end else begin
                insert_q <= between & seen_q & cpl_valid & (ahead_q == {2'd0, u_pop});
            end
        end
    end

    // ---- from the root to the port --------------------------------------------------------------------------

    // A beat waits until the next one shows the address.
    wire        d_valid, d_last;
    wire [1:0]  d_keep;
    wire [63:0] d_data;
    wire        d_pop;
    wire [2:0]  d_count;
    wire        down_room;
    assign s_root_ready = down_room;
    tap_fifo #(.BITS(67)) down_fifo (
        .clk(clk), .rst(rst), .push(s_root_valid & down_room), .in({s_root_last, s_root_keep, s_root_data}),
        .room_q(down_room), .valid(d_valid), .out({d_last, d_keep, d_data}), .pop(d_pop),
`ifdef FORMAL
        .f_beats(f_d_beats),
`endif
        .count_q(d_count)
    );

    reg         c_valid_q;
    reg         c_first_q;
    reg         c_last_q;
    reg  [1:0]  c_keep_q;
    reg  [63:0] c_data_q;
    reg         local_q;     // the TLP whose first beat is through is for BAR 0 …
    reg         nonposted_q; // … and wants an answer
    reg         skip_q;      // … or has lost a part to a link that was down
    wire        four = c_data_q[29];
    // An address of three header DW has no upper half.
    wire        in_bar, above;
    masked_equal #(.BITS(16)) compare (
        .a(four ? d_data[63:48] : d_data[31:16]), .b(own_bar_base[31:16]), .mask(16'hffff), .equal(in_bar)
    );
    masked_equal #(.BITS(32)) compare_above (
        .a(d_data[31:0] & {32{four}}), .b(own_bar_base[63:32]), .mask(32'hffff_ffff), .equal(above)
    );
    wire        own = own_bar_enable & in_bar & above & (c_data_q[28:25] == 4'd0) & ~c_last_q;
    wire        to_local = c_first_q ? own : local_q;
    wire        nonposted = c_first_q ? ~c_data_q[30] : nonposted_q;
    wire        c_there = c_valid_q & (~c_first_q | c_last_q | d_valid);
    wire        l_ready, l_np_ok;
    wire        l_valid = c_there & to_local & (~c_first_q | ~nonposted | l_np_ok);
    assign m_port_valid = c_there & ~to_local & up_q & ~skip_q;
    assign m_port_data = c_data_q;
    assign m_port_keep = c_keep_q;
    assign m_port_last = c_last_q;
    assign m_port_bad = 1'b0;
    wire        c_move = to_local ? l_valid & l_ready : c_there & (m_port_ready | ~up_q | skip_q);
    assign      d_pop = d_valid & (~c_valid_q | c_move);

    // Of an access that can be answered: as long as it says.
    reg  [2:0]  length_q; // in DW
    reg  [1:0]  place_q;  // beats before this one
    wire [2:0]  last_place = (length_q - 3'd1) >> 1;
    wire        l_bad = c_last_q & ((place_q != last_place[1:0]) | (c_keep_q[1] != ~length_q[0]));
    always @(posedge clk) begin
        if (d_pop) begin
            c_last_q <= d_last;
            c_keep_q <= d_keep;
            c_data_q <= d_data;
        end
        if (c_move & c_first_q) begin
            local_q <= own;
            nonposted_q <= ~c_data_q[30];
            length_q <= 3'd3 + {2'd0, four} + {2'd0, c_data_q[30]} + {2'd0, c_data_q[15]};
        end
        if (rst) begin
            c_valid_q <= 1'b0;
            c_first_q <= 1'b1;
            skip_q <= 1'b0;
            place_q <= 2'd0;
        end else begin
            c_valid_q <= d_pop | (c_valid_q & ~c_move);
            if (c_move) begin
                c_first_q <= c_last_q;
                skip_q <= ~c_last_q & ~to_local & (skip_q | ~up_q);
                place_q <= c_last_q ? 2'd0 : (place_q == 2'd3) ? 2'd3 : place_q + 2'd1;
            end else if (~c_first_q & ~local_q & ~up_q) begin
                skip_q <= 1'b1;
            end
        end
    end

    // ---- BAR 0 ----------------------------------------------------------------------------------------------

    wire        reg_valid, reg_write, reg_done, reg_refused, unused_refused;
    wire [13:0] reg_index;
    wire [31:0] reg_wdata, reg_rdata;
    completer #(.WIDTH(64)) answers (
        .clk(clk), .rst(rst), .bus(bus), .device(device),
        .l_data(c_data_q), .l_last(c_last_q), .l_bad(l_bad), .l_refuse(1'b0), .l_first(c_first_q),
        .l_nonposted(nonposted), .l_valid(l_valid), .l_ready(l_ready), .l_np_ok(l_np_ok),
        .reg_valid_q(reg_valid), .reg_write_q(reg_write), .reg_index(reg_index), .reg_wdata(reg_wdata),
        .reg_done(reg_done), .reg_refused(reg_refused), .reg_rdata(reg_rdata),
        .cpl_valid_q(cpl_valid), .cpl_dw0(cpl_dw0), .cpl_dw1(cpl_dw1), .cpl_dw2(cpl_dw2), .cpl_dw3(cpl_dw3),
        .cpl_has_data(cpl_has_data), .cpl_taken(cpl_taken), .count_refused(unused_refused)
    );

    wire        record_busy;
    tap_record #(.SOURCES(SOURCES), .BUILD(BUILD), .CLOCK_KHZ(CLOCK_KHZ)) records (
        .clk(clk), .rst(rst), .time_ns(time_ns), .bus(bus), .device(device), .bus_master(bus_master), .up(up_q),
        .beat_valid(u_valid), .beat_take(u_pop), .beat_first(u_first_q), .beat_last(u_last), .beat_bad(u_bad), .beat_data(u_data),
        .beat_keep(u_keep), .beat_candidate(candidate), .beat_intx(intx),
        .ready(record_ready), .valid(reg_valid), .write(reg_write), .index(reg_index), .wdata(reg_wdata),
        .done(reg_done), .refused(reg_refused), .rdata(reg_rdata), .busy(record_busy)
    );

    assign busy = record_busy | reg_valid;

    wire unused = &{1'b0, bar_enable, bar_base, bar_mask, unused_nonposted, unused_completion, unused_atomic,
                    unused_refused, last_place[2], d_count, own_bar_base[15:0]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
    end

    // Towards the root: one beat of the port, any, is followed through; what is cut off ends bad.
    (* anyseq *) wire f_pick;
    reg         f_tag;
    reg  [67:0] f_beat;
    reg  [2:0]  f_ahead;
    reg         f_in_mid;  // the port is in the middle of a TLP that has entered
    reg         f_mid;     // … of one that leaves
    reg         f_asked;   // the completion that waits came after this beat
    wire        f_take = s_port_valid & s_port_ready & up_q;
    wire        f_cut = f_in_mid & ~up_q & up_room;
    wire        f_out = m_root_valid & m_root_ready & ~insert_q;
    wire        f_tag_out = f_tag & (f_ahead == 3'd0) & f_out;
    reg         f_waits;
    reg  [67:0] f_offer;
    reg         f_waits_port;
    reg  [66:0] f_offer_port;
    always @(posedge clk) begin
        if (rst | f_tag_out) begin
            f_tag <= 1'b0;
        end else if (f_tag) begin
            f_ahead <= f_ahead - {2'd0, f_out};
        end else if ((f_take | f_cut) & f_pick) begin
            f_tag <= 1'b1;
            f_beat <= f_cut ? {2'b11, s_port_keep, s_port_data} : {1'b0, s_port_last, s_port_keep, s_port_data};
            f_ahead <= u_count - {2'd0, f_out};
        end
        f_in_mid <= ~rst & (f_take ? ~s_port_last : f_in_mid & ~f_cut);
        f_mid <= ~rst & (f_out ? ~m_root_last : f_mid);
        f_asked <= ~rst & cpl_valid & ~cpl_taken & ((cpl_valid & ~seen_q) ? f_tag & ~f_tag_out : f_asked & f_tag & ~f_tag_out);
        f_waits <= ~rst & m_root_valid & ~m_root_ready;
        f_offer <= {m_root_bad, m_root_last, m_root_keep, m_root_data};
        f_waits_port <= ~rst & m_port_valid & ~m_port_ready;
        f_offer_port <= {m_port_last, m_port_keep, m_port_data};
    end
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // What the port sends leaves, once, in order, as it came, and nothing else but completions between TLPs.
            if (f_tag_out) begin
                assert ({m_root_bad, m_root_last, m_root_keep, m_root_data} == f_beat);
            end
            assert (~f_out | (u_count != 3'd0));
            assert (~insert_q | ~f_mid);
            assert (~insert_q | (cpl_valid & (m_root_data == (second_q ? {cpl_dw3, cpl_dw2} : {cpl_dw1, cpl_dw0}))));
            // A completion waits for what was there before it.
            assert (~insert_q | ~(f_tag & f_asked));
            // What is offered stays.
            if (f_waits) begin
                assert (m_root_valid & ({m_root_bad, m_root_last, m_root_keep, m_root_data} == f_offer));
            end
            // Of a TLP that may be an interrupt nothing leaves before the record can take it.
            assert (~(f_out & ~f_mid & candidate) | record_ready);

            // Induction.
            assert (in_mid_q == f_in_mid);
            assert (u_first_q == ~f_mid);
            assert (~f_tag | ((f_ahead < u_count) & (f_u_beats[f_ahead*68 +: 68] == f_beat)));
            assert (~seen_q | cpl_valid);
            assert (~insert_q | (seen_q & (ahead_q == 3'd0)));
            assert (~second_q | insert_q);
            assert (~(f_asked & seen_q) | ~f_tag | (f_ahead < ahead_q));
            assert (ahead_q <= u_count | ~seen_q);
            assert (~f_waits | insert_q | u_offer);

            cover (f_tag_out & m_root_bad);
            cover (cpl_taken & f_tag);
            cover (f_tag_out & f_mid & ~m_root_bad & candidate);
        end
    end

    // Towards the port: the same for what the root sends and is not for BAR 0.
    (* anyseq *) wire f_pick_down;
    reg         f_down;
    reg  [66:0] f_down_beat;
    reg  [2:0]  f_down_ahead; // beats of the FIFO and the one behind it
    reg         f_port_mid;   // in the middle of a TLP towards the port
    reg         f_local_mid;  // … towards BAR 0
    reg         f_local_nonposted;
    wire        f_down_in = s_root_valid & s_root_ready;
    wire        f_down_out = c_move;
    wire        f_next = f_down & (f_down_ahead == 3'd0);
    always @(posedge clk) begin
        if (rst | (f_next & f_down_out)) begin
            f_down <= 1'b0;
        end else if (f_down) begin
            f_down_ahead <= f_down_ahead - {2'd0, f_down_out};
        end else if (f_down_in & f_pick_down) begin
            f_down <= 1'b1;
            f_down_beat <= {s_root_last, s_root_keep, s_root_data};
            f_down_ahead <= d_count + {2'd0, c_valid_q} - {2'd0, f_down_out};
        end
        if (l_valid & l_ready) begin
            f_local_nonposted <= nonposted;
        end
        f_local_mid <= ~rst & ((l_valid & l_ready) ? ~c_last_q : f_local_mid);
        f_port_mid <= ~rst & ((m_port_valid & m_port_ready) ? ~m_port_last : f_port_mid & up_q & ~skip_q);
    end
    // BAR 0 is not moved while a request waits at the port.
    reg  [64:0] f_bar;
    always @(posedge clk) begin
        f_bar <= {own_bar_enable, own_bar_base};
    end
    always @* begin
        assume (~f_waits_port | (f_bar == {own_bar_enable, own_bar_base}));
    end
    wire [63:0] f_address = c_data_q[29] ? {d_data[31:0], d_data[63:32]} : {32'd0, d_data[31:0]};
    wire [2:0]  f_place = f_down_ahead - {2'd0, c_valid_q};
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // A beat leaves in its turn, as it came, for the port or for BAR 0, or is dropped with the port.
            if (f_next & c_valid_q) begin
                assert ({c_last_q, c_keep_q, c_data_q} == f_down_beat);
            end
            assert (~f_down_out | c_valid_q);
            assert (~f_down_out | (m_port_valid & m_port_ready) | (l_valid & l_ready & to_local) | ~up_q | skip_q);
            assert (~(m_port_valid & m_port_ready) | (f_down_out & ~to_local));
            assert (~(l_valid & l_ready) | (f_down_out & to_local));
            // For BAR 0: a memory request with its address, in one piece.
            if (c_there & c_first_q & ~c_last_q) begin
                assert (d_valid);
                assert (to_local == (own_bar_enable & (c_data_q[28:25] == 4'd0) &
                                     (f_address[63:16] == own_bar_base[63:16])));
            end
            if (f_port_mid & up_q & ~skip_q) begin
                assert (~c_first_q & ~to_local);
            end
            if (f_waits_port & up_q & ~skip_q) begin
                assert (m_port_valid & ({m_port_last, m_port_keep, m_port_data} == f_offer_port));
            end

            // As the completer expects it.
            if (l_valid) begin
                assert (c_first_q == ~f_local_mid);
                assert (c_first_q | (nonposted == f_local_nonposted));
                assert (~c_first_q | ~nonposted | l_np_ok);
            end

            // Induction.
            assert (f_local_mid == (~c_first_q & local_q));
            assert (~f_local_mid | (f_local_nonposted == nonposted_q));
            if (f_down) begin
                assert (f_down_ahead < d_count + {2'd0, c_valid_q});
                assert ((f_next & c_valid_q) | (f_d_beats[f_place*67 +: 67] == f_down_beat));
            end
            cover (f_next & f_down_out & to_local & ~c_first_q);
            cover (f_next & f_down_out & ~to_local & ~c_first_q & up_q & ~skip_q);
        end
    end
`endif
endmodule

`default_nettype wire
