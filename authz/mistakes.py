"""What is wrong with a value of a YAML document, in the words of who writes it, not of the library that checks it."""

from pydantic_core import ErrorDetails

# By pydantic's name of the mistake; the braces are what it tells beside it.
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "no key is known by this name here",
    "bool_type": "true or false is wanted here",
    "int_type": "a whole number is wanted here",
    "string_type": "a text is wanted here",
    "date_type": "a day is wanted here",
    "datetime_type": "a time with its zone is wanted here",
    "datetime_from_date_parsing": "a time with its zone is wanted here",
    "datetime_parsing": "a time with its zone is wanted here",
    "timezone_aware": "the time has no zone",
    "list_type": "a list is wanted here",
    "dict_type": "a mapping of keys to values is wanted here",
    "model_type": "a mapping of keys to values is wanted here",
    "enum": "not {expected}",
    "greater_than_equal": "less than {ge}, the least that it may be",
    "less_than_equal": "more than {le}, the most that it may be",
    "less_than": "not less than {lt}",
    "too_short": "has {actual_length} entries, and needs {min_length} or more",
    "too_long": "has more than {max_length} entries",
    "string_too_short": "the text is empty",
    "string_too_long": "the text is longer than {max_length} characters",
}


def tell_mistake(error: ErrorDetails) -> str:
    """Return what is wrong; of a mistake that has no words here, those of the check that found it."""
    words = _WORDS.get(error["type"])
    return words.format(**error.get("ctx", {})) if words else error["msg"][:1].lower() + error["msg"][1:]
