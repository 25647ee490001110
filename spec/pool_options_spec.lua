local executors = require "support.executors"
local futures = require "futures"

-- Option, value, what is said of it. Each option has a value of a wrong type, and
-- one out of range where it has a range.
local bad = {
  { "max_workers", 0, "must be greater than 0" },
  { "max_workers", 65536, "must be at most 65535" },
  { "max_workers", 1.5, "number has no integer representation" },
  { "max_workers", "2", "integer expected, got string" },
  { "name", 1, "string expected, got number" },
  { "name", "", "must be a string of printable characters" },
  { "name", "a\nb", "must be a string of printable characters" },
  { "initializer", "print()", "function expected, got string" },
  { "initializer", {}, "function expected, got table" },
  { "initargs", "x", "table expected, got string" },
  { "initargs", 1, "table expected, got number" },
  { "max_tasks_per_child", 0, "must be greater than 0" },
  { "max_tasks_per_child", -1, "must be greater than 0" },
  { "max_tasks_per_child", 0 / 0, "number has no integer representation" },
  { "max_tasks_per_child", true, "integer expected, got boolean" },
  { "max_pending", 0, "must be greater than 0" },
  { "max_pending", math.huge, "number has no integer representation" },
  { "max_pending", "many", "integer expected, got string" },
  { "memory_limit", 0, "must be greater than 0" },
  { "memory_limit", 0.5, "number has no integer representation" },
  { "memory_limit", "1M", "integer expected, got string" },
  { "idle_timeout", "1", "number of seconds expected, got string" },
  { "idle_timeout", 0 / 0, "is not a number (NaN)" },
  { "idle_timeout", false, "number of seconds expected, got boolean" },
}

local only = { -- what only this class has
  ProcessPoolExecutor = {
    { "on_worker_death", "restart", "'break' or 'respawn' expected, got restart" },
    { "on_worker_death", 1, "'break' or 'respawn' expected, got 1" },
    { "on_worker_death", true, "'break' or 'respawn' expected, got true" },
  },
}

for _, executor in ipairs(executors.classes) do
  describe("a " .. executor.name .. " says what is wrong with the option", function()
    local class = futures[executor.name]

    local function refuses(message, opts)
      local ok, err = pcall(class, opts)
      assert.is_false(ok)
      local whole = ("bad argument #1 to '%s' (%s"):format(executor.name, message)
      assert.is_truthy(tostring(err):find(whole, 1, true), tostring(err))
    end

    for _, cases in ipairs { bad, only[executor.name] } do
      for _, case in ipairs(cases) do
        local option, value, message = table.unpack(case)
        it(("%s = %s"):format(option, tostring(value):gsub("%c", "?")), function()
          refuses(("option '%s': %s"):format(option, message), { [option] = value })
        end)
      end
    end

    it("that it does not know", function()
      for _, name in ipairs { "max_worker", "Name", "timeout", "priority", "wait", 1, true } do
        refuses(("unknown option '%s'"):format(name), { [name] = 1 })
      end
      if not only[executor.name] then
        refuses("unknown option 'on_worker_death'", { on_worker_death = "break" })
      end
    end)

    it("and takes those without a limit", function()
      local opts = {
        max_workers = 1, max_tasks_per_child = math.maxinteger, memory_limit = math.maxinteger,
        idle_timeout = math.huge, max_pending = math.maxinteger,
      }
      local ex <close> = class(opts)
      assert.equal(1, ex:submit(function() return 1 end):result())
    end)
  end)
end
