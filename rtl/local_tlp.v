// SPDX-License-Identifier: BSD-2-Clause
//
// Puts a TLP of the relay's own on the stream, beat by beat, from its header and up to eight DW of data; while not
// `mine`, the beat `other` goes by.
//
// Header DW are h0, h1, then for a four-DW header (h0 bit 29) h2 and h3, else h3 alone; data DW are taken
// from word 0 on; how many follows from h0. There are two to take them from, an event with eight words and a token with
// up to four; each gives h2, h3 and its words; of_event tells at the first beat. Inputs stay stable while beats are
// taken, and `mine` stays high from the first beat that is taken to the last one.
// Combinational but for the beat's number and what is chosen by it, which move with take. Synchronous reset.
`default_nettype none

module local_tlp #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                mine,
    input  wire [WIDTH-1:0]    other,
    input  wire [31:0]         h0,
    input  wire [31:0]         h1,
    input  wire                of_event,
    input  wire [319:0]        event_words, // h2, h3, words 0 to 7
    input  wire [191:0]        token_words, // h2, h3, words 0 to 3
    input  wire                take,
    output wire [WIDTH-1:0]    data,
    output wire [WIDTH/32-1:0] keep, // of the relay's own beat, as is last
`ifdef FORMAL
    output wire [11:0]         f_seen, // DW that have been taken
`endif
    output wire                last
);
    localparam integer K = WIDTH / 32;

    wire       four_dw = h0[29];
    wire [3:0] payload = h0[30] ? h0[3:0] : 4'd0;
    wire [3:0] total = 4'd3 + {3'd0, four_dw} + payload;

    reg  [2:0] beat_q;
    wire       first = (beat_q == 3'd0);

    generate
        if (K == 2) begin : narrow
            // With four header DW the words go out in pairs (h2, h3), (0, 1), (2, 3) …; with three, (h3, 0), (1, 2) …: the
            // even ones are a pair ahead and in the other lane. Pairs are numbered from 1; five of an event and three of a
            // token are eight places to choose from, and a lane has four: what is chosen of the even ones, of the odd
            // ones, the first beat and the other's, so that each choice is a LUT of six inputs.
            reg  [2:0]  even_q;
            reg  [2:0]  odd_q;
            reg         four_q;
            wire [2:0]  start = of_event ? 3'd0 : 3'd5;
            always @(posedge clk) begin
                if (take) begin
                    even_q <= first ? start + {2'd0, ~four_dw} : even_q + 3'd1;
                    odd_q <= first ? start : odd_q + 3'd1;
                end
                if (first) begin
                    four_q <= four_dw;
                end
            end
            wire [255:0] evens;
            wire [255:0] odds;
            genvar w;
            for (w = 0; w < 8; w = w + 1) begin : place
                if (w < 5) begin : from_event
                    assign evens[w*32 +: 32] = event_words[w*64 +: 32];
                    assign odds[w*32 +: 32] = event_words[w*64 + 32 +: 32];
                end else begin : from_token
                    assign evens[w*32 +: 32] = token_words[(w-5)*64 +: 32];
                    assign odds[w*32 +: 32] = token_words[(w-5)*64 + 32 +: 32];
                end
            end
            wire [31:0] even = evens[even_q*32 +: 32];
            wire [31:0] odd = odds[odd_q*32 +: 32];
            wire [1:0]  from = {~first, first ? mine : ~four_q};
            wire [31:0] low = from[1] ? (from[0] ? odd : even) : (from[0] ? h0 : other[31:0]);
            wire [31:0] high = from[1] ? (from[0] ? even : odd) : (from[0] ? h1 : other[63:32]);
            assign data = {high, low};
`ifdef FORMAL
            always @* begin
                if (f_begun & ~first) begin
                    assert (odd_q == (f_event_q ? 3'd0 : 3'd5) + beat_q - 3'd1);
                    assert ((even_q == odd_q + {2'd0, ~four_q}) & (four_q == h0[29]));
                end
            end
`endif
        end else begin : wide
            reg         event_q;
            always @(posedge clk) begin
                if (first) begin
                    event_q <= of_event;
                end
            end
            wire [319:0] words = (first ? of_event : event_q) ? event_words : {128'd0, token_words};
            wire [127:0] first_beat = four_dw ? {words[63:0], h1, h0} : {words[95:32], h1, h0};
            wire [255:0] others = four_dw ? words[319:64] : {32'd0, words[319:96]};
            assign data = ~mine ? other : first ? first_beat : beat_q[0] ? others[127:0] : others[255:128];
`ifdef FORMAL
            always @* begin
                if (f_begun & ~first) begin
                    assert (event_q == f_event_q);
                end
            end
`endif
        end
    endgenerate

    localparam [3:0] STEP = K[3:0];
    wire [3:0] sent = (K == 2) ? {beat_q, 1'b0} : {beat_q[1:0], 2'b00};
    wire [3:0] left = total - sent;
    assign last = (left <= STEP);
    genvar g;
    generate
        for (g = 0; g < K; g = g + 1) begin : lane
            localparam [31:0] INDEX = g;
            assign keep[g] = (left > INDEX[3:0]);
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            beat_q <= 3'd0;
        end else if (take) begin
            beat_q <= last ? 3'd0 : beat_q + 3'd1;
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    wire        f_first, f_must_end, f_right, f_crosses;
    wire [11:0] f_total;
    wire [31:0] f_dw0;
    tlp_frame #(.WIDTH(WIDTH)) f_frame (
        .clk(clk), .rst(rst), .data(data), .keep(keep), .last(last), .take(take), .ends(last),
        .first(f_first), .must_end(f_must_end), .right(f_right), .crosses(f_crosses),
        .seen_q(f_seen), .total_q(f_total), .dw0_q(f_dw0)
    );

    reg [31:0] f_given;
    reg        f_event_q;
    wire       f_event = f_first ? of_event : f_event_q;
    always @(posedge clk) begin
        f_given <= h0;
        f_event_q <= f_event;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~h0[30] | ((h0[9:0] >= 10'd1) & (h0[9:0] <= 10'd8)));
        assume (~h0[15]); // no digest
        assume (~take | mine);
        if (f_begun & ~f_first) begin
            assume (h0 == f_given); // the other DW must be right when they go
            assume (mine);
        end
    end

    // One DW, any, counted over the whole TLP.
    (* anyconst *) wire [3:0] f_index;
    wire [3:0]  f_word = f_index - (h0[29] ? 4'd4 : 4'd3);
    wire [319:0] f_words = f_event ? event_words : {128'd0, token_words};
    wire [31:0] f_expected = (f_index == 4'd0) ? h0 : (f_index == 4'd1) ? h1
                             : (f_index == 4'd2) ? (h0[29] ? f_words[31:0] : f_words[63:32])
                             : (h0[29] & (f_index == 4'd3)) ? f_words[63:32]
                             : f_words[64 + f_word[2:0]*32 +: 32];
    wire [11:0] f_lane = {8'd0, f_index} - f_seen;
    always @(posedge clk) begin
        if (f_begun) begin
            assert (~mine | f_right);
            if (~mine) begin
                assert (data == other);
            end else if ((f_index >= f_seen) & (f_lane < K) & keep[f_lane] &
                         (f_event | (f_index < 4'd7 + {3'd0, h0[29]}))) begin
                assert (data[f_lane*32 +: 32] == f_expected);
            end

            // Induction.
            assert (beat_q * K == f_seen);
            if (~f_first) begin
                assert (f_dw0 == h0);
                assert (f_seen < f_total);
                assert (f_total == 3 + h0[29] + (h0[30] ? h0[9:0] : 0));
            end

            cover (take & last & (f_seen >= 8));
            cover (take & last & ~h0[30] & ~h0[29]);
        end
    end
`endif
endmodule

`default_nettype wire
