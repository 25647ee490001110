-- wire_cache_spec.lua - source that was found, and compiled, once
-- luacheck: ignore 111 112 113 122 211/_ENV
local wire = require "wire_test"
local finder = require "futures.source"
local describe, it, before_each, assert = describe, it, before_each, assert
local after_each = after_each
local _ENV = _G

local MANY = 700 -- more than either cache keeps

describe("source that is sent again", function()
  local c, asked
  before_each(function()
    c, asked = wire.channel(true), 0
    c:source(function(f)
      asked = asked + 1
      return finder.chunk(f)
    end)
  end)
  after_each(function() fact, SCALE = nil, nil end)

  local function copy(...) return c:decode(c:encode(...)) end
  local function named(text, name) return load(text, name)() end

  it("is looked for once, for all closures of a function", function()
    for i = 1, 5 do
      local f = function(x) return x + i end
      assert.equal(i + 1, c:call(f, 1))
      assert.equal(i + 1, c:call(f, 1))
      assert.equal(i + 1, copy { f }[1](1))
    end
    assert.equal(1, asked)
  end)

  it("is looked for once when functions come along", function()
    SCALE = 2
    local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    function fact(n) return n < 2 and SCALE or n * fact(n - 1) end
    for _ = 1, 3 do
      assert.equal(55, c:call(fib, 10))
      assert.equal(48, c:call(fact, 4))
      assert.equal(57, c:call(function(n) return fib(n) + fact(1) end, 10))
    end
    assert.equal(3, asked)
  end)

  it("is looked for again by another finder", function()
    local f = named("return function() return 1 end", "=nowhere")
    assert.error_matches(function() c:encode(f) end, "is no file")
    local text = "return function() return 1 end"
    for _, name in ipairs { "@one", "@other" } do
      c:source(function() return text, name, {}, false end)
      for _ = 1, 2 do
        assert.equal(name, debug.getinfo(copy(f), "S").source)
      end
    end
  end)

  it("is refused each time when there is none", function()
    local f = named("return function() return 1 end", "=nowhere")
    for _ = 1, 3 do
      assert.error_matches(function() c:encode(f) end, "is no file")
    end
    finder.register("=nowhere", "return function() return 1 end")
    assert.equal(1, copy(f)())
    finder.register("=nowhere", nil)
    assert.equal(1, copy(f)()) -- once verified it is known
  end)

  it("has the upvalues of the moment", function()
    local n, s, flag = 1, "a", nil
    local function f() return n, s, flag end
    for i = 1, 4 do
      n, s, flag = i, ("s"):rep(i * 30), i % 2 == 0
      assert.same({ i, ("s"):rep(i * 30), i % 2 == 0 }, { c:call(f) })
      assert.same({ i, ("s"):rep(i * 30), i % 2 == 0 }, { copy(f)() })
    end
    s = { 5 }
    assert.same({ 4, { 5 }, true }, { c:call(f) })
    s = "plain again"
    assert.same({ 4, "plain again", true }, { c:call(f) })
    assert.equal(1, asked)
  end)

  it("tells functions apart by chunk name and line", function()
    local text = "return function() return debug.getinfo(1, 'Sl') end"
    for _ = 1, 2 do
      for _, name in ipairs { "=a", "=b", "@a" } do
        for _, lines in ipairs { 0, 1, 31, 32, 33, 5000 } do
          local whole = ("\n"):rep(lines) .. text
          finder.register(name, whole)
          local f = copy(named(whole, name))
          assert.equal(name, f().source)
          assert.equal(lines + 1, f().currentline)
        end
        finder.register(name, nil)
      end
    end
  end)

  it("takes no more bytes for the lines before it", function()
    local text = "return function() end"
    local function size(lines)
      local whole = ("\n"):rep(lines) .. text
      finder.register("=far", whole)
      return #c:encode(named(whole, "=far"))
    end
    assert.is_true(size(100000) <= size(0) + 3)
    finder.register("=far", nil)
  end)

  it("lies in a message once", function()
    local function make(a) return function() return a, "and some text that is long" end end
    local once = #c:encode { make(1) }
    local often = #c:encode { make(1), make(2), make(3), make(4) }
    assert.is_true(often < once + 3 * 20)
    local list = copy { make(1), make(2), { make(3) }, make { 4 } }
    assert.same({ 1, 2, 3 }, { (list[1]()), (list[2]()), (list[3][1]()) })
    assert.same({ 4 }, (list[4]()))
    local main = load "local a = ... return a, 'and some text that is long'"
    assert.is_true(#c:encode(main, { main }) < #c:encode(main) + 20)
    local other = load "local a = ... return a, 'and some text that is long'"
    local x, y = copy({ main }, { other })
    assert.same({ 1, 2 }, { (x[1](1)), (y[1](2)) })
  end)

  it("makes a function that is sent twice one function", function()
    local function helper(x) return x * 2 end
    local function f(x) return helper(x) end
    local function g(x) return helper(x), helper end
    for _ = 1, 3 do
      local x, y, z = copy(f, helper, f)
      assert.equal(x, z)
      assert.equal(y, select(2, debug.getupvalue(x, 1)))
      x, _, z = copy(helper, 1, helper)
      assert.equal(x, z)
      _, y, z = copy(helper, { helper }, g)
      assert.equal(y[1], (select(2, z(1))))
    end
    -- a function that takes the place of another in the receiver's cache
    local between = {}
    for i = 1, 150 do between[i] = load("return " .. i) end
    for _ = 1, 2 do
      local all = table.pack(copy(helper, table.unpack(between)))
      for i = 1, 150 do assert.equal(i, all[i + 1]()) end
      all = table.pack(c:call(function(...)
        local first, last = (...), select(-1, ...)
        return first == last, select("#", ...)
      end, helper, between[1], between[2], helper))
      assert.same({ true, 4, n = 2 }, all)
    end
  end)

  it("is given out anew when nested functions keep its variables", function()
    local function counter(n)
      return function() n = n + 1 return n end
    end
    local function task(start)
      local function make() start = start + 1 return start end
      kept = kept or {}
      kept[#kept + 1] = make
      return make()
    end
    local shared = 10
    local function keep()
      kept[#kept + 1] = function() shared = shared + 1 return shared end
      return kept[#kept]()
    end
    for i = 1, 3 do
      assert.equal(i + 1, c:call(task, i))
      assert.equal(11, c:call(keep))
      assert.equal(6, c:call(counter(5)))
    end
    assert.same({ 3, 12, 4, 12, 5, 12 }, { c:call(function()
      return kept[1](), kept[2](), kept[3](), kept[4](), kept[5](), kept[6]()
    end) })
  end)

  it("does not lend one closure to two users", function()
    local n = 0
    local function f(g) n = n + 1 return n, g and g() end
    for _ = 1, 3 do
      local a, b = copy(f), copy(f)
      assert.not_equal(a, b)
      assert.same({ 1, 2, 1 }, { (a()), (a()), (b()) })
      assert.same({ 1, 1 }, { c:call(f, function() n = n + 1 return n - 1 end) })
    end
  end)

  it("is checked as well when it is known", function()
    local n, bytes = 5, nil
    local function f() return n, print end
    for _ = 1, 2 do
      bytes = c:encode(f, 1)
      assert.equal(5, (c:decode(bytes)()))
      for size = 0, #bytes - 1 do
        assert.is_false((pcall(c.decode, c, bytes:sub(1, size))))
      end
      assert.error_matches(function() c:decode(bytes, true) end,
        "a function is not allowed")
    end
    local upvalues = bytes:match ".*end()\2"
    assert.equal("\2", bytes:sub(upvalues, upvalues))
    assert.error_matches(function()
      c:decode(bytes:sub(1, upvalues - 1) .. "\3" .. bytes:sub(upvalues + 1))
    end, "another number of upvalues")
  end)

  it("may refer only to a source before it", function()
    local a = {}
    local function make() return function() return a end end
    local bytes = c:encode { make(), make() }
    local at = bytes:match "[\x28\x29]\2()[\4-\x20]"
    for offset = 0, 255 do
      local changed = bytes:sub(1, at - 1) .. string.char(offset) .. bytes:sub(at + 1)
      local ok, list = pcall(c.decode, c, changed)
      assert.equal(offset == bytes:byte(at), ok)
      if ok then assert.equal(list[1](), list[2]()) end
    end
  end)

  it("may begin with very many line breaks, but not with any number", function()
    local text = ("\n"):rep((1 << 20) + 5) .. "return function() end"
    finder.register("=far", text)
    local bytes = c:encode(named(text, "=far"))
    finder.register("=far", nil)
    assert.equal((1 << 20) + 6, debug.getinfo(c:decode(bytes), "S").linedefined)
    local limit = "\x80\x80\x40"
    assert.truthy(bytes:find(limit, 1, true))
    assert.error_matches(function()
      c:decode((bytes:gsub(limit, "\x81\x80\x40")))
    end, "no source or truncated")
  end)

  it("is kept in bounds, for functions that were collected too", function()
    local before = wire.blocks()
    for i = 1, 3 * MANY do
      local f = load(("return function(x) return x + %d end"):format(i))()
      assert.equal(i + 1, c:call(f, 1))
    end
    assert.is_true(wire.blocks() < before + 4 * MANY) -- not four for each
  end)

  it("comes again when it was forgotten", function()
    local functions = {}
    for i = 1, MANY do
      functions[i] = load(("local a = %d; return function(x) return a + x end"):format(i))()
    end
    for _ = 1, 3 do
      for i, f in ipairs(functions) do assert.equal(i + 2, c:call(f, 2)) end
    end
  end)

  it("may be larger than all that is kept", function()
    local function sized(value, size)
      local text = ("return function() return %s end --%s"):format(value, ("x"):rep(size))
      finder.register("=long" .. value, text)
      return named(text, "=long" .. value)
    end
    local long = { sized(1, 1500000), sized(2, 1500000), sized(3, 1500000), sized(4, 5000000) }
    for _ = 1, 2 do
      for i, f in ipairs(long) do
        assert.equal(i, c:call(f))
        assert.equal(i, c:call(f))
      end
    end
    for i = 1, #long do finder.register("=long" .. i, nil) end
  end)

  it("may be forgotten by what finalizers send meanwhile", function()
    local n, texts = 1, {}
    for i = 1, 300 do texts[i] = c:encode(load("return " .. i)) end
    local function f(x) return n + x end
    local function g(x) return function() return n + x end end
    local runs = 0
    local function meanwhile()
      setmetatable({}, { __gc = function()
        runs = runs + 1
        for i = 1, #texts do c:decode(texts[i]) end
        for i = 1, 20 do c:encode(load("return " .. runs * 20 + i)) end
      end })
    end
    for i = 1, 100 do
      meanwhile()
      local x, y = copy(f, { g, load("return 1, " .. i) })
      assert.equal(3, x(2))
      assert.equal(3, y[1](2)())
      assert.same({ 1, i }, { y[2]() })
      if i % 10 == 0 then collectgarbage "step" end
    end
    collectgarbage()
    assert.is_true(runs > 0)
  end)
end)
