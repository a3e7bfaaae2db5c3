"""The table of faults: each case says what was done to the pipeline and how it ended."""

import pytest


@pytest.fixture
def outcome(record_property):
    """A function to tell how a case ended, for the table."""

    def tell(case: str, ended: str) -> None:
        record_property("fault", (case, ended))

    return tell


def pytest_terminal_summary(terminalreporter):
    rows = []
    for kind in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(kind, []):
            told = [value for name, value in getattr(report, "user_properties", []) if name == "fault"]
            if report.when == "call" and told:
                rows += [(kind, *of) for of in told]
            elif kind != "passed":
                rows.append((kind, report.nodeid.split("::")[-1], "no outcome"))
    terminalreporter.section("faults")
    for kind, case, ended in sorted(rows, key=lambda row: row[1]):
        terminalreporter.write_line(f"{kind:8}{case:58}{ended}")
