"""Reading and changing files that are not the code's."""

from tests.abuse.harness import Attack, changed, leaked, said

FILES = (
    Attack(name="read a secret of the user", code="print(open(SECRET).read())", effect=leaked),
    Attack(
        name="read a secret by descriptors",
        code="fd = os.open(SECRET, os.O_RDONLY)\nprint(os.read(fd, 100))",
        effect=leaked,
    ),
    Attack(name="map a secret", code="import mmap\nprint(mmap.mmap(os.open(SECRET, 0), 0, prot=1)[:])", effect=leaked),
    Attack(
        name="read a secret from its folder",
        code="os.chdir(HOME)\nprint(open('secret.txt').read())",
        effect=leaked,
    ),
    Attack(
        name="read a secret opened by path only",
        code="fd = os.open(SECRET, os.O_PATH)\nprint(open(f'/proc/self/fd/{fd}').read())",
        effect=leaked,
    ),
    Attack(
        name="read a secret through C",
        code="""
        import ctypes
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        file = libc.fopen(SECRET.encode(), b"r")
        text = ctypes.create_string_buffer(200)
        if file:
            libc.fread(text, 1, 199, ctypes.c_void_p(file))
        print(text.value)
        """,
        effect=leaked,
    ),
    Attack(
        name="copy a secret into scratch by sendfile",
        code="import shutil\nshutil.copyfile(SECRET, 'copy')\nprint(open('copy').read())",
        effect=leaked,
    ),
    Attack(name="read the workspace's keys", code="print(open(KEYS).read())", effect=leaked),
    Attack(
        name="read the workspace's database",
        code="""
        import sqlite3
        print(sqlite3.connect(f"file:{DATABASE}?immutable=1", uri=True).execute("select * from said").fetchall())
        """,
        effect=leaked,
    ),
    Attack(
        name="list the user's home",
        code="if 'secret.txt' in os.listdir(HOME): took_effect()",
        effect=said,
    ),
    Attack(
        name="list all processes",
        code="if [name for name in os.listdir('/proc') if name.isdigit()]: took_effect()",
        effect=said,
    ),
    Attack(
        name="read a file of root",
        code="if open('/etc/shadow').read(1): took_effect()",
        effect=said,
        unless_control="an ordinary user cannot read /etc/shadow",
    ),
    Attack(name="read who has accounts", code="if open('/etc/passwd').read(1): took_effect()", effect=said),
    *(
        Attack(name=f"read {entry} of the host", code=code, effect=effect)
        for entry, code, effect in (
            ("environ", "print(open(f'/proc/{HOST}/environ').read())", leaked),
            ("maps", "if open(f'/proc/{HOST}/maps').read(1): took_effect()", said),
            ("cmdline", "if open(f'/proc/{HOST}/cmdline').read(1): took_effect()", said),
            ("root", "if os.listdir(f'/proc/{HOST}/root'): took_effect()", said),
            ("cwd", "os.listdir(f'/proc/{HOST}/cwd')\ntook_effect()", said),
            ("fd", "if os.listdir(f'/proc/{HOST}/fd'): took_effect()", said),
            ("exe", "if os.readlink(f'/proc/{HOST}/exe'): took_effect()", said),
            (
                "mem",
                "lines = open(f'/proc/{HOST}/maps').read().splitlines()\n"
                "start, end = next(line for line in lines if '[stack]' in line).split()[0].split('-')\n"
                "memory = open(f'/proc/{HOST}/mem', 'rb', 0)\n"
                "memory.seek(int(start, 16))\n"
                "print(memory.read(int(end, 16) - int(start, 16)))",
                leaked,
            ),
        )
    ),
    Attack(
        name="symbolic link out of scratch",
        code="os.symlink(SECRET, 'way')\nprint(open('way').read())",
        effect=leaked,
    ),
    Attack(
        name="write through a symbolic link",
        code="os.symlink(SECRET, 'way')\nopen('way', 'a').write('more')",
        effect=changed,
    ),
    Attack(
        name="hard link into scratch",
        code="path = os.path.join(HOME, 'hard')\nos.link(SECRET, path)\nprint(open(path).read())",
        effect=leaked,
    ),
    Attack(
        name="hard link from elsewhere",
        code="os.link(SECRET, 'hard')\nprint(open('hard').read())",
        effect=leaked,
        unless_control="scratch and home lie on different file systems",
    ),
    Attack(
        name="rename into scratch",
        code="os.rename(SECRET, 'moved')\nprint(open('moved').read())",
        effect=lambda scene, outcome: leaked(scene, outcome) or changed(scene, outcome),
    ),
    Attack(
        name="exchange two files",
        code="""
        import ctypes
        open("mine", "w").write("mine")
        print(ctypes.CDLL(None, use_errno=True).renameat2(-100, b"mine", -100, SECRET.encode(), 2))
        """,
        effect=changed,
    ),
    Attack(name="overwrite", code="open(SECRET, 'w').write('gone')", effect=changed),
    Attack(name="delete", code="os.remove(SECRET)", effect=changed),
    Attack(name="make a folder", code="os.mkdir(os.path.join(HOME, 'new'))", effect=changed),
    Attack(name="change a mode", code="os.chmod(SECRET, 0o666)", effect=changed),
    Attack(
        name="change a mode by a descriptor opened by path only",
        code="""
        import ctypes
        fd = os.open(SECRET, os.O_PATH)
        os.chmod(f"/proc/self/fd/{fd}", 0o666)
        """,
        effect=changed,
    ),
    Attack(
        name="change an owner",
        code="os.chown(SECRET, 1234, 1234)",
        effect=changed,
        unless_control="an ordinary user cannot give a file away",
    ),
    Attack(name="change a time", code="os.utime(SECRET, (1, 1))", effect=changed),
    Attack(name="truncate", code="os.truncate(SECRET, 0)", effect=changed),
    Attack(
        name="set an attribute",
        code="os.setxattr(SECRET, 'user.more', b'1')",
        effect=changed,
        unless_control="the file system has no attributes",
    ),
    Attack(
        name="read an attribute",
        code="print(os.getxattr(SECRET, 'user.note'))",
        effect=leaked,
        unless_control="the file system has no attributes",
    ),
    Attack(
        name="make a device",
        code="import stat\nos.mknod('disk', 0o600 | stat.S_IFCHR, os.makedev(1, 5))\nopen('disk', 'rb').read(1)\n"
        "took_effect()",
        effect=said,
        unless_control="only root makes devices",
    ),
    Attack(name="make a named pipe", code="os.mkfifo(os.path.join(HOME, 'pipe'))", effect=changed),
    Attack(name="write into site-packages", code="open(os.path.join(SITE, NEW), 'w').write('1')", effect=changed),
    Attack(name="write beside the target", code="open(os.path.join(BESIDE, NEW), 'w').write('1')", effect=changed),
    Attack(name="change a source beside the target", code="open(SOURCE, 'a').write('1 / 0')", effect=changed),
    Attack(
        name="change the target",
        code="open(TARGET, 'a').write('1 / 0')",
        effect=changed,
    ),
    Attack(name="read a dotfile beside the target", code="print(open(DOTFILE).read())", effect=leaked),
    Attack(name="read data beside the target", code="print(open(DATA).read())", effect=leaked),
    Attack(
        name="shared memory by a path",
        code="path = '/dev/shm/abuse-' + TOKEN\nopen(path, 'w').write('1')\nos.remove(path)\ntook_effect()",
        effect=said,
    ),
    Attack(
        name="another task's scratch",
        code="""
        import tempfile
        found = [each for each in os.listdir(tempfile.gettempdir()) if each.startswith("abuse-")]
        if found: took_effect()
        """,
        effect=said,
    ),
    Attack(
        name="watch a folder",
        code="""
        import ctypes
        libc = ctypes.CDLL(None)
        if libc.inotify_add_watch(libc.inotify_init(), HOME.encode(), 0xFFF) >= 0: took_effect()
        """,
        effect=said,
    ),
    Attack(
        name="change the root folder",
        code="os.chroot(HOME)\nprint(open('/secret.txt').read())",
        effect=leaked,
        unless_control="only root may",
    ),
)
