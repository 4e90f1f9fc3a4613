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
    parameter integer SOURCES = 32,
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
    input  wire                d_token,
    input  wire                d_valid,
    output wire                d_ready,

    // The record of the candidate that is here or comes next.
    input  wire                m_valid,
    input  wire                m_irq,
    input  wire                m_bad,
    input  wire                m_listed,
    input  wire [6:0]          m_index,
    input  wire [SOURCES-1:0]  m_match,
    input  wire [113:0]        m_key,
    input  wire [2:0]          m_tc,
    input  wire                m_odd,
    input  wire                m_poisoned,
    input  wire                m_level,
    output wire                m_take,

    // The wire of the record.
    input  wire                wire_own,
    input  wire                wire_forced,
    input  wire                wire_suppressed,
    output wire                wire_set,

    // What the token stands for; stable until token_done.
    input  wire                token_record, // it has a record
    input  wire                token_force,  // … that forces a wire
    input  wire                token_emit,   // it puts a TLP on the stream:
    input  wire [31:0]         token_h0,
    input  wire [31:0]         token_h1,
    input  wire [31:0]         token_h2,
    input  wire [31:0]         token_h3,
    input  wire [31:0]         token_w0,
    input  wire                token_status, // … the status record
    output wire                token_done,

    input  wire [SOURCES-1:0]  mask,    // sources whose messages are kept back
    input  wire [SOURCES-1:0]  blocked, // … and for the time being
    output wire                masked,
    output wire                kept,  // with decide: it is kept back

    input  wire                ring_enable,
    input  wire                ring_room,
    input  wire [63:0]         ring_address,
    input  wire [31:0]         ring_number,
    input  wire [31:0]         ring_missed,
    input  wire [15:0]         event_count, // of the source, from the second cycle after decide on
    output wire                ring_busy, // an event is being written
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
    output wire                cleared,  // its RO or IDO was cleared
    output wire                own       // the beat at the exit is the relay's own
);
    reg  body_q;    // the first beat is through
    reg  drop_q;    // … and was dropped, and so are the others
    reg  decided_q; // decided, but the first beat, or the token, is still here
    reg  sending_q; // the event is on its way out
    reg  held_q;    // with decided_q: it is kept back

    wire l_last; // of the relay's own TLP
    wire emits;  // a beat of the event is at the exit

    // ---- judge ------------------------------------------------------------------------------------------

    wire first = ~body_q;
    wire has_record = d_token ? token_record : d_candidate;
    wire intx = m_key[110];
    wire judged = d_valid & first & ~decided_q & (~has_record | m_valid) & ~pause;

    wire force_ = d_token & token_force;
    wire was = wire_own | wire_forced;
    wire will = force_ ? m_level | wire_own : m_level | wire_forced;
    wire counts_ = m_irq & (intx ? (was != will) : ~m_poisoned);
    wire is_event = has_record & counts_;
    wire keeps = ~tap & ~intx & ((m_match & (mask | blocked)) != {SOURCES{1'b0}});
    assign masked = ((m_match & mask) != {SOURCES{1'b0}});
    wire sends = is_event & ~tap & ring_enable & ring_room;

    assign event_ = is_event;
    assign rise = ~intx | m_level;
    assign kept = intx ? wire_suppressed : keeps;
    assign wire_set = decide & has_record & m_irq & intx;
    assign ring_busy = emits;
    assign ring_put = emits & e_ready & l_last;
    assign ring_miss = decide & is_event & ~tap & ring_enable & ~ring_room;

    // ---- move -------------------------------------------------------------------------------------------

    assign emits = (judged & sends) | sending_q;
    wire free = d_valid & ~emits & (body_q | decided_q | judged);
    wire is_own = d_token & token_emit & ~(has_record & (decided_q ? held_q : is_event & keeps));
    wire no_exit = d_token ? ~is_own
                   : tap | (first ? d_candidate & ((m_irq & intx & (BUMP == 0)) | m_bad |
                                                   (decided_q ? held_q : is_event & keeps))
                                  : drop_q);
    wire goes = free & ~no_exit;

    assign e_valid = emits | goes;
    wire e_take = e_valid & e_ready;
    assign d_ready = free & (no_exit | (e_ready & (~is_own | l_last)));
    wire d_take = d_valid & d_ready;
    assign m_take = d_take & first & has_record;
    assign token_done = d_take & d_token;
    assign decide = judged & (no_exit & ~emits | e_ready);

    always @(posedge clk) begin
        if (decide) begin
            held_q <= is_event & keeps;
        end
        if (rst) begin
            body_q <= 1'b0;
            drop_q <= 1'b0;
            decided_q <= 1'b0;
            sending_q <= 1'b0;
        end else begin
            sending_q <= emits & ~(e_ready & l_last) & (sending_q | e_ready);
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
    // The status record has other words than an event in its places 0 to 3.
    wire         status = token_status & ~emits;
    wire [255:0] words = {
        swap({listed_q ? event_count : 16'd0, ring_number[15:0]}), swap(time_q[63:32]), swap(time_q[31:0]), m_key[93:62],
        swap(status ? time_q[63:32] : m_key[61:30]), swap(status ? time_q[31:0] : address_lo),
        swap(status ? ring_missed : who), emits ? swap(ring_number) : token_w0
    };

    wire [WIDTH-1:0]    l_data;
    wire [WIDTH/32-1:0] l_keep;
    local_tlp #(.WIDTH(WIDTH)) local_ (
        .clk(clk), .rst(rst),
        .h0(emits ? event_h0 : token_h0), .h1(emits ? event_h1 : token_h1),
        .h2(emits ? ring_address[63:32] : token_h2), .h3(emits ? ring_address[31:0] : token_h3),
        .words(words),
        .take(e_take & own), .data(l_data), .keep(l_keep), .last(l_last)
    );

    // The interrupt stays behind its event.
    wire clear = first & decided_q & d_candidate;
    wire mine = emits | d_token; // also where it is only told to the trace
    assign own = emits | is_own;
    assign e_data = mine ? l_data : {d_data[WIDTH-1:19], d_data[18] & ~clear, d_data[17:14],
                                    d_data[13] & ~clear, d_data[12:0]};
    assign e_keep = mine ? l_keep : d_keep;
    assign e_last = own ? l_last : d_last;
    assign e_bad = ~own & d_bad;
    assign e_nonposted = ~own & d_nonposted;
    assign beat = d_take | (goes & e_ready);
    assign relayed = goes & e_ready & ~d_token;
    assign cleared = relayed & clear & (d_data[18] | d_data[13]);

endmodule

`default_nettype wire
