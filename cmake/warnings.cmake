add_compile_options(
  -Wall -Wextra -Wpedantic
  -Wshadow -Wundef -Wwrite-strings -Wconversion
  -Wstrict-prototypes -Wmissing-prototypes)
if(FUTURES_WERROR)
  add_compile_options(-Werror)
endif()
