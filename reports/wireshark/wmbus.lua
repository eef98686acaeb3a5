-- Wireless M-Bus telegrams (link type DLT_USER0) and MQTT messages (DLT_USER1) from air.pcapng, for Wireshark and tshark.
--
--   tshark -X lua_script:wmbus.lua -r air.pcapng -V
--   tshark -X lua_script:wmbus.lua -r air.pcapng -Y 'wmbus.tpl.mode == 5 && wmbus.air.fate != 0'
--
-- The pseudo header is described in run.md (in an archive beside this file; docs/reference/ in wmbench's tree). A telegram comes without CRCs, so L gives its whole length. Layers
-- are shown as the bytes say: DLL, then ELL (CI 8C..8F), AFL (CI 90) and TPL (CI 72, 7A, 78), with the security mode and
-- the number of encrypted blocks from the configuration field. Nothing is decrypted: what is ciphertext is marked so,
-- and what lies behind the N encrypted blocks is marked as clear, because on the air it was.

local wmbus = Proto("wmbus", "Wireless M-Bus")
local f = {}
local function field(name, make, label, ...)
  f[name] = make("wmbus." .. name, label, ...)
end

local U8, U16, U32 = ProtoField.uint8, ProtoField.uint16, ProtoField.uint32
local FATES = { [0] = "received", "gateway down", "out of range", "receiver busy", "jammed", "collision" }
local MODES = { "T1", "C1", "S1" }
local ORIGINS = { [0] = "meter", "attacker" }
local CONTROLS = { [0x44] = "SND-NR", [0x46] = "SND-IR", [0x47] = "ACC-NR", [0x48] = "ACC-DMD", [0x08] = "RSP-UD" }
local TYPES = {
  [0x02] = "electricity", [0x03] = "gas", [0x04] = "heat", [0x06] = "warm water", [0x07] = "water",
  [0x08] = "heat cost allocator", [0x0a] = "cooling", [0x0c] = "heat", [0x16] = "cold water",
  [0x1a] = "smoke detector", [0x37] = "radio converter",
}
local LAYERS = {
  [0x72] = "TPL, long header", [0x78] = "TPL, no header", [0x7a] = "TPL, short header", [0x79] = "compact frame",
  [0x8c] = "ELL I", [0x8d] = "ELL II", [0x8e] = "ELL III", [0x8f] = "ELL IV", [0x90] = "AFL",
}
local SECURITY = {
  [0] = "none", [5] = "AES-128-CBC, IV from address and ACC", [7] = "AES-128-CBC, derived key",
  [8] = "AES-128-CTR with CMAC", [10] = "AES-128-CCM", [13] = "TLS",
}
local MAC_BYTES = { [3] = 2, [4] = 4, [5] = 8, [6] = 12, [7] = 16, [8] = 12, [9] = 16 }

field("air", ProtoField.none, "On the air")
field("air.version", U8, "Pseudo header version")
field("air.mode", U8, "Radio mode", base.DEC, MODES)
field("air.fate", U8, "Fate", base.DEC, FATES)
field("air.origin", U8, "Origin", base.DEC, ORIGINS)
field("air.receiver", U16, "Receiver")
field("air.rssi_dbm", ProtoField.double, "RSSI, dBm")
field("air.note", ProtoField.string, "Note")
field("dll", ProtoField.none, "Data link layer")
field("dll.length", U8, "L")
field("dll.control", U8, "C", base.HEX, CONTROLS)
field("tpl", ProtoField.none, "Transport layer")
for _, layer in ipairs({ "dll", "ell", "tpl" }) do
  field(layer .. ".manufacturer", ProtoField.string, "M")
  field(layer .. ".id", ProtoField.string, "Identification")
  field(layer .. ".version", U8, "Version", base.HEX)
  field(layer .. ".type", U8, "Device type", base.HEX, TYPES)
end
field("ell", ProtoField.none, "Extended link layer")
field("ell.ci", U8, "CI", base.HEX, LAYERS)
field("ell.cc", U8, "Communication control", base.HEX)
field("ell.acc", U8, "Access number")
field("ell.session", U32, "Session number", base.HEX)
field("ell.encryption", U8, "Encryption", base.DEC, { [0] = "none", [1] = "AES-128-CTR" })
field("afl", ProtoField.none, "Authentication and fragmentation layer")
field("afl.length", U8, "AFLL")
field("afl.fcl", U16, "Fragmentation control", base.HEX)
field("afl.more", ProtoField.bool, "More fragments", 16, nil, 0x4000)
field("afl.fragment", U16, "Fragment", base.DEC, nil, 0x00ff)
field("afl.mcl", U8, "Message control", base.HEX)
field("afl.at", U8, "Authentication type", base.DEC, nil, 0x0f)
field("afl.key", U16, "Key information", base.HEX)
field("afl.mcr", U32, "Message counter")
field("afl.mac", ProtoField.bytes, "MAC")
field("afl.ml", U16, "Message length")
field("tpl.ci", U8, "CI", base.HEX, LAYERS)
field("tpl.acc", U8, "Access number")
field("tpl.status", U8, "Status", base.HEX)
field("tpl.low_power", ProtoField.bool, "Low power", 8, nil, 0x04)
field("tpl.permanent_error", ProtoField.bool, "Permanent error", 8, nil, 0x08)
field("tpl.temporary_error", ProtoField.bool, "Temporary error", 8, nil, 0x10)
field("tpl.configuration", U16, "Configuration", base.HEX)
field("tpl.mode", U8, "Security mode", base.DEC, SECURITY)
field("tpl.blocks", U8, "N, encrypted blocks")
field("tpl.extension", U8, "Configuration extension", base.HEX)
field("tpl.kdf", U8, "Key derivation", base.DEC, { [0] = "none", [1] = "KDF-A" }, 0x30)
field("tpl.key_id", U8, "Key id", base.DEC, nil, 0x0f)
field("tpl.key_version", U8, "Key version")
field("tpl.counter", U32, "Counter")
field("ciphertext", ProtoField.bytes, "Ciphertext")
field("clear", ProtoField.bytes, "Clear data")
wmbus.fields = f

local cut = ProtoExpert.new("wmbus.cut", "The telegram is not as long as it says", expert.group.MALFORMED, expert.severity.ERROR)
local tail = ProtoExpert.new("wmbus.tail", "Clear data behind encrypted blocks", expert.group.SECURITY, expert.severity.WARN)
wmbus.experts = { cut, tail }

-- A cursor over the telegram. take() raises CUT when the bytes are not there; the dissector catches it.
local CUT = {}
local function reader(buffer)
  local at = 0
  return {
    left = function() return buffer:len() - at end,
    peek = function() if at >= buffer:len() then error(CUT) end return buffer(at, 1):uint() end,
    take = function(count)
      if at + count > buffer:len() then error(CUT) end
      local range = buffer(at, count)
      at = at + count
      return range
    end,
  }
end

local function letters(range)
  local m = range:le_uint()
  local function letter(shift) return string.char(bit.band(bit.rshift(m, shift), 31) + 64) end
  return letter(10) .. letter(5) .. letter(0)
end

local function reversed_hex(range)
  local digits = {}
  for i = range:len() - 1, 0, -1 do digits[#digits + 1] = string.format("%02x", range(i, 1):uint()) end
  return table.concat(digits)
end

-- M(2) ID(4) Ver Type; the long TPL header has the identification first.
local function address(tree, r, layer, id_first)
  local m, id
  if id_first then id, m = r.take(4), r.take(2) else m, id = r.take(2), r.take(4) end
  local version, kind = r.take(1), r.take(1)
  tree:add(f[layer .. ".manufacturer"], m, letters(m))
  tree:add(f[layer .. ".id"], id, reversed_hex(id))
  tree:add(f[layer .. ".version"], version)
  tree:add(f[layer .. ".type"], kind)
  return letters(m) .. " " .. reversed_hex(id), TYPES[kind:uint()] or string.format("type %02X", kind:uint())
end

-- True when the rest is encrypted by this layer.
local function ell(tree, r)
  local t = tree:add(f["ell"])
  local ci = r.take(1)
  t:add(f["ell.ci"], ci)
  t:add(f["ell.cc"], r.take(1))
  t:add(f["ell.acc"], r.take(1))
  local kind = ci:uint()
  if kind == 0x8e or kind == 0x8f then address(t, r, "ell") end
  if kind == 0x8d or kind == 0x8f then
    local session = r.take(4)
    local encryption = bit.rshift(session:le_uint(), 29)
    t:add_le(f["ell.session"], session)
    t:add(f["ell.encryption"], session, encryption)
    return encryption == 1
  end
  return false
end

local function afl(tree, r)
  local t = tree:add(f["afl"])
  r.take(1)
  t:add(f["afl.length"], r.take(1))
  local fcl = r.take(2)
  local bits = fcl:le_uint()
  local function has(n) return bit.band(bit.rshift(bits, n), 1) == 1 end
  t:add_le(f["afl.fcl"], fcl)
  t:add_le(f["afl.more"], fcl)
  t:add_le(f["afl.fragment"], fcl)
  local mac_bytes = 0
  if has(13) then
    local mcl = r.take(1)
    t:add(f["afl.mcl"], mcl)
    t:add(f["afl.at"], mcl)
    mac_bytes = MAC_BYTES[bit.band(mcl:uint(), 15)] or 0
  end
  if has(9) then t:add_le(f["afl.key"], r.take(2)) end
  if has(11) then t:add_le(f["afl.mcr"], r.take(4)) end
  if has(10) and mac_bytes > 0 then t:add(f["afl.mac"], r.take(mac_bytes)) end
  if has(12) then t:add_le(f["afl.ml"], r.take(2)) end
end

-- The security mode, the number of blocks and the access number; nothing for a layer without a header.
local function configuration(t, r)
  local acc, status, cfg = r.take(1), r.take(1), r.take(2)
  local bits = cfg:le_uint()
  local mode, blocks = bit.band(bit.rshift(bits, 8), 31), bit.band(bit.rshift(bits, 4), 15)
  t:add(f["tpl.acc"], acc)
  local s = t:add(f["tpl.status"], status)
  for _, name in ipairs({ "low_power", "permanent_error", "temporary_error" }) do s:add(f["tpl." .. name], status) end
  local c = t:add_le(f["tpl.configuration"], cfg)
  c:add(f["tpl.mode"], cfg, mode)
  if mode == 0 then return mode, 0, acc:uint() end
  c:add(f["tpl.blocks"], cfg, blocks)
  if mode == 7 then
    local extension = r.take(1)
    local x = t:add(f["tpl.extension"], extension)
    x:add(f["tpl.kdf"], extension)
    x:add(f["tpl.key_id"], extension)
    if bit.band(extension:uint(), 0x40) ~= 0 then t:add(f["tpl.key_version"], r.take(1)) end
    if bit.band(bits, 0x2000) ~= 0 then t:add_le(f["tpl.counter"], r.take(4)) end
  end
  return mode, blocks, acc:uint()
end

local function tpl(tree, r)
  local t = tree:add(f["tpl"])
  local ci = r.take(1)
  t:add(f["tpl.ci"], ci)
  local mode, blocks, acc
  if ci:uint() == 0x72 then address(t, r, "tpl", true) end
  if ci:uint() == 0x72 or ci:uint() == 0x7a then mode, blocks, acc = configuration(t, r) end
  local secret = 0
  if mode == 5 or mode == 7 then
    secret = blocks * 16
  elseif mode and mode ~= 0 then
    secret = r.left() -- modes with other rules, and unknown ones: nothing can be said to be clear
  end
  if secret > 0 then tree:add(f["ciphertext"], r.take(secret)) end
  if r.left() > 0 then
    local clear = tree:add(f["clear"], r.take(r.left()))
    if secret > 0 then clear:add_proto_expert_info(tail) end
  end
  if not mode then return LAYERS[ci:uint()] or string.format("CI %02X", ci:uint()) end
  return mode == 0 and string.format("mode 0, ACC %d", acc) or string.format("mode %d, N %d, ACC %d", mode, blocks, acc)
end

local function telegram(tree, r, info)
  local t = tree:add(f["dll"])
  local length = r.take(1)
  local whole = length:uint() == r.left()
  t:add(f["dll.length"], length)
  local control = r.take(1)
  t:add(f["dll.control"], control)
  local who, kind = address(t, r, "dll")
  info[#info + 1] = string.format("%s %s, %s", CONTROLS[control:uint()] or "?", who, kind)
  while r.left() > 0 do
    local ci = r.peek()
    if ci >= 0x8c and ci <= 0x8f then
      if ell(tree, r) then
        tree:add(f["ciphertext"], r.take(r.left()))
        info[#info + 1] = "ELL AES-CTR"
      end
    elseif ci == 0x90 then
      afl(tree, r)
    else
      info[#info + 1] = tpl(tree, r)
    end
  end
  if not whole then error(CUT) end
end

function wmbus.dissector(buffer, packet, root)
  packet.cols.protocol = "wM-Bus"
  local tree = root:add(wmbus, buffer())
  local air = tree:add(f["air"], buffer(0, 8))
  air:add(f["air.version"], buffer(0, 1))
  if buffer(0, 1):uint() == 255 then
    tree:add(f["air.note"], buffer(8))
    packet.cols.info = buffer(8):string()
    return
  end
  local mode, fate, rssi_dbm = buffer(1, 1):uint(), buffer(2, 1):uint(), buffer(6, 2):int() / 100
  air:add(f["air.mode"], buffer(1, 1))
  air:add(f["air.fate"], buffer(2, 1))
  air:add(f["air.origin"], buffer(3, 1))
  air:add(f["air.receiver"], buffer(4, 2))
  air:add(f["air.rssi_dbm"], buffer(6, 2), rssi_dbm)
  local info = { MODES[mode] or "?" }
  packet.cols.src = ORIGINS[buffer(3, 1):uint()] or "?"
  packet.cols.dst = string.format("receiver %d", buffer(4, 2):uint())
  if buffer:len() == 8 then
    info[#info + 1] = "no telegram: a burst"
  else
    local whole, why = pcall(telegram, tree, reader(buffer(8):tvb()), info)
    if not whole then
      if why ~= CUT then error(why) end
      tree:add_proto_expert_info(cut)
      info[#info + 1] = "cut"
    end
  end
  info[#info + 1] = string.format("%.1f dBm, %s", rssi_dbm, FATES[fate] or "?")
  packet.cols.info = table.concat(info, " | ")
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, wmbus)

-- The broker's side: topic and payload of a message, without TCP.
local published = Proto("wmbench_mqtt", "MQTT message at the portal")
local topic_field = ProtoField.string("wmbench_mqtt.topic", "Topic")
local payload_field = ProtoField.bytes("wmbench_mqtt.payload", "Payload")
local text_field = ProtoField.string("wmbench_mqtt.text", "Payload, as text")
published.fields = { topic_field, payload_field, text_field }

function published.dissector(buffer, packet, root)
  packet.cols.protocol = "MQTT"
  local tree = root:add(published, buffer())
  local size = buffer(0, 2):uint()
  local topic = buffer(2, size)
  tree:add(topic_field, topic, topic:string(ENC_UTF_8))
  packet.cols.src = "broker"
  packet.cols.dst = "portal"
  local rest = buffer:len() - 2 - size
  packet.cols.info = string.format("%s | %d bytes", topic:string(ENC_UTF_8), rest)
  if rest > 0 then
    local payload = buffer(2 + size)
    tree:add(payload_field, payload)
    tree:add(text_field, payload, payload:string(ENC_UTF_8))
    if Dissector.get("json") then Dissector.get("json"):call(payload:tvb(), packet, tree) end
  end
end

DissectorTable.get("wtap_encap"):add(wtap.USER1, published)
