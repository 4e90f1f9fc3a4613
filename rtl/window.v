// SPDX-License-Identifier: BSD-2-Clause
//
// DMA windows: what each port's function may ask of memory, and at which address it is asked there.
//
// Looks at each TLP of a port that enters the stream and says what becomes of it: one verdict each, in order, three
// cycles after the beat with its address at the soonest (two at 128 bit: when the TLP comes to the end of the line),
// until v_take. A verdict of the windows speaks of requests; whether a TLP is an interrupt is not known here.
// A TLP is judged by what is set in the cycle of its address and the one after.
// At most eight TLPs that have entered wait for v_take: whoever delays them (line) holds no more beats. Synchronous reset.
`default_nettype none

module window #(
    parameter integer WIDTH = 64
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [7:0]       bus,
    input  wire [4:0]       device,

    input  wire             set,       // a register of 0x500 to 0x7ff is written:
    input  wire [8:0]       set_index, // the 32-bit word
    input  wire [31:0]      set_data,
    output reg  [7:0]       enable_q,  // [k]: port k is checked

    // The stream, without tokens.
    input  wire             beat_take,
    input  wire             beat_first,
    input  wire             beat_last,
    input  wire [WIDTH-1:0] beat_data,
    input  wire [5:0]       beat_class, // of tlp_class
    input  wire [2:0]       beat_port,  // 1 to 7

    output wire             v_valid,
    output wire             v_stop,
    output wire [1:0]       v_reason,
    output wire             v_change, // its address becomes, in bits 51:12,
    output wire [39:0]      v_page,
    output wire             v_four,   // … which needs four header DW
    input  wire             v_take
);
    localparam integer K = WIDTH / 32;
    // As DMA_FAULT.REASON.
    localparam [1:0] OUTSIDE = 2'd0;
    localparam [1:0] REQUESTER = 2'd1;
    localparam [1:0] KIND = 2'd2;

    // ---- what is set --------------------------------------------------------------------------------------

    wire        set_port = set & (set_index[8:6] == 3'b101) & (set_index[2:0] == 3'd0);
    wire        set_window = set & (set_index[8:7] == 2'b11);
    wire [2:0]  set_who = set_window ? set_index[6:4] : set_index[5:3];
    reg  [15:0] open_q; // [8w + k]: window w of port k
    integer i;
    always @(posedge clk) begin
        if (set_port) begin
            enable_q[set_who] <= set_data[0] & (set_who != 3'd0);
        end
        for (i = 0; i < 2; i = i + 1) begin
            if (set_window & (set_index[2:0] == 3'd0) & (set_index[3] == i[0])) begin
                open_q[{i[0], set_who}] <= set_data[0];
            end
        end
        if (rst) begin
            enable_q <= 8'd0;
            open_q <= 16'd0;
        end
    end

    // ---- the TLP, by its first DW -------------------------------------------------------------------------

    wire [31:0] dw0 = beat_data[31:0];
    wire [31:0] dw1 = beat_data[63:32];
    wire        memory = (dw0[28:24] == 5'd0);
    wire        message = (dw0[28:27] == 2'b10);
    wire        to_root = (dw0[26:24] == 3'd0) | (dw0[26:25] == 2'b10); // routed to the root, local, gathered
    wire        plain = (dw0[11:10] == 2'b00) & ~dw0[15];               // no translated address, no digest
    // Completions and INTx messages are none of ours: the latter stay in the relay.
    wire        free_d = beat_class[1] | beat_class[4];
    wire        wrong_d = (dw1[31:16] != {bus, device, beat_port});
    wire        kind_d = ~((memory & plain) | (message & to_root));

`ifdef FORMAL
    wire        second_of;
    wire        remembers;
`endif
    wire        at_address; // the beat has the address, or is the last of a TLP that has none
    wire        is_free, is_wrong, is_kind, is_memory;
    wire [51:0] page;       // address 63:12
    generate
        if (K == 2) begin : narrow
            reg second_q, free_q, wrong_q, kind_q, memory_q, four_q;
            always @(posedge clk) begin
                if (rst) begin
                    second_q <= 1'b0;
                end else if (beat_take) begin
                    second_q <= beat_first & ~beat_last;
                end
                if (beat_take & beat_first) begin
                    free_q <= free_d;
                    wrong_q <= wrong_d;
                    kind_q <= kind_d;
                    memory_q <= memory;
                    four_q <= dw0[29];
                end
            end
            assign at_address = beat_first ? beat_last : second_q;
`ifdef FORMAL
            assign second_of = second_q;
            assign remembers = (free_q == f_free_q) & (wrong_q == ~f_own_q) & (memory_q == (f_dw0_q[28:24] == 5'd0)) &
                               (four_q == f_dw0_q[29]) &
                               (kind_q == ~(((f_dw0_q[28:24] == 5'd0) & (f_dw0_q[11:10] == 2'd0) & ~f_dw0_q[15]) |
                                            ((f_dw0_q[28:27] == 2'b10) & ((f_dw0_q[26:24] == 3'd0) | (f_dw0_q[26:25] == 2'b10)))));
`endif
            assign {is_free, is_wrong, is_kind, is_memory} = {free_q, wrong_q, kind_q, memory_q};
            assign page = four_q ? {beat_data[31:0], beat_data[63:44]} : {32'd0, beat_data[31:12]};
        end else begin : wide
            assign at_address = beat_first;
`ifdef FORMAL
            assign second_of = f_second;
            assign remembers = 1'b1;
`endif
            assign {is_free, is_wrong, is_kind, is_memory} = {free_d, wrong_d, kind_d, memory};
            assign page = dw0[29] ? {beat_data[95:64], beat_data[127:108]} : {32'd0, beat_data[95:76]};
            wire unused = &{1'b0, beat_last, beat_data[107:96], beat_data[75:64]};
        end
    endgenerate

    // ---- a: page and windows side by side -----------------------------------------------------------------

    reg         a_valid_q;
    reg  [2:0]  a_port_q;
    reg  [51:0] a_page_q;
    reg         a_stop_q; // whatever its address is
    reg  [1:0]  a_reason_q;
    reg         a_memory_q;
    wire        checked = enable_q[beat_port] & ~is_free;
    wire [1:0]  a_in;
    wire [79:0] a_offset;
    always @(posedge clk) begin
        a_port_q <= beat_port;
        a_page_q <= page;
        a_stop_q <= checked & (is_wrong | is_kind);
        a_reason_q <= is_wrong ? REQUESTER : is_kind ? KIND : OUTSIDE;
        a_memory_q <= checked & is_memory & ~is_wrong & ~is_kind;
        a_valid_q <= ~rst & beat_take & at_address;
    end

    genvar g;
    generate
        for (g = 0; g < 2; g = g + 1) begin : side
            localparam [31:0] INDEX = g;
            reg  [19:0] base_lo [0:7];
            reg  [19:0] base_hi [0:7];
            reg  [19:0] bound_lo [0:7];
            reg  [19:0] bound_hi [0:7];
            reg  [19:0] offset_lo [0:7];
            reg  [19:0] offset_hi [0:7];
            wire        at = set_window & (set_index[3] == INDEX[0]);
            reg  [39:0] base_q;
            reg  [39:0] bound_q;
            reg         open;
            integer n;
            initial begin
                for (n = 0; n < 8; n = n + 1) begin
                    {base_lo[n], base_hi[n], bound_lo[n], bound_hi[n], offset_lo[n], offset_hi[n]} = 120'd0;
                end
            end
            always @(posedge clk) begin
                if (at & (set_index[2:0] == 3'd0)) begin
                    base_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd1)) begin
                    base_hi[set_who] <= set_data[19:0];
                end
                if (at & (set_index[2:0] == 3'd2)) begin
                    bound_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd3)) begin
                    bound_hi[set_who] <= set_data[19:0];
                end
                if (at & (set_index[2:0] == 3'd4)) begin
                    offset_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd5)) begin
                    offset_hi[set_who] <= set_data[19:0];
                end
                base_q <= {base_hi[beat_port], base_lo[beat_port]};
                bound_q <= {bound_hi[beat_port], bound_lo[beat_port]};
                open <= open_q[{INDEX[0], beat_port}];
            end
            assign a_in[g] = open & (a_page_q[51:40] == 12'd0) & (a_page_q[39:0] >= base_q) & (a_page_q[39:0] < bound_q);
            assign a_offset[g*40 +: 40] = {offset_hi[a_port_q], offset_lo[a_port_q]};
        end
    endgenerate

    // ---- b: in which window -------------------------------------------------------------------------------

    reg         b_valid_q;
    reg  [39:0] b_page_q;
    reg  [1:0]  b_in_q;
    reg  [79:0] b_offset_q;
    reg         b_stop_q;
    reg  [1:0]  b_reason_q;
    reg         b_memory_q;
    always @(posedge clk) begin
        b_page_q <= a_page_q[39:0];
        b_in_q <= a_in;
        b_offset_q <= a_offset;
        b_stop_q <= a_stop_q;
        b_reason_q <= a_reason_q;
        b_memory_q <= a_memory_q;
        b_valid_q <= ~rst & a_valid_q;
    end

    // ---- the verdicts that wait ---------------------------------------------------------------------------

    wire        b_hit = (b_in_q != 2'b00);
    wire [39:0] b_sum = b_page_q + (b_in_q[0] ? b_offset_q[39:0] : b_offset_q[79:40]);
    wire        b_stop = b_stop_q | (b_memory_q & ~b_hit);
    reg  [44:0] mem [0:7];
    reg  [2:0]  wptr_q;
    reg  [2:0]  rptr_q;
    reg  [3:0]  count_q;
    assign v_valid = (count_q != 4'd0);
    assign {v_stop, v_reason, v_change, v_four, v_page} = mem[rptr_q];
    always @(posedge clk) begin
        if (b_valid_q) begin
            mem[wptr_q] <= {b_stop, b_reason_q, b_memory_q & b_hit, b_sum[39:20] != 20'd0, b_sum};
        end
        if (rst) begin
            wptr_q <= 3'd0;
            rptr_q <= 3'd0;
            count_q <= 4'd0;
        end else begin
            wptr_q <= wptr_q + {2'd0, b_valid_q};
            rptr_q <= rptr_q + {2'd0, v_take};
            count_q <= count_q + {3'd0, b_valid_q} - {3'd0, v_take};
        end
    end

    wire unused = &{1'b0, beat_class[5], beat_class[3:2], beat_class[0], set_data[11:1], dw0[31:30], dw0[23:16], dw0[14:12],
                    dw0[9:0], dw1[15:0]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Any port, and what software has set for it, register by register.
    (* anyconst *) wire [2:0] f_port;
    reg         f_enable;
    reg  [1:0]  f_open;
    reg  [79:0] f_base;
    reg  [79:0] f_bound;
    reg  [79:0] f_offset;
    reg  [79:0] f_offset_q; // a cycle ago
    wire        f_set_window = set & (set_index[8:7] == 2'b11) & (set_index[6:4] == f_port);
    wire        f_w = set_index[3];
    always @(posedge clk) begin
        f_offset_q <= f_offset;
        if (~f_begun) begin
            f_base <= {side[1].base_hi[f_port], side[1].base_lo[f_port], side[0].base_hi[f_port], side[0].base_lo[f_port]};
            f_bound <= {side[1].bound_hi[f_port], side[1].bound_lo[f_port], side[0].bound_hi[f_port], side[0].bound_lo[f_port]};
            f_offset <= {side[1].offset_hi[f_port], side[1].offset_lo[f_port], side[0].offset_hi[f_port], side[0].offset_lo[f_port]};
        end else if (f_set_window) begin
            case (set_index[2:0])
                3'd0: begin
                    f_base[f_w*40 +: 20] <= set_data[31:12];
                    f_open[f_w] <= set_data[0];
                end
                3'd1: f_base[f_w*40+20 +: 20] <= set_data[19:0];
                3'd2: f_bound[f_w*40 +: 20] <= set_data[31:12];
                3'd3: f_bound[f_w*40+20 +: 20] <= set_data[19:0];
                3'd4: f_offset[f_w*40 +: 20] <= set_data[31:12];
                3'd5: f_offset[f_w*40+20 +: 20] <= set_data[19:0];
                default: ;
            endcase
        end
        if (set & (set_index[8:3] == {3'b101, f_port}) & (set_index[2:0] == 3'd0)) begin
            f_enable <= set_data[0];
        end
        if (rst) begin
            f_enable <= 1'b0;
            f_open <= 2'd0;
        end
    end

    // The stream: beats of a TLP come one after the other, of one port; not more than eight TLPs wait.
    reg        f_mid;
    reg        f_second; // the next beat is a TLP's second one
    reg  [2:0] f_mid_port;
    reg  [3:0] f_waiting;
    wire       f_in = beat_take & ((K == 4) ? beat_first : beat_first ? beat_last : f_second);
    always @(posedge clk) begin
        f_mid_port <= beat_port;
        if (rst) begin
            f_mid <= 1'b0;
            f_second <= 1'b0;
            f_waiting <= 4'd0;
        end else begin
            if (beat_take) begin
                f_mid <= ~beat_last;
                f_second <= beat_first & ~beat_last;
            end
            f_waiting <= f_waiting + {3'd0, f_in} - {3'd0, v_take};
        end
        if (f_mid & ~beat_take) begin
            f_mid_port <= f_mid_port;
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (beat_first == ~f_mid);
        assume (~f_mid | (beat_port == f_mid_port));
        assume (~f_in | (f_waiting < 4'd8) | v_take);
        assume (~v_take | v_valid);
        assume (beat_port != 3'd0);
        assume (f_begun | ~set);
    end

    // One TLP of that port, any, from its first beat to its verdict; what must become of it.
    (* anyseq *) wire f_pick;
    reg  [31:0] f_dw0_q;
    reg         f_free_q;
    reg         f_own_q;
    always @(posedge clk) begin
        if (beat_take & beat_first) begin
            f_dw0_q <= beat_data[31:0];
            f_free_q <= beat_class[1] | beat_class[4];
            f_own_q <= (beat_data[63:48] == {bus, device, f_port});
        end
    end
    wire [31:0] f_dw0 = beat_first ? beat_data[31:0] : f_dw0_q;
    wire        f_own = beat_first ? (beat_data[63:48] == {bus, device, f_port}) : f_own_q;
    wire        f_free = beat_first ? beat_class[1] | beat_class[4] : f_free_q;
    wire [63:0] f_two = beat_data[WIDTH-1 -: 64]; // DW 2 and 3
    wire [63:0] f_address = f_dw0[29] ? {f_two[31:0], f_two[63:32]} : {32'd0, f_two[31:0]};
    wire        f_is_memory = (f_dw0[28:24] == 5'b00000);
    wire        f_is_message = (f_dw0[28:27] == 2'b10);
    wire        f_up = (f_dw0[26:24] == 3'b000) | (f_dw0[26:24] == 3'b100) | (f_dw0[26:24] == 3'b101);
    // Nothing but what names the port's function, and of that, only …
    wire        f_may = f_own &
                        ((f_is_memory & (f_dw0[11:10] == 2'd0) & ~f_dw0[15]) | (f_is_message & f_up));
    wire [1:0]  f_hits;
    genvar f_g;
    generate
        for (f_g = 0; f_g < 2; f_g = f_g + 1) begin : f_window
            assign f_hits[f_g] = f_open[f_g] & (f_address >= {12'd0, f_base[f_g*40 +: 40], 12'd0}) &
                                 (f_address < {12'd0, f_bound[f_g*40 +: 40], 12'd0});
        end
    endgenerate

    reg         f_tag;   // it is inside
    reg  [1:0]  f_age;   // cycles since its address came: 1, 2, then 3
    reg  [3:0]  f_ahead; // verdicts before it
    reg         f_single; // it ended before its address
    reg         f_checked;
    reg         f_allowed;
    reg         f_memory;
    reg  [1:0]  f_hit;
    reg  [51:0] f_from; // address 63:12
    reg  [39:0] f_to;
    wire [39:0] f_shift = f_hit[0] ? f_offset[39:0] : f_offset[79:40];
    wire        f_here = f_in & ~f_tag & f_pick & (beat_port == f_port);
    wire        f_next = f_tag & (f_age == 2'd3) & (f_ahead == 4'd0);
    always @(posedge clk) begin
        if (f_here) begin
            f_tag <= 1'b1;
            f_age <= 2'd1;
            f_ahead <= f_waiting - {3'd0, v_take};
            f_single <= (K == 2) & beat_first;
            f_checked <= f_enable & ~f_free;
            f_allowed <= f_may;
            f_memory <= f_is_memory;
            f_hit <= f_hits;
            f_from <= f_address[63:12];
        end else if (f_tag) begin
            f_age <= (f_age == 2'd3) ? 2'd3 : f_age + 2'd1;
            if (v_take & (f_ahead != 4'd0)) begin
                f_ahead <= f_ahead - 4'd1;
            end
            if (f_age == 2'd1) begin
                f_to <= f_from[39:0] + f_shift;
            end
            f_tag <= ~(f_next & v_take);
        end
        if (rst) begin
            f_tag <= 1'b0;
        end
    end
    wire f_passes = ~f_checked | (f_allowed & (~f_memory | (f_hit != 2'd0)));
    wire f_moves = f_checked & f_allowed & f_memory & (f_hit != 2'd0);

    wire [2:0]  f_slot = rptr_q + f_ahead[2:0];
    wire [44:0] f_row = mem[f_slot];
    wire [2:0]  f_under_way = {2'd0, a_valid_q} + {2'd0, b_valid_q};

    always @(posedge clk) begin
        if (f_begun) begin
            assert (f_base == {side[1].base_hi[f_port], side[1].base_lo[f_port], side[0].base_hi[f_port], side[0].base_lo[f_port]});
            assert (f_bound == {side[1].bound_hi[f_port], side[1].bound_lo[f_port], side[0].bound_hi[f_port], side[0].bound_lo[f_port]});
            assert (f_offset == {side[1].offset_hi[f_port], side[1].offset_lo[f_port], side[0].offset_hi[f_port], side[0].offset_lo[f_port]});
        end
        if (f_begun & ~rst) begin
            // Nothing leaves a window: what is checked passes only if it may, and in a window, and then moves by the
            // window's offset; whatever software changes while it is on its way.
            if (f_next & ~f_single) begin
                assert (v_valid);
                assert (v_stop == ~f_passes);
                assert (v_change == f_moves);
                assert (~v_change | (v_page == f_to));
                assert (v_four == (v_page[39:20] != 20'd0));
                assert (~v_stop | ((v_reason == OUTSIDE) == f_allowed));
            end
            // A port that is not checked, and what is none of the windows' business, is let alone.
            if (f_next & ~f_checked & ~f_single) begin
                assert (~v_stop & ~v_change);
            end

            // Induction.
            assert (enable_q[f_port] == (f_enable & (f_port != 3'd0)));
            assert (~enable_q[0]);
            assert ({open_q[{1'b1, f_port}], open_q[{1'b0, f_port}]} == f_open);
            assert ({1'b0, count_q} + {1'b0, f_under_way} == {1'b0, f_waiting});
            assert (f_waiting <= 4'd8);
            assert (wptr_q - rptr_q == count_q[2:0]);
            assert (second_of == f_second);
            assert (~f_second | f_mid);
            assert (~f_second | ~(f_mid_port == f_port) | remembers);
            if (f_tag) begin
                case (f_age)
                    2'd1: assert (a_valid_q & (f_ahead == count_q + {3'd0, b_valid_q}));
                    2'd2: assert (b_valid_q & (f_ahead == count_q));
                    2'd3: assert (f_ahead < count_q);
                    default: assert (1'b0);
                endcase
                if (~f_single & (f_age == 2'd1)) begin
                    assert ((a_port_q == f_port) & (a_page_q == f_from) & (a_in == f_hit));
                    assert (a_stop_q == (f_checked & ~f_allowed));
                    assert (a_memory_q == (f_checked & f_allowed & f_memory));
                    assert (~a_stop_q | (a_reason_q != OUTSIDE));
                    assert (a_stop_q | ~a_memory_q | (a_reason_q == OUTSIDE));
                end
                if (~f_single & (f_age == 2'd2)) begin
                    assert ((b_page_q == f_from[39:0]) & (b_in_q == f_hit) & (b_sum == f_to));
                    assert (b_stop_q == (f_checked & ~f_allowed));
                    assert (b_memory_q == (f_checked & f_allowed & f_memory));
                    assert (~b_stop_q | (b_reason_q != OUTSIDE));
                    assert (b_stop_q | ~b_memory_q | (b_reason_q == OUTSIDE));
                end
                if (~f_single & (f_age == 2'd3)) begin
                    assert (f_row[44] == ~f_passes);
                    assert (f_row[41] == f_moves);
                    assert (~f_row[44] | ((f_row[43:42] == OUTSIDE) == f_allowed));
                    assert (~f_row[41] | (f_row[39:0] == f_to));
                    assert (f_row[40] == (f_row[39:20] != 20'd0));
                end
            end

            cover (f_next & v_take & f_moves & (f_to != f_from[39:0]) & (f_ahead == 4'd0));
            cover (f_next & v_take & v_stop & f_allowed);
            cover (f_next & v_take & ~f_passes & ~f_allowed);
            cover (f_waiting == 4'd4);
        end
    end
`endif
endmodule

`default_nettype wire
