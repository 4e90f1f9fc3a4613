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
    input  wire        look, // what is told has no meaning without it
    input  wire [31:0] dw0,
    input  wire [31:0] dw1,
    output reg         nonposted,
    output reg         completion, // neither: posted
    output reg         atomic,     // AtomicOp: the only non-posted request with more than one data DW
    output reg         message_like, // memory write of one DW: an interrupt if its address says so
    output reg         intx,       // Assert_INTx or Deassert_INTx
    output reg         malformed
);
    wire [2:0] fmt = dw0[31:29];
    wire [4:0] kind = dw0[28:24];
    wire [3:0] last_be = dw1[7:4];
    wire [3:0] first_be = dw1[3:0];

    reg memory, memory_locked, io, config_, message, known;
    reg one_dw, two_dw, be_ok, bad_memory, bad_short, cas_length, bad_atomic;
    reg intx_code, intx_ok, wrong_way;
    always @* begin
        {nonposted, completion, atomic, message_like, intx, malformed} = 6'bxxxxxx;
        {memory, memory_locked, io, config_, message, known} = 6'bxxxxxx;
        {one_dw, two_dw, be_ok, bad_memory, bad_short, cas_length, bad_atomic} = 7'bxxxxxxx;
        {intx_code, intx_ok, wrong_way} = 3'bxxx;
        if (look) begin
            memory = (kind == 5'b00000);
            memory_locked = (kind == 5'b00001) & ~fmt[1];
            io = (kind == 5'b00010) & ~fmt[0];
            config_ = (kind[4:1] == 4'b0010) & ~fmt[0];
            message = (kind[4:3] == 2'b10) & fmt[0];
            completion = (kind[4:1] == 4'b0101) & ~fmt[0];
            atomic = (kind[4:2] == 3'b011) & (kind[1:0] != 2'b11) & fmt[1];
            nonposted = (memory & ~fmt[1]) | memory_locked | io | config_ | atomic;

            known = ~fmt[2] & (memory | memory_locked | io | config_ | message | completion | atomic);

            // Byte enables have another meaning in AtomicOps and where TH is set.
            one_dw = (dw0[9:0] == 10'd1);
            be_ok = one_dw ? (last_be == 4'd0) : (last_be != 4'd0) & (first_be != 4'd0);
            bad_memory = (memory | memory_locked) & ~dw0[16] & ~be_ok;
            bad_short = (io | config_) & ~(one_dw & (last_be == 4'd0) & (dw0[22:20] == 3'd0));

            // Operands of 32 or 64 bits, CAS two of up to 128 (2.2.7); whoever keeps room for them counts on that.
            two_dw = (dw0[9:0] == 10'd2);
            cas_length = two_dw | (dw0[9:0] == 10'd4) | (dw0[9:0] == 10'd8);
            bad_atomic = atomic & ~(kind[1] ? cas_length : one_dw | two_dw);

            // INTx: local routing, TC 0, no data, function 0 (2.2.8.1); only from below.
            intx_code = message & (dw1[7:3] == 5'b00100);
            intx_ok = (UPSTREAM != 0) & (kind[2:0] == 3'b100) & ~fmt[1] & (dw0[22:20] == 3'd0) &
                      (dw1[18:16] == 3'd0);
            // Broadcast comes from the root only; messages to the root do not come from it.
            wrong_way = (UPSTREAM != 0) ? (kind[2:0] == 3'b011) : (kind[2:0] == 3'b000) | (kind[2:0] == 3'b101);

            intx = intx_code & intx_ok;
            message_like = memory & fmt[1] & one_dw & (last_be == 4'd0) & (dw0[11:10] != 2'b01);
            malformed = ~known | bad_memory | bad_short | bad_atomic | (intx_code & ~intx_ok) | (message & wrong_way);
        end
    end

    wire unused = &{1'b0, dw0[23], dw0[19:17], dw0[15:12], dw1[31:19], dw1[15:8]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    // PCIe Base 5.0, table 2-3, row by row.
    reg f_posted, f_nonposted, f_completion, f_atomic;
    always @* begin
        {f_posted, f_nonposted, f_completion, f_atomic} = 4'b0000;
        casez (dw0[31:24])
            8'b00?_00000: f_nonposted = 1'b1; // MRd
            8'b00?_00001: f_nonposted = 1'b1; // MRdLk
            8'b01?_00000: f_posted = 1'b1; // MWr
            8'b0?0_00010: f_nonposted = 1'b1; // IORd, IOWr
            8'b0?0_00100: f_nonposted = 1'b1; // CfgRd0, CfgWr0
            8'b0?0_00101: f_nonposted = 1'b1; // CfgRd1, CfgWr1
            8'b0?1_10???: f_posted = 1'b1; // Msg, MsgD
            8'b0?0_01010: f_completion = 1'b1; // Cpl, CplD
            8'b0?0_01011: f_completion = 1'b1; // CplLk, CplDLk
            8'b01?_01100: {f_nonposted, f_atomic} = 2'b11; // FetchAdd
            8'b01?_01101: {f_nonposted, f_atomic} = 2'b11; // Swap
            8'b01?_01110: {f_nonposted, f_atomic} = 2'b11; // CAS
            default: ;
        endcase
    end
    wire f_known = f_posted | f_nonposted | f_completion;
    wire f_is_message = f_posted & (dw0[28] == 1'b1);
    wire f_is_memory = f_known & (dw0[28:25] == 4'd0);
    wire f_is_short = f_nonposted & ~f_is_memory & ~f_atomic; // I/O and configuration
    wire [10:0] f_length = {dw0[9:0] == 10'd0, dw0[9:0]};
    wire [10:0] f_total = 11'd3 + dw0[29] + dw0[15] + (dw0[30] ? f_length : 11'd0);

    // Rules that the circuit enforces.
    wire f_be_wrong = (f_is_memory & ~dw0[16] & (f_length == 11'd1) & (dw1[7:4] != 4'd0)) |
                      (f_is_memory & ~dw0[16] & (f_length != 11'd1) & ((dw1[7:4] == 4'd0) | (dw1[3:0] == 4'd0)));
    wire f_short_wrong = f_is_short & ((f_length != 11'd1) | (dw1[7:4] != 4'd0) | (dw0[22:20] != 3'd0));
    wire f_atomic_wrong = f_atomic & ((dw0[25:24] == 2'b10)
        ? (f_length != 11'd2) & (f_length != 11'd4) & (f_length != 11'd8) : (f_length != 11'd1) & (f_length != 11'd2));
    wire f_is_intx = f_is_message & (dw1[7:0] >= 8'h20) & (dw1[7:0] <= 8'h27);
    wire f_intx_wrong = f_is_intx & ((dw0[30:24] != 7'h34) | (dw0[22:20] != 3'd0) | (dw1[18:16] != 3'd0) |
                                     (UPSTREAM == 0));
    wire f_routing_wrong = f_is_message & ((UPSTREAM != 0) ? (dw0[26:24] == 3'd3)
                                                           : (dw0[26:24] == 3'd0) | (dw0[26:24] == 3'd5));
    always @* begin
        if (look) begin
            assert (malformed == (~f_known | f_be_wrong | f_short_wrong | f_atomic_wrong | f_intx_wrong | f_routing_wrong));
            if (~malformed) begin
                assert ({nonposted, completion, atomic} == {f_nonposted, f_completion, f_atomic});
                assert (intx == f_is_intx);
                assert (message_like == (f_is_memory & f_posted & (f_length == 11'd1) & (dw1[7:4] == 4'd0) &
                                         (dw0[11:10] != 2'd1)));
                // What merge and downstream keep room for.
                assert (~nonposted | (f_total <= (atomic ? 11'd13 : 11'd5)));
            end
            cover (~malformed & atomic & (f_total == 11'd13));
            cover (intx == (UPSTREAM != 0));
            cover (~malformed & message_like & dw0[29]);
        end
    end
`endif
endmodule

`default_nettype wire
