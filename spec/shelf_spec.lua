-- shelf_spec.lua - functions that workers of a process pool have met before
local futures = require "futures"
local wire = require "wire_test"

local function numbered(number)
  return load(("local k = ... return function(x) return %d + k + x end"):format(number))(number)
end

describe("a function that is sent to processes again", function()
  it("is the same each time, among more than are remembered", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local fns, fs = {}, {}
    for i = 1, 700 do fns[i] = numbered(i) end
    for round = 1, 3 do
      for i = 1, 700 do fs[#fs + 1] = ex:submit(fns[i], round) end
    end
    for round = 1, 3 do
      for i = 1, 700 do assert.equal(2 * i + round, fs[(round - 1) * 700 + i]:result()) end
    end
  end)

  it("is found by two pools, by turns", function()
    local one <close> = futures.ProcessPoolExecutor(1)
    local two <close> = futures.ProcessPoolExecutor(1)
    assert.equal(9, one:submit(numbered(4), 1):result()) -- they lie in other places there
    local f, g = numbered(1), numbered(2)
    for i = 1, 20 do
      assert.equal(2 + i, one:submit(f, i):result())
      assert.equal(2 + i, two:submit(f, i):result())
      assert.equal(4 + i, two:submit(g, i):result())
      assert.equal(4 + i, one:submit(g, i):result())
    end
  end)

  it("has its upvalues as they are then, however long it is", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local text = { "local n = 0 return function(v) n = v or n local t = {}" }
    for i = 1, 1500 do text[#text + 1] = ("t[#t + 1] = n + %d"):format(i) end
    text[#text + 1] = "return n, #t, t[#t] end"
    local f = load(table.concat(text, "\n"))()
    for i = 1, 50 do
      f(i)
      local n, count, last = ex:submit(f):result()
      assert.same({ i, 1500, i + 1500 }, { n, count, last })
    end
  end)

  it("is known to workers that come later", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, max_tasks_per_child = 3 }
    local f = numbered(5)
    for i = 1, 12 do assert.equal(10 + i, ex:submit(f, i):result()) end
  end)

  it("keeps what is one and what is not", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local function make()
      local n = 0
      return function() n = n + 1 return n end
    end
    local f, g = make(), make()
    local function call(x, y, z) return x == y, x == z, x(), y(), x(), z() end
    for _ = 1, 3 do
      assert.same({ false, true, 1, 1, 2, 3 }, { ex:submit(call, f, g, f):result() })
    end
  end)

  it("serves all items of a map", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local xs = {}
    for i = 1, 500 do xs[i] = i end
    for round = 1, 3 do
      for i, y in ex:map(function(x) return x * round end, xs) do assert.equal(i * round, y) end
    end
  end)

  it("is the new one where its text was replaced", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    for round = 1, 4 do
      local text = ("return function() return %d end"):format(round)
      futures.register_source("@replaced.lua", text)
      local f = load(text, "@replaced.lua")()
      for _ = 1, 3 do assert.equal(round, ex:submit(f):result()) end
    end
  end)
end)

describe("bytes that say where source lies", function()
  -- A source as it lies there, for a chunk that returns a function.
  local function source(text)
    return ("\0" .. string.char(2) .. "=x" .. "\0" .. string.char(#text) .. text)
  end

  local function place(number) return string.char(0xF1, 0, 1, 0x28, 3, number, 0, 0xFE) end

  local function padded(s) return s .. ("\0"):rep(-#s % 16) end

  it("give the function, that was met before and that was not", function()
    local c = wire.channel(true)
    local first = padded(source "return function() return 1 end")
    c:shelf(("\0"):rep(16) .. first .. padded(source "return function() return 2 end"))
    for _ = 1, 3 do
      assert.equal(1, c:decode(place(1))())
      assert.equal(2, c:decode(place(1 + #first // 16))())
    end
  end)

  it("are refused where there is none, whatever was met before", function()
    local c = wire.channel(true)
    local cut = source "return function() return 2 end"
    c:shelf(("\0"):rep(16) .. padded(source "return function() return 1 end") .. cut:sub(1, 18))
    for round = 1, 2 do
      for number = 0, 127 do
        local ok, err = pcall(c.decode, c, place(number))
        assert.equal(number == 1, ok)
        if number ~= 1 then assert.matches("malformed message", err) end
      end
      if round == 1 then assert.equal(1, c:decode(place(1))()) end
    end
  end)

  it("are refused where there is no shelf", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    for number = 0, 5 do
      local there = ex:submit(function(s) return require "futures".decode(s) end, place(number))
      local _, here = pcall(futures.decode, place(number))
      for _, err in ipairs { here, there:exception() } do
        assert.is_true(futures.isinstance(err, futures.SerializationError))
        assert.matches("no such source", err.message)
      end
    end
  end)
end)
