# Flags of FUTURES_SANITIZE, and how much slower the tests may then be:
#   FUTURES_SLOW   the factor by which time bounds are loosened
#   FUTURES_SCALE  the factor by which stress counts are scaled
#   FUTURES_WRAP   what every command of the tests must be started by
set(FUTURES_SLOW 1)
set(FUTURES_SCALE 1)
set(FUTURES_WRAP "")

if(FUTURES_SANITIZE STREQUAL "address")
  set(FUTURES_SLOW 4)
  set(FUTURES_SCALE 0.2)
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=all)
  add_compile_options(${flags} -fno-omit-frame-pointer)
  add_link_options(${flags})
  add_compile_definitions(FUT_ASAN=1)
  if(FUTURES_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
elseif(FUTURES_SANITIZE STREQUAL "thread")
  set(FUTURES_SLOW 10)
  set(FUTURES_SCALE 0.1)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(FUT_TSAN=1)

  # Where addresses are too random, ThreadSanitizer gives up at start, now and
  # then: "unexpected memory mapping". Without randomization it does not.
  set(probe ${PROJECT_BINARY_DIR}/CMakeFiles/tsan_probe)
  file(WRITE ${probe}.c "int main(void) { return 0; }\n")
  try_compile(tsan_links ${probe}.dir ${probe}.c
    COMPILE_DEFINITIONS -fsanitize=thread
    LINK_OPTIONS -fsanitize=thread
    COPY_FILE ${probe})
  if(NOT tsan_links)
    message(FATAL_ERROR "this compiler cannot link with -fsanitize=thread")
  endif()
  execute_process(
    COMMAND sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
                     '${probe}' || exit 1; done"
    RESULT_VARIABLE tsan_fails OUTPUT_QUIET ERROR_QUIET)
  if(tsan_fails)
    set(FUTURES_WRAP "setarch -R")
    message(STATUS "ThreadSanitizer needs ${FUTURES_WRAP} here")
  endif()
elseif(FUTURES_SANITIZE)
  message(FATAL_ERROR "FUTURES_SANITIZE is address or thread")
endif()
