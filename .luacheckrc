std = "lua54"
max_line_length = 100
codes = true
exclude_files = { "build" }
files["spec"].std = "+busted"
files["spec/hosts"] = { globals = { "lighty" }, read_globals = { "module", "prosody" } }
