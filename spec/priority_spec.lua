local futures = require "futures"
local gates = require "support.gate"


describe("the priority of a task", function()
  local gate
  before_each(function() gate = gates.new() end)
  after_each(function() gate:close() end)

  -- Submit while the only worker is busy; return the order in which they ran.
  local function order(priorities)
    local ex <close> = futures.ThreadPoolExecutor(1)
    ex:submit(function() ORDER = {} end):result() -- luacheck: ignore
    local first = ex:submit(gates.pass, gate.path)
    repeat until first:running()
    for i, priority in ipairs(priorities) do
      ex:options { priority = priority }:submit(function(n)
        local list = rawget(_G, "ORDER")
        list[#list + 1] = n
      end, i)
    end
    gate:open()
    futures.wait { first }
    -- lower than all, and so the last
    return ex:options { priority = -math.huge }:submit(function()
      return rawget(_G, "ORDER")
    end):result()
  end

  it("starts larger ones first, equal ones in the order of submission", function()
    assert.same({ 3, 5, 2, 4, 1 }, order { -1, 0, 2, 0, 1.5 })
    assert.same({ 1, 2, 3, 4 }, order { 0, 0, 0, 0 })
    assert.same({ 2, 4, 1, 3 }, order { 1, 5, 1, 5 })
  end)

  it("overtakes what a worker has taken ahead", function()
    local plain = {}
    for i = 1, 200 do plain[i] = 0 end
    plain[201] = 1
    assert.equal(201, order(plain)[1])
  end)
end)
