/* SPDX-License-Identifier: MIT */
/* Where the files of a service are, and whose. */
#include "bootservice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define HEAD_BYTES 4096 /* of a file, in which the mark is looked for */

void boot_service_fini(struct boot_service *service)
{
	free(service->name);
	free(service->folder);
	free(service->path);
	free(service->at);
	free(service->scanned);
	free(service->link);
}

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* The folder of the manager's files. Caller frees; NULL: out of memory, or no home. */
static char *manager_folder(const struct admin *admin, const struct boot_manager *manager)
{
	const char *root = admin->root ? admin->root : "";
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *folder = NULL;
	int n;

	if (!manager->of_user)
		n = asprintf(&folder, "%s%s", root, manager->folder);
	else if (config && config[0] == '/')
		n = asprintf(&folder, "%s%s%s", root, config, manager->folder);
	else
		n = home ? asprintf(&folder, "%s%s/.config%s", root, home, manager->folder) : -1;
	return n < 0 ? NULL : folder;
}

/* The first folder that is there of those that it scans. */
static int find_scanned(struct boot_service *s, struct tds_err *err)
{
	const struct boot_manager *manager = s->manager;
	const size_t n = sizeof(manager->scanned) / sizeof(manager->scanned[0]);

	for (size_t i = 0; i < n && manager->scanned[i]; i++) {
		free(tds_steal(&s->scanned));
		if (asprintf(&s->scanned, "%s%s", s->admin->root ? s->admin->root : "",
			     manager->scanned[i]) < 0) {
			s->scanned = NULL;
			return no_memory(err);
		}
		if (access(s->scanned, F_OK) == 0)
			break;
	}
	if (s->scanned && asprintf(&s->link, "%s/%s", s->scanned, s->name) < 0) {
		s->link = NULL;
		return no_memory(err);
	}
	return 0;
}

int boot_service_find(struct boot_service *s, struct tds_err *err)
{
	const struct boot_file *first = &s->manager->files[0];
	int n;

	s->folder = manager_folder(s->admin, s->manager);
	if (!s->folder)
		return tds_err_set(err, TDS_E_UNUSABLE, "HOME is not set");
	n = first->name ? asprintf(&s->at, "%s/%s", s->folder, s->name)
			: asprintf(&s->at, "%s", s->folder);
	if (n < 0) {
		s->at = NULL;
		return no_memory(err);
	}
	n = first->name ? asprintf(&s->path, "%s/%s", s->at, first->name)
			: asprintf(&s->path, "%s/%s%s", s->at, s->name, s->manager->suffix);
	if (n < 0) {
		s->path = NULL;
		return no_memory(err);
	}
	return find_scanned(s, err);
}

char *boot_service_file(const struct boot_service *s, const struct boot_file *file)
{
	char *name = NULL;

	if (file->name)
		return strdup(file->name);
	return asprintf(&name, "%s%s", s->name, s->manager->suffix) < 0 ? NULL : name;
}

/* --- whose it is --- */

enum boot_whose boot_service_whose(const struct boot_service *s)
{
	char head[HEAD_BYTES + 1] = "";
	tds_autofd int fd = open(s->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? BOOT_NOBODYS : BOOT_OTHERS;
	return read(fd, head, HEAD_BYTES) > 0 && strstr(head, BOOT_MARK) ? BOOT_OURS : BOOT_OTHERS;
}

const char *boot_service_target(const struct boot_service *s)
{
	return s->at + (s->admin->root ? strlen(s->admin->root) : 0);
}

bool boot_service_is_linked(const struct boot_service *s)
{
	char to[4096];
	ssize_t n = s->link ? readlink(s->link, to, sizeof(to) - 1) : -1;

	if (n < 0)
		return false;
	to[n] = '\0';
	return strcmp(to, boot_service_target(s)) == 0;
}
