// SPDX-License-Identifier: BSD-2-Clause
//
// Where a TLP from the root goes: configuration by function, memory by the snooped BARs, completions by
// requester, messages by their routing. Function 0 (`to_local`) is the relay itself.
//
// Combinational; looks at the first four DW. What matches nothing goes to the relay's completer, marked
// `refuse`, if it wants a completion, and nowhere if not.
// A port that is down has no claim: what would be its own matches nothing, with `down` set.
`default_nettype none

module router #(
    parameter integer PORTS = 4,
    parameter integer BUMP = 0 // 1: one port, everything but the relay's BAR is for what is behind it
) (
    input  wire [31:0]         dw0,
    input  wire [31:0]         dw2,
    input  wire [31:0]         dw3,
    input  wire [5:0]          tlp_class,

    input  wire [7:0]          bus,
    input  wire [4:0]          device,
    input  wire [PORTS-1:0]    up,
    input  wire                own_bar_enable,
    input  wire [63:0]         own_bar_base,
    input  wire [PORTS*2-1:0]  bar_enable,
    input  wire [PORTS*128-1:0] bar_base, // two of 64 bits a port
    input  wire [PORTS*128-1:0] bar_mask, // bits of the address that are compared

    output wire [PORTS-1:0]    to_port,
    output wire                to_local,
    output wire                refuse,
    output wire                down,
    output wire                unmatched
);
    wire [4:0]  kind = dw0[28:24];
    wire        nonposted = tlp_class[0];
    wire        completion = tlp_class[1];
    wire        memory = (kind[4:1] == 4'b0000) | tlp_class[2];
    wire        config_ = (kind[4:1] == 4'b0010);
    wire        message = (kind[4:3] == 2'b10);
    wire [63:0] address = dw0[29] ? {dw2, dw3} : {32'd0, dw2};

    wire        own = memory & own_bar_enable & (address[63:16] == own_bar_base[63:16]);
    wire        this_card = (dw2[31:24] == bus) & (dw2[23:19] == device);
    // A Type 0 request reaches whichever device is on the link; each learns its device number from it.
    wire        by_function = (config_ & ~kind[0]) | ((completion | (message & (kind[2:0] == 3'b010))) & this_card);
    wire        to_all = message & (kind[2:0] == 3'b011);

    wire [PORTS-1:0] match;
    genvar g;
    genvar b;
    generate
        for (g = 0; g < PORTS; g = g + 1) begin : port
            localparam [31:0] FUNCTION = g + 1;
            // No BAR is smaller than a DW pair's alignment rules ask: the low two bits are no address.
            wire [1:0] in_bar;
            for (b = 0; b < 2; b = b + 1) begin : bar
                masked_equal #(.BITS(62)) compare (
                    .a(address[63:2]), .b(bar_base[g*128 + b*64 + 2 +: 62]), .mask(bar_mask[g*128 + b*64 + 2 +: 62]),
                    .equal(in_bar[b])
                );
            end
            wire hit = (bar_enable[g*2 +: 2] & in_bar) != 2'd0;
            assign match[g] = (BUMP != 0) ? 1'b1
                              : (memory & hit) | (by_function & (dw2[18:16] == FUNCTION[2:0])) | to_all;
            wire unused = &{1'b0, bar_base[g*128 +: 2], bar_base[g*128 + 64 +: 2], bar_mask[g*128 +: 2],
                            bar_mask[g*128 + 64 +: 2], hit};
        end
    endgenerate

    assign to_port = own ? {PORTS{1'b0}} : match & up;
    wire found = own | (to_port != {PORTS{1'b0}});
    assign to_local = own | (~found & nonposted);
    assign refuse = ~own;
    assign down = ~found & (match != {PORTS{1'b0}});
    assign unmatched = ~found;

    wire unused = &{1'b0, dw0[31:30], dw0[23:0], dw2[15:0], tlp_class[5:3], own_bar_base[15:0],
                    address[15:0], this_card, by_function, to_all};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    // What goes where, by kind (PCIe Base 5.0, 2.2.4.1 and 2.2.8).
    reg f_memory, f_config0, f_completion, f_by_id, f_broadcast;
    always @* begin
        {f_memory, f_config0, f_completion, f_by_id, f_broadcast} = 5'd0;
        casez (dw0[28:24])
            5'b0000?: f_memory = 1'b1;
            5'b01100, 5'b01101, 5'b01110: f_memory = 1'b1; // AtomicOps
            5'b00100: f_config0 = 1'b1;
            5'b0101?: f_completion = 1'b1;
            5'b10010: f_by_id = 1'b1;
            5'b10011: f_broadcast = 1'b1;
            default: ;
        endcase
        // As tlp_class would have it.
        assume (tlp_class[1] == f_completion);
        assume (tlp_class[2] == ((dw0[28:24] == 5'b01100) | (dw0[28:24] == 5'b01101) | (dw0[28:24] == 5'b01110)));
        assume (~tlp_class[0] | ~tlp_class[1]);
    end
    wire [63:0] f_address = {dw0[29] ? dw2 : 32'd0, dw0[29] ? dw3[31:2] : dw2[31:2], 2'b00};
    wire [2:0]  f_function = dw2[18:16];
    wire        f_here = (dw2[31:19] == {bus, device});
    wire        f_in_own = own_bar_enable & (f_address >> 16 == own_bar_base >> 16);

    wire [PORTS-1:0] f_owns; // the port has a claim
    generate
        for (g = 0; g < PORTS; g = g + 1) begin : f_port
            // In a BAR: no bit that the mask names differs from the base.
            wire in0 = bar_enable[g*2] & ((f_address | ~bar_mask[g*128 +: 64]) ==
                                          (bar_base[g*128 +: 64] | ~bar_mask[g*128 +: 64]));
            wire in1 = bar_enable[g*2 + 1] & ((f_address | ~bar_mask[g*128 + 64 +: 64]) ==
                                              (bar_base[g*128 + 64 +: 64] | ~bar_mask[g*128 + 64 +: 64]));
            wire mine = (f_function == g + 1);
            assign f_owns[g] = (f_memory & (in0 | in1)) | (f_config0 & mine) |
                               ((f_completion | f_by_id) & f_here & mine) | f_broadcast;
            always @* begin
                assume ((bar_mask[g*128 +: 2] == 2'd0) & (bar_mask[g*128 + 64 +: 2] == 2'd0));
            end
        end
    endgenerate

    wire f_own = f_memory & f_in_own;
    wire [PORTS-1:0] f_claims = (BUMP != 0) ? {PORTS{1'b1}} : f_owns;
    // BARs that do not overlap.
    wire f_disjoint = ((f_claims & (f_claims - 1'b1)) == {PORTS{1'b0}});
    always @* begin
        // A TLP goes to the ports that claim it and are up, to the relay's BAR before all, and nowhere else.
        assert (to_port == (f_own ? {PORTS{1'b0}} : f_claims & up));
        assert (to_local == (f_own | (tlp_class[0] & (to_port == {PORTS{1'b0}}))));
        assert (~to_local | (to_port == {PORTS{1'b0}}));
        assert (refuse == ~f_own);
        assert (unmatched == (~f_own & (to_port == {PORTS{1'b0}})));
        assert (down == (unmatched & (f_claims != {PORTS{1'b0}})));
        if (f_disjoint & ~f_broadcast) begin
            assert ((to_port & (to_port - 1'b1)) == {PORTS{1'b0}});
        end
        cover (to_port[PORTS-1] & f_memory & dw0[29]);
        cover (to_port[0] & f_completion);
        cover (to_local & ~refuse);
        cover (to_local & refuse & down);
        cover (unmatched & ~to_local);
    end
`endif
endmodule

`default_nettype wire
