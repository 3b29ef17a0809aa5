"""`ghostos doctor`: what is there, what is missing, what to do next. Changes nothing."""

from ghostos.cli.options import Common
from ghostos.cli.startup import choose_workspace
from ghostos.cli.streams import write_out
from ghostos.core.escaping import escape_line
from ghostos.libraries import diagnosis
from ghostos.libraries.diagnosis import Finding

_NOT_CONFIGURED_STATUS = 3


def examine(*, common: Common) -> int:
    """Print what is found and the next command, and return the exit status: 3 where something is broken."""
    findings = list(diagnosis.examine(choose_workspace(common), model=common.model))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        write_out(f"{finding.state:<6}  {finding.subject:<{width}}  {escape_line(finding.text)}\n")
        if finding.advice:
            write_out(f"{'':<6}  {'':<{width}}  {escape_line(finding.advice)}\n")
    write_out(f"\nNext: {_choose_next(findings)}\n")
    return _NOT_CONFIGURED_STATUS if any(finding.state == "broken" for finding in findings) else 0


def _choose_next(findings: list[Finding]) -> str:
    broken = [finding.subject for finding in findings if finding.state == "broken"]
    if broken:
        return f"mend {', '.join(broken)}, then run ghostos doctor again"
    states = {finding.subject: finding.state for finding in findings}
    talk = "web" if states["extra web"] == "ok" else "console"
    if states["model"] == "ok":
        return f"ghostos {talk} TARGET (a Python file of yours)"
    return f"ghostos {talk} ghostos.demo.agents.shop (a rehearsal, no key needed)"
