# SPDX-License-Identifier: MIT
"""What passes between processes, and what the kernel is asked for: frames, codecs, records, signals."""
