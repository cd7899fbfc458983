/* SPDX-License-Identifier: MIT */
/* The end of a run directory that is not to stay. */
#ifndef TDS_DAEMON_PASSING_H
#define TDS_DAEMON_PASSING_H

/*
 * Remove what is in the run directory, it, and the director directory it is in where that is empty then, but for the port
 * that the program said which began it. The lock goes with the folder: who waits for it finds that folder gone, and begins
 * with a new one. What somebody else has put there stays.
 */
void passing_remove(int rundir, const char *path, const char *home);

#endif
