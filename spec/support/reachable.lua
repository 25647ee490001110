-- reachable.lua RESULTS PATH CHECK - checks every Lua function of every installed library
--
-- A program of its own, as libraries do things when they are loaded. It requires all
-- that lies in the absolute folders of PATH, follows tables, metatables and upvalues,
-- calls what the module CHECK returns with each function and the names of the modules,
-- and notes in RESULTS the words that it returns.

local results = assert(io.open(arg[1], "w"))
rawset(os, "exit", function() error("a library wants to exit") end)
rawset(io, "read", function() end)
local check = require(arg[3])

local function modules()
  local names, seen = {}, {}
  for folder, tail in (";" .. arg[2]):gmatch(";(/[^;?]*)/%?([^;]*)") do
    local list <close> = io.popen(("find -L '%s' -name '*.lua' 2>/dev/null"):format(folder))
    for path in list:lines() do
      local name = path:sub(#folder + 2):match("^(.*)" .. tail:gsub("%.", "%%.") .. "$")
      name = name and name:gsub("/", ".")
      if name and not name:find "^test" and not name:find "runner" and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

local function reachable()
  local functions, queue, seen = {}, { package.loaded, debug.getregistry() }, {}
  local function note(value)
    local kind = type(value)
    if (kind == "table" or kind == "function" or kind == "userdata") and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  while #queue > 0 do
    local value = table.remove(queue)
    if type(value) == "table" then
      for key, item in next, value do
        note(key)
        note(item)
      end
    elseif type(value) == "function" then
      if debug.getinfo(value, "S").what ~= "C" then functions[#functions + 1] = value end
      local nth = 1
      while debug.getupvalue(value, nth) do
        note(select(2, debug.getupvalue(value, nth)))
        nth = nth + 1
      end
    end
    note(debug.getmetatable(value))
  end
  return functions
end

local names, required = modules(), 0
for _, name in ipairs(names) do
  results:write("module ", name, "\n"):flush()
  if pcall(require, name) then required = required + 1 end
end

for _, fn in ipairs(reachable()) do
  local info = debug.getinfo(fn, "S")
  local kind = info.source:sub(1, 1) == "@" and "file " or "other "
  for _, words in ipairs { check(fn, names) } do results:write(kind, words, "\n") end
end
results:write("required ", required, "\n")
results:close()
