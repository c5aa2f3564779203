# What the checks use of google-re2, which has no types of its own.

class error(Exception): ...

class Options:
    log_errors: bool
    max_mem: int

class _Regexp:
    def fullmatch(self, text: str) -> object | None: ...

def compile(pattern: str, options: Options) -> _Regexp: ...
