"""FHIRPath's functions, and those of SQL on FHIR, as SQL.

A function takes the context, its source, the call and the compiler of arguments, and returns a `Value`.
`FUNCTIONS` lists them with the least and the most arguments they take.
"""

from __future__ import annotations

import difflib

from mappers.calls import Compile, Function
from mappers.collection_functions import (
    count,
    distinct,
    empty,
    every,
    exists,
    extension,
    first,
    has_value,
    if_else,
    is_distinct,
    last,
    negation,
    of_type,
    only,
    select,
    skip,
    tail,
    take,
    truth_function,
    where,
)
from mappers.fhirpath import Call, FhirPathError
from mappers.key_functions import reference_key, resource_key
from mappers.value_functions import (
    boundary,
    conversion,
    join,
    number_function,
    square_root,
    substring,
    text_function,
)
from mappers.values import (
    Context,
    Value,
    not_here,
)

CHOICE_FUNCTIONS = frozenset({"ofType", "as", "exists", "empty"})

FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "where": (where, 1, 1),
    "select": (select, 1, 1),
    "ofType": (of_type, 1, 1),
    "as": (of_type, 1, 1),
    "extension": (extension, 1, 1),
    "first": (first, 0, 0),
    "last": (last, 0, 0),
    "single": (only, 0, 0),
    "tail": (tail, 0, 0),
    "skip": (skip, 1, 1),
    "take": (take, 1, 1),
    "distinct": (distinct, 0, 0),
    "exists": (exists, 0, 1),
    "empty": (empty, 0, 0),
    "all": (every, 1, 1),
    "allTrue": (truth_function("list_bool_and", "true"), 0, 0),
    "anyTrue": (truth_function("list_bool_or", "false"), 0, 0),
    "count": (count, 0, 0),
    "isDistinct": (is_distinct, 0, 0),
    "hasValue": (has_value, 0, 0),
    "not": (negation, 0, 0),
    "iif": (if_else, 2, 3),
    "join": (join, 0, 1),
    "length": (text_function("length({0})", "integer"), 0, 0),
    "upper": (text_function("upper({0})", "string"), 0, 0),
    "lower": (text_function("lower({0})", "string"), 0, 0),
    "trim": (text_function("trim({0})", "string"), 0, 0),
    "startsWith": (text_function("starts_with({0}, {1})", "boolean", "t"), 1, 1),
    "endsWith": (text_function("ends_with({0}, {1})", "boolean", "t"), 1, 1),
    "contains": (text_function("contains({0}, {1})", "boolean", "t"), 1, 1),
    "matches": (text_function("regexp_matches({0}, {1}, 's')", "boolean", "t"), 1, 1),
    "indexOf": (text_function("(instr({0}, {1}) - 1)", "integer", "t"), 1, 1),
    "replace": (text_function("replace({0}, {1}, {2})", "string", "tt"), 2, 2),
    "substring": (substring, 1, 2),
    "abs": (number_function("abs"), 0, 0),
    "ceiling": (number_function("ceil", "integer"), 0, 0),
    "floor": (number_function("floor", "integer"), 0, 0),
    "truncate": (number_function("trunc", "integer"), 0, 0),
    "round": (number_function("round", "decimal"), 0, 1),
    "sqrt": (square_root, 0, 0),
    "toString": (conversion("string"), 0, 0),
    "toInteger": (conversion("integer"), 0, 0),
    "toDecimal": (conversion("decimal"), 0, 0),
    "toBoolean": (conversion("boolean"), 0, 0),
    "lowBoundary": (boundary("low_boundary"), 0, 0),
    "highBoundary": (boundary("high_boundary"), 0, 0),
    "getResourceKey": (resource_key, 0, 0),
    "getReferenceKey": (reference_key, 0, 1),
}


def call(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    """The value of a function. Raises FhirPathError where it is unknown or can't be applied so."""
    if tree.name not in FUNCTIONS:
        near = difflib.get_close_matches(tree.name, sorted(FUNCTIONS), n=1)
        advice = f"did you mean {near[0]}()?" if near else f"known are {', '.join(sorted(FUNCTIONS))}"
        raise FhirPathError(f"there is no function {tree.name}(); {advice}", tree.column)
    function, least, most = FUNCTIONS[tree.name]
    if not least <= len(tree.arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise FhirPathError(f"{tree.name}() takes {wanted} arguments, not {len(tree.arguments)}", tree.column)
    if source.choice and source.elsewhere and tree.name not in CHOICE_FUNCTIONS:
        source = not_here(source)
    if source.choice and tree.name not in CHOICE_FUNCTIONS:
        choice = source.choice
        example = next(iter({**choice.here, **choice.elsewhere}))
        raise FhirPathError(
            f"{choice.name} may be of several types; write {choice.name}.ofType({example}).{tree.name}(…)",
            tree.column,
        )
    return function(context, source, tree, compile_tree)
