# SPDX-License-Identifier: MIT
"""Reading a recorded session: its placeholders, what its steps mean for what is loaded, and comparing a step."""
import ast
import base64
import collections
import datetime
import difflib
import hashlib
import io
import os
import re
import zipfile

from rules import Difference


class Places:
    """The placeholders of the recordings."""

    def __init__(self, values):
        self.values = values
        self.fills = re.compile(r'\$(%s)\b' % '|'.join(sorted(values, key=len, reverse=True)))
        # Longest first: what lies in another place is named by the inner one.
        self.hides = sorted(((v, '$' + k) for k, v in values.items() if k not in ('BASENAME', 'ADMINPORT', 'SRC')),
                            key=lambda pair: -len(pair[0]))
        self.dates = set()
        self.began = datetime.datetime.utcnow()

    def fill(self, text):
        text = self.fills.sub(lambda m: self.values[m[1]], text)
        return text.replace('$DATE', max(self.dates)) if self.dates else text

    def learn_dates(self, step):
        if 'version:date' in step['argv']:
            moment = self.began
            while moment <= datetime.datetime.utcnow() + datetime.timedelta(minutes=1):
                self.dates.add(moment.strftime('%Y%m%d%H%M'))
                moment += datetime.timedelta(minutes=1)

    def hide(self, text):
        for value, name in self.hides:
            text = text.replace(value, name)
        text = text.replace('../%s/' % self.values['BASENAME'], '../$BASENAME/')
        for date in self.dates:
            text = text.replace(date, '$DATE')
        text = re.sub(r'ActorAddr-[^\s\']+', 'ActorAddr-(T|:$PORT)', text)
        text = re.sub(r'\(since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\)', '(since $TIME)', text)
        return re.sub(r"\('StartTime', '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}'\)", "('StartTime', '$TIME')", text)


def restore(data):
    """The archive of a package of any format that the Director writes. The signature is none of our business."""
    lines = data.split(b'\n', 3)
    size = int(lines[1])
    if lines[0].startswith(b'ThespianDirectorFMT1'):
        end = int(lines[2])
        body = lines[3][:-size]
        return body[:end] + b'PK\5\6' + body[end:]
    return data.split(b'\n', 2)[2][:-size]


def members_of(path):
    return zipfile.ZipFile(io.BytesIO(restore(path.read_bytes()))).namelist()


def tag_of(data):
    """How the actors of a package call themselves in the message log; None: not known."""
    try:
        with zipfile.ZipFile(io.BytesIO(restore(data))) as z:
            for name in z.namelist():
                found = re.search(rb"^TAG = '([^']*)'", z.read(name), re.M)
                if found:
                    return found[1].decode()
    except (ValueError, IndexError, zipfile.BadZipFile):
        pass
    return None


def read_list(text):
    """What "list" printed: group -> (hashes in order, active hash)."""
    groups, group = {}, None
    for line in text.splitlines():
        if m := re.fullmatch(r'Group (.*)::', line):
            group = m[1]
            groups[group] = ([], None)
        elif m := re.fullmatch(r'  Source hash (\S+)(  \[ACTIVE\])?', line):
            groups[group][0].append(m[1])
            if m[2]:
                groups[group] = (groups[group][0], m[1])
    return groups


def group_name(path):
    return os.path.basename(path)[:-len('.tli')]


class Model:
    """What is known of the session so far, from the recording and from how our steps ended."""

    def __init__(self):
        self.packages = {}        # hash -> (name of the file, tag)
        self.tli = {}             # name -> text
        self.declared = []        # every declaration that was ever there, as a value
        self.of_group = {}        # group -> the last of them
        self.odd = set()          # groups whose declaration is of a type that is none, or no literal
        self.active = {}          # group -> hash, as recorded
        self.loaded = set()       # hashes, as recorded
        self.group_of = {}        # hash -> group
        self.refused = {}         # recorded as loaded, refused or undone by ours -> the reason
        self.reasons = set()      # those of the step at hand
        self.listed = None        # what the last recorded "list" printed, if nothing has changed since
        self.undeclared = set()   # groups whose declaration ours has refused
        self.ended = False        # the system was shut down by the last step
        self.strayed_files = set() # names that differ already
        self.made = set()         # packages that gensrc has made: another compressor, another hash
        self.strayed = False      # something was loaded or unloaded differently
        self.unloads = ''         # what the step at hand unloads
        self.other_source = False # the step at hand has loaded another source than was recorded
        self.named = set()        # the hashes of both, until the next change
        self.went_on = set()      # groups and hashes that a refresh has loaded, but not in the recording
        self.quitters = set()     # classes of actors that exit by themselves, as recorded
        self.folders = set()      # names of groups whose declaration is a folder
        self.prints = False       # a source prints something when it is imported

    def put_folder(self, name):
        if name.endswith('.tli'):
            self.folders.add(group_name(name))

    def put(self, name, data):
        self.prints = self.prints or (name.endswith('.py') and b'print' in data)
        if name.endswith('.tls'):
            self.packages[hashlib.md5(data).hexdigest()] = (name, tag_of(data))
        if name.endswith('.tli'):
            text = data.decode('utf-8', 'replace')
            self.tli[name] = text
            self.declare(group_name(name), text)

    def declare(self, group, text):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = None
        if not isinstance(value, dict):
            self.odd.add(group)
            return
        self.declared.append(value)
        self.of_group[group] = value
        limits = [value.get('AutoUnload', 0), value.get('TLS_Keep_Limit', 0)]
        if all(limit is None or isinstance(limit, int) for limit in limits):
            self.odd.discard(group)
        else:
            self.odd.add(group)

    def names_of(self, group):
        """The roles and global names that a group declares."""
        parts = [p.get('OnLoad') or {} for p in (self.of_group.get(group, {}).get('Actors') or {}).values()]
        return {(key, p[key]) for p in parts for key in ('Role', 'GlobalName') if p.get(key)}

    def shares(self, group):
        return any(self.names_of(group) & self.names_of(other) for other in self.of_group if other != group)

    def reason(self, group, fate, status, errors):
        """Why ours may refuse what was recorded as loaded; "unexplained" where it may not."""
        told = [line for line in errors.splitlines() if line.startswith('tds-load: ')]
        own = [line for line in told if line.startswith('tds-load: %s' % group)] or told
        if any(re.search('its (role|global name) .* belongs to group', line) for line in own) and self.shares(group):
            return 'shared'
        if any(re.search(r'\.tli:\d+:\d+: ', line) for line in own) and group in self.odd:
            return 'declaration'
        if fate == 'failed' and own:
            return 'undone'
        if fate == 'absent' and own and status in (6, 7):
            return 'invalid'
        return 'unexplained'

    def file_of(self, digest):
        return self.packages.get(digest, (None, None))[0]

    def step(self, step, status, given, errors, later):
        """Follow a step of the recording; the others are how ours ended, what it printed, and the steps that come."""
        if self.ended:
            self.refused, self.undeclared, self.ended = {}, set(), False
        self.reasons = set()
        argv = step['argv'][step['argv'][:1] == ['verbose']:]
        command = argv[0] if argv else 'help'
        out = step.get('stdout') or ''
        self.unloads, self.other_source = '', False
        if command in ('load', 'refresh', 'start'):
            self.listed = None
            for group, digest in re.findall(r'^Loaded "(.*)" .*: ([0-9a-f]{32})$', out, re.M):
                if re.search(r'^Loaded ".*: %s$' % digest, given, re.M):
                    self.refused.pop(digest, None)
                elif status != 0:
                    self.refused[digest] = self.reason(group, fate_of(digest, group, step, later), status, errors)
                    self.reasons.add(self.refused[digest])
                self.loaded.add(digest)
                self.group_of[digest] = group
                self.active[group] = digest
            self.strayed = True
            self.undeclared |= set(re.findall(r'^tds-load: [^\n]*?([^\s/:]+)\.tli:\d+:\d+: ', errors, re.M))
            self.other_source = command == 'load' and status == 0 == step['exit'] and \
                re.findall(r': ([0-9a-f]{32})$', out, re.M) != re.findall(r': ([0-9a-f]{32})$', given, re.M)
            self.named = set(re.findall(r': ([0-9a-f]{32})$', out + given, re.M)) if self.other_source else set()
            more = [x for x in re.findall(r'^Loaded "(.*)" .*: ([0-9a-f]{32})$', given, re.M) if x[1] not in out]
            self.went_on = set(sum(more, ())) if command != 'load' and step['exit'] != 0 else set()
        elif command == 'unload' and len(argv) == 2:
            self.listed = None
            self.unloads = 'the active source' if argv[1] in self.active.values() else \
                'another source' if argv[1] in self.loaded else 'nothing'
            self.loaded.discard(argv[1])
            self.strayed = True
        elif command == 'shutdown':
            self.listed = {}
            self.loaded, self.active, self.ended = set(), {}, True
        elif command == 'gensrc':
            self.made |= set(re.findall(r'^Wrote .*/(.*)$', out + given, re.M))
        elif command == 'list' and len(argv) == 1 and step['exit'] == 0:
            self.listed = read_list(out)
            self.active = {g: a for g, (_, a) in self.listed.items() if a}
            self.loaded = {h for hashes, _ in self.listed.values() for h in hashes}

    # --- facts for the rules ---

    def sent_as(self, line):
        """Which part of a declaration a message comes from."""
        if line is None:
            return ''
        text = line.split(' ', 2)[2]
        if text.startswith('ActorExitRequest'):
            return 'exit'
        found = set()
        for value in self.declared:
            for actor in (value.get('Actors') or {}).values():
                for event in ('OnLoad', 'OnDeactivate', 'OnReactivate'):
                    message = (actor.get(event) or {}).get('Message')
                    if '%s %r' % (type(message).__name__, message) == text:
                        found.add(event)
        return ' '.join(sorted(found))

    def note_quitters(self, step):
        """Actors that were told to exit in the step that loaded them exit by themselves."""
        for actor, lines in by_actor(step.get('messages', [])).items():
            kinds = [self.sent_as(line) for line in lines]
            if 'exit' in kinds and 'OnLoad' in ' '.join(kinds[:kinds.index('exit')]) and 'OnDeactivate' not in kinds:
                self.quitters.add(actor.split(' ')[1])

    def refused_in(self, group):
        """Why sources of this group were refused that the recording has as loaded."""
        return ' '.join(sorted({why for digest, why in self.refused.items() if self.group_of.get(digest) == group}))

    def quits(self, name):
        return 'yes' if name.split('.')[-1] in self.quitters else 'no'

    def room(self, group, hashes, active):
        """Are the sources that are listed besides the active one within the AutoUnload count?"""
        counts = [v['AutoUnload'] for v in self.declared if type(v.get('AutoUnload')) is int]
        return 'within' if counts and len([h for h in hashes if h != active]) <= counts[-1] else 'beyond'

    def comparable(self, lines):
        """Lines of "avail" without the files that differ already, and without hashes that cannot be the same."""
        found = []
        for line in lines:
            file, _, digest = line.partition(': ')[2].rpartition('    ')
            file = file.split('/')[-1]
            if file not in self.strayed_files:
                found.append(line.replace(digest, '$MADE') if file in self.made else line)
        return found

    def declares(self, line):
        return 'a folder' if line.partition(': ')[0] in self.folders else 'a file'

    def owner_of(self, line):
        """Does the file in this line of "avail" belong to the group, or to one with a longer name?"""
        group, _, file = line.partition(': ')
        longer = [n for n in map(group_name, self.tli) if n.startswith(group + '-')]
        return 'another group' if any(file.startswith((n + '-', n + '.tls')) for n in longer) else 'the group'

    def source_of(self, tag):
        """What became of the source whose actors call themselves by this tag."""
        digests = {d for d, (_, t) in self.packages.items() if t == tag}
        reasons = {self.refused.get(d, 'loaded') for d in digests} or {'loaded'}
        return 'loaded' if 'loaded' in reasons else ' '.join(sorted(reasons))

    def has_global_name(self, actor):
        """Does a declaration give the actors of this class a global name?"""
        return any(path.split('.')[-1] == actor and (part.get('OnLoad') or {}).get('GlobalName')
                   for value in self.declared for path, part in (value.get('Actors') or {}).items())

    def about(self, step, status, out, err, folder, key):
        """What rules may ask about the step."""
        argv = step['argv'][step['argv'][:1] == ['verbose']:]
        longer = [n for n in map(group_name, self.tli) if len(argv) > 1 and n.startswith(argv[1] + '-')]
        return {
            'longer_groups': 'yes' if longer else 'no',
            'command': argv[0] if argv else 'help',
            'operands': argv[1:],
            'arguments': ' '.join(argv[1:]),
            'verbose': 'yes' if step['argv'][:1] == ['verbose'] else 'no',
            'recorded_exit': step['exit'],
            'recorded_error': step.get('stderr') or '',
            'recorded_out': step.get('stdout') or '',
            'exception': step.get('exception') or 'none',
            'given_exit': status,
            'given_error': err,
            'given_out': out,
            'directory': step.get('director_dir', '$DIR'),
            'declarations': '\n'.join(self.tli.values()),
            'files': '\n'.join(sorted(list(self.tli) + [n for n, _ in self.packages.values()])),
            'unloads': self.unloads,
            'unloads_refused': self.refused.get(argv[1], 'no') if argv[:1] == ['unload'] and len(argv) > 1 else 'no',
            'strayed_files': 'yes' if self.strayed_files else 'no',
            'other_source': 'yes' if self.other_source else 'no',
            'imports': 'print' if self.prints else 'nothing',
            'key': key,
            'role': ' '.join(self.refused.get(h, 'loaded') for h in re.findall('[0-9a-f]{32}', step.get('stdout') or '')),
            'reasons': ' '.join(sorted(self.reasons)),
            'declaration': 'odd' if self.odd else 'plain',
            'folder': folder,
        }


def key_state(path):
    """Can RSA signatures be made with this file, without a passphrase?"""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return 'unusable'
    body = re.search(r'-----BEGIN (RSA )?PRIVATE KEY-----(.*?)-----END', text, re.S)
    if not body or 'ENCRYPTED' in text:
        return 'unusable'
    try:
        der = base64.b64decode(body[2])
    except ValueError:
        return 'unusable'
    return 'usable' if body[1] or bytes.fromhex('2a864886f70d010101') in der[:40] else 'unusable'


def fate_of(digest, group, step, later):
    """What the recording shows of a source after its load: listed, failed, absent, or nothing."""
    for other in later:
        argv = other.get('argv', [])
        if argv[:1] == ['list'] and argv[1:] in ([], [group]):
            found = re.search(r'^  Source hash %s.*\n((      .*\n)*)' % digest, other.get('stdout') or '', re.M)
            return 'absent' if not found else 'failed' if 'LOAD FAILED' in found[1] else 'listed'
        if argv[:1] and argv[0] in ('load', 'unload', 'refresh', 'start', 'shutdown'):
            break
    return 'listed' if step.get('messages') else 'absent'


# --- comparing ---

def by_actor(lines):
    """Lines of different actors may come in any order: the messages of each, in order."""
    actors = collections.defaultdict(list)
    for line in lines:
        actors[' '.join(line.split(' ')[:2])].append(line)
    return actors


def diff(what, was, given, facts=lambda was, given: {}):
    """Differences between two lists of lines; equally many that replace each other are told as changed."""
    found = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, was, given, autojunk=False).get_opcodes():
        if tag == 'equal':
            continue
        left, right = was[a:b], given[c:d]
        if len(left) != len(right):
            left, right = left + [None] * len(right), [None] * len(left) + right
        found += [Difference(what, x, y, **facts(x, y)) for x, y in zip(left, right)]
    return found


def compare_status(step, status):
    return [] if status == step['exit'] else [Difference('exit', step['exit'], status)]


def with_context(lines):
    """Each line of "list" behind the group and the source that it belongs to."""
    context, found = ['', ''], []
    for line in lines:
        if line.startswith('Group '):
            context = [line + ' ', '']
            found.append(line)
        elif line.startswith('  Source hash '):
            context[1] = line.split()[2] + ' '
            found.append(context[0] + line.strip())
        else:
            found.append(context[0] + context[1] + line.strip())
    return found


def with_group(lines):
    """The lines of "avail", each behind its group, in order of the groups: any is right."""
    group, blocks = '', [[]]
    for line in lines:
        if m := re.match(r'( *)\+ ', line):
            blocks[-1].append('%s: %s' % (group, line[m.end():]))
        else:
            group = line.rsplit(': ', 1)[0]
            blocks.append([line])
    return sum(sorted(blocks), [])


def compare_output(step, model, out):
    """The order of groups is that of a folder's listing in the recordings: any order is right."""
    if step.get('stdout') is None:
        return []  # a help text
    argv = step['argv'][step['argv'][:1] == ['verbose']:]
    command = argv[0] if argv else 'help'
    was, given = step['stdout'].splitlines(), out.splitlines()
    facts = lambda x, y: {}
    if command == 'avail':
        was, given = (model.comparable(with_group(lines)) for lines in (was, given))

        def facts(x, y):
            return {'owner': model.owner_of(x or y), 'declares': model.declares(x or y)}
    elif command in ('load', 'refresh', 'start'):
        was, given = sorted(was), sorted(given)

        def facts(x, y):
            digest = re.search(r': ([0-9a-f]{32})$', x or y)
            return {'source': model.refused.get(digest and digest[1], 'loaded')}
    elif command == 'list':
        listed = read_list(out)
        was, given = with_context(was), with_context(given)

        def facts(x, y):
            digest = re.search(r'\b[0-9a-f]{32}\b', x or y)
            group = re.match(r'Group (.*?)::', x or y)
            kind = re.search(r' -- (\S+)', x or y)
            return {'source': model.refused.get(digest and digest[0], 'loaded'),
                    'auto_unload': model.room(group[1], *listed.get(group[1], ([], None))) if group else '',
                    'quits': model.quits(kind[1]) if kind else 'no',
                    'of_named_file': 'yes' if digest and digest[0] in model.named else 'no',
                    'went_on': 'yes' if {digest and digest[0], group and group[1]} & model.went_on else 'no',
                    'refused_in_group': model.refused_in(group[1]) if group else '',
                    'group': 'refused' if group and group[1] in model.undeclared else 'read'}
    found = diff('stdout', was, given, facts)
    if command == 'avail' and (model.made or model.strayed_files):
        return found  # the layout is that of the lines compared
    if not found and step['stdout'] != out and sorted(step['stdout'].splitlines()) != sorted(out.splitlines()):
        found.append(Difference('stdout', repr(step['stdout']), repr(out)))
    if not found and step['stdout'].endswith('\n') != out.endswith('\n') and (step['stdout'] or out):
        found.append(Difference('stdout', repr(step['stdout'][-20:]), repr(out[-20:])))
    return found


def compare_errors(step, status, err, clean):
    """Where the Director died, a clean message will do."""
    if step.get('exception'):
        lines = err.splitlines()
        if status != 0 and not (lines and all(clean.match(line) for line in lines)):
            return [Difference('stderr', 'a clean message', repr(err))]
        return []
    return diff('stderr', (step.get('stderr') or '').splitlines(), err.splitlines())


def compare_messages(was, given, model):
    found = []
    was, given = by_actor(was), by_actor(given)
    for actor in sorted(set(was) | set(given)):
        tag, kind = actor.split(' ')

        def facts(x, y):
            return {'sent_as': model.sent_as(x if x is not None else y), 'source': model.source_of(tag),
                    'global_name': 'yes' if model.has_global_name(kind) else 'no', 'quits': model.quits(kind)}
        # Each message for itself: never one as another, changed.
        for d in diff('message', was.get(actor, []), given.get(actor, [])):
            for x, y in ((d.was, None), (None, d.given)):
                if x is not None or y is not None:
                    found.append(Difference('message', x, y, **facts(x, y)))
    return found
