/* SPDX-License-Identifier: MIT */
/* The files in boot/ as strings in the tool. Those for systemd are what is installed as units, too. */
#include "bootmanager.h"

#define TEMPLATE(name, file)                                                              \
	__asm__(".pushsection .rodata\n.globl " #name "\n.hidden " #name "\n" #name ":\n" \
		".incbin \"boot/" file "\"\n.byte 0\n.popsection\n")

TEMPLATE(boot_systemd, "systemd.service");
TEMPLATE(boot_sysv, "sysv");
TEMPLATE(boot_openrc, "openrc");
TEMPLATE(boot_runit_run, "runit.run");
TEMPLATE(boot_runit_finish, "runit.finish");
TEMPLATE(boot_s6_run, "s6.run");
TEMPLATE(boot_s6_finish, "s6.finish");
TEMPLATE(boot_s6_notification_fd, "s6.notification-fd");
TEMPLATE(boot_upstart, "upstart.conf");
