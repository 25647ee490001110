--- as_completed.lua - results are taken as they come, whichever is first
local futures = require "futures"

local function count_primes(first, last)
  local count = 0
  for n = math.max(first, 2), last do
    local divisor = 2
    while divisor * divisor <= n and n % divisor ~= 0 do divisor = divisor + 1 end
    if divisor * divisor > n then count = count + 1 end
  end
  return count
end

local pool <close> = futures.ThreadPoolExecutor()

local tasks = {}
for i = 1, 8 do
  local first, last = (i - 1) * 10000, i * 10000 - 1
  tasks[i] = pool:submit(count_primes, first, last)
  tasks[i].range = { first, last } -- a future takes fields: which one is it?
end

local done, primes, covered = 0, 0, 0
for task in futures.as_completed(tasks) do -- a second argument: seconds at most
  done = done + 1
  primes = primes + task:result()
  covered = covered + task.range[2] - task.range[1] + 1
  print(("%d of %d done"):format(done, #tasks))
end
print(("%d primes among the first %d numbers"):format(primes, covered))
