"""The tree of errors: what is a row, and what is a crash.

A bad program, a failed tool call or an unreadable picture is *data*: it becomes a row with a kind
(`Failure` in `records`).  An exception is raised only when the caller has to act:

    WorkbenchError               anything that this package raises on purpose, for people to read
    ├── InputError               what the user gave is wrong (a path, a name, a file): mend it
    │   ├── ImageError           a picture is missing, corrupt, too large or of an unknown kind
    │   ├── ProfileError         a profile has an unknown key, an unknown part or a contradiction
    │   ├── DatasetError         a file of tasks cannot be read at all (bad rows alone are listed)
    │   └── SnapshotError        a snapshot is missing, damaged, edited or cannot be written
    ├── MissingPart              an optional package is absent; its text holds `pip install ...`
    ├── StoreError               the store cannot be opened or written; nothing committed is lost
    │   └── StoreVersionError    the store was written by a newer version
    ├── ToolFailure              a tool could not answer ONE call; it is raised into the program
    └── EngineError              a worker, model or endpoint broke; try again
        └── RefusedRequest       an endpoint refused ONE request and would do so again

Every message says what was found, what was expected, and what to do next.
"""


class WorkbenchError(Exception):
    """Anything that this package raises on purpose."""


class InputError(WorkbenchError):
    """The user's input is wrong; the text says what was found, what was expected, what to do."""


class ImageError(InputError):
    """A picture that is missing, corrupt, too large or of an unknown kind."""


class ProfileError(InputError):
    """A profile with an unknown key, an unknown part, or two keys that contradict each other."""


class DatasetError(InputError):
    """A file of tasks that cannot be read at all."""


class SnapshotError(InputError):
    """A training snapshot that is missing, damaged, edited or cannot be written."""


class MissingPart(WorkbenchError):
    """An optional package is absent; the text holds the `pip install` line."""


class StoreError(WorkbenchError):
    """The project's store cannot be opened or written."""


class StoreReadOnly(StoreError):
    """The store is whole, and this user may not write where it lies."""


class StoreVersionError(StoreError):
    """The store was written by a newer version of the workbench."""


class ToolFailure(WorkbenchError):
    """A tool could not answer one call; raised into the program that asked, and recorded."""


class EngineError(WorkbenchError):
    """A worker, model or endpoint broke; the work can be tried again."""


class RefusedRequest(EngineError):
    """An endpoint refused one request, as it will each time; others may be answered.

    `certain` says whether it named the request's own words as the reason (a content filter, a text
    that is too long), and not, for example, a setting that all requests share.
    """

    def __init__(self, message: str, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain
