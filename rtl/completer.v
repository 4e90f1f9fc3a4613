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
endmodule

`default_nettype wire
