"""A small stand-in for a coding agent: deterministic, and no model behind it.

It reads the prompt of its step on standard input, takes the first failing test that the prompt tells of, and mends what that
test is about. A model would do the same with more imagination.
"""

import re
import sys
from pathlib import Path

# The failing test, and the edit that mends it.
FIXES = [
    ("test_total_counts_every_line", "lines[1:]", "lines"),
    ("test_discounted_rounds_half_up", "(100 - percent)) // 100", "(100 - percent) + 50) // 100"),
]


def main():
    prompt = sys.stdin.read()
    # What the last step left to do is newer than what failed before the first one.
    newest = re.search(r"^## The last step failed$.*?(?=^## )", prompt, re.DOTALL | re.MULTILINE)
    failing = set(re.findall(r"(?:FAIL|ERROR): (test_\w+)", newest.group() if newest else prompt))
    print(f"The prompt tells of {len(failing)} failing: {', '.join(sorted(failing)) or 'none'}")
    source = Path("receipt.py")
    code = source.read_text()
    for test, wrong, right in FIXES:
        if test in failing and wrong in code:
            source.write_text(code.replace(wrong, right))
            print(f"{test}: in receipt.py, {wrong!r} becomes {right!r}")
            print("TASK_STATE: " + ("CONTINUE" if len(failing) > 1 else "DONE"))
            return
    print("BLOCK_REASON: no failing test here that this script knows how to mend")
    print("TASK_STATE: BLOCKED")


main()
