# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""What the verbs print of a frozen guest against guest/truth/truth.h. usage: verbs.py GLASSBOX IMAGE-DIRECTORY"""
import collections, csv, io, json, os, pty, re, struct, subprocess, sys

glassbox, directory = sys.argv[1:3]
ram = os.path.join(directory, 'ram.img')
number = failed = 0


def read_truth(path):
	"""{(name, pid): [first reading, second reading]}"""
	sections = collections.defaultdict(list)
	data = open(path, 'rb').read()
	at = 0
	while at < len(data):
		name, pid, _, size = struct.unpack_from('<16sIIQ', data, at)
		at += 32
		sections[name.rstrip(b'\0').decode(), pid].append(data[at:at + size])
		at += (size + 7) & ~7
	return sections


truth = read_truth(os.path.join(directory, 'truth.bin'))
extents = json.load(open(os.path.join(directory, 'layout.json')))['extents']


def stable(name, pid=0):
	"""None for what changed between the readings, or is not there."""
	readings = truth.get((name, pid), [None])
	return readings[-1] if readings[0] == readings[-1] else None


def run(verb, *words, status=0):
	done = subprocess.run([glassbox, verb, ram, *map(str, words)], capture_output=True)
	assert done.returncode == status, f'{verb} {words}: status {done.returncode}, {done.stderr.decode()}'
	return done.stdout


def ask(verb, *words, status=0):
	answer = json.loads(run(verb, *words, '--json', status=status))
	assert answer['schema'] == 1 and answer['command'] == verb, answer
	if status == 0:
		assert answer['vm'] == 'ram.img' and answer['consistent'] is True and answer['how'] == 'image', answer
	return answer


def same(what, want):
	assert what == want, f'{str(what)[:300]} is not {str(want)[:300]}'


def bytes_at(gpa, size):
	for e in extents:
		if e['gpa'] <= gpa and gpa + size <= e['gpa'] + e['len']:
			return os.pread(image, size, e['offset'] + gpa - e['gpa'])
	raise AssertionError(f'{gpa:#x} is no RAM')


image = os.open(ram, os.O_RDONLY)
pids = sorted({pid for name, pid in truth if name == 'stat'})
kallsyms = [line for line in stable('kallsyms').splitlines(True) if b'[' not in line]
addresses = {line.split()[2]: line.split()[0] for line in reversed(kallsyms)}
flags = re.search(rb'^flags.*$', stable('cpuinfo'), re.M).group().split()


def stat(pid):
	"""comm, state, ppid"""
	text = stable('stat', pid)
	if text is None:
		return None
	comm, rest = text[text.index(b'(') + 1:text.rindex(b')')], text[text.rindex(b')') + 2:].split()
	return comm, rest[0].decode(), int(rest[1])


def info():
	answer, text = ask('info'), run('info').decode()
	same(answer['kernel']['banner'], stable('version').decode().rstrip('\n'))
	same(answer['kernel']['release'], answer['kernel']['banner'].split()[2])
	same(answer['paging_levels'], 5 if b'la57' in flags else 4)
	same(answer['pti'], b'pti' in flags)
	same(int(answer['kaslr_slide'], 16), int(addresses[b'_text'], 16) - 0xffffffff81000000)
	same(int(answer['phys_base'], 16), int(re.search(rb'([0-9a-f]+)-\S+ : Kernel code', stable('iomem')).group(1), 16))
	same(answer['symbols'], len(kallsyms))
	assert answer['btf_types'] > 10000 and answer['timing_ms']['attach'] > 0, answer
	same([(int(s['gpa'], 16), int(s['size'], 16), int(s['offset'], 16)) for s in answer['layout']],
		[(e['gpa'], e['len'], e['offset']) for e in extents])
	for line in (f'kernel +{re.escape(answer["kernel"]["release"])}$', f'banner +{re.escape(answer["kernel"]["banner"])}$',
			f'paging +{answer["paging_levels"]} levels', f'KASLR slide +{answer["kaslr_slide"]}$', f'physical base +{answer["phys_base"]}$',
			f'symbols +{answer["symbols"]}$', f'types +{answer["btf_types"]}$', r'isolation .*\(PTI\)' if answer['pti'] else r'isolation .*\(no PTI\)'):
		assert re.search('^' + line, text, re.M), f'no {line} in {text}'


def symbols_text():
	same(run('symbols'), b''.join(kallsyms))


def symbols_json():
	lines = [f'{int(s["address"], 16):016x} {s["type"]} {s["name"]}\n'.encode() for s in ask('symbols')['symbols']]
	assert lines == kallsyms, 'they differ'


def dmesg():
	lines = re.sub(rb'^<\d+>', b'', stable('log'), flags=re.M)
	assert run('dmesg').endswith(lines), 'they differ'
	records = ask('dmesg')['records']
	text = ''.join(f'<{r["facility"] << 3 | r["level"]}>[{r["time_ns"] // 10**9:5}.{r["time_ns"] % 10**9 // 1000:06}] {line}\n'
		for r in records for line in r['text'].split('\n'))
	assert text.encode().endswith(stable('log')), 'they differ'


def modules():
	lines = (stable('modules') or b'').decode()
	same(run('modules').decode(), lines)
	answer = ask('modules')['modules']
	for m, line in zip(answer, lines.splitlines(), strict=True):
		words = line.split()
		same([m['name'], str(m['size']), str(m['refs']), m['state'], int(m['base'], 16)],
			[*words[:3], words[4].lower(), int(words[5], 16)])
		same([*m['users'], *(['[permanent]'] if m['permanent'] else [])], [u for u in words[3].split(',') if u not in ('', '-')])


def files():
	answer = ask('files')['files']
	for pid in pids:
		link = stable('fd', pid)
		if link is None or stat(pid) is None or stat(pid)[0] == b'freeze':
			continue
		words = link.split(b'\0')[:-1]
		want = [(int(fd), name.decode('utf8', 'replace').replace('\n', '\\012')) for fd, name in zip(words[::2], words[1::2])]
		same([(f['fd'], f['name']) for f in answer if f['pid'] == pid], want)
		if want:
			same([(f['fd'], f['name']) for f in ask('files', pid)['files']], want)
		else:  # a kernel thread, or one that has ended
			same(ask('files', pid, status=3)['error']['code'], 'not-found')
	assert len(answer) > 30, answer
	lines = run('files', 1).decode().splitlines()[1:]
	same([int(line.split()[2]) for line in lines], [f['fd'] for f in answer if f['pid'] == 1])
	same(ask('files', 54321, status=3)['error']['code'], 'not-found')


def sym():
	answer = ask('sym', 'init_task')['symbols']
	same([(s['name'], s['type'], s['offset'], int(s['address'], 16)) for s in answer],
		[('init_task', 'D', 0, int(addresses[b'init_task'], 16))])
	same(int(answer[0]['gpa'], 16), int(ask('walk', answer[0]['address'])['gpa'], 16))
	inside = int(addresses[b'init_task'], 16) + 5
	same([(s['name'], s['offset']) for s in ask('sym', hex(inside))['symbols']], [('init_task', 5)])
	assert run('sym', hex(inside)).startswith(addresses[b'init_task'] + b' D init_task+0x5/0x'), run('sym', hex(inside))
	same(ask('sym', 'no_such_symbol', status=3)['error']['code'], 'not-found')
	same(ask('sym', '0x1000', status=3)['error']['code'], 'not-found')


def type_():
	answer = ask('type', 'list_head')
	same((answer['name'], answer['kind'], answer['size']), ('list_head', 'struct', 16))
	same([(m['name'], m['type'], m['offset'], m['size']) for m in answer['members']],
		[('next', 'struct list_head *', 0, 8), ('prev', 'struct list_head *', 8, 8)])
	same(run('type', 'list_head').decode(), answer['c'])
	assert answer['c'].startswith('struct list_head {\n\tstruct list_head *next; // 0, 8\n'), answer['c']
	same(ask('type', 'pid_type')['values'][0], {'name': 'PIDTYPE_PID', 'value': 0})
	same(ask('type', 'no_such_type', status=3)['error']['code'], 'not-found')


# A worker may have begun or done its work between the reading and the freeze, and is named after it; its number stays.
def named(comm):
	return re.split(rb'[-+]', comm)[0] if comm.startswith(b'kworker/') else comm


def states(comm, state):
	return 'RID' if comm.startswith(b'kworker/') and state in 'RID' else state + 'R'


def ps_json():
	processes = {p['pid']: p for p in ask('ps')['processes']}
	same(sorted(processes), pids)
	for pid, p in processes.items():
		s, status, maps, threads = stat(pid), stable('status', pid), stable('maps', pid), stable('threads', pid)
		if s:
			# what an interrupt has woken since the reading is R
			same((pid, named(p['comm'].encode() if b'\xff' not in s[0] else s[0]), p['ppid']), (pid, named(s[0]), s[2]))
			assert p['state'] in states(s[0], s[1]), (pid, p['state'], s[1])
		if status:
			same((pid, p['uid']), (pid, int(re.search(rb'^Uid:\t\d+\t(\d+)', status, re.M).group(1))))
		if maps is not None:
			same((pid, p['vmas']), (pid, sum(b'[vsyscall]' not in line for line in maps.splitlines())))
		if threads is not None:
			same((pid, p['threads']), (pid, len(threads) // 4))


def ps_text():
	lines = run('ps').decode().splitlines()
	same(lines[0].split(), ['PID', 'PPID', 'UID', 'S', 'THR', 'VMAS', 'RSS', 'KiB', 'COMMAND'])
	for line, p in zip(lines[1:], ask('ps')['processes'], strict=True):
		same(line.split()[:7], [str(p[key]) for key in ('pid', 'ppid', 'uid', 'state', 'threads', 'vmas', 'rss_kib')])
	assert not any(ord(letter) < 32 or letter in '\x7f\u202e' for line in lines for letter in line), 'a control character'


def ps_threads():
	tids = sorted(t['tid'] for p in ask('ps', '-t')['processes'] for t in p['tasks'])
	same(tids, sorted(struct.unpack_from('<I', section[-1], at)[0]
		for (name, _), section in truth.items() if name == 'threads' for at in range(0, len(section[-1]), 4)))
	same(len(run('ps', '-t').splitlines()), len(run('ps').splitlines()) + len(tids))


def maps_text():
	compared = 0
	for pid in pids:
		want = stable('maps', pid)
		if want:
			same(run('maps', pid), want)
			compared += 1
	assert compared > 20, compared
	run('maps', 2, status=3)
	run('maps', 99999, status=3)


def maps_json():
	def line(m):
		head = f'{int(m["start"], 16):08x}-{int(m["end"], 16):08x} {m["rights"]} {int(m["offset"], 16):08x} ' \
			f'{m["dev"] >> 20:02x}:{m["dev"] & 0xfffff:02x} {m["inode"]} '
		return (head.ljust(73) + m['name'] if m['name'] else head).encode() + b'\n'
	answer = ask('maps', 1)
	same((answer['pid'], answer['comm']), (1, 'init'))
	same(b''.join(map(line, answer['maps'])), stable('maps', 1))


def on_terminal(*words):
	shown = []

	def read(fd):
		shown.append(os.read(fd, 65536))
		return shown[-1]
	out = os.dup(1)
	with open(os.devnull, 'wb') as null:  # pty.spawn() copies to standard output
		os.dup2(null.fileno(), 1)
		pty.spawn([glassbox, *words], read, lambda fd: b'')
		os.dup2(out, 1)
	return b''.join(shown)


def terminal():
	odd = [pid for pid in pids if re.search(rb'[^\n -~]', stable('maps', pid) or b'')]
	for pid in odd[:3] or [1]:
		shown = on_terminal('maps', ram, str(pid)).replace(b'\r\n', b'\n')
		assert not re.search(rb'[\0-\x09\x0b-\x1f\x7f]', shown), shown
		assert len(shown.splitlines()) >= len(stable('maps', pid).splitlines()), shown
	same(on_terminal('ps', ram).count(b'\x1b'), 0)


def frames_csv():
	rows = list(csv.reader(io.StringIO(run('frames', '--csv').decode())))
	same(rows[0], ['pfn', 'class', 'owner'])
	pfns = [pfn for e in extents for pfn in range(e['gpa'] >> 12, (e['gpa'] + e['len']) >> 12)]
	assert [int(row[0]) for row in rows[1:]] == pfns, 'other frames'
	first, second = (truth['kpageflags', 0][i] for i in (0, -1))
	bits = ((10, 'free'), (7, 'slab'), (26, 'page-table'))
	compared = different = 0
	for pfn, kind, _ in rows[1:]:
		at = 8 * int(pfn)
		flags = first[at:at + 8] == second[at:at + 8] and int.from_bytes(first[at:at + 8], 'little')
		for bit, name in bits:
			if flags and flags >> bit & 1:
				compared += 1
				different += kind != name
			elif flags and kind == name == 'free':
				different += 1
	assert compared > len(pfns) / 4 and different < compared / 1000, (compared, different)
	counts = collections.Counter(row[1] for row in rows[1:])
	answer = ask('frames')
	same(answer['frames'], len(pfns))
	same({name: n for name, n in answer['classes'].items() if n}, dict(counts))
	text = {line.split()[0]: int(line.split()[1]) for line in run('frames').decode().splitlines()[1:]}
	same(text, {**counts, 'all': len(pfns)})
	owners = {int(row[0]): row[2] for row in rows[1:]}
	pid, _, pfn = next(present(1))
	assert owners[pfn] and any(owners[f].startswith('pid 1 init') for _, _, f in present(1)), owners[pfn]


def present(*which):
	"""pid, address, PFN of pages that were there in both readings"""
	for pid in which or pids:
		entries = stable('pagemap', pid) or b''
		for at in range(0, len(entries), 16):
			address, entry = struct.unpack_from('<QQ', entries, at)
			if entry >> 63:
				yield pid, address, entry & ((1 << 55) - 1)


def walk():
	pages = list(present())
	for pid, address, pfn in pages[::len(pages) // 40]:
		answer = ask('walk', hex(address), '--pid', pid)
		same((pid, hex(address), answer['pfn'], int(answer['gpa'], 16) >> 12), (pid, hex(address), pfn, pfn))
		same(answer['user'], True)
	pid, address, pfn = pages[0]
	assert f', frame {pfn}, page of 4 KiB' in run('walk', hex(address), '--pid', pid).decode(), (address, pfn)
	same(ask('walk', '0x' + addresses[b'_text'].decode())['gpa'], ask('info')['phys_base'])
	same(ask('walk', '0x10', '--pid', pid, status=1)['error']['code'], 'fault')


def read():
	for gpa in (0x1000, int(ask('info')['phys_base'], 16), extents[-1]['gpa'] + extents[-1]['len'] - 4096):
		want = bytes_at(gpa, 4096)
		same(bytes.fromhex(ask('read', hex(gpa), 4096)['bytes']), want)
		same(run('read', hex(gpa), 4096, '--raw'), want)
		lines = run('read', hex(gpa), 4096).decode().splitlines()
		same(int(lines[1].split(':')[0], 16), gpa + 16)
		same(b''.join(bytes.fromhex(line[18:67]) for line in lines), want)
	pid, address, pfn = next(present(1))
	same(run('read', hex(address), 4096, '--pid', pid, '--raw'), bytes_at(pfn << 12, 4096))
	banner = stable('version')
	same(run('read', '0x' + addresses[b'linux_banner'].decode(), len(banner), '--raw'), banner)
	same(ask('read', hex(1 << 50), 16, status=1)['error']['address'], hex(1 << 50))


tests = (info, symbols_text, symbols_json, dmesg, modules, files, sym, type_, ps_json, ps_text, ps_threads, maps_text, maps_json, terminal, frames_csv, walk, read)
for test in tests:
	number += 1
	try:
		test()
		print(f'ok {number} - {test.__name__}', flush=True)
	except Exception as error:  # a test that breaks has failed
		failed = 1
		print(f'# {error!r}'.replace('\n', '\n# '))
		print(f'not ok {number} - {test.__name__}', flush=True)
print(f'1..{number}')
sys.exit(failed)
