-- tidy_spec.lua - what tasks leave behind goes while there is nothing to do
local eventually = require "support.eventually"
local futures = require "futures"

local function litter(count)
  local all = {}
  for i = 1, count do all[i] = { i } end
  return #all
end

for _, kind in ipairs { "ThreadPoolExecutor", "ProcessPoolExecutor" } do
  describe("a worker without a task in a " .. kind, function()
    it("lets go of what the last one has left", function()
      local ex <close> = futures[kind](1)
      ex:submit(function() return collectgarbage "count" end):result()
      assert.equal(300000, ex:submit(litter, 300000):result())
      eventually(function() return ex:stats().memory[1] < 1 << 20 end)
    end)

    it("keeps what the tasks keep", function()
      local ex <close> = futures[kind](1)
      ex:submit(function()
        KEPT = {} -- luacheck: ignore 111
        for i = 1, 50000 do KEPT[i] = { i } end -- luacheck: ignore 112 113
      end):result()
      for _ = 1, 3 do ex:submit(litter, 100000):result() end
      eventually(function() return ex:stats().memory[1] < 8 << 20 end)
      assert.equal(50000, ex:submit(function()
        local sum = 0
        for i, t in ipairs(KEPT) do sum = sum + (t[1] == i and 1 or 0) end -- luacheck: ignore 113
        return sum
      end):result())
    end)

    it("leaves it if the tasks want no collection", function()
      local ex <close> = futures[kind](1)
      ex:submit(function() collectgarbage "stop" end):result()
      ex:submit(litter, 100000):result()
      local before = ex:submit(function() return collectgarbage "count" end):result()
      assert.is_true(before > 4096)
      for _ = 1, 20 do ex:submit(function() end):result() end
      local after = ex:submit(function() return collectgarbage "count" end):result()
      assert.is_true(after >= before)
    end)

    it("rests though its collector is generational", function()
      local ex <close> = futures[kind](1)
      ex:submit(function() collectgarbage "generational" end):result()
      ex:submit(litter, 100000):result()
      eventually(function() return ex:stats().idle == 1 end)
    end)

    it("leaves alone what C libraries have made, which may wait in a finalizer", function()
      local ex <close> = futures[kind](1)
      ex:submit(function() io.popen "sleep 1" end):result()
      ex:submit(litter, 100000):result()
      eventually(function() return ex:stats().idle == 1 end)
      local before = ex:submit(function() return collectgarbage "count" end):result()
      assert.is_true(before > 4096, before)
    end)

    it("runs finalizers, and what they do harms nobody", function()
      local ex <close> = futures[kind](1)
      local function leave(count)
        for _ = 1, count do
          setmetatable({ ("x"):rep(2000) }, { __gc = function()
            FINALIZED = (FINALIZED or 0) + 1 -- luacheck: ignore 111 113
            if FINALIZED % 100 == 0 then error "in a finalizer" end -- luacheck: ignore 113
          end })
        end
      end
      ex:submit(leave, 5000):result()
      eventually(function() return ex:stats().memory[1] < 1 << 20 end)
      assert.is_true(ex:submit("return FINALIZED"):result() >= 4900)
    end)
  end)
end
