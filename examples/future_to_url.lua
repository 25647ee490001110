--- future_to_url.lua - fetch pages at the same time, some of which fail
local futures = require "futures"
local socket = require "socket" -- luasocket
local pages = { ["/short"] = "a page", ["/long"] = ("long "):rep(1000) }

--- A small server on a socket that listens: as many pages as it is told to.
local function serve(fd, requests)
  local listener = require "socket".tcp()
  listener:setfd(fd)
  listener:listen(8)
  for _ = 1, requests do
    local client = assert(listener:accept())
    local body = pages[client:receive():match "^GET (%S+)"] -- a copy of them
    repeat local line = client:receive() until not line or line == ""
    client:send(("HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n%s"):format(
      body and "200 OK" or "404 Not Found", #(body or ""), body or ""))
    client:close()
  end
end
local function fetch(url)
  local body, status = require "socket.http".request(url)
  if status ~= 200 then error(body and "status " .. status or status, 0) end
  return body
end
local listener = assert(socket.bind("127.0.0.1", 0)) -- on a free port
local base = "http://127.0.0.1:" .. select(2, listener:getsockname())
local server <close> = futures.ThreadPoolExecutor(1)
server:submit(serve, listener:getfd(), 3)

local pool <close> = futures.ThreadPoolExecutor(4)
local fs = {}
for i, page in ipairs { "/long", "/short", "/missing", "nobody listens" } do
  fs[i] = pool:submit(fetch, i < 4 and base .. page or "http://127.0.0.1:1/")
  fs[i].page = page -- a future takes fields of yours
end
for _, f in ipairs(fs) do
  local ok, body = pcall(f.result, f)
  print(f.page, ok and #body .. " bytes" or "error: " .. body)
end
