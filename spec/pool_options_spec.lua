local futures = require "futures"

-- Option, value, what is said of it.
local bad = {
  { "max_workers", 0, "must be greater than 0" },
  { "max_workers", 65536, "must be at most 65535" },
  { "max_workers", 1.5, "number has no integer representation" },
  { "max_workers", "2", "integer expected, got string" },
  { "name", 1, "string expected, got number" },
  { "name", "", "must be a string of printable characters" },
  { "initializer", "print()", "function expected, got string" },
  { "initializer", {}, "function expected, got table" },
  { "initargs", "x", "table expected, got string" },
  { "max_tasks_per_child", 0, "must be greater than 0" },
  { "max_tasks_per_child", true, "integer expected, got boolean" },
  { "max_pending", 0, "must be greater than 0" },
  { "max_pending", math.huge, "number has no integer representation" },
  { "memory_limit", 0, "must be greater than 0" },
  { "memory_limit", "1M", "integer expected, got string" },
  { "idle_timeout", "1", "number of seconds expected, got string" },
  { "idle_timeout", 0 / 0, "is not a number (NaN)" },
}

describe("a pool says what is wrong with the option", function()
  for _, case in ipairs(bad) do
    local option, value, message = table.unpack(case)
    it(("%s = %s"):format(option, tostring(value)), function()
      local ok, err = pcall(futures.ThreadPoolExecutor, { [option] = value })
      assert.is_false(ok)
      local whole = ("ThreadPoolExecutor' (option '%s': %s)"):format(option, message)
      assert.is_truthy(tostring(err):find(whole, 1, true), tostring(err))
    end)
  end

  it("that it does not know", function()
    assert.error_matches(function() futures.ThreadPoolExecutor { max_worker = 1 } end,
      "unknown option 'max_worker'")
  end)

  it("and takes those without a limit", function()
    local ex <close> = futures.ThreadPoolExecutor {
      max_workers = 1, idle_timeout = math.huge, max_tasks_per_child = math.maxinteger,
      max_pending = math.maxinteger, memory_limit = math.maxinteger,
    }
    assert.equal(1, ex:submit(function() return 1 end):result())
  end)
end)
