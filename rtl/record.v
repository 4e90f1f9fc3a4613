// SPDX-License-Identifier: BSD-2-Clause
//
// Looks at each TLP that enters the stream and makes the record of the interrupt that it may be: who asked,
// with which message, and which entry of the source table is his. An unknown source takes a free entry.
//
// Only candidates (tlp_class: message_like or intx) have a record, one each and in order, of all candidates
// whose first beat was not `bad`. Stages: key (k_*), from the candidate's last beat on; record (m_*), until m_take. A
// record is there two cycles after the last beat at the soonest (64 bit: with three header DW, three). beat_stop is
// high while the place of the key is taken: the beat must not be taken then.
//
// At 128 bit a record can follow a record in the next cycle: the rows of the lookup are read with the beat. At 64 bit
// messages are two cycles apart. There the key is registered before its rows are read, but for the data behind four
// header DW, which come too late for that; and m_take is known too late for a record to follow in its cycle.
//
// Keys for maintenance come in by load (only while idle): the record then has m_maintain set, and the caller
// may write write_bit for the source write_index with `write`, once, and waits for idle after m_take; both
// stay until then.
// Synchronous reset.
`default_nettype none

module record #(
    parameter integer WIDTH = 64,
    parameter integer SOURCES = 32
) (
    input  wire               clk,
    input  wire               rst,

    // The stream.
    input  wire               beat_take,
    input  wire               beat_first,
    input  wire               beat_last,
    input  wire               beat_bad,
    input  wire [WIDTH-1:0]   beat_data,
    input  wire               beat_candidate, // on all beats of the TLP
    input  wire               beat_intx,
    input  wire [2:0]         beat_port,      // 1 to 7
    output wire               beat_stop,

    // Other keys: one read from the source table, one put together by software.
    input  wire               load_stored,
    input  wire               load_program,
    input  wire               load_maintain, // no interrupt: the table is being maintained
    input  wire               load_level,    // INTx: the wire rises
    input  wire [113:0]       stored_key,
    input  wire [2:0]         stored_tc,
    input  wire [113:0]       program_key,

    input  wire [127:0]       window_base, // two windows
    input  wire [127:0]       window_mask,
    input  wire [1:0]         window_enable,

    input  wire               learn,
    input  wire [7:0]         learn_not, // ports whose messages are not learned
    input  wire               free_there, // an entry is free:
    input  wire [6:0]         free_index, // this one
    output wire               learned,    // m_index is taken, in the first cycle of the record

    input  wire               write,
    input  wire               write_bit,
    input  wire [6:0]         write_index,
    output wire [SOURCES-1:0] write_which, // the source whose bits are written, or would be

    output reg                m_valid_q,
    output wire               m_fresh,    // this is its first cycle
    output reg                m_maintain_q,
    output reg                m_irq_q,    // it is an interrupt
    output reg                m_bad_q,    // the TLP is malformed
    output reg  [SOURCES-1:0] m_match_q,  // its entry when it was known before
    output wire               m_listed,   // it has an entry:
    output wire [6:0]         m_index,    // this one
    output reg  [113:0]       m_key_q,    // address and data are 0 for INTx
    output reg  [2:0]         m_tc_q,
    output reg                m_odd_q,
    output reg                m_poisoned_q,
    output reg                m_level_q,
    input  wire               m_take,
    output wire               idle        // no record is here or on its way
);
    localparam integer K = WIDTH / 32;
    localparam integer BITS = (SOURCES > 1) ? $clog2(SOURCES) : 1;

    // Key: address 63:2 in 61:0, data in 93:62, requester in 109:94 (INTx: the pin, for the message does not
    // tell the function), INTx in 110, port in 113:111.

    // ---- what the first beat shows --------------------------------------------------------------------

    wire [31:0] dw0 = beat_data[31:0];
    wire [31:0] dw1 = beat_data[63:32];
    wire        full_be = (dw1[3:0] == 4'hf);
    wire        no_be = (dw1[3:0] == 4'd0);
    wire        unusual = dw0[18] | (dw0[13:12] != 2'd0) | dw0[15]; // IDO, RO, NS, digest

    reg         f_candidate_q; // of the TLP whose beats go by; the others of the last candidate
    reg         f_four_q;
    reg  [19:0] f_who_q; // port, INTx, requester or pin
    reg  [2:0]  f_tc_q;
    reg         f_odd_q;
    reg         f_poisoned_q;
    reg         f_empty_q;
    reg         f_level_q;

    always @(posedge clk) begin
        // At 64 bit nothing of it is needed between two TLPs.
        if (beat_first & ((K == 2) | (beat_take & beat_candidate))) begin
            f_four_q <= dw0[29];
            f_who_q <= {beat_port, beat_intx, beat_intx ? {14'd0, dw1[1:0]} : dw1[31:16]};
            f_tc_q <= dw0[22:20];
            f_odd_q <= unusual | (~beat_intx & ~full_be);
            f_poisoned_q <= dw0[14] & ~beat_intx;
            f_empty_q <= ~beat_intx & no_be;
            f_level_q <= ~dw1[2];
        end
        if (rst) begin
            f_candidate_q <= 1'b0;
        end else if (beat_take & beat_first) begin
            f_candidate_q <= beat_candidate & ~beat_bad;
        end
    end

    // ---- key ------------------------------------------------------------------------------------------

    reg          k_valid_q;
    reg  [113:0] k_key_q;
    reg          k_bad_q;
    reg          k_maintain_q;
    reg  [2:0]   k_tc_q;
    reg          k_odd_q;
    reg          k_poisoned_q;
    reg          k_empty_q;
    reg          k_level_q;

    wire         load = load_stored | load_program;
    wire         k_head;  // address and first-beat fields are loaded
    wire         k_data;  // the data are loaded
    wire         k_whole; // the key is whole
    wire         k_whole_bad;
    wire [31:0]  three_hi;
    wire [31:0]  three_data; // by the number of DW in the header
    wire [31:0]  four_data;
    wire [29:0]  three_lo;
    wire [29:0]  four_lo;
    wire [31:0]  four_hi;
    wire         k_move;
    wire         first_waits; // a first beat waits for the key's place
    wire         wants_entry; // if it is not known
    wire         known;
    wire         cam_write;
    wire         cam_busy;
    wire         k_shut = cam_write | cam_busy; // the rows must stay
    wire [113:0] look;    // the key whose rows are read
    wire [12:0]  read;
    wire [113:0] list_as; // the key that is listed
    wire         ignore;
    wire         m_new;   // it takes an entry

    wire [1:0]   from = load ? {1'b1, load_program} : {1'b0, f_four_q};
    reg  [113:0] key_d;
    always @* begin
        case (from)
            2'd0: key_d = {f_who_q, three_data, three_hi, three_lo};
            2'd1: key_d = {f_who_q, four_data, four_hi, four_lo};
            2'd2: key_d = stored_key;
            default: key_d = program_key;
        endcase
    end
    assign three_hi = 32'd0;

    generate
        if (K == 2) begin : narrow
            // Beat 1 has the address, and with three header DW the data; beat 2 has them with four.
            reg second_q;
            always @(posedge clk) begin
                if (rst) begin
                    second_q <= 1'b0;
                end else if (beat_take) begin
                    second_q <= beat_first;
                end
            end
            wire more = f_candidate_q & ~beat_first;
            wire k_free = ~k_valid_q | k_move;
            assign beat_stop = more & ~k_free;
            assign first_waits = 1'b0;
            // Whether the beat is taken is known late: until it is, what is there is loaded again and again.
            assign k_head = more & second_q & k_free;
            assign k_data = more & (second_q | f_four_q) & k_free;
            assign k_whole = more & beat_take & beat_last;
            reg  ready_q; // the rows of the key are there
            wire reads = (k_valid_q | more) & ~k_shut;
            wire late = k_whole & f_four_q & ~second_q; // its data, but not the rest of it, are read as they come
            assign look = {k_key_q[113:94], k_valid_q ? k_key_q[93:62] : four_data, k_key_q[61:0]};
            assign read = {13{reads}};
            assign k_move = ready_q & ~m_valid_q & ~cam_busy;
            always @(posedge clk) begin
                ready_q <= ~rst & ((reads & ((k_valid_q & ~k_move) | late)) | (ready_q & ~k_move));
            end
            // The key is the record's by now.
            assign list_as = m_key_q;
            assign ignore = (m_valid_q | cam_busy) ? m_key_q[110] : k_intx;
            reg  m_may_q;
            always @(posedge clk) begin
                if (k_move) begin
                    m_may_q <= wants_entry;
                end
            end
            assign m_new = m_may_q & (m_match_q == {SOURCES{1'b0}});
            wire unused = known;
            assign k_whole_bad = beat_bad;
            assign three_lo = beat_data[31:2];
            assign three_data = beat_data[63:32];
            assign four_hi = beat_data[31:0];
            assign four_lo = beat_data[63:34];
            assign four_data = beat_data[31:0];
        end else begin : wide
            // Beat 0 has all but the data behind four header DW. It waits here for the key's place, and for
            // beat 1 if there is one.
            reg         s_valid_q;
            reg         s_single_q; // there is no beat 1
            reg  [31:0] s_dw2_q;
            reg  [31:0] s_dw3_q;
            assign      first_waits = s_valid_q;
            wire        enters = wants_entry & ~known;
            wire        k_free = (~k_valid_q | (k_move & ~enters)) & ~k_shut;
            wire        s_move = s_valid_q & k_free & (s_single_q | (beat_take & ~beat_first));
            assign beat_stop = beat_first ? beat_candidate & s_valid_q & ~(k_free & s_single_q)
                                          : f_candidate_q & ~k_free;
            assign k_head = s_move;
            assign k_data = s_move;
            assign k_whole = s_move;
            assign k_whole_bad = ~s_single_q & beat_bad;
            assign three_lo = s_dw2_q[31:2];
            assign three_data = s_dw3_q;
            assign four_hi = s_dw2_q;
            assign four_lo = s_dw3_q[31:2];
            assign four_data = beat_data[31:0];
            assign look = key_d;
            assign read = {13{s_move | load}};
            assign k_move = k_valid_q & (~m_valid_q | m_take) & ~k_shut;
            assign list_as = k_key_q;
            assign ignore = k_intx;
            reg         m_new_q;
            always @(posedge clk) begin
                if (k_move) begin
                    m_new_q <= enters;
                end
            end
            assign m_new = m_new_q;
            always @(posedge clk) begin
                if (beat_take & beat_first & beat_candidate) begin
                    s_dw2_q <= beat_data[95:64];
                    s_dw3_q <= beat_data[127:96];
                    s_single_q <= beat_last;
                end
                if (rst) begin
                    s_valid_q <= 1'b0;
                end else if (beat_take & beat_first & beat_candidate & ~beat_bad) begin
                    s_valid_q <= 1'b1;
                end else if (s_move) begin
                    s_valid_q <= 1'b0;
                end
            end
        end
    endgenerate

    // ---- lookup -----------------------------------------------------------------------------------------

    // Chunks by the time their bits are loaded; those that an INTx key does not use come first.
    function [116:0] chunks(input [113:0] key);
        chunks = {3'd0, key[113:110], key[104:94], key[108:105], key[93:62], key[109], key[61:0]};
    endfunction
    wire        k_intx = k_key_q[110];

    reg  fresh_q; // first cycle of the record in m_*
    wire [SOURCES-1:0] match;
    source_cam #(.SOURCES(SOURCES), .CHUNKS(13)) sources (
        .clk(clk), .rst(rst), .key_d(chunks(look)), .key_q(chunks(list_as)), .read(read),
        .ignorable(13'h07ff), .ignore(ignore), .match(match),
        .write(cam_write), .which(write_which), .bit_(~m_maintain_q | write_bit), .busy(cam_busy)
    );

    reg  [6:0]  m_new_index_q;
    wire [6:0]  cam_index = m_maintain_q ? write_index : m_new_index_q;
    assign m_listed = m_new | (m_match_q != {SOURCES{1'b0}});
    wire [6:0]  match_index;
    index_of #(.N(SOURCES)) which_match (.one(m_match_q), .index(match_index));
    assign m_index = (m_new ? m_new_index_q : 7'd0) | match_index;

    assign write_which = {{(SOURCES - 1){1'b0}}, 1'b1} << cam_index[BITS-1:0];

    wire [1:0] in_window;
    genvar g;
    generate
        for (g = 0; g < 2; g = g + 1) begin : window
            wire hit;
            masked_equal #(.BITS(62)) compare (
                .a(k_key_q[61:0]), .b(window_base[g*64+2 +: 62]), .mask(window_mask[g*64+2 +: 62]), .equal(hit)
            );
            assign in_window[g] = window_enable[g] & hit;
        end
    endgenerate

    assign known = (match != {SOURCES{1'b0}});
    // At 64 bit the address is there a cycle before it is needed.
    reg  windowed_q;
    always @(posedge clk) begin
        windowed_q <= (in_window != 2'd0);
    end
    wire windowed = (K == 2) ? windowed_q : (in_window != 2'd0);
    wire irq = ~k_bad_q & ~k_maintain_q & (k_intx | (windowed & ~k_empty_q));
    // An Assert, or a message that can be read, may take an entry.
    wire   may_learn = learn & (k_intx | ~learn_not[k_key_q[113:111]]);
    assign wants_entry = irq & may_learn & free_there & (~k_intx | k_level_q) & ~k_poisoned_q;

    assign cam_write = m_maintain_q ? m_valid_q & write : learned;
    assign m_fresh = fresh_q;
    assign learned = fresh_q & m_new;
    assign idle = ~first_waits & ~k_valid_q & ~m_valid_q & ~cam_busy;

    always @(posedge clk) begin
        if (k_head | load) begin
            k_key_q[61:0] <= key_d[61:0];
            k_key_q[113:94] <= key_d[113:94];
            k_tc_q <= load ? stored_tc : f_tc_q;
            k_odd_q <= f_odd_q & ~load;
            k_poisoned_q <= f_poisoned_q & ~load;
            k_empty_q <= f_empty_q & ~load;
            k_level_q <= load ? load_level : f_level_q;
            k_maintain_q <= load & load_maintain;
        end
        if (k_data | load) begin
            k_key_q[93:62] <= key_d[93:62];
        end
        if (k_whole | load) begin
            k_bad_q <= k_whole_bad & ~load;
        end
        if (k_move) begin
            m_match_q <= match;
            m_new_index_q <= free_index;
            m_irq_q <= irq;
            m_bad_q <= k_bad_q;
            m_maintain_q <= k_maintain_q;
            m_key_q[113:94] <= k_key_q[113:94];
            // A reset, which costs no logic, rather than a choice.
            if (k_intx) begin
                m_key_q[93:0] <= 94'd0;
            end else begin
                m_key_q[93:0] <= k_key_q[93:0];
            end
            m_tc_q <= k_tc_q;
            m_odd_q <= k_odd_q;
            m_poisoned_q <= k_poisoned_q;
            m_level_q <= k_level_q;
        end
        if (rst) begin
            k_valid_q <= 1'b0;
            m_valid_q <= 1'b0;
            m_maintain_q <= 1'b0;
            fresh_q <= 1'b0;
        end else begin
            k_valid_q <= k_whole | load | (k_valid_q & ~k_move);
            m_valid_q <= k_move | (m_valid_q & ~m_take);
            fresh_q <= k_move;
        end
    end

    wire unused = &{1'b0, cam_index, dw0[31:30], dw0[28:23], dw0[19], dw0[17:16], dw0[11:0], dw1[15:4],
                    window_base[1:0], window_base[65:64], window_mask[1:0], window_mask[65:64]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // The stream as tlp_check leaves it, of the TLPs that tlp_class lets be candidates.
    wire        f_first, f_must_end, f_right, f_crosses;
    wire [11:0] f_seen, f_total;
    wire [31:0] f_dw0;
    tlp_frame #(.WIDTH(WIDTH)) f_frame (
        .clk(clk), .rst(rst), .data(beat_data), .keep({K{1'b1}}), .last(beat_last), .take(beat_take), .ends(beat_last),
        .first(f_first), .must_end(f_must_end), .right(f_right), .crosses(f_crosses),
        .seen_q(f_seen), .total_q(f_total), .dw0_q(f_dw0)
    );
    reg         f_candidate;
    reg         f_intx;
    wire        f_now = f_first ? beat_candidate : f_candidate;
    wire        f_message_ok = (dw0[30:24] == 7'b1000000 | dw0[30:24] == 7'b1100000) & (dw0[9:0] == 10'd1);
    wire        f_intx_ok = (dw0[30:24] == 7'b0110100);
    // One candidate, any, is followed until its record is taken.
    (* anyseq *) wire f_pick;
    reg         f_tag;    // it has begun to come in, and its record has not been taken
    reg         f_coming; // its last beat has not come
    reg  [1:0]  f_ahead;  // records before its
    reg  [1:0]  f_owed;   // records that have been asked for and were not taken
    reg  [31:0] f_w0, f_w1, f_w2, f_w3, f_w4;
    reg         f_ended_bad;
    reg  [2:0]  f_port;
    reg         f_tag_intx;
    wire        f_ask = beat_take & beat_last & f_now & ~(f_first ? beat_bad : f_bad_first);
    reg         f_bad_first;
    wire        f_taken = m_valid_q & m_take;
    wire        f_load = load_stored | load_program;
    always @(posedge clk) begin
        if (beat_take) begin
            if (f_first) begin
                f_candidate <= beat_candidate;
                f_intx <= beat_intx;
                f_bad_first <= beat_bad;
            end
        end
        f_owed <= rst ? 2'd0 : f_owed + {1'b0, f_ask} + {1'b0, f_load} - {1'b0, f_taken};
        if (rst) begin
            f_tag <= 1'b0;
            f_coming <= 1'b0;
        end else begin
            if (~f_tag & beat_take & f_first & beat_candidate & ~beat_bad & f_pick) begin
                f_tag <= 1'b1;
                f_coming <= ~beat_last;
                f_ahead <= f_owed - {1'b0, f_taken};
                f_port <= beat_port;
                f_tag_intx <= beat_intx;
                f_ended_bad <= beat_bad;
                {f_w1, f_w0} <= beat_data[63:0];
                if (K == 4) begin
                    {f_w3, f_w2} <= beat_data[WIDTH-1 -: 64];
                end
            end else if (f_tag) begin
                if (f_coming & beat_take) begin
                    f_coming <= ~beat_last;
                    f_ended_bad <= beat_bad;
                    if (K == 2 & f_seen == 12'd2) begin
                        {f_w3, f_w2} <= beat_data[63:0];
                    end
                    if (f_seen == 12'd4) begin
                        f_w4 <= beat_data[31:0];
                    end
                end
                if (f_taken) begin
                    f_ahead <= f_ahead - 2'd1;
                    f_tag <= (f_ahead != 2'd0);
                end
            end
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~(beat_take & beat_stop));
        assume (~f_begun | (beat_first == f_first));
        if (beat_take) begin
            assume (f_first | (beat_candidate == f_candidate));
            assume (f_first | (beat_intx == f_intx));
            assume (~(f_first & beat_candidate) | (beat_intx ? f_intx_ok : f_message_ok));
            assume (beat_bad ? beat_last : (beat_last == f_must_end));
            assume (beat_port != 3'd0);
        end
        assume (~f_load | (idle & ~beat_take & ~f_candidate_open));
        assume (~(load_stored & load_program));
        assume (~m_take | m_valid_q);
        assume (~write | (m_valid_q & m_maintain_q));
    end
    // Who maintains writes once, and what he says stays.
    reg          f_written;
    reg  [7:0]   f_said;
    always @(posedge clk) begin
        f_written <= ~rst & (write | (f_written & ~idle));
        f_said <= {write_bit, write_index};
    end
    always @* begin
        assume (~(write & f_written));
        assume (~f_begun | idle | (f_said == {write_bit, write_index}));
    end
    wire         f_candidate_open = ~f_first & f_candidate & ~f_bad_first;
    // Windows as they were all the time.
    reg  [257:0] f_windows;
    always @(posedge clk) begin
        f_windows <= {window_enable, window_mask, window_base};
    end
    always @* begin
        assume (~f_begun | (f_windows == {window_enable, window_mask, window_base}));
    end
    wire [63:0] f_address = f_w0[29] ? {f_w2, f_w3} : {32'd0, f_w2};
    wire [31:0] f_data = f_w0[29] ? f_w4 : f_w3;
    wire [113:0] f_key = f_tag_intx ? {f_port, 1'b1, 14'd0, f_w1[1:0], 94'd0}
                                    : {f_port, 1'b0, f_w1[31:16], f_data, f_address[63:2]};
    wire         f_hit0 = window_enable[0] & (((f_address ^ window_base[63:0]) & window_mask[63:0]) >> 2 == 64'd0);
    wire         f_hit1 = window_enable[1] & (((f_address ^ window_base[127:64]) & window_mask[127:64]) >> 2 == 64'd0);
    wire [116:0] f_chunks = {3'd0, f_key[113:110], f_key[104:94], f_key[108:105], f_key[93:62], f_key[109], f_key[61:0]};
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // Each candidate has one record, in order, with what its TLP says; a TLP that ended bad is no interrupt.
            assert (~m_valid_q | (f_owed != 2'd0));
            if (f_tag & ~f_coming & (f_ahead == 2'd0) & m_valid_q) begin
                assert (~m_maintain_q);
                assert (m_bad_q == f_ended_bad);
                if (~f_ended_bad) begin
                    assert (m_key_q == f_key);
                    assert (m_tc_q == f_w0[22:20]);
                    assert (m_level_q == ~f_w1[2]);
                    assert (m_poisoned_q == (f_w0[14] & ~f_tag_intx));
                    assert (m_odd_q == (f_w0[18] | f_w0[13] | f_w0[12] | f_w0[15] | (~f_tag_intx & (f_w1[3:0] != 4'hf))));
                    assert (m_irq_q == (f_tag_intx | ((f_hit0 | f_hit1) & (f_w1[3:0] != 4'd0))));
                    // It was looked up by this key.
                    assert ((m_match_q == {SOURCES{1'b0}}) | (m_match_q == f_chunks));
                end else begin
                    assert (~m_irq_q);
                end
            end
            assert (~(f_tag & f_coming & (f_ahead == 2'd0)) | ~m_valid_q);
            assert (~learned | (m_irq_q & ~m_bad_q & ~m_poisoned_q & (~m_key_q[110] | m_level_q)));
            assert (~idle | (f_owed == 2'd0));
        end
    end
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            cover (f_tag & ~f_coming & f_taken & ~f_ended_bad & f_w0[29] & ~f_tag_intx & m_irq_q);
            cover (f_tag & ~f_coming & f_taken & (f_ahead == 2'd1));
            cover (learned);
        end
    end
`endif
endmodule

`default_nettype wire
