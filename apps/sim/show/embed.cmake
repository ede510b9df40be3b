# embed.cmake: PARTS, the directory of the page's parts, becomes PAGE, a C file with the whole page.
set(style)
set(script)
file(READ ${PARTS}/page.html html)
file(READ ${PARTS}/style.css style)
foreach(part model story timeline page)
  file(READ ${PARTS}/${part}.js text)
  string(APPEND script "${text}")
endforeach()
string(REPLACE "@STYLE@" "${style}" html "${html}")
string(REPLACE "@SCRIPT@" "${script}" html "${html}")
string(HEX "${html}" hex)
# A char may be signed, so the page has to be ASCII.
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\1 " bytes "${hex}")
if(bytes MATCHES "(^| )[89a-f][0-9a-f] ")
  message(FATAL_ERROR "${PARTS}: the page must be ASCII: use entities, or escapes of JavaScript")
endif()
string(REGEX REPLACE "([0-9a-f][0-9a-f]) " "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${PAGE} "/* Made by the build from apps/sim/show/. */
#include \"apps/sim/html.h\"

const char tp_html_page[] = {
${bytes}0};
")
