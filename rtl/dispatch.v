// SPDX-License-Identifier: BSD-2-Clause
//
// The end of the delay line, where it is decided what becomes of each TLP: it leaves, or is kept back, or
// the relay's own takes its place; before an interrupt, its event may go out. All that is recorded about an
// interrupt is recorded in the cycle of `decide`, before or when its first beat leaves here.
//
// With tap set, TLPs have left already by a way around the line; here they are recorded only. Tokens are
// handled in both modes.
// A candidate waits for its record, everybody for e_ready. Nothing here depends on what comes behind.
// Synchronous reset.
`default_nettype none
`include "relay_regs.vh"

module dispatch #(
    parameter integer WIDTH = 64,
    parameter integer BUMP = 0 // INTx messages are forwarded
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                tap,
    input  wire                pause, // do not decide now
    input  wire [7:0]          bus,
    input  wire [4:0]          device,
    input  wire [63:0]         time_ns,

    // The end of the line.
    input  wire [WIDTH-1:0]    d_data,
    input  wire [WIDTH/32-1:0] d_keep,
    input  wire                d_last,
    input  wire                d_bad,
    input  wire                d_nonposted,
    input  wire                d_candidate,
    input  wire                d_record, // it is a candidate, or a token that has a record
    input  wire                d_token,
    input  wire                d_valid,
    output wire                d_ready,

    // The record of the candidate that is here or comes next.
    input  wire                m_valid,
    input  wire                m_irq,
    input  wire                m_bad,
    input  wire                m_listed,
    input  wire [6:0]          m_index,
    input  wire [113:0]        m_key,
    input  wire [2:0]          m_tc,
    input  wire                m_odd,
    input  wire                m_poisoned,
    input  wire                m_level,
    output wire                m_take,

    // The verdict about the TLP that is here or comes next; a token has none.
    input  wire                v_valid,
    input  wire                v_stop,    // it does not leave, if it is a request …
    input  wire                v_refuse,  // … if it is a message-signalled interrupt
    output wire                v_take,
    output wire                stop,      // with decide: it is stopped

    // The wire of the record.
    input  wire                wire_own,
    input  wire                wire_forced,
    input  wire                wire_suppressed,
    output wire                wire_set,

    // What the token stands for; stable until token_done.
    input  wire                token_record, // it has a record
    input  wire                token_force,  // … that forces a wire
    input  wire                token_emit,   // it puts a TLP on the stream:
    input  wire                token_refuse, // … but not this one, a message of a source
    input  wire [31:0]         token_h0,
    input  wire [31:0]         token_h1,
    input  wire [31:0]         token_h2,
    input  wire [31:0]         token_h3,
    input  wire [31:0]         token_w0,
    output wire                token_done,

    input  wire                kept_back, // messages of its source are
    output wire                kept,      // with decide: it is kept back

    input  wire                ring_enable,
    input  wire                ring_room,
    input  wire [63:0]         ring_address,
    input  wire [31:0]         ring_number,
    input  wire [31:0]         ring_missed,
    input  wire [15:0]         event_count, // of the source, from the second cycle after decide on
    output wire                ring_busy, // an event is being written, or may be begun
    output wire                ring_put,
    output wire                ring_miss,

    // To the exit.
    output wire [WIDTH-1:0]    e_data,
    output wire [WIDTH/32-1:0] e_keep,
    output wire                e_last,
    output wire                e_bad,
    output wire                e_nonposted,
    output wire                e_valid,
    input  wire                e_ready,

    output wire                decide,   // of the TLP or token that is here; once
    output wire                event_,   // it is an interrupt that counts, or a wire that changed
    output wire                rise,     // with event_: an interrupt, not a wire that fell
    output wire                beat,     // a beat of the TLP or token decided is on e_data and e_keep; with d_last the last one
    output wire                relayed,  // a beat of a TLP of a port goes to the exit
    output wire                e_first,  // with e_valid: it is the first
    output wire                cleared,  // its RO or IDO was cleared
    output wire                own       // the beat at the exit is the relay's own
);
    reg  body_q;    // the first beat is through
    reg  drop_q;    // … and was dropped, and so are the others
    reg  decided_q; // decided, but the first beat, or the token, is still here
    reg  sending_q; // the event is on its way out
    reg  held_q;    // with decided_q: it is kept back, or stopped

    wire l_last; // of the relay's own TLP
    wire emits;  // a beat of the event is at the exit

    // ---- judge ------------------------------------------------------------------------------------------

    wire first = ~body_q;
    wire has_record = d_record;
    wire intx = m_key[110];
    wire judged = d_valid & first & ~decided_q & (~has_record | m_valid) & (d_token | v_valid) & ~pause;
    wire is_message = has_record & m_irq & ~intx;
    wire stops = ~tap & ~(has_record & m_bad) &
                 (is_message ? v_refuse | (d_token & token_refuse) : ~d_token & v_stop & ~(has_record & m_irq));
    assign stop = stops;

    wire force_ = d_token & token_force;
    wire was = wire_own | wire_forced;
    // Which of the two it is comes late.
    wire forces = was != (m_level | wire_own);
    wire changes = was != (m_level | wire_forced);
    wire counts_ = m_irq & (intx ? (force_ ? forces : changes) : ~m_poisoned);
    wire is_event = has_record & counts_ & ~(is_message & stops);
    wire keeps = ~tap & ~intx & kept_back;
    wire sends = is_event & ~tap & ring_enable & ring_room;

    assign event_ = is_event;
    assign rise = ~intx | m_level;
    assign kept = intx ? wire_suppressed : keeps;
    assign wire_set = decide & has_record & m_irq & intx;
    assign ring_busy = sending_q | (d_valid & d_record & first & ~decided_q); // or may begin
    assign ring_put = sending_q & e_ready & l_last;
    assign ring_miss = decide & is_event & ~tap & ring_enable & ~ring_room;

    // ---- move -------------------------------------------------------------------------------------------

    assign emits = (judged & sends) | sending_q;
    // A token, one beat, stays a cycle longer where it counts: source_table asks for that between two events.
    wire free = d_valid & ~emits & (body_q | decided_q | (judged & ~(d_token & token_record)));
    wire holds = stops | (is_event & keeps);
    wire is_own = d_token & token_emit & ~(has_record & (decided_q ? held_q : holds)) & ~(~has_record & token_refuse);
    wire no_exit = d_token ? ~is_own
                   : tap | (first ? (d_candidate & ((m_irq & intx & (BUMP == 0)) | m_bad)) |
                                    (decided_q ? held_q : holds)
                                  : drop_q);
    wire goes = free & ~no_exit;

    assign e_valid = emits | goes;
    wire e_take = e_valid & e_ready;
    assign d_ready = free & (no_exit | (e_ready & (~is_own | l_last)));
    wire d_take = d_valid & d_ready;
    assign m_take = d_take & first & has_record;
    assign v_take = d_take & first & ~d_token;
    assign token_done = d_take & d_token;
    assign decide = judged & (no_exit & ~emits | e_ready);

    always @(posedge clk) begin
        if (decide) begin
            held_q <= holds;
        end
        if (rst) begin
            body_q <= 1'b0;
            drop_q <= 1'b0;
            decided_q <= 1'b0;
            sending_q <= 1'b0;
        end else begin
            sending_q <= sending_q ? ~(e_ready & l_last) : judged & sends & e_ready;
            if (d_take) begin
                body_q <= ~d_last;
                decided_q <= 1'b0;
                if (first) begin
                    drop_q <= no_exit;
                end
            end else if (decide) begin
                decided_q <= 1'b1;
            end
        end
    end

    // ---- the relay's own TLPs ---------------------------------------------------------------------------

    reg  [63:0] time_q;  // of the event, from its second beat on
    reg  [6:0]  index_q;
    reg         listed_q;
    reg         kept_q;
    always @(posedge clk) begin
        if (judged) begin
            time_q <= time_ns;
            index_q <= m_index;
            listed_q <= m_listed;
            kept_q <= kept;
        end
    end

    // If the relay's own TLP leaves now, it is the event; known before it is known whether one leaves.
    wire         events = sending_q | (d_record & ~decided_q);

    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction

    wire [15:0] card = {bus, device, 3'd0};
    wire [15:0] requester = intx ? {bus, device, m_key[113:111]} : m_key[109:94];
    wire [7:0]  source = listed_q ? {1'b0, index_q} : 8'hff;
    wire [31:0] who = {requester, kept_q, m_odd, m_level & intx, m_key[113:111], 1'b0, intx, source};
    wire [31:0] address_lo = {m_key[29:0], intx ? m_key[95:94] : 2'd0};
    wire        ring_four = (ring_address[63:32] != 32'd0);
    wire [31:0] event_h0 = {2'b01, ring_four, 5'd0, 1'b0, m_tc, 10'd0, 10'd8};
    wire [31:0] event_h1 = {card, 8'd0, 8'hff};
    wire [319:0] event_words = {
        swap({listed_q ? event_count : 16'd0, ring_number[15:0]}), swap(time_q[63:32]), swap(time_q[31:0]), m_key[93:62],
        swap(m_key[61:30]), swap(address_lo), swap(who), swap(ring_number), ring_address[31:0], ring_address[63:32]
    };
    // Of all tokens, the status record alone has more than one word.
    wire [191:0] token_words = {
        swap(time_q[63:32]), swap(time_q[31:0]), swap(ring_missed), token_w0, token_h3, token_h2
    };

    // The interrupt stays behind its event.
    wire clear = first & decided_q & d_candidate;
    wire mine = emits | d_token; // also where it is only told to the trace
    wire [WIDTH/32-1:0] l_keep;
`ifdef FORMAL
    wire [11:0]         f_own_seen;
`endif
    local_tlp #(.WIDTH(WIDTH)) local_ (
        .clk(clk), .rst(rst),
        .h0(events ? event_h0 : token_h0), .h1(events ? event_h1 : token_h1),
        .of_event(events), .event_words(event_words), .token_words(token_words),
        .mine(mine), .other({d_data[WIDTH-1:19], d_data[18] & ~clear, d_data[17:14], d_data[13] & ~clear, d_data[12:0]}),
`ifdef FORMAL
        .f_seen(f_own_seen),
`endif
        .take(e_take & own), .data(e_data), .keep(l_keep), .last(l_last)
    );

    assign own = emits | is_own;
    assign e_keep = mine ? l_keep : d_keep;
    assign e_last = own ? l_last : d_last;
    assign e_bad = ~own & d_bad;
    assign e_nonposted = ~own & d_nonposted;
    assign beat = d_take | (goes & e_ready);
    assign relayed = goes & e_ready & ~d_token;
    assign e_first = goes & first & ~d_token;
    assign cleared = relayed & clear & (d_data[18] | d_data[13]);


`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Who is around: the line's head stays until it is taken, a record and what a token stands for do, too.
    localparam integer HEAD = WIDTH + WIDTH / 32 + 5;
    localparam integer RECORD = 132;
    localparam integer TOKEN = 164;
    wire [HEAD-1:0]   f_head = {d_data, d_keep, d_last, d_bad, d_nonposted, d_candidate, d_token};
    wire [RECORD-1:0] f_record = {m_irq, m_bad, m_listed, m_index, m_key, m_tc, m_odd, m_poisoned, m_level};
    wire [TOKEN-1:0]  f_token = {token_record, token_force, token_emit, token_h0, token_h1, token_h2, token_h3,
                                 token_w0, token_refuse};
    reg  [HEAD-1:0]   f_head_q;
    reg  [RECORD-1:0] f_record_q;
    reg  [TOKEN-1:0]  f_token_q;
    reg               f_head_waits;
    reg               f_record_waits;
    reg               f_verdict_waits;
    reg               f_verdict_q;
    reg               f_sending; // the event is on its way, of this place and number:
    reg  [191:0]      f_event_q; // … address, number, missed, time of the decision
    reg               f_tap_q;
    reg               f_mid;     // in the middle of a TLP
    always @(posedge clk) begin
        f_head_q <= f_head;
        f_record_q <= f_record;
        f_token_q <= f_token;
        f_head_waits <= ~rst & d_valid & ~d_ready;
        f_record_waits <= ~rst & m_valid & ~m_take;
        f_verdict_waits <= ~rst & v_valid & ~v_take;
        f_verdict_q <= v_stop;
        f_tap_q <= tap;
        if (rst) begin
            f_mid <= 1'b0;
        end else if (d_take) begin
            f_mid <= ~d_last;
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        if (f_head_waits) begin
            assume (d_valid & (f_head == f_head_q));
            assume (~d_token | (f_token == f_token_q));
        end
        if (f_record_waits) begin
            assume (m_valid & (f_record == f_record_q));
        end
        if (f_verdict_waits) begin
            assume (v_valid & (v_stop == f_verdict_q));
        end
        if (f_mid | f_head_waits | sending_q) begin
            assume (tap == f_tap_q);
        end
        if (sending_q) begin
            assume ({ring_address, ring_number} == f_event_q[191:96]);
        end
        assume (~d_token | (d_last & ~f_mid & ~d_candidate));
        assume (d_record == (d_token ? token_record : d_candidate));
        assume (~m_bad | ~m_irq);
        // Tokens' TLPs have no digest and at most four DW of data.
        assume (~token_h0[15] & (~token_h0[30] | ((token_h0[9:0] >= 10'd1) & (token_h0[9:0] <= 10'd4))));
    end

    // ---- one TLP, or token, from its first cycle here to its last ------------------------------------------

    wire f_own_first = (f_own_seen == 12'd0);
    reg f_decided; // of the one that is here
    reg f_event;   // … it was an event
    reg f_kept;    // … and kept back
    reg f_absorbed;
    reg f_stopped; // it may not pass
    reg f_put;     // … its event was to go into the ring
    reg f_written; // … and has left
    reg f_out;     // a beat of it has left
    wire f_first = ~f_mid;
    wire f_has_record = d_token ? token_record : d_candidate;
    wire f_leaves = e_valid & e_ready & ~emits; // a beat of what is here
    wire f_event_ends = emits & e_ready & l_last;
    always @(posedge clk) begin
        if (decide) begin
            f_decided <= 1'b1;
            f_event <= event_;
            f_kept <= event_ & ~intx & kept;
            f_put <= emits;
            f_stopped <= stop;
            f_absorbed <= f_has_record & (m_bad | (m_irq & intx & (BUMP == 0)));
        end
        if (decide & ~sending_q) begin
            f_event_q <= {ring_address, ring_number, ring_missed, time_ns};
        end
        if (emits & ~sending_q) begin
            f_event_q[191:96] <= {ring_address, ring_number};
        end
        if (f_event_ends) begin
            f_written <= 1'b1;
        end
        if (f_leaves) begin
            f_out <= 1'b1;
        end
        if (rst | (d_take & d_last)) begin
            {f_decided, f_event, f_kept, f_put, f_written, f_out, f_absorbed, f_stopped} <= 8'd0;
        end
    end
    wire f_decided_now = f_decided | decide;
    wire f_kept_now = decide ? event_ & ~intx & kept : f_kept;
    wire f_absorbed_now = decide ? f_has_record & (m_bad | (m_irq & intx & (BUMP == 0))) : f_absorbed;
    wire f_put_now = decide ? sends : f_put;
    wire f_stopped_now = decide ? stop : f_stopped;

    // Cycles in which the exit was ready and nothing was missing, since the head came: it is through in time.
    reg [3:0] f_spent;
    always @(posedge clk) begin
        if (rst | d_take | ~d_valid) begin
            f_spent <= 4'd0;
        end else if (e_ready & (f_decided | ~(pause | (f_has_record & ~m_valid) | (~d_token & ~v_valid))) & (f_spent != 4'd15)) begin
            f_spent <= f_spent + 4'd1;
        end
    end

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // Each TLP and token is decided once: before, or in the cycle in which, its first beat leaves or is dropped.
            assert (~decide | (d_valid & f_first & ~f_decided));
            assert (~decide | ~f_has_record | m_valid);
            assert (~decide | d_token | v_valid);
            if (f_leaves | d_take) begin
                assert (f_decided_now);
            end
            // The record of an interrupt is taken with it, and no other.
            assert (m_take == (d_take & f_first & f_has_record));
            assert (v_take == (d_take & f_first & ~d_token));

            if (~tap & ~d_token) begin
                // Record before relay. With the ring, the event has left in full before.
                if (f_leaves) begin
                    assert (~f_put_now | f_written);
                    // What leaves is what came, bit for bit, but for RO and IDO behind an event.
                    assert ((e_keep == d_keep) & (e_last == d_last) & (e_bad == d_bad) & (e_nonposted == d_nonposted));
                    assert (e_data[WIDTH-1:19] == d_data[WIDTH-1:19]);
                    assert (e_data[17:14] == d_data[17:14]);
                    assert (e_data[12:0] == d_data[12:0]);
                    assert ((e_data[18] == d_data[18]) | (f_first & d_candidate & ~e_data[18] & cleared));
                    assert ((e_data[13] == d_data[13]) | (f_first & d_candidate & ~e_data[13] & cleared));
                    if (f_put_now & f_first) begin
                        assert (~e_data[18] & ~e_data[13]);
                    end
                    assert (relayed);
                end
                // Nothing is dropped but what is absorbed by the record, and messages that were counted as kept back.
                if (d_take & ~f_leaves) begin
                    assert (f_kept_now | f_absorbed_now | f_stopped_now);
                end
                if (f_leaves) begin
                    assert (~f_kept_now & ~f_absorbed_now);
                end
            end
            // Of what is stopped nothing leaves, nor an event; a request that the windows forbid is stopped, and so is a
            // message that may not pass.
            if (f_stopped_now) begin
                assert (~f_leaves & ~f_put_now);
            end
            if (decide & ~tap & ~d_token & ~(f_has_record & (m_irq | m_bad))) begin
                assert (stop == v_stop);
            end
            if (decide & ~tap & ~d_token & f_has_record & m_irq & ~intx) begin
                assert (stop == v_refuse);
            end
            assert (e_first == (f_leaves & f_first & ~d_token) | ~e_ready);
            if (tap & ~d_token) begin
                assert (~e_valid); // it went around
            end
            assert (~f_kept | f_event);
            // One event at most for each; its place in the ring is taken when it is out.
            assert (ring_put == f_event_ends);
            assert (~emits | (~f_written & (~f_decided | f_put)));
            assert (~(ring_put & ring_miss));
            if (decide & event_ & ring_enable & ~tap) begin
                assert (emits ^ ring_miss);
            end
            if (token_done) begin
                assert (d_token & f_decided_now & (~f_put_now | f_written));
            end
            // Posted write of 8 DW, the interrupt's traffic class, no attributes, no digest.
            if (emits & f_own_first) begin
                assert (e_data[31:0] == {2'b01, ring_address[63:32] != 32'd0, 5'd0, 1'b0, m_tc, 4'd0, 2'd0, 4'd0, 10'd8});
                assert (e_data[63:32] == {bus, device, 3'd0, 16'h00ff});
            end
            assert (~emits | ~e_nonposted);

            // Progress: 13 cycles of a ready exit let everything out.
            assert (f_spent < 4'd13);

            // Induction.
            assert (body_q == f_mid);
            assert (decided_q == (f_decided & f_first));
            assert (~f_mid | f_decided);
            if (f_mid) begin
                assert (drop_q == (tap | f_kept | f_absorbed | f_stopped));
                assert (~f_put | f_written);
                assert (~sending_q);
                assert (f_own_first);
            end
            if (decided_q) begin
                assert (f_head_waits & d_valid);
                assert (f_record_waits | ~f_has_record);
                assert (held_q == ((f_kept & ~tap) | f_stopped));
                assert (d_token | f_verdict_waits);
                assert (~f_stopped | ~(f_put | f_event));
                assert (~f_stopped | ~d_token | f_has_record);
                assert (f_absorbed == (f_has_record & (m_bad | (m_irq & intx & (BUMP == 0)))));
                assert (~f_kept | (m_irq & ~intx));
                assert (f_put | ~sending_q);
                assert (sending_q | ~f_put | f_written);
            end
            assert (~sending_q | decided_q);
            assert (f_own_first | sending_q | (decided_q & is_own & ~(f_put & ~f_written)));
            assert (~sending_q | (f_spent * (WIDTH / 32) == f_own_seen));
            assert (sending_q | (f_spent * (WIDTH / 32) <= f_own_seen + (f_written ? 12'd12 : WIDTH / 32)));
            assert (~f_mid | (f_spent == 4'd0));
            assert (~decided_q | ~(f_put | f_event) | f_has_record);
            assert (decided_q | (f_spent == 4'd0));
            assert (decided_q | ~f_first | ~(f_out | f_written | f_put | f_kept | f_absorbed | f_stopped));

            cover (decide & stop & ~d_token & ~f_has_record & d_nonposted);
            cover (decide & stop & f_has_record);
            cover (f_leaves & f_first & f_put_now & cleared & d_last);
            cover (d_take & f_kept_now & f_put);
            cover (d_take & d_token & f_put_now);
            cover (f_mid & f_leaves & ~d_token);
            cover (ring_miss & e_ready);
            cover (f_spent == 4'd3);
        end
    end
`endif
endmodule

`default_nettype wire
