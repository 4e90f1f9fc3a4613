// SPDX-License-Identifier: BSD-2-Clause
//
// Round robin over N requesters, decided one cycle ahead so that the choice is a register.
//
// Each cycle in which `choose` is set, the next requester after the last one served whose request_d bit
// (its request in the next cycle) is set is chosen; with none, the choice stays. `served` and `choose` may come late in a
// cycle: the choice is made for both cases. Synchronous reset.
`default_nettype none

module arbiter #(
    parameter integer N = 5,
    parameter integer BITS = 3 // of an index
) (
    input  wire            clk,
    input  wire            rst,
    input  wire [N-1:0]    request_d,
    input  wire            choose,
    input  wire            served, // the one chosen now begins a turn: it is last in line from here on
`ifdef FORMAL
    output reg             f_fresh, // the choice has not been served yet
`endif
    output reg  [BITS-1:0] choice_q,
    output reg  [N-1:0]    chosen_q // the same, one hot
);
    reg [N-1:0] after_q; // requesters after the one last served
    reg  [N-1:0] after_d;
    wire [N-1:0] beyond = request_d & after_q;
    wire [N-1:0] beyond_served = request_d & after_d;
    wire [N-1:0] from = (beyond != {N{1'b0}}) ? beyond : request_d;
    wire [N-1:0] from_served = (beyond_served != {N{1'b0}}) ? beyond_served : request_d;

    integer i;
    reg [BITS-1:0] choice_d;
    reg [BITS-1:0] choice_served;
    reg [N-1:0]    chosen_d;
    reg [N-1:0]    chosen_served;
    always @* begin
        choice_d = choice_q;
        choice_served = choice_q;
        chosen_d = chosen_q;
        chosen_served = chosen_q;
        for (i = N - 1; i >= 0; i = i - 1) begin
            if (from[i]) begin
                choice_d = i[BITS-1:0];
                chosen_d = {{(N - 1){1'b0}}, 1'b1} << i;
            end
            if (from_served[i]) begin
                choice_served = i[BITS-1:0];
                chosen_served = {{(N - 1){1'b0}}, 1'b1} << i;
            end
            after_d[i] = ({{(32 - BITS){1'b0}}, choice_q} < i);
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            choice_q <= {BITS{1'b0}};
            chosen_q <= {{(N - 1){1'b0}}, 1'b1};
            after_q <= {N{1'b1}};
        end else begin
            if (served) begin
                after_q <= after_d;
            end
            if (choose) begin
                choice_q <= served ? choice_served : choice_d;
                chosen_q <= served ? chosen_served : chosen_d;
            end
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Every choice is good for one turn.
    always @(posedge clk) begin
        f_fresh <= rst | choose | (f_fresh & ~served);
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~f_begun | ~served | f_fresh);
    end

    // Any two requesters: while one requests at every choice, the other has at most one turn.
    (* anyconst *) wire [BITS-1:0] f_one;
    (* anyconst *) wire [BITS-1:0] f_other;
    reg  [N-1:0] f_request_q;
    reg  f_chosen_q; // the choice was made while somebody requested
    reg  f_again_q;  // the other has had a turn since the one began to request
    wire f_one_served = served & (choice_q == f_one);
    wire f_other_served = served & (choice_q == f_other);
    wire f_again = (f_again_q | f_other_served) & ~f_one_served;
    always @(posedge clk) begin
        f_request_q <= request_d;
        f_chosen_q <= ~rst & choose & (request_d != {N{1'b0}});
        f_again_q <= ~rst & f_again & (~choose | request_d[f_one]);
    end

    // Requesters in line before this one: those after the one last served come first.
    function [BITS:0] f_place(input [BITS-1:0] who, input [N-1:0] later);
        f_place = {~later[who], who};
    endfunction

    integer f_i;
    wire f_pair = ({1'b0, f_one} < N) & ({1'b0, f_other} < N) & (f_one != f_other);
    always @(posedge clk) begin
        if (f_begun & f_pair) begin
            assert ({1'b0, choice_q} < N);
            if (f_chosen_q) begin
                assert (f_request_q[choice_q]);
            end
            if (~rst & f_again_q) begin
                assert (~f_other_served);
            end
            assert (chosen_q == {{(N - 1){1'b0}}, 1'b1} << choice_q);
            // Induction: a mask of all above one; the one is before the other in line, and nobody after it is chosen.
            for (f_i = 1; f_i < N; f_i = f_i + 1) begin
                assert (after_q[f_i] | ~after_q[f_i-1]);
            end
            if (f_again_q) begin
                assert (f_place(f_one, after_q) < f_place(f_other, after_q));
                if (f_fresh) begin
                    assert (f_place(choice_q, after_q) <= f_place(f_one, after_q));
                end
            end
            cover (f_again_q & f_one_served);
            cover (f_chosen_q & (choice_q == f_one) & f_again_q);
        end
    end
    always @(posedge clk) begin
        if (f_begun & $past(f_begun)) begin
            if ($past(rst)) begin
                assert (choice_q == {BITS{1'b0}});
            end else if (~$past(choose)) begin
                assert (choice_q == $past(choice_q));
            end
        end
    end
`endif
endmodule

`default_nettype wire
