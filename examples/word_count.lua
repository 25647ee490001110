--- word_count.lua [PATH...] - counts the words of many text files in parallel
--
-- Each task counts the words of some files and returns a table; the tables are
-- added up as they arrive. A serial count then checks the result.
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

--- Submit a task for each chunk of files, add up what they return.
local function count_in_parallel(chunks)
  local total, tasks = {}, {}
  local pool <close> = futures.ThreadPoolExecutor()
  for i, paths in ipairs(chunks) do tasks[i] = pool:submit(count_words, paths) end
  for task in futures.as_completed(tasks) do
    for word, count in pairs(task:result()) do total[word] = (total[word] or 0) + count end
  end
  return total
end

--- Find text files, so many bytes in all. Reading each here also puts it into
-- the system's cache, so that neither count has to wait for a disk.
local function find_texts(folders, limit)
  local quoted = {}
  for i, folder in ipairs(folders) do quoted[i] = "'" .. folder:gsub("'", "'\\''") .. "'" end
  local find <close> = assert(io.popen(
    "find " .. table.concat(quoted, " ") .. " -type f ! -name '*.gz' 2>/dev/null"))
  local files, bytes = {}, 0
  for path in find:lines() do
    local file <close> = io.open(path, "rb")
    local text = file and file:read "a"
    if text and not text:find("\0", 1, true) then -- no binary file
      files[#files + 1] = { path = path, size = #text }
      bytes = bytes + #text
      if bytes >= limit then break end
    end
  end
  return files, bytes
end

--- Deal files out to chunks of equal size. A few large chunks for each worker:
-- every chunk sends most of the common words once more.
local function make_chunks(files, bytes)
  local chunks, wanted, size = {}, bytes / (4 * futures.cpu_count()), math.huge
  for _, file in ipairs(files) do
    if size >= wanted then
      chunks[#chunks + 1], size = {}, 0
    end
    table.insert(chunks[#chunks], file.path)
    size = size + file.size
  end
  return chunks
end

--- Seconds by the clock on the wall; os.clock counts CPU time of all threads.
local function now()
  local date <close> = assert(io.popen "date +%s.%N")
  return date:read "n"
end

local function measure(fn, ...)
  local start = now()
  local result = fn(...)
  return result, now() - start
end

local function print_commonest(counts, how_many)
  local words = {}
  for word in pairs(counts) do words[#words + 1] = word end
  table.sort(words, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  for i = 1, math.min(how_many, #words) do
    local word, count = words[i], counts[words[i]]
    print(("%12s %9d %s"):format(word, count, ("█"):rep(50 * count // counts[words[1]])))
  end
end

local function same(a, b)
  for key, value in pairs(a) do if b[key] ~= value then return false end end
  for key in pairs(b) do if a[key] == nil then return false end end
  return true
end

local here = arg[0]:match "^(.*)/" or "."
local folders = #arg > 0 and arg or { here .. "/..", "/usr/share/common-licenses", "/usr/share/doc" }
local limit = 64e6 * (tonumber(os.getenv "FUTURES_SCALE") or 1)
local files, bytes = find_texts(folders, limit)
local chunks = make_chunks(files, bytes)
print(#files, bytes, #chunks)
local counts, pool_time = measure(count_in_parallel, chunks)
local paths = {}
for i, file in ipairs(files) do paths[i] = file.path end
local expected, serial_time = measure(count_words, paths)
print_commonest(counts, 20)
print(serial_time, pool_time, serial_time/pool_time)
if not same(counts, expected) then os.exit(1) end
