"""Write constraints.txt: the newest versions that all distributions, every extra and the tools agree on.

Nothing is installed: pip resolves, and its report names the versions. Run it on the oldest Python that is supported,
because a version that serves the oldest serves the newer ones, and rarely the other way round.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
OURS = re.compile(r"ghostos(-[a-z]+)?")


def resolve() -> dict[str, str]:
    """Return the version of every package, by normalized name."""
    sources = [f"libs/{part}" for part in ("container", "common", "moss", "ghostos[all]", "meta")]
    editable = [argument for source in sources for argument in ("-e", source)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    command = [*pip, "pip", "hatchling", "editables", *editable, "--group", "dev"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - pip, with our arguments
    found = (item["metadata"] for item in json.loads(done.stdout)["install"])
    versions = {re.sub(r"[-_.]+", "-", item["name"]).lower(): item["version"] for item in found}
    return {name: version for name, version in sorted(versions.items()) if not OURS.fullmatch(name)}


def main() -> None:
    """Refuse on a newer Python than the oldest, write the file otherwise."""
    if sys.version_info[:2] != OLDEST:
        found, wanted = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST))
        sys.exit(f"This is Python {found}, and versions are chosen on {wanted}: make constraints PYTHON=python{wanted}")
    lines = [f"{name}=={version}\n" for name, version in resolve().items()]
    (ROOT / "constraints.txt").write_text("".join(lines), encoding="utf-8")
    sys.stdout.write(f"constraints.txt: {len(lines)} packages\n")


if __name__ == "__main__":
    main()
