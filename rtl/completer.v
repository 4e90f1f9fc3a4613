// SPDX-License-Identifier: BSD-2-Clause
//
// Answers what the root asks of the relay itself: reads and writes of BAR 0, and UR for what matches nothing.
//
// One access at a time. Posted writes go on while a completion waits for its turn upstream; the next
// non-posted request waits for that (l_np_ok). The completion's fields stay stable until cpl_taken.
// Synchronous reset.
`default_nettype none

module completer #(
    parameter integer WIDTH = 64
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [7:0]       bus,
    input  wire [4:0]       device,

    input  wire [WIDTH-1:0] l_data,
    input  wire             l_last,
    input  wire             l_bad,
    input  wire             l_refuse,
    input  wire             l_first,
    input  wire             l_nonposted,
    input  wire             l_valid,
    output wire             l_ready,
    output wire             l_np_ok,

    output reg              reg_valid_q, // an access, until reg_done
    output reg              reg_write_q,
    output reg  [13:0]      reg_index,   // of the 32-bit register in the BAR
    output reg  [31:0]      reg_wdata,
    input  wire             reg_done,
    input  wire             reg_refused, // with reg_done
    input  wire [31:0]      reg_rdata,

    output reg              cpl_valid_q,
    output wire [31:0]      cpl_dw0,
    output wire [31:0]      cpl_dw1,
    output wire [31:0]      cpl_dw2,
    output wire [31:0]      cpl_dw3,
    output wire             cpl_has_data,
    input  wire             cpl_taken,
    output reg              count_refused // an access to BAR 0 was refused
);
    localparam integer K = WIDTH / 32;

    // ---- collect ----------------------------------------------------------------------------------------

    reg  [31:0] dw0_q;
    reg  [31:0] dw1_q;
    reg  [31:0] dw2_q;
    reg  [31:0] dw3_q;
    reg  [31:0] dw4_q;
    reg  [1:0]  beat_q;
    reg         whole_q;   // a TLP is in dw*_q and waits to be done
    reg         refuse_q;
    reg         np_q;      // it, or the one coming in, wants a completion
    wire        done;

    assign l_ready = ~whole_q;
    wire l_fire = l_valid & l_ready;
    assign l_np_ok = ~np_q & ~cpl_valid_q;

    generate
        if (K == 2) begin : narrow
            always @(posedge clk) begin
                if (l_fire) begin
                    if (beat_q == 2'd0) begin
                        dw0_q <= l_data[31:0];
                        dw1_q <= l_data[63:32];
                    end
                    if (beat_q == 2'd1) begin
                        dw2_q <= l_data[31:0];
                        dw3_q <= l_data[63:32];
                    end
                    if (beat_q == 2'd2) begin
                        dw4_q <= l_data[31:0];
                    end
                end
            end
        end else begin : wide
            always @(posedge clk) begin
                if (l_fire) begin
                    if (beat_q == 2'd0) begin
                        dw0_q <= l_data[31:0];
                        dw1_q <= l_data[63:32];
                        dw2_q <= l_data[95:64];
                        dw3_q <= l_data[127:96];
                    end
                    if (beat_q == 2'd1) begin
                        dw4_q <= l_data[31:0];
                    end
                end
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            beat_q <= 2'd0;
            whole_q <= 1'b0;
            np_q <= 1'b0;
            refuse_q <= 1'b0;
        end else begin
            if (l_fire) begin
                beat_q <= l_last ? 2'd0 : (beat_q == 2'd3) ? 2'd3 : beat_q + 2'd1;
                whole_q <= l_last & ~l_bad;
                np_q <= l_nonposted & ~(l_last & l_bad);
                refuse_q <= l_refuse;
            end else if (done) begin
                whole_q <= 1'b0;
                np_q <= 1'b0;
            end
        end
    end

    // ---- judge ------------------------------------------------------------------------------------------

    wire        four_dw = dw0_q[29];
    wire        has_data = dw0_q[30];
    wire        is_memory = (dw0_q[28:24] == 5'd0);
    wire        poisoned = dw0_q[14];
    wire [3:0]  first_be = dw1_q[3:0];
    wire [3:0]  last_be = dw1_q[7:4];
    wire        simple = is_memory & (dw0_q[9:0] == 10'd1) & (first_be == 4'hf) & ~(poisoned & has_data);
    wire        serve = simple & ~refuse_q;
    wire [31:0] address_lo = four_dw ? dw3_q : dw2_q;
    wire [31:0] payload = four_dw ? dw4_q : dw3_q;

    // An access starts the cycle after the TLP is whole; a completion needs the place of the one before.
    wire start = whole_q & serve & ~reg_valid_q;

    // The lowest address in a DW is in bits 31:24 of the DW of a payload.
    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction

    always @(posedge clk) begin
        if (start) begin
            reg_index <= address_lo[15:2];
            reg_wdata <= swap(payload);
        end
    end

    // ---- do ---------------------------------------------------------------------------------------------

    wire refuse_now = whole_q & ~serve;
    assign done = reg_done | refuse_now;
    wire is_refused = refuse_now | reg_refused;

    reg  [31:0] h0_q; // header of the request that the completion answers
    reg  [15:0] requester_q;
    reg  [7:0]  tag_q;
    reg  [3:0]  first_be_q;
    reg  [3:0]  last_be_q;
    reg  [4:0]  low_q;
    reg  [31:0] rdata_q;
    reg         unsupported_q;

    always @(posedge clk) begin
        if (done & np_q) begin
            h0_q <= dw0_q;
            requester_q <= dw1_q[31:16];
            tag_q <= dw1_q[15:8];
            first_be_q <= first_be;
            last_be_q <= last_be;
            low_q <= address_lo[6:2];
            rdata_q <= reg_rdata;
            unsupported_q <= is_refused;
        end
        count_refused <= ~rst & done & is_refused & ~refuse_q;
        if (rst) begin
            reg_valid_q <= 1'b0;
            reg_write_q <= 1'b0;
            cpl_valid_q <= 1'b0;
        end else begin
            if (start) begin
                reg_valid_q <= 1'b1;
                reg_write_q <= has_data;
            end else if (reg_done) begin
                reg_valid_q <= 1'b0;
            end
            if (done & np_q) begin
                cpl_valid_q <= 1'b1;
            end else if (cpl_taken) begin
                cpl_valid_q <= 1'b0;
            end
        end
    end

    // ---- the completion (PCIe Base 5.0, 2.2.9) ------------------------------------------------------------

    wire        of_read = (h0_q[28:25] == 4'd0) & ~h0_q[30];
    wire [11:0] byte_count;
    wire [6:0]  lower_address;
    read_extent extent (
        .of_read(of_read), .length(h0_q[9:0]), .first_be(first_be_q), .last_be(last_be_q), .low(low_q),
        .byte_count(byte_count), .lower_address(lower_address)
    );

    assign cpl_has_data = ~unsupported_q;
    // T9, TC, T8, IDO, RO and NS as in the request.
    assign cpl_dw0 = {unsupported_q ? 8'h0a : 8'h4a, h0_q[23:18], 4'b0000, h0_q[13:12], 2'b00, 9'd0, ~unsupported_q};
    assign cpl_dw1 = {bus, device, 3'd0, unsupported_q ? 3'b001 : 3'b000, 1'b0, byte_count};
    assign cpl_dw2 = {requester_q, tag_q, 1'b0, lower_address};
    assign cpl_dw3 = swap(rdata_q);

    wire unused = &{1'b0, l_first, h0_q[24], dw0_q[31], dw2_q[1:0], dw3_q[1:0], address_lo[31:16], address_lo[1:0],
                    h0_q[31], h0_q[29], h0_q[17:14], h0_q[11:10]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // Who asks: TLPs in one piece, and a non-posted one is begun only when it may be. Who answers: an access once.
    reg         f_mid;
    reg         f_np;
    reg         f_refuse;
    always @(posedge clk) begin
        if (rst) begin
            f_mid <= 1'b0;
        end else if (l_fire) begin
            f_mid <= ~l_last;
            f_np <= l_nonposted;
            f_refuse <= l_refuse;
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~f_mid | ((l_nonposted == f_np) & (l_refuse == f_refuse)));
        assume (~(l_fire & ~f_mid & l_nonposted) | l_np_ok);
        assume (~reg_done | reg_valid_q);
        assume (~cpl_taken | cpl_valid_q);
    end

    // One DW, any, of the TLP that came in last; and the header of the request that is owed an answer.
    (* anyconst *) wire [2:0] f_index;
    reg  [2:0]  f_count; // DW of the TLP before this beat, up to 6
    reg  [31:0] f_dw;
    reg  [2:0]  f_whole; // of the whole one
    wire [2:0]  f_before = f_mid ? f_count : 3'd0;
    wire [2:0]  f_after = ({1'b0, f_before} + K > 6) ? 3'd6 : f_before + K[2:0];
    wire [2:0]  f_lane = f_index - f_before;
    reg  [31:0] f_head0;
    reg  [31:0] f_head1;
    reg  [31:0] f_dw0;
    reg  [31:0] f_dw1;
    reg         f_owed;
    reg         f_served;
    reg  [31:0] f_data;
    wire        f_asks = l_fire & l_last & l_nonposted & ~l_bad;
    always @(posedge clk) begin
        if (l_fire) begin
            f_count <= f_after;
            f_whole <= f_after;
            if ((f_index >= f_before) & (f_lane < K) & (f_before < 3'd6)) begin
                f_dw <= l_data[f_lane*32 +: 32];
            end
            if (~f_mid) begin
                f_head0 <= l_data[31:0];
                f_head1 <= l_data[63:32];
            end
        end
        if (f_asks) begin
            f_dw0 <= f_mid ? f_head0 : l_data[31:0];
            f_dw1 <= f_mid ? f_head1 : l_data[63:32];
        end
        if (done & np_q) begin
            f_served <= reg_done & ~reg_refused;
            f_data <= reg_rdata;
        end
        f_owed <= ~rst & (f_asks | (f_owed & ~cpl_taken));
    end

    // Of a read: the bytes from the first one enabled to the last one.
    wire [3:0]  f_first_be = f_dw1[3:0];
    wire [3:0]  f_last_be = (f_dw0[9:0] == 10'd1) ? f_dw1[3:0] : f_dw1[7:4];
    reg  [11:0] f_skip;
    reg  [11:0] f_end;
    integer     f_i;
    always @* begin
        f_skip = 12'd0;
        f_end = 12'd1;
        for (f_i = 0; f_i < 4; f_i = f_i + 1) begin
            if (f_first_be[3 - f_i]) begin
                f_skip = 12'd3 - f_i[11:0];
            end
            if (f_last_be[f_i]) begin
                f_end = f_i[11:0] + 12'd1;
            end
        end
    end
    wire [11:0] f_bytes = {f_dw0[9:0] - 10'd1, 2'b00} + f_end - f_skip;
    wire        f_read = (f_dw0[28:25] == 4'd0) & ~f_dw0[30];

    reg         f_was_valid;
    reg  [99:0] f_cpl_q;
    wire [99:0] f_cpl = {cpl_dw0, cpl_dw1[15:0], cpl_dw2[31:0], cpl_dw3[19:0]};
    reg         f_was_access;
    reg  [46:0] f_access_q;
    wire [46:0] f_access = {reg_write_q, reg_index, reg_wdata};
    always @(posedge clk) begin
        f_was_valid <= cpl_valid_q & ~cpl_taken & ~rst;
        f_cpl_q <= f_cpl;
        f_was_access <= reg_valid_q & ~reg_done & ~rst;
        f_access_q <= f_access;
    end
    wire [31:0] f_held = (f_index == 3'd0) ? dw0_q : (f_index == 3'd1) ? dw1_q : (f_index == 3'd2) ? dw2_q
                         : (f_index == 3'd3) ? dw3_q : dw4_q;

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // Each request that wants an answer gets one, and nobody else; one at a time.
            assert (~(f_asks & f_owed));
            assert (f_owed == (cpl_valid_q | (whole_q & np_q)));
            assert (~(cpl_valid_q & whole_q & np_q));
            // It stays as it is until it is taken.
            assert (~f_was_valid | (cpl_valid_q & (f_cpl == f_cpl_q)));
            // It goes to who asked, with his tag, traffic class and attributes, with data exactly when the access was done.
            if (cpl_valid_q) begin
                assert ({cpl_dw2[31:8], cpl_dw0[22:20], cpl_dw0[18], cpl_dw0[13:12]} ==
                        {f_dw1[31:8], f_dw0[22:20], f_dw0[18], f_dw0[13:12]});
                assert (cpl_has_data == f_served);
                assert (cpl_dw0[31:24] == (f_served ? 8'h4a : 8'h0a));
                assert (cpl_dw0[9:0] == {9'd0, f_served});
                assert (cpl_dw1[15:13] == (f_served ? 3'd0 : 3'd1));
                assert (~f_served | (swap(cpl_dw3) == f_data));
                assert (cpl_dw1[11:0] == (f_read ? f_bytes : 12'd4));
                assert (cpl_dw2[1:0] == (f_read ? f_skip[1:0] : 2'd0));
            end
            // An access is of one whole DW, of a memory request for BAR 0 that is whole and not poisoned; it stays until done.
            if (reg_valid_q) begin
                assert (whole_q & ~refuse_q & (dw0_q[28:24] == 5'd0) & (dw0_q[9:0] == 10'd1) & (dw1_q[3:0] == 4'hf));
                assert (reg_write_q == dw0_q[30]);
                assert (~(dw0_q[14] & reg_write_q));
                assert (reg_index == address_lo[15:2]);
                assert (reg_wdata == swap(payload));
            end
            assert (~f_was_access | (reg_valid_q & (f_access == f_access_q)));
            // What is held is what came.
            if ((f_index < 3'd5) & whole_q & (f_whole > f_index)) begin
                assert (f_held == f_dw);
            end
            // Progress: what is whole is refused at once, or asked for in the next cycle; a posted one waits for nobody.
            assert (~whole_q | reg_valid_q | start | done);
            assert (l_ready == ~whole_q);

            // Induction.
            assert ((beat_q == 2'd0) == ~f_mid);
            if (f_mid) begin
                assert ((f_count == 3'd6) | (f_count == beat_q * K));
                assert ((f_count != 3'd6) | (beat_q >= ((K == 2) ? 2'd3 : 2'd2)));
            end
            assert (~f_mid | (np_q == f_np));
            assert (~f_mid | ~(np_q & cpl_valid_q));
            assert (~whole_q | ~f_mid);
            assert (f_mid | whole_q | ~np_q);
            if (f_mid & (f_index < 3'd5) & (f_count > f_index)) begin
                assert (f_held == f_dw);
            end
            if (f_mid) begin
                assert ((dw0_q == f_head0) & (dw1_q == f_head1) & (f_count != 3'd0) & (f_count <= 3'd6));
            end
            if (whole_q & np_q) begin
                assert ((dw0_q == f_dw0) & (dw1_q == f_dw1));
            end
            if (cpl_valid_q) begin
                assert ({requester_q, tag_q} == f_dw1[31:8]);
                assert ((h0_q == f_dw0) & (first_be_q == f_dw1[3:0]) & (last_be_q == f_dw1[7:4]));
                assert ((unsupported_q == ~f_served) & (~f_served | (rdata_q == f_data)));
            end

            cover (cpl_valid_q & f_served & cpl_taken);
            cover (cpl_valid_q & ~f_served & reg_valid_q);
            cover (reg_valid_q & reg_write_q & dw0_q[29]);
        end
    end
`endif
endmodule

`default_nettype wire
