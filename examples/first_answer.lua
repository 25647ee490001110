--- first_answer.lua - ask several, take the first answer, forget the rest
local futures = require "futures"

local gate = os.tmpname() -- while this file exists, slow ones wait

local function ask(name, slow, path)
  if slow then
    repeat local file <close> = io.open(path) until not file
  end
  return name .. " says 42"
end

local pool <close> = futures.ThreadPoolExecutor(2)
local fs = {
  pool:submit(ask, "the slow one", true, gate),
  pool:submit(ask, "the quick one", false, gate),
  pool:submit(ask, "another slow one", true, gate),
  pool:submit(ask, "a late one", true, gate),
}

local done, not_done = futures.wait(fs, nil, futures.FIRST_COMPLETED)
print(done[1]:result())
print(#done .. " done, " .. #not_done .. " not")

local cancelled = 0
for _, f in ipairs(not_done) do
  if f:cancel() then cancelled = cancelled + 1 end -- those that have not started
end
print(cancelled >= 1 and "cancelled what had not started")
os.remove(gate)
