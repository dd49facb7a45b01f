''':' # A shell that is given this for Python ends here: `import` is a command to it.
[ "$0" != --check ] || exec 4>&1
echo 'refuse what runs the evaluator is a shell and no Python: leave `warm` out' >&4
exit
'''
# What an evaluator imports: for `server.py`, which keeps that, and for `check.py`, which tries it
# beforehand. This file comes before each of the two.

import _ast
import os
import sys


# What the evaluator imports ----------------------------------------------------------------------

def imports(statements):
    """The modules that these statements import, in order, each with the names it is asked for.

    Up to the first statement that may change what an import does, such as `sys.path.insert(...)`:
    what follows is left to the evaluator. The list ends in None where it stopped short.
    """
    for statement in statements:
        if isinstance(statement, _ast.Import):
            for alias in statement.names:
                yield alias.name, ()
        elif isinstance(statement, _ast.ImportFrom):
            if statement.level == 0 and statement.module != "__future__":
                yield statement.module, tuple(alias.name for alias in statement.names)
        elif isinstance(statement, (_ast.If, *TRIES)):
            for found in imports(inner(statement)):
                yield found
                if found is None:
                    return
        elif not is_harmless(statement):
            yield None
            return


TRIES = tuple(getattr(_ast, name) for name in ("Try", "TryStar") if hasattr(_ast, name))

# Calls that have no effect on imports, by the last part of what is called.
HARMLESS_CALLS = {"Path", "abspath", "dirname", "get", "getLogger", "getenv", "join", "realpath",
                  "resolve", "NewType", "TypeVar", "namedtuple"}


def inner(statement):
    """The statements of an `if` or `try` that run, as far as that can be told beforehand.

    Handlers are not among them: what is imported where a module is missing is left to the job.
    """
    if isinstance(statement, TRIES):
        return statement.body + statement.orelse + statement.finalbody
    nodes = list(walk(statement.test))
    names = {node.id for node in nodes if isinstance(node, _ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, _ast.Attribute)}
    if "__name__" in names or "TYPE_CHECKING" in names | attributes:
        return statement.orelse
    if names <= {"sys", "os"} and not any(isinstance(node, _ast.Call) for node in nodes):
        test = compile(_ast.Expression(statement.test), "<test>", "eval")
        try:
            return statement.body if eval(test, {"sys": sys, "os": os}) else statement.orelse
        except Exception:  # as it will in the evaluator, for which it is to tell
            return []
    return statement.body + statement.orelse


def is_harmless(statement):
    """Whether imports that follow do what they would do without this statement before them."""
    if isinstance(statement, (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef, _ast.Pass)):
        return True
    if isinstance(statement, _ast.Expr):
        return isinstance(statement.value, _ast.Constant)
    if isinstance(statement, _ast.Assign):
        targets = statement.targets
    elif isinstance(statement, _ast.AnnAssign):
        targets = [statement.target]
    else:
        return False
    calls = [node.func for node in walk(statement) if isinstance(node, _ast.Call)]
    called = {getattr(call, "attr", getattr(call, "id", None)) for call in calls}
    return all(isinstance(target, _ast.Name) for target in targets) and called <= HARMLESS_CALLS


def walk(node):
    """A node of a syntax tree and all below it."""
    yield node
    for field in node._fields:
        value = getattr(node, field, None)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, _ast.AST):
                yield from walk(child)


def evaluator_module(evaluator):
    """The module that the evaluator is to run in, as `python EVALUATOR` makes it."""
    path = evaluator if sys.version_info < (3, 9) else os.path.join(os.getcwd(), evaluator)
    own = sys.modules["__main__"].__dict__
    module = type(sys)("__main__")
    loaders = sys.modules["_frozen_importlib_external"]
    module.__loader__ = loaders.SourceFileLoader("__main__", path)
    if "__annotations__" in own:
        module.__annotations__ = {}
    module.__builtins__ = own["__builtins__"]
    module.__file__ = path
    module.__cached__ = None
    return module


