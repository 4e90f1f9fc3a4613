// SPDX-License-Identifier: BSD-2-Clause
//
// One side's entrance: a small FIFO that knows the class of the TLP at its head.
//
// A beat written is at the head in the next cycle. s_ready is a register.
// While `up` is low, beats are dropped, one in each cycle of `discard`; a TLP caught in the middle is ended with a beat that has
// no DW, which tlp_check finds bad. After `up` rises the sender begins with the first beat of a TLP.
// Synchronous reset.
`default_nettype none

module ingress #(
    parameter integer WIDTH = 64,
    parameter integer UPSTREAM = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                up,

    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire                s_last,
    input  wire                s_valid,
    output wire                s_ready,

    output wire                h_valid,
    output wire [WIDTH-1:0]    h_data,
    output wire [WIDTH/32-1:0] h_keep,
    output wire                h_last,
    output wire [5:0]          h_class, // of tlp_class; has meaning on a first beat
    output wire                h_valid_d, // h_valid of the next cycle
    input  wire                h_pop,
    input  wire                h_drain, // with h_pop: drop the rest of this TLP

    input  wire                snap,      // remember what is in the FIFO now …
    output wire                snap_done, // … all of it has left
    output wire                drained,   // nothing is in the FIFO, and nothing half way into it
    input  wire                discard,   // while `up` is low: take beats and drop them in this cycle
    output wire                dropped    // a TLP was dropped because `up` is low
);
    localparam integer K = WIDTH / 32;
    localparam integer BITS = WIDTH + K + 1 + 6;

    wire nonposted, completion, atomic, message_like, intx, malformed;
    tlp_class #(.UPSTREAM(UPSTREAM)) class_of (
        .dw0(s_data[31:0]), .dw1(s_data[63:32]),
        .nonposted(nonposted), .completion(completion), .atomic(atomic), .message_like(message_like),
        .intx(intx), .malformed(malformed)
    );

    reg  [BITS-1:0] mem [0:3];
    reg  [1:0] wptr_q;
    reg  [1:0] rptr_q;
    reg  [2:0] count_q;
    reg        room_q;
    reg        mid_q;   // in the middle of a TLP that the FIFO takes
    reg        drain_q;
    reg  [2:0] ahead_q;

    wire s_fire = s_valid & s_ready;
    wire cut = ~up & mid_q & room_q;
    wire push = (s_fire & up) | cut;
    wire filled = (count_q != 3'd0);
    wire pop = h_pop | (drain_q & filled);

    wire [2:0] count_d = count_q + {2'd0, push} - {2'd0, pop};
    wire       drain_d = pop ? (drain_q | h_drain) & ~h_last : drain_q;

    assign s_ready = up ? room_q : discard & ~mid_q;
    assign drained = ~filled & ~mid_q;
    assign dropped = s_fire & s_last & ~up;
    assign h_valid = filled & ~drain_q;
    assign h_valid_d = (count_d != 3'd0) & ~drain_d;
    assign {h_class, h_last, h_keep, h_data} = mem[rptr_q];
    assign snap_done = (ahead_q == 3'd0);

    wire [BITS-1:0] entry = {
        malformed, intx, message_like, atomic, completion, nonposted,
        s_last | ~up, up ? s_keep : {K{1'b0}}, s_data
    };

    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= entry;
        end
        if (rst) begin
            wptr_q <= 2'd0;
            rptr_q <= 2'd0;
            count_q <= 3'd0;
            room_q <= 1'b0;
            mid_q <= 1'b0;
            drain_q <= 1'b0;
            ahead_q <= 3'd0;
        end else begin
            wptr_q <= wptr_q + {1'b0, push};
            rptr_q <= rptr_q + {1'b0, pop};
            count_q <= count_d;
            room_q <= ~count_d[2];
            drain_q <= drain_d;
            if (push) begin
                mid_q <= up & ~s_last;
            end
            if (snap) begin
                ahead_q <= count_q - {2'd0, pop};
            end else if (pop & ~snap_done) begin
                ahead_q <= ahead_q - 3'd1;
            end
        end
    end
endmodule

`default_nettype wire
