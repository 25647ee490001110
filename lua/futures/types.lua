---@meta
-- types.lua - the whole interface with its types, for editors and for readers;
-- no program loads this file. `ldoc .` makes pages of it: config.ld says how.
-- luacheck: ignore 212 241 (nothing here is used)

--- Concurrency for Lua: executors, futures, and waiting for them.
---
--- A timeout is a number of seconds, integer or not: 0 and less do not wait, nil
--- and math.huge have no limit; NaN raises. Whatever blocks is ended by Ctrl-C
--- of the standard interpreter, and runs callbacks that are due meanwhile; what
--- is not said to block returns at once. Arguments of a wrong type raise a plain
--- string that names them.
---@class futures
---@field ALL_COMPLETED "ALL_COMPLETED" for futures.wait: all have ended
---@field FIRST_COMPLETED "FIRST_COMPLETED" for futures.wait: one has ended
---@field FIRST_EXCEPTION "FIRST_EXCEPTION" for futures.wait: one has failed, or all have ended
---@field ThreadPoolExecutor futures.ThreadPoolExecutorClass makes a pool of threads
---@field ProcessPoolExecutor futures.ProcessPoolExecutorClass makes a pool of child processes
---@field SerialExecutor futures.SerialExecutorClass makes an executor of this thread
---@field Future futures.FutureClass makes a future that you complete; the class of all futures
---@field Executor table the class of all executors, for futures.isinstance
---@field Error futures.ErrorClass every error of the library
---@field CancelledError futures.ErrorClass an Error: the future was cancelled
---@field TimeoutError futures.ErrorClass an Error: it has not ended in time
---@field InvalidStateError futures.ErrorClass an Error: not a future to be completed
---@field SerializationError futures.ErrorClass an Error: a value cannot travel
---@field RuntimeError futures.ErrorClass an Error: what is asked for cannot be done now
---@field BrokenExecutor futures.ErrorClass a RuntimeError: the executor can run no tasks any more
---@field BrokenThreadPool futures.ErrorClass a BrokenExecutor
---@field BrokenProcessPool futures.ErrorClass a BrokenExecutor; says which worker died, and how
local futures = {}

--- Make a pool of threads of this process, each with a Lua state of its own.
--- They start when there are tasks for them, and find modules where package.path
--- and package.cpath of this moment say. Unknown options raise.
---@class futures.ThreadPoolExecutorClass
---@overload fun(opts?: integer|futures.ThreadPoolOptions): futures.ThreadPoolExecutor

--- Make a pool of child processes. They start when there are tasks for them, and
--- find modules where package.path and package.cpath of this moment say.
--- Functions travel as source. Raises if the program futures-worker is not found.
---@class futures.ProcessPoolExecutorClass
---@overload fun(opts?: integer|futures.ProcessPoolOptions): futures.ProcessPoolExecutor

--- Make an executor that runs each task at submit, in this thread, in a Lua state
--- of its own: the same copies and errors as on a worker, for debugging and tests.
--- Its futures are done when submit returns.
--- It takes the options of a pool of threads: what they say of workers and of
--- waiting holds where there are none.
---@class futures.SerialExecutorClass
---@overload fun(opts?: integer|futures.ThreadPoolOptions): futures.SerialExecutor

--- Make a future that you complete. It becomes cancelled when it can no longer be
--- completed, because it was collected or its state closed.
---@class futures.FutureClass
---@overload fun(): futures.Future

--- Make an error, for error(). The other classes of errors are called alike.
---@class futures.ErrorClass
---@overload fun(message?: any): futures.Error

--- Options of a pool of threads. An integer in their place is max_workers.
---@class futures.ThreadPoolOptions
---@field max_workers? integer 1 to 65535; futures.cpu_count() by default
---@field name? string what the names of the threads begin with; "futures" by default
---@field initializer? function runs in every new worker state before its first task
---@field initargs? any[] its arguments
---@field max_tasks_per_child? integer a worker's state is made anew after so many
---@field max_pending? integer submit blocks while so many tasks wait
---@field memory_limit? integer bytes that a worker's state may hold
---@field idle_timeout? number seconds after which a worker without a task ends

--- Options of a pool of processes: those of a pool of threads, and one more.
---@class futures.ProcessPoolOptions: futures.ThreadPoolOptions
---@field on_worker_death? "break"|"respawn" what the unexpected end of a worker
---  fails: all that is unfinished, and the pool (the default), or the task it ran

---@class futures.ThreadPoolExecutor: futures.Executor

---@class futures.SerialExecutor: futures.Executor

--- What futures.wait waits for.
---@alias futures.ReturnWhen "ALL_COMPLETED"|"FIRST_COMPLETED"|"FIRST_EXCEPTION"

--- Wait until all futures have ended, or one has (FIRST_COMPLETED), or one has
--- failed (FIRST_EXCEPTION; a cancelled one has not). Reaching the timeout is
--- no error. Blocks.
---
--- The second argument may also be a table of both options.
---@param fs futures.Future[] of any executors; one given twice counts once
---@param timeout? number|{timeout: number?, return_when: futures.ReturnWhen?} seconds
---@param return_when? futures.ReturnWhen ALL_COMPLETED by default
---@return futures.Future[] done in the order of fs
---@return futures.Future[] not_done in the order of fs
function futures.wait(fs, timeout, return_when) end

--- Iterate over futures as they end, each once; those that have ended come
--- first. Each step blocks.
---
--- ```lua
--- for f in futures.as_completed(fs) do print(f:result()) end
--- ```
---
--- TimeoutError is raised by the step that would have to wait past the timeout,
--- which counts from this call.
---@param fs futures.Future[] of any executors; one given twice comes once
---@param timeout? number seconds for the whole loop
---@return fun(): futures.Future? step
---@return nil
---@return nil
---@return any closing what the loop closes when it is left
function futures.as_completed(fs, timeout) end

--- Run the callbacks that are due; if there are none, wait for the first.
--- Blocks if given a timeout. Inside a callback nothing is done.
---@param timeout? number seconds, 0 by default
---@return integer count of the callbacks that were run
function futures.poll(timeout) end

--- A descriptor that is readable while futures.poll() has something to do: a
--- future has ended that has callbacks, or that a coroutine awaits. For event
--- loops; docs/coroutines.md shows how. Always the same for a state (after a fork
--- another), closed with it. Raises RuntimeError when none can be opened.
---@return integer
function futures.fd() end

--- Run fn(...) as a coroutine, and all that it spawns, until all have ended.
--- Where they await, or yield a future, others go on. Blocks.
---
--- Raises what fn raises; the other coroutines are stopped then. Also raises what
--- a spawned coroutine has raised, if nobody has asked its future.
---@param fn fun(...): ...
---@param ... any its arguments
---@return any ... what fn returned
function futures.run(fn, ...) end

--- Start fn(...) as one more coroutine of the futures.run under way. It has its
--- first turn when the coroutine that runs now awaits or ends.
---@param fn fun(...): ...
---@param ... any its arguments
---@return futures.Future future of what fn returns or raises
function futures.spawn(fn, ...) end

--- What the running task may know of itself; nil outside of tasks.
---@return futures.Current?
function futures.current() end

--- What futures.current returns.
---@class futures.Current
---@field worker integer the number of the worker: 1, 2, ...
---@field executor? futures.Executor whose task it is; nil in worker processes
---@field cancel_requested fun(): boolean whether the task was asked to stop

--- How many CPUs this process may use, by affinity and (on Linux) its cgroup.
---@return integer count at least 1
function futures.cpu_count() end

--- Values as a string, functions as source. Raises SerializationError for what
--- cannot travel: docs/values.md tells what does. An object whose metatable has
--- `__reduce` travels as the function and arguments which that returns.
---@param ... any of any number
---@return string
function futures.encode(...) end

--- The values of such a string. Raises SerializationError for any other.
---@param encoded string from futures.encode
---@param opts? {functions: boolean?} false: refuse functions, and run nothing
---@return any ...
function futures.decode(encoded, opts) end

--- The source of a Lua function, verified against its bytecode. Raises
--- SerializationError, which says why, when it is not to be had.
---@param fn function written in Lua
---@return string source an expression; captured variables are free names in it
---@return string file
---@return integer line
function futures.getsource(fn) end

--- Say what the text of a chunk is that lies in no file.
---@param chunkname string as given to load: "@name" or "=name"
---@param text string? nil takes back what was said
function futures.register_source(chunkname, text) end

--- Asked for the text of chunks that were not registered; to be set by you.
---@type nil | fun(chunkname: string): string?
futures.source_loader = nil

--- Name a value that both sides hold, so that it travels by name.
---@param name string the same on both sides
---@param value any not nil
function futures.register(name, value) end

--- Whether a value is an instance of a class, or of one derived from it.
---@param value any of any type
---@param class table futures.Error, futures.Future, futures.Executor, ...
---@return boolean
function futures.isinstance(value, class) end

--- Called with what a callback raised. Replace it by a function of your own; it
--- is looked up each time. By default it prints to stderr.
---@param err any what was raised
---@param future futures.Future whose callback it was
function futures.on_callback_error(err, future) end

--- What runs tasks. Belongs to the state that made it.
---
--- With `<close>` it is shut down at the end of its block, which waits for the
--- workers; left by an error the block cancels what has not started, left by
--- Ctrl-C it stops what runs and does not wait. One that is collected is shut down
--- without waiting: its tasks finish, also when the program ends meanwhile.
---@class futures.Executor
local Executor = {}

--- Schedule fn(...), in the order of the calls. Function, captured values and
--- arguments are copied now. Blocks only while max_pending tasks wait.
---
--- Raises SerializationError for a value that cannot be sent and names it;
--- RuntimeError after shutdown, in a forked child, or if there is no worker and
--- none can be started; a plain string for code that does not compile.
---@param fn function|string a Lua function, or Lua code that gets the arguments as `...`
---@param ... any its arguments
---@return futures.Future
function Executor:submit(fn, ...) end

--- Call fn for the items of inputs that are taken side by side, up to the end of
--- the shortest. Blocks while an iterator does, or as submit does.
---
--- ```lua
--- for i, result in pool:map(fn, xs) do print(xs[i], result) end
--- ```
---
--- All items of sequences are copied now. Iterators are functions (or userdata)
--- called until they return nil, a little ahead of the results that are read;
--- what `io.lines` returns can be passed as it is.
---
--- Raises what submit raises, and what an iterator raises; what had not started
--- is cancelled then.
---@param fn function|string called with one item of each input
---@param ... table|fun(): any sequences and iterators
---@return futures.Results
---@return nil
---@return nil
---@return futures.Results closing what the loop closes when it is left
function Executor:map(fn, ...) end

--- The same executor with options for its calls; those of a view add up.
---@param opts futures.CallOptions
---@return futures.Executor
function Executor:options(opts) end

--- Take no more tasks. What was submitted still runs, unless cancel_futures says
--- otherwise. May be called again. Blocks until all workers have ended, unless
--- told not to wait.
---
--- A boolean in place of the table is `wait`: true by default. The default of
--- `cancel_futures` is false.
---@param opts? boolean|{wait: boolean?, cancel_futures: boolean?}
function Executor:shutdown(opts) end

--- How the executor stands.
---@return futures.Stats
function Executor:stats() end

--- Options for submit and map, to be given to Executor:options.
---@class futures.CallOptions
---@field timeout number? seconds: of a task from its start; of map from its call, all in all
---@field priority number? a larger one starts first, 0 by default; a low one may wait for ever
---@field name string? of tasks
---@field chunksize integer? of map: items that a worker takes at a time, adaptive by default
---@field buffersize integer? of map: items pulled by map itself, then one in each step
---@field ordered boolean? of map: false for results as they complete

--- What Executor:stats returns.
---@class futures.Stats
---@field workers integer started and not ended
---@field idle integer of those, without a task
---@field pending integer tasks that wait
---@field running integer tasks that run
---@field completed integer tasks that have returned
---@field failed integer tasks that have raised, or were made to fail
---@field cancelled integer tasks cancelled, before or after they started
---@field queue_time number seconds that tasks have waited, in all
---@field run_time number seconds that tasks have run, in all
---@field memory integer[] bytes that the state of each worker holds
---@field names string[] of the tasks that run, as far as they have names

--- A pool of processes can do this besides.
---@class futures.ProcessPoolExecutor: futures.Executor
local ProcessPoolExecutor = {}

--- Send SIGTERM to every worker, then shut down without waiting; what has not
--- started is cancelled, what runs fails with BrokenProcessPool.
function ProcessPoolExecutor:terminate_workers() end

--- The same with SIGKILL.
function ProcessPoolExecutor:kill_workers() end

--- What map returns. Called, it gives the number of the next item and all results
--- of its call, or nil at the end; blocks until they are there. Raises what the
--- call raised, and can go on after that; TimeoutError, and then it has ended;
--- CancelledError for what a shutdown cancelled.
---
--- It ends when its loop is left, by `close`, `<close>`, or being collected: what
--- has not started is cancelled then, unless it was never called.
---@class futures.Results
---@overload fun(): integer?, ...
local Results = {}

--- The first results of all calls, by the number of the item. Blocks.
---@return {[integer]: any, n: integer}
function Results:collect() end

--- End it; it yields nothing any more.
function Results:close() end

--- The outcome of a task, once it has ended. A future takes fields of yours
--- (`f.url = url`), and the same future is always the same key of a table.
---@class futures.Future
---@field [any] any
local Future = {}

--- Return all values that the task returned, or raise what it raised: the same
--- value each time. Raises CancelledError if it was cancelled, TimeoutError if
--- it has not ended in time, and may then be called again. Blocks.
---@param timeout? number seconds
---@return any ...
function Future:result(timeout) end

--- In a coroutine: yield this future until it has ended, then return or raise as
--- result() does. Where nothing can be yielded it is result(). For coroutines of
--- futures.run, or of an event loop: docs/coroutines.md.
---@return any ...
function Future:await() end

--- Return what the task raised, or nil. Raises CancelledError and TimeoutError as
--- result() does. Blocks.
---@param timeout? number seconds
---@return any
function Future:exception(timeout) end

--- The worker's traceback of what the task raised; nil if it raised nothing,
--- has not ended, or memory had run out.
---@return string?
function Future:traceback() end

--- Cancel the task if it has not started, or (stop) stop it if it runs. A task
--- that is stopped ends a little later: cancelled, or with its result.
---@param stop? boolean false by default
---@return boolean cancelled false if it has ended, or runs and is not stopped
function Future:cancel(stop) end

--- Whether it was cancelled.
---@return boolean
function Future:cancelled() end

--- Whether a worker runs the task now.
---@return boolean
function Future:running() end

--- Whether it has ended: with a result, with an error, or cancelled.
---@return boolean
function Future:done() end

--- Call fn(future) once it has ended; at once if it has. Callbacks run in this
--- state, in the order added, never one inside another: while it waits for
--- anything, in cancel, shutdown and the setters below, and in futures.poll.
--- What they raise goes to futures.on_callback_error.
---@param fn fun(future: futures.Future)
function Future:add_done_callback(fn) end

--- Complete a future made by futures.Future(). Raises InvalidStateError if it has
--- ended, or belongs to a task.
---@param ... any results, kept as they are
function Future:set_result(...) end

--- Fail a future made by futures.Future(). Raises as set_result does.
---@param err any what result() will raise
---@param traceback? string what traceback() will return
function Future:set_exception(err, traceback) end

--- For those who complete futures, before they begin: from here on it cannot be
--- cancelled any more. Raises InvalidStateError unless it is pending or cancelled.
---@return boolean go_on false if it was cancelled
function Future:set_running_or_notify_cancel() end

--- An error of the library: tostring gives place, class and message.
---@class futures.Error
---@field message any what it was made with
---@field traceback string? of where it was raised

return futures
