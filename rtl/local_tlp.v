// SPDX-License-Identifier: BSD-2-Clause
//
// Puts a TLP of the relay's own on the stream, beat by beat, from its header and up to eight DW of data.
//
// Header DW are h0, h1, then for a four-DW header (h0 bit 29) h2 and h3, else h3 alone; data DW are taken
// from word 0 on; how many follows from h0. Inputs stay stable while beats are taken.
// Combinational but for the beat's number, which moves with take. Synchronous reset.
`default_nettype none

module local_tlp #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [31:0]         h0,
    input  wire [31:0]         h1,
    input  wire [31:0]         h2,
    input  wire [31:0]         h3,
    input  wire [255:0]        words,
    input  wire                take,
    output wire [WIDTH-1:0]    data,
    output wire [WIDTH/32-1:0] keep,
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

    generate
        if (K == 2) begin : narrow
            // With four header DW the words go out in pairs (0, 1), (2, 3) …; with three, word 0 goes with the
            // last DW of the header, then (1, 2), (3, 4) ….
            reg  [31:0] even;
            reg  [31:0] odd;
            wire [1:0]  even_pair = beat_q[1:0] + (four_dw ? 2'd2 : 2'd3);
            always @* begin
                case (even_pair)
                    2'd0: even = words[31:0];
                    2'd1: even = words[95:64];
                    2'd2: even = words[159:128];
                    default: even = words[223:192];
                endcase
                case (beat_q[1:0])
                    2'd2: odd = words[63:32];
                    2'd3: odd = words[127:96];
                    2'd0: odd = words[191:160];
                    default: odd = words[255:224];
                endcase
            end
            reg  [31:0] low;
            reg  [31:0] high;
            wire        in_words = (beat_q[2:1] != 2'd0);
            wire [1:0]  low_from = in_words ? {1'b1, four_dw} : {1'b0, beat_q[0]};
            wire [31:0] second = four_dw ? h2 : h3;
            always @* begin
                case (low_from)
                    2'd0: low = h0;
                    2'd1: low = second;
                    2'd2: low = odd;
                    default: low = even;
                endcase
                case ({in_words | (beat_q[0] & ~four_dw), in_words ? four_dw : beat_q[0] & four_dw})
                    2'd0: high = h1;
                    2'd1: high = h3;
                    2'd2: high = even;
                    default: high = odd;
                endcase
            end
            assign data = {high, low};
        end else begin : wide
            wire [127:0] first_beat = four_dw ? {h3, h2, h1, h0} : {words[31:0], h3, h1, h0};
            wire [255:0] others = four_dw ? words : {32'd0, words[255:32]};
            assign data = (beat_q == 3'd0) ? first_beat : beat_q[0] ? others[127:0] : others[255:128];
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
    always @(posedge clk) begin
        f_given <= h0;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~h0[30] | ((h0[9:0] >= 10'd1) & (h0[9:0] <= 10'd8)));
        assume (~h0[15]); // no digest
        if (f_begun & ~f_first) begin
            assume (h0 == f_given); // the other DW must be right when they go
        end
    end

    // One DW, any, counted over the whole TLP.
    (* anyconst *) wire [3:0] f_index;
    wire [3:0]  f_word = f_index - (h0[29] ? 4'd4 : 4'd3);
    wire [31:0] f_expected = (f_index == 4'd0) ? h0 : (f_index == 4'd1) ? h1
                             : (f_index == 4'd2) ? (h0[29] ? h2 : h3) : (h0[29] & (f_index == 4'd3)) ? h3
                             : words[f_word[2:0]*32 +: 32];
    wire [11:0] f_lane = {8'd0, f_index} - f_seen;
    always @(posedge clk) begin
        if (f_begun) begin
            assert (f_right);
            if ((f_index >= f_seen) & (f_lane < K) & keep[f_lane]) begin
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
