/* SPDX-License-Identifier: MIT */
/* The table of managers of services. */
#include "bootmanager.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

extern const char boot_systemd[], boot_sysv[], boot_openrc[], boot_runit_run[], boot_runit_finish[],
	boot_s6_run[], boot_s6_finish[], boot_s6_notification_fd[], boot_upstart[];

#define RUN(...)                        \
	{                               \
		.argv = { __VA_ARGS__ } \
	}
#define OR_RUN(...)                                      \
	{                                                \
		.instead = true, .argv = { __VA_ARGS__ } \
	}

/* In the order in which they are looked for: sysvinit's files are there beside others, too. */
static const struct boot_manager managers[] = {
	{ .name = "systemd",
	  .signs = { "/run/systemd/system" },
	  .folder = "/etc/systemd/system", /* for the units of a machine's administrator */
	  .suffix = ".service",
	  .quoting = BOOT_AS_SYSTEMD,
	  .files = { { NULL, 0644, boot_systemd } },
	  .enable = { RUN("systemctl", "enable", BOOT_NAME), RUN("systemctl", "daemon-reload") },
	  .start = { RUN("systemctl", "start", "--no-block", BOOT_NAME) },
	  .stop = { RUN("systemctl", "disable", "--now", BOOT_NAME) },
	  .forget = { RUN("systemctl", "daemon-reload") } },
	{ .name = "systemd",
	  .of_user = true,
	  .signs = { "/run/systemd/system" },
	  .folder = "/systemd/user",
	  .suffix = ".service",
	  .quoting = BOOT_AS_SYSTEMD,
	  .files = { { NULL, 0644, boot_systemd } },
	  .enable = { RUN("systemctl", "--user", "enable", BOOT_NAME),
		      RUN("systemctl", "--user", "daemon-reload") },
	  .start = { RUN("systemctl", "--user", "start", "--no-block", BOOT_NAME) },
	  .stop = { RUN("systemctl", "--user", "disable", "--now", BOOT_NAME) },
	  .forget = { RUN("systemctl", "--user", "daemon-reload") } },
	{ .name = "openrc",
	  .signs = { "/run/openrc" },
	  .folder = "/etc/init.d",
	  .suffix = "",
	  .quoting = BOOT_AS_SHELL,
	  .files = { { NULL, 0755, boot_openrc } },
	  .enable = { RUN("rc-update", "add", BOOT_NAME, "default") },
	  .start = { RUN("rc-service", BOOT_NAME, "start") },
	  .stop = { RUN("rc-service", BOOT_NAME, "stop"),
		    RUN("rc-update", "del", BOOT_NAME, "default") } },
	{ .name = "runit",
	  .signs = { "/run/runit", "/run/runit.stopit" },
	  .folder = "/etc/sv",
	  .suffix = "",
	  .quoting = BOOT_AS_SHELL,
	  .files = { { "run", 0755, boot_runit_run }, { "finish", 0755, boot_runit_finish } },
	  .scanned = { "/etc/service", "/var/service", "/service" },
	  .stop = { RUN("sv", "-w", "60", "force-shutdown", BOOT_AT) } },
	{ .name = "s6",
	  .signs = { "/run/s6", "/run/service/.s6-svscan", "/service/.s6-svscan" },
	  .folder = "/etc/s6/sv",
	  .suffix = "",
	  .quoting = BOOT_AS_SHELL,
	  .files = { { "run", 0755, boot_s6_run },
		     { "finish", 0755, boot_s6_finish },
		     { "notification-fd", 0644, boot_s6_notification_fd } },
	  .scanned = { "/run/service", "/service", "/etc/service" },
	  .start = { RUN("s6-svscanctl", "-a", BOOT_SCANNED) },
	  .stop = { RUN("s6-svc", "-wD", "-T", "60000", "-d", BOOT_AT),
		    RUN("s6-svscanctl", "-an", BOOT_SCANNED) } },
	{ .name = "upstart",
	  .signs = { "/etc/init/rc-sysinit.conf", "/etc/init/rcS.conf" },
	  .folder = "/etc/init",
	  .suffix = ".conf",
	  .quoting = BOOT_AS_SHELL,
	  .files = { { NULL, 0644, boot_upstart } },
	  .enable = { RUN("initctl", "reload-configuration") },
	  .start = { RUN("initctl", "start", "--no-wait", BOOT_NAME) },
	  .stop = { RUN("initctl", "stop", BOOT_NAME) },
	  .forget = { RUN("initctl", "reload-configuration") } },
	{ .name = "sysv",
	  .signs = { "/etc/inittab" },
	  .folder = "/etc/init.d",
	  .suffix = "",
	  .quoting = BOOT_AS_SHELL,
	  .files = { { NULL, 0755, boot_sysv } },
	  .enable = { RUN("update-rc.d", BOOT_NAME, "defaults"),
		      OR_RUN("chkconfig", "--add", BOOT_NAME) },
	  .start = { RUN("service", BOOT_NAME, "start") },
	  .stop = { RUN("service", BOOT_NAME, "stop") },
	  .forget = { RUN("update-rc.d", BOOT_NAME, "remove"),
		      OR_RUN("chkconfig", "--del", BOOT_NAME) } },
};

#define MANAGERS (sizeof(managers) / sizeof(managers[0]))

const struct boot_manager *boot_manager_find(const char *name, bool of_user)
{
	for (size_t i = 0; i < MANAGERS; i++)
		if (managers[i].of_user == of_user && strcmp(managers[i].name, name) == 0)
			return &managers[i];
	return NULL;
}

static bool is_here(const struct boot_manager *manager)
{
	const size_t n = sizeof(manager->signs) / sizeof(manager->signs[0]);

	for (size_t i = 0; i < n && manager->signs[i]; i++)
		if (access(manager->signs[i], F_OK) == 0)
			return true;
	return false;
}

const struct boot_manager *boot_manager_here(bool of_user)
{
	for (size_t i = 0; i < MANAGERS; i++)
		if (managers[i].of_user == of_user && is_here(&managers[i]))
			return &managers[i];
	return NULL;
}
