// SPDX-License-Identifier: BSD-2-Clause
//
// Follows TLPs through a stream and tells, beat by beat, where each must end and whether it is well formed.
//
// A TLP whose beats do not agree with its length, or that crosses 4 KiB, cannot be called back once its first
// beat is on its way: it is ended at once, with `bad` set on its last beat (the receiver drops such a TLP, as
// a link partner drops one that ends with EDB), and what the sender still has of it is drained.
//
// Timing: end and bad are combinational from the beat; state moves with take. Synchronous reset.
`default_nettype none

module tlp_check #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                take,  // the beat is taken
    input  wire                first, // it is the first of a TLP
    input  wire [WIDTH-1:0]    data,
    input  wire [WIDTH/32-1:0] keep,
    input  wire                last,
    input  wire                crosses_there, // 64 bit: on the second beat, it crosses 4 KiB, as ingress has found
`ifdef FORMAL
    output wire [11:0]         f_seen,  // DW of this TLP that have been taken
    output wire [11:0]         f_total, // … and all of them, once the first beat is
`endif
    output wire                ends,  // the TLP ends with this beat
    output wire                bad    // … and must be dropped
);
    localparam integer K = WIDTH / 32;
    localparam [10:0] BEAT = K[10:0];

    // Of the first beat.
    wire        four_dw = data[29];
    wire        has_data = data[30];
    wire        digest = data[15];
    wire [10:0] length = {data[9:0] == 10'd0, data[9:0]};
    wire [10:0] total = 11'd3 + {10'd0, four_dw} + {10'd0, digest} + (has_data ? length : 11'd0);
    wire        one_page = (data[28:25] == 4'd0); // memory requests may not cross 4 KiB (2.2.7)

    reg  [10:0] left_q; // DW after the beats taken

    // 11 bits hold 4 + 1024 + 1.
    always @(posedge clk) begin
        if (take) begin
            left_q <= (first ? total : left_q) - BEAT;
        end
    end

`ifdef FORMAL
    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    wire        f_first, f_must_end, f_right, f_crosses;
    wire [31:0] f_dw0;
    tlp_frame #(.WIDTH(WIDTH)) f_frame (
        .clk(clk), .rst(rst), .data(data), .keep(keep), .last(last), .take(take), .ends(ends),
        .first(f_first), .must_end(f_must_end), .right(f_right), .crosses(f_crosses),
        .seen_q(f_seen), .total_q(f_total), .dw0_q(f_dw0)
    );
`endif

    wire             is_end;
    wire [K-1:0]     keep_end;
    wire             crosses;

    generate
        if (K == 2) begin : narrow
            // Whether the next beat is the last one is known before it comes: total is at most 4, or left_q is.
            wire short = has_data ? (data[9:0] == 10'd1) & ~four_dw & ~digest : ~(four_dw & digest);
            reg  second_q; // the next beat is the second one
            reg  end_q;
            always @(posedge clk) begin
                if (take) begin
                    end_q <= first ? short : (left_q <= 11'd4);
                    second_q <= first;
                end
            end
            assign is_end = ~first & end_q;
            assign keep_end = {~left_q[0], 1'b1};
            assign crosses = ~first & second_q & crosses_there;
`ifdef FORMAL
            always @(posedge clk) begin
                if (f_begun & ~f_first) begin
                    assert (end_q == (f_total - f_seen <= 12'd2));
                    assert (second_q == (f_seen == 12'd2));
                end
            end
`endif
            wire unused = &{1'b0, one_page, rst};
        end else begin : wide
            wire [9:0]  page_dw = four_dw ? data[107:98] : data[75:66];
            wire [11:0] beyond = {2'd0, page_dw} + {1'd0, length};
            wire [10:0] here = first ? total : left_q;
            assign is_end = (here <= BEAT);
            assign keep_end = {here[2], (here[1:0] == 2'd3) | here[2], here[1] | here[2], 1'b1};
            assign crosses = first & one_page & (beyond > 12'd1024);
            wire unused = &{1'b0, rst, crosses_there};
        end
    endgenerate

    wire unused = &{1'b0, data};
    assign bad = (last != is_end) | (keep != (is_end ? keep_end : {K{1'b1}})) | crosses;
    assign ends = last | is_end | bad;

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        if (f_begun & take) begin
            assume (first == f_first);
        end
    end
    always @(posedge clk) begin
        if (f_begun) begin
            // A TLP goes through unmarked only if it is as long as it says and stays in its page; none goes on
            // beyond its length.
            if (take) begin
                assert (bad == (~f_right | ((K == 2) ? crosses_there & (f_seen == 12'd2) : f_crosses)));
                assert (ends == (f_must_end | last | bad));
            end

            // Induction.
            assert (f_seen < 12'd1030);
            if (~f_first) begin
                assert ((f_seen < f_total) & (f_total <= 12'd1029));
                assert ({1'b0, left_q} == f_total - f_seen);
                assert (f_seen[0] == 1'b0 & (K == 2 | f_seen[1] == 1'b0));
            end

            cover (take & ends & ~bad & (f_seen == 12'd8));
            cover (take & bad & f_right & (~f_first | (K == 4)));
            cover (take & bad & f_right);
            cover (take & bad & last & ~f_must_end);
            cover (take & bad & ~last & f_must_end & ~f_first);
        end
    end
`endif
endmodule

`default_nettype wire
