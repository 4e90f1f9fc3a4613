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

    reg  [5:0]  sums_q [0:N-1];
    reg  [4:0]  turn_q;
    reg  [4:0]  index_q;
    reg  [5:0]  sum_q;
    reg  [31:0] mem [0:31];
    reg         clearing_q;
    reg  [5:0]  clear_left_q;

    wire [31:0] total = clearing_q ? 32'd0 : mem[index_q] + {26'd0, sum_q};
    assign value = total;
    assign read_done = read & (index_q == read_index);

    integer i;
    initial begin
        for (i = 0; i < 32; i = i + 1) begin
            mem[i] = 32'd0;
        end
    end

    always @(posedge clk) begin
        mem[index_q] <= total;
        index_q <= turn_q;
        sum_q <= 6'd0;
        for (i = 0; i < N; i = i + 1) begin
            if (turn_q == i[4:0]) begin
                sum_q <= sums_q[i];
            end
            sums_q[i] <= ((turn_q == i[4:0]) ? 6'd0 : sums_q[i]) + {5'd0, pulse[i]} + {5'd0, pulse_too[i]};
            if (rst | clearing_q) begin
                sums_q[i] <= 6'd0;
            end
        end
        if (rst) begin
            turn_q <= 5'd0;
            clearing_q <= 1'b1;
            clear_left_q <= 6'd62;
        end else begin
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
