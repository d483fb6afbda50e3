"""How an operation says no: what is wrong and what to do, on every line of it, and never a traceback."""

from pyinfra import logger, state
from pyinfra.api import FunctionCommand, Host, OperationError, State

from mstdn.shell import Commands


def refuse(message: str) -> Commands:
    """
    Fail this operation with `message`. To be used as `yield from refuse(…)`, followed by return.

    While planning it raises OperationError, and pyinfra stops before anything is changed. While running it yields a
    command that fails: an exception there would stop the other hosts too, and gevent prints its traceback.
    """
    if not state.is_executing:
        raise OperationError(f"{message}\nNothing was changed.")
    yield FunctionCommand(_say_no, (message,), {})


def _say_no(state: State, host: Host, message: str) -> bool:
    for line in message.splitlines():
        host.log_styled(line, fg="red", log_func=logger.error)
    return False
