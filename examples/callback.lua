--- callback.lua - a function is called when a future is done
--
-- Callbacks run in the state that added them, and only while it waits for
-- something or calls futures.poll: never in between.
local futures = require "futures"

local function backwards(word) return word:reverse() end

local pool <close> = futures.ThreadPoolExecutor(1) -- one worker: results in order
local left = 0

local function show(future)
  print(future.word, future:result())
  left = left - 1
end

for _, word in ipairs { "desserts", "drawer", "lager" } do
  local future = pool:submit(backwards, word)
  future.word = word
  future:add_done_callback(show) -- called at once if the future is done already
  left = left + 1
end

-- The main loop of a game or a server would look like this.
while left > 0 do
  futures.poll(1) -- run what is due; wait for it, but for a second at most
end
