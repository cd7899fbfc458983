# SPDX-License-Identifier: MIT
"""A register of stock: how many there are of each item, kept in a journal that outlives every version."""
