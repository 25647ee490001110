-- An input that closed the results it was pulled for, or a callback that did so, or
-- read on, while a step of theirs waited, left the step with memory that was gone: a
-- crash.
local futures = require "futures"

local function same(x) return x end

local helper = futures.ThreadPoolExecutor(1)
local pools = {
  thread = futures.ThreadPoolExecutor(1),
  process = futures.ProcessPoolExecutor(1),
  serial = futures.SerialExecutor(),
}

for _, kind in ipairs { "thread", "process", "serial" } do
  for _, ordered in ipairs { true, false } do
    describe(("results on a %s, ordered = %s,"):format(kind, ordered), function()
      local ex = pools[kind]

      --- A function that returns so many numbers, and meets them all with visit.
      local function counter(count, visit)
        local n = 0
        return function()
          n = n + 1
          if visit then visit(n) end
          if n <= count then return n end
        end
      end

      it("may be closed by an input that is asked for more", function()
        local results
        local view = ex:options { buffersize = 2, ordered = ordered }
        results = view:map(same, counter(100, function(n)
          if n == 5 then results:close() end
        end))
        local read = 0
        while results() do read = read + 1 end
        assert.equal(2, read)
        assert.is_nil(results())
      end)

      if kind ~= "serial" then -- where nothing is waited for
        it("may be closed, or read on, by a callback while they are waited for", function()
          for _, close in ipairs { true, false } do
            local go, seen, results = futures.Future(), 0
            local sign = os.tmpname() -- gone as soon as the callback runs
            local other = helper:submit(function(f) return f:result() end, go)
            other:add_done_callback(function()
              os.remove(sign)
              if close then
                results:close()
              elseif results() then
                seen = seen + 1
              end
            end)
            results = ex:options { buffersize = 3, ordered = ordered }:map(function(x)
              local file = io.open(sign)
              while file do
                file:close()
                file = io.open(sign)
              end
              return x
            end, counter(20))
            go:set_result(true)
            while results() do seen = seen + 1 end
            assert.equal(close and 0 or 20, seen)
          end
        end)
      end
    end)
  end
end
