-- answer.lua - lighttpd calls this for each request: "/?12" is answered by the
-- square, the number of the process, and which pool it was
local pool = require "site"

local f = pool:submit(function(n) return n * n end, tonumber(lighty.r.req_attr["uri.query"]))
local file <close> = assert(io.open "/proc/self/stat")
lighty.content = { ("%d %d %s\n"):format(f:result(), file:read "n", tostring(pool)) }
return 200
