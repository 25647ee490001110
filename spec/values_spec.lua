local executors = require "support.executors"
local limits = require "support.limits"

for _, executor in ipairs(executors.classes) do
  describe("values keep what they are, by a " .. executor.name .. ":", function()
    local ex

    setup(function() ex = executor.make(1) end)
    teardown(function() ex:shutdown() end)

    local function echo(...) return ex:submit(function(...) return ... end, ...):result() end

    it("nil, true and false", function()
      assert.same({ n = 4, nil, true, false, nil }, table.pack(echo(nil, true, false, nil)))
    end)

    it("integers, which never become floats", function()
      local integers = {
        0, 1, -1, 23, 24, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 65535, 65536,
        1 << 31, -1 << 31, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1, math.maxinteger, math.mininteger,
      }
      for shift = 0, 63 do
        integers[#integers + 1] = 1 << shift
        integers[#integers + 1] = (1 << shift) - 1
        integers[#integers + 1] = -(1 << shift)
      end
      local back = echo(integers)
      for i, value in ipairs(integers) do
        assert.equal("integer", math.type(back[i]))
        assert.equal(value, back[i])
        assert.equal(value, echo(value))
      end
      local texts = ex:submit(function(list)
        local t = {}
        for i, value in ipairs(list) do t[i] = math.type(value) .. " " .. value end
        return t
      end, integers):result()
      for i, value in ipairs(integers) do assert.equal("integer " .. value, texts[i]) end
    end)

    it("floats, bit for bit, which never become integers", function()
      local floats = {
        0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, math.pi, 1e15, 1e16, 2.0 ^ 53, 2.0 ^ 63, -2.0 ^ 63, 1e100,
        math.huge, -math.huge, 0x1p-1022, 0x1p-1074, -0x1p-1074, 0x1.fffffffffffffp1023,
        (string.unpack("<d", "\1\0\0\0\0\0\xf8\x7f")), -- NaNs with contents
        (string.unpack("<d", "\x34\x12\0\0\0\0\xf8\xff")),
      }
      local back = echo(floats)
      local there = ex:submit(function(list)
        local t = {}
        for i, value in ipairs(list) do t[i] = math.type(value) .. string.pack("<d", value) end
        return t
      end, floats):result()
      for i, value in ipairs(floats) do
        assert.equal("float", math.type(back[i]))
        assert.equal(string.pack("<d", value), string.pack("<d", back[i]))
        assert.equal(string.pack("<d", value), string.pack("<d", (echo(value))))
        assert.equal("float" .. string.pack("<d", value), there[i])
      end
    end)

    it("strings of any bytes and length", function()
      local all = {}
      for byte = 0, 255 do all[#all + 1] = string.char(byte) end
      all = table.concat(all)
      local lengths = {
        0, 1, 2, 30, 31, 32, 33, 39, 40, 41, 127, 128, 255, 256, 65535, 65536, 1 << 20,
      }
      for _, length in ipairs(lengths) do
        local text = all:rep(length // 256 + 1):sub(1, length)
        assert.is_true(text == echo(text))
        assert.equal(length, ex:submit(function(s) return #s end, text):result())
      end
      local big = ("x"):rep(16 << 20)
      assert.is_true(big == echo(big))
    end)

    describe("tables", function()
      it("as arrays, records and both", function()
        for _, t in ipairs {
          {}, { 1, 2, 3 }, { a = 1, b = "two" }, { 1, 2, x = 3 }, { [0] = 0, [-1] = -1, [1] = 1 },
          { [1.5] = "f", [true] = "t", [false] = "f" }, { { {} }, { { 1 }, { a = {} } } },
          { [math.maxinteger] = 1, [math.mininteger] = 2, [1 << 53] = 3 },
        } do assert.same(t, (echo(t))) end
      end)

      it("with holes", function()
        local t = { 1, nil, 3, nil, nil, 6 }
        t[100], t[1000] = "a", "b"
        local back = echo(t)
        assert.same(t, back)
        local count = 0
        for _ in pairs(back) do count = count + 1 end
        assert.equal(5, count)
      end)

      it("with tables as keys", function()
        local key = { "key" }
        local t = { [key] = key, list = { key } }
        local back = echo(t)
        local k, v = back.list[1], back[back.list[1]]
        assert.same({ "key" }, k)
        assert.is_true(rawequal(k, v))
      end)

      it("with shared parts, which are still shared", function()
        local part = { 1 }
        local a, b, again = echo({ part, part, { part } }, part, part)
        assert.is_true(a[1] == a[2] and a[1] == a[3][1])
        assert.is_true(a[1] == b and b == again)
        assert.is_false(b == part)
      end)

      it("with cycles", function()
        local t = { name = "self" }
        t.self, t[t] = t, t
        local back = echo(t)
        assert.is_true(back.self == back and back[back] == back)
        local a, b = {}, {}
        a.b, b.a = b, a
        local x, y = echo(a, b)
        assert.is_true(x.b == y and y.a == x)
      end)

      it("of great depth", function()
        local depth = limits.scaled(50000)
        local t = {}
        for _ = 1, depth do t = { t } end
        local back = echo(t)
        local count = 0
        while back[1] do
          back = back[1]
          count = count + 1
        end
        assert.equal(depth, count)
      end)

      it("of great size", function()
        local t = {}
        for i = 1, limits.scaled(200000) do
          t[i] = i
          t["key " .. i] = -i
        end
        local back = echo(t)
        for i = 1, #t do assert(back[i] == i and back["key " .. i] == -i) end
        assert.equal(#t, #back)
      end)

      it("of many records with the same keys", function()
        local t = {}
        for i = 1, 1000 do t[i] = { id = i, name = "n" .. i, x = i / 2, ["key " .. i % 7] = i } end
        assert.same(t, (echo(t)))
      end)
    end)

    describe("functions", function()
      local function call(fn, ...) return ex:submit(fn, ...):result() end

      it("with upvalues of every kind", function()
        local n, i, f, s, b, t = nil, 1, 1.5, "text", false, { 1 }
        local g = function(x) return x * 2 end
        assert.same({ n = 7, nil, 1, 1.5, "text", false, { 1 }, 42 }, table.pack(call(function()
          return n, i, f, s, b, t, g(21)
        end)))
      end)

      it("with many upvalues", function()
        local code = {}
        for i = 1, 150 do code[i] = ("local v%d = %d\n"):format(i, i) end
        code[#code + 1] = "return function() return 0"
        for i = 1, 150 do code[#code + 1] = " + v" .. i end
        code[#code + 1] = " end"
        local fn = load(table.concat(code))()
        assert.equal(fn(), call(fn))
      end)

      it("as arguments and results, with the same ones still the same", function()
        local double = function(x) return 2 * x end
        local a, b, t = echo(double, double, { double })
        assert.is_true(a == b and b == t[1])
        assert.equal(42, a(21))
        assert.equal(42, (call(function(fn, x) return fn(x) end, double, 21)))
        local adder = call(function(n) return function(x) return x + n end end, 5)
        assert.equal(12, adder(7))
        assert.equal(14, call(adder, 9))
      end)

      it("that share an upvalue, which they still share", function()
        local count = 10
        local function increment() count = count + 1 end
        local function get() return count end
        assert.equal(12, (call(function(up, read)
          up()
          up()
          return read()
        end, increment, get)))
        assert.equal(10, get())
        local up, read = echo(increment, get)
        up()
        assert.equal(11, read())
        assert.equal(10, get())
      end)

      it("that share one with the table that holds them", function()
        local function account(balance)
          local self = {}
          function self.deposit(x) balance = balance + x return self end
          function self.balance() return balance end
          return self
        end
        local mine = account(100)
        assert.equal(125, (call(function(a) return a.deposit(25).balance() end, mine)))
        local back = call(function(a) return a.deposit(1) end, mine)
        assert.equal(111, back.deposit(10).balance())
        assert.equal(100, mine.balance())
      end)

      it("that call themselves", function()
        local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
        assert.equal(610, (call(fib, 15)))
      end)

      it("that call each other", function()
        local is_even
        local function is_odd(n) return n ~= 0 and is_even(n - 1) end
        function is_even(n) return n == 0 or is_odd(n - 1) end
        assert.is_true(call(is_even, 10))
        assert.is_false(call(is_odd, 10))
      end)

      it("with varargs, loops, goto, closures inside and <close>", function()
        local function busy(...)
          local sum, closed = 0, false
          for _, v in ipairs { ... } do
            if v < 0 then goto continue end
            do
              local guard <close> = setmetatable({}, { __close = function() closed = true end })
              sum = sum + (function() return v end)()
              assert(guard)
            end
            ::continue::
          end
          return sum, closed, select("#", ...)
        end
        assert.same({ 6, true, 4 }, { call(busy, 1, -5, 2, 3) })
      end)

      it("that use the libraries", function()
        assert.same({ "CBA", 3, "a-b", 2 }, { call(function(s)
          return s:upper():reverse(), math.max(1, 3), table.concat({ "a", "b" }, "-"), utf8.len "äö"
        end, "abc") })
      end)

      it("made by load, and methods of objects", function()
        assert.equal(7, (call(load("local a, b = ... return a + b"), 3, 4)))
        local object = { n = 5 }
        function object:add(x) return self.n + x end
        assert.equal(8, (call(object.add, object, 3)))
      end)

      it("in great number, each with its own upvalue", function()
        local list = {}
        for i = 1, 1000 do list[i] = function() return i end end
        local back = echo(list)
        for i = 1, 1000 do assert.equal(i, back[i]()) end
      end)

      it("sent again with other upvalues, each time with those of then", function()
        local n = 0
        local function get() return n end
        for i = 1, 10 do
          n = i
          assert.equal(i, (call(get)))
        end
      end)
    end)
  end)
end
