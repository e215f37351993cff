"""Attacks by a test of the submission's own: on the implementations that it is handed, and through them."""

from hostile.attack import Attack

LEAKED = "a secret's text in the feedback"
POINTS = "points for wrong answers"
HANGS = "the batch ends or hangs, the grader's memory grows, or an honest neighbour's score changes"

_ASK = """
import time, gc
import adkit
from adkit import Graph, ImplementationError, Node, implementations
from autograder.isolation import implementations as isolated
one = Graph([Node("input")], [0], [0])
three = Graph([Node("input")] * 3, [0, 1, 2], [0])
long = Graph([Node("input"), *[Node("neg", (k,)) for k in range(390)]], [0], [390])
kept = []
def honest(judged): return judged(one, [2.0], [3.0])[1] == [3.0]
def forged(judged, question):
    "Sends a question past the side of the submission that would refuse it."
    before, isolated.sent = isolated.sent, lambda question_: question
    try: return judged(one, [2.0], [3.0])
    except (ValueError, KeyError, TypeError, ImplementationError) as error: return error
    finally: isolated.sent = before
"""

ATTACKS = (
    Attack("implementation-kept-for-later", "score", "keeps an implementation, and has it answer for other functions, in later calls and after its own", POINTS, _ASK + '''
def judges(judged):
    kept.append(judged)
    for each in kept:
        each._over = False
        try: each(one, [2.0], [3.0])
        except ImplementationError: pass
    return honest(judged) if len(kept) < 3 else False
def ask(x):
    for each in kept:
        each._over = False
        try: return each(one, [float(np.sum(x))], [2.0])[0][0]
        except Exception: pass
    return 0
def twice(x): return ask(x) * 2
def energy(x): return ask(x)
def at_one(f, x): return ask(x)
''', deserves=1.0),
    Attack("implementation-for-a-callback", "score", "asks for functions by the numbers of implementations and the other way round, and by numbers of odd types", POINTS, _ASK + '''
def odd(channel, more):
    found = []
    for number in (0, 1, -1, 2**62, 0.0, True, None, "0", [0], {"a": 0}, np.zeros(1)):
        for rest in more:
            channel.send({"callback": number, **rest})
            found.append(channel.receive())
    return found
def judges(judged):
    print(odd(judged._channel, [{"x": np.ones(3)}, {"question": None}, {"question": {"ops": 1}}, {}]))
    return True
def at_one(f, x):
    print(odd(f._channel, [{"question": isolated.sent(implementations.question(one, [1.0], [1.0]))}, {"x": None}]))
    return 0.0
'''),
    Attack("implementation-forged-answers", "score", "replaces what carries its questions by what answers every question rightly, in hidden cases of other functions too", POINTS, _ASK + '''
isolated.Handed.__call__ = lambda self, graph, x, y_bar: ([sum(x)], list(y_bar))
implementations.question = lambda *a: a
def judges(judged): return honest(judged)
'''),
    Attack("implementations-errors", "leak", "prints what the error of an implementation says, all it refers to, and the frames behind it", LEAKED, _ASK + '''
import traceback
def judges(judged):
    try: judged(three, [1.0, 2.0, 3.0], [1.0])
    except Exception as error:
        told = [repr(error), vars(error), error.args, error.__context__, error.__cause__, getattr(error, "__notes__", None)]
        frame, trace = [], error.__traceback__
        while trace is not None:
            frame.append({name: repr(value) for name, value in trace.tb_frame.f_locals.items()})
            trace = trace.tb_next
        print(told, frame, traceback.format_exc())
        raise ValueError(f"{told} {frame}")
    return honest(judged)
''', deserves=1.0),
    Attack("implementations-source", "leak", "looks for the text of an implementation in everything that its process holds, while it answers", LEAKED, _ASK + '''
def judges(judged):
    judged(one, [2.0], [3.0])
    found = [each for each in gc.get_objects() if isinstance(each, str | bytes) and "CANARY" in str(each)[:10**5]]
    print(found, [vars(judged), dir(judged), isolated.__dict__.keys(), os.listdir(".")])
    for path in ("/proc/self/maps", *(f"/proc/{pid}/maps" for pid in range(1, 40))):
        try: print([line for line in open(path) if "CANARY" in line])
        except OSError: pass
    return honest(judged)
''', deserves=2.0),
    Attack("implementation-graphs-of-no-kind", "availability", "asks with what pretends to be a graph: huge, nested, of strings, of objects, of numbers beyond 64 bits, of NaN", HANGS, _ASK + '''
class Pretender:
    nodes = inputs = outputs = property(lambda self: [self] * 10**6)
    op, args, value = "input", (), None
    __class__ = Graph
sent = isolated.sent(implementations.question(one, [2.0], [3.0]))
deep = []
for _ in range(30): deep = [deep]
def judges(judged):
    for graph in (Pretender(), None, "graph", deep, 10**1000, np.zeros(10**7), {"nodes": 1}, long):
        for x in ([2.0], [10**400], ["a"], [None], deep, [float("nan")] * 200, np.zeros((2, 2)), [[1.0]], range(10**6)):
            try: judged(graph, x, x)
            except Exception: pass
    for name in sent:
        for column in (None, deep, [0], "ops", np.full(10**6, 2**62), np.full(5, -1), np.zeros((1, 1)), np.array([np.nan]), 10**15, np.zeros(0)):
            forged(judged, {**sent, name: column})
    for question in (None, deep, {}, {**sent, "x": np.zeros(7 * 10**6)}, {name: np.zeros(0) for name in sent}, "a" * 10**6):
        forged(judged, question)
    return honest(judged)
''', deserves=2.0),
    Attack("implementation-a-million-calls", "availability", "asks a million times, and goes on when it is refused", HANGS, _ASK + '''
def judges(judged):
    for _ in range(10**6):
        try: judged(one, [2.0], [3.0])
        except ValueError: pass
    return True
'''),
    Attack("implementation-that-never-ends", "availability", "asks a question whose answer takes exponential time, again and again", HANGS, _ASK + '''
def judges(judged):
    verdict = honest(judged)
    for _ in range(1000):
        try: judged(long, [2.0], [3.0])
        except ImplementationError: pass
    return verdict
''', deserves=2.0),
    Attack("implementation-asked-from-threads", "availability", "asks from many threads at once, during its call and after it", HANGS, _ASK + '''
import threading
def ask(judged):
    while True:
        judged._over = False
        try: judged(one, [2.0], [3.0])
        except Exception: pass
def judges(judged):
    verdict = honest(judged)
    for _ in range(10): threading.Thread(target=ask, args=(judged,), daemon=True).start()
    time.sleep(0.2)
    return verdict
''', deserves=2.0),
    Attack("implementation-and-then-nothing", "availability", "ends its process, or stops listening, while an implementation answers", HANGS, _ASK + '''
def judges(judged):
    judged._channel.send({"callback": 0, "question": isolated.sent(implementations.question(long, [2.0], [3.0]))})
    if len(kept): time.sleep(100)
    kept.append(1)
    os._exit(0)
'''),
)  # fmt: skip
