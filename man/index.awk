# SPDX-License-Identifier: MIT
# usage: awk -f man/index.awk PAGE...
# The table of contents of the pages in HTML: the name of each, and what its NAME says, in the order of the arguments.
BEGIN {
	print "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>"
	print "<link rel=\"stylesheet\" href=\"tds.css\"/>\n<title>tds</title>\n</head>\n<body>\n<h1>tds</h1>"
	print "<p>Begin with <a href=\"tds.7.html\">tds(7)</a>.</p>\n<dl>"
}

/^\.Nd / {
	page = FILENAME
	sub(/.*\//, "", page)
	sub(/^\.Nd /, "")
	section = page
	sub(/.*\./, "", section)
	printf "<dt><a href=\"%s.html\">%s(%s)</a></dt>\n<dd>%s</dd>\n", page, substr(page, 1, length(page) - length(section) - 1), section, $0
}

END {
	print "</dl>\n</body>\n</html>"
}
