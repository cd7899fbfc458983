/* SPDX-License-Identifier: MIT */
/* Ending and removing what a uid has. */
#include "owned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "tree.h"

/* --- processes --- */

/* As the uid, this process may signal that one's processes alone, and "all" are those. */
static _Noreturn void kill_own(uid_t uid)
{
	if (setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
	    setresuid(uid, uid, uid) == 0 && getuid() == uid && geteuid() == uid)
		(void)kill(-1, SIGKILL);
	_exit(0);
}

void tds_owned_kill(uid_t uid)
{
	if (uid == 0 || geteuid() != 0)
		return;
	pid_t pid = fork();
	if (pid == 0)
		kill_own(uid);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* --- what System V has --- */

union semun {
	int val;
	struct semid_ds *buf;
	struct seminfo *info;
};

/* Each looks at one slot of the kernel's table and removes what is in it. Returns the number of the last slot. */

static int remove_memory(int slot, uid_t uid)
{
	struct shm_info info;
	struct shmid_ds ds;
	int id = shmctl(slot, SHM_STAT, &ds);

	if (id >= 0 && (ds.shm_perm.uid == uid || ds.shm_perm.cuid == uid))
		(void)shmctl(id, IPC_RMID, NULL);
	return shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
}

static int remove_queue(int slot, uid_t uid)
{
	struct msginfo info;
	struct msqid_ds ds;
	int id = msgctl(slot, MSG_STAT, &ds);

	if (id >= 0 && (ds.msg_perm.uid == uid || ds.msg_perm.cuid == uid))
		(void)msgctl(id, IPC_RMID, NULL);
	return msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info);
}

static int remove_semaphores(int slot, uid_t uid)
{
	struct seminfo info;
	struct semid_ds ds;
	int id = semctl(slot, 0, SEM_STAT, (union semun){ .buf = &ds });

	if (id >= 0 && (ds.sem_perm.uid == uid || ds.sem_perm.cuid == uid))
		(void)semctl(id, 0, IPC_RMID);
	return semctl(0, 0, SEM_INFO, (union semun){ .info = &info });
}

/* Root may remove all of them, so that none stays. */
void tds_owned_release(uid_t uid)
{
	static int (*const kinds[])(int slot, uid_t uid) = { remove_memory, remove_queue,
							     remove_semaphores };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int slot = 0; slot <= kinds[i](slot, uid); slot++)
			continue;
}

/* --- files --- */

static int remove_file(int folder, const char *name, const struct stat *st, struct tds_err *err)
{
	if (S_ISDIR(st->st_mode))
		return tds_tree_remove(folder, name, err);
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT
		       ? 0
		       : tds_err_sys(err, TDS_E_WRITE, "%s", name);
}

/* Of a folder that everybody may write and nobody may take others' files from, so that none is exchanged under us. */
static int remove_files(const char *path, uid_t uid, struct tds_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;
	int rc = 0;

	if (fd >= 0 && !names)
		tds_close_fd(&fd);
	while (names && (entry = readdir(names))) {
		struct tds_err why;

		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid != uid)
			continue;
		if (remove_file(fd, entry->d_name, &st, &why) != 0 && rc == 0)
			rc = tds_err_set(err, TDS_E_WRITE, "%s/%s", path, why.reason);
	}
	if (names)
		(void)closedir(names);
	return rc;
}

int tds_owned_remove(uid_t uid, struct tds_err *err)
{
	static const char *const folders[] = { "/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp" };
	int rc = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct tds_err why;
		int found = remove_files(folders[i], uid, rc == 0 ? err : &why);

		rc = rc == 0 ? found : rc;
	}
	return rc;
}
