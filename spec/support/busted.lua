-- Runs busted in whatever interpreter runs this file.
require "busted.runner" { standalone = false }
