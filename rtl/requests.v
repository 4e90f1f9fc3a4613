// SPDX-License-Identifier: BSD-2-Clause
//
// What the relay itself has to send or to record, one thing at a time, as a token on the stream:
//   completion  answer to a request of the root; passes no posted TLP that was accepted before it was ready
//   wires       the wires of a port that went down fall, one by one; then the port may come up again
//   message     the root is told about an INTx pin
//   status      the status record of the ring
//   source      the interrupt of a source is sent (again), for the keeper
// They take turns. What the token stands for stays stable from token_valid until token_done.
// Synchronous reset.
`default_nettype none

module requests #(
    parameter integer PORTS = 4,
    parameter integer BUMP = 0
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [7:0]         bus,
    input  wire [4:0]         device,

    input  wire               cpl_valid,
    input  wire [31:0]        cpl_dw0,
    input  wire [31:0]        cpl_dw1,
    input  wire [31:0]        cpl_dw2,
    input  wire [31:0]        cpl_dw3,
    output wire               cpl_taken,
    output wire               snap,      // remember what the ports' entrances hold …
    input  wire [PORTS-1:0]   snap_done, // … it has left

    input  wire [PORTS-1:0]   up,        // the ports' links
    input  wire [PORTS-1:0]   drained,   // nothing is in their entrances
    input  wire [PORTS*4-1:0] wires,     // that they assert
    output reg  [PORTS-1:0]   open_q,    // the port is up, and nothing is left of what it was before

    input  wire               message_valid,
    input  wire [1:0]         message_pin,
    input  wire               message_level,
    output wire               message_done,

    input  wire               status_valid,
    input  wire [63:0]        status_address,
    input  wire [31:0]        ring_head,
    output wire               status_busy, // it is being written
    output wire               status_done,

    input  wire               source_valid,
    input  wire               source_record, // it counts as an interrupt, as if its function had sent it
    input  wire               source_level,  // INTx
    input  wire [113:0]       source_key,
    input  wire [2:0]         source_tc,
    output wire               source_done,

    output wire               token_valid,
    input  wire               token_taken, // it entered the stream
    input  wire               token_done,
    output wire               token_record, // it has a record, of token_key
    output wire               token_force,
    output wire               token_level,
    output wire [113:0]       token_key,
    output wire [2:0]         token_tc,
    output wire               token_source, // of a source
    output wire               token_emit,
    output wire [31:0]        token_h0,
    output wire [31:0]        token_h1,
    output wire [31:0]        token_h2,
    output wire [31:0]        token_h3,
    output wire [31:0]        token_w0
);
    localparam [2:0] COMPLETION = 3'd0;
    localparam [2:0] WIRES = 3'd1;
    localparam [2:0] MESSAGE = 3'd2;
    localparam [2:0] STATUS = 3'd3;
    localparam [2:0] SOURCE = 3'd4;

    // ---- ports that go down and come up --------------------------------------------------------------------

    // A closed port takes nothing; it opens when its link is up, its wires are low, and a token has been
    // through the stream since its entrance was empty: then nothing of its past is left.
    reg  [PORTS-1:0] clean_q;
    reg              clean_port; // a port is closed and not clean …
    reg  [2:0]       port;       // … this one, 0 for port 1
    reg  [3:0]       port_wires;
    integer i;
    always @* begin
        clean_port = 1'b0;
        port = 3'd0;
        port_wires = 4'd0;
        if ((~open_q & ~clean_q & drained) != {PORTS{1'b0}}) begin
            clean_port = 1'b1;
            for (i = PORTS - 1; i >= 0; i = i - 1) begin
                if (~open_q[i] & ~clean_q[i] & drained[i]) begin
                    port = i[2:0];
                    port_wires = wires[i*4 +: 4];
                end
            end
        end
    end

    reg  [2:0] w_port_q; // port number, of the token
    reg  [1:0] w_pin_q;
    reg        w_none_q; // no wire is high: the token only goes through

    // ---- turns ------------------------------------------------------------------------------------------

    reg        cpl_seen_q;
    assign     snap = cpl_valid & ~cpl_seen_q;
    wire       cpl_ready = cpl_seen_q & (snap_done == {PORTS{1'b1}});

    reg        busy_q;    // `turn` stands
    reg        entered_q; // … and is in the stream
    wire [2:0] turn;
    wire [4:0] unused_chosen;
    wire [4:0] ask = {source_valid, status_valid, message_valid, clean_port, cpl_ready};
`ifdef FORMAL
    wire       f_fresh;
`endif
    arbiter #(.N(5), .BITS(3)) turns (
`ifdef FORMAL
        .f_fresh(f_fresh),
`endif
        .clk(clk), .rst(rst), .request_d(ask), .choose(~busy_q), .served(token_done), .choice_q(turn), .chosen_q(unused_chosen)
    );

    assign token_valid = busy_q & ~entered_q;
    assign cpl_taken = token_done & (turn == COMPLETION);
    assign message_done = token_done & (turn == MESSAGE);
    assign status_done = token_done & (turn == STATUS);
    assign source_done = token_done & (turn == SOURCE);
    assign status_busy = busy_q & (turn == STATUS);
    wire   wires_done = token_done & (turn == WIRES);

    integer p;
    always @(posedge clk) begin
        if (~busy_q) begin
            w_port_q <= port + 3'd1;
            w_pin_q <= port_wires[0] ? 2'd0 : port_wires[1] ? 2'd1 : port_wires[2] ? 2'd2 : 2'd3;
            w_none_q <= (port_wires == 4'd0);
        end
        if (rst) begin
            cpl_seen_q <= 1'b0;
            busy_q <= 1'b0;
            entered_q <= 1'b0;
            open_q <= {PORTS{1'b0}};
            clean_q <= {PORTS{1'b1}};
        end else begin
            cpl_seen_q <= cpl_valid & ~cpl_taken;
            busy_q <= (busy_q | (ask != 5'd0)) & ~token_done;
            entered_q <= (entered_q | token_taken) & ~token_done;
            open_q <= up & (open_q | clean_q);
            clean_q <= clean_q & ~open_q;
            if (wires_done & w_none_q) begin
                for (p = 0; p < PORTS; p = p + 1) begin
                    // A message before the token may have raised one since the token was made.
                    if (~open_q[p] & (w_port_q == p[2:0] + 3'd1) & (wires[p*4 +: 4] == 4'd0)) begin
                        clean_q[p] <= 1'b1;
                    end
                end
            end
        end
    end

    // ---- what the token stands for -----------------------------------------------------------------------

    wire        is_wires = (turn == WIRES);
    wire        is_source = (turn == SOURCE);
    wire        intx = source_key[110];
    assign      token_source = is_source;
    wire        is_status = (turn == STATUS);
    assign      token_record = (is_wires & ~w_none_q) | (is_source & source_record);
    assign      token_force = is_source;
    assign      token_level = is_source & source_level;
    assign      token_tc = source_tc;
    assign      token_key = {is_wires ? {w_port_q, 1'b1, 14'd0, w_pin_q} : source_key[113:94], source_key[93:0]};
    assign      token_emit = is_wires ? (BUMP != 0) & ~w_none_q : ~(is_source & intx) | (BUMP != 0);

    wire [15:0] card = {bus, device, 3'd0};
    wire        is_message = (turn == MESSAGE) | is_wires | (is_source & intx);
    wire        assert_ = is_source ? source_level : ~is_wires & message_level;
    wire [1:0]  pin = is_wires ? w_pin_q : is_source ? source_key[95:94] : message_pin;
    wire        message_four = (source_key[61:30] != 32'd0);
    wire        status_four = (status_address[63:32] != 32'd0);

    reg  [31:0] h0;
    reg  [31:0] h1;
    reg  [31:0] h2;
    reg  [31:0] h3;
    always @* begin
        if (is_message) begin
            h0 = {8'h34, 24'd0};
            h1 = {card, 8'd0, 5'b00100, ~assert_, pin};
            h2 = 32'd0;
            h3 = 32'd0;
        end else if (is_status) begin
            h0 = {2'b01, status_four, 5'd0, 24'd4};
            h1 = {card, 8'd0, 8'hff};
            h2 = status_address[63:32];
            h3 = {status_address[31:4], 4'd0};
        end else if (is_source) begin
            h0 = {2'b01, message_four, 5'd0, 1'b0, source_tc, 20'd1};
            h1 = {source_key[109:94], 8'd0, 8'h0f};
            h2 = source_key[61:30];
            h3 = {source_key[29:0], 2'd0};
        end else begin
            h0 = cpl_dw0;
            h1 = cpl_dw1;
            h2 = 32'd0;
            h3 = cpl_dw2;
        end
    end
    assign token_h0 = h0;
    assign token_h1 = h1;
    assign token_h2 = h2;
    assign token_h3 = h3;

    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction
    assign token_w0 = is_status ? swap(ring_head) : is_source ? source_key[93:62] : cpl_dw3;

    wire unused = &{1'b0, status_address[3:0], unused_chosen};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    reg  f_busy;    // a token was chosen and is not done
    reg  f_entered; // … and is in the stream
    reg  f_snapped;
    reg  [2:0] f_turn_q;
    (* anyconst *) wire [2:0] f_port;
    reg  f_closed_clean; // the port is closed, was found empty with its wires low, and a token has been through since
    reg  f_none;       // the token on its way is such a one
    wire f_here = ({29'd0, f_port} < PORTS);
    wire f_chooses = ~busy_q & (ask != 5'd0);
    always @(posedge clk) begin
        f_turn_q <= turn;
        if (rst) begin
            f_busy <= 1'b0;
            f_entered <= 1'b0;
            f_snapped <= 1'b0;
            f_none <= 1'b0;
            f_closed_clean <= 1'b1;
        end else begin
            f_busy <= (f_busy | f_chooses) & ~token_done;
            f_entered <= (f_entered | token_taken) & ~token_done;
            f_snapped <= (f_snapped | snap) & cpl_valid & ~cpl_taken;
            if (f_chooses) begin
                f_none <= drained[f_port] & ~open_q[f_port] & (wires[f_port*4 +: 4] == 4'd0) & clean_port & (port == f_port);
            end
            f_closed_clean <= ~open_q[f_port] & (f_closed_clean | (f_none & token_done & (turn == WIRES)));
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        // Who asks goes on asking until he is served; the stream takes a token and gives it back once.
        assume (~token_taken | token_valid);
        assume (~token_done | f_entered);
    end
    reg  [2:0] f_asked_q; // source, status, message
    reg        f_cpl_q;
    reg  [PORTS-1:0] f_left_q;
    always @(posedge clk) begin
        f_asked_q <= {source_valid & ~source_done, status_valid & ~status_done, message_valid & ~message_done} & {3{~rst}};
        f_cpl_q <= cpl_valid & ~cpl_taken & ~rst;
        f_left_q <= snap_done & {PORTS{~rst & ~snap & f_snapped}};
        if (f_begun) begin
            assume ((f_asked_q & ~{source_valid, status_valid, message_valid}) == 3'd0);
            assume (~f_cpl_q | cpl_valid);
            assume ((f_left_q & ~snap_done) == {PORTS{1'b0}}); // what has left does not come back
        end
    end

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // One thing at a time, and it stays what it is until it is done.
            assert (token_valid == (f_busy & ~f_entered));
            assert (~f_was_busy | (turn == f_turn_q));
            // A completion passes nothing that had been accepted when it came: a snapshot was taken of that, and all of
            // it has left the entrances before the token is offered.
            if (f_busy & (turn == COMPLETION)) begin
                assert (cpl_valid & f_snapped & (snap_done == {PORTS{1'b1}}));
            end
            // What is on its way is asked for.
            if (f_busy) begin
                assert ((turn != MESSAGE) | message_valid);
                assert ((turn != STATUS) | status_valid);
                assert ((turn != SOURCE) | source_valid);
                assert (turn <= SOURCE);
            end
            // A port opens only when its past is gone.
            if (f_here & open_q[f_port] & ~f_open_q) begin
                assert (f_clean_was);
            end
            // Exactly one is told that it is done.
            assert (token_done == (cpl_taken | message_done | status_done | source_done | wires_done));

            // Induction.
            assert ((busy_q == f_busy) & (entered_q == f_entered));
            assert (~f_entered | f_busy);
            assert (~f_busy | f_fresh);
            assert (cpl_seen_q == f_snapped);
            if (f_here) begin
                assert (~clean_q[f_port] | f_closed_clean | open_q[f_port]);
                assert (~(f_busy & (turn == WIRES) & w_none_q & (w_port_q == f_port + 3'd1)) | f_none);
            end

            cover (cpl_taken);
            cover (wires_done & ~w_none_q);
            cover (f_here & open_q[f_port] & ~f_open_q & f_wired);
            cover (source_done);
        end
    end
    reg f_was_busy;
    reg f_open_q;
    reg f_clean_was;
    reg f_wired; // a wire was taken down
    always @(posedge clk) begin
        f_was_busy <= f_busy & ~rst & ~token_done;
        f_open_q <= open_q[f_port];
        f_clean_was <= f_closed_clean;
        f_wired <= ~rst & (f_wired | (wires_done & ~w_none_q));
    end
`endif
endmodule

`default_nettype wire
