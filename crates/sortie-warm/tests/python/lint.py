"""A small lint of files put together, without dependencies: old syntax, unknown and unused names, long lines."""

import ast
import builtins
import symtable
import sys


def problems(path, source):
    tree = ast.parse(source, path, feature_version=(3, 8))
    compile(source, path, "exec")
    for number, line in enumerate(source.splitlines(), 1):
        if len(line) > 100 or line != line.rstrip():
            yield f"{number}: too long, or white space at the end"
    top = symtable.symtable(source, path, "exec")
    known = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()
             or symbol.is_imported() or symbol.is_namespace()}
    known |= set(dir(builtins)) | {"__file__", "__name__"}
    used = {node.id for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for table in tables(top):
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_global() and symbol.is_referenced() and name not in known:
                yield f"{table.get_lineno()}: unknown name {name}"
    for symbol in top.get_symbols():
        name = symbol.get_name()
        if (symbol.is_imported() or symbol.is_namespace()) and name not in used:
            yield f"unused at the top: {name}"
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            loaded = {node.id for node in names if not isinstance(node.ctx, ast.Store)}
            for node in names:
                if node.id not in loaded and node.id[:1] != "_":
                    yield f"{node.lineno}: unused name {node.id}"
            length = function.end_lineno - function.lineno + 1
            if length > 60:
                yield f"{function.lineno}: {function.name} has {length} lines"


def tables(table):
    yield table
    for child in table.get_children():
        yield from tables(child)


if __name__ == "__main__":
    sources = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as opened:
            sources.append(opened.read())
    # They are put together to be run.
    found = [f"all:{problem}" for problem in problems("all", "".join(sources))]
    print("\n".join(found))
    sys.exit(bool(found))
