--- thread_pool_map.lua - a function mapped over a list, on all CPUs
local futures = require "futures"

local function is_prime(n)
  if n % 2 == 0 then return n == 2 end
  for divisor = 3, math.floor(math.sqrt(n)), 2 do
    if n % divisor == 0 then return false end
  end
  return n > 1
end

local numbers = {
  112272535095293, 112582705942171, 112272535095293,
  115280095190773, 115797848077099, 1099726899285419,
}

local pool <close> = futures.ThreadPoolExecutor()

for i, prime in pool:map(is_prime, numbers) do -- in the order of the numbers
  print(numbers[i], prime and "is prime" or "is not prime")
end

-- several lists, up to the end of the shortest; results as an array
local powers = pool:map(function(base, exponent) return base ^ exponent end,
  { 2, 3, 10 }, { 5, 2, 3, 99 }):collect()
print(table.unpack(powers, 1, powers.n))
