// SPDX-License-Identifier: BSD-2-Clause
//
// N counters of 32 bits that may all count in every cycle, some by two.
//
// Each has a small accumulator, a shift register that walks through the 63 states of its feedback: one step a
// pulse, which needs no adder. Every N cycles it is looked at, a table tells how far it has come since the last
// time, and that is added to the counter's word of one memory. A read waits until its counter's turn (read_done, at
// most N + 4 cycles), so it is exact: it has every pulse up to four cycles before. clear makes all 0 within 2 N
// cycles. Synchronous reset.
`default_nettype none

module counters #(
    parameter integer N = 29 // 4 to 31
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
    localparam [31:0] N_BITS = N;
    localparam [4:0] LAST = N_BITS[4:0] - 5'd1;

    // One step of a register of six bits; from 0 it takes 63 steps to 0 again.
    function [5:0] step(input [5:0] state);
        step = {state[4:0], ~(state[5] ^ state[4])};
    endfunction
    function [64*6-1:0] steps(input unused);
        integer  n;
        reg [5:0] state;
        begin
            steps = {383'd0, unused & 1'b0};
            state = 6'd0;
            for (n = 0; n < 63; n = n + 1) begin
                steps[state*6 +: 6] = n[5:0];
                state = step(state);
            end
        end
    endfunction
    localparam [64*6-1:0] STEPS = steps(1'b0); // to each state, from 0

    reg  [5:0]  states_q [0:N-1];
    integer k;
    always @(posedge clk) begin
        if (rst) begin
            for (k = 0; k < N; k = k + 1) begin
                states_q[k] <= 6'd0;
            end
        end else if ((pulse | pulse_too) != {N{1'b0}}) begin // for the simulator: mostly there is none
            for (k = 0; k < N; k = k + 1) begin
                if (pulse[k] | pulse_too[k]) begin
                    states_q[k] <= (pulse[k] & pulse_too[k]) ? step(step(states_q[k])) : step(states_q[k]);
                end
            end
        end
    end

    // Four stages: whose turn it is, how much has come since its last turn, the sum, and the word.
    reg  [4:0]  turn_q;
    reg  [4:0]  next_q;
    reg  [5:0]  place_q;
    reg  [4:0]  index_q;
    reg  [5:0]  sum_q;
    reg  [4:0]  done_q;
    reg  [31:0] total_q;
    reg  [5:0]  places [0:31]; // when each had its last turn
    reg  [31:0] mem [0:31];
    reg         clearing_q;
    reg  [6:0]  clear_left_q;
    localparam [6:0] TWO_ROUNDS = 7'd70;

    wire [5:0]  state = states_q[turn_q];
    wire [6:0]  ahead = {1'b0, place_q} - {1'b0, places[next_q]}; // modulo 63
    assign value = total_q;
    assign read_done = read & (done_q == read_index);

    integer i;
    initial begin
        for (i = 0; i < 32; i = i + 1) begin
            mem[i] = 32'd0;
            places[i] = 6'd0;
        end
    end

    always @(posedge clk) begin
        place_q <= STEPS[state*6 +: 6];
        next_q <= turn_q;
        places[next_q] <= place_q;
        sum_q <= ahead[5:0] - {5'd0, ahead[6]};
        index_q <= next_q;
        done_q <= index_q;
        total_q <= mem[index_q] + {26'd0, sum_q};
        if (clearing_q) begin
            total_q <= 32'd0;
        end
        mem[done_q] <= total_q;
        if (rst) begin
            turn_q <= 5'd0;
            clearing_q <= 1'b1;
            clear_left_q <= TWO_ROUNDS;
        end else begin
            turn_q <= (turn_q == LAST) ? 5'd0 : turn_q + 5'd1;
            if (clear) begin
                clearing_q <= 1'b1;
                clear_left_q <= TWO_ROUNDS;
            end else if (clear_left_q != 7'd0) begin
                clear_left_q <= clear_left_q - 7'd1;
            end else begin
                clearing_q <= 1'b0;
            end
        end
    end
endmodule

`default_nettype wire
