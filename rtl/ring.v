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
    reg  [14:0] last; // index of the last record
    integer i;
    always @* begin
        for (i = 0; i < 15; i = i + 1) begin
            last[i] = ({1'b0, log2} > i[4:0]);
        end
    end

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
endmodule

`default_nettype wire
