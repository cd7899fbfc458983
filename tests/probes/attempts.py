# SPDX-License-Identifier: MIT
"""What a hostile package would try: some hundred and ninety attempts, each by itself, for t_probes.py.

An attempt is a function of the place: what the test has put there to be reached (paths, ports, names, process ids). It
returns where it got what it wanted, and raises where it did not. It undoes what it did. Whatever Python has no call for
goes by its number, so that no wrapper is in between. It stands in a package as it is, and needs the standard library
alone. It is long because it is a list.
"""
import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import struct
import subprocess
import termios
import threading

ATTEMPTS = {}
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == 'x86_64'
# Of calls up to 423 the numbers differ: those of x86-64 and of those that came later.
OLD = {'ptrace': 101, 'process_vm_readv': 310, 'process_vm_writev': 311, 'mount': 165, 'umount2': 166, 'pivot_root': 155,
       'bpf': 321, 'perf_event_open': 298, 'userfaultfd': 323, 'keyctl': 250, 'add_key': 248, 'request_key': 249, 'kcmp': 312,
       'personality': 135, 'init_module': 175, 'kexec_load': 246, 'reboot': 169, 'swapon': 167, 'syslog': 103, 'acct': 163,
       'settimeofday': 164, 'sethostname': 170, 'iopl': 172, 'ioperm': 173, 'shmget': 29, 'msgget': 68, 'semget': 64,
       'mq_open': 240, 'mq_unlink': 241, 'shmctl': 31, 'msgctl': 71, 'semctl': 66, 'fanotify_init': 300,
       'inotify_init1': 294, 'inotify_add_watch': 254, 'execveat': 322, 'open_by_handle_at': 304, 'name_to_handle_at': 303,
       'setns': 308, 'unshare': 272, 'clone': 56, 'vhangup': 153, 'quotactl': 179, 'modify_ldt': 154, 'ioprio_set': 251,
       'move_pages': 279, 'seccomp': 317, 'prctl': 157, 'tgkill': 234, 'rt_sigqueueinfo': 129, 'adjtimex': 159,
       'memfd_create': 319, 'capset': 126, 'fork': 57, 'getcpu': 309}
NEW = {'pidfd_send_signal': 424, 'io_uring_setup': 425, 'open_tree': 428, 'fsopen': 430, 'pidfd_open': 434, 'clone3': 435,
       'openat2': 437, 'pidfd_getfd': 438, 'process_madvise': 440, 'mount_setattr': 442, 'memfd_secret': 447}


class Absent(Exception):
    """What is tried is not there on this machine."""


def row(name, function):
    """An attempt, by the name of its row in the table."""
    ATTEMPTS[name.replace('_', '-')] = function


def attempt(function):
    """A function by whose name the row goes."""
    row(function.__name__, function)
    return function


def call(name, *args):
    """A system call by its number; what is no number is passed as bytes. Errors: OSError, Absent."""
    if name not in NEW and not X86:
        raise Absent(name)
    kept = [a if isinstance(a, int) else ctypes.create_string_buffer(a) for a in args]
    words = [ctypes.c_long(a if isinstance(a, int) else ctypes.addressof(a)) for a in kept]
    LIBC.syscall.restype = ctypes.c_long
    got = LIBC.syscall(ctypes.c_long(NEW.get(name) or OLD[name]), *words)
    if got == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return got


def in_a_child(function, *args):
    """For what cannot be undone. A fork that is refused refuses it too."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            function(*args)
            os.write(theirs, b'y')
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, 'rb') as f:
        got = f.read()
    os.waitpid(pid, 0)
    if got != b'y':
        raise PermissionError('refused in a child')


def there(path, flags):
    """Open it. What the machine does not have can be looked for by all."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        raise Absent(path) from None
    return os.open(path, flags)


def read(path):
    fd = there(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.read(fd, 1)
    except BlockingIOError:
        pass  # there is nothing just now
    finally:
        os.close(fd)


def write(path):
    """Open it to be written, and leave it as it is."""
    os.close(there(path, os.O_WRONLY))


def make(folder, how=lambda path: os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)), remove=os.unlink):
    path = os.path.join(folder, 'probe-%d' % os.getpid())
    how(path)
    remove(path)


def rows(act, *paths):
    """Attempts of one kind: path is one, or a function that finds it in the place."""
    for name, path in paths:
        row(name, lambda place, path=path: act(path(place) if callable(path) else path))


@contextlib.contextmanager
def let_through(*codes):
    """A call that answers with one of these errors was let through, which is what was wanted."""
    try:
        yield
    except OSError as error:
        if error.errno not in codes:
            raise


# --- files of the system and of others

rows(
    read,
    ('read_passwd', '/etc/passwd'), ('read_shadow', '/etc/shadow'), ('read_usr', '/usr/bin/env'),
    ('read_ssl_settings', '/etc/ssl/openssl.cnf'), ('read_standard_library', os.__file__),
    ('read_file_of_other', lambda p: p['other'] + '/readable'), ('read_secret_of_admin', lambda p: p['secret']),
    ('read_sys', '/sys/kernel/uevent_seqnum'), ('read_proc_version', '/proc/version'), ('read_dev_urandom', '/dev/urandom'),
    ('read_dev_mem', '/dev/mem'), ('read_dev_kmsg', '/dev/kmsg'), ('read_dev_ptmx', '/dev/ptmx'),
    ('read_by_root_link', '/proc/self/root/etc/passwd'), ('read_core_of_other', lambda p: p['other'] + '/core'))
rows(
    write,
    ('write_file_of_other', lambda p: p['other'] + '/writable'), ('write_dev_null', '/dev/null'),
    ('write_core_pattern', '/proc/sys/kernel/core_pattern'), ('write_sysrq', '/proc/sysrq-trigger'),
    ('write_own_oom_score', '/proc/self/oom_score_adj'), ('write_uid_map', '/proc/self/uid_map'))
rows(
    make,
    ('make_in_tmp', '/tmp'), ('make_in_var_tmp', '/var/tmp'), ('make_in_dev_shm', '/dev/shm'),
    ('make_in_folder_of_other', lambda p: p['other']), ('make_in_working_folder', '.'), ('make_in_root', '/'))


@attempt
def list_root(place):
    os.listdir('/')


@attempt
def list_folder_of_other(place):
    os.listdir(place['other'])


@attempt
def look_at_file_of_other(place):
    os.stat(place['other'] + '/readable')


@attempt
def truncate_file_of_other(place):
    os.truncate(place['other'] + '/writable', 4)


@attempt
def truncate_by_reading(place):
    os.close(os.open(place['other'] + '/emptied', os.O_RDONLY | os.O_TRUNC))


@attempt
def delete_file_of_other(place):
    os.unlink(place['other'] + '/deleted')


@attempt
def rename_file_of_other(place):
    os.rename(place['other'] + '/renamed', place['other'] + '/renamed-away')
    os.rename(place['other'] + '/renamed-away', place['other'] + '/renamed')


@attempt
def link_file_of_other(place):
    make(place['other'], lambda path: os.link(place['other'] + '/writable', path))


@attempt
def symlink_in_folder_of_other(place):
    make(place['other'], lambda path: os.symlink('/etc/passwd', path))


@attempt
def fifo_in_folder_of_other(place):
    make(place['other'], os.mkfifo)


@attempt
def folder_in_folder_of_other(place):
    make(place['other'], os.mkdir, os.rmdir)


@attempt
def device_in_own_data(place):
    make(place['data'], lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)))


@attempt
def write_own_data(place):
    make(place['data'])


@attempt
def chmod_file_of_other(place):
    os.chmod(place['other'] + '/writable', 0o666)


@attempt
def chmod_own_data(place):
    make(place['data'], lambda path: (os.close(os.open(path, os.O_CREAT)), os.chmod(path, 0o755)))


@attempt
def set_uid_own_data(place):
    make(place['data'], lambda path: (os.close(os.open(path, os.O_CREAT)), os.chmod(path, 0o4755)))


@attempt
def set_uid_as_it_is_made(place):
    make(place['data'], lambda path: os.close(os.open(path, os.O_CREAT, 0o4755)))


@attempt
def chown_own_data(place):
    make(place['data'], lambda path: (os.close(os.open(path, os.O_CREAT)), os.chown(path, 12345, 12345)))


@attempt
def attribute_on_own_data(place):
    make(place['data'], lambda path: (os.close(os.open(path, os.O_CREAT, 0o600)), os.setxattr(path, 'user.probe', b'x')))


@attempt
def handle_of_file_of_other(place):
    handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0), 136)
    mount = ctypes.create_string_buffer(8)
    folder = os.open(place['other'], os.O_RDONLY)
    try:
        call('name_to_handle_at', folder, b'readable\0', ctypes.addressof(handle), ctypes.addressof(mount), 0)
        os.close(call('open_by_handle_at', folder, ctypes.addressof(handle), 0))
    finally:
        os.close(folder)


@attempt
def watch_folder_of_other(place):
    fd = call('inotify_init1', 0)
    try:
        call('inotify_add_watch', fd, place['other'].encode() + b'\0', 0xfff)
    finally:
        os.close(fd)


@attempt
def open_in_new_style(place):
    os.close(call('openat2', -100, b'/etc/passwd\0', struct.pack('QQQ', 0, 0, 0), 24))


@attempt
def chroot(place):
    in_a_child(os.chroot, place['other'])


@attempt
def change_folder(place):
    before = os.getcwd()
    os.chdir('/')
    os.listdir('.')
    os.chdir(before)


# --- the admin process, its files, and its socket

rows(
    read,
    ('read_store', lambda p: p['stored']), ('read_state', lambda p: p['run'] + '/loaded.json'),
    ('read_audit_log', lambda p: p['run'] + '/audit.log'), ('read_event_log', lambda p: p['run'] + '/events.jsonl'),
    ('read_package', lambda p: p['package']), ('read_key', lambda p: p['key']),
    ('read_data_of_other_group', lambda p: p['others_data'] + '/book'))
rows(
    write,
    ('write_state', lambda p: p['run'] + '/loaded.json'), ('write_audit_log', lambda p: p['run'] + '/audit.log'),
    ('write_store', lambda p: p['stored']), ('write_package', lambda p: p['package']), ('write_key', lambda p: p['key']),
    ('write_declaration', lambda p: p['declaration']), ('write_data_of_other_group', lambda p: p['others_data'] + '/book'))
rows(
    make,
    ('make_in_director_directory', lambda p: p['director']), ('make_in_run_directory', lambda p: p['run']),
    ('make_in_store', lambda p: os.path.dirname(p['stored'])), ('make_in_data_of_other_group', lambda p: p['others_data']))


@attempt
def connect_admin_socket(place):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(place['run'] + '/admin.sock')
        s.sendall(b'{"DirectorOp":"RetrieveAll"}\n')
        if b'Groups' not in s.recv(1 << 16):
            raise PermissionError('not answered')


@attempt
def environment_of_admin(place):
    os.environ['TDS_PROBE_SECRET']


@attempt
def socket_of_supervisor(place):
    os.environ['NOTIFY_SOCKET']


@attempt
def descriptor_of_admin(place):
    """One that leads to a file with a name: the director directory, the lock, a log."""
    for fd in range(3, 1024):
        with contextlib.suppress(OSError):
            found = os.fstat(fd)
            if stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode) and found.st_nlink:
                return
    raise PermissionError('none')


# --- processes

@attempt
def thread(place):
    done = threading.Event()
    threading.Thread(target=done.set).start()
    if not done.wait(10):
        raise PermissionError('it does not run')


@attempt
def fork(place):
    in_a_child(lambda: None)


@attempt
def fork_by_new_clone(place):
    if call('clone3', struct.pack('QQQQQQQQ', 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64) == 0:
        os._exit(0)
    os.wait()


@attempt
def fork_by_number(place):
    if call('fork') == 0:
        os._exit(0)
    os.wait()


@attempt
def run_program(place):
    subprocess.run(['/bin/true'], check=True)


@attempt
def run_shell(place):
    if os.system('exit 7') >> 8 != 7:
        raise PermissionError('it did not run')


@attempt
def exec_in_place(place):
    """What is not there is only looked for where the call itself is let through."""
    with let_through(errno.ENOENT):
        os.execv('/nowhere/to/be/found', ['x'])


@attempt
def exec_memory_file(place):
    with open('/bin/true', 'rb') as f:
        code = f.read()
    fd = os.memfd_create('probe', 0)
    os.write(fd, code)
    try:
        in_a_child(call, 'execveat', fd, b'\0', struct.pack('Q', 0), struct.pack('Q', 0), 0x1000)
    except PermissionError:
        subprocess.run(['/proc/self/fd/%d' % fd], pass_fds=[fd], check=True)
    finally:
        os.close(fd)


@attempt
def exec_own_data(place):
    path = place['data'] + '/run-%d' % os.getpid()
    with open(path, 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\nexit 0\n')
    try:
        os.chmod(path, 0o755)
        subprocess.run([path], check=True)
    finally:
        os.unlink(path)


@attempt
def outlive_parent(place):
    LIBC.prctl(1, 0, 0, 0, 0)
    got = ctypes.c_int()
    LIBC.prctl(2, ctypes.byref(got), 0, 0, 0)
    LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)
    if got.value:
        raise PermissionError('it keeps dying with its parent')


@attempt
def session_of_own(place):
    os.setsid() if os.getsid(0) != os.getpid() else in_a_child(os.setsid)


row('signal_actor_of_other_group', lambda p: os.kill(p['victim'], 0))
row('signal_admin', lambda p: os.kill(p['daemon'], 0))
row('signal_guardian', lambda p: os.kill(p['guardian'], 0))
row('signal_first_process', lambda p: os.kill(1, 0))
row('signal_whom_it_may', lambda p: os.kill(-1, 0))
row('signal_itself', lambda p: os.kill(os.getpid(), 0))


@attempt
def signal_by_thread(place):
    call('tgkill', place['victim'], place['victim'], 0)


@attempt
def signal_by_queue(place):
    call('rt_sigqueueinfo', place['victim'], 0, struct.pack('iiii', 0, 0, -1, 0) + bytes(112))


@attempt
def signal_by_pidfd(place):
    fd = call('pidfd_open', place['victim'], 0)
    try:
        call('pidfd_send_signal', fd, 0, 0, 0)
    finally:
        os.close(fd)


@attempt
def signal_by_owner(place):
    a, b = socket.socketpair()
    with a, b:
        fcntl.fcntl(a, fcntl.F_SETOWN, place['victim'])


@attempt
def descriptor_by_pidfd(place):
    fd = call('pidfd_open', place['victim'], 0)
    try:
        os.close(call('pidfd_getfd', fd, 0, 0))
    finally:
        os.close(fd)


@attempt
def trace_actor_of_other_group(place):
    call('ptrace', 0x4206, place['victim'], 0, 0)  # PTRACE_SEIZE: it is not stopped
    os.kill(place['victim'], 0)
    call('ptrace', 0x4207, place['victim'], 0, 0)  # an interrupt, for the sake of the detach
    os.waitpid(place['victim'], 0x40000000)
    call('ptrace', 17, place['victim'], 0, 0)


@attempt
def be_traced(place):
    in_a_child(call, 'ptrace', 0, 0, 0, 0)


def _pieces(address):
    buffer = ctypes.create_string_buffer(8)
    return buffer, struct.pack('PN', ctypes.addressof(buffer), 8), struct.pack('PN', address, 8)


@attempt
def read_memory_of_other(place):
    kept, ours, theirs = _pieces(place['address'])
    call('process_vm_readv', place['victim'], ours, 1, theirs, 1, 0)
    del kept


@attempt
def write_memory_of_other(place):
    kept, ours, theirs = _pieces(place['address'])
    call('process_vm_readv', place['victim'], ours, 1, theirs, 1, 0)
    call('process_vm_writev', place['victim'], ours, 1, theirs, 1, 0)
    del kept


rows(
    read,
    ('proc_environment_of_other', lambda p: '/proc/%d/environ' % p['victim']), ('proc_maps_of_other', lambda p: '/proc/%d/maps' % p['victim']),
    ('proc_command_of_other', lambda p: '/proc/%d/cmdline' % p['victim']), ('proc_environment_of_admin', lambda p: '/proc/%d/environ' % p['daemon']),
    ('proc_environment_of_parent', lambda p: '/proc/%d/environ' % os.getppid()), ('proc_maps_of_itself', '/proc/self/maps'))


@attempt
def proc_descriptors_of_admin(place):
    os.listdir('/proc/%d/fd' % place['daemon'])


@attempt
def proc_descriptors_of_parent(place):
    folder = '/proc/%d/fd/' % os.getppid()
    for name in os.listdir(folder):
        os.readlink(folder + name)


@attempt
def proc_list(place):
    if str(place['victim']) not in os.listdir('/proc'):
        raise PermissionError('not in the list')


@attempt
def priority_of_other(place):
    os.setpriority(os.PRIO_PROCESS, place['victim'], os.getpriority(os.PRIO_PROCESS, place['victim']))


@attempt
def processors_of_other(place):
    os.sched_setaffinity(place['victim'], os.sched_getaffinity(0))


@attempt
def limits_of_other(place):
    resource.prlimit(place['victim'], resource.RLIMIT_NOFILE)


@attempt
def disk_priority_of_other(place):
    call('ioprio_set', 1, place['victim'], 2 << 13 | 4)


@attempt
def pages_of_other(place):
    call('move_pages', place['victim'], 0, 0, 0, 0, 0)


@attempt
def compare_with_other(place):
    call('kcmp', os.getpid(), place['victim'], 1, 0, 0)


@attempt
def core_of_its_own(place):
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))


@attempt
def more_descriptors(place):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@attempt
def more_priority(place):
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) - 1)
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + 1)


# --- sockets

def connects(family, address):
    with socket.socket(family) as s:
        s.settimeout(10)
        s.connect(address)


@attempt
def connect_tcp(place):
    connects(socket.AF_INET, ('127.0.0.1', place['port']))


@attempt
def connect_tcp_other_port(place):
    connects(socket.AF_INET, ('127.0.0.1', place['other_port']))


@attempt
def connect_tcp6(place):
    if not place['port6']:
        raise Absent('IPv6')
    connects(socket.AF_INET6, ('::1', place['port6']))


@attempt
def connect_by_first_data(place):
    with socket.socket(socket.AF_INET) as s:
        s.sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', place['other_port']))


@attempt
def send_udp(place):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b'x', ('127.0.0.1', place['udp_port']))


@attempt
def listen_tcp(place):
    with socket.socket(socket.AF_INET) as s:
        s.bind(('127.0.0.1', 0))
        s.listen(1)


@attempt
def listen_without_bind(place):
    with socket.socket(socket.AF_INET) as s:
        s.listen(1)


@attempt
def bind_udp(place):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))


@attempt
def connect_socket_file(place):
    connects(socket.AF_UNIX, place['other'] + '/listens')


@attempt
def send_to_socket_file(place):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b'x', place['other'] + '/takes')


@attempt
def send_to_socket_file_by_pair(place):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        a.sendto(b'x', place['other'] + '/takes')


@attempt
def connect_abstract_socket(place):
    connects(socket.AF_UNIX, '\0' + place['abstract'])


@attempt
def listen_socket_file(place):
    def listens(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(1)
    make(place['data'], listens)


@attempt
def listen_abstract_socket(place):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind('\0probe-%d' % os.getpid())
        s.listen(1)


@attempt
def pair_of_sockets(place):
    a, b = socket.socketpair()
    with a, b:
        a.send(b'x')
        b.recv(1)


def opens_socket(name, *kind):
    def opens(place):
        try:
            socket.socket(*kind).close()
        except OSError as error:
            if error.errno in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT):
                raise Absent(error)
            raise
    row(name, opens)


opens_socket('socket_raw', socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
opens_socket('socket_raw6', socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP)
opens_socket('socket_packet', socket.AF_PACKET, socket.SOCK_RAW, 0)
opens_socket('socket_ping', socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
opens_socket('socket_routes', socket.AF_NETLINK, socket.SOCK_RAW, 0)
opens_socket('socket_audit', socket.AF_NETLINK, socket.SOCK_RAW, 9)
opens_socket('socket_ciphers', socket.AF_ALG, socket.SOCK_SEQPACKET, 0)
opens_socket('socket_machines', socket.AF_VSOCK, socket.SOCK_STREAM, 0)
opens_socket('socket_multipath', socket.AF_INET, socket.SOCK_STREAM, 262)
opens_socket('socket_sctp', socket.AF_INET, socket.SOCK_STREAM, 132)


# --- the kernel

@attempt
def mount_memory(place):
    folder = place['other'].encode() + b'\0'
    call('mount', b'none\0', folder, b'tmpfs\0', 0, 0)
    call('umount2', folder, 0)


@attempt
def mount_in_new_style(place):
    os.close(call('fsopen', b'tmpfs\0', 0))


@attempt
def open_tree_of_mounts(place):
    os.close(call('open_tree', -100, b'/\0', 1))


@attempt
def attributes_of_mount(place):
    call('mount_setattr', -100, b'/proc\0', 0, struct.pack('QQQQ', 0, 0, 0, 0), 32)


@attempt
def pivot_root(place):
    with let_through(errno.ENOENT):  # it looked
        call('pivot_root', b'/nowhere\0', b'/nowhere\0')


row('namespace_of_users', lambda p: in_a_child(call, 'unshare', 0x10000000))
row('namespace_of_network', lambda p: in_a_child(call, 'unshare', 0x40000000))
row('namespace_of_mounts', lambda p: in_a_child(call, 'unshare', 0x20000))


@attempt
def users_by_clone(place):
    if call('clone', 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        os._exit(0)
    os.wait()


@attempt
def namespace_of_other(place):
    fd = os.open('/proc/%d/ns/user' % place['victim'], os.O_RDONLY)
    try:
        with let_through(errno.EINVAL):  # its own already
            call('setns', fd, 0)
    finally:
        os.close(fd)


@attempt
def ring_of_requests(place):
    os.close(call('io_uring_setup', 1, bytes(120)))


@attempt
def program_in_kernel(place):
    os.close(call('bpf', 0, struct.pack('IIII', 2, 4, 8, 1) + bytes(112), 128))


@attempt
def faults_by_user(place):
    os.close(call('userfaultfd', 0))


@attempt
def faults_by_user_alone(place):
    os.close(call('userfaultfd', 1))


@attempt
def counters_of_machine(place):
    os.close(call('perf_event_open', struct.pack('IIQ', 1, 120, 0) + bytes(104), 0, -1, -1, 0))


@attempt
def key_in_keyring(place):
    key = call('add_key', b'user\0', b'tds-probe\0', b'x', 1, -3)
    call('keyctl', 21, key, -3)  # it is taken out


@attempt
def keyring_of_user(place):
    call('keyctl', 0, -4, 0)


@attempt
def key_by_request(place):
    with let_through(errno.ENOKEY):
        call('request_key', b'user\0', b'tds-nothing\0', 0, 0)


@attempt
def other_personality(place):
    before = call('personality', 0xffffffff)
    call('personality', 0x0040000)  # addresses are not random any more
    call('personality', before)


@attempt
def module_for_kernel(place):
    with let_through(errno.ENOEXEC):
        call('init_module', b'no module', 9, b'\0')


@attempt
def other_kernel(place):
    try:
        with let_through(errno.EINVAL):
            call('kexec_load', 0, 0, 0, 1 << 40)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            raise Absent(error)
        raise


@attempt
def reboot(place):
    with let_through(errno.EINVAL):
        call('reboot', 0xfee1dead, 0x28121969, 0x12345678, 0)


@attempt
def swap_on(place):
    with let_through(errno.ENOENT):
        call('swapon', b'/nowhere\0', 0)


@attempt
def accounting(place):
    with let_through(errno.ENOENT):
        call('acct', b'/nowhere\0')


@attempt
def messages_of_kernel(place):
    call('syslog', 3, bytes(64), 64)


@attempt
def clock_of_machine(place):
    call('settimeofday', 0, struct.pack('ii', 0, 0))


@attempt
def clock_rate(place):
    call('adjtimex', struct.pack('IIqqqq', 4, 0, 0, 0, 16000000, 0) + bytes(200))  # the greatest error, which nobody asks for


@attempt
def name_of_machine(place):
    name = os.uname().nodename.encode()
    call('sethostname', name, len(name))


@attempt
def ports_of_machine(place):
    in_a_child(call, 'iopl', 3)


@attempt
def tables_of_segments(place):
    call('modify_ldt', 0, bytes(16), 16)


@attempt
def shared_memory(place):
    call('shmctl', call('shmget', 0, 4096, 0o1600), 0, 0)


@attempt
def queue_of_messages(place):
    call('msgctl', call('msgget', 0, 0o1600), 0, 0)


@attempt
def semaphores(place):
    call('semctl', call('semget', 0, 1, 0o1600), 0, 0, 0)


@attempt
def queue_with_name(place):
    os.close(call('mq_open', b'tds-probe\0', os.O_RDWR | os.O_CREAT, 0o600, 0))
    call('mq_unlink', b'tds-probe\0')


@attempt
def notices_of_all_files(place):
    os.close(call('fanotify_init', 0, 0))


@attempt
def memory_hidden_from_kernel(place):
    try:
        os.close(call('memfd_secret', 0))
    except OSError as error:
        if error.errno == errno.ENOSYS and place['trusted']:
            raise Absent(error)
        raise


@attempt
def advice_for_other(place):
    fd = call('pidfd_open', place['victim'], 0)
    try:
        call('process_madvise', fd, 0, 0, 20, 0)
    finally:
        os.close(fd)


@attempt
def memory_that_runs(place):
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


@attempt
def calls_of_32_bits(place):
    """int 0x80 in code of our own: another architecture, to which another filter would belong."""
    if not X86:
        raise Absent('x86-64')
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b'\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3')  # push rbx; mov eax, getpid; int 0x80; pop rbx; ret
    function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    if function() != os.getpid():
        raise Absent('no calls of 32 bits')


@attempt
def calls_of_x32(place):
    if not X86:
        raise Absent('x86-64')
    LIBC.syscall.restype = ctypes.c_long
    if LIBC.syscall(ctypes.c_long(0x40000000 + 39)) != os.getpid():
        raise Absent('no x32')


@attempt
def hand_to_terminal(place):
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSTI, b'x')
    finally:
        os.close(master)
        os.close(slave)


@attempt
def control_of_device(place):
    """What is no terminal says so where the call itself is let through."""
    null = os.open('/dev/null', os.O_RDWR)
    try:
        with let_through(errno.ENOTTY):
            fcntl.ioctl(null, termios.TIOCSTI, b'x')
    finally:
        os.close(null)


@attempt
def lease_on_file(place):
    fd = os.open(os.__file__, os.O_RDONLY)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    finally:
        os.close(fd)


# --- who it is

@attempt
def become_root(place):
    in_a_child(os.setresuid, 0, 0, 0)


@attempt
def become_other_user(place):
    in_a_child(os.setresuid, 12345, 12345, 12345)


@attempt
def other_groups(place):
    in_a_child(os.setgroups, [0])


@attempt
def capabilities(place):
    in_a_child(call, 'capset', struct.pack('Ii', 0x20080522, 0), struct.pack('IIIIII', 1 << 21, 1 << 21, 0, 0, 0, 0))


@attempt
def filter_taken_off(place):
    if LIBC.prctl(22, 0, 0, 0, 0) != 0:
        raise PermissionError('it stays')


@attempt
def new_privileges_again(place):
    if LIBC.prctl(39, 0, 0, 0, 0) != 0:
        raise PermissionError('never again')


def _too_long(*_):
    raise TimeoutError('it hangs')


def outcome(name, place):
    """What becomes of an attempt: ('yes' | 'no' | 'absent', why)."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(10)
    try:
        ATTEMPTS[name](place)
        return 'yes', ''
    except Absent as error:
        return 'absent', repr(error)
    except BaseException as error:  # whatever is in the way
        return 'no', repr(error)
    finally:
        signal.alarm(0)
