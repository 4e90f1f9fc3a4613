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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
    end

    // One counter, any.
    (* anyconst *) wire [4:0] f_any;
    wire [4:0]  f_which = (f_any <= LAST) ? f_any : 5'd0;
    reg  [31:0] f_sure;      // pulses it had when it last had its turn, since it was last made 0
    reg  [5:0]  f_step;      // … of them, since the turn before
    reg  [6:0]  f_few;       // pulses since its last turn
    reg         f_seen;      // it had a turn since reset
    reg  [2:0]  f_stage;     // the turn came so many cycles ago
    reg  [5:0]  f_ago;       // cycles since that turn, N at most
    reg  [6:0]  f_age;       // cycles since reset
    reg  [6:0]  f_since;     // … since clear
    reg         f_cleared;   // it was made 0 since then
    reg  [6:0]  f_wait;      // cycles a read of it has waited
    wire        f_turn = (turn_q == f_which) & ~rst;
    wire        f_zeroes = f_stage[1] & clearing_q;
    always @(posedge clk) begin
        f_wait <= (read & (read_index == f_which) & ~read_done & ~rst) ? f_wait + 7'd1 : 7'd0;
        f_few <= (f_turn ? 7'd0 : f_few) + {6'd0, pulse[f_which]} + {6'd0, pulse_too[f_which]};
        if (f_turn) begin
            f_step <= f_few[5:0];
            f_sure <= f_sure + {25'd0, f_few};
        end else if (f_zeroes) begin
            f_sure <= 32'd0;
        end
        if (rst) begin
            f_seen <= 1'b0;
            f_stage <= 3'd0;
            f_age <= 7'd0;
            f_since <= 7'd0;
            f_cleared <= 1'b0;
        end else begin
            f_seen <= f_seen | f_turn;
            f_stage <= {f_stage[1:0], f_turn};
            f_ago <= f_turn ? 6'd1 : f_ago + 6'd1;
            f_age <= (&f_age) ? f_age : f_age + 7'd1;
            f_since <= clear ? 7'd0 : (&f_since) ? f_since : f_since + 7'd1;
            f_cleared <= ~clear & (f_cleared | f_zeroes);
        end
    end

    wire [7:0]  f_reach = {2'd0, STEPS[states_q[f_which]*6 +: 6]};
    wire [7:0]  f_place = {2'd0, f_stage[0] ? place_q : places[f_which]};
    wire [7:0]  f_ends = f_place + {1'b0, f_few};
    wire [7:0]  f_older_ends = {2'd0, places[f_which]} + {2'd0, f_step};
    wire [7:0]  f_next = N - (f_seen ? {2'd0, f_ago} : {1'b0, f_age} + N - {3'd0, f_which}); // cycles to its turn
    wire [7:0]  f_left = f_stage[2] ? 8'd0 : f_stage[1] ? 8'd1 : f_stage[0] ? 8'd2 : f_next + 8'd3;
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // A read is exact, but for the last four cycles: it has each pulse, once, since it was last made 0.
            assert (~f_stage[2] | (total_q == f_sure));
            assert (~(read_done & (read_index == f_which)) | f_stage[2] | (f_age < 7'd3));
            // It is answered in time, and so is a clear.
            assert ({1'b0, f_wait} <= N + 8'd4);
            assert (f_cleared | ({1'b0, f_since} <= N + 8'd4));
            assert (~clearing_q | (f_since <= TWO_ROUNDS));

            // Induction.
            assert (((next_q == f_which) == f_stage[0]) | (f_age < 7'd1));
            assert (((index_q == f_which) == f_stage[1]) | (f_age < 7'd2));
            assert (((done_q == f_which) == f_stage[2]) | (f_age < 7'd3));
            assert ({1'b0, f_wait} + f_left <= N + 8'd4);
            assert (f_cleared | (f_stage[2] ? (f_since == 7'd0) : ({1'b0, f_since} + f_left <= N + 8'd4)));
            assert (turn_q <= LAST);
            assert (f_stage[0] + f_stage[1] + f_stage[2] <= 2'd1);
            assert (f_seen | ((f_stage == 3'd0) & (f_age <= f_which) & (turn_q == f_age)));
            assert (clearing_q ? (clear_left_q + f_since == TWO_ROUNDS) | (f_since == TWO_ROUNDS) & (clear_left_q == 7'd0)
                               : (f_since > TWO_ROUNDS) & (clear_left_q == 7'd0));
            assert (f_since <= f_age);
            assert (states_q[f_which] != 6'h3f);
            assert (f_cleared | clearing_q);
            if (f_cleared) begin
                assert (f_seen & (f_age >= 7'd3));
                assert (f_stage[2] | (mem[f_which] == f_sure - ((f_stage != 3'd0) ? {26'd0, f_step} : 32'd0)));
                assert (~f_stage[1] | (sum_q == f_step));
                assert (~f_stage[0] | (f_step != 6'h3f));
                assert (~f_stage[0] | (f_older_ends == f_place) | (f_older_ends == f_place + 8'd63));
            end
            if (f_seen) begin
                assert ((f_ago >= 6'd1) & (f_ago <= N) & ({1'b0, f_ago} <= f_age));
                assert (({3'd0, turn_q} == {3'd0, f_which} + {2'd0, f_ago}) |
                        ({3'd0, turn_q} + N == {3'd0, f_which} + {2'd0, f_ago}));
                assert (f_stage[0] == (f_ago == 6'd1));
                assert (f_stage[1] == (f_ago == 6'd2));
                assert (f_stage[2] == (f_ago == 6'd3));
                assert (f_few <= {f_ago, 1'b0});
                assert (f_place < 8'd63);
                assert ((f_ends == f_reach) | (f_ends == f_reach + 8'd63));
            end
        end
    end
`endif
endmodule

`default_nettype wire
