-- site.lua - what the scripts of a lighttpd process share
local futures = require "futures"

return futures.ThreadPoolExecutor(2)
