"""Known mistakes of the toy assignment."""

from reference.mistakes import Catalogue

MISTAKES = Catalogue("toy")
q1 = MISTAKES.question("q1")
q2 = MISTAKES.question("q2")
q3 = MISTAKES.question("q3")


@q1.mistake(says="You returned the square of x.", openly=True)
def twice__squared(x):
    return x * x


def _add_all(xs, start):
    for entry in xs:
        start = start + entry
    return start


@q2.mistake(says="The sum starts at 1 instead of 0.", openly=True)
def total__starts_at_one(xs):
    return _add_all(xs, 1)


@q2.mistake(says="You divided by one less than there are numbers.", openly=True)
def mean__one_less(xs):
    return sum(xs) / (len(xs) - 1)


@q3.mistake(says="You started from 0, which is larger than every negative number.", openly=True)
def largest__from_zero(xs):
    best = 0
    for candidate in xs:
        best = max(best, candidate)
    return best
