-- nasty_tokens.lua - the words that nasty texts are made of

local tokens = {}

tokens.NAMES = { "a", "b", "c", "N", "M", "self", "x1" }

tokens.FIELDS = { "N", "field", "a", "constant" }

tokens.BREAKS = { "\n", "\n", "\n", "\r\n", "\n\r", "\r" }

tokens.COMMENTS = {
  "--[[ function() end ]]", "--[==[ ]] local N <const> = 1 ]==]", "--[[\n end\n]]",
  "-- end function(", "--[ [[ do", "--\"", "---[[ '", "--[=", "--",
}

tokens.NUMBERS = {
  "0", "1", "-1", "0.0", "-0.0", "0x1p4", "1e308", "1e999", "-1e999", "3.", ".5", "0x.8p1",
  "0xA", "0XfFe1", "9223372036854775807", "0x8000000000000000", "1e15", "2^53", "0.1", "1e-320",
  "7//2", "7%-3", "1<<62", "~0", "1//0", "0/0", "3 .. 4", "5 & 3 | 8 ~ 1", "- -1", "1.5//0.5",
}

tokens.STRINGS = {
  [["x"]], [['it\'s "end"']], [["function() \" end"]], [["\z
      do 'end'"]], "'a\\\nb'", "[[end ]=] ]]", "[==[\n]] function( ]=]\n]==]",
  [["\0\1\x41\u{20AC}"]], [["\\"]], "'--[['", '"--"', "[=[[[]]]=]", [["tab\tcr\rlf\n\\"]],
}

tokens.FOLDED = {
  "1 + 2", "N", "-M", "N * M", "not nil", "not N", "true and 5", "false or 'x'", "nil and 1",
  "(7)", "(N)", "a", "f()", "N .. M", "1 < 2", "#'abc'", "'a' == 'a'", "...", "{}", "~N", "nil",
  "true", "false", "a.N", "(function() return N end)()", "function() return M, a end", "'1' + 1",
  "N and M", "N or M", "- - 3", "2^-1", "(1)(f)", "M (f)", "N:len()", "1 .. 2",
}

return tokens
