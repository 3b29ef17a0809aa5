"""What a module opens while it is imported is seen in its source; what does not run then is no false alarm."""

import pytest

from ghostos_moss import Opening, find_openings, parse_source

OPENING = [
    ("import sqlite3\ndb = sqlite3.connect('a.db')\n", "sqlite3.connect"),
    ("import sqlite3 as s\ndb = s.connect('a.db')\n", "s.connect"),
    ("from sqlite3 import connect as go\ndb = go('a.db')\n", "go"),
    ("import psycopg\nwith psycopg.connect() as db:\n    pass\n", "psycopg.connect"),
    ("from sqlalchemy import create_engine\nengine = create_engine('sqlite://')\n", "create_engine"),
    ("import redis\nr: object = redis.Redis()\n", "redis.Redis"),
    (
        "import socket\ntry:\n    s = socket.create_connection(('a', 1))\nexcept OSError:\n    s = None\n",
        "socket.create_connection",
    ),
    ("f = open('log', 'w')\n", "open"),
    ("f = open('log', mode='a+')\n", "open"),
    ("import gzip\nf = gzip.open('log', 'xb')\n", "gzip.open"),
    ("from pathlib import Path\nf = Path('log').open('w')\n", "Path('log').open"),
    ("from pathlib import Path\nPath('log').write_text('x')\n", "Path('log').write_text"),
    ("import serial\nport = serial.Serial('/dev/ttyUSB0')\n", "serial.Serial"),
    ("import requests\nif True:\n    page = requests.get('http://a').text\n", "requests.get"),
    ("import httpx\nclient = httpx.Client(timeout=3)\n", "httpx.Client"),
    ("from urllib.request import urlopen\npage = urlopen('http://a').read()\n", "urlopen"),
    ("import urllib.request\npage = urllib.request.urlopen('http://a')\n", "urllib.request.urlopen"),
    ("import urllib.request as r\npage = r.urlopen('http://a')\n", "r.urlopen"),
    ("import subprocess\nout = subprocess.run(['ls'])\n", "subprocess.run"),
    ("import os\nos.system('ls')\n", "os.system"),
    ("import sqlite3\nclass Store:\n    db = sqlite3.connect('a.db')\n", "sqlite3.connect"),
    ("import sqlite3\ndef get(db=sqlite3.connect('a.db')):\n    return db\n", "sqlite3.connect"),
    ("import sqlite3\nboth = [sqlite3.connect(name) for name in 'ab']\n", "sqlite3.connect"),
    (
        "import sqlite3\nfor name in 'ab':\n    match name:\n        case 'a':\n"
        "            db = sqlite3.connect(name)\n",
        "sqlite3.connect",
    ),
    ("import sqlite3\nif __name__ == '__main__':\n    pass\nelse:\n    db = sqlite3.connect('a')\n", "sqlite3.connect"),
]


@pytest.mark.parametrize(("text", "call"), OPENING)
def test_what_opens_something_on_import_is_found(text, call):
    (found,) = find_openings(parse_source(text))
    assert found.call == call
    assert call.partition("(")[0].rpartition(".")[2] in text.split("\n")[found.line - 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import sqlite3\ndef get():\n    return sqlite3.connect('a.db')\n",
        "import sqlite3\nasync def get():\n    return sqlite3.connect('a.db')\n",
        "import sqlite3\nclass Store:\n    def __init__(self):\n        self.db = sqlite3.connect('a.db')\n",
        "import sqlite3\nget = lambda: sqlite3.connect('a.db')\n",
        "import sqlite3\nall = (sqlite3.connect(name) for name in 'ab')\n",
        "import sqlite3\nif __name__ == '__main__':\n    db = sqlite3.connect('a.db')\n",
        "import sqlite3\nif '__test__' == __name__:\n    db = sqlite3.connect('a.db')\n",
        "import sqlite3\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    db = sqlite3.connect('a.db')\n",
        "import sqlite3\nopener = sqlite3.connect\nrow = sqlite3.Row\n",
        "text = open('notes').read()\nmore = open('notes', 'rb')\nhow = 'w'\nthird = open('notes', how)\n",
        "def open(path, mode):\n    return path\nf = open('a', 'w')\n",
        "import requests\nerror = requests.HTTPError()\n",
        "import httpx\ntimeout = httpx.Timeout(3)\n",
        "class socket:\n    socket = dict\ns = socket.socket()\n",
        "from pathlib import Path\ntext = Path('a').read_text()\nf = Path('a').open()\n",
        "import mine\nmine.connect()\nconnect = mine.thing.connect()\n",
    ],
)
def test_what_opens_nothing_on_import_is_no_false_alarm(text):
    assert find_openings(parse_source(text)) == ()


def test_every_place_is_found_once_in_order():
    text = (
        "import sqlite3\na = sqlite3.connect('a'); b = sqlite3.connect('b')\n"
        "f = open(\n    'log',\n    'w')\nc = sqlite3.connect('c')\n"
    )
    found = find_openings(parse_source(text))
    assert found == (Opening(2, "sqlite3.connect"), Opening(3, "open"), Opening(6, "sqlite3.connect"))
