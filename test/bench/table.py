"""The table of figures: medians, spread and ratios, on the terminal and as CSV."""

import csv
import statistics

SIDES = ("nanovirtd", "libvirtd", "floor")


def number(value):
    """Four digits are more than these figures can bear."""
    if value is None:
        return "-"
    if value >= 1000:
        return "{:,.0f}".format(value)
    return "%.*f" % (0 if value >= 100 else 1 if value >= 10 else 2, value)


def spread(values):
    """The middle half of the values, or all of them when they are few, in percent of the median."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return None
    low, high = min(values), max(values)
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4)
    return 100 * (high - low) / middle


def ratio(figures, side):
    """The median of the ratios of each round, in which the sides took turns."""
    pairs = [(ours, theirs) for ours, theirs in zip(figures["nanovirtd"], figures.get(side) or [])
             if theirs]
    return statistics.median(ours / theirs for ours, theirs in pairs) if pairs else None


class Table:
    """One row for each thing measured."""

    HEADING = "%-46s %-8s%12s%12s%12s %7s %7s  %s" % (
        "", "unit", *SIDES, "/libv.", "/floor", "spread n")

    def __init__(self, path):
        self.file = open(path, "w", newline="")
        self.csv = csv.writer(self.file)
        self.csv.writerow(["group", "what", "unit"] + ["%s %s" % (side, of) for side in SIDES
                          for of in ("median", "least", "most", "rounds")]
                          + ["nanovirtd/libvirtd", "nanovirtd/floor", "floor"])
        self.group = ""

    def begin(self, group, about):
        """A group of rows; `about` says what its floor is."""
        self.group, self.floor = group, about
        print("\n%s (floor: %s)\n%s" % (group, about, self.HEADING), flush=True)

    def add(self, what, unit, figures):
        """figures: side -> the values of all rounds."""
        figures = {side: [v for v in values if v is not None] for side, values in figures.items()}
        medians = {side: statistics.median(v) for side, v in figures.items() if v}
        ratios = [ratio(figures, side) for side in SIDES[1:]]
        ours = figures["nanovirtd"]
        wide = spread(ours)
        print("%-46s %-8s%12s%12s%12s %7s %7s  %s" % (
            what, unit, *(number(medians.get(side)) for side in SIDES), *map(number, ratios),
            "%s %d" % ("-" if wide is None else "%.0f%%" % wide, len(ours))), flush=True)
        row = [self.group, what, unit]
        for side in SIDES:
            values = figures.get(side)
            row += [medians[side], min(values), max(values), len(values)] if values else [""] * 4
        self.csv.writerow(row + ["" if r is None else "%.4f" % r for r in ratios] + [self.floor])
        self.file.flush()
