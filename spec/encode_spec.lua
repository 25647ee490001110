-- Values and functions as strings, and back.
-- luacheck: ignore 111 112 113 122

local futures = require "futures"
local limits = require "support.limits"
local modules = require "support.modules"
local random = require "support.wire_random"
local same_code = require "support.same_code"

local describe, it, assert = describe, it, assert
local setup, teardown, before_each, after_each = setup, teardown, before_each, after_each
local _ENV = _G -- busted gives specs an environment of their own; users have none

local encode, decode = futures.encode, futures.decode

local function copy(...) return decode(encode(...)) end

local function message(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(futures.isinstance(err, futures.SerializationError), tostring(err))
  return err.message
end

setup(modules.open)
teardown(modules.close)
after_each(function()
  SCALE, ghost, fib = nil, nil, nil
  futures.source_loader = nil
end)

describe("encode and decode", function()
  it("keep values of every kind", function()
    assert.equal(0, select("#", copy()))
    assert.same({ n = 4, nil, true, false, nil }, table.pack(copy(nil, true, false, nil)))
    for seed = 1, 300 do
      local value = random.value(seed)
      assert.is_true(random.alike(value, (copy(value))), "seed " .. seed)
    end
    for _, number in ipairs { 1, 1.0, -0.0, 0.1, math.huge, math.mininteger, 2.0 ^ 63 } do
      local back = copy(number)
      assert.equal(math.type(number), math.type(back))
      assert.equal(string.pack("n", number), string.pack("n", back))
    end
  end)

  it("keep cycles, shared references and metatables", function()
    local t = { {}, name = "t" }
    t.self, t[2], t[t] = t, t[1], t
    setmetatable(t, { __index = { x = 5 }, __metatable = "locked" })
    local a, b = copy(t, t[1])
    assert.is_true(a.self == a and a[a] == a and a[1] == a[2] and a[1] == b)
    assert.same({ 5, "locked" }, { a.x, getmetatable(a) })
  end)

  it("name modules, and what they hold", function()
    local shapes = modules.require("encode_shapes", [[
      local Shape = {}
      Shape.__index = Shape
      return { Shape = Shape, file = io.stderr, new = function() end }]])
    local object = copy(setmetatable({}, shapes.Shape))
    assert.equal(shapes.Shape, getmetatable(object))
    local bytes = encode(shapes, string.format, io.stdout, _G, print, shapes.file)
    assert.is_true(#bytes < 150)
    package.loaded.encode_shapes = nil -- decode requires it
    local m, format, file, globals, p = decode(bytes)
    assert.is_true(m == package.loaded.encode_shapes and m ~= shapes)
    assert.same({ string.format, io.stdout, _G, print }, { format, file, globals, p })
    local found, cjson = pcall(require, "cjson")
    if found then assert.equal(cjson.null, (copy(cjson.null))) end
  end)

  it("do not name what another value has replaced", function()
    local format = string.format
    string.format = function() return "replaced" end
    local replaced = copy(string.format)
    local refused = message(encode, format)
    string.format = format
    assert.equal("replaced", replaced())
    assert.equal("cannot send value: C function", refused)
  end)

  it("name what is registered, and read it by the name of then", function()
    local wrap, file = coroutine.wrap(print), io.tmpfile()
    assert.equal("cannot send value: C function", message(encode, wrap))
    futures.register("encode_spec.wrap", wrap)
    futures.register("encode_spec.file", file)
    local bytes = encode { wrap, file }
    assert.same({ wrap, file }, (decode(bytes)))
    futures.register("encode_spec.wrap", print)
    assert.equal(print, decode(bytes)[1])
  end)

  it("let objects say how to rebuild them", function()
    local Set = {}
    Set.__index = Set
    local function set(...)
      local s = setmetatable({ has = {} }, Set)
      for _, item in ipairs { ... } do s.has[item] = true end
      return s
    end
    function Set:__reduce()
      local items = {}
      for item in pairs(self.has) do items[#items + 1] = item end
      return set, table.unpack(items)
    end
    local s = set("a", "b")
    local x, y = copy(s, { s })
    assert.is_true(x == y[1] and x ~= s)
    assert.same({ a = true, b = true }, x.has)
  end)

  it("nest 10,000 levels deep", function()
    local t, f = {}, function() return nil end
    for _ = 1, 10000 do
      local g = f
      t, f = { t }, function() return g end
    end
    t, f = copy(t, f)
    for _ = 1, 10000 do t, f = t[1], f() end
    assert.is_nil(t[1])
    assert.is_nil(f())
    local deep = { {} }
    for _ = 1, 200000 do deep = { deep } end
    assert.matches("nested deeper than 100000 levels", message(encode, deep), 1, true)
  end)
end)

describe("a function in a string", function()
  it("is the same code, with the same lines and chunk name", function()
    local function one(a, ...) return a, select("#", ...) end local two = function() return 2 end
    local x, y = copy(one, two)
    assert.is_true(same_code(one, x) and same_code(two, y))
    local info, original = debug.getinfo(x, "S"), debug.getinfo(one, "S")
    assert.same({ original.source, original.linedefined, original.lastlinedefined },
      { info.source, info.linedefined, info.lastlinedefined })
    local ok, err = pcall((copy(function() error "oops" end)))
    assert.is_false(ok)
    assert.equal(("%s:%d: oops"):format(original.short_src, original.linedefined + 6), err)
  end)

  it("is text, never bytecode", function()
    local bytes = encode(function(x) return x + 1 end)
    assert.matches("function(x) return x + 1 end", bytes, 1, true)
    assert.is_nil(bytes:find("\27Lua", 1, true))
  end)

  it("has upvalues, shares them, calls itself and others", function()
    local n = 0
    local function up() n = n + 1 end
    local function get() return n end
    local a, b = copy(up, get)
    a()
    assert.same({ 1, 0 }, { b(), n })
    local function fact(x) return x < 2 and 1 or x * fact(x - 1) end
    local ping
    local function pong(x) return x == 0 and "pong" or ping(x - 1) end
    function ping(x) return x == 0 and "ping" or pong(x - 1) end
    assert.equal(120, (copy(fact)(5)))
    assert.equal("pong", (copy(ping)(11)))
    local object = { n = 5 }
    function object:add(x) return self.n + x end
    assert.equal(7, copy(object):add(2))
  end)

  it("keeps constants from outside", function()
    local SECONDS <const>, NAME <const> = 60, "minute"
    local f = copy(function(x) return x * SECONDS .. NAME end)
    assert.equal("120minute", f(2))
  end)

  it("has the globals of where it arrives, and an _ENV of its own if it had one", function()
    local own = copy(load("return x, print", "return x, print", "t", { x = 5 }))
    assert.same({ 5 }, { own() })
    local p, env = copy(function() return print, _ENV end)()
    assert.is_true(p == print and env == _G)
  end)

  it("takes along the globals that it names", function()
    SCALE, ghost = 3, io.tmpfile()
    function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    local bytes = encode(function(t) return fib(10) * SCALE, ghost, t.SCALE end)
    fib, SCALE, ghost = nil, nil, nil
    assert.same({ 165, nil, 1 }, { decode(bytes) { SCALE = 1 } })
    assert.is_nil(SCALE)
  end)

  it("may come from load, and from a dump that is not stripped", function()
    local text = "local a, b = ... return a + b"
    assert.equal(5, (copy(load(text))(2, 3)))
    assert.equal(5, (copy(load(string.dump(load(text))))(2, 3)))
    assert.matches("debug information is stripped",
      message(encode, load(string.dump(load(text), true))), 1, true)
  end)

  it("is refused when its file has changed or is gone, and that is said", function()
    local path = modules.write("encode_changed.lua", "\nreturn function() return 1 end")
    local fn = dofile(path)
    modules.write("encode_changed.lua", "\nreturn function() return 2 end")
    assert.equal(("cannot send value: source of function <%s:2> has changed on disk"):format(path),
      message(encode, fn))
    os.remove(path)
    assert.matches(("cannot send value[1]: source of function <%s:2> "):format(path),
      message(encode, { fn }), 1, true)
  end)

  it("is refused for a chunk whose text nobody has, until it is registered", function()
    local text = "local n = ... return function() return n end"
    local fn = load(text, "=game")(7)
    assert.matches("source of function <game:1>", message(encode, fn), 1, true)
    assert.matches("source of function <game:1>", message(futures.getsource, fn), 1, true)
    futures.register_source("=game", text)
    assert.equal(7, copy(fn)())
    futures.register_source("=game", nil)
    futures.source_loader = function(chunkname)
      return chunkname == "@pack/main.lua" and text or nil
    end
    assert.equal(8, copy(load(text, "@pack/main.lua")(8))())
    futures.source_loader = nil
  end)
end)

describe("getsource", function()
  it("returns an expression, the file and the line", function()
    local n = 5
    local unit <const> = 60
    local fn = function(x) return x * unit + n end
    local text, file, line = futures.getsource(fn)
    local info = debug.getinfo(fn, "S")
    assert.same({ info.source:sub(2), info.linedefined }, { file, line })
    n = nil
    local made = assert(load("return " .. text, "=made", "t", { n = 1 }))()
    assert.equal(121, made(2))
    assert.equal("function(...) return 1 \nend", (futures.getsource(load "return 1 ")))
  end)
end)

describe("a refusal", function()
  local co = coroutine.create(print)
  local cases = {
    "futures.encode(co)", "cannot send value: thread",
    "futures.encode(1, 2, { handlers = { 1, 2, { db = file } } })",
    "cannot send value 3.handlers[3].db: userdata (FILE*)",
    "futures.encode(function() return co end)",
    "cannot send upvalue 'co' of function <app.lua:1>: thread",
    "futures.encode(pool)", "cannot send value: userdata (ThreadPoolExecutor)",
    "futures.encode(futures.Future())", "cannot send value: userdata (Future)",
    "futures.getsource(print)", "cannot send function: a C function has no source",
    "futures.decode ''", "malformed message: not of this format",
    "futures.decode 'return 1'", "malformed message: not of this format",
    "futures.decode(futures.encode(print), { functions = false })",
    "malformed message: a function is not allowed",
    "futures.decode(raising 'oops')", "cannot rebuild a value: oops",
    "futures.decode(raising(setmetatable({}, { __name = 'E' })))", "cannot rebuild a value: E: 0x",
    "futures.decode(raising(setmetatable({}, { __tostring = error })))",
    "cannot rebuild a value: (error object is a table value)",
  }

  for i = 1, #cases, 2 do
    local code, expected = cases[i], cases[i + 1]
    it("of " .. code, function()
      local env = setmetatable({
        co = co, file = io.tmpfile(), pool = futures.ThreadPoolExecutor(1), futures = futures,
        raising = function(value)
          return encode(setmetatable({}, { __reduce = function() return error, value, 0 end }))
        end,
      }, { __index = _G })
      futures.register_source("@app.lua", "local co = co " .. code)
      local ok, err = pcall(assert(load("local co = co " .. code, "@app.lua", "t", env)))
      env.pool:shutdown()
      futures.register_source("@app.lua", nil)
      assert.is_false(ok)
      assert.is_true(futures.isinstance(err, futures.SerializationError), tostring(err))
      assert.equal(expected, (err.message:gsub("0x%x+$", "0x")))
      assert.equal("app.lua:1: SerializationError: " .. expected,
        (tostring(err):gsub("0x%x+$", "0x")))
    end)
  end

  it("leaves an error in __reduce as it is", function()
    local err = {}
    local object = setmetatable({}, { __reduce = function() error(err) end })
    assert.equal(err, select(2, pcall(encode, object)))
    assert.equal(1, (copy(1)))
  end)
end)

describe("misuse", function()
  local cases = {
    "futures.decode()", "bad argument #1 to 'decode' (string expected, got no value)",
    "futures.decode(12)", "bad argument #1 to 'decode' (string expected, got number)",
    "futures.decode('', 12)", "bad argument #2 to 'decode' (table expected, got number)",
    "futures.decode('', { x = 1 })", "bad argument #2 to 'decode' (unknown option 'x')",
    "futures.decode('', { functions = 1 })",
    "bad argument #2 to 'decode' (option 'functions': boolean expected, got number)",
    "futures.getsource()", "bad argument #1 to 'getsource' (function expected, got no value)",
    "futures.getsource 'x'", "bad argument #1 to 'getsource' (function expected, got string)",
    "futures.register()", "bad argument #1 to 'register' (string expected, got no value)",
    "futures.register(print)", "bad argument #1 to 'register' (string expected, got function)",
    "futures.register 'x'", "bad argument #2 to 'register' (value expected)",
    "futures.register('x', nil)", "bad argument #2 to 'register' (value expected, got nil)",
    "futures.register_source(1)",
    "bad argument #1 to 'register_source' (string expected, got number)",
    "futures.register_source('x', 1)",
    "bad argument #2 to 'register_source' (string expected, got number)",
  }
  for i = 1, #cases, 2 do
    local code, expected = cases[i], cases[i + 1]
    it("of " .. code, function()
      local ok, err = pcall(assert(load("local futures = ... " .. code, "@app.lua")), futures)
      assert.is_false(ok)
      assert.equal("app.lua:1: " .. expected, err)
    end)
  end
end)

describe("decode of bytes that are not an encoding", function()
  local bytes

  before_each(function()
    SCALE = 2
    local n, shared = 0, { 1, 2.5, ("long"):rep(20) }
    local function f() n = n + SCALE return n, shared end
    local o = setmetatable({ x = 1 }, { __reduce = function() return math.max, 1, 2 end })
    bytes = encode(nil, true, 1, 1 << 40, 0.5, "text", ("x"):rep(100), shared,
      { shared, a = { b = { [1.5] = true } }, shared }, f, { f }, print, string,
      setmetatable({}, { __index = shared }), o, { o })
  end)

  -- Nothing but an error of this class; it may decode to something else.
  local function try(text, options)
    local ok, err = pcall(decode, text, options)
    if ok then return true end
    assert.is_true(futures.isinstance(err, futures.SerializationError), tostring(err))
  end

  it("refuses every proper prefix, and every encoding with more behind it", function()
    for length = 0, #bytes - 1 do
      assert.is_nil(try(bytes:sub(1, length)))
    end
    assert.is_true(try(bytes))
    assert.is_nil(try(bytes .. "\0"))
    assert.is_nil(try(bytes .. bytes))
  end)

  it("raises nothing but SerializationError for mutations, in little memory", function()
    collectgarbage()
    local pick = random.numbers(42)
    local before, most = collectgarbage "count", 0
    for _ = 1, limits.scaled(2000) do
      local at = pick(#bytes)
      local byte = string.char(pick(256) - 1)
      local rest = bytes:sub(at + pick(3) - 1)
      try(bytes:sub(1, at - 1) .. byte .. rest)
      try(bytes:sub(1, at - 1) .. byte .. rest, { functions = false })
      most = math.max(most, collectgarbage "count")
    end
    assert.is_true(most - before < 100 * 1024)
  end)

  it("takes no memory for what only a length announces", function()
    collectgarbage()
    local before = collectgarbage "count"
    local version = bytes:sub(1, 1)
    for tag = 0, 255 do
      for _, length in ipairs { "\xff\xff\xff\xff\x7f", "\xff\xff\xff\x07", "\xff\xff\x7f" } do
        assert.is_nil(try(version .. "\0\1" .. string.char(tag) .. length .. "\x28\0\0\0\0"))
      end
      try(version .. "\0\1" .. string.char(tag) .. "\0\x28\0\0\0\0\0")
    end
    assert.is_true(collectgarbage "count" - before < 1024)
  end)
end)

describe("decode with functions = false", function()
  it("takes data, whatever it is, but no function and nothing that runs one", function()
    local data = { 1, "two", { 3, x = setmetatable({}, { __index = { y = 1 } }) } }
    data[3].self = data
    local back = decode(encode(data, string), { functions = false })
    assert.is_true(random.alike(data, back))
    for _, value in ipairs {
      print, string.format, function() end, { f = function() end }, { [print] = 1 },
      setmetatable({}, { __index = function() end }),
      setmetatable({}, { __reduce = function() return math.max, 1 end }),
    } do
      local text = encode(value)
      assert.equal("malformed message: a function is not allowed",
        message(decode, text, { functions = false }))
    end
    assert.equal(1, (decode(encode(1), { functions = true })))
    assert.equal(1, (decode(encode(1), {})))
  end)

  it("loads no module", function()
    modules.require("encode_unloaded", "return { f = function() end }")
    local bytes = encode(package.loaded.encode_unloaded)
    package.loaded.encode_unloaded = nil
    assert.matches("module 'encode_unloaded' is not loaded",
      message(decode, bytes, { functions = false }), 1, true)
    assert.is_nil(package.loaded.encode_unloaded)
  end)
end)
