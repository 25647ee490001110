-- wire_spec.lua - values arrive in another state as they left this one
-- luacheck: ignore 111 112 113 122 211/_ENV 431 311
local wire = require "wire_test"
local describe, it, before_each, assert = describe, it, before_each, assert
local _ENV = _G -- functions of this file shall not capture busted's own

local function same(a, b, seen)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then
    return false
  end
  if type(a) == "number" then
    return string.pack("n", a) == string.pack("n", b)
  elseif type(a) ~= "table" then
    return a == b
  end
  seen = seen or {}
  if seen[a] then
    return seen[a] == b
  end
  seen[a] = b
  local n, keyed = 0, {}
  for k, v in next, a do
    n = n + 1
    if type(k) == "table" then
      keyed[#keyed + 1] = v
    elseif not same(v, rawget(b, k), seen) then
      return false
    end
  end
  for k, v in next, b do
    n = n - 1
    if type(k) == "table" then
      local found
      for i, w in ipairs(keyed) do
        if same(w, v, seen) then
          table.remove(keyed, i)
          found = true
          break
        end
      end
      if not found then
        return false
      end
    end
  end
  return n == 0 and #keyed == 0 and
    same(getmetatable(a), getmetatable(b), seen)
end

describe("a value sent to another state", function()
  local c
  before_each(function() c = wire.channel() end)

  local function keeps(...)
    local sent, back = table.pack(...), table.pack(c:call(...))
    assert.equal(sent.n, back.n)
    for i = 1, sent.n do
      assert.is_true(same(sent[i], back[i]))
    end
  end

  it("keeps nil and booleans", function()
    keeps()
    keeps(nil)
    keeps(nil, true, false, nil)
  end)

  it("keeps integers and floats bit for bit", function()
    for _, n in ipairs { 0, 1, -1, -16, -17, 111, 112, 32767, 32768, -32768,
      -32769, 2147483647, 2147483648, -2147483648, -2147483649,
      math.maxinteger, math.mininteger, 0.0, -0.0, 1.5, 1e300, math.huge,
      -math.huge, 2.0, 2^53, string.unpack("n", "\1\2\3\4\5\6\xf0\x7f"),
      string.unpack("n", "\1\2\3\4\5\6\xf8\xff") } do
      keeps(n)
      keeps { n, k = n }
    end
  end)

  it("keeps strings of any bytes and length", function()
    keeps("", "\0", "a\0b\255", ("x"):rep(40), ("x"):rep(41), ("y"):rep(63),
      ("z"):rep(64), ("long"):rep(100000))
    keeps { "", "\0", ("x"):rep(40), ("x"):rep(41), [("k"):rep(50)] = 1,
      [("k"):rep(40)] = 2, [""] = 3, ["\0"] = 4 }
  end)

  it("keeps light userdata", function()
    keeps(wire.pointer(0), wire.pointer(12345), wire.pointer(-1))
  end)

  it("keeps arrays, also with holes, and pairs of all key types", function()
    keeps({}, { 1, 2, 3 }, { 1, nil, 3 }, { nil, nil, 3 }, { n = 1, 1, 2 })
    keeps { [1] = 1, [2] = 2, [4] = 4, [1000] = 5, [-1] = 6, [0] = 7 }
    keeps { [true] = 1, [false] = 2, [1.5] = 3, [{}] = 4,
      [wire.pointer(3)] = 5, [{ { 1 } }] = { [{ 2 }] = 6 } }
    local odd = {}
    for i = 100, 1, -1 do odd[i] = i end
    odd.x = 1
    keeps(odd)
    keeps { table.unpack({}, 1, 50) }
    local sparse = {}
    for i = 0, 60 do sparse[1 << i] = i end
    keeps(sparse)
  end)

  it("keeps many keys", function()
    local t = {}
    for i = 1, 3000 do
      t[i] = { ["key" .. i] = i, ["key" .. i % 300] = -i, common = true }
    end
    keeps(t, t)
  end)

  it("keeps cycles and shared references", function()
    local t, shared = {}, { "shared" }
    t.self, t[1], t[2] = t, shared, { shared, t }
    t[shared] = shared
    local back = c:call(t)
    assert.equal(back, back.self)
    assert.equal(back[1], back[2][1])
    assert.equal(back, back[2][2])
    assert.equal(back[1], back[back[1]])
    local a, b = c:call(shared, shared)
    assert.equal(a, b)
  end)

  it("keeps metatables", function()
    local class = { name = "class" }
    class.__index = class
    local o = setmetatable({ 1, x = 2 }, class)
    local back, again = c:call(o, setmetatable({}, class))
    assert.equal("class", back.name)
    assert.equal(getmetatable(back), getmetatable(again))
    assert.is_true(same(o, back))
    local own = {}
    own.__index = own
    setmetatable(own, own)
    back = c:call(own)
    assert.equal(back, getmetatable(back))
  end)

  it("never calls a metamethod", function()
    local function no() error "called" end
    local mt = { __index = no, __newindex = no, __len = no, __pairs = no,
      __eq = no, __metatable = "hidden", __tostring = no, __name = "n" }
    local back = c:call(setmetatable({ 1, 2, a = 3 }, mt))
    assert.equal(2, rawlen(back))
    assert.equal("hidden", getmetatable(back))
  end)

  it("has a finalizer although its metatable is not complete before it",
    function()
      local mt = {}
      mt.first = setmetatable({}, mt)
      mt.__gc = function() done = (done or 0) + 1 end
      local n = c:call(function(t)
        t.first, t = nil, nil
        collectgarbage()
        collectgarbage()
        return done
      end, mt)
      mt.first = nil
      assert.equal(1, n)
    end)

  it("may be nested 50,000 deep in either position", function()
    local t, keyed = {}, {}
    for _ = 1, 50000 do
      t, keyed = { t }, { [keyed] = 1 }
    end
    local back, key = c:call(t, keyed)
    for _ = 1, 50000 do
      back, key = back[1], next(key)
    end
    assert.is_nil(next(back))
    assert.is_nil(next(key))
  end)

  it("is refused when it is nested too deep", function()
    local t = {}
    for _ = 1, 100001 do t = { t } end
    assert.error_matches(function() c:call(0, t) end,
      "cannot send argument 1%[1%].*: nested deeper than 100000 levels")
    assert.equal(7, c:call(7))
  end)

  it("says in advance what it is", function()
    local function is(kind, plain, ...)
      local k, p = wire.first_type(c:encode(...))
      assert.same({ kind, plain }, { k, p })
    end
    is("no value", true)
    is("nil", true, nil)
    is("boolean", true, true)
    is("number", true, 1)
    is("number", true, 1.5, "x")
    is("number", false, 100000, {})
    is("string", true, "x")
    is("string", true, ("x"):rep(100))
    is("table", false, {})
  end)
end)

describe("a function sent to another state", function()
  local c
  before_each(function() c = wire.channel() end)

  it("runs there", function()
    local function add(a, b) return a + b, a * b end
    for i = 1, 3 do
      assert.same({ i + 4, i * 4 }, { c:call(add, i, 4) })
    end
  end)

  it("uses the globals of that state", function()
    local function set(v) global_of_wire_spec = v end
    local function get() return global_of_wire_spec, _G == _ENV end
    c:call(set, 5)
    assert.same({ 5, true }, { c:call(get) })
    assert.is_nil(global_of_wire_spec)
  end)

  it("takes its upvalues along as they are now", function()
    local n, t = 1, { 2 }
    local function f() n = n + 1; t[1] = t[1] + 1; return n, t[1] end
    assert.same({ 2, 3 }, { c:call(f) })
    assert.same({ 2, 3 }, { c:call(f) })
    n = 10
    assert.same({ 11, 3 }, { c:call(f) })
  end)

  it("may call itself and others that call it", function()
    local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    assert.equal(55, c:call(fib, 10))
    local odd
    local function even(n) return n == 0 or odd(n - 1) end
    function odd(n) return n > 0 and even(n - 1) end
    assert.is_true(c:call(even, 10))
    assert.is_true(c:call(odd, 11))
  end)

  it("shares upvalues with another", function()
    local n = 0
    local function inc() n = n + 1 end
    local function get() return n end
    assert.equal(2, c:call(function(i, g) i(); i(); return g() end, inc, get))
    assert.equal(0, n)
    assert.equal(3, c:call(function() inc(); inc(); inc(); return get() end))
  end)

  it("comes back equal when it is sent twice", function()
    local function f() return 1 end
    local n = 0
    local function g() n = n + 1 return n end
    local a, b = c:call(function(x, y, t)
      return x == y, x == t[1] and t[1] == t[2]
    end, g, g, { g, g })
    assert.is_true(a and b)
    assert.is_true(c:call(function(x, t) return x == t.x end, f, { x = f }))
  end)

  it("keeps an environment of its own", function()
    local assert, c = assert, c
    local _ENV = { x = 5 }
    local function f() return x end
    assert.equal(5, c:call(f))
  end)

  it("starts with the globals however the last run ended", function()
    local function f()
      local old = _ENV == _G
      _ENV = { _G = _G }
      return old
    end
    local function g(_, debug)
      return debug
    end
    assert.is_true(c:call(f))
    assert.is_true(c:call(f))
    assert.is_nil(c:call(g, f))
  end)

  it("keeps names and lines", function()
    local chunk = load("\n\nlocal function f() error 'oops' end return f",
      "@file.lua")()
    local _, message = pcall(c.call, c, chunk)
    assert.equal("file.lua:3: oops", message)
  end)

  it("may be one of very many", function()
    for i = 1, 2000 do
      local f = load("return " .. i)
      assert.equal(i, c:call(f))
      assert.equal(i, c:call(f))
    end
  end)
end)

describe("a refusal", function()
  local c
  before_each(function() c = wire.channel() end)

  local function refuses(text, ...)
    local arguments = table.pack(...)
    local ok, message = pcall(function()
      c:call(function() end, table.unpack(arguments, 1, arguments.n))
    end)
    assert.is_false(ok)
    assert.equal(text, (message:gsub("^.-: cannot", "cannot")))
    assert.equal(1, c:call(1)) -- and the channel still works
  end

  it("names the path", function()
    local co = coroutine.create(print)
    refuses("cannot send argument 2.handlers[3].db: userdata (FILE*)", 1,
      { handlers = { 1, 2, { db = io.tmpfile() } } })
    refuses("cannot send argument 1: thread", co)
    refuses("cannot send argument 1[\"a b\"][true]: thread",
      { ["a b"] = { [true] = co } })
    refuses("cannot send argument 1.<key>: thread", { [co] = 1 })
    refuses("cannot send argument 1.<metatable>.x: thread",
      setmetatable({}, { x = co }))
    refuses("cannot send argument 1[-0.5]: thread", { [-0.5] = co })
    assert.error_matches(function() c:call(co) end,
      "cannot send function: thread")
    assert.error_matches(function()
      c:call(function() return 1, coroutine.create(print) end)
    end, "cannot send result 2: thread")
  end)

  it("names upvalues", function()
    local co, t = coroutine.create(print), { a = { coroutine.create(print) } }
    local line = debug.getinfo(1, "l").currentline
    local function f() return co end
    local function g() return f end
    local function h() return t end
    local function where(n)
      return ("function <%s:%d>: thread"):format(
        debug.getinfo(1, "S").short_src, line + n)
    end
    refuses("cannot send upvalue 'co' of " .. where(1), f)
    refuses("cannot send upvalue 'co' of " .. where(1), { g })
    refuses("cannot send upvalue 't'.a[1] of " .. where(3), h)
  end)
end)
