// SPDX-License-Identifier: BSD-2-Clause
//
// A delay line: each beat takes DEPTH cycles, unless what is ahead of it waits. A stage moves when the next
// one is free or moves, so bubbles close up behind a beat that waits. s_ready is a register: the beat that comes
// while all stages wait stays before them.
//
// One beat per cycle. Synchronous reset.
`default_nettype none

module line #(
    parameter integer WIDTH = 64,
    parameter integer SIDE = 10, // bits that go with the data
    parameter integer DEPTH = 4
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] s_data,
    input  wire [SIDE-1:0]  s_side,
    input  wire             s_valid,
    output wire             s_ready,
    output wire [WIDTH-1:0] m_data,
    output wire [SIDE-1:0]  m_side,
    output wire             m_valid,
    input  wire             m_ready,
    output wire             empty
);
    wire [DEPTH:0]   valid; // [i]: a beat stands before stage i
    wire [DEPTH-1:0] moves; // [i]: stage i takes what stands before it

    reg              wait_q; // a beat waits before the first stage
    reg  [WIDTH-1:0] wait_data_q;
    reg  [SIDE-1:0]  wait_side_q;

    assign valid[0] = wait_q | s_valid;
    assign s_ready = ~wait_q;
    assign m_valid = valid[DEPTH];
    assign m_data = stage[DEPTH-1].data_q;
    assign m_side = stage[DEPTH-1].side_q;
    assign empty = (valid[DEPTH:1] == {DEPTH{1'b0}}) & ~wait_q;

    always @(posedge clk) begin
        if (~wait_q) begin
            wait_data_q <= s_data;
            wait_side_q <= s_side;
        end
        wait_q <= ~rst & valid[0] & ~moves[0];
    end

    genvar g;
    generate
        for (g = 0; g < DEPTH; g = g + 1) begin : stage
            reg             valid_q;
            reg [WIDTH-1:0] data_q;
            reg [SIDE-1:0]  side_q;
            wire [WIDTH-1:0] data;
            wire [SIDE-1:0]  side;
            if (g == 0) begin : entrance
                assign data = wait_q ? wait_data_q : s_data;
                assign side = wait_q ? wait_side_q : s_side;
            end else begin : after
                assign data = stage[g-1].data_q;
                assign side = stage[g-1].side_q;
            end
            assign moves[g] = m_ready | (valid[DEPTH:g+1] != {(DEPTH - g){1'b1}});
            assign valid[g+1] = valid_q;
            always @(posedge clk) begin
                if (moves[g] & valid[g]) begin
                    data_q <= data;
                    side_q <= side;
                end
                if (rst) begin
                    valid_q <= 1'b0;
                end else if (moves[g]) begin
                    valid_q <= valid[g];
                end
            end
        end
    endgenerate

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    localparam integer BITS = WIDTH + SIDE;
    wire [(DEPTH+1)*BITS-1:0] data;
    assign data[BITS-1:0] = {wait_side_q, wait_data_q};
    generate
        for (g = 0; g < DEPTH; g = g + 1) begin : f_stage
            assign data[(g+1)*BITS +: BITS] = {stage[g].side_q, stage[g].data_q};
        end
    endgenerate
    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
    end

    integer f_i;
    reg [7:0] f_inside;
    always @* begin
        f_inside = {7'd0, wait_q};
        for (f_i = 1; f_i <= DEPTH; f_i = f_i + 1) begin
            f_inside = f_inside + {7'd0, valid[f_i]};
        end
    end
    wire f_in = s_valid & s_ready;
    wire f_out = m_valid & m_ready;
    reg [7:0] f_count; // beats that came in and have not left

    // One beat, any, is followed through.
    (* anyseq *) wire f_pick;
    reg            f_tag;
    reg [BITS-1:0] f_beat;
    reg [7:0]      f_ahead; // beats before it
    reg [7:0]      f_place; // stages it has passed
    reg [7:0]      f_moves; // cycles in which what is ahead of it, or it itself, was let out
    wire           f_next = f_tag & (f_ahead == 8'd0);
    wire           f_taken = ~f_tag & f_in & f_pick;
    always @(posedge clk) begin
        if (rst) begin
            f_count <= 8'd0;
            f_tag <= 1'b0;
        end else begin
            f_count <= f_count + {7'd0, f_in} - {7'd0, f_out};
            if (f_taken) begin
                f_tag <= 1'b1;
                f_beat <= {s_side, s_data};
                f_ahead <= f_count - {7'd0, f_out};
                f_place <= {7'd0, moves[0]};
                f_late <= ~moves[0];
                f_moves <= 8'd0;
            end else if (f_tag) begin
                f_ahead <= f_ahead - {7'd0, f_out & ~f_next};
                f_tag <= ~(f_next & f_out);
                f_place <= f_place + {7'd0, moves[f_place]};
                f_moves <= f_moves + {7'd0, m_ready};
            end
        end
    end

    reg            f_waits;
    reg [BITS-1:0] f_offer;
    reg [7:0]      f_before; // beats in the stages after the one followed
    always @(posedge clk) begin
        f_waits <= m_valid & ~m_ready & ~rst;
        f_offer <= {m_side, m_data};
    end
    always @* begin
        f_before = 8'd0;
        for (f_i = 1; f_i <= DEPTH; f_i = f_i + 1) begin
            if (f_i > f_place) begin
                f_before = f_before + {7'd0, valid[f_i]};
            end
        end
    end

    always @(posedge clk) begin
        if (f_begun) begin
            // No loss, no duplicate, no change of order or content.
            assert (f_count == f_inside);
            assert (empty == (f_count == 8'd0));
            assert (~f_out | (f_count != 8'd0));
            if (f_next & m_valid) begin
                assert ({m_side, m_data} == f_beat);
            end
            // What is offered stays offered.
            if (f_waits) begin
                assert (m_valid & ({m_side, m_data} == f_offer));
            end
            // Progress: whenever the exit is ready everything moves, so DEPTH such cycles let it out, one more if it
            // came while nothing moved; and it is never sooner than DEPTH cycles.
            if (f_tag) begin
                assert (f_moves < DEPTH + {7'd0, f_late});
                assert (f_place + {7'd0, f_late} > f_moves);
            end
            assert (s_ready | (f_count == DEPTH + 1));

            // Induction.
            assert (~wait_q | (valid[DEPTH:1] == {DEPTH{1'b1}}));
            if (f_tag) begin
                assert ((f_place != 8'd0) | wait_q);
                assert (f_place <= DEPTH);
                assert (valid[f_place]);
                assert (data[f_place*BITS +: BITS] == f_beat);
                assert (f_ahead == f_before);
            end

            cover (f_next & f_out & (f_moves == DEPTH - 1));
            cover (f_tag & (f_count == DEPTH) & (f_place == 8'd1));
        end
    end
`endif
endmodule

`default_nettype wire
