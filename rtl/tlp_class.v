// SPDX-License-Identifier: BSD-2-Clause
//
// What the first two DW of a TLP say: its class, and whether a TLP may begin so at all.
//
// Combinational. Sources: PCIe Base 5.0, 2.2.1 (Fmt and Type), 2.2.5 (byte enables), 2.2.7 and 2.2.8
// (requests and messages). TLP prefixes (Fmt 100) are not supported and count as malformed.
`default_nettype none

module tlp_class #(
    parameter integer UPSTREAM = 1 // 1: on its way to the root, 0: on its way to the ports
) (
    input  wire [31:0] dw0,
    input  wire [31:0] dw1,
    output wire        nonposted,
    output wire        completion, // neither: posted
    output wire        atomic,     // AtomicOp: the only non-posted request with more than one data DW
    output wire        message_like, // memory write of one DW: an interrupt if its address says so
    output wire        intx,       // Assert_INTx or Deassert_INTx
    output wire        malformed
);
    wire [2:0] fmt = dw0[31:29];
    wire [4:0] kind = dw0[28:24];
    wire [3:0] last_be = dw1[7:4];
    wire [3:0] first_be = dw1[3:0];

    wire memory = (kind == 5'b00000);
    wire memory_locked = (kind == 5'b00001) & ~fmt[1];
    wire io = (kind == 5'b00010) & ~fmt[0];
    wire config_ = (kind[4:1] == 4'b0010) & ~fmt[0];
    wire message = (kind[4:3] == 2'b10) & fmt[0];
    assign completion = (kind[4:1] == 4'b0101) & ~fmt[0];
    assign atomic = (kind[4:2] == 3'b011) & (kind[1:0] != 2'b11) & fmt[1];
    assign nonposted = (memory & ~fmt[1]) | memory_locked | io | config_ | atomic;

    wire known = ~fmt[2] & (memory | memory_locked | io | config_ | message | completion | atomic);

    // Byte enables have another meaning in AtomicOps and where TH is set.
    wire one_dw = (dw0[9:0] == 10'd1);
    wire be_ok = one_dw ? (last_be == 4'd0) : (last_be != 4'd0) & (first_be != 4'd0);
    wire bad_memory = (memory | memory_locked) & ~dw0[16] & ~be_ok;
    wire bad_short = (io | config_) & ~(one_dw & (last_be == 4'd0) & (dw0[22:20] == 3'd0));

    // INTx: local routing, TC 0, no data, function 0 (2.2.8.1); only from below.
    wire intx_code = message & (dw1[7:3] == 5'b00100);
    wire intx_ok = (UPSTREAM != 0) & (kind[2:0] == 3'b100) & ~fmt[1] & (dw0[22:20] == 3'd0) &
                   (dw1[18:16] == 3'd0);
    // Broadcast comes from the root only; messages to the root do not come from it.
    wire wrong_way = (UPSTREAM != 0) ? (kind[2:0] == 3'b011) : (kind[2:0] == 3'b000) | (kind[2:0] == 3'b101);

    assign intx = intx_code & intx_ok;
    assign message_like = memory & fmt[1] & one_dw & (last_be == 4'd0) & (dw0[11:10] != 2'b01);
    assign malformed = ~known | bad_memory | bad_short | (intx_code & ~intx_ok) | (message & wrong_way);

    wire unused = &{1'b0, dw0[23], dw0[19:17], dw0[15:12], dw1[31:19], dw1[15:8]};
endmodule

`default_nettype wire
