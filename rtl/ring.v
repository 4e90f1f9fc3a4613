// SPDX-License-Identifier: BSD-2-Clause
//
// The event ring in host memory: where the next event goes, and whether there is room.
//
// `put` counts an event as written, `miss` as not written. Room is known again two cycles after put.
// Enabling starts the ring anew; while an event is being written (busy) it neither starts nor stops.
// Synchronous reset: stopped.
`default_nettype none

module ring (
    input  wire        clk,
    input  wire        rst,
    input  wire [63:0] base,
    input  wire        enable,
    input  wire [3:0]  log2, // 4 to 15
    input  wire [31:0] tail,
    input  wire        put,
    input  wire        miss,
    input  wire        busy,
    output reg         on_q,
    output reg  [31:0] head_q,
    output reg  [31:0] number_q, // of the next event: head + 1
    output reg  [31:0] missed_q,
    output reg         behind_q, // an event was missed since enable
    output wire [63:0] address,  // of the next event; the ring does not cross a 4 GiB line
    output reg         room_q
);
    reg         begun_q; // the cycle before `on`
    wire [14:0] last = ~(15'h7fff << log2); // index of the last record

    wire [14:0] slot = head_q[14:0] & last;
    wire [31:0] address_lo = {base[31:12], 12'd0} + {12'd0, slot, 5'd0};
    assign address = {base[63:32], address_lo};

    wire [31:0] waiting = head_q - tail;
    always @(posedge clk) begin
        if (~busy) begin
            begun_q <= enable;
            on_q <= enable & begun_q;
        end
        room_q <= begun_q & ((waiting & ~{17'd0, last}) == 32'd0);
        if (rst | (enable & ~begun_q)) begin
            head_q <= 32'd0;
            number_q <= 32'd1;
            missed_q <= 32'd0;
            behind_q <= 1'b0;
            room_q <= 1'b0;
        end else begin
            if (put) begin
                head_q <= number_q;
                number_q <= number_q + 32'd1;
            end
            if (miss) begin
                missed_q <= missed_q + 32'd1;
                behind_q <= 1'b1;
            end
        end
        if (rst) begin
            begun_q <= 1'b0;
            on_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, base[11:0]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Events since the ring began, and those of them whose place software has not given back.
    reg         f_on;
    reg  [31:0] f_puts;
    reg  [31:0] f_misses;
    reg         f_put_q;
    reg         f_busy_q;
    reg         f_new_q; // it began in the cycle before
    reg  [67:0] f_set_q;
    reg  [31:0] f_tail_q;
    always @(posedge clk) begin
        f_on <= ~rst & (busy ? f_on : enable);
        f_put_q <= put & ~rst;
        f_busy_q <= busy & ~rst;
        f_new_q <= enable & ~f_on;
        f_set_q <= {base, log2};
        f_tail_q <= tail;
        if (rst | (enable & ~f_on)) begin
            f_puts <= 32'd0;
            f_misses <= 32'd0;
        end else begin
            f_puts <= f_puts + {31'd0, put};
            f_misses <= f_misses + {31'd0, miss};
        end
    end
    wire [31:0] f_size = 32'd1 << log2;
    wire [31:0] f_used = head_q - tail;

    // Any other event that waits: one that is being written must not have its slot.
    (* anyconst *) wire [31:0] f_other;
    wire        f_waits = (f_other - tail) < f_used;

    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        // Base and size change only while the ring is stopped; it does not cross a 4 GiB line.
        assume ((log2 >= 4'd4) & ({1'b0, base[31:12], 12'd0} + {1'b0, f_size << 5} <= 33'h1_0000_0000));
        assume (~f_on | f_new_q | ({base, log2} == f_set_q));
        // Software begins with tail 0 and gives back no more than was put.
        assume (~f_on | (f_new_q ? (tail == 32'd0) : (tail - f_tail_q <= head_q - f_tail_q)));
        // An event begins to be written where there is room, and is put when it is out.
        assume (~busy | f_busy_q | (on_q & room_q & ~f_put_q));
        assume (~f_busy_q | (busy == ~f_put_q));
        assume (~put | busy);
        assume (~miss | (on_q & ~busy));
    end

    always @(posedge clk) begin
        if (f_begun) begin
            assert (begun_q == f_on);
            if (f_on) begin
                // Numbers go up one by one from 1; head is how many were put.
                assert ((head_q == f_puts) & (number_q == f_puts + 32'd1));
                assert ((missed_q == f_misses) & (behind_q | (f_misses == 32'd0)));
                assert (f_used <= f_size);
                assert (address == {base[63:12], 12'd0} + {32'd0, (head_q & (f_size - 32'd1)) << 5});
            end
            // Room is room: nothing that waits is written over.
            if (busy & ~rst) begin
                assert (f_on & (f_used < f_size));
                assert (~f_waits | (((head_q ^ f_other) & (f_size - 32'd1)) != 32'd0));
            end
            // … and it is offered when there was some a cycle ago and nobody took it since.
            if (f_room_was & ~f_put_q) begin
                assert (room_q);
            end

            // Induction.
            assert (~on_q | f_on);
            if (f_on & room_q & ~f_put_q) begin
                assert (f_used < f_size);
            end
            assert (~f_busy_q | f_on);
            assert (~f_new_q | ~on_q | ~room_q | f_busy_q);

            cover (f_on & room_q & (f_puts == 32'd2) & (f_misses == 32'd1) & (f_used == 32'd1));
        end
    end
    reg f_room_was;
    always @(posedge clk) begin
        f_room_was <= f_on & ~rst & (f_used < f_size);
    end
`endif
endmodule

`default_nettype wire
