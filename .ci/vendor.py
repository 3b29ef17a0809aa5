"""Write web/static/vendor: the libraries of the live pane as minified ES modules, with their licences and versions.

The versions stand in .ci/vendor/package.json and, with the hashes of what npm delivers, in the lock beside it; each
.js file there is bundled into one module of the same name. The same versions give the same bytes. To take newer ones:
change package.json, run `npm install --package-lock-only --omit-lockfile-registry-resolved` there, then `make vendor`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = ROOT / ".ci" / "vendor"
TARGET = ROOT / "libs" / "ghostos" / "src" / "ghostos" / "web" / "static" / "vendor"
BUNDLE = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--legal-comments=none")


def bundle(folder: Path, *, entry: Path) -> set[str]:
    """Write one module to TARGET; return the packages that went into it."""
    report = folder / f"{entry.stem}.json"
    command = [
        "node_modules/.bin/esbuild",
        entry.name,
        *BUNDLE,
        f"--metafile={report}",
        f"--outfile={TARGET / entry.name}",
    ]
    subprocess.run([*command, "--log-level=warning"], cwd=folder, check=True)  # noqa: S603 - the bundler that the lock names
    inputs = json.loads(report.read_text(encoding="utf-8"))["inputs"]
    return {path.split("/")[1] for path in inputs if path.startswith("node_modules/")}


def describe(folder: Path, *, packages: set[str]) -> tuple[dict[str, str], str]:
    """Return the packages' versions, and their licences as one text."""
    versions: dict[str, str] = {}
    licences: list[str] = []
    for name in sorted(packages):
        home = folder / "node_modules" / name
        facts = json.loads((home / "package.json").read_text(encoding="utf-8"))
        texts = [path for path in sorted(home.iterdir()) if path.name.upper().startswith("LICENSE")]
        if not texts:
            sys.exit(f"{name} {facts['version']} comes without a licence file: look for its licence, then decide")
        versions[name] = facts["version"]
        heading = f"{name} {facts['version']}: {facts['license']}"
        licences += [f"{heading}\n{'=' * len(heading)}\n", *(path.read_text(encoding="utf-8") for path in texts)]
    return versions, "\n".join(text.strip("\n").replace("\r\n", "\n") + "\n" for text in licences)


def main() -> None:
    """Fetch, bundle and write."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: make vendor needs Node.js 20 or newer, nothing else does")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ENTRIES, folder, dirs_exist_ok=True)
        fetch = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(fetch, cwd=folder, check=True)  # noqa: S603 - npm, with our arguments
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        packages = set[str]().union(*(bundle(folder, entry=entry) for entry in sorted(folder.glob("*.js"))))
        versions, licences = describe(folder, packages=packages)
    (TARGET / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")
    (TARGET / "LICENSES.txt").write_text(licences, encoding="utf-8")
    size = sum(path.stat().st_size for path in TARGET.iterdir())
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}: {len(versions)} packages, {size:,} bytes\n")


if __name__ == "__main__":
    main()
