-- The source of a function, as an expression and as a chunk to send.

local same_code = require "support.same_code"
local source = require "futures.source"

-- A function of a chunk, and the same one made from its source, with its values.
local function made_again(fn)
  local text, chunkname, names, main = source.chunk(fn)
  local again = source.build(text, chunkname, main)
  for nth, name in ipairs(names) do
    assert.equal(name, (debug.getupvalue(again, nth)))
    debug.setupvalue(again, nth, (select(2, debug.getupvalue(fn, nth))))
  end
  assert.is_nil((debug.getupvalue(again, #names + 1)))
  assert.is_true(same_code(fn, again))
  return again
end

local function chunk_of(text, ...) return assert(load(text, "=(spec)"))(...) end

-- What a registered text returns.
local function functions_of(text, ...)
  source.register("=(spec)", text)
  return chunk_of(text, ...)
end

describe("getsource", function()
  it("gives an expression, the file and the line", function()
    local function add(a, b)
      return a + b
    end
    local text, file, line = source.get(add)
    assert.equal("function(a, b)\n      return a + b\n    end", text)
    assert.matches("source_spec%.lua$", file)
    assert.equal(debug.getinfo(add, "S").linedefined, line)
    assert.equal(5, load("return " .. text)()(2, 3))
  end)

  it("leaves the name out, and writes self", function()
    local a = { b = {} }
    function a.b.plain(x) return x end
    function a.b:method(x) return self, x end
    function a.b:none() return self end
    assert.equal("function(x) return x end", (source.get(a.b.plain)))
    assert.equal("function(self, x) return self, x end", (source.get(a.b.method)))
    assert.equal("function(self) return self end", (source.get(a.b.none)))
  end)

  it("leaves captured variables as free names", function()
    local rate = 2
    local text = source.get(function(x) return x * rate end)
    local globals = { rate = 10 }
    assert.equal(30, load("return " .. text, "=", "t", globals)()(3))
  end)

  it("brings compile-time constants from outside", function()
    local HOUR <const> = 60 * 60
    local DAY <const> = 24 * HOUR
    local unit <const> = "s\n"
    local text = source.get(function(days) return days * DAY .. unit end)
    assert.matches("local DAY <const> = 86400", text, 1, true)
    assert.equal("172800s\n", load("return " .. text)()(2))
  end)

  it("brings no constant that is only a field", function()
    local size <const> = 3
    local text = source.get(function(t) return t.size, t:size() end)
    assert.equal("function(t) return t.size, t:size() end", text)
    assert.equal(3, size)
  end)

  it("tells a number that ends in a point from a field", function()
    local text = "return function() local a = 3. N:len() return a end"
    local fn = functions_of("local N <const> = 'x' " .. text)
    assert.equal(3.0, made_again(fn)())
  end)

  it("knows the scope of a constant", function()
    local functions = functions_of [[
      local all, N <const> = {}, 1
      do local N <const> = 2; all[1] = function() return N end end
      if all then local N <const> = 3 else local N <const> = 4 end
      all[2] = function() return N end
      local N <const> = (function() all[3] = function() return N end return 5 end)()
      all[4] = function() return N end
      repeat local N <const>, M <const> = "f", 6 until (function()
        all[5] = function() return M, N end return true end)()
      all[6] = function(N) return function() return N end end
      for N = 7, 7 do all[7] = function() return N end end
      return all]]
    local values = { 2, 1, 1, nil, 6, nil, 7 }
    for nth, fn in ipairs(functions) do
      local result = made_again(fn)()
      if values[nth] then assert.equal(values[nth], result) end
    end
    assert.equal(5, made_again(functions[4])())
    assert.equal("function(N) return function() return N end end", (source.get(functions[6])))
  end)

  it("keeps every kind of constant to the bit", function()
    local values = {
      "nil", "true", "false", "0", "-7", "9223372036854775807", "math.mininteger",
      "0x8000000000000000", "0.1", "-0.5", "1e308", "1e999", "-1e999", "0x1p-1074", "2^53", "3.0",
      "1e15", "7 // 2", "7 / 2", "~0", "1 << 63", "not nil", "false or 'x'", "-0.0", "0/0", "1//1",
      [["\0\1\r\n\\\"\u{10FFFF}\xff'"]], "[==[\n]]\n]==]", "'\\z \n  z'", "-(-(3))",
    }
    for _, value in ipairs(values) do
      local fn = functions_of("local N <const> = " .. value .. " return function() return N end")
      local again = made_again(fn)
      local expected, got = fn(), again()
      assert.equal(math.type(expected), math.type(got), value)
      assert.is_true(expected == got or expected ~= expected and got ~= got, value)
      assert.equal(string.format("%q", expected), string.format("%q", got))
      assert.is_truthy(load("return " .. source.get(fn)))
    end
  end)

  it("puts constants around a function that has no room for more", function()
    local locals = {}
    for nth = 1, 199 do locals[nth] = "local v" .. nth end
    local fn = functions_of("local A <const>, N <const> = f, 1\nlocal M <const> = 2\n" ..
      "return function() " .. table.concat(locals, " ") .. " return N, M end")
    assert.same({ 1, 2 }, { load("return " .. source.get(fn))()() })
  end)

  it("makes a main chunk a function of its own", function()
    local text, file, line = source.get(load "local a = ... return a -- end")
    assert.equal(4, load("return " .. text)()(4))
    assert.equal('[string "local a = ... return a -- end"]', file)
    assert.equal(0, line)
  end)
end)

describe("the source chunk of a function", function()
  it("makes the same function, with its values by index", function()
    local a, b, c = 1, 2, 3
    local function fn(x) return c, a, function() return b + x end, a end
    local _, _, inner, last = made_again(fn)(10)
    assert.equal(12, inner())
    assert.equal(1, last)
  end)

  it("keeps lines and the chunk name in errors", function()
    local again = made_again(function(x)
      return x.field
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    local _, problem = pcall(again)
    assert.matches("source_spec%.lua:" .. line .. ": attempt to index", problem)
  end)

  it("tells functions on one line apart", function()
    local f, g, h = function() return 1 end, function() return 2 end, function(_) return 1 end
    local twin, other = function() return 3 end, function() return 3 end
    assert.equal(1, made_again(f)())
    assert.equal(2, made_again(g)())
    assert.equal(1, made_again(h)())
    assert.equal(3, made_again(twin)())
    assert.equal(3, made_again(other)())
  end)

  it("is found in any order of asking", function()
    local make = "do local N <const> = 1; a = function() return N end end "
      .. "do local N = {}; b = function() return N end end "
      .. "function c\n() return N end d = function() return N end return d, c, b, a"
    for _, fn in ipairs { functions_of("local a, b, c, d; " .. make) } do made_again(fn) end
  end)

  it("knows the line that Lua counts from", function()
    local functions = functions_of [===[
      local all = { b = {} }
      function
        all
        .b
        : --[[ ( ]]
        method
        (
        x, ...
        )
        return self, x
      end
      local function
        own --[==[
        ]==]
        (
        )
        return own
      end
      return { all.b.method, own, function
        --[[ function() ]]
        (...)
        return ...
      end }]===]
    assert.equal(2, debug.getinfo(functions[1], "S").linedefined)
    assert.equal(15, debug.getinfo(functions[2], "S").linedefined)
    assert.equal(21, debug.getinfo(functions[3], "S").linedefined)
    for _, fn in ipairs(functions) do made_again(fn) end
  end)

  it("counts lines as Lua does", function()
    for _, line_break in ipairs { "\n", "\r\n", "\n\r", "\r" } do
      local text = "local s = [[\n\n]]\nfunction F\n(\n)\n-- end\n return s .. '\\\n' end\nreturn F"
      local fn = functions_of(text:gsub("\n", line_break))
      assert.equal("\n\n", made_again(fn)())
      F = nil -- luacheck: ignore
    end
  end)

  it("works for more upvalues than a function has room for locals", function()
    local parts, names = {}, {}
    for group = 1, 2 do
      parts[#parts + 1] = "return (function()"
      for nth = 1, 125 do
        local name = ("v%d_%d"):format(group, nth)
        parts[#parts + 1] = ("local %s <const> = f or %d"):format(name, nth)
        table.insert(names, 1, name)
      end
    end
    parts[#parts + 1] = "return function() return function() return "
      .. table.concat(names, "+") .. " end end end)() end)()"
    local fn = functions_of(table.concat(parts, " "))
    assert.equal(2 * 125 * 126 / 2, made_again(fn)()())
  end)

  it("works for attributes, for _ENV as a variable, and in goto loops", function()
    local functions = functions_of [[
      local all = {}
      local closing <close>, constant <const> = nil, all
      all[1] = function() return function() return closing, constant, print end end
      do local _ENV <const> = { x = 1 }; all[2] = function() return function() return x end end end
      do local _ENV = { x = 2 }; all[3] = function() return function() return x end end end
      all[4] = function(_ENV) ::again:: if x then goto again end return y end
      return all]]
    for _, fn in ipairs(functions) do made_again(fn) end
    assert.equal(1, made_again(functions[2])()())
    assert.equal(2, made_again(functions[3])()())
  end)

  it("works for functions of load()ed strings and of dumps", function()
    local fn = load "local n = 1 return function() n = n + 1 return n end" ()
    assert.equal(2, made_again(fn)())
    local dumped = load(string.dump(function(x) return x * 2 end))
    assert.equal(6, made_again(dumped)(3))
  end)

  it("is the whole text of a main chunk, which is not to be run to get it", function()
    local ran = false
    local chunk = load("mark() return ...", "=(spec)", "t", { mark = function() ran = true end })
    source.register("=(spec)", "mark() return ...")
    local text, name, names, main = source.chunk(chunk)
    assert.is_true(main)
    assert.same({ "_ENV" }, names)
    assert.is_true(same_code(chunk, source.build(text, name, main)))
    assert.is_false(ran)
    assert.equal(5, made_again(chunk)(5))
  end)
end)
