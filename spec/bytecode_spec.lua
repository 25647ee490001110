-- bytecode_spec.lua - what is read from the bytecode of a function
-- luacheck: ignore 111 113 211/_ENV 212/_ENV 231 431
local wire = require "wire_test"
local describe, it, assert = describe, it, assert
local _ENV = _G

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function env_of(f)
  for i = 1, 255 do
    local name = debug.getupvalue(f, i)
    if name == "_ENV" then return i end
    if not name then return 0 end
  end
end

local function scan(f)
  local globals, captured, assigned = wire.scan(string.dump(f), env_of(f))
  return globals and sorted(globals), captured, assigned
end

describe("bytecode", function()
  it("names the globals that it reads and writes, nested ones too", function()
    assert.same({ "a", "b", "c", "d", "print" }, (scan(function()
      a = b
      local function g() return c, function() d() end end
      return g, print
    end)))
  end)

  it("tells fields and other tables from globals", function()
    local t = {}
    assert.same({ "e" }, (scan(function(x)
      t.a = t.b
      x.c = x.d
      return e.f
    end)))
    assert.same({}, (scan(function()
      local _ENV = t
      a = b
      return function() return c end
    end)))
    assert.same({ "a" }, (scan(function()
      local f = function(_ENV) return function() return b end end
      return f, a
    end)))
  end)

  it("knows which upvalues nested functions capture and who assigns", function()
    local a, b, c, d = 1, 2, 3, 4
    local function f()
      local x = a
      b = x
      return function() return c, function() d = x end end
    end
    local _, captured, assigned = scan(f)
    assert.same({ 3, 4 }, captured) -- a, b, c, d in the order of first use
    assert.same({ 2, 4 }, assigned)
  end)

  it("is not known when it is cut or foreign", function()
    local dump = string.dump(function() return print, 1.5, "x", 1 << 40 end)
    for i = 0, #dump - 1 do
      assert.is_nil(wire.scan(dump:sub(1, i), 1))
    end
    assert.is_nil(wire.scan(dump .. "\0", 1))
    assert.is_nil(wire.scan((dump:gsub("^\x1bLua\x54", "\x1bLua\x55")), 1))
    for i = 1, #dump do -- whatever it says, it reads no further
      for _, byte in ipairs { 0, 1, 0x7F, 0x80, 0xFF } do
        wire.scan(dump:sub(1, i - 1) .. string.char(byte) .. dump:sub(i + 1), 1)
      end
    end
  end)

  it("is read as luac lists it, for all files of Lua at hand", function()
    local pipe = io.popen "ls /usr/share/lua/5.4/*.lua /usr/share/lua/5.4/*/*.lua 2>/dev/null"
    local luac = os.execute "luac5.4 -v >/dev/null 2>&1" and "luac5.4"
    if not luac then return end
    local files = 0
    for path in pipe:lines() do
      local f = loadfile(path)
      if f then
        files = files + 1
        local listed, last = {}, ""
        for line in io.popen(luac .. " -l -l -p " .. path):lines() do
          local name = line:match "[GS]ETTABUP.*; _ENV \"([^\"]*)\""
          if last:match "GETUPVAL.*; _ENV$" then -- too many constants
            name = line:match "LOADK.*; \"([^\"]*)\""
          end
          if name then listed[name] = true end
          last = line
        end
        local found = {}
        for _, name in ipairs((scan(f))) do found[name] = true end
        for name in pairs(listed) do
          assert.is_true(found[name], path .. ": " .. name)
        end
        for name in pairs(found) do
          assert.is_true(listed[name], path .. ": " .. name)
        end
      end
    end
    pipe:close()
  end)
end)
