--- scheduler.lua - coroutines that take turns while they wait for futures
--
-- Each coroutine is a task with a future of its own. It runs until it yields a
-- future; a callback of that one puts the task into the queue of those that are
-- ready. So a turn costs the same however many others wait.
--
-- How a run ends early: an error of the main function stops all other tasks.
-- Ctrl-C is raised in the main function where it awaits, as in any function that
-- blocks. What stops a task is an error raised by its await; if that does not
-- end it, it is closed.
local core = require "futures.core"
local fail = require "futures.fail"

local Future = core.Future -- its methods, whatever fields users set in instances

local scheduler = {}

local active -- the run under way, or nil

--- Append a task to those that are ready. It is there once at most.
local function push(run, task)
  run.last = run.last + 1
  run.ready[run.last] = task
end

--- Take the task that has been ready for longest, or nil.
local function pop(run)
  local task = run.ready[run.first]
  if task then
    run.ready[run.first] = nil
    run.first = run.first + 1
  end
  return task
end

--- Make a task of fn(...), ready to start.
local function add(run, fn, ...)
  local task = {
    number = run.started + 1,      -- the order in which they are made
    thread = coroutine.create(fn),
    future = Future(),
    arguments = table.pack(...),   -- nil once it has started
    waiting = nil,                 -- the future it has yielded; nil if it is ready or runs
    thrown = nil,                  -- { error } that its await is to raise
  }
  function task.wake(future)
    if task.waiting == future then
      task.waiting = nil
      push(run, task)
    end
  end
  run.started = task.number
  run.tasks[task] = true
  run.count = run.count + 1
  push(run, task)
  return task
end

--- Let go of a task that has ended.
local function drop(run, task)
  run.tasks[task] = nil
  run.count = run.count - 1
end

--- Keep a future that has failed; let go of those whose error somebody has got.
local function note_failure(run, future)
  local failed = run.failed
  if #failed >= run.failed_limit then
    run.failed = {}
    for _, f in ipairs(failed) do
      if not core.asked(f) then table.insert(run.failed, f) end
    end
    run.failed_limit = 2 * #run.failed + 100
  end
  table.insert(run.failed, future)
end

local function finish(run, task, ...)
  drop(run, task)
  if not Future.done(task.future) then Future.set_result(task.future, ...) end
end

local function finish_failed(run, task, err)
  local traceback = debug.traceback(task.thread)
  local closed, last = coroutine.close(task.thread) -- runs its <close> variables
  if not closed then err = last end
  drop(run, task)
  if task == run.main then
    run.main_failed = true
  else
    note_failure(run, task.future)
  end
  if not Future.done(task.future) then
    Future.set_exception(task.future, err, traceback)
  end
end

--- The place of the function that has called yield or await, for messages.
local function where(thread)
  local info = debug.getinfo(thread, 1, "Sl")
  local known = info and info.currentline > 0
  return known and ("%s:%d: "):format(info.short_src, info.currentline) or ""
end

--- What to say of a value that was yielded and is no future.
local function refusal(thread, value)
  local kind = type(value)
  if kind == "string" or kind == "number" then kind = ("%s (%s)"):format(kind, value) end
  return where(thread) .. "a coroutine of futures.run yielded no Future, but " .. kind
end

--- Go on after coroutine.resume, which has returned the other arguments.
local function resumed(run, task, ok, ...)
  if not ok then
    local err = ...
    finish_failed(run, task, err)
    if task ~= run.main and core.is_interrupt(err) then error(err, 0) end
  elseif coroutine.status(task.thread) == "dead" then
    finish(run, task, ...)
  elseif core.isinstance((...), Future) then
    task.waiting = ...
    Future.add_done_callback(task.waiting, task.wake)
  else
    finish_failed(run, task, refusal(task.thread, (...)))
  end
end

--- Let a task run until it waits or ends.
local function step(run, task)
  run.turn = task
  local arguments, thrown = task.arguments, task.thrown
  if thrown then
    task.thrown = nil
    resumed(run, task, coroutine.resume(task.thread, core.throw_mark, thrown[1]))
  elseif not arguments then
    resumed(run, task, coroutine.resume(task.thread))
  elseif Future.done(task.future) then -- cancelled before it began
    drop(run, task)
  else
    task.arguments = nil
    Future.set_running_or_notify_cancel(task.future)
    resumed(run, task, coroutine.resume(task.thread, table.unpack(arguments, 1, arguments.n)))
  end
  run.turn = nil
end

--- Run all tasks to their ends, or until the main one has failed.
local function loop(run)
  while run.count > 0 and not run.main_failed do
    local task = pop(run)
    if task then step(run, task) else core.poll(math.huge) end
  end
end

--- Whether a task is suspended in await, which can raise errors.
local function awaits(task)
  if coroutine.status(task.thread) ~= "suspended" then return false end
  local info = debug.getinfo(task.thread, 0, "f")
  return info ~= nil and info.func == Future.await
end

--- Ctrl-C has broken off the loop: let the main function have it, if it awaits.
local function interrupted(run, err)
  local task, main = run.turn, run.main
  run.turn = nil
  if task and run.tasks[task] then -- in the middle of its turn
    if coroutine.status(task.thread) == "suspended" then
      task.waiting = nil
      push(run, task) -- await yields again
    else
      drop(run, task)
      core.abandon(task.future)
    end
  end
  if not awaits(main) then error(err, 0) end
  local message = type(err) == "string" and err:match "scheduler%.lua:%d+: (.*)$"
  main.thrown = { message and where(main.thread) .. message or err }
  if main.waiting then
    main.waiting = nil
    push(run, main)
  end
end

--- End a task that has not ended by itself.
local function stop(task, reason)
  if awaits(task) then coroutine.resume(task.thread, core.throw_mark, reason) end
  local status = coroutine.status(task.thread)
  if status == "suspended" or status == "dead" then
    local closed, err = coroutine.close(task.thread)
    if not closed and err ~= reason then
      warn("error in a coroutine that futures.run has stopped (", tostring(err), ")")
    end
  end
  core.abandon(task.future)
end

--- The end of a run, by whatever: stop what is left, the newest first.
local function close(run, err)
  active = nil
  local left = {}
  for task in pairs(run.tasks) do table.insert(left, task) end
  table.sort(left, function(a, b) return a.number > b.number end)
  local reason = core.is_interrupt(err) and err or core.CancelledError "futures.run has ended"
  for _, task in ipairs(left) do stop(task, reason) end
end

local meta = { __close = close }

--- Return the first future that has failed and that nobody has asked; warn of
-- the others.
local function unasked(run)
  local first
  for _, future in ipairs(run.failed) do
    if not core.asked(future) then
      if first or run.main_failed then
        local err = tostring(Future.exception(future))
        warn("error in a coroutine of futures.run that nobody awaited (", err, ")")
      end
      first = first or future
    end
  end
  return first
end

local function check_function(name, fn)
  if type(fn) == "function" then return end
  local message = "bad argument #1 to '%s' (function expected, got %s)"
  error(message:format(name, fn == nil and "no value" or type(fn)), 3)
end

--- Run fn(...) as a coroutine, and those that it spawns, until all have ended.
---@param fn function
---@return any ... what fn returned
function scheduler.run(fn, ...)
  check_function("run", fn)
  if active then
    fail(core.RuntimeError, "futures.run inside futures.run: use futures.spawn", 2)
  elseif core.in_callback() then
    fail(core.RuntimeError, "futures.run inside a callback: no other callback can run", 2)
  end
  local run <close> = setmetatable({
    ready = {}, first = 1, last = 0,     -- a queue of tasks
    tasks = {}, count = 0, started = 0,  -- those that have not ended
    failed = {}, failed_limit = 100,     -- futures of those that have failed
    turn = nil,                          -- the task that is running
    main_failed = false,
  }, meta)
  active = run
  run.main = add(run, fn, ...)
  repeat
    local ok, err = pcall(loop, run)
    if not ok then
      if not core.is_interrupt(err) then error(err, 0) end
      interrupted(run, err)
    end
  until ok
  local failed = unasked(run)
  if failed and not run.main_failed then Future.result(failed) end
  return Future.result(run.main.future)
end

--- Start fn(...) as a coroutine of the run under way; its turn comes when the
-- coroutine that runs now awaits or ends.
---@param fn function
---@return futures.Future
function scheduler.spawn(fn, ...)
  check_function("spawn", fn)
  if not active then
    fail(core.RuntimeError, "futures.spawn outside of futures.run", 2)
  end
  return add(active, fn, ...).future
end

return scheduler
