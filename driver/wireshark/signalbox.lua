-- SPDX-License-Identifier: BSD-2-Clause
--
-- Wireshark dissector for what `signalbox trace export --format pcapng` writes: link type 147 (DLT_USER0), a
-- pseudo header of 16 bytes and the first DW of a TLP as on the wire.
-- Put it into Wireshark's plugin folder (Help, About, Folders), or: tshark -X lua_script:signalbox.lua -r FILE

local signalbox = Proto("signalbox", "Signalbox relay trace")

local kinds = { [0] = "MSI", [1] = "INTx", [2] = "TLP" }

local f = signalbox.fields
f.version = ProtoField.uint8("signalbox.version", "Version")
f.flags = ProtoField.uint8("signalbox.flags", "Flags", base.HEX)
f.down = ProtoField.bool("signalbox.down", "Went downstream", 8, nil, 0x01)
f.level = ProtoField.bool("signalbox.level", "Wire rose", 8, nil, 0x02)
f.kept = ProtoField.bool("signalbox.kept", "Kept back", 8, nil, 0x04)
f.odd = ProtoField.bool("signalbox.odd", "Unusual but legal form", 8, nil, 0x08)
f.replay = ProtoField.bool("signalbox.replay", "Sent by the relay itself", 8, nil, 0x10)
f.missing = ProtoField.bool("signalbox.missing", "Records are missing before this one", 8, nil, 0x20)
f.kind = ProtoField.uint8("signalbox.kind", "Kind", base.DEC, kinds)
f.port = ProtoField.uint8("signalbox.port", "Port")
f.source = ProtoField.uint8("signalbox.source", "Source (255: none)")
f.count = ProtoField.uint8("signalbox.dw_count", "DW recorded")
f.number = ProtoField.uint16("signalbox.number", "Record number, modulo 65536")
f.time = ProtoField.uint64("signalbox.time_ns", "Relay's time in ns")
f.dw = ProtoField.uint32("signalbox.dw", "DW", base.HEX)
f.type = ProtoField.string("signalbox.tlp.type", "Type")
f.tc = ProtoField.uint32("signalbox.tlp.tc", "Traffic class", base.DEC)
f.length = ProtoField.uint32("signalbox.tlp.length", "Length in DW", base.DEC)
f.poisoned = ProtoField.bool("signalbox.tlp.poisoned", "Poisoned")
f.requester = ProtoField.string("signalbox.tlp.requester", "Requester")
f.completer = ProtoField.string("signalbox.tlp.completer", "Completer")
f.tag = ProtoField.uint32("signalbox.tlp.tag", "Tag", base.HEX)
f.address = ProtoField.uint64("signalbox.tlp.address", "Address", base.HEX)
f.target = ProtoField.string("signalbox.tlp.target", "Target")
f.register = ProtoField.uint32("signalbox.tlp.register", "Register", base.HEX)
f.code = ProtoField.uint32("signalbox.tlp.code", "Message code", base.HEX)
f.status = ProtoField.uint32("signalbox.tlp.status", "Completion status", base.DEC)
f.bytes_left = ProtoField.uint32("signalbox.tlp.byte_count", "Byte count", base.DEC)
f.msi_data = ProtoField.uint32("signalbox.msi.data", "Interrupt data", base.HEX)

-- Fmt and Type without the bit that tells a 4-DW header (PCIe Base 5.0, table 2-3).
local types = {
    [0x00] = "MRd", [0x01] = "MRdLk", [0x40] = "MWr", [0x02] = "IORd", [0x42] = "IOWr",
    [0x04] = "CfgRd0", [0x44] = "CfgWr0", [0x05] = "CfgRd1", [0x45] = "CfgWr1",
    [0x0a] = "Cpl", [0x4a] = "CplD", [0x0b] = "CplLk", [0x4b] = "CplDLk",
    [0x4c] = "FetchAdd", [0x4d] = "Swap", [0x4e] = "CAS",
}
for routing = 0, 7 do
    types[0x10 + routing] = "Msg"
    types[0x50 + routing] = "MsgD"
end

local function id_text(id)
    return string.format("%02x:%02x.%x", bit.rshift(id, 8), bit.band(bit.rshift(id, 3), 0x1f), bit.band(id, 7))
end

local function dissect_tlp(buffer, count, tree)
    local dw0 = buffer(0, 4):uint()
    local top = bit.rshift(dw0, 24)
    local long = bit.band(top, 0x20) ~= 0
    local name = types[bit.band(top, 0xdf)] or string.format("type 0x%02x", top)
    tree:add(f.type, buffer(0, 1), name)
    tree:add(f.tc, buffer(1, 1), bit.band(bit.rshift(dw0, 20), 7))
    local length = bit.band(dw0, 0x3ff)
    tree:add(f.length, buffer(2, 2), length == 0 and 1024 or length)
    tree:add(f.poisoned, buffer(2, 1), bit.band(dw0, 0x4000) ~= 0)
    if count < 3 then
        return name, nil
    end
    local dw1, dw2 = buffer(4, 4):uint(), buffer(8, 4):uint()
    local id = id_text(bit.rshift(dw1, 16))
    if name:sub(1, 3) == "Cpl" then
        tree:add(f.completer, buffer(4, 2), id)
        tree:add(f.status, buffer(6, 1), bit.band(bit.rshift(dw1, 13), 7))
        tree:add(f.bytes_left, buffer(6, 2), bit.band(dw1, 0xfff))
        tree:add(f.requester, buffer(8, 2), id_text(bit.rshift(dw2, 16)))
        tree:add(f.tag, buffer(10, 1), bit.band(bit.rshift(dw2, 8), 0xff))
        return name, id
    end
    tree:add(f.requester, buffer(4, 2), id)
    if name:sub(1, 3) == "Msg" then
        tree:add(f.code, buffer(7, 1), bit.band(dw1, 0xff))
        return string.format("%s code 0x%02x", name, bit.band(dw1, 0xff)), id
    end
    tree:add(f.tag, buffer(6, 1), bit.band(bit.rshift(dw1, 8), 0xff))
    if name:sub(1, 3) == "Cfg" then
        tree:add(f.target, buffer(8, 2), id_text(bit.rshift(dw2, 16)))
        tree:add(f.register, buffer(10, 2), bit.band(dw2, 0xffc))
        return string.format("%s %s register 0x%03x", name, id_text(bit.rshift(dw2, 16)), bit.band(dw2, 0xffc)), id
    end
    local address
    if not long then
        address = UInt64(dw2 - dw2 % 4, 0)
        tree:add(f.address, buffer(8, 4), address)
    elseif count >= 4 then
        local low = buffer(12, 4):uint()
        address = UInt64(low - low % 4, dw2)
        tree:add(f.address, buffer(8, 8), address)
    end
    return address and string.format("%s 0x%s", name, address:tohex()) or name, id
end

function signalbox.dissector(buffer, pinfo, root)
    pinfo.cols.protocol = "Signalbox"
    if buffer:len() < 16 or buffer(0, 1):uint() ~= 1 then
        pinfo.cols.info = "not a Signalbox record of version 1"
        return 0
    end
    local tree = root:add(signalbox, buffer(0, 16))
    tree:add(f.version, buffer(0, 1))
    local flags = tree:add(f.flags, buffer(1, 1))
    for _, field in ipairs({ f.down, f.level, f.kept, f.odd, f.replay, f.missing }) do
        flags:add(field, buffer(1, 1))
    end
    tree:add(f.kind, buffer(2, 1))
    tree:add(f.port, buffer(3, 1))
    tree:add(f.source, buffer(4, 1))
    tree:add(f.count, buffer(5, 1))
    tree:add(f.number, buffer(6, 2))
    tree:add(f.time, buffer(8, 8))

    local kind, bits, count = buffer(2, 1):uint(), buffer(1, 1):uint(), buffer(5, 1):uint()
    local info = kinds[kind] or "?"
    if count > 0 and buffer:len() >= 16 + 4 * count then
        local body = buffer(16, 4 * count)
        local tlp = root:add(signalbox, body, "Transaction layer packet")
        for i = 0, count - 1 do
            tlp:add(f.dw, body(4 * i, 4))
        end
        local text, id = dissect_tlp(body, count, tlp)
        info = kind == 2 and text or info .. " " .. text
        if id then
            pinfo.cols.src = id
            info = info .. " from " .. id
        end
        if kind == 0 and count >= 4 then
            local long = bit.band(body(0, 1):uint(), 0x20) ~= 0
            local at = long and 16 or 12
            if body:len() >= at + 4 then
                tlp:add(f.msi_data, body(at, 4), body(at, 4):le_uint())
                info = info .. string.format(" = 0x%04x", body(at, 4):le_uint())
            end
        end
    end
    if kind == 1 then
        info = info .. (bit.band(bits, 0x02) ~= 0 and " rises" or " falls")
    end
    if bit.band(bits, 0x04) ~= 0 then
        info = info .. " [kept back]"
    end
    if bit.band(bits, 0x10) ~= 0 then
        info = info .. " [sent by the relay]"
    end
    pinfo.cols.info = info
    return buffer:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, signalbox)
