local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"

local function running(fs)
  local count = 0
  for _, f in ipairs(fs) do count = count + (f:running() and 1 or 0) end
  return count
end

for _, executor in ipairs(executors.classes) do
  describe("a " .. executor.name, function()
    it("keeps a worker's own globals from task to task", function()
      local ex <close> = executor.make(1)
      local function count()
        _G.times = (_G.times or 0) + 1
        return _G.times
      end
      assert.equal(1, ex:submit(count):result())
      assert.equal(2, ex:submit(count):result())
      assert.is_nil(_G.times)
      local other <close> = executor.make(1)
      assert.equal(1, other:submit(count):result())
    end)

    it("finds modules where its maker does at that time", function()
      local folder = os.tmpname()
      os.remove(folder)
      assert(os.execute("mkdir " .. folder))
      local file = assert(io.open(folder .. "/private_module.lua", "w"))
      file:write "return { answer = 42 }"
      file:close()
      local path, cpath = package.path, package.cpath
      package.path = folder .. "/?.lua;" .. path
      package.cpath = folder .. "/?.so;" .. cpath
      local expected = { package.path, package.cpath, 42 }
      local ex <close> = executor.make(1)
      package.path, package.cpath = path, cpath
      assert.same(expected, { ex:submit(function()
        return package.path, package.cpath, require("private_module").answer
      end):result() })
      os.execute("rm -r " .. folder)
    end)

    it("does not get modules and searchers that only its maker's state has", function()
      package.preload.spec_preloaded = function() return {} end
      local function searcher(name)
        if name == "spec_searched" then return function() return {} end end
      end
      table.insert(package.searchers, searcher)
      local ex <close> = executor.make(1)
      local preloaded, searched, searchers = ex:submit([[
        return pcall(require, "spec_preloaded"), pcall(require, "spec_searched"), #package.searchers
      ]]):result()
      assert.is_truthy(require "spec_preloaded" and require "spec_searched")
      package.preload.spec_preloaded = nil
      package.loaded.spec_preloaded, package.loaded.spec_searched = nil, nil
      table.remove(package.searchers)
      assert.same({ false, false, 4 }, { preloaded, searched, searchers })
    end)

    it("says what it is", function()
      local ex <close> = executor.make(1)
      assert.matches("^<" .. executor.name .. " at 0x%x+ .*>$", tostring(ex))
    end)

    if executor.serial then return end

    local new = futures[executor.name]

    it("is made with a table of options, a number of workers, or nothing", function()
      for _, options in ipairs { { max_workers = 2, name = "crew" }, {}, 1, 2.0 } do
        local ex <close> = new(options)
        assert.equal(42, ex:submit(function(x) return 2 * x end, 21):result())
      end
      local ex <close> = new()
      assert.equal(1, ex:submit(function() return 1 end):result())
    end)

    it("has as many workers as there are usable CPUs, unless told otherwise", function()
      local ex <close> = new()
      local gate <close> = gates.new()
      local fs = {}
      for i = 1, futures.cpu_count() + 3 do fs[i] = ex:submit(gates.pass, gate.path) end
      eventually(function() return running(fs) == futures.cpu_count() end)
      gate:open() -- whoever takes the next task makes room first
      eventually(function() return futures.wait(fs, 0, "FIRST_COMPLETED")[1] end)
      eventually(function() return running(fs) == futures.cpu_count() end)
    end)

    it("runs tasks at the same time", function()
      local ex <close> = executor.make(2)
      local there <close> = gates.new()
      local back <close> = gates.new()
      -- each lets the other pass
      local function meet(own, other)
        local file <close> = assert(io.open(other, "r+"))
        file:write "x"
        file:flush()
        local mine <close> = assert(io.open(own, "r"))
        return mine:read(1)
      end
      local ping = ex:submit(meet, there.path, back.path)
      local pong = ex:submit(meet, back.path, there.path)
      assert.equal("x", ping:result(10))
      assert.equal("x", pong:result(10))
    end)

    it("gives each worker a state of its own", function()
      local ex <close> = executor.make(2)
      local gate <close> = gates.new()
      local function mark(pass, path, name)
        MARK = rawget(_G, "MARK") or name -- luacheck: ignore
        pass(path)
        return rawget(_G, "MARK")
      end
      local a = ex:submit(mark, gates.pass, gate.path, "a")
      local b = ex:submit(mark, gates.pass, gate.path, "b")
      eventually(function() return running { a, b } == 2 end)
      gate:open(2)
      assert.same({ "a", "b" }, { a:result(), b:result() })
    end)

    it("gives its workers names that a system's tools show", function()
      if limits.portable then return pending "portable builds do not name threads" end
      local function name()
        local file <close> = assert(io.open "/proc/thread-self/comm")
        return file:read "l"
      end
      local ex <close> = executor.make { max_workers = 1, name = "crew" }
      assert.equal("crew-1", ex:submit(name):result())
      local plain <close> = executor.make(1)
      assert.equal("futures-1", plain:submit(name):result())
    end)

    it("has no worker before there is a task, and no more than there is work for", function()
      local ex <close> = executor.make(4)
      assert.equal(0, ex:stats().workers)
      for _ = 1, 20 do
        ex:submit(function() end):result()
        eventually(function() return ex:stats().idle == 1 end) -- a little after its task
      end
      assert.equal(1, ex:stats().workers)
    end)
  end)
end
