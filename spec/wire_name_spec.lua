-- wire_name_spec.lua - what loaded modules hold travels by name
-- luacheck: ignore 111 112 113 122 211/_ENV
local wire = require "wire_test"
local describe, it, before_each, assert = describe, it, before_each, assert
local after_each = after_each
local _ENV = _G

describe("a value that has a name", function()
  local c
  before_each(function() c = wire.channel() end)
  after_each(function()
    package.loaded.named, package.loaded.named2 = nil, nil
  end)

  -- A module that the other state can load too.
  local function module(text, name)
    name = name or "named"
    c:run(("package.preload[%q] = function() %s end"):format(name, text))
    package.loaded[name] = load(text)()
    return package.loaded[name]
  end

  it("is the receiver's own", function()
    local function check(f, t, m, file)
      return f == string.format, t == string, m == math.floor,
        file == io.stdout, print == print
    end
    assert.same({ true, true, true, true, true },
      { c:call(check, string.format, string, math.floor, io.stdout) })
    assert.same({ nil, string.rep, table, _G, print, pcall },
      { c:call(nil, string.rep, table, _G, print, pcall) })
    local t = c:call { string.format, x = print, [io.stderr] = _G }
    assert.equal(string.format, t[1])
    assert.equal(print, t.x)
    assert.equal(_G, t[io.stderr])
  end)

  it("may be a module, loaded by the receiver when it comes", function()
    local m = module "return { answer = function() return 42 end }"
    assert.equal(42, c:call(function() return m.answer() end))
    assert.is_true(c:call(function(x) return x == package.loaded.named end, m))
    assert.is_true(c:call(function(x)
      return x.y == require "named"
    end, { y = m }))
  end)

  it("may be the class of an object", function()
    local m = module [[
      local Point = {} Point.__index = Point
      function Point:sum() return self.x + self.y end
      return { Point = Point, new = function(x, y)
        return setmetatable({ x = x, y = y }, Point)
      end }]]
    local p = m.new(1, 2)
    assert.same({ true, 3 }, { c:call(function(o)
      return getmetatable(o) == require "named".Point, o:sum()
    end, p) })
    local many = {}
    for i = 1, 100 do many[i] = m.new(i, i) end
    local back = c:call(many)
    assert.equal(m.Point, getmetatable(back[100]))
    local Point = m.Point
    assert.is_true(c:call(function(o) return getmetatable(o) == Point end, p))
  end)

  it("is a copy if it is only data that a module holds", function()
    local m = module "return { list = { 1, 2 } }"
    local list = m.list
    assert.is_false(c:call(function() return list == require "named".list end))
  end)

  it("is not taken for what was there before", function()
    local format = string.format
    string.format = string.rep
    local ok, message = pcall(c.call, c, 0, format)
    local same = { c:call(function(f) return f == string.rep end, string.format) }
    string.format = format
    assert.is_false(ok)
    assert.equal("cannot send argument 1: C function", message)
    assert.same({ true }, same)
    assert.equal(format, (c:call(0, format) and format))
    local m = module "return { f = string.rep }"
    m.f, m.g = m.g, m.f
    assert.is_true(c:call(function(f) return f == string.rep end, string.rep))
  end)

  it("is found although the module came later, or its field", function()
    assert.equal(1, c:call(1, print) and 1)
    local m = module "return { f = 1 }"
    c:run "package.loaded.named = nil"
    m.tmpfile = io.tmpfile -- Lua's own name wins
    assert.is_true(c:call(function(f) return f == io.tmpfile end, m.tmpfile))
  end)

  it("is refused when the other side has no such thing", function()
    package.loaded.named = { f = function() end, x = {} }
    assert.error_matches(function() c:call(0, package.loaded.named) end,
      "cannot receive a value by its name: .*module 'named' not found")
    assert.equal(5, c:call(5))
  end)

  it("may be registered", function()
    local file = io.tmpfile()
    assert.error_matches(function() c:call(0, file) end,
      "cannot send argument 1: userdata %(FILE%*%)")
    c:register("the file", file)
    assert.error_matches(function() c:call(0, file) end,
      "cannot receive a value by its name: no userdata is registered as 'the file'")
    c:run "register('the file', io.stderr)"
    assert.is_true(c:call(function(f) return f == io.stderr end, file))
    local class = {}
    class.__index = class
    c:register("class", class)
    c:run "class = { name = 'there' } class.__index = class register('class', class)"
    assert.equal("there", c:call(function(o) return o.name end,
      setmetatable({}, class)))
    local function f() return "here" end
    c:register("f", f)
    c:run "register('f', function() return 'there' end)"
    assert.equal("there", c:call(function(g) return g() end, f))
  end)

  it("travels in files too", function()
    local m = module "return { Point = { __index = 1 } }"
    local t = c:decode(c:encode { print, string, _G, m.Point, m })
    assert.equal(print, t[1])
    assert.equal(string, t[2])
    assert.equal(_G, t[3])
    assert.equal(m.Point, t[4])
    assert.equal(m, t[5])
    local ok, cjson = pcall(require, "cjson")
    if ok then
      assert.equal(cjson.null, (c:decode(c:encode(cjson.null))))
    end
    assert.error_matches(function() c:encode(0, wire.pointer(77)) end,
      "cannot send argument 1: light userdata")
  end)

  it("is not a function where none are wanted", function()
    assert.error_matches(function() c:decode(c:encode(print), true) end,
      "malformed message: a function is not allowed")
    assert.equal(string, (c:decode(c:encode(string), true)))
  end)
end)

describe("an object with __reduce", function()
  local c
  before_each(function() c = wire.channel() end)

  local function new(n)
    return setmetatable({ n = n, co = coroutine.create(print) }, {
      __reduce = function(o)
        return function(x) return { rebuilt = x } end, o.n
      end })
  end

  it("travels as what it says", function()
    assert.same({ rebuilt = 3 }, (c:call(new(3))))
    local o = new { 1, nil, 3 }
    local t = c:call { o, { o }, x = o }
    assert.same({ 1, nil, 3 }, t[1].rebuilt)
    assert.equal(t[1], t[2][1])
    assert.equal(t[1], t.x)
    assert.same({ rebuilt = { rebuilt = 5 } }, (c:call(new(new(5)))))
  end)

  it("may be a userdata", function()
    local file = io.tmpfile()
    local mt = getmetatable(file)
    mt.__reduce = function() return io.type, 5 end
    local ok = pcall(c.call, c, 1, file)
    mt.__reduce = nil
    assert.is_true(ok)
  end)

  it("may send something itself meanwhile", function()
    local o = setmetatable({}, { __reduce = function()
      local copy = c:decode(c:encode { { 1 } })
      return function(x) return x end, { copy }
    end })
    assert.same({ { { { 1 } } }, { 2 } }, (c:decode(c:encode { 3 })) and
      { (c:call(o)), { 2 } })
  end)

  it("is refused when it cannot be rebuilt", function()
    local o = setmetatable({}, { __reduce = function() return error, "oops" end })
    assert.error_matches(function() c:call(0, o) end,
      "cannot rebuild a value: oops")
  end)

  it("must not need itself", function()
    local o = setmetatable({}, {})
    getmetatable(o).__reduce = function() return print, { o } end
    assert.error_matches(function() c:call(0, o) end,
      "cannot send argument 1.__reduce%[2%]%[1%]: its __reduce leads back to it")
    getmetatable(o).__reduce = function() end
    assert.error_matches(function() c:call(0, { o }) end,
      "cannot send argument 1%[1%]: its __reduce returns no function")
    getmetatable(o).__reduce = function() error "oops" end
    assert.error_matches(function() c:call(0, { o }) end, "oops")
    assert.equal(7, c:call(7))
  end)
end)
