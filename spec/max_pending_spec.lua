local child = require "support.child"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local stopping = require "support.stopping"

for _, executor in ipairs(executors.pools) do
  describe("max_pending of a " .. executor.name, function()
    local gate
    before_each(function() gate = gates.new() end)
    after_each(function()
      child.end_all()
      gate:close()
    end)

    it("blocks submit while so many tasks wait", function()
      local ex <close> = executor.make { max_workers = 1, max_pending = 2 }
      local most = 0
      local fs = {}
      for i = 1, limits.scaled(2000) do
        fs[i] = ex:submit(function(x) return x end, i)
        most = math.max(most, ex:stats().pending)
      end
      assert.is_true(most <= 2, most)
      for i = 1, #fs do assert.equal(i, fs[i]:result()) end
    end)

    it("counts neither what runs nor what was cancelled", function()
      local ex <close> = executor.make { max_workers = 1, max_pending = 2 }
      local first = stopping.start(ex, gates.pass, gate.path)
      local fs = { ex:submit(print), ex:submit(print) }
      assert.equal(2, ex:stats().pending)
      for i = 3, 20 do -- would block for ever
        assert.is_true(fs[i - 1]:cancel())
        fs[i] = ex:submit(function() end)
        assert.equal(2, ex:stats().pending)
      end
      assert.is_true(fs[1]:cancel())
      gate:open()
      first:result()
      fs[20]:result()
    end)

    it("lets callbacks run while submit is blocked: one may make room", function()
      local ex <close> = executor.make { max_workers = 1, max_pending = 1 }
      local other <close> = futures.ThreadPoolExecutor(1)
      local first = stopping.start(ex, gates.pass, gate.path)
      local waiting = ex:submit(print)
      local done = other:submit(function() end)
      done:add_done_callback(function() waiting:cancel() end)
      local f = ex:submit(function() return "room" end)
      assert.is_true(waiting:cancelled())
      gate:open()
      assert.equal("room", f:result())
      first:result()
    end)

    it("ends with the error of shutdown when a callback shuts down meanwhile", function()
      local ex = executor.make { max_workers = 1, max_pending = 1 }
      local other <close> = futures.ThreadPoolExecutor(1)
      local first = stopping.start(ex, gates.pass, gate.path)
      local waiting = ex:submit(function() return 1 end)
      other:submit(function() end):add_done_callback(function() ex:shutdown(false) end)
      local ok, err = pcall(ex.submit, ex, print)
      assert.is_false(ok)
      assert.matches("cannot schedule new futures after shutdown", err.message)
      gate:open()
      first:result()
      assert.equal(1, waiting:result())
      ex:shutdown()
    end)

    it("ends with the error when the pool breaks meanwhile", function()
      local ex <close> = executor.make {
        max_workers = 1, max_pending = 1,
        initializer = function(path)
          local file = io.open(path)
          file:setvbuf "no"
          file:read(1)
          error "no luck"
        end,
        initargs = { gate.path },
      }
      local other <close> = futures.ThreadPoolExecutor(1)
      ex:submit(print)
      other:submit(function() end):add_done_callback(function() gate:open() end)
      local ok, err
      repeat ok, err = pcall(ex.submit, ex, print) until not ok
      assert.is_true(futures.isinstance(err, futures.BrokenExecutor))
    end)

    it("lets Ctrl-C break a submit that is blocked", function()
      local script = child.start([[
        io.stdout:setvbuf "line"
        local futures = require "futures"
        local ex <close> = futures.CLASS { max_workers = 1, max_pending = 1 }
        local first = ex:submit(function(path) io.open(path):read(1) end, "GATE")
        repeat until first:running()
        ex:submit(print)
        print "ready"
        print(pcall(ex.submit, ex, print))
        print(ex:stats().pending)
      ]], { GATE = gate.path, CLASS = executor.name })
      assert.equal("ready", script:line())
      script:asleep()
      script:signal "INT"
      assert.matches("^false\t.*interrupted!$", script:line())
      assert.equal("1", script:line())
    end)
  end)
end
