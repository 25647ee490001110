--- word_count.lua [PATH...] - counts the words of many text files in parallel
--
-- Each task counts the words of some of the files and returns a table; the
-- tables are added up as they arrive. A serial count checks the result.
local futures = require "futures"

--- Count the words of some files. This runs on a worker, which shares nothing
-- with us: the paths are copied to it, the counts are copied back.
local function count_words(paths)
  local counts = {}
  for _, path in ipairs(paths) do
    local file <close> = assert(io.open(path, "rb"))
    for word in file:read("a"):lower():gmatch "[%a\x80-\xff]+" do
      counts[word] = (counts[word] or 0) + 1
    end
  end
  return counts
end

--- Deal the files out to tasks and add up what they return. A few large tasks
-- for each worker do best: every one of them sends the common words once more.
local function count_in_pool(paths)
  local parts, tasks, total = {}, {}, {}
  for i = 1, 4 * futures.cpu_count() do parts[i] = {} end
  for i, path in ipairs(paths) do table.insert(parts[i % #parts + 1], path) end

  local pool <close> = futures.ThreadPoolExecutor() -- a worker for each CPU
  for i, part in ipairs(parts) do tasks[i] = pool:submit(count_words, part) end
  for task in futures.as_completed(tasks) do
    for word, n in pairs(task:result()) do total[word] = (total[word] or 0) + n end
  end
  return total
end

--- Find text files until there are so many bytes of them. Reading them here
-- puts them into the system's cache, so that neither count waits for a disk.
local function find_texts(where, limit)
  local find <close> = assert(io.popen("find " .. where .. " 2>/dev/null"))
  local paths, bytes = {}, 0
  for path in find:lines() do
    local file <close> = io.open(path, "rb")
    local text = file and file:read "a" -- nil for a folder
    if text and not path:find "%.gz$" and not text:find("\0", 1, true) then
      paths[#paths + 1] = path
      bytes = bytes + #text
    end
    if bytes >= limit then break end
  end
  return paths, bytes
end

--- Call fn; return its result and the seconds that passed. Lua has no clock for
-- that: os.time counts whole seconds, os.clock the CPU time of all threads.
local function timed(fn, ...)
  local function now()
    local date <close> = assert(io.popen "date +%s.%N")
    return date:read "n"
  end
  local start = now()
  local result = fn(...)
  return result, now() - start
end

local function print_bar(label, number, share)
  local eighths = math.floor(share * 50 * 8 + 0.5)
  local rest = ({ "▏", "▎", "▍", "▌", "▋", "▊", "▉" })[eighths % 8] or ""
  print(("%14s %10s %s%s"):format(label, number, ("█"):rep(eighths // 8), rest))
end

-- What to read: the given paths, or else licences, documentation, sources.
local where = ""
for _, path in ipairs(arg) do where = where .. " '" .. path:gsub("'", [['\'']]) .. "'" end
if where == "" then
  where = "/usr/share /usr/include -name copyright -o -path '*/common-licenses/*'"
    .. " -o -name '*.txt' -o -name '*.md' -o -name '*.rst' -o -name '*.lua' -o -name '*.h'"
end
local scale = tonumber(os.getenv "FUTURES_SCALE") or 1 -- tests may read less
local paths, bytes = find_texts(where, 1e8 * scale)
assert(#paths > 0, "no text files found")
print(("Counting the words of %d files, %.1f MB ...\n"):format(#paths, bytes / 1e6))

local counts, pool_time = timed(count_in_pool, paths)
local expected, serial_time = timed(count_words, paths)
for word in pairs(counts) do assert(expected[word], "the pool found a word too many") end
for word, n in pairs(expected) do assert(counts[word] == n, "the pool miscounted") end

local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b)
  return counts[a] > counts[b] or counts[a] == counts[b] and a < b
end)
for i = 1, math.min(20, #words) do
  print_bar(words[i], counts[words[i]], counts[words[i]] / counts[words[1]])
end

print "\nThe serial count agrees. What they took:\n"
local longest = math.max(serial_time, pool_time)
print_bar("serial", ("%.2f s"):format(serial_time), serial_time / longest)
print_bar(futures.cpu_count() .. " workers", ("%.2f s"):format(pool_time), pool_time / longest)
print(("\nSpeed-up: %.2f"):format(serial_time / pool_time))
