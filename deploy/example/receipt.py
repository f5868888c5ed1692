"""What a customer pays. All amounts are whole cents."""


def total(lines):
    """The sum over (cents, count) pairs."""
    result = 0
    for cents, count in lines[1:]:
        result += cents * count
    return result


def discounted(lines, percent):
    """The total with so many percent taken off, rounded half up to the cent."""
    return (total(lines) * (100 - percent)) // 100


def text(cents):
    """The amount as it is printed, such as 12.05."""
    return f"{cents // 100}.{cents % 100:02d}"
