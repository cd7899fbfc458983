/* SPDX-License-Identifier: MIT */
/* Does nothing. Linked with the libraries of a tool, it shows what loading these costs. */
int main(void)
{
	return 0;
}
