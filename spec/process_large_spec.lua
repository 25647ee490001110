local futures = require "futures"
local limits = require "support.limits"

--- Return how many bytes of memory the machine has to spare.
local function spare()
  for line in io.lines "/proc/meminfo" do
    local kilobytes = line:match "^MemAvailable:%s+(%d+)"
    if kilobytes then return kilobytes * 1024 end
  end
  return 0
end

describe("a process pool", function()
  it("passes strings of any size, in pieces, there and back", function()
    -- 1 GiB takes a while: only where stress tests are long
    local size = (limits.scale > 1 and spare() > 10 << 30) and 1 << 30 or 1 << 26
    local ex <close> = futures.ProcessPoolExecutor(1)
    local text = ("0123456789abcdef"):rep(size // 16)
    local length, last = ex:submit(function(s) return #s, s:sub(-16) end, text):result()
    assert.equal(size, length)
    assert.equal("0123456789abcdef", last)
    text = nil -- luacheck: ignore 311
    collectgarbage()
    local back = ex:submit(function(n) return ("fedcba9876543210"):rep(n) end, size // 16):result()
    assert.equal(size, #back)
    assert.equal("fedcba9876543210", back:sub(-16))
  end)
end)
