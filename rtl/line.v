// SPDX-License-Identifier: BSD-2-Clause
//
// A delay line: each beat takes DEPTH cycles, unless what is ahead of it waits. It is a FIFO whose beats are offered when
// they are old enough, so bubbles close up behind a beat that waits, and who takes a beat moves a pointer only.
// s_ready and m_valid are registers. It holds at most eight beats.
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
    localparam integer BITS = WIDTH + SIDE;
    reg  [BITS-1:0]  mem [0:7];
    reg  [2:0]       wptr_q;
    reg  [2:0]       rptr_q;
    reg  [3:0]       inside_q;
    reg              room_q;
    reg  [DEPTH-2:0] young_q; // [i]: a beat came i + 1 cycles ago
    reg  [3:0]       old_q;   // beats that may leave
    reg              there_q; // … there is one

    wire push = s_valid & s_ready;
    wire pop = m_valid & m_ready;
    wire ages = young_q[DEPTH-2];
    assign s_ready = room_q;
    assign m_valid = there_q;
    assign {m_side, m_data} = mem[rptr_q];
    assign empty = (inside_q == 4'd0);

    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= {s_side, s_data};
        end
        if (rst) begin
            wptr_q <= 3'd0;
            rptr_q <= 3'd0;
            inside_q <= 4'd0;
            room_q <= 1'b0;
            young_q <= {(DEPTH - 1){1'b0}};
            old_q <= 4'd0;
            there_q <= 1'b0;
        end else begin
            wptr_q <= wptr_q + {2'd0, push};
            rptr_q <= rptr_q + {2'd0, pop};
            inside_q <= inside_q + {3'd0, push} - {3'd0, pop};
            room_q <= (inside_q < 4'd7); // one may come in this cycle
            young_q <= {young_q[DEPTH-3:0], push};
            old_q <= old_q + {3'd0, ages} - {3'd0, pop};
            there_q <= ages | (old_q[3:1] != 3'd0) | (old_q[0] & ~pop);
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

    wire f_in = s_valid & s_ready;
    wire f_out = m_valid & m_ready;
    reg [7:0] f_count; // beats that came in and have not left

    // One beat, any, is followed through.
    (* anyseq *) wire f_pick;
    reg            f_tag;
    reg [BITS-1:0] f_beat;
    reg [7:0]      f_ahead; // beats before it
    reg [7:0]      f_age;   // cycles since it came, as far as they matter
    wire           f_next = f_tag & (f_ahead == 8'd0);
    always @(posedge clk) begin
        if (rst) begin
            f_count <= 8'd0;
            f_tag <= 1'b0;
        end else begin
            f_count <= f_count + {7'd0, f_in} - {7'd0, f_out};
            if (~f_tag & f_in & f_pick) begin
                f_tag <= 1'b1;
                f_beat <= {s_side, s_data};
                f_ahead <= f_count - {7'd0, f_out};
                f_age <= 8'd1;
            end else if (f_tag) begin
                f_ahead <= f_ahead - {7'd0, f_out & ~f_next};
                f_tag <= ~(f_next & f_out);
                f_age <= (f_age == DEPTH) ? f_age : f_age + 8'd1;
            end
        end
    end

    reg            f_waits;
    reg [BITS-1:0] f_offer;
    always @(posedge clk) begin
        f_waits <= m_valid & ~m_ready & ~rst;
        f_offer <= {m_side, m_data};
    end

    // Beats that are too young to leave, and those of them that came before the one followed.
    integer f_i;
    reg [7:0] f_young;
    reg [7:0] f_younger;
    always @* begin
        f_young = 8'd0;
        f_younger = 8'd0;
        for (f_i = 0; f_i < DEPTH - 1; f_i = f_i + 1) begin
            f_young = f_young + {7'd0, young_q[f_i]};
            if (f_i >= f_age) begin
                f_younger = f_younger + {7'd0, young_q[f_i]};
            end
        end
    end
    wire [2:0] f_slot = rptr_q + f_ahead[2:0];

    always @(posedge clk) begin
        if (f_begun) begin
            // No loss, no duplicate, no change of order or content.
            assert (empty == (f_count == 8'd0));
            assert (~f_out | (f_count != 8'd0));
            if (f_next & m_valid) begin
                assert ({m_side, m_data} == f_beat);
            end
            // What is offered stays offered.
            if (f_waits) begin
                assert (m_valid & ({m_side, m_data} == f_offer));
            end
            // In its turn a beat is offered as soon as it is DEPTH cycles old, and not before.
            if (f_next) begin
                assert (m_valid == (f_age == DEPTH));
            end
            // Whoever sends waits only while there is little room.
            assert (s_ready | (f_count >= 8'd6) | $past(rst));
            assert (f_count <= 8'd8);

            // Induction.
            assert (f_count == {4'd0, inside_q});
            assert (~room_q | (inside_q < 4'd8));
            assert (wptr_q - rptr_q == inside_q[2:0]);
            assert (f_count == {4'd0, old_q} + f_young);
            assert (there_q == (old_q != 4'd0));
            if (f_tag) begin
                assert ((f_age >= 8'd1) & (f_age <= DEPTH));
                assert ((f_age == DEPTH) | young_q[f_age - 8'd1]);
                assert (f_ahead < f_count);
                assert (mem[f_slot] == f_beat);
                assert ((f_age == DEPTH) ? (f_ahead < {4'd0, old_q}) : (f_ahead == {4'd0, old_q} + f_younger));
            end

            cover (f_next & f_out & (f_age == DEPTH));
            cover (f_tag & (f_count == 8'd8));
        end
    end
`endif
endmodule

`default_nettype wire
