"""Runs commands beside the editor: compile, train, compress, each in a process of its own.

No TensorFlow is imported here, and nothing here waits in the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

from graphbuilder.errors import BlueprintError, Diagnostic, GraphbuilderError, MissingError
from graphbuilder.text import parse
from graphbuilder.tui.files import open_file
from graphbuilder.tui.job_child import COPY_VARIABLE
from graphbuilder.tui.job_events import Ended, Ending, Event, Listener, Progress, Said, gathered

__all__ = ["Ended", "Ending", "Event", "Job", "Jobs", "Progress", "Said", "import_path", "runnable"]

# What is read at once from a pipe: no more lines than can be shown without a stall.
_CHUNK = 16 * 1024
# How often what was said is handed on, in seconds: a command that floods its log must not flood the screen.
_PULSE = 0.05
# How long a command may take to end once it was asked, in seconds, before it is asked less kindly.
_GRACE = 10.0
_LAST_GRACE = 5.0


@contextlib.contextmanager
def runnable(file: Path, text: str | None) -> Iterator[Path]:
    """A file that holds a text and finds the same imports as the file does.

    Arguments:
        file: the blueprint.
        text: what is to be run; None for what is saved.

    Yields:
        The file itself where that is what it says, else a hidden copy beside it, which goes afterwards. The copy lies
        in a temporary folder where the file's own takes none and the text imports no files.

    Raises:
        MissingError: a copy can be made nowhere where the imports would be found.
    """
    if text is None or _says(file, text):
        yield file
        return
    content = text.encode("utf-8", "replace")
    # Where a link leads to, because imports are found from there.
    home = Path(os.path.realpath(file)).parent
    beside = home / f".{file.stem}.~{secrets.token_hex(4)}{file.suffix}"
    folder: Path | None = None
    try:
        try:
            with beside.open("xb") as opened:
                opened.write(content)
        except OSError as error:
            if _imports(text, file.name):
                message = f"the text is not saved, and {home} takes no copy of it: {error.strerror or error}"
                hint = "save it where its imports are found, and run it again"
                raise MissingError(Diagnostic("GB602", message, hint=hint)) from error
            folder = Path(tempfile.mkdtemp(prefix="graphbuilder-"))
            beside = folder / file.name
            beside.write_bytes(content)
        yield beside
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _says(file: Path, text: str) -> bool:
    """Whether a file holds that text."""
    try:
        opened = open_file(file)
    except GraphbuilderError:
        return False
    return opened.stamp is not None and opened.text == text


def _imports(text: str, name: str) -> bool:
    """Whether a text imports files, as far as it can be read."""
    try:
        data = parse(text, name=name).data
    except BlueprintError:
        return False
    return isinstance(data, dict) and bool(data.get("imports"))


class Job:
    """One command, running in a process group of its own.

    The process ends when this one does, in whatever way. It runs the command line of this very package, with this very
    interpreter.

    Arguments:
        command: its name, such as "compile".
        file: the blueprint.
        arguments: what stands behind the file, such as `["-o", "cnn.keras"]`.
        text: what is to be run when it is not saved; None runs the file. A compression that is to be resumed later must
            run the file itself, because it notes the file's name.
        listen: told what happens, in the job's own thread; `Ended` comes last, and always.
    """

    def __init__(
        self,
        command: str,
        file: Path,
        arguments: Sequence[str] = (),
        *,
        text: str | None = None,
        listen: Callable[[Event], None],
    ) -> None:
        self.command = command
        self.file = file
        self.arguments = tuple(arguments)
        self.started = time.monotonic()
        self.ended: Ended | None = None
        self._text = text
        self._listen = listen
        self._cancelled = threading.Event()
        self._hurried = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"job {command}", daemon=True)

    def start(self) -> Job:
        """Begins; what goes wrong is told as the job's end."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.ended is None

    def cancel(self) -> None:
        """Asks the command to end, as Ctrl-C would; asked again, less kindly, and so is one that takes its time.

        It is asked three times at most: SIGINT, SIGTERM, SIGKILL.
        """
        if self._cancelled.is_set():
            self._hurried.set()
        self._cancelled.set()

    def kill(self) -> None:
        """Ends the command at once, whatever the job's own thread is doing."""
        self._cancelled.set()
        process = self._process
        if process is not None and process.returncode is None:
            _kill_group(process, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended and everything was told.

        Arguments:
            timeout: how long at most, in seconds.

        Returns:
            Whether it has.
        """
        self._thread.join(timeout)
        return not self._thread.is_alive()

    async def finished(self) -> Ended:
        """Its end, waited for without holding the event loop up."""
        await asyncio.to_thread(self._thread.join)
        assert self.ended is not None
        return self.ended

    def _run(self) -> None:
        began = time.monotonic()
        try:
            with runnable(self.file, self._text) as file:
                ended = self._supervise(file, began)
        except GraphbuilderError as error:
            self._tell(Said(tuple(str(error).split("\n")), error=True))
            ended = Ended(Ending.NOT_STARTED, error.exit_code, 0.0, error.diagnostics, "it could not be started")
        except OSError as error:
            diagnostic = Diagnostic("GB602", f"{self.command} cannot be started: {error.strerror or error}")
            ended = Ended(Ending.NOT_STARTED, 3, 0.0, (diagnostic,), str(diagnostic))
        self.ended = ended
        self._tell(ended)

    def _tell(self, event: Event) -> None:
        self._listen(event)

    def _supervise(self, file: Path, began: float) -> Ended:
        """Runs the process to its end."""
        arguments = [self.command, str(file), *self.arguments]
        if self.command == "train" and "--format" not in self.arguments:
            arguments += ["--format", "json"]
        copied = file != self.file
        renamed = {str(file): str(self.file), file.name: self.file.name} if copied else {}
        listener = Listener(self.command, renamed)
        process = subprocess.Popen(
            # -P: a file named json.py in the user's folder must not be imported for the standard library's.
            [sys.executable, "-P", "-m", "graphbuilder.tui.job_child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(file if copied else None),
            # A group of its own: Ctrl-C in the terminal is the editor's, and a signal reaches all that it starts.
            process_group=0,
        )
        self._process = process
        try:
            self._listen_to(process, listener)
        finally:
            _kill_group(process, signal.SIGKILL)
            code = process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        for event in gathered(listener.end()):
            self._tell(event)
        how, message = self._ending(code)
        return Ended(how, code, time.monotonic() - began, listener.diagnostics, f"{self.command} {message}")

    def _ending(self, code: int) -> tuple[Ending, str]:
        if code == 0:
            return Ending.DONE, "is done"
        if self._cancelled.is_set():
            return Ending.CANCELLED, "was cancelled"
        if code < 0:
            with contextlib.suppress(ValueError):
                return Ending.DIED, f"was ended by {signal.Signals(-code).name}"
            return Ending.DIED, f"was ended by signal {-code}"
        return Ending.FAILED, f"failed with exit code {code}"

    def _listen_to(self, process: subprocess.Popen[bytes], listener: Listener) -> None:
        """Hands on what is said until the process has ended, and asks it to end when that is wanted."""
        assert process.stdout is not None
        assert process.stderr is not None
        signals = iter((signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
        due = 0.0
        with selectors.DefaultSelector() as selector:
            for pipe, error in ((process.stdout, False), (process.stderr, True)):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, error)
            while True:
                # Asked before reading: whatever a dead process wrote is in the pipes by then. What it left behind may
                # hold them open, so their end is not waited for.
                dead = process.poll() is not None
                heard = selector.select(0 if dead else _PULSE)
                began = time.monotonic()
                happened: list[Event] = []
                for key, _ in heard:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    happened += listener.hear(chunk, error=key.data)
                for event in gathered(happened):
                    self._tell(event)
                if dead and not heard:
                    return
                now = time.monotonic()
                if self._cancelled.is_set() and not dead and (now >= due or self._hurried.is_set()):
                    self._hurried.clear()
                    number = next(signals, signal.SIGKILL)
                    due = now + (_GRACE if number is signal.SIGINT else _LAST_GRACE)
                    _kill_group(process, number)
                if not dead and (heard or not selector.get_map()):
                    # What comes in the meantime is handed on together.
                    self._hurried.wait(max(0.0, began + _PULSE - now))

    async def events(self) -> AsyncIterator[Event]:
        """What happens, for a loop of asyncio; starts the job. `listen` is told of it too."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[Event] = asyncio.Queue()
        listen = self._listen

        def both(event: Event) -> None:
            listen(event)
            loop.call_soon_threadsafe(waiting.put_nowait, event)

        self._listen = both
        self.start()
        while True:
            event = await waiting.get()
            yield event
            if isinstance(event, Ended):
                return


def _kill_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends a signal to the process and all that is of its group; the group may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def import_path() -> str:
    """Where a new process finds the modules that this one has: a PYTHONPATH, a checkout's folder among it."""
    own = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    package = str(Path(__file__).resolve().parents[2])
    folders = [package, *(entry or str(Path.cwd()) for entry in sys.path)]
    return os.pathsep.join(folder for folder in dict.fromkeys(folders) if folder not in own)


def _environment(copy: Path | None) -> dict[str, str]:
    """The command's environment: the same modules, plain text without delay, and where the copy lies."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    env["PYTHONPATH"] = import_path()
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "TERM": "dumb"}
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    env.pop(COPY_VARIABLE, None)
    if copy is not None:
        env[COPY_VARIABLE] = str(copy)
    return env


class Jobs:
    """The jobs of one editor, which end with it.

    Arguments:
        listen: told what happens to which job, in that job's thread.
    """

    def __init__(self, listen: Callable[[Job, Event], object]) -> None:
        self._listen = listen
        self._closed = False
        self.all: list[Job] = []

    def start(self, command: str, file: Path, arguments: Sequence[str] = (), *, text: str | None = None) -> Job:
        """Starts a command.

        Arguments:
            command: its name.
            file: the blueprint.
            arguments: what stands behind the file.
            text: what is to be run when it is not saved.
        """
        job = Job(command, file, arguments, text=text, listen=lambda event: self._tell(job, event))
        self.all.append(job)
        return job.start()

    @property
    def running(self) -> list[Job]:
        """Those that have not ended."""
        return [job for job in self.all if job.running]

    def close(self, patience: float = 3.0) -> None:
        """Ends all of them. Nothing is told any more, because the screen goes.

        Arguments:
            patience: how long they may take, in seconds, before they are killed.
        """
        self._closed = True
        left = self.running
        for job in left:
            job.cancel()
        deadline = time.monotonic() + patience
        for job in left:
            job.wait(max(0.0, deadline - time.monotonic()))
        for job in left:
            job.kill()
        for job in left:
            # Its thread may be held up by a listener that waits for whoever calls this; the process is gone by then.
            job.wait(1.0)

    def _tell(self, job: Job, event: Event) -> None:
        if not self._closed:
            self._listen(job, event)
