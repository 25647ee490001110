-- wire_source_spec.lua - functions in bytes that leave the process, as source
-- luacheck: ignore 111 112 113 122 211/_ENV
local wire = require "wire_test"
local describe, it, before_each, assert = describe, it, before_each, assert
local after_each = after_each
local _ENV = _G

-- Stands for futures.source: knows the texts of the functions made here.
local texts = setmetatable({}, { __mode = "k" })

local function source(f)
  local known = texts[f]
  if not known then
    error(("source of function <%s> is in no file"):format(
      debug.getinfo(f, "S").short_src), 0)
  end
  return known[1], known[2], {}, known[3]
end

local function make(text, chunkname)
  local f = load(text, chunkname or "=made")()
  texts[f] = { text, chunkname or "=made" }
  return f
end

local function set(f, name, value)
  for i = 1, 255 do
    local n = debug.getupvalue(f, i)
    if n == name then
      debug.setupvalue(f, i, value)
      return i
    elseif not n then
      error("no upvalue " .. name)
    end
  end
end

describe("a function in bytes", function()
  local c
  before_each(function()
    c = wire.channel()
    c:source(source)
  end)
  after_each(function() SCALE = nil end)

  local function copy(...) return c:decode(c:encode(...)) end

  it("runs, with name and lines as they were", function()
    local f = copy(make("\n\nreturn function(x) return x + 1 end", "@app.lua"))
    assert.equal(3, f(2))
    local info = debug.getinfo(f, "S")
    assert.equal("@app.lua", info.source)
    assert.equal(3, info.linedefined)
  end)

  it("has its upvalues and the receiver's globals", function()
    local f = make "local a, b return function() a = a + 1 return a, b, print end"
    set(f, "a", 1)
    set(f, "b", { 5 })
    for _ = 1, 2 do
      assert.same({ 2, { 5 }, print }, { copy(f)() })
    end
  end)

  it("shares upvalues and itself", function()
    local text = "local a return function(v) a = v or a return a end"
    local f, g = make(text), make(text)
    debug.upvaluejoin(f, set(f, "a", 1), g, set(g, "a", 1))
    local x, y, z = copy(f, g, f)
    assert.equal(x, z)
    assert.not_equal(x, y)
    x(7)
    assert.equal(7, y())
    local h = make(text)
    set(h, "a", 3)
    x, y = copy(f, h)
    x(9)
    assert.equal(3, y())
    set(h, "a", h)
    x = copy(h)
    assert.equal(x, x())
  end)

  it("may be in a table, an upvalue, a key and a rebuilt object", function()
    local text = "local a return function(v) a = v or a return a end"
    local f, g, h = make(text), make(text), make(text)
    set(f, "a", g)
    set(g, "a", 5)
    set(h, "a", 6)
    local t = copy { f, x = h, [g] = { h } }
    assert.equal(5, t[1]()())
    assert.equal(6, t.x())
    assert.equal(t.x, t[t[1]()][1])
    local o = setmetatable({}, { __reduce = function() return h, { g, 1 } end })
    texts[getmetatable(o).__reduce] = { "return function() end", "=x" }
    t = copy { o, o }
    assert.equal(t[1], t[2])
    assert.equal(5, t[1][1]())
  end)

  it("has an environment of its own if it had one", function()
    local text = "return function() return x end"
    local f, g = make(text), make(text)
    debug.setupvalue(f, 1, { x = 5 }) -- shared with the chunk that made it
    local a, b = copy(f, g)
    assert.equal(5, a())
    assert.is_nil(b())
    assert.equal(_G, select(2, debug.getupvalue(b, 1)))
  end)

  it("takes globals along", function()
    SCALE = 4
    local f = make "return function(x) return x * SCALE, print end"
    local bytes = c:encode(f)
    SCALE = nil
    assert.same({ 8, print }, { c:decode(bytes)(2) })
    assert.is_nil(SCALE)
  end)

  it("may be a whole chunk", function()
    local f = load("local x = ... return x, print", "=main")
    texts[f] = { "local x = ... return x, print", "=main", true }
    local a, b = copy(f, f)
    assert.same({ 5, print }, { a(5) })
    assert.equal(a, b)
  end)

  it("is refused without source, with the reason", function()
    local f = load "return 1"
    assert.error_matches(function() copy(0, { f }) end,
      "cannot send argument 1%[1%]: source of function <.*> is in no file")
    assert.error_matches(function() wire.channel():encode(0, f) end,
      "cannot send argument 1: function without source")
    assert.equal(1, copy(1))
  end)

  it("is refused when it is not wanted or does not compile", function()
    local bytes = c:encode(make "return function() end")
    assert.error_matches(function() c:decode(bytes, true) end,
      "a function is not allowed")
    assert.error_matches(function()
      c:decode((bytes:gsub("return f", "return ?")))
    end, "source does not compile")
    assert.error_matches(function()
      c:decode((bytes:gsub("return function%(%) end", "print'there was code'  ")))
    end, "source makes no function")
    assert.error_matches(function()
      c:decode((bytes:gsub("return function%(%) end",
        (string.dump(load "return 1"):sub(1, 22):gsub("%%", "%%%%")))))
    end, "source does not compile")
  end)

  it("comes with the real finder of sources", function()
    local ok, finder = pcall(require, "futures.source")
    if not ok then return end
    c:source(finder.chunk)
    local n, t = 1, {}
    local function f(x) n = n + x t[#t + 1] = n return n, t, print end
    local g = copy(f)
    assert.same({ 3, { 3 }, print }, { g(2) })
    assert.same({ 6, { 3, 6 }, print }, { g(3) })
    assert.equal(1, n)
  end)
end)
