local futures = require "futures"
local child = require "support.child"
local limits = require "support.limits"

describe("cpu_count", function()
  it("is a positive integer, as many CPUs as the process may use", function()
    local count = futures.cpu_count()
    assert.equal("integer", math.type(count))
    assert.is_true(count >= 1)
    local pipe = io.popen "nproc 2>/dev/null"
    local usable = pipe:read "n" -- knows of affinity, not of quotas
    pipe:close()
    if usable and not limits.portable then assert.is_true(count <= usable) end
  end)

  it("counts the CPUs that the process is bound to, and so do pools", function()
    if limits.portable then return pending "portable builds count all CPUs" end
    if not os.execute "taskset -c 0 true 2>/dev/null" then return pending "needs taskset" end
    local output = child.run([[
      local futures = require "futures"
      local ex <close> = futures.ThreadPoolExecutor()
      local path = os.tmpname()
      os.remove(path)
      -- the first task keeps the only worker until the second was seen waiting
      local first = ex:submit(function(p)
        repeat local file <close> = io.open(p) until file
      end, path)
      repeat until first:running()
      local second = ex:submit(function() end)
      print(futures.cpu_count(), pcall(second.result, second, 0.05))
      io.open(path, "w"):close()
      first:result()
      os.remove(path)
    ]], { wrapper = "taskset -c 0" })
    assert.matches("^1\tfalse\tTimeoutError: ", output)
  end)
end)
