// SPDX-License-Identifier: BSD-2-Clause
//
// What is remembered of each source for the decision about its messages: mask, limit, blocked (one was sent, others
// wait), deferred (one waits), new (taken from traffic and not visited since: `learn` counts, not its own).
//
// Two write: the keeper when it visits a source, the stream when a message of a source is decided. Each has a memory
// of its own; a bit that both write is the two memories' difference. In one cycle on one source, what the stream
// sets stands. Whoever reads elsewhere than he writes has a copy, so that each memory has one read address.
//
// Combinational from an index to its bits; written at the end of the cycle. A visit with every bit low clears a source.
`default_nettype none

module source_flags #(
    parameter integer SOURCES = 32
) (
    input  wire       clk,

    // The keeper.
    input  wire [6:0] k_index,
    input  wire       k_write,
    input  wire       k_mask,
    input  wire       k_limit,
    input  wire       k_blocked,
    input  wire       k_deferred, // it stays deferred, if it is
    output wire       k_is_new,
    output wire       k_is_blocked,
    output wire       k_is_deferred,

    // The stream.
    input  wire [6:0] e_index,
    input  wire [1:0] learn,      // limit and mask of who is new
    input  wire       e_learned,  // its entry is taken from traffic
    input  wire       e_sent,     // a message of it was sent …
    input  wire       e_kept,     // … was kept back
    output wire       e_is_masked,
    output wire       e_is_blocked
);
    localparam integer BITS = (SOURCES > 1) ? $clog2(SOURCES) : 1;
    wire [BITS-1:0] k = k_index[BITS-1:0];
    wire [BITS-1:0] e = e_index[BITS-1:0];

    // Written by the keeper, read by him and by the stream; the other way round.
    reg  [2:0] k_here [0:(1<<BITS)-1]; // new, deferred, blocked
    reg  [4:0] k_there [0:(1<<BITS)-1]; // limit, mask before them
    reg  [2:0] e_here [0:(1<<BITS)-1];
    reg  [2:0] e_there [0:(1<<BITS)-1];
    integer i;
    initial begin
        for (i = 0; i < (1 << BITS); i = i + 1) begin
            k_here[i] = 3'd0;
            k_there[i] = 5'd0;
            e_here[i] = 3'd0;
            e_there[i] = 3'd0;
        end
    end

    wire [4:0] other = k_there[e];
    wire [2:0] mine = e_here[e];
    wire       e_new = other[2] ^ mine[2];
    wire [2:0] e_sees = e_there[k];
    wire [2:0] k_is = k_here[k] ^ e_sees;

    wire       limited = (e_learned | e_new) ? learn[1] : other[4];
    wire       e_write = e_learned | e_sent | e_kept;
    wire [2:0] e_sets = {e_learned, e_kept, e_sent & limited};
    wire [2:0] e_next = (mine & ~e_sets) | (~other[2:0] & e_sets);

    wire       same = e_write & (k == e);
    wire [2:0] k_wants = {1'b0, k_is[1] & k_deferred, k_blocked};
    wire [2:0] k_next = same ? (k_wants | e_sets) ^ e_next : k_wants ^ e_sees;

    always @(posedge clk) begin
        if (k_write) begin
            k_here[k] <= k_next;
            k_there[k] <= {k_limit, k_mask, k_next};
        end
        if (e_write) begin
            e_here[e] <= e_next;
            e_there[e] <= e_next;
        end
    end

    assign {k_is_new, k_is_deferred, k_is_blocked} = k_is;
    assign e_is_masked = e_new ? learn[0] : other[3];
    assign e_is_blocked = other[0] ^ mine[0];
    wire   unused = &{1'b0, k_index, e_index};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    // One source, any: its bits as registers that both may write.
    (* anyconst *) wire [BITS-1:0] f_source;
    reg  f_mask = 1'b0;
    reg  f_limit = 1'b0;
    reg  f_new = 1'b0;
    reg  f_deferred = 1'b0;
    reg  f_blocked = 1'b0;
    wire f_k = k_write & (k == f_source);
    wire f_e = (e == f_source);
    wire f_limited = (f_new | e_learned) ? learn[1] : f_limit;
    always @(posedge clk) begin
        if (f_k) begin
            {f_mask, f_limit, f_new, f_blocked} <= {k_mask, k_limit, 1'b0, k_blocked};
            f_deferred <= f_deferred & k_deferred;
        end
        if (f_e & e_learned) begin
            f_new <= 1'b1;
        end
        if (f_e & e_kept) begin
            f_deferred <= 1'b1;
        end
        if (f_e & e_sent & f_limited) begin
            f_blocked <= 1'b1;
        end
    end
    wire [2:0] f_bits = {f_new, f_deferred, f_blocked};
    always @(posedge clk) begin
        if (k == f_source) begin
            assert ({k_is_new, k_is_deferred, k_is_blocked} == f_bits);
        end
        if (e == f_source) begin
            assert (e_is_masked == (f_new ? learn[0] : f_mask));
            assert (e_is_blocked == f_blocked);
        end

        // Induction.
        assert (k_there[f_source] == {f_limit, f_mask, k_here[f_source]});
        assert (e_here[f_source] == e_there[f_source]);
        assert ((k_here[f_source] ^ e_here[f_source]) == f_bits);

        cover (f_k & f_e & e_kept & e_sent & f_limited & f_deferred & ~k_deferred);
        cover (f_new & f_blocked & f_deferred & f_k);
    end
`endif
endmodule

`default_nettype wire
