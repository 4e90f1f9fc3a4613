// SPDX-License-Identifier: BSD-2-Clause
//
// What the relay stopped, by port: how many requests and interrupts, and the first of them until software has
// looked at it.
//
// What is stopped shows its first beat with stop and beat, the next one with beat. value is the word read_index of
// 0x500 to 0x5ff, one cycle later; a stop counts from two cycles after it on. For 16 cycles after
// reset nothing is stopped. Synchronous reset.
`default_nettype none

module fault #(
    parameter integer WIDTH = 64
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             stop,
    input  wire             beat,
    input  wire [WIDTH-1:0] beat_data,
    input  wire [2:0]       beat_port,    // with stop
    input  wire             beat_message, // … it is an interrupt
    input  wire [1:0]       beat_reason,

    input  wire             clear,      // of port read_index[5:3]
    input  wire [5:0]       read_index, // port, word
    output reg  [31:0]      value
);
    localparam integer K = WIDTH / 32;

    reg  [7:0]  valid_q;
    reg  [7:0]  more_q;
    reg  [25:0] who [0:7]; // requester, type, reason
    reg  [31:0] address_lo [0:7];
    reg  [31:0] address_hi [0:7];
    wire        again = clear & (read_index[5:3] == beat_port);
    wire        keeps = stop & (~valid_q[beat_port] | again);

    wire        at_address;
    wire [2:0]  address_port;
    wire [31:0] lo;
    wire [31:0] hi;
    generate
        if (K == 2) begin : narrow
            reg       second_q;
            reg       four_q;
            reg [2:0] port_q;
            always @(posedge clk) begin
                second_q <= ~rst & (keeps | (second_q & ~beat));
                if (stop) begin
                    four_q <= beat_data[29];
                    port_q <= beat_port;
                end
            end
            assign at_address = second_q & beat & ~stop;
            assign address_port = port_q;
            assign lo = four_q ? beat_data[63:32] : beat_data[31:0];
            assign hi = four_q ? beat_data[31:0] : 32'd0;
        end else begin : wide
            assign at_address = keeps;
            assign address_port = beat_port;
            assign lo = beat_data[29] ? beat_data[127:96] : beat_data[95:64];
            assign hi = beat_data[29] ? beat_data[95:64] : 32'd0;
            wire unused = &{1'b0, beat, beat_data[47:32], beat_data[23:0]};
        end
    endgenerate

    // Requests in words 0 to 7, interrupts in 8 to 15.
    reg  [31:0] counts [0:15];
    reg  [4:0]  init_q;
    wire        init = ~init_q[4];
    wire [3:0]  row = {beat_message, beat_port};
    wire [31:0] total = counts[row] + 32'd1;
    wire [3:0]  read_row = {read_index[0], read_index[5:3]};

    wire [2:0]  port = read_index[5:3];
    wire        shows = valid_q[port];
    always @(posedge clk) begin
        if (keeps) begin
            who[beat_port] <= {beat_data[63:48], beat_data[31:24], beat_message ? 2'd3 : beat_reason};
        end
        if (at_address) begin
            address_lo[address_port] <= lo;
            address_hi[address_port] <= hi;
        end
        if (init | stop) begin
            counts[init ? init_q[3:0] : row] <= init ? 32'd0 : total;
        end
        if (clear) begin
            valid_q[port] <= 1'b0;
            more_q[port] <= 1'b0;
        end
        if (stop) begin
            valid_q[beat_port] <= 1'b1;
            more_q[beat_port] <= ~keeps;
        end
        case (read_index[2:0])
            3'd1: value <= shows ? {who[port][25:2], 2'd0, who[port][1:0], 2'd0, more_q[port], 1'b1} : 32'd0;
            3'd2: value <= shows ? address_lo[port] : 32'd0;
            3'd3: value <= shows ? address_hi[port] : 32'd0;
            default: value <= counts[read_row];
        endcase
        if (rst) begin
            valid_q <= 8'd0;
            more_q <= 8'd0;
            init_q <= 5'd0;
        end else begin
            init_q <= init_q + {4'd0, init};
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    reg f_first; // the first beat of what is stopped has gone by, the second one has not
    always @(posedge clk) begin
        f_first <= ~rst & (stop | (f_first & ~beat));
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        // A header has two beats of 64 bit.
        assume (~(stop & f_first) | (K == 4));
        assume (~stop | beat);
        assume (~(stop & init));
    end

    // One port, any, and one of its two counts.
    (* anyconst *) wire [2:0] f_port;
    (* anyconst *) wire       f_message;
    wire        f_stop = stop & (beat_port == f_port);
    wire        f_clear = clear & (read_index[5:3] == f_port);
    reg         f_there; // since it was cleared there was a first one, this:
    reg         f_more;  // … and another
    reg  [31:0] f_dw0;
    reg  [31:0] f_dw1;
    reg  [63:0] f_address;
    reg  [1:0]  f_reason;
    reg         f_waits; // for its address
    reg  [31:0] f_count;
    wire        f_new = f_stop & (f_clear | ~f_there);
    always @(posedge clk) begin
        if (f_new) begin
            f_dw0 <= beat_data[31:0];
            f_dw1 <= beat_data[63:32];
            f_reason <= beat_message ? 2'd3 : beat_reason;
        end
        if (K == 4 ? f_new : f_waits & beat) begin
            f_address <= (K == 4) ? (beat_data[29] ? {beat_data[WIDTH-33 -: 32], beat_data[WIDTH-1 -: 32]}
                                                   : {32'd0, beat_data[WIDTH-33 -: 32]})
                                  : (f_dw0[29] ? {beat_data[31:0], beat_data[63:32]} : {32'd0, beat_data[31:0]});
        end
        if (rst) begin
            f_there <= 1'b0;
            f_more <= 1'b0;
            f_waits <= 1'b0;
            f_count <= 32'd0;
        end else begin
            f_there <= f_stop | (f_there & ~f_clear);
            f_more <= f_stop ? f_there & ~f_clear : f_more & ~f_clear;
            f_waits <= (K == 2) & (f_new | (f_waits & ~beat));
            f_count <= f_count + {31'd0, f_stop & (beat_message == f_message)};
        end
    end

    // What a read must give, a cycle later.
    reg         f_reads;
    reg  [31:0] f_want;
    always @(posedge clk) begin
        f_reads <= (read_index[5:3] == f_port) & ~rst;
        case (read_index[2:0])
            3'd1: f_want <= f_there ? {f_dw1[31:16], f_dw0[31:24], 2'd0, f_reason, 2'd0, f_more, 1'b1} : 32'd0;
            3'd2: f_want <= f_there ? f_address[31:0] : 32'd0;
            3'd3: f_want <= f_there ? f_address[63:32] : 32'd0;
            default: f_want <= f_count;
        endcase
        if (read_index[2:0] >= 3'd4) begin
            f_reads <= (read_index[5:3] == f_port) & (read_index[0] == f_message) & ~init & ~rst;
        end else if ((read_index[2:0] == 3'd0) | ((read_index[2:0] >= 3'd2) & f_waits)) begin
            f_reads <= 1'b0;
        end
    end
    always @(posedge clk) begin
        if (f_begun) begin
            // The first that was stopped since it was looked at, whether there were more, and how many in all.
            assert (~f_reads | (value == f_want));

            // Induction.
            assert (f_there == valid_q[f_port]);
            assert (~f_more | f_there);
            assert (f_more == more_q[f_port]);
            assert (~f_there | (who[f_port] == {f_dw1[31:16], f_dw0[31:24], f_reason}));
            assert (~f_there | f_waits | ({address_hi[f_port], address_lo[f_port]} == f_address));
            assert (init ? (f_count == 32'd0) & ((counts[{f_message, f_port}] == 32'd0) | (init_q[3:0] <= {f_message, f_port}))
                         : (counts[{f_message, f_port}] == f_count));
            assert (init_q <= 5'd16);
        end
    end
    generate
        if (K == 2) begin : f_narrow
            always @(posedge clk) begin
                if (f_begun) begin
                    assert (f_waits == (narrow.second_q & (narrow.port_q == f_port)));
                    assert (~narrow.second_q | f_first);
                    assert (~f_waits | (narrow.four_q == f_dw0[29]));
                end
            end
        end
    endgenerate
`endif
endmodule

`default_nettype wire
