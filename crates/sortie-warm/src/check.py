"""Imports what an evaluator imports when it is run, and does nothing else of it.

Run as `python -c THIS --check EVALUATOR`. On standard output it says `at WHERE` before each import,
and at last one of: `fine NUMBER`, `partly WHAT` where an import failed but may not in a job,
`missing WHAT`, `syntax WHAT` or `raises WHAT`. What modules print goes to standard error.

Statements are followed as they would run: the handler of a `try` whose import fails, the branch of
an `if` that is taken. Of other statements only those are run that say where modules are found, such
as `sys.path.insert(0, os.path.dirname(__file__))`, or that set variables of the environment.
"""

# Calls that look at paths and do nothing, and those that change where modules are found.
OF_PATHS = {"Path", "PurePath", "abspath", "dirname", "join", "realpath", "resolve", "normpath",
            "expanduser", "absolute", "joinpath", "str", "getcwd", "cwd", "fspath", "get", "getenv",
            "as_posix", "exists", "is_dir", "isdir", "insert", "append", "extend", "setdefault"}
PURE = ("Constant", "Name", "Attribute", "BinOp", "BoolOp", "UnaryOp", "Compare", "Subscript",
        "List", "Tuple", "Slice", "Index", "JoinedStr", "FormattedValue", "Starred", "IfExp",
        "Call", "keyword", "operator", "boolop", "unaryop", "cmpop", "expr_context")
PURE = tuple(getattr(_ast, name) for name in PURE if hasattr(_ast, name))
# What may change where modules are found, by the last part of its name.
CHANGES = {"meta_path", "path_hooks", "addsitedir", "chdir", "import_module", "reload", "exec",
           "eval", "__import__", "system", "run", "call", "check_call", "check_output", "Popen",
           "modules"}
GIVING_UP = {"exit", "_exit", "quit", "abort"}


class Failed(Exception):
    """An import that fails as it will in each job."""

    def __init__(self, statement, error):
        Exception.__init__(self)
        self.statement, self.error = statement, error


class Imports:
    def __init__(self, evaluator, say):
        self.evaluator, self.say = evaluator, say
        self.count = 0
        # What a failure may be due to that would not be in a job, and failures that are.
        self.skipped = self.unsure = None
        self.tolerated = []

    def read(self):
        """The evaluator's text; sets up the module that it is to run in, and `sys.path`."""
        self.module = evaluator_module(self.evaluator)
        sys.modules["__main__"] = self.module
        sys.argv = [self.evaluator]
        is_first = sys.path[:1] == [""]
        self.file = self.module.__file__
        is_dir = os.path.isdir(self.evaluator)
        archive = None
        if not is_dir:
            import zipimport
            try:
                archive = zipimport.zipimporter(self.evaluator)
            except zipimport.ZipImportError:
                pass
        if not is_dir and not archive:
            if is_first:
                sys.path[0] = os.path.dirname(os.path.realpath(self.evaluator))
            with open(self.evaluator, "rb") as file:
                return file.read()
        sys.path[:1 if is_first else 0] = [self.evaluator]
        self.module.__package__ = ""
        self.file = self.module.__file__ = os.path.join(self.evaluator, "__main__.py")
        if archive:
            return archive.get_source("__main__")
        if not os.path.exists(self.file):
            return None  # compiled beforehand
        with open(self.file, "rb") as file:
            return file.read()

    def run(self, statements):
        for statement in statements:
            self.one(statement)

    def one(self, statement):
        names = self.module.__dict__
        if isinstance(statement, (_ast.Import, _ast.ImportFrom)):
            self.imported(statement)
        elif isinstance(statement, _ast.If):
            branch = self.branch(statement)
            if branch is None:
                self.maybe(statement.body + statement.orelse)
            else:
                self.run(branch)
        elif isinstance(statement, TRIES):
            self.tried(statement)
        elif isinstance(statement, (_ast.With, _ast.AsyncWith)):
            suppresses = any(called(item.context_expr) == "suppress" for item in statement.items)
            (self.maybe if suppresses else self.run)(statement.body)
        elif of_paths(statement):
            try:
                exec(compiled([statement], self.file), names)
            except Exception:  # a name that a statement has made which was not run
                self.skip(statement)
        elif isinstance(statement, (_ast.For, _ast.While)):
            self.skip(statement)
            self.maybe(statement.body)
        else:
            self.skip(statement)

    def imported(self, statement):
        self.say("at", self.where(statement))
        self.count += 1
        try:
            exec(compiled([statement], self.file), self.module.__dict__)
        except BaseException as error:
            is_sure = isinstance(error, (ImportError, SyntaxError))
            if self.unsure or (self.skipped and not is_sure):
                fails = f"{self.where(statement)} fails: {in_words(error)}"
                before = self.unsure or self.skipped
                self.tolerated.append(f"{fails}; line {before} before it, which was not run, "
                                      "may see to that")
                return
            raise Failed(statement, error)

    def maybe(self, statements):
        """Statements of which it cannot be told whether they run, or whose failure does no harm."""
        try:
            self.run(statements)
        except Failed:
            pass

    def branch(self, statement):
        if not pure(statement.test):
            return None
        try:
            test = compile(_ast.Expression(statement.test), self.file, "eval", dont_inherit=True)
            return statement.body if eval(test, self.module.__dict__) else statement.orelse
        except Exception:
            return None

    def tried(self, statement):
        try:
            try:
                self.run(statement.body)
            except Failed as failed:
                handler = self.handler(statement, failed.error)
                if handler is None or gives_up(handler):
                    raise
                self.run(handler.body)
            else:
                self.run(statement.orelse)
        finally:
            self.maybe(statement.finalbody)

    def handler(self, statement, error):
        """The handler that takes this error; one whose exceptions are not known may."""
        for handler in statement.handlers:
            if handler.type is None:
                return handler
            try:
                kinds = compile(_ast.Expression(handler.type), self.file, "eval")
                if isinstance(error, eval(kinds, self.module.__dict__)):
                    return handler
            except Exception:
                return handler
        return None

    def skip(self, statement):
        """Takes note of a statement that is not run."""
        definitions = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)
        if isinstance(statement, definitions) or is_harmless(statement):
            return
        self.skipped = self.skipped or statement.lineno
        if self.may_move_modules(statement):
            self.unsure = self.unsure or statement.lineno

    def may_move_modules(self, statement):
        names, builtin = self.module.__dict__, sys.modules["builtins"]
        for node in walk(statement):
            if isinstance(node, _ast.Attribute):
                if node.attr in CHANGES or (node.attr == "path" and root(node) == "sys"):
                    return True
            elif isinstance(node, _ast.Name) and node.id in CHANGES:
                return True
            elif isinstance(node, _ast.Call):
                name = root(node.func)
                is_name = isinstance(node.func, _ast.Name)
                if name is None or (is_name and not hasattr(builtin, name)):
                    return True
                # A function of a module beside the evaluator.
                file = getattr(names.get(name), "__file__", None) or sys.prefix
                if not file.startswith((sys.prefix, sys.base_prefix)):
                    return True
        return False

    def where(self, statement):
        if isinstance(statement, _ast.Import):
            said = "import " + ", ".join(alias.name for alias in statement.names)
        else:
            module = "." * statement.level + (statement.module or "")
            names = ", ".join(alias.name for alias in statement.names)
            said = f"from {module} import {names}"
        return f"line {statement.lineno} of {self.file}: `{said}`"


def pure(node):
    """Whether to evaluate this expression does nothing."""
    def does_nothing(part):
        is_call = isinstance(part, _ast.Call)
        return isinstance(part, PURE) and (not is_call or called(part) in OF_PATHS)
    return all(map(does_nothing, walk(node)))


def of_paths(statement):
    """Whether all that a statement does is to say where things are."""
    if isinstance(statement, _ast.Expr):
        call = statement.value
        return (isinstance(call, _ast.Call) and isinstance(call.func, _ast.Attribute)
                and call.func.attr in ("insert", "append", "extend", "setdefault") and pure(call)
                and root(call.func) in ("sys", "os"))
    if isinstance(statement, _ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (_ast.AnnAssign, _ast.AugAssign)):
        targets = [statement.target]
    elif isinstance(statement, _ast.For):
        return pure(statement.iter) and all(map(of_paths, statement.body))
    elif isinstance(statement, _ast.If):
        return pure(statement.test) and all(map(of_paths, statement.body + statement.orelse))
    else:
        return False
    known = all(isinstance(target, _ast.Name) or (root(target) in ("sys", "os") and pure(target))
                for target in targets)
    return known and statement.value is not None and pure(statement.value)


def called(node):
    """The last part of the name of what is called."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", None))


def root(node):
    """The first part of a name with dots, a subscript's too."""
    while isinstance(node, (_ast.Attribute, _ast.Subscript)):
        node = node.value
    return getattr(node, "id", None)


def gives_up(handler):
    """Whether a handler ends the evaluator, so that what it handles is a failure after all."""
    def ends(statement):
        is_exit = isinstance(statement, _ast.Expr) and called(statement.value) in GIVING_UP
        return is_exit or isinstance(statement, _ast.Raise)
    return any(map(ends, handler.body))


def compiled(statements, file):
    return compile(_ast.Module(statements, []), file, "exec", dont_inherit=True)


def in_words(error):
    """What went wrong, and where, if that is not the evaluator itself."""
    kind, place = type(error).__name__, None
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg} (line {error.lineno} of {error.filename})"
    trace = error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<") and trace.tb_frame.f_code.co_name != "import_module":
            place = f"line {trace.tb_lineno} of {file}"
        trace = trace.tb_next
    said = f"{kind}: {error}" if str(error) else kind
    return f"{said} ({place})" if place else said


def check(evaluator, say):
    imports = Imports(evaluator, say)
    try:
        source = imports.read()
        if source is None:
            return "partly", "its `__main__` is compiled, and was not looked at"
        tree = compile(source, imports.file, "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
        compile(tree, imports.file, "exec", dont_inherit=True)
    except SyntaxError as error:
        return "syntax", in_words(error)
    except Exception as error:
        return "syntax", f"{evaluator} cannot be read as Python: {in_words(error)}"
    try:
        imports.run(tree.body)
    except Failed as failed:
        kind = "missing" if isinstance(failed.error, ImportError) else "raises"
        if isinstance(failed.error, SyntaxError):
            kind = "syntax"
        where, what = imports.where(failed.statement), in_words(failed.error)
        own = f" (line {failed.statement.lineno} of {imports.file})"
        return kind, f"{where} fails: {what[:-len(own)] if what.endswith(own) else what}"
    if imports.tolerated:
        return "partly", imports.tolerated[0]
    return "fine", str(imports.count)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    channel = os.dup(1)
    os.dup2(2, 1)

    def tell(*words):
        line = " ".join(" ".join(words).split()) + "\n"
        os.write(channel, line.encode("utf-8", "replace"))

    tell(*check(sys.argv[2], tell))
    os._exit(0)
