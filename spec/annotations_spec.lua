-- lua/futures/types.lua, which editors and the pages of LDoc are served from, has
-- every name that the module has, and no other.
local annotations = require("support.annotations").read()
local futures = require "futures"

--- What users are promised, whatever the module and its annotations hold.
local promised = {
  futures = [[ALL_COMPLETED BrokenExecutor BrokenProcessPool BrokenThreadPool CancelledError Error
    Executor FIRST_COMPLETED FIRST_EXCEPTION Future InvalidStateError ProcessPoolExecutor
    RuntimeError SerialExecutor SerializationError ThreadPoolExecutor TimeoutError as_completed
    cpu_count current decode encode fd getsource isinstance on_callback_error poll register
    register_source run source_loader spawn wait]],
  Executor = "map options shutdown stats submit",
  ProcessPoolExecutor = "kill_workers terminate_workers",
  Results = "close collect",
  Future = [[add_done_callback await cancel cancelled done exception result running set_exception
    set_result set_running_or_notify_cancel traceback]],
  Stats = [[cancelled completed failed idle memory names pending queue_time run_time running
    workers]],
  Current = "cancel_requested executor worker",
  Error = "message traceback",
  CallOptions = "buffersize chunksize name ordered priority timeout",
  ThreadPoolOptions = [[idle_timeout initargs initializer max_pending max_tasks_per_child
    max_workers memory_limit name]],
  ProcessPoolOptions = "on_worker_death",
}

--- The keys of a table, in order.
local function names(t)
  local found = {}
  for name in pairs(t) do found[#found + 1] = name end
  table.sort(found)
  return table.concat(found, " ")
end

local function promise(class) return (promised[class]:gsub("%s+", " ")) end

--- The names that are annotated for a class: fields, and functions.
local function annotated(class)
  local all = {}
  for name in pairs(annotations.fields[class] or {}) do all[name] = true end
  for name in pairs(annotations.functions) do
    local key = name:match("^" .. class .. "[.:](.*)$")
    if key then all[key] = true end
  end
  return names(all)
end

describe("the annotations", function()
  it("have every name that is promised, and no other", function()
    for class in pairs(promised) do
      assert.equal(promise(class), annotated(class), class)
    end
    for name in pairs(annotations.functions) do
      assert.is_string(promised[name:match "^%w+"], name)
    end
  end)

  it("have what the module has", function()
    local found = { source_loader = true } -- there for users to set
    for name in pairs(futures) do found[name] = true end
    found._VERSION = nil
    assert.equal(promise "futures", names(found))
  end)

  it("have what executors, futures and results have", function()
    local pool <close> = futures.ProcessPoolExecutor(1)
    local threads <close> = futures.ThreadPoolExecutor(1)
    local serial <close> = futures.SerialExecutor()
    local results <close> = serial:map(function() end, { 1 })
    assert.equal(promise "Executor", names(futures.Executor))
    assert.equal(promise "Future", names(getmetatable(futures.Future()).__index))
    assert.equal(promise "Results", names(getmetatable(results).__index))
    assert.equal(promise "ProcessPoolExecutor", names(getmetatable(pool).__index))
    for _, executor in ipairs { pool, threads, serial } do
      local methods = getmetatable(executor).__index
      assert.equal(futures.Executor, getmetatable(methods).__index)
      if executor ~= pool then assert.equal("", names(methods)) end
    end
  end)

  it("have what stats and current return", function()
    local pool <close> = futures.ThreadPoolExecutor(1)
    assert.equal(promise "Stats", names(pool:stats()))
    local keys = pool:submit(function()
      local keys = {}
      for name in pairs(require("futures").current()) do keys[name] = true end
      return keys
    end)
    assert.equal(promise "Current", names(keys:result()))
  end)

  it("have the options that are taken", function()
    local serial <close> = futures.SerialExecutor()
    local function options(opts) return serial:options(opts) end
    for _, case in ipairs {
      { "CallOptions", options }, { "ThreadPoolOptions", futures.ThreadPoolExecutor },
      { "ThreadPoolOptions", futures.SerialExecutor },
      { "ProcessPoolOptions", futures.ProcessPoolExecutor },
    } do
      local class, take = table.unpack(case)
      for name in promise(class):gmatch "%S+" do
        local fine, err = pcall(take, { [name] = io.stdout }) -- of no option's type
        assert.is_false(fine)
        assert.matches("option '" .. name .. "'", err)
        assert.not_matches("unknown option", err)
      end
      local fine, err = pcall(take, { another = 1 })
      assert.is_false(fine)
      assert.matches("unknown option 'another'", err)
    end
  end)

  it("give the functions that are written in Lua as many parameters as they have", function()
    local checked = 0
    for name, annotation in pairs(annotations.functions) do
      local class, key = name:match "^(%w+)[.:](.*)$"
      local fn = (class == "futures" and futures or futures[class] or {})[key]
      local info = fn and debug.getinfo(fn, "uS")
      if info and info.what == "Lua" then
        local count, params = info.nparams, annotation.params
        if name:find ":" then count = count - 1 end
        local variable = params[#params] == "..."
        assert.equal(info.isvararg, variable, name)
        assert.equal(count, variable and #params - 1 or #params, name)
        checked = checked + 1
      end
    end
    assert.is_true(checked >= 6, checked)
  end)

  it("say something of every function, class that is called, and field", function()
    for _, kind in ipairs { annotations.functions, annotations.calls } do
      for name, annotation in pairs(kind) do
        assert.is_true(#annotation.text > 8, name)
      end
    end
    for class, fields in pairs(annotations.fields) do
      for name, annotation in pairs(fields) do
        assert.matches("%S %S", annotation.text, nil, nil, class .. "." .. name) -- type, and more
      end
    end
  end)
end)
