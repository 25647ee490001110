-- Every function of the installed Lua libraries comes back as it went, as source through
-- bytes and as bytecode through a worker, unless it has captured what cannot travel.

local corpus = require "support.corpus"

-- What a function may have captured that has no name: "C function" and the like.
local function captured(words)
  local kind = words:match "^cannot send upvalue .*: ([^:]+)$"
  for _, known in ipairs { "C function", "userdata", "light userdata", "thread" } do
    if kind and kind:gsub(" %b()$", "") == known then return kind end
  end
end

describe("the functions of the installed libraries", function()
  it("come back as they went, or are refused for a value that they captured", function()
    local counts, refusals = {}, {}
    local all, modules = corpus "support.check_travel"
    for kind, words in all do
      local way, what = words:match "^(%S+) (.*)$"
      local reason = captured(what)
      local key = way .. (reason and " refused: " .. reason or " " .. what)
      if what ~= "same" and not reason then
        if kind == "file" then refusals[#refusals + 1] = words end
        key = way .. " refused: source"
      end
      counts[key] = (counts[key] or 0) + 1
    end
    local keys = {}
    for key in pairs(counts) do keys[#keys + 1] = key end
    table.sort(keys)
    print(("\n%d modules"):format(modules))
    for _, key in ipairs(keys) do print(counts[key], key) end
    assert.same({}, refusals)
    assert.is_true(counts["source same"] > 100)
    assert.is_true(counts["bytecode same"] > 100)
  end)
end)
