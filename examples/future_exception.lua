--- future_exception.lua - errors of tasks: values, places, classes
local futures = require "futures"

local function divide(a, b)
  if b == 0 then error { code = "zero", dividend = a } end
  return a // b
end

local pool <close> = futures.ThreadPoolExecutor(2)

local f = pool:submit(divide, 1, 0)
local err = f:exception() -- waits; the same value as was raised, here a table
print(err.code, err.dividend)
local ok, raised = pcall(f.result, f)
print(ok, raised == err)

local g = pool:submit(function() local t = {}; return t.missing.field end)
print((g:exception():gsub("^.*/", ""))) -- with file and line
print(g:traceback():match "stack traceback:")


-- in map, an error comes at its place, and the rest after it
local results = pool:map(divide, { 6, 6, 6 }, { 2, 0, 3 })
for _ = 1, 3 do
  local fine, i, quotient = pcall(results)
  print(fine, fine and i, fine and quotient or (not fine and i.code))
end
