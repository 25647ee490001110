-- Functions that are hard to find: see support/nasty.lua. A failure names its seed.

local nasty = require "support.nasty"
local prototypes = require "support.prototypes"
local same_code = require "support.same_code"
local source = require "futures.source"

local SEED = tonumber(os.getenv "NASTY_SEED") -- to run one again
local SCALE = tonumber(os.getenv "FUTURES_SCALE") or 1
local FIRST, COUNT = SEED or 1, SEED and 1 or math.ceil(5000 * SCALE)

-- The expression, with its variables declared as in the chunk, is the function again.
local function check_expression(fn, chunk, names)
  local text, _, line = source.get(fn)
  assert(load("return " .. text))
  if line == 0 or #names > 150 then return end
  local header = chunk:match "^(.-)return function%("
  local declared = {}
  for _, name in ipairs(names) do
    local attribute = header:match("local " .. name .. "( <%a+>)") or ""
    if name ~= "_ENV" or attribute ~= "" then
      declared[#declared + 1] = "local " .. name .. attribute
    end
  end
  local whole = ("\n"):rep(line - 1) .. table.concat(declared, " ") .. " return " .. text
  local built = load(whole, debug.getinfo(fn, "S").source)()
  assert(same_code(fn, built), "the expression has other code")
end

local function check(fn)
  local text, chunkname, names, main = source.chunk(fn)
  local built = source.build(text, chunkname, main)
  assert(same_code(fn, built), "other code")
  for nth, name in ipairs(names) do
    assert(debug.getupvalue(built, nth) == name, "other upvalues")
  end
  check_expression(fn, text, names)
end

describe("the source of nasty functions", function()
  it("is found for " .. COUNT .. " texts", function()
    local functions, started = 0, os.clock()
    for seed = FIRST, FIRST + COUNT - 1 do
      local text = nasty(seed)
      local chunkname = "=nasty" .. seed
      source.register(chunkname, text)
      local all = prototypes(assert(load(text, chunkname)))
      functions = functions + #all
      for nth = 1, #all do -- in no order: what is found must not stand in another's way
        local fn = all[(nth * 7919 + seed) % #all + 1]
        local good, problem = pcall(check, fn)
        if not good then
          error(("seed %d: line %d: %s"):format(seed, debug.getinfo(fn, "S").linedefined, problem))
        end
      end
      source.register(chunkname, nil)
    end
    print(("\n%d functions in %.1f s"):format(functions, os.clock() - started))
  end)
end)
