// SPDX-License-Identifier: BSD-2-Clause
//
// N counters of 32 bits that may all count in every cycle, some by two.
//
// Small accumulators take the pulses; every N cycles each is emptied into its word of one memory. A read waits
// until its counter's turn (read_done, at most N + 2 cycles), so it is exact: it has every pulse up to two
// cycles before. clear empties all within 2 N cycles. Synchronous reset.
`default_nettype none

module counters #(
    parameter integer N = 29 // at most 31
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [N-1:0] pulse,
    input  wire [N-1:0] pulse_too, // a second pulse in the same cycle; constant 0 where there is none
    input  wire         clear,
    input  wire         read,
    input  wire [4:0]   read_index,
    output wire         read_done,
    output wire [31:0]  value
);
    localparam [4:0] LAST = N[4:0] - 5'd1;

    reg  [4:0]  turn_q;
    reg  [4:0]  index_q;
    wire [5:0]  sum_q;
    reg  [31:0] mem [0:31];
    reg         clearing_q;
    reg  [5:0]  clear_left_q;

    wire [31:0] total = clearing_q ? 32'd0 : mem[index_q] + {26'd0, sum_q};
    assign value = total;
    assign read_done = read & (index_q == read_index);

    reg  [N-1:0] emptied_q; // bit turn_q

    // Bit k of all accumulators.
    genvar k;
    generate
        for (k = 0; k < 6; k = k + 1) begin : place
            reg  [N-1:0] sums_q;
            reg          out_q; // of the accumulator that is emptied
            wire [31:0]  all = {{(32 - N){1'b0}}, sums_q};
            wire [N-1:0] kept = sums_q & ~emptied_q;
            wire [N-1:0] sums_d;
            wire [N-1:0] carry;
            if (k == 0) begin : low
                assign sums_d = kept ^ pulse ^ pulse_too;
                assign carry = (kept & pulse) | (pulse_too & (kept | pulse));
            end else begin : high
                assign sums_d = kept ^ place[k-1].carry;
                assign carry = kept & place[k-1].carry;
            end
            assign sum_q[k] = out_q;
            wire unused = &{1'b0, carry}; // the highest
            always @(posedge clk) begin
                out_q <= all[turn_q];
                sums_q <= (rst | clearing_q) ? {N{1'b0}} : sums_d;
            end
        end
    endgenerate

    integer i;
    initial begin
        for (i = 0; i < 32; i = i + 1) begin
            mem[i] = 32'd0;
        end
    end

    always @(posedge clk) begin
        mem[index_q] <= total;
        index_q <= turn_q;
        if (rst) begin
            turn_q <= 5'd0;
            emptied_q <= {{(N - 1){1'b0}}, 1'b1};
            clearing_q <= 1'b1;
            clear_left_q <= 6'd62;
        end else begin
            emptied_q <= {emptied_q[N-2:0], emptied_q[N-1]};
            turn_q <= (turn_q == LAST) ? 5'd0 : turn_q + 5'd1;
            if (clear) begin
                clearing_q <= 1'b1;
                clear_left_q <= 6'd62;
            end else if (clear_left_q != 6'd0) begin
                clear_left_q <= clear_left_q - 6'd1;
            end else begin
                clearing_q <= 1'b0;
            end
        end
    end
endmodule

`default_nettype wire
