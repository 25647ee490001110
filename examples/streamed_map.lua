--- streamed_map.lua - a huge file, line by line, in bounded memory
--
-- io.lines is an iterator: map pulls a little ahead of the workers, and results
-- go away as they are read. So a file of any size passes through.
local futures = require "futures"

local lines = math.tointeger(tonumber(arg and arg[1])) or 200000
local path = os.tmpname()
do
  local file <close> = assert(io.open(path, "w"))
  for i = 1, lines do
    file:write(("%d GET /page/%d 200 %d\n"):format(i, i % 100, i * 37 % 1000))
  end
end

local function parse(line)
  local status, bytes = line:match "(%d+) (%d+)$"
  return tonumber(status), tonumber(bytes)
end

local pool <close> = futures.ThreadPoolExecutor()
collectgarbage()
local before, most = collectgarbage "count", 0
local count, total = 0, 0
for i, status, bytes in pool:map(parse, io.lines(path)) do
  assert(status == 200)
  count, total = i, total + bytes
  if i % 1000 == 0 then most = math.max(most, collectgarbage "count") end
end
print(count .. " lines", total .. " bytes served")
print("memory of Lua grew by less than 20 MB:", most - before < 20000)
os.remove(path)
