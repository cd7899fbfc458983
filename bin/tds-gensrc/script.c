/* SPDX-License-Identifier: MIT */
/*
 * libexec/tds-pysource.py as a string in the tool, so that the tool runs from anywhere, with the script it was
 * built with.
 */
#include "gensrc.h"

__asm__(".pushsection .rodata\n"
	".globl python_script\n"
	".hidden python_script\n"
	"python_script:\n"
	".incbin \"libexec/tds-pysource.py\"\n"
	".byte 0\n"
	".popsection\n");
