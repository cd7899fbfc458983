/* SPDX-License-Identifier: MIT */
/* No core dumps, nor looks from other processes of the same user, where keys, packages or what many have said is in memory. */
#ifndef TDS_CORES_H
#define TDS_CORES_H

/*
 * From now on this process leaves no dump; to be called once, at its beginning. A program that it runs may leave one, where
 * tds_cores_restore was called before.
 */
void tds_cores_off(void);

/* In a child, before exec: the limit as it was. Async-signal-safe. */
void tds_cores_restore(void);

#endif
