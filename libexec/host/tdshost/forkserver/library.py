# SPDX-License-Identifier: MIT
"""The modules of the standard library that a host has, imported before any of its own.

So all that the host's own modules make lies together in memory. An actor gets a copy of each page that it
writes to, and counting a reference to a function is writing: scattered functions would cost more pages.
"""
import ast
import base64
import collections
import contextlib
import copy
import ctypes
import datetime
import decimal
import errno
import fcntl
import fractions
import functools
import hashlib
import heapq
import importlib.machinery
import inspect
import io
import itertools
import json
import logging
import marshal
import math
import mmap
import pickle
import resource
import select
import signal
import socket
import struct
import threading
import traceback
import typing
import uuid
import zipfile
