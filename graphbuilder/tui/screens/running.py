"""The part of the main screen that compiles, trains and compresses beside the editor, and helps."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import takewhile

from textual import on, work
from textual.dom import DOMNode
from textual.message import Message
from textual.widget import Widget

from graphbuilder.tui.job_events import Ended, Ending, Event, Progress, Said
from graphbuilder.tui.jobs import Job, Jobs
from graphbuilder.tui.keys import ACTIONS, GROUPS, shown_key
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.files import FilesScreen
from graphbuilder.tui.screens.picker import Choice, Picker

__all__ = ["RunningScreen"]

# The columns of the bar that shows how far what runs is.
_BAR = 10


class RunningScreen(FilesScreen):
    """A screen beside which commands run."""

    class Happened(Message):
        """Something happened to what runs.

        Arguments:
            job: what runs.
            event: what happened.
        """

        def __init__(self, job: Job, event: Event) -> None:
            super().__init__()
            self.job = job
            self.event = event

    _jobs: Jobs | None = None
    # How far what runs is, for the head.
    progress: str = ""

    @property
    def jobs(self) -> Jobs:
        """The commands that run, or have run."""
        if self._jobs is None:
            # What runs is read on however busy the screen is.
            self._jobs = Jobs(lambda job, event: self.post_message(self.Happened(job, event)))
        return self._jobs

    @work(exclusive=True, group="ask")
    async def action_start(self) -> None:
        """Asks what is to be run, and with which options, and runs it."""
        if self.document is None:
            return
        stem = self.path.stem
        choices = [
            Choice("compile", "compile", "build the model and save it", f"{stem}.keras"),
            Choice("train", "train", "train it on data", f"{stem}.keras"),
            Choice("compress", "compress", "carry out its passes of compression", f"{stem}_compressed"),
        ]
        command = await self.ask(Picker("Run", choices))
        if command is None:
            return
        defaults = {
            "compile": f"-o {shlex.quote(f'{stem}.keras')} --force",
            "train": f"--data data.npz -o {shlex.quote(f'{stem}.keras')} --force",
            "compress": f"--data data.npz -o {shlex.quote(f'{stem}_compressed')} --force",
        }
        typed = await self.ask(AskText(f"graphbuilder {command} {self.path.name}", defaults[str(command)], _unquoted))
        if typed is None:
            return
        text = None if command == "compress" and not self.workspace.changed else self.workspace.session.text
        settings = [f"--set={name}={value}" for name, value in self.workspace.params.items()]
        self.jobs.start(str(command), self.path, [*shlex.split(typed), *settings], text=text)
        self.log_lines([f"$ graphbuilder {command} {self.path.name} {typed}"], "accent")
        self.open_pane("log")

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        """Shows what happened to what runs."""
        job, event = message.job, message.event
        match event:
            case Said(lines, error):
                self.log_lines(lines, "warning" if error else "text")
            case Progress(what, fraction, values):
                full = round(_BAR * (fraction or 0))
                bar = "" if fraction is None else f"{'█' * full}{'░' * (_BAR - full)} {fraction:.0%} "
                told = ", ".join([what, *(f"{name} {value:.4g}" for name, value in values)])
                self.progress = f"{job.command} {bar}{told}"
            case Ended(how, _, seconds):
                self.progress = ""
                look = "good" if how is Ending.DONE else "warning" if how is Ending.CANCELLED else "error"
                self.say(f"{event.message}, after {seconds:.1f} s", look)
        self.show_status()

    def action_stop(self) -> None:
        """Stops what is running."""
        running = self.jobs.running
        if not running:
            self.say("nothing is running", "warning")
        for job in running:
            job.cancel()
            self.say(f"stopping {job.command} …", "warning")

    async def may_leave(self) -> bool:
        running = self.jobs.running
        if not running:
            return True
        told = ", ".join(job.command for job in running)
        return bool(await self.ask(Ask(f"{told} is still running", [("s", "stop it and quit"), ("c", "stay")])) == "s")

    def end(self, *, keep: bool = False) -> None:
        super().end(keep=keep)
        if self._jobs is not None:
            self._jobs.close()

    # Help.

    @work(exclusive=True, group="ask")
    async def action_help(self) -> None:
        """Lists what can be done here, and does what is picked."""
        focused = self.focused
        calls: dict[str, tuple[DOMNode, str]] = {}
        # What is possible here is tried.
        choices = [Choice(f"here.{name}", title, "", "here") for name, title in await self.in_thread(self.here) or ()]
        calls |= {choice.key: (self, choice.key.removeprefix("here.")) for choice in choices}
        choices += self._actions(("edit",), calls)
        choices += self._keys_of(focused, calls)
        choices += self._actions([group for group in GROUPS if group != "edit"], calls)
        picked = await self.ask(Picker("What can be done here", choices))
        if picked is not None:
            target, action_name = calls[str(picked)]
            # Only once this question is gone: what is picked may ask something itself.
            self.call_later(self.app.run_action, action_name, target)

    def _actions(self, groups: Iterable[str], calls: dict[str, tuple[DOMNode, str]]) -> list[Choice]:
        """What can be done wherever the keys go; how it is done is added to the calls."""
        keymap = getattr(self.app, "keys_of_user", {})
        choices = []
        for action in (action for group in groups for action in ACTIONS if action.group == group):
            right = f"{GROUPS[action.group]}  {shown_key(keymap.get(action.id, action.keys))}"
            choices.append(Choice(action.id, action.title, "", right, _id_told(action.id)))
            calls[action.id] = (self, action.action)
        return choices

    def _keys_of(self, focused: Widget | None, calls: dict[str, tuple[DOMNode, str]]) -> list[Choice]:
        """What the pane can do that the keys go to, and what is around it; how it is done is added to the calls."""
        keymap = getattr(self.app, "keys_of_user", {})
        choices = []
        around = focused.ancestors_with_self if focused is not None else ()
        for node in takewhile(lambda each: each is not self, around):
            bindings = [each for found in node._bindings.key_to_bindings.values() for each in found]
            for shown in bindings:
                if shown.id is not None and shown.id not in calls:
                    keys = keymap.get(shown.id) or ",".join(each.key for each in bindings if each.id == shown.id)
                    right = f"Pane  {shown_key(keys)}"
                    choices.append(Choice(shown.id, shown.description, "", right, _id_told(shown.id)))
                    calls[shown.id] = (node, shown.action)
        return choices


def _id_told(name: str) -> str:
    """How the keys of something can be set."""
    return f"in the settings: keys: {{{name}: …}}"


def _unquoted(typed: str) -> str | None:
    """What is wrong with options as they are typed."""
    try:
        shlex.split(typed)
    except ValueError as error:
        return str(error)
    return None
