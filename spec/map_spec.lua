-- map: calls for the items of sequences and iterators, results in their order.
local executors = require "support.executors"
local futures = require "futures"
local limits = require "support.limits"

local function pairs_of(results)
  local list = {}
  for i, value in results do list[#list + 1] = ("%d:%s"):format(i, tostring(value)) end
  return table.concat(list, " ")
end

local function double(x) return 2 * x end

--- An iterator over 1, 2, ... limit, and a function that tells how far it is.
local function counter(limit)
  local n = 0
  return function()
    if n < limit then
      n = n + 1
      return n
    end
  end, function() return n end
end

for _, executor in ipairs(executors) do
  describe("map of a " .. executor.name, function()
    it("yields the index and the results in the order of the items", function()
      local ex <close> = executor.make()
      assert.are.equal("1:2 2:4 3:6", pairs_of(ex:map(double, { 1, 2, 3 })))
    end)

    it("yields all values of a call, also nil", function()
      local ex <close> = executor.make()
      local seen = {}
      for i, a, b, c in ex:map(function(x) return nil, x, nil end, { "p", "q" }) do
        seen[i] = table.pack(a, b, c)
      end
      assert.are.same({ { nil, "p", nil, n = 3 }, { nil, "q", nil, n = 3 } }, seen)
    end)

    it("yields only the index for a call without results", function()
      local ex <close> = executor.make()
      local results = ex:map(function() end, { 1 })
      assert.are.equal(1, select("#", results()))
      assert.is_nil(results())
    end)

    it("takes from several inputs up to the end of the shortest", function()
      local ex <close> = executor.make()
      local function add(a, b, c) return a + b + c end
      local function hundred() return 100 end
      assert.are.equal("1:111 2:122",
        pairs_of(ex:map(add, { 1, 2 }, { 10, 20, 30 }, hundred)))
    end)

    it("yields nothing without inputs, or for an empty one", function()
      local ex <close> = executor.make()
      assert.are.equal("", pairs_of(ex:map(double)))
      assert.are.equal("", pairs_of(ex:map(double, {})))
      assert.are.equal("", pairs_of(ex:map(double, { 1 }, function() end)))
    end)

    it("calls an iterator function until it returns nil", function()
      local ex <close> = executor.make()
      assert.are.equal("1:2 2:4 3:6", pairs_of(ex:map(double, (counter(3)))))
      local values = { 1, false, 3 }
      local n = 0
      local function next_value()
        n = n + 1
        return values[n]
      end
      assert.are.equal("1:1 2:false 3:3", pairs_of(ex:map(function(x) return x end, next_value)))
    end)

    it("pulls an endless iterator only so far ahead", function()
      local ex <close> = executor.make()
      local next_number, pulled = counter(math.huge)
      for i, value in ex:map(double, next_number) do
        assert.are.equal(2 * i, value)
        assert.is_true(pulled() - i < 20000)
        if i == 1000 then break end
      end
    end)

    it("takes sequences that compute their items", function()
      local ex <close> = executor.make()
      local squares = setmetatable({}, {
        __len = function() return 4 end,
        __index = function(_, i) return i * i end,
      })
      assert.are.equal("1:2 2:8 3:18 4:32", pairs_of(ex:map(double, squares)))
    end)

    it("closes what comes along with an iterator, as io.lines gives it", function()
      local ex <close> = executor.make()
      local path = os.tmpname()
      local function write(lines)
        local file <close> = assert(io.open(path, "w"))
        file:write(("line\n"):rep(lines))
      end
      write(20000)
      local iterator, _, _, closing = io.lines(path)
      for i, size in ex:map(function(s) return #s end, iterator, nil, nil, closing) do
        assert.are.equal(4, size)
        if i == 5 then break end
      end
      assert.are.equal("closed file", io.type(closing))
      write(2000)
      local count = 0
      for _ in ex:map(function() end, io.lines(path)) do count = count + 1 end
      assert.are.equal(2000, count)
      os.remove(path)
    end)

    it("takes Lua code as its function", function()
      local ex <close> = executor.make()
      assert.are.equal("1:2 2:3", pairs_of(ex:map("return ... + 1", { 1, 2 })))
    end)

    it("takes values of any kind that can travel", function()
      local ex <close> = executor.make()
      local long = ("x"):rep(100000)
      local function describe_it(x)
        if type(x) == "function" then return x() end
        if type(x) == "table" then return x.name, x end
        return #x
      end
      local results = ex:map(describe_it, {
        { name = "a table" }, function() return long end, long, "short" }):collect()
      assert.are.same({ "a table", long, 100000, 5, n = 4 }, results)
    end)

    it("keeps what an item shares with the function", function()
      local ex <close> = executor.make()
      local shared = {}
      local results = ex:map(function(x) return x == shared end, { shared, {}, shared })
      assert.are.same({ true, false, true, n = 3 }, results:collect())
    end)

    it("starts every call from the values as they were", function()
      local ex <close> = executor.make(1)
      local list, count = {}, 0
      local results = ex:map(function(x)
        list[#list + 1] = x
        count = count + 1
        return #list, count
      end, { 1, 2, 3 })
      list[1] = "too late"
      count = 10
      for _, length, counted in results do
        assert.are.same({ 1, 1 }, { length, counted })
      end
    end)

    it("takes along globals that the function names", function()
      local ex <close> = executor.make()
      rawset(_G, "SPEC_SCALE", 3)
      local results = ex:map(function(x) return x * SPEC_SCALE end, { 1, 2 }) -- luacheck: ignore
      rawset(_G, "SPEC_SCALE", nil)
      assert.are.same({ 3, 6, n = 2 }, results:collect())
    end)

    it("maps many items, from a sequence and from an iterator", function()
      local ex <close> = executor.make()
      local numbers, count = {}, limits.scaled(5000)
      for i = 1, count do numbers[i] = i end
      for _, input in ipairs { numbers, (counter(count)) } do
        local sum = 0
        for i, value in ex:map(double, input) do
          assert(value == 2 * i)
          sum = sum + value
        end
        assert.are.equal(count * (count + 1), sum)
      end
    end)

    it("yields each once, as they complete, if not ordered", function()
      local ex <close> = executor.make()
      local seen, count = {}, 0
      for i, value in ex:options { ordered = false }:map(double, (counter(5000))) do
        assert.are.equal(2 * i, value)
        assert.is_nil(seen[i])
        seen[i], count = true, count + 1
      end
      assert.are.equal(5000, count)
    end)

    it("pulls buffersize items itself, and one more in each step", function()
      local ex <close> = executor.make()
      local next_number, pulled = counter(10)
      local results = ex:options { buffersize = 3 }:map(double, next_number)
      assert.are.equal(3, pulled())
      for step = 1, 7 do
        assert.are.equal(step, (results()))
        assert.are.equal(3 + step, pulled())
      end
      assert.are.equal("8:16 9:18 10:20", pairs_of(results))
    end)

    it("takes a buffersize beyond the input, and sequences too", function()
      local ex <close> = executor.make()
      local view = ex:options { buffersize = 100 }
      assert.are.equal("1:2 2:4", pairs_of(view:map(double, { 1, 2 })))
      assert.are.equal("1:2 2:4", pairs_of(view:map(double, (counter(2)))))
    end)

    it("gives the same results with any chunksize", function()
      local ex <close> = executor.make()
      for _, chunksize in ipairs { 1, 3, 64, 1000000 } do
        for _, ordered in ipairs { true, false } do
          local view = ex:options { chunksize = chunksize, ordered = ordered }
          local results = view:map(double, (counter(500))):collect()
          assert.are.equal(500, results.n)
          for i = 1, 500 do assert.are.equal(2 * i, results[i]) end
        end
      end
    end)

    it("says after shutdown what submit says, unless there is no item", function()
      local ex = executor.make()
      ex:shutdown()
      local mapped, err = pcall(ex.map, ex, double, { 1 })
      assert.is_false(mapped)
      assert.is_true(futures.isinstance(err, futures.RuntimeError))
      assert.are.equal("cannot schedule new futures after shutdown", err.message)
      assert.are.equal("", pairs_of(ex:map(double, {})))
    end)

    it("says so in the step that needs an executor which was shut down", function()
      local ex = executor.make()
      local results = ex:options { buffersize = 2 }:map(double, { 1, 2, 3, 4 })
      assert.are.equal(1, (results()))
      ex:shutdown()
      local read, err = pcall(results)
      assert.is_false(read)
      assert.are.equal("cannot schedule new futures after shutdown", err.message)
      assert.is_nil(results())
    end)

    it("finishes after a shutdown that does not cancel", function()
      local ex = executor.make()
      local numbers = {}
      for i = 1, 3000 do numbers[i] = i end
      local results = ex:map(double, numbers)
      ex:shutdown(false)
      assert.are.equal(3000, results:collect().n)
    end)

    it("can be used by callbacks of its own results' loop", function()
      local ex <close> = executor.make()
      local sum = 0
      for _, a in ex:map(double, { 1, 2, 3 }) do
        for _, b in ex:map(double, { a, a }) do sum = sum + b end
      end
      assert.are.equal(48, sum)
    end)
  end)
end
