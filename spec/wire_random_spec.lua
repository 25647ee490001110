-- wire_random_spec.lua - random values arrive as they were; broken bytes never do harm
-- luacheck: ignore 111 113 211/_ENV
local wire = require "wire_test"
local describe, it, assert = describe, it, assert
local after_each = after_each
package.path = "spec/support/?.lua;" .. package.path
local random = require "wire_random"
local _ENV = _G
local times = tonumber(os.getenv "FUTURES_SCALE" or 1)

describe("a random value", function()
  it("arrives in another state and comes back", function()
    local c = wire.channel()
    for seed = 1, 400 * times do
      local v = random.value(seed, true)
      if type(v) ~= "function" then
        assert(random.alike(v, (c:call(v))), seed)
      end
    end
  end)

  it("is read back from bytes, with functions as source", function()
    local c = wire.channel()
    c:source(random.source)
    for seed = 1, 400 * times do
      local v = random.value(seed, true)
      assert(random.alike(v, (c:decode(c:encode(v)))), seed)
    end
  end)

  it("is read back from bytes", function()
    local c = wire.channel()
    for seed = 1, 400 * times do
      local v = random.value(seed)
      local w = c:decode(c:encode(v))
      assert(random.alike(v, w), seed)
      assert(random.alike(w, (c:decode(c:encode(w), true))), seed)
    end
  end)
end)

describe("broken bytes", function()
  -- Decode, which must refuse or work; bound the memory taken.
  local function try(c, bytes, data)
    collectgarbage "stop"
    local before = collectgarbage "count"
    wire.refusals()
    local ok, message = pcall(c.decode, c, bytes, data)
    local refusals = wire.refusals()
    local taken = collectgarbage "count" - before
    collectgarbage "restart"
    assert(ok or refusals == 1, message)
    assert(taken < 40 + #bytes * 0.2, taken)
    return ok
  end

  after_each(function() collectgarbage() end)

  it("are refused when the end is missing, or there is more", function()
    local c = wire.channel()
    for seed = 1, 30 * times do
      local bytes = c:encode(random.value(seed), seed, nil)
      -- a sanitizer that never forgets a frame left by an error: not all
      for i = 0, math.min(#bytes - 1, 3000), math.max(1, 1 // times) do
        assert.is_false(try(c, bytes:sub(1, i)))
      end
      assert.is_false(try(c, bytes .. "\0"))
      assert.is_true(try(c, bytes))
    end
  end)

  it("are refused or mean something else when they are changed", function()
    local c = wire.channel()
    math.randomseed(42)
    local int, char = math.random, string.char
    for seed = 1, 100 * times do
      local bytes = c:encode(random.value(seed), string, setmetatable({}, {}))
      for _ = 1, 40 do
        local at = int(#bytes)
        local kind = int(4)
        local changed
        if kind == 1 then
          changed = bytes:sub(1, at - 1) .. char(int(0, 255)) .. bytes:sub(at + 1)
        elseif kind == 2 then
          changed = bytes:sub(1, at) .. char(int(0, 255)) .. bytes:sub(at + 1)
        elseif kind == 3 then
          changed = bytes:sub(1, at - 1) .. bytes:sub(at + int(3))
        else
          local from = int(#bytes)
          changed = bytes:sub(1, at) .. bytes:sub(from, from + int(20)) ..
            bytes:sub(at + 1)
        end
        try(c, changed, int(2) == 1)
      end
    end
  end)

  it("cannot ask for much memory in few bytes", function()
    local c = wire.channel()
    local random_byte = math.random
    for _ = 1, 10000 * times do
      local bytes = { "\xF1", string.char(random_byte(0, 2)), "\1" }
      for i = 4, random_byte(5, 24) do
        local kind = random_byte(5)
        bytes[i] = kind == 1 and "\xFF" or kind == 2 and "\x18" or
          kind == 3 and string.char(random_byte(0, 45)) or
          string.char(random_byte(0, 255))
      end
      bytes[#bytes + 1] = "\xFE"
      try(c, table.concat(bytes), true)
    end
  end)

  it("may be nested without end", function()
    local c = wire.channel()
    for _, piece in ipairs { "\x18\1\0", "\x18\0\1\1", "\x1A\0\0" } do
      try(c, "\xF1\0\1" .. piece:rep(200000) .. "\xFE", true)
      try(c, "\xF1\0\1" .. piece:rep(50000) .. "\0" .. ("\0"):rep(100000) .. "\xFE", true)
    end
  end)
end)
