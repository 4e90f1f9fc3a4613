// SPDX-License-Identifier: BSD-2-Clause
//
// Answers UR to requests of the ports that the relay stops: one completion each, in order, back to the port.
//
// What is stopped shows its beats here as they are dropped. At most eight requests wait for their answer; `more` falls
// early enough that none that could be stopped is let into the stream beyond that. A port that takes no completion for
// 256 cycles does not get its answer: others' requests, and what waits behind them, must not wait for it. But for
// that a completion's beats stay until c_take. Synchronous reset.
`default_nettype none

module refuse #(
    parameter integer WIDTH = 64
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [7:0]          bus,
    input  wire [4:0]          device,

    input  wire                enter, // a non-posted TLP enters the stream
    input  wire                leave, // … and is not stopped
    output reg                 more,  // another one may enter

    input  wire                stop,  // the first beat of a TLP that is stopped is here:
    input  wire                beat,
    input  wire                beat_last,
    input  wire                beat_bad,
    input  wire                beat_nonposted,
    input  wire [WIDTH-1:0]    beat_data,
    input  wire [2:0]          beat_port, // with stop

    output wire                c_valid,
    output wire [WIDTH-1:0]    c_data,
    output wire [WIDTH/32-1:0] c_keep,
    output wire                c_first,
    output wire                c_last,
    output wire [2:0]          c_port,
    output wire                c_urgent, // it has waited for long
    input  wire                c_take
);
    localparam integer K = WIDTH / 32;
    localparam integer BITS = 3 + 1 + 6 + 2 + 10 + 32 + 5; // port, read, DW0 23:18, 13:12, 9:0, DW1, address 6:2

    // ---- what is stopped ----------------------------------------------------------------------------------

    wire            wants = stop & beat_nonposted;
    reg             inside_q; // its other beats come
    wire            here = beat & (wants | inside_q);
    wire            ends = here & beat_last;
    wire [BITS-1:0] entry;
`ifdef FORMAL
    wire            held; // what was kept of the first beats is theirs
`endif
    wire [53:0]     head_d = {beat_port, (beat_data[28:24] == 5'd0), beat_data[23:18], beat_data[13:12], beat_data[9:0],
                              beat_data[63:32]};
    generate
        if (K == 2) begin : narrow
            reg         second_q;
            reg  [53:0] head_q;
            reg         four_q;
            reg  [4:0]  low_q;
            wire [4:0]  low = four_q ? beat_data[38:34] : beat_data[6:2];
            always @(posedge clk) begin
                if (wants) begin
                    head_q <= head_d;
                    four_q <= beat_data[29];
                end
                if (here) begin
                    second_q <= wants;
                end
                if (here & second_q) begin
                    low_q <= low;
                end
            end
            assign entry = {head_q, second_q ? low : low_q};
`ifdef FORMAL
            assign held = ~inside_q | ((head_q == {f_port_q, (f_dw0_q[28:24] == 5'd0), f_dw0_q[23:18], f_dw0_q[13:12], f_dw0_q[9:0],
                                                   f_dw1_q}) & (four_q == f_dw0_q[29]) & (second_q == (f_at == 2'd1)) &
                                       (second_q | (low_q == f_low_q)));
`endif
        end else begin : wide
            reg  [BITS-1:0] head_q;
            wire [4:0]      low = beat_data[29] ? beat_data[102:98] : beat_data[70:66];
            wire [BITS-1:0] head = {head_d, low};
            always @(posedge clk) begin
                if (wants) begin
                    head_q <= head;
                end
            end
            assign entry = wants ? head : head_q;
`ifdef FORMAL
            assign held = ~inside_q | (head_q == {f_port_q, (f_dw0_q[28:24] == 5'd0), f_dw0_q[23:18], f_dw0_q[13:12],
                                                  f_dw0_q[9:0], f_dw1_q, f_low_q});
`endif
            wire unused = &{1'b0, beat_data[127:103], beat_data[97:71], beat_data[65:64]};
        end
    endgenerate

    // ---- those that wait ----------------------------------------------------------------------------------

    reg  [BITS-1:0] mem [0:7];
    reg  [2:0]      wptr_q;
    reg  [2:0]      rptr_q;
    reg  [3:0]      count_q;
    reg  [3:0]      owed_q; // in the stream, or here
    wire            push = ends & ~beat_bad;
    reg  [8:0]      waited_q;
    wire            give_up = waited_q[8] & c_valid & c_first & ~c_take;
    wire            pop = (c_take & c_last) | give_up;
    wire [3:0]      owed_d = owed_q + {3'd0, enter} - {3'd0, leave} - {3'd0, pop} - {3'd0, ends & beat_bad};
    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= entry;
        end
        if (rst) begin
            inside_q <= 1'b0;
            wptr_q <= 3'd0;
            rptr_q <= 3'd0;
            count_q <= 4'd0;
            owed_q <= 4'd0;
            waited_q <= 9'd0;
            more <= 1'b0;
        end else begin
            if (here) begin
                inside_q <= ~beat_last;
            end
            wptr_q <= wptr_q + {2'd0, push};
            rptr_q <= rptr_q + {2'd0, pop};
            count_q <= count_q + {3'd0, push} - {3'd0, pop};
            owed_q <= owed_d;
            waited_q <= (c_take | give_up | ~c_valid) ? 9'd0 : waited_q + {8'd0, ~waited_q[8]};
            more <= (owed_d < 4'd8);
        end
    end

    // ---- the completion (PCIe Base 5.0, 2.2.9) ------------------------------------------------------------

    wire unused = &{1'b0, beat_data[31:30], beat_data[17:14], beat_data[11:10]};

    wire [2:0]  port;
    wire        of_read;
    wire [5:0]  traffic;
    wire [1:0]  attributes;
    wire [9:0]  length;
    wire [31:0] dw1;
    wire [4:0]  low;
    assign {port, of_read, traffic, attributes, length, dw1, low} = mem[rptr_q];
    wire [11:0] byte_count;
    wire [6:0]  lower_address;
    read_extent extent (
        .of_read(of_read), .length(length), .first_be(dw1[3:0]), .last_be(dw1[7:4]), .low(low),
        .byte_count(byte_count), .lower_address(lower_address)
    );
    wire [31:0] h0 = {8'h0a, traffic, 4'b0000, attributes, 12'd0};
    wire [31:0] h1 = {bus, device, 3'd0, 3'b001, 1'b0, byte_count};
    wire [31:0] h2 = {dw1[31:8], 1'b0, lower_address};
    assign c_valid = (count_q != 4'd0);
    assign c_port = port;
    assign c_urgent = c_valid & waited_q[6];
    generate
        if (K == 2) begin : two_beats
            reg second_q;
            assign c_data = second_q ? {32'd0, h2} : {h1, h0};
            assign c_keep = second_q ? 2'b01 : 2'b11;
            assign c_first = ~second_q;
            assign c_last = second_q;
            always @(posedge clk) begin
                second_q <= ~rst & (second_q ^ c_take);
            end
        end else begin : one_beat
            assign c_data = {32'd0, h2, h1, h0};
            assign c_keep = 4'b0111;
            assign c_first = 1'b1;
            assign c_last = 1'b1;
        end
    endgenerate

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Around: non-posted TLPs that are in the stream, in order; the beats of one that is stopped come one by one.
    reg  [4:0] f_stream;
    reg  [1:0] f_at; // beats of the one that is dropped, at most 2
    always @(posedge clk) begin
        f_stream <= rst ? 5'd0 : f_stream + {4'd0, enter} - {4'd0, leave} - {4'd0, ends};
        if (rst | ends) begin
            f_at <= 2'd0;
        end else if (here & (f_at != 2'd2)) begin
            f_at <= f_at + 2'd1;
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~enter | more);
        assume (~stop | (beat & ~inside_q));
        assume (~(wants | leave) | (f_stream != 5'd0));
        assume (~(leave & (wants | inside_q)));
        assume (~c_take | c_valid);
        // A beat that has no address is the last of a bad TLP.
        assume (~(here & (K == 2) & wants & beat_last) | beat_bad);
    end

    // One request that is stopped, any, and what its answer must say.
    (* anyseq *) wire f_pick;
    reg  [31:0] f_dw0_q;
    reg  [31:0] f_dw1_q;
    reg  [2:0]  f_port_q;
    reg  [4:0]  f_low_q;
    wire [31:0] f_dw0 = wants ? beat_data[31:0] : f_dw0_q;
    wire [31:0] f_dw1 = wants ? beat_data[63:32] : f_dw1_q;
    wire [2:0]  f_port_now = wants ? beat_port : f_port_q;
    wire [63:0] f_two = beat_data[WIDTH-1 -: 64]; // DW 2 and 3
    wire        f_has_address = here & ((K == 4) ? wants : (f_at == 2'd1));
    wire [4:0]  f_low = f_has_address ? (f_dw0[29] ? f_two[38:34] : f_two[6:2]) : f_low_q;
    reg         f_tag;
    reg  [3:0]  f_ahead; // answers before its own
    reg  [31:0] f_is0;
    reg  [31:0] f_is1;
    reg  [2:0]  f_port;
    reg  [4:0]  f_address;
    wire        f_next = f_tag & (f_ahead == 4'd0);
    always @(posedge clk) begin
        {f_dw0_q, f_dw1_q, f_port_q, f_low_q} <= {f_dw0, f_dw1, f_port_now, f_low};
        if (push & ~f_tag & f_pick) begin
            f_tag <= 1'b1;
            f_ahead <= count_q - {3'd0, pop};
            {f_is0, f_is1, f_port, f_address} <= {f_dw0, f_dw1, f_port_now, f_low};
        end else begin
            f_ahead <= f_ahead - {3'd0, pop & f_tag};
            f_tag <= f_tag & ~(f_next & pop);
        end
        if (rst) begin
            f_tag <= 1'b0;
        end
    end
    wire        f_read = (f_is0[28:24] == 5'd0);
    // Bytes from the first that is enabled to the last (2.3.1.1); of none, one.
    function [1:0] f_lowest(input [3:0] be);
        f_lowest = be[0] ? 2'd0 : be[1] ? 2'd1 : be[2] ? 2'd2 : {2{be[3]}};
    endfunction
    function [1:0] f_highest(input [3:0] be);
        f_highest = be[3] ? 2'd3 : be[2] ? 2'd2 : {1'b0, be[1]};
    endfunction
    wire [3:0]  f_first_be = f_is1[3:0];
    wire [3:0]  f_last_be = (f_is0[9:0] == 10'd1) ? f_first_be : f_is1[7:4];
    wire [11:0] f_bytes = {f_is0[9:0] - 10'd1, 2'b00} + 12'd1 + {10'd0, f_highest(f_last_be)} - {10'd0, f_lowest(f_first_be)};
    wire [2:0]  f_slot = rptr_q + f_ahead[2:0];

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // The answer goes to the port that asked, with its requester, tag, traffic class and attributes: UR.
            if (f_next) begin
                assert (c_valid & (c_port == f_port));
                if (c_first) begin
                    assert (c_data[31:0] == {8'h0a, f_is0[23:18], 4'd0, f_is0[13:12], 12'd0});
                    assert (c_data[63:44] == {bus, device, 3'd0, 4'b0010});
                    assert (c_data[43:32] == (f_read ? f_bytes : 12'd4));
                    assert (c_keep[1:0] == 2'b11);
                end
                if (c_last) begin
                    assert (c_data[WIDTH-64 +: 32] == {f_is1[31:8], 1'b0, f_read ? {f_address, f_lowest(f_first_be)} : 7'd0});
                    assert (~c_keep[K-1] & c_keep[(K == 4) ? 2 : 0]);
                end
            end
            // None is forgotten: there is a place for each that could be stopped.
            assert (~push | (count_q != 4'd8) | pop);
            assert ({1'b0, owed_q} == f_stream + {1'b0, count_q});
            assert ((owed_q <= 4'd8) & (f_stream <= 5'd8));
            assert (more | (owed_q == 4'd8) | $past(rst));
            assert (~more | (owed_q != 4'd8));

            // Induction.
            assert (wptr_q - rptr_q == count_q[2:0]);
            assert (count_q <= 4'd8);
            assert (~inside_q | (f_stream != 5'd0));
            assert ((inside_q == (f_at != 2'd0)) & (f_at != 2'd3));
            assert (held);
            if (f_tag) begin
                assert (f_ahead < count_q);
                assert (mem[f_slot] == {f_port, f_read, f_is0[23:18], f_is0[13:12], f_is0[9:0], f_is1, f_address});
            end

            cover (f_next & c_take & c_last & f_read & (f_address != 5'd0));
            cover (count_q == 4'd2);
        end
    end
`endif
endmodule

`default_nettype wire
