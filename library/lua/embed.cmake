# embed.cmake - the Lua sources of the module as one C file:
#   cmake -DFOLDER=lua -DOUTPUT=sources.c -P embed.cmake
file(GLOB_RECURSE sources RELATIVE ${FOLDER} ${FOLDER}/futures/*.lua)
list(FILTER sources EXCLUDE REGEX "types\\.lua$") # for language servers only

set(texts "")
set(entries "")
set(number 0)
foreach(source IN LISTS sources)
  file(READ ${FOLDER}/${source} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(/init)?\\.lua$" "" module ${source})
  string(REPLACE "/" "." module ${module})
  string(APPEND texts "static const unsigned char text_${number}[] = {\n${bytes}};\n\n")
  string(APPEND entries
    "    {\"${module}\", \"@${source}\", text_${number}, sizeof text_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT} "/* made by embed.cmake */\n#include \"sources.h\"\n\n${texts}"
  "const fut_source fut_sources[] = {\n${entries}    {0, 0, 0, 0}};\n")
