/* SPDX-License-Identifier: MIT */
/*
 * Which tds this is, and which protocol it speaks over admin.sock. Programs of different versions understand each other where
 * the protocol's number is the same.
 *
 * The number is raised where a client or a program that was written for the number before would misunderstand an answer, or
 * be misunderstood: not for a request, a field or an event that is new. Whatever the number, these stay as they are, so that
 * any tool can tell what it has met, and have it restarted: a line is a JSON object; Protocol, Success, Status and Message of
 * an answer; that a request which names another Protocol is refused, with Status 8 and Version; and, whatever they name, the requests Status (with Version, Pid, Ready, Stopping and Restarting in the answer), Restart and Shutdown.
 */
#ifndef TDS_RELEASE_H
#define TDS_RELEASE_H

#ifndef TDS_PROTOCOL
#define TDS_PROTOCOL 1 /* the Python host has it too: tdshost/wire/protocol.py */
#endif

/* In a file of their own, so that a test can make tools of another version by one object. */
extern const char tds_release_version[]; /* "0.1.0" */
extern const int tds_release_protocol;

#endif
